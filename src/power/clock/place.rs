//! Puts the readings of a log on the wall clock, or says what is missing for that.

use super::stamps::{self, Rebuilt};
use super::zone::{self, Zone};
use crate::finding::{Finding, Severity};
use crate::power::describe::period_ns;
use crate::power::error::PowerError;
use crate::power::formats::LogFormat;
use crate::power::log::{Basis, PowerLog, Rail};
use crate::units::{Nanos, UnixTime};

const SECOND: i64 = 1_000_000_000;

/// What is known about the clock of a log besides the log.
#[derive(Clone, Debug, Default)]
pub struct ClockHints {
    /// Zone of local stamps (`--log-tz`).
    pub zone: Option<Zone>,
    /// Local minus UTC of the machine that was traced, in s.
    pub trace_zone_s: Option<i64>,
    /// Time of the first reading of a log without times.
    pub start: Option<UnixTime>,
    /// Local midnight of the first line, in ns since 1970 as if it were UTC.
    pub date_ns: Option<i64>,
    /// Interval of the logger.
    pub period: Option<Nanos>,
    /// Known error of the log's clock, added to every time.
    pub offset: Option<Nanos>,
}

/// A log on the wall clock.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The rails; times are unix ns.
    pub rails: Vec<Rail>,
    /// How the times were found.
    pub method: String,
    /// What was added to the stamps.
    pub offset: Nanos,
    /// Standard uncertainty of the times.
    pub sigma: Nanos,
    /// Doubts met on the way.
    pub findings: Vec<Finding>,
}

/// Places a log that was read from `path`.
///
/// # Errors
/// [`PowerError::Log`] when a zone, a date, a start or a period is missing, or a local time does not
/// exist or comes twice.
pub fn place(path: &str, log: PowerLog, hints: &ClockHints) -> Result<Placed, PowerError> {
    let fail = |problem: &str, remedy: &str| PowerError::Log {
        path: path.to_owned(),
        problem: problem.to_owned(),
        remedy: remedy.to_owned(),
    };
    let mut placed = Placed {
        rails: Vec::new(),
        method: String::new(),
        offset: hints.offset.unwrap_or(Nanos::ZERO),
        sigma: own_sigma(&log),
        findings: log.findings.clone(),
    };
    let (basis, quantum) = (log.basis, log.quantum);
    let stated_start = match (log.stated_start, log.stated_zone_s) {
        (Some(start), Some(zone)) => {
            Some(UnixTime::from_unix_ns(start.as_unix_ns() - zone * SECOND))
        }
        _ => None,
    };
    let stated_zone = log.stated_zone_s;
    placed.rails = log.rails;
    match basis {
        Basis::Unix => "unix stamps".clone_into(&mut placed.method),
        Basis::Local | Basis::TimeOfDay => {
            if basis == Basis::TimeOfDay {
                let date = hints.date_ns.ok_or_else(|| {
                    fail(
                        "times of day without a date",
                        "Give the day of the first line: --log-date",
                    )
                })?;
                shift(&mut placed.rails, date);
            }
            let (zone, how) = choose(hints, stated_zone).ok_or_else(|| {
                fail(
                    "local times without a zone, and the trace does not say its own",
                    "Give --log-tz (+02:00, Europe/Berlin)",
                )
            })?;
            placed.method = how;
            to_unix(&mut placed.rails, &zone).map_err(|problem| {
                fail(&problem, "Give --log-tz with a fixed offset, such as +02:00")
            })?;
            if quantum.as_ns() >= SECOND {
                rebuild(&mut placed, quantum, hints.period);
            }
        }
        Basis::Relative | Basis::Lines => {
            let start = hints.start.or(stated_start).ok_or_else(|| {
                fail(
                    "the log has no wall-clock time",
                    "Give the time of its first line: --log-start",
                )
            })?;
            let given = hints.start.is_some();
            placed.method = if given { "start given" } else { "date above the log" }.to_owned();
            if basis == Basis::Lines {
                let period = hints.period.unwrap_or(Nanos::from_ns(SECOND));
                if hints.period.is_none() {
                    placed.findings.push(assumed_period());
                }
                spread(&mut placed.rails, period);
                placed.sigma = Nanos::from_ns(SECOND / 2);
            }
            shift(&mut placed.rails, start.as_unix_ns());
        }
    }
    shift(&mut placed.rails, placed.offset.as_ns());
    if hints.offset.is_some() {
        placed.method += ", offset given";
    }
    Ok(placed)
}

