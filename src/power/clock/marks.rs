//! What the program or its sampler wrote into the trace itself about clocks and power.
//!
//! `nsys-attrib clock real=<ns> mono=<ns>` gives both clocks at a mark: `real − (utcEpochNs + t)` is the
//! error of the anchor, and a jump between marks is a stepped wall clock; then only the monotonic clock
//! ties the log to the trace.
//! `power rail=VDD_IN mw=4824` is a reading on the trace's own clock: no alignment is needed.

use super::drift;
use crate::power::formats::LogFormat;
use crate::power::log::{Basis, Kind, PowerLog};
use crate::trace::Trace;
use crate::units::{Nanos, SessionClock, TraceTime};

/// A jump of more than this between two marks is a step of the wall clock.
const STEP_NS: i64 = 1_000_000;
/// Marks that are this far apart say something about drift, s.
const APART_S: f64 = 10.0;

/// Both clocks of the machine at one instant of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockMark {
    /// The instant on the trace's clock, as unix ns through `utcEpochNs`.
    pub at_ns: i64,
    /// The wall clock, unix ns.
    pub real_ns: i64,
    /// The monotonic clock, where the mark has it.
    pub mono_ns: Option<i64>,
}

/// What clock marks say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockMarks {
    /// Median error of the anchor.
    pub median_ns: i64,
    /// The largest jump between neighbours, when it is a step.
    pub step: Option<Nanos>,
}

/// Judges the errors of the anchor at the marks, in time order, in ns.
pub fn judge(errors: &[i64]) -> Option<ClockMarks> {
    let mut sorted = errors.to_vec();
    sorted.sort_unstable();
    let median_ns = *sorted.get(sorted.len().checked_sub(1)? / 2)?;
    let jump = errors.windows(2).map(|pair| pair[1] - pair[0]).max_by_key(|jump| jump.abs());
    Some(ClockMarks {
        median_ns,
        step: jump.filter(|jump| jump.abs() > STEP_NS).map(Nanos::from_ns),
    })
}

/// The wall clock against the trace's clock over the marks; `None` without marks.
pub fn judged(marks: &[ClockMark]) -> Option<ClockMarks> {
    judge(&marks.iter().map(|mark| mark.real_ns - mark.at_ns).collect::<Vec<i64>>())
}

/// Drift of the wall clock against the trace's, ppm; `None` for marks within a few seconds.
pub fn drift_ppm(marks: &[ClockMark]) -> Option<f64> {
    let first = marks.first()?;
    let anchors: Vec<(f64, f64)> = marks
        .iter()
        .map(|mark| {
            let error = mark.real_ns - mark.at_ns;
            ((mark.at_ns - first.at_ns) as f64 / 1e9, error as f64 / 1e9)
        })
        .collect();
    let apart = anchors.last().is_some_and(|anchor| anchor.0 >= APART_S);
    if apart { drift::ppm(&anchors) } else { None }
}

/// The trace's clock minus the monotonic clock, ns: the median over marks that have it.
pub fn mono_shift(marks: &[ClockMark]) -> Option<i64> {
    let mut shifts: Vec<i64> =
        marks.iter().filter_map(|mark| Some(mark.at_ns - mark.mono_ns?)).collect();
    shifts.sort_unstable();
    shifts.get(shifts.len().checked_sub(1)? / 2).copied()
}

/// The value of `name=` in a mark's text.
fn value<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

/// The clock marks of a trace, in time order.
pub fn clock_marks(trace: &Trace) -> Vec<ClockMark> {
    let Some(session) = trace.about.session else { return Vec::new() };
    texts(trace)
        .filter(|(_, text)| text.starts_with("nsys-attrib clock "))
        .filter_map(|(at, text)| {
            Some(ClockMark {
                at_ns: session.to_unix(at).as_unix_ns(),
                real_ns: value(text, "real")?.parse().ok()?,
                mono_ns: value(text, "mono").and_then(|mono| mono.parse().ok()),
            })
        })
        .collect()
}

/// Power readings that the sampler put into the trace; `None` when there are none.
pub fn power_marks(trace: &Trace) -> Option<PowerLog> {
    let session = trace.about.session?;
    let mut log = PowerLog::new(LogFormat::TraceMarks, Basis::Unix, Nanos::from_ns(1));
    for (at, text) in texts(trace).filter(|(_, text)| text.starts_with("power ")) {
        let (Some(rail), Some(mw)) = (value(text, "rail"), value(text, "mw")) else { continue };
        let watts = mw.parse::<f64>().ok().filter(|mw| mw.is_finite()).map(|mw| mw / 1e3);
        log.sensor = log.sensor.or_else(|| value(text, "source").map(str::to_owned));
        log.push(rail, Kind::Instant, SessionClock::to_unix(session, at).as_unix_ns(), watts);
    }
    (!log.rails.is_empty()).then_some(log)
}

/// Every mark with its time, in time order.
fn texts(trace: &Trace) -> impl Iterator<Item = (TraceTime, &str)> {
    trace.ranges.marks().iter().map(|mark| (mark.at, mark.text.as_str()))
}
