//! Our own sampler's file, `nsys-attrib-power/1`: readings with both clocks and their own duration.
//!
//! ```text
//! # schema=nsys-attrib-power/1
//! # clock0 mono_ns=… real_ns=… boot_ns=…        # tz_offset_s=7200
//! mono_ns,real_ns,dur_ns,rail,mv,ma,mw,energy_uj
//! ```
//! `mono_ns` is the middle of the read, `real_ns` is taken at its end: a reading counts at
//! `real_ns − dur_ns / 2`. When the wall clock stepped (real − mono jumps by more than 1 ms), times
//! follow the monotonic clock from the first reading on.

use super::{LogFormat, rapl, reading};
use crate::finding::{Finding, Severity};
use crate::power::error::{PowerError, Source};
use crate::power::log::{Basis, Kind, PowerLog};
use crate::units::Nanos;

const STEP_NS: i64 = 1_000_000;
const HEADER: [&str; 8] = ["mono_ns", "real_ns", "dur_ns", "rail", "mv", "ma", "mw", "energy_uj"];

/// The first line names the schema, or the header is ours.
pub(super) fn is_mine(head: &str) -> bool {
    let first = head.lines().next().unwrap_or("");
    first.contains("schema=nsys-attrib-power") || first.starts_with("mono_ns,real_ns,dur_ns,rail")
}

/// Running state while the rows are read.
#[derive(Default)]
struct State {
    first_shift: Option<i64>,
    stepped: Option<i64>,
    range_uj: Option<u64>,
    /// The readings are means over so long (NVML without its field of the moment).
    trailing: Option<Nanos>,
    counters: std::collections::BTreeMap<String, (i64, u64, u64)>,
}

pub(super) fn read(source: Source<'_>) -> Result<PowerLog, PowerError> {
    let mut log = PowerLog::new(LogFormat::Own, Basis::Unix, Nanos::from_ns(1));
    let mut state = State::default();
    for (number, line) in source.text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        if let Some(comment) = line.strip_prefix('#') {
            comment_line(comment, &mut log, &mut state);
            log.skipped_lines += 1;
        } else if line.is_empty() || line.starts_with(HEADER[0]) {
            log.skipped_lines += 1;
        } else if row(line, &mut log, &mut state).is_none() {
            if source.text.lines().count() == number {
                log.findings.push(super::torn_end(number));
                break;
            }
            return Err(source.line(
                number,
                format!("`{line}` is no row of {}", HEADER.join(",")),
                "The row is torn; delete it if the log is otherwise whole",
            ));
        }
    }
    log.mono_shift_ns = state.first_shift;
    if let Some(step) = state.stepped {
        log.findings.push(
            Finding::new(
                "wall-clock-stepped",
                Severity::Warning,
                format!(
                    "the wall clock stepped by {} during the log; times follow the monotonic clock",
                    Nanos::from_ns(step)
                ),
                "nothing for energies; keep NTP from stepping during a run",
            )
            .with("step_ns", step),
        );
    }
    Ok(log)
}

fn comment_line(comment: &str, log: &mut PowerLog, state: &mut State) {
    let value = |name: &str| -> Option<i64> {
        comment
            .split_whitespace()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
    };
    if let (Some(mono), Some(real)) = (value("mono_ns"), value("real_ns")) {
        log.clock_pairs.push((mono, real));
    }
    let mut words = comment.split_whitespace();
    if let Some(sensor) = words.find_map(|word| word.strip_prefix("source=")) {
        log.sensor = Some(sensor.to_owned());
    }
    log.stated_zone_s = log.stated_zone_s.or(value("tz_offset_s"));
    state.trailing = state.trailing.or(value("trailing_avg_ns").map(Nanos::from_ns));
    state.range_uj =
        state.range_uj.or(value("max_energy_range_uj").and_then(|range| range.try_into().ok()));
}

fn row(line: &str, log: &mut PowerLog, state: &mut State) -> Option<()> {
    let mut cells = line.split(',');
    let mut next = || cells.next();
    let (mono, real): (i64, i64) = (next()?.parse().ok()?, next()?.parse().ok()?);
    let duration: i64 = next()?.parse().ok()?;
    let name = next()?;
    let (mv, ma) = (reading(next()?), reading(next()?));
    let (mw, energy) = (reading(next()?), next()?);
    let middle = real - duration / 2;
    let shift = middle - mono;
    let first = *state.first_shift.get_or_insert(shift);
    if (shift - first).abs() > STEP_NS {
        state.stepped.get_or_insert(shift - first);
    }
    let at_ns = if state.stepped.is_some() { mono + first } else { middle };
    if let Ok(counter) = energy.trim().parse::<u64>() {
        let joules = unwrapped(state, name, at_ns, counter);
        log.push(&format!("{name}:energy"), Kind::Cumulative, at_ns, joules);
        if mw.is_none() && mv.is_none() {
            return Some(());
        }
    }
    let watts = mw.map(|mw| mw / 1e3).or(mv.zip(ma).map(|(mv, ma)| mv * ma / 1e6));
    let kind = match state.trailing {
        Some(window) => Kind::TrailingAvg { window: Some(window) },
        None => Kind::Instant,
    };
    log.push(name, kind, at_ns, watts);
    Some(())
}

/// The counter without its wraps, in J since its first reading; `None` when a wrap may be lost.
fn unwrapped(state: &mut State, name: &str, at_ns: i64, counter: u64) -> Option<f64> {
    let range = state.range_uj.unwrap_or(u64::MAX / 2);
    let last = state.counters.entry(name.to_owned()).or_insert((at_ns, counter, 0));
    let apart = Nanos::from_ns(at_ns - last.0);
    let step = rapl::difference_uj(last.1, counter, range, apart)?;
    *last = (at_ns, counter, last.2 + step);
    Some(last.2 as f64 / 1e6)
}
