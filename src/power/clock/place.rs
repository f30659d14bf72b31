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
    /// Whether something else can find the start of a log that does not state it.
    pub may_float: bool,
}

/// A log on the wall clock.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The rails; times are unix ns, or ns since the first reading when they float.
    pub rails: Vec<Rail>,
    /// How the times were found.
    pub method: String,
    /// What was added to the stamps.
    pub offset: Nanos,
    /// Standard uncertainty of the times.
    pub sigma: Nanos,
    /// The start is not known yet.
    pub floating: bool,
    /// Wall clock minus monotonic clock of the logger, where it wrote both.
    pub mono_shift_ns: Option<i64>,
    /// Doubts met on the way.
    pub findings: Vec<Finding>,
}

/// What the log says of its clock.
struct Stated {
    basis: Basis,
    quantum: Nanos,
    zone_s: Option<i64>,
    start: Option<UnixTime>,
}

/// Places a log that was read from `path`.
///
/// # Errors
/// [`PowerError::Log`] when a zone, a date, a start or a period is missing, or a local time does not
/// exist or comes twice.
pub fn place(path: &str, log: PowerLog, hints: &ClockHints) -> Result<Placed, PowerError> {
    let stated = Stated {
        basis: log.basis,
        quantum: log.quantum,
        zone_s: log.stated_zone_s,
        start: log.stated_start,
    };
    let mut placed = Placed {
        method: if log.format.is_in_trace() {
            "readings on the trace's own clock"
        } else {
            "unix stamps"
        }
        .to_owned(),
        offset: hints.offset.unwrap_or(Nanos::ZERO),
        sigma: own_sigma(&log),
        floating: false,
        mono_shift_ns: log.mono_shift_ns,
        rails: log.rails,
        findings: Vec::new(),
    };
    match stated.basis {
        Basis::Unix => {}
        Basis::Local | Basis::TimeOfDay => local(path, &mut placed, &stated, hints)?,
        Basis::Relative | Basis::Lines => since_start(path, &mut placed, &stated, hints)?,
    }
    shift(&mut placed.rails, placed.offset.as_ns());
    if hints.offset.is_some() {
        placed.method += ", offset given";
    }
    Ok(placed)
}

fn fail(path: &str, problem: &str, remedy: &str) -> PowerError {
    PowerError::Log {
        path: path.to_owned(),
        problem: problem.to_owned(),
        remedy: remedy.to_owned(),
    }
}

/// Local stamps through a zone; coarse ones are rebuilt.
fn local(
    path: &str,
    placed: &mut Placed,
    stated: &Stated,
    hints: &ClockHints,
) -> Result<(), PowerError> {
    if stated.basis == Basis::TimeOfDay {
        let date = hints.date_ns.ok_or_else(|| {
            let remedy = "Give the day of the first line: --log-date";
            fail(path, "times of day without a date", remedy)
        })?;
        shift(&mut placed.rails, date);
    }
    let (zone, how) = choose(hints, stated.zone_s).ok_or_else(|| {
        fail(
            path,
            "local times without a zone, and the trace does not say its own",
            "Give --log-tz (+02:00, Europe/Berlin)",
        )
    })?;
    placed.method = how;
    to_unix(&mut placed.rails, &zone).map_err(|problem| {
        fail(path, &problem, "Give --log-tz with a fixed offset, such as +02:00")
    })?;
    if stated.quantum.as_ns() >= SECOND {
        rebuild(placed, stated.quantum, hints.period);
    }
    Ok(())
}

/// Times that count from a start, or lines that carry no time at all.
fn since_start(
    path: &str,
    placed: &mut Placed,
    stated: &Stated,
    hints: &ClockHints,
) -> Result<(), PowerError> {
    if stated.basis == Basis::Lines {
        let period = hints.period.unwrap_or(Nanos::from_ns(SECOND));
        if hints.period.is_none() {
            placed.findings.push(assumed_period());
        }
        spread(&mut placed.rails, period);
        placed.sigma = Nanos::from_ns(SECOND / 2);
    }
    let above = stated.start.zip(stated.zone_s).map(|(start, zone)| {
        (UnixTime::from_unix_ns(start.as_unix_ns() - zone * SECOND), "date above the log")
    });
    match hints.start.map(|start| (start, "start given")).or(above) {
        Some((start, how)) => {
            how.clone_into(&mut placed.method);
            shift(&mut placed.rails, start.as_unix_ns());
        }
        None if hints.may_float => placed.floating = true,
        None => return Err(no_start(path)),
    }
    Ok(())
}

/// Nothing says when the log begins.
pub(super) fn no_start(path: &str) -> PowerError {
    fail(
        path,
        "the log has no wall-clock time",
        "Give the time of its first line (--log-start), or let the shapes of power and GPU work find it (--align \
         correlation; --align pulse where the run has sync pulses)",
    )
}

/// How far a stamp may be from its reading, as the research measured or states it.
fn own_sigma(log: &PowerLog) -> Nanos {
    Nanos::from_ns(match log.format {
        LogFormat::TraceMarks | LogFormat::TraceCounters => 100_000,
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
