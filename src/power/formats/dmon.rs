//! `nvidia-smi dmon`: blank-separated rows under a pair of header lines that repeats.
//!
//! ```text
//! #Date       Time        gpu   pwr  gtemp
//! #YYYYMMDD   HH:MM:SS    Idx     W      C
//!  20250519   07:29:01      0    61     48
//! ```
//! Columns by the header, since `-s` moves them; `-` is not available. Watts are whole: ±0.5 W, which is
//! said. Without `-o` there is no time at all; with `-o T` there is no date.

use std::collections::BTreeMap;

use super::{LogFormat, reading};
use crate::finding::{Finding, Severity};
use crate::power::error::{PowerError, Source};
use crate::power::log::{Basis, Kind, PowerLog};
use crate::power::stamp::{SECOND, civil_ns, clock_ns};
use crate::units::Nanos;

fn header(line: &str) -> Option<Vec<String>> {
    let names: Vec<String> =
        line.trim().strip_prefix('#')?.split_whitespace().map(str::to_ascii_lowercase).collect();
    names.iter().any(|name| name == "gpu").then_some(names)
}

/// A header line whose first names are gpu, or date and time before it.
pub(super) fn is_mine(head: &str) -> bool {
    head.lines().take(50).any(|line| header(line).is_some())
}

/// What has been met so far: the columns, and what times count from.
#[derive(Default)]
struct State {
    names: Vec<String>,
    days: i64,
    last_clock: Option<i64>,
    ticks: BTreeMap<String, i64>,
}

pub(super) fn read(source: Source<'_>) -> Result<PowerLog, PowerError> {
    let mut log = PowerLog::new(LogFormat::Dmon, Basis::Lines, Nanos::from_ns(SECOND));
    let mut state = State::default();
    for (number, line) in source.text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            log.skipped_lines += 1;
            if let Some(found) = header(line) {
                if !found.iter().any(|name| name == "pwr") {
                    return Err(source.line(
                        number,
                        "no power in this log: its header has no column pwr",
                        "Use `nvidia-smi dmon -s p`",
                    ));
                }
                state.names = found;
            }
        } else {
            row(source, number, line, &mut state, &mut log)?;
        }
    }
    log.findings.push(Finding::new(
        "power-in-whole-watts",
        Severity::Warning,
        "nvidia-smi dmon writes whole watts: ±0.5 W on every reading, too coarse for small dynamic energies",
        "log with nvidia-smi --query-gpu=timestamp,uuid,power.draw.instant --format=csv -lm 100",
    ));
    Ok(log)
}

fn row(
    source: Source<'_>,
    number: usize,
    line: &str,
    state: &mut State,
    log: &mut PowerLog,
) -> Result<(), PowerError> {
    let row: Vec<&str> = line.split_whitespace().collect();
    let at = |name: &str| state.names.iter().position(|known| known == name);
    let (Some(gpu), Some(power)) = (at("gpu"), at("pwr")) else {
        return Err(source.line(
            number,
            "a row before any header",
            "Keep the lines with # gpu pwr",
        ));
    };
    let (Some(gpu), Some(power)) = (row.get(gpu), row.get(power)) else {
        return Err(source.line(
            number,
            format!("{} cells where the header has {}", row.len(), state.names.len()),
            "The row is torn; delete it if the log is otherwise whole",
        ));
    };
    let clock = at("time").and_then(|at| clock_ns(row.get(at)?));
    let date = at("date").and_then(|at| date_of(row.get(at)?));
    let at_ns = state.time_of(gpu, date, clock, log);
    log.push(&format!("gpu{gpu}"), Kind::Instant, at_ns, reading(power));
    Ok(())
}

impl State {
    fn time_of(
        &mut self,
        gpu: &str,
        date: Option<i64>,
        clock: Option<i64>,
        log: &mut PowerLog,
    ) -> i64 {
        match (date, clock) {
            (Some(date), Some(clock)) => {
                log.basis = Basis::Local;
                date + clock
            }
            (None, Some(clock)) => {
                log.basis = Basis::TimeOfDay;
                // Midnight: the clock falls by nearly a day.
                if self.last_clock.is_some_and(|last| last - clock > 43_200 * SECOND) {
                    self.days += 1;
                }
                self.last_clock = Some(clock);
                self.days * 86_400 * SECOND + clock
            }
            _ => {
                let tick = self.ticks.entry(gpu.to_owned()).or_insert(0);
                *tick += 1;
                (*tick - 1) * SECOND
            }
        }
    }
}

/// `20250519`, to ns since 1970.
fn date_of(text: &str) -> Option<i64> {
    if text.len() != 8 || !text.is_ascii() {
        return None;
    }
    civil_ns(&format!("{}-{}-{} 00:00:00", &text[..4], &text[4..6], &text[6..]))
}
