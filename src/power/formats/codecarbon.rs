//! CodeCarbon's `emissions.csv`: one row per run, energies in kWh, stamped at the end of the run.
//!
//! Not usable per window. `gpu_energy` is 0 on Jetson, where CodeCarbon sees no GPU, and CPU power is a
//! constant estimate there: both are said, neither is used. Columns grew over versions: by name only.

use super::{LogFormat, reading};
use crate::finding::{Finding, Severity};
use crate::power::error::{PowerError, Source};
use crate::power::log::{Basis, LoggedWindow, PowerLog};
use crate::power::stamp::{SECOND, civil_ns, decimal_ns};
use crate::units::Nanos;

const JOULES_PER_KWH: f64 = 3.6e6;

pub(super) fn is_mine(head: &str) -> bool {
    head.lines().next().is_some_and(|line| line.starts_with("timestamp,project_name,run_id"))
}

/// Devices and the columns of their energies, in kWh.
const ENERGIES: [(&str, &str); 4] = [
    ("gpu", "gpu_energy"),
    ("cpu", "cpu_energy"),
    ("ram", "ram_energy"),
    ("total", "energy_consumed"),
];

pub(super) fn read(source: Source<'_>) -> Result<PowerLog, PowerError> {
    let mut log = PowerLog::new(LogFormat::CodeCarbon, Basis::Local, Nanos::from_ns(SECOND));
    let mut reader = csv::Reader::from_reader(source.text.as_bytes());
    let names = reader.headers().cloned().unwrap_or_default();
    for row in reader.records() {
        let row = row.map_err(|error| source.log(error.to_string(), "The csv is damaged"))?;
        let line = row.position().map_or(0, |at| at.line() as usize);
        let cell =
            |name: &str| names.iter().position(|known| known == name).and_then(|at| row.get(at));
        let window = window(&cell).ok_or_else(|| {
            source.line(line, "no timestamp or duration", "The row is torn; delete it")
        })?;
        log.windows.push(window);
    }
    if log.windows.iter().any(|window| window.energy_j[0].1.is_none()) {
        log.findings.push(Finding::new(
            "codecarbon-sees-no-gpu",
            Severity::DataLoss,
            "gpu_energy is 0 in a row: CodeCarbon does not see this GPU (as on Jetson), and its CPU power is \
             an estimate, not a reading",
            "log the board's sensor: tegrastats, jtop, or this program's own sampler",
        ));
    }
    log.findings.push(Finding::new(
        "one-row-per-run",
        Severity::Info,
        "CodeCarbon writes one sum per run; nothing can be said per window",
        "log power over time",
    ));
    Ok(log)
}

/// One row: a whole run.
fn window<'r>(cell: &impl Fn(&str) -> Option<&'r str>) -> Option<LoggedWindow> {
    let end = cell("timestamp").and_then(civil_ns)?;
    let length = cell("duration").and_then(|text| decimal_ns(text, 9))?;
    let joules = |column| cell(column).and_then(reading).map(|kwh| kwh * JOULES_PER_KWH);
    let energy_j = ENERGIES
        .iter()
        .map(|(name, column)| ((*name).to_owned(), joules(column).filter(|joules| *joules > 0.0)))
        .collect();
    Some(LoggedWindow {
        name: cell("project_name").unwrap_or("run").to_owned(),
        start_ns: end - length,
        length: Nanos::from_ns(length),
        energy_j,
    })
}
