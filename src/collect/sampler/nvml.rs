//! GPUs through NVML, whose library is loaded when it is needed and may be absent.
//!
//! Field 186 (`POWER_INSTANT`) is the power of the moment; where a driver lacks it, `power_usage` is a
//! mean over one second on Ampere and later (but GA100), which the log states. Field 83's counter
//! (`total_energy_consumption`, Volta and later) stands beside it.

use std::collections::BTreeMap;
use std::path::Path;

use nvml_wrapper::Nvml;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::enums::device::SampleValue;
use nvml_wrapper::structs::device::FieldId;

use super::{Reading, Source, timed};
use crate::runs::manifest::Gpu;

const POWER_INSTANT: FieldId = FieldId(186);

/// The GPUs of the machine.
#[derive(Debug)]
pub struct Gpus {
    nvml: Nvml,
    count: u32,
}

impl Gpus {
    /// Loads the library, from a path of its own if one is given.
    ///
    /// # Errors
    /// Why there is no GPU to ask.
    pub fn open(library: Option<&Path>) -> Result<Self, String> {
        let nvml = match library {
            Some(path) => Nvml::builder().lib_path(path.as_os_str()).init(),
            None => Nvml::init(),
        };
        let nvml = nvml.map_err(|error| format!("NVML cannot be used: {error}"))?;
        let count = nvml.device_count().map_err(|error| format!("NVML lists no GPU: {error}"))?;
        if count == 0 { Err("NVML lists no GPU".to_owned()) } else { Ok(Self { nvml, count }) }
    }

    /// Names, by number.
    pub fn list(&self) -> Vec<Gpu> {
        self.each(|device| device.name().ok()).map(|(index, name)| Gpu { index, name }).collect()
    }

    /// Version of the driver.
    pub fn driver(&self) -> Option<String> {
        self.nvml.sys_driver_version().ok()
    }

    /// Version of CUDA that the driver supports: `12.6`.
    pub fn cuda(&self) -> Option<String> {
        let version = self.nvml.sys_cuda_driver_version().ok()?;
        Some(format!("{}.{}", version / 1000, version % 1000 / 10))
    }

    /// Clocks at the moment, and those that are set, in MHz.
    pub fn clocks(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for (name, clock) in [("sm", Clock::SM), ("mem", Clock::Memory)] {
            for (index, mhz) in self.each(|device| device.clock_info(clock).ok()) {
                found.insert(format!("gpu{index}.{name}_mhz"), mhz.to_string());
            }
            for (index, mhz) in self.each(|device| device.applications_clock(clock).ok()) {
                found.insert(format!("gpu{index}.{name}_set_mhz"), mhz.to_string());
            }
        }
        found
    }

    /// Temperatures, in °C.
    pub fn temperatures(&self) -> BTreeMap<String, f64> {
        self.each(|device| device.temperature(TemperatureSensor::Gpu).ok())
            .map(|(index, degrees)| (format!("gpu{index}"), f64::from(degrees)))
            .collect()
    }

    fn each<T>(
        &self,
        ask: impl Fn(&nvml_wrapper::Device<'_>) -> Option<T>,
    ) -> impl Iterator<Item = (u32, T)> {
        (0..self.count)
            .filter_map(move |index| Some((index, ask(&self.nvml.device_by_index(index).ok()?)?)))
    }
}

/// Power of every GPU.
#[derive(Debug)]
pub(super) struct NvmlPower {
    gpus: Gpus,
    devices: Vec<u32>,
    instant: bool,
}

impl NvmlPower {
    /// Takes the GPUs that say what they draw.
    ///
    /// # Errors
    /// When none does.
    pub(super) fn open(library: Option<&Path>) -> Result<Self, String> {
        let gpus = Gpus::open(library)?;
        let instant = gpus.each(|device| instant(device).ok()).next().is_some();
        let devices: Vec<u32> =
            gpus.each(|device| power(device, instant).ok()).map(|(index, _)| index).collect();
        if devices.is_empty() {
            return Err("no GPU says what it draws (a Jetson does so through INA3221)".to_owned());
        }
        Ok(Self { gpus, devices, instant })
    }
}

impl Source for NvmlPower {
    fn name(&self) -> &'static str {
        "nvml"
    }

    fn rails(&self) -> Vec<String> {
        self.devices.iter().map(|index| format!("GPU{index}")).collect()
    }

    fn about(&self) -> Vec<String> {
        let words =
            if self.instant { "field=instant" } else { "field=average trailing_avg_ns=1000000000" };
        vec![words.to_owned()]
    }

    fn read(&mut self, readings: &mut Vec<Reading>) -> Result<(), String> {
        let mut problem = None;
        for (rail, index) in self.devices.iter().enumerate() {
            let device = match self.gpus.nvml.device_by_index(*index) {
                Ok(device) => device,
                Err(error) => {
                    problem = Some(error.to_string());
                    continue;
                }
            };
            let ((mw, energy), stamp) =
                timed(|| (power(&device, self.instant), device.total_energy_consumption()));
            match mw {
                Ok(mw) => {
                    let energy_uj = energy.ok().map(|mj| mj.saturating_mul(1000));
                    readings.push(Reading { rail, mw: Some(mw), energy_uj, ..stamp });
                }
                Err(why) => problem = Some(why),
            }
        }
        problem.filter(|_| readings.is_empty()).map_or(Ok(()), Err)
    }
}

fn power(device: &nvml_wrapper::Device<'_>, by_field: bool) -> Result<f64, String> {
    if by_field {
        return instant(device);
    }
    device.power_usage().map(f64::from).map_err(|error| error.to_string())
}

fn instant(device: &nvml_wrapper::Device<'_>) -> Result<f64, String> {
    let values = device.field_values_for(&[POWER_INSTANT]).map_err(|error| error.to_string())?;
    let sample = values
        .into_iter()
        .next()
        .ok_or("NVML answered nothing")?
        .map_err(|error| error.to_string())?;
    match sample.value.map_err(|error| error.to_string())? {
        SampleValue::F64(value) => Ok(value),
        SampleValue::U32(value) => Ok(f64::from(value)),
        SampleValue::U64(value) => Ok(value as f64),
        SampleValue::I64(value) => Ok(value as f64),
    }
}
