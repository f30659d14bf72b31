//! The power monitors of a Jetson, through sysfs.
//!
//! JetPack 5 and later (`ina3221`, hwmon): `in<n>_label`, `in<n>_input` in mV, `curr<n>_input` in mA,
//! power is their product. JetPack 4 (`ina3221x`, iio): `rail_name_<n>`, `in_voltage<n>_input`,
//! `in_current<n>_input`, `in_power<n>_input` in mW. Channels called `NC`, disabled ones and the sum of
//! the shunts (`in7`, `curr4`) are none. Files stay open and are read at position 0; on a board each read
//! may wait for a conversion (6.6 ms a cycle at the chip's defaults).

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::{Reading, Source, timed};
use crate::collect::host::{self, Host};

/// Every monitor of the machine.
#[derive(Debug)]
pub(super) struct Ina3221 {
    rails: Vec<Rail>,
    about: Vec<String>,
}

#[derive(Debug)]
struct Rail {
    name: String,
    volts: File,
    amps: File,
    power: Option<File>,
}

impl Ina3221 {
    /// Finds the monitors; `None` when there are none.
    pub(super) fn open(host: &Host) -> Option<Self> {
        let mut found = Self { rails: Vec::new(), about: Vec::new() };
        for folder in hwmon_folders(host) {
            found.hwmon(&folder);
        }
        for chip in host.list("sys/bus/i2c/drivers/ina3221x") {
            for folder in
                host::list(&chip).iter().filter(|at| host::name(at).starts_with("iio:device"))
            {
                found.iio(folder);
            }
        }
        (!found.rails.is_empty()).then_some(found)
    }

    fn hwmon(&mut self, folder: &Path) {
        let open = |name: String| File::open(folder.join(name)).ok();
        for channel in 1..=3 {
            let read = |name: &str| host::text(&folder.join(format!("in{channel}_{name}")));
            let Some(name) = read("label").filter(|label| label != "NC") else { continue };
            if read("enable").as_deref() == Some("0") {
                continue;
            }
            let (Some(volts), Some(amps)) =
                (open(format!("in{channel}_input")), open(format!("curr{channel}_input")))
            else {
                continue;
            };
            self.rails.push(Rail { name, volts, amps, power: None });
        }
        for (key, file) in [("update_interval_ms", "update_interval"), ("averages", "samples")] {
            if let Some(value) = host::text(&folder.join(file)) {
                self.about.push(format!("{key}={value}"));
            }
        }
    }

    fn iio(&mut self, folder: &Path) {
        let open = |name: String| File::open(folder.join(name)).ok();
        for channel in 0..=2 {
            let label = host::text(&folder.join(format!("rail_name_{channel}")));
            let Some(name) = label.filter(|label| label != "NC") else { continue };
            let (Some(volts), Some(amps)) = (
                open(format!("in_voltage{channel}_input")),
                open(format!("in_current{channel}_input")),
            ) else {
                continue;
            };
            let power = open(format!("in_power{channel}_input"));
            self.rails.push(Rail { name, volts, amps, power });
        }
    }
}

/// By bus, where the driver lists its chips; else by the name of each hwmon.
fn hwmon_folders(host: &Host) -> Vec<PathBuf> {
    let chips = host.list("sys/bus/i2c/drivers/ina3221");
    let by_bus: Vec<PathBuf> =
        chips.iter().flat_map(|chip| host::list(&chip.join("hwmon"))).collect();
    if !by_bus.is_empty() {
        return by_bus;
    }
    let all = host.list("sys/class/hwmon").into_iter();
    all.filter(|folder| host::text(&folder.join("name")).as_deref() == Some("ina3221")).collect()
}

impl Source for Ina3221 {
    fn name(&self) -> &'static str {
        "ina3221"
    }

    fn rails(&self) -> Vec<String> {
        self.rails.iter().map(|rail| rail.name.clone()).collect()
    }

    fn about(&self) -> Vec<String> {
        self.about.clone()
    }

    fn read(&mut self, readings: &mut Vec<Reading>) -> Result<(), String> {
        let mut problem = None;
        for (at, rail) in self.rails.iter().enumerate() {
            let ((mv, ma, power), stamp) =
                timed(|| (value(&rail.volts), value(&rail.amps), rail.power.as_ref().map(value)));
            match (mv, ma) {
                (Ok(mv), Ok(ma)) => {
                    let mw = power.and_then(Result::ok).unwrap_or(mv * ma / 1000.0);
                    readings.push(Reading {
                        rail: at,
                        mv: Some(mv),
                        ma: Some(ma),
                        mw: Some(mw),
                        ..stamp
                    });
                }
                (Err(why), _) | (_, Err(why)) => problem = Some(format!("{}: {why}", rail.name)),
            }
        }
        problem.filter(|_| readings.is_empty()).map_or(Ok(()), Err)
    }
}

/// The number in an open sysfs file; a unit may follow (`32760 ma`).
fn value(file: &File) -> Result<f64, String> {
    let mut bytes = [0; 32];
    let count = file.read_at(&mut bytes, 0).map_err(|error| error.to_string())?;
    let text = std::str::from_utf8(&bytes[..count]).unwrap_or_default();
    let word = text.split_whitespace().next().unwrap_or_default();
    word.parse().map_err(|_| format!("`{word}` is no number"))
}
