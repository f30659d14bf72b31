//! Zeus' `ZeusMonitor(log_file=…)`: one row per window, already integrated.
//!
//! `start_time` is unix seconds, `elapsed_time` seconds, `gpu<i>_energy` joules. Zeus itself warns that
//! 0.0 J means that the window was shorter than the counter's period: such an energy is missing here.

use super::{LogFormat, reading};
use crate::finding::{Finding, Severity};
use crate::power::error::{PowerError, Source};
use crate::power::log::{Basis, LoggedWindow, PowerLog};
use crate::power::stamp::{SECOND, decimal_ns};
use crate::units::Nanos;

const START: &str = "start_time,window_name,elapsed_time";

pub(super) fn is_mine(head: &str) -> bool {
    head.lines().next().is_some_and(|line| line.trim_start().starts_with(START))
}

pub(super) fn read(source: Source<'_>) -> Result<PowerLog, PowerError> {
    let mut log = PowerLog::new(LogFormat::Zeus, Basis::Unix, Nanos::from_ns(SECOND / 1_000_000));
    let mut lines = source.text.lines().enumerate();
    let header: Vec<&str> = lines.next().map_or("", |(_, line)| line).split(',').collect();
    let mut short = 0_usize;
    for (at, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let row: Vec<&str> = line.split(',').map(str::trim).collect();
        let times = row.first().zip(row.get(2)).and_then(|(start, length)| {
            Some((decimal_ns(start, 9)?, Nanos::from_ns(decimal_ns(length, 9)?)))
        });
        let Some((start_ns, length)) = times.filter(|_| row.len() == header.len()) else {
            return Err(source.line(
                at + 1,
                "not a row of Zeus' monitor",
                "The row is torn; delete it",
            ));
        };
        let mut energy_j = Vec::new();
        for (name, cell) in header.iter().zip(&row).skip(3) {
            if let Some(device) = name.trim().strip_suffix("_energy") {
                let joules = reading(cell).filter(|joules| *joules > 0.0);
                short += usize::from(joules.is_none());
                energy_j.push((device.to_owned(), joules));
            }
        }
        log.windows.push(LoggedWindow { name: row[1].to_owned(), start_ns, length, energy_j });
    }
    if short > 0 {
        log.findings.push(
            Finding::new(
                "window-shorter-than-counter",
                Severity::DataLoss,
                format!(
                    "{short} energies are 0 J: those windows are shorter than the counter's period"
                ),
                "measure many inferences in one Zeus window and divide",
            )
            .with("energies", short),
        );
    }
    Ok(log)
}
