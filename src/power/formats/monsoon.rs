//! Monsoon PowerTool csv: `Time (s),Main Avg Power (mW),…`, seconds since the start of the recording.
//!
//! The meter has a clock of its own: the log needs a start, a sync pulse or a correlation to be placed.

use super::{LogFormat, reading};
use crate::power::error::{PowerError, Source};
use crate::power::log::{Basis, Kind, PowerLog};
use crate::power::stamp::decimal_ns;
use crate::units::Nanos;

const POWER: &str = "Main Avg Power (mW)";

pub(super) fn is_mine(head: &str) -> bool {
    head.lines().next().is_some_and(|line| line.starts_with("Time (s),Main"))
}

pub(super) fn read(source: Source<'_>) -> Result<PowerLog, PowerError> {
    let mut log = PowerLog::new(LogFormat::Monsoon, Basis::Relative, Nanos::from_ns(1_000));
    let mut lines = source.text.lines().enumerate();
    let header: Vec<&str> =
        lines.next().map_or("", |(_, line)| line).split(',').map(str::trim).collect();
    let Some(power) = header.iter().position(|name| *name == POWER) else {
        return Err(source.line(1, format!("no column {POWER}"), "Export it from PowerTool too"));
    };
    for (at, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let row: Vec<&str> = line.split(',').collect();
        let found = row.first().and_then(|text| decimal_ns(text, 9)).zip(row.get(power));
        let Some((at_ns, cell)) = found else {
            return Err(source.line(
                at + 1,
                "not a row of PowerTool",
                "The row is torn; delete it",
            ));
        };
        log.push("Main", Kind::Instant, at_ns, reading(cell).map(|mw| mw / 1e3));
    }
    Ok(log)
}
