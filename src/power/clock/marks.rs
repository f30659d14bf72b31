//! What the program or its sampler wrote into the trace itself.
//!
//! `nsys-attrib clock real=<ns> mono=<ns>` gives the wall clock at a mark: `real − (utcEpochNs + t)` is
//! the error of the anchor, and a jump between marks is a stepped wall clock.
//! `power rail=VDD_IN mw=4824` is a reading on the trace's own clock: no alignment is needed.

use crate::power::formats::LogFormat;
use crate::power::log::{Basis, Kind, PowerLog};
use crate::trace::Trace;
use crate::units::{Nanos, SessionClock, TraceTime};

/// A jump of more than this between two marks is a step of the wall clock.
const STEP_NS: i64 = 1_000_000;

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

/// The value of `name=` in a mark's text.
fn value<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

/// Errors of the anchor at the clock marks of a trace.
pub fn clock_marks(trace: &Trace) -> Option<ClockMarks> {
    let session = trace.about.session?;
    let errors: Vec<i64> = texts(trace)
        .filter(|(_, text)| text.starts_with("nsys-attrib clock "))
        .filter_map(|(at, text)| {
            let real: i64 = value(text, "real")?.parse().ok()?;
            Some(real - session.to_unix(at).as_unix_ns())
        })
        .collect();
    judge(&errors)
}

/// Power readings that the sampler put into the trace; `None` when there are none.
pub fn power_marks(trace: &Trace) -> Option<PowerLog> {
    let session = trace.about.session?;
    let mut log = PowerLog::new(LogFormat::TraceMarks, Basis::Unix, Nanos::from_ns(1));
    for (at, text) in texts(trace).filter(|(_, text)| text.starts_with("power ")) {
        let (Some(rail), Some(mw)) = (value(text, "rail"), value(text, "mw")) else { continue };
        let watts = mw.parse::<f64>().ok().map(|mw| mw / 1e3);
        log.push(rail, Kind::Instant, SessionClock::to_unix(session, at).as_unix_ns(), watts);
    }
    (!log.rails.is_empty()).then_some(log)
}

/// Every mark with its time, in time order.
fn texts(trace: &Trace) -> impl Iterator<Item = (TraceTime, &str)> {
    trace.ranges.marks().iter().map(|mark| (mark.at, mark.text.as_str()))
}
