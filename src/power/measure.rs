//! From a log and what was done to an energy: placed, aligned, checked for overlap, estimated.
//!
//! This is the whole path of one log, for every caller: the doubts about the log, its clock and the run
//! come back beside the energy, as data.

use super::clock::align::{self, AlignBy, Aligned};
use super::clock::overlap;
use super::clock::place::{self, ClockHints};
use super::describe;
use super::energy::{Question, energy};
use super::error::PowerError;
use super::estimate::Estimator;
use super::idle::IdleFrom;
use super::log::{PowerLog, Sensor};
use super::series::Series;
use super::work::Work;
use crate::attribution::energy_document::Energy;
use crate::finding::{Finding, Severity};

/// What the user decides.
#[derive(Clone, Debug)]
pub struct How {
    /// The rail, or an allowed sum; `None` takes the board's total.
    pub rail: Option<String>,
    /// Where idle power is taken; `None` takes declared idle spans, else everything outside the activity.
    pub idle: Option<IdleFrom>,
    /// The estimator; `None` takes the strongest that the sensor allows.
    pub estimator: Option<Estimator>,
    /// Below this share of integrated time nothing is said.
    pub min_coverage: f64,
    /// How the clocks are tied.
    pub align: AlignBy,
    /// What is known about the log's clock.
    pub clock: ClockHints,
}

impl Default for How {
    fn default() -> Self {
        Self {
            rail: None,
            idle: None,
            estimator: None,
            min_coverage: 0.95,
            align: AlignBy::Auto,
            clock: ClockHints::default(),
        }
    }
}

/// The energy by one log, and the doubts about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The energy, or its refusal.
    pub energy: Energy,
    /// Doubts about log, clock and run.
    pub findings: Vec<Finding>,
}

/// A rail of a log on the clock of the work.
#[derive(Clone, Debug, PartialEq)]
pub struct OnClock {
    /// The rail; times are unix ns of the trace's clock.
    pub series: Series,
    /// What took the readings.
    pub sensor: Sensor,
    /// How it came to lie there.
    pub aligned: Aligned,
    /// Doubts about the log and its clock.
    pub findings: Vec<Finding>,
}

/// Puts the rail that is meant of the log that was read from `path` on the clock of the work.
///
/// # Errors
/// [`PowerError`] when the log holds no power over time, cannot be placed, does not overlap the work, or the
/// rail is not there.
pub fn on_clock(path: &str, log: PowerLog, work: &Work, how: &How) -> Result<OnClock, PowerError> {
    if log.rails.is_empty() {
        return Err(sums_only(path, &log));
    }
    let mut findings = describe::doubts(&log);
    let sensor = log.taken_by();
    let clock = ClockHints {
        trace_zone_s: how.clock.trace_zone_s.or(work.zone_s),
        may_float: work.landmarks.can_place(how.align),
        ..how.clock.clone()
    };
    let placed = place::place(path, log, &clock)?;
    findings.extend(placed.findings.iter().cloned());
    let mut series =
        Series::choose(&placed.rails, how.rail.as_deref()).map_err(|error| error.of_log(path))?;
    let aligned = if sensor.format.is_in_trace() {
        Aligned::by_stamps(&placed)
    } else {
        align::align(path, &mut series, &placed, &work.landmarks, how.align)?
    };
    findings.extend(aligned.findings.iter().cloned());
    if let Some(extent) = series.extent() {
        overlap::check(path, extent, work.activity)?;
    }
    Ok(OnClock { series, sensor, aligned, findings })
}

/// The energy of the work by one log that was read from `path`.
///
/// # Errors
/// As [`on_clock`].
pub fn measure(path: &str, log: PowerLog, work: &Work, how: &How) -> Result<Measured, PowerError> {
    let OnClock { series, sensor, aligned, mut findings } = on_clock(path, log, work, how)?;
    findings.extend(run_doubt(work.traced));
    let question = Question {
        work,
        idle: how.idle.clone(),
        estimator: how.estimator,
        min_coverage: how.min_coverage,
    };
    Ok(Measured { energy: energy(&series, &sensor, &aligned, &question), findings })
}

fn sums_only(path: &str, log: &PowerLog) -> PowerError {
    PowerError::Log {
        path: path.to_owned(),
        problem: format!(
            "a {} log holds sums of the logger's own windows, not power over time",
            log.format
        ),
        remedy: "Look at the sums with `nsys-attrib power`, or log power over time".to_owned(),
    }
}

fn run_doubt(traced: bool) -> Option<Finding> {
    traced.then(|| {
        Finding::new(
            "energy-of-traced-run",
            Severity::Warning,
            "the power was logged while nsys traced: the profiler's own work is in it",
            "log power beside a run without nsys for figures that are published; --untraced says that this is one",
        )
    })
}
