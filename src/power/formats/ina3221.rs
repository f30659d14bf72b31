//! The files of INA3221 sensors below `/sys/bus/i2c/drivers/ina3221*`, read or recorded.
//!
//! | | JetPack 4 (`ina3221x`) | JetPack 5+, mainline (`ina3221`) |
//! |---|---|---|
//! | label | `rail_name_<0..2>` | `in<1..3>_label` |
//! | voltage mV, current mA | `in_voltage<n>_input`, `in_current<n>_input` | `in<n>_input`, `curr<n>_input` |
//! | power mW | `in_power<n>_input` | none: mV × mA / 1000 |
//!
//! `in7`, `curr4` (sums of shunts), `in4`..`in6` (shunt voltages) and rails labelled `NC` are no rails.
//! Devices are found by their `name`, never by a hwmon number, which changes between boots.

use std::collections::BTreeMap;

use super::{LogFormat, recording};
use crate::power::error::{PowerError, Source};
use crate::power::log::{Basis, Kind, PowerLog};
use crate::units::{Milliwatts, Nanos};

/// A recording holds files of a chip: `1-0040/hwmon/…`, `6-0040/iio:device0/…`.
pub(super) fn is_mine(head: &str) -> bool {
    recording::holds(head, "ina3221")
        || recording::holds(head, "-0040/hwmon/")
        || recording::holds(head, "-0040/iio:device")
}

/// Reads a recording.
pub(super) fn read(source: Source<'_>) -> Result<PowerLog, PowerError> {
    let mut log = PowerLog::new(LogFormat::Ina3221, Basis::Lines, Nanos::from_ns(1));
    (log.basis, log.skipped_lines) = recording::blocks(source, |block| {
        for rail in rails(block.tree) {
            let fresh = block.fresh.iter().any(|path| rail.reads(path));
            let watts = rail.power.filter(|_| fresh).map(Milliwatts::as_watts);
            log.push(&rail.name, Kind::Instant, block.at_ns, watts);
        }
    })?;
    Ok(log)
}

/// One rail of one reading.
#[derive(Clone, Debug, PartialEq)]
pub struct SysfsRail {
    /// Bus and address of the chip, `1-0040`.
    pub chip: String,
    /// The label.
    pub name: String,
    /// Power; `None` when the channel is disabled or cannot be read.
    pub power: Option<Milliwatts>,
    /// Whether the current was negative: the sensor sees both directions.
    pub negative: bool,
    /// The file that a reading cannot do without: the power, else the current.
    input: String,
}

impl SysfsRail {
    /// Whether this is the file that tells a new reading from an old one.
    fn reads(&self, path: &str) -> bool {
        path == self.input
    }
}

/// How long one cycle over three channels takes, and which part of it one channel integrates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cycle {
    /// All conversions and averages of all channels.
    pub length: Nanos,
    /// Time in which one channel's current is converted, over the cycle.
    pub duty: f64,
}

/// The cycle for three channels at the chip's default of 1100 us per conversion and `samples` averages.
pub fn cycle(samples: u32) -> Cycle {
    let conversion = 1_100_000 * i64::from(samples.max(1));
    Cycle { length: Nanos::from_ns(3 * 2 * conversion), duty: 1.0 / 6.0 }
}

/// `4984`, or `32760 ma`: the number in front.
fn number(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
}

/// The rails of a tree: paths (`1-0040/hwmon/hwmon3/in1_label`) with the text of each file. A file that
/// could not be read is not in the map.
pub fn rails(tree: &BTreeMap<String, String>) -> Vec<SysfsRail> {
    let mut found = Vec::new();
    for (path, text) in tree {
        let Some((folder, file)) = path.rsplit_once('/') else { continue };
        let of = |name: String| tree.get(&format!("{folder}/{name}")).map(|text| text.trim());
        let label = text.trim();
        let channel = |prefix: &str, suffix: &str| -> Option<u32> {
            file.strip_prefix(prefix)?.strip_suffix(suffix)?.parse().ok()
        };
        let (volts, amperes, direct, enabled, input) = if let Some(n) = channel("in", "_label") {
            if !(1..=3).contains(&n) {
                continue;
            }
            (
                of(format!("in{n}_input")),
                of(format!("curr{n}_input")),
                None,
                of(format!("in{n}_enable")),
                format!("{folder}/curr{n}_input"),
            )
        } else if let Some(n) = channel("rail_name_", "") {
            (
                of(format!("in_voltage{n}_input")),
                of(format!("in_current{n}_input")),
                of(format!("in_power{n}_input")),
                None,
                format!("{folder}/in_power{n}_input"),
            )
        } else {
            continue;
        };
        if label == "NC" {
            continue;
        }
        let current = amperes.and_then(number);
        let product = volts.and_then(number).zip(current).map(|(mv, ma)| mv * ma / 1e3);
        let power = direct.and_then(number).or(product).filter(|_| enabled != Some("0"));
        found.push(SysfsRail {
            chip: path.split('/').find(|part| is_chip(part)).unwrap_or("").to_owned(),
            name: label.to_owned(),
            power: power.map(Milliwatts::from_mw),
            negative: current.is_some_and(|current| current < 0.0),
            input,
        });
    }
    found
}

/// `1-0040`.
fn is_chip(part: &str) -> bool {
    part.split_once('-').is_some_and(|(bus, address)| {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
        digits(bus) && digits(address) && address.len() == 4
    })
}
