//! On what is the program run? GPU, driver, clocks, power mode, temperatures, before the run.
//!
//! From `/proc` and `/sys`, from NVML where its library loads, from `nvpmodel` on a Jetson. What cannot
//! be found out is missing, never guessed. No host name, no serial number.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use super::host::{self, Host};
use super::nsys::on_path;
use super::sampler::nvml::Gpus;
use crate::runs::manifest::{Gpu, Machine};

/// Describes the machine.
pub(super) fn describe(host: &Host, gpus: Option<&Gpus>) -> Machine {
    let mut machine = Machine {
        gpu: gpus.map_or_else(|| listed_gpus(host), Gpus::list),
        driver: gpus.and_then(Gpus::driver).or_else(|| driver(host)),
        cuda: gpus.and_then(Gpus::cuda),
        cpu: cpu(host),
        kernel: host.text("proc/sys/kernel/osrelease"),
        power_mode: power_mode(host),
        clocks: cpu_clocks(host),
        temperature_c: temperatures(host, gpus),
        temperature_after_c: BTreeMap::new(),
    };
    machine.clocks.extend(devfreq_clocks(host));
    machine.clocks.extend(gpus.map(Gpus::clocks).unwrap_or_default());
    machine
}

/// Temperatures by sensor, in °C: thermal zones, and GPUs.
pub(super) fn temperatures(host: &Host, gpus: Option<&Gpus>) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    for zone in host.list("sys/class/thermal") {
        let Some(name) = host::text(&zone.join("type")) else { continue };
        let Some(milli) = host::text(&zone.join("temp")).and_then(|text| text.parse::<f64>().ok())
        else {
            continue;
        };
        // Zones that are switched off say -256 °C.
        if milli > -100_000.0 {
            found.insert(unique(&found, &name), milli / 1000.0);
        }
    }
    found.extend(gpus.map(Gpus::temperatures).unwrap_or_default());
    found
}

/// Several sensors may have one name.
fn unique(taken: &BTreeMap<String, f64>, name: &str) -> String {
    let mut unique = name.to_owned();
    let mut number = 2;
    while taken.contains_key(&unique) {
        unique = format!("{name}#{number}");
        number += 1;
    }
    unique
}

fn cpu(host: &Host) -> Option<String> {
    let board = host.text("proc/device-tree/model");
    let info = host.text("proc/cpuinfo");
    board.or_else(|| {
        let model =
            info?.lines().find_map(|line| line.strip_prefix("model name").map(str::to_owned))?;
        Some(model.trim_start_matches([' ', '\t', ':']).to_owned())
    })
}

/// `NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 …`
fn driver(host: &Host) -> Option<String> {
    let text = host.text("proc/driver/nvidia/version")?;
    let numeric =
        |word: &&str| word.contains('.') && word.split('.').all(|part| part.parse::<u32>().is_ok());
    text.lines().next()?.split_whitespace().find(numeric).map(str::to_owned)
}

fn listed_gpus(host: &Host) -> Vec<Gpu> {
    let model = |folder: &Path| {
        let text = host::text(&folder.join("information"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Model:").map(str::to_owned))?;
        Some(line.trim().to_owned())
    };
    let folders = host.list("proc/driver/nvidia/gpus");
    let models = folders.iter().filter_map(|folder| model(folder));
    (0..).zip(models).map(|(index, name)| Gpu { index, name }).collect()
}

/// `NV Power Mode: MAXN_SUPER` of `nvpmodel -q`, else the number that it keeps in its status file.
fn power_mode(host: &Host) -> Option<String> {
    let status = || host.text("var/lib/nvpmodel/status");
    let Some(program) = on_path("nvpmodel".as_ref()) else { return status() };
    let output = Command::new(program).arg("-q").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let named = text.lines().find_map(|line| line.split_once("Power Mode:"));
    named.map(|(_, mode)| mode.trim().to_owned()).or_else(status)
}

/// Governor and bounds of each group of cores. `jetson_clocks` shows as equal bounds.
fn cpu_clocks(host: &Host) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for policy in host.list("sys/devices/system/cpu/cpufreq") {
        let name = host::name(&policy);
        let read = |file: &str| host::text(&policy.join(file));
        for (key, file) in [
            ("governor", "scaling_governor"),
            ("min_khz", "scaling_min_freq"),
            ("max_khz", "scaling_max_freq"),
        ] {
            if let Some(value) = read(file) {
                found.insert(format!("cpu.{name}.{key}"), value);
            }
        }
    }
    found
}

/// The GPU and the memory controller of a Jetson.
fn devfreq_clocks(host: &Host) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for device in host.list("sys/class/devfreq") {
        let name = host::name(&device);
        for key in ["governor", "min_freq", "max_freq", "cur_freq"] {
            if let Some(value) = host::text(&device.join(key)) {
                found.insert(format!("devfreq.{name}.{key}"), value);
            }
        }
    }
    found
}