/// How far a stamp may be from its reading, as the research measured or states it.
fn own_sigma(log: &PowerLog) -> Nanos {
    Nanos::from_ns(match log.format {
        LogFormat::TraceMarks => 100_000,
        LogFormat::Own => 1_000_000,
        // The stamp is taken when the query runs; the query takes 10 to 60 ms.
        LogFormat::NvidiaSmi | LogFormat::Dmon => 30_000_000,
        _ => 5_000_000.max(log.quantum.as_ns() / 2),
    })
}

fn choose(hints: &ClockHints, stated: Option<i64>) -> Option<(Zone, String)> {
    if let Some(zone) = &hints.zone {
        return Some((zone.clone(), "local stamps, zone given".to_owned()));
    }
    let (seconds, whose) = match (stated, hints.trace_zone_s.and_then(zone::of_difference)) {
        (Some(seconds), _) => (seconds, "log"),
        (None, Some(seconds)) => (seconds, "trace"),
        (None, None) => return None,
    };
    let how = format!("local stamps, zone {} of the {whose}", zone::offset_text(seconds));
    Some((Zone::fixed(seconds)?, how))
}

fn shift(rails: &mut [Rail], by: i64) {
    for sample in rails.iter_mut().flat_map(|rail| &mut rail.samples) {
        sample.at_ns += by;
    }
}

fn to_unix(rails: &mut [Rail], zone: &Zone) -> Result<(), String> {
    for sample in rails.iter_mut().flat_map(|rail| &mut rail.samples) {
        sample.at_ns = zone.to_unix_ns(sample.at_ns)?;
    }
    Ok(())
}

/// Lines were counted one second apart.
fn spread(rails: &mut [Rail], period: Nanos) {
    for sample in rails.iter_mut().flat_map(|rail| &mut rail.samples) {
        sample.at_ns = sample.at_ns / SECOND * period.as_ns();
    }
}

/// Whole-second stamps become times; where no regular period explains them, the middle of the second.
fn rebuild(placed: &mut Placed, quantum: Nanos, period: Option<Nanos>) {
    let mut unexplained = false;
    for rail in &mut placed.rails {
        let times: Vec<i64> = rail.samples.iter().map(|sample| sample.at_ns).collect();
        match rebuilt(&times, quantum, period) {
            Some(found) => {
                placed.sigma = found.half_width;
                for (i, sample) in rail.samples.iter_mut().enumerate() {
                    sample.at_ns = (found.start_ns + i as f64 * found.period_ns).round() as i64;
                }
            }
            None => {
                unexplained = true;
                placed.sigma = Nanos::from_ns(quantum.as_ns() / 2);
                for sample in &mut rail.samples {
                    sample.at_ns += quantum.as_ns() / 2;
                }
            }
        }
    }
    if unexplained {
        placed.findings.push(
            Finding::new(
                "coarse-stamps",
                Severity::Warning,
                format!(
                    "stamps have a resolution of {quantum:.0} and no regular period explains them (readings were \
                     dropped, or the period varies); each reading is put in the middle"
                ),
                "log with finer stamps, or say the interval with --log-period",
            )
            .with("resolution_ns", quantum),
        );
    }
}

fn rebuilt(times: &[i64], quantum: Nanos, period: Option<Nanos>) -> Option<Rebuilt> {
    let (first, last) = (*times.first()?, *times.last()?);
    let readings = i64::try_from(times.len()).ok()?;
    let mean = (last - first).checked_div(readings - 1)?;
    // One reading a second and fewer: the median step is the period that was asked for.
    let nominal = period.map_or_else(
        || if mean >= quantum.as_ns() { period_ns(times).unwrap_or(mean) } else { mean },
        Nanos::as_ns,
    );
    let nominal = Nanos::from_ns(nominal);
    stamps::at_period(times, quantum, nominal).or_else(|| stamps::fitted(times, quantum, nominal))
}

fn assumed_period() -> Finding {
    Finding::new(
        "log-period-assumed",
        Severity::Warning,
        "the lines carry no time; one line a second is assumed, the default of tegrastats and dmon",
        "give the interval that the logger ran with: --log-period 100ms",
    )
}
