//! From the wall clock of the logger to the clock of the trace: what is left after the stamps were placed.
//!
//! | method | needs | measures |
//! |---|---|---|
//! | stamps | a wall clock that the log and the trace share | nothing |
//! | marks | `nsys-attrib clock …` in the trace, or `systemClockNs` and a sampler that writes it too | error of the anchor, steps of the wall clock |
//! | pulse | ranges `power-sync` with idle time around them | offset and drift, with the sensor's own response |
//! | correlation | GPU work whose shape repeats nowhere | offset |
//!
//! Of itself the program takes marks and pulses where they are, and only checks with the correlation: a
//! clear lag is a finding, since a sensor that is late looks like a clock that is wrong.

use super::correlate::{self, Correlation};
use super::marks::{self, ClockMark};
use super::place::{self, Placed};
use super::pulse::{self, NoFit, PulseFit};
use crate::finding::{Finding, Severity};
use crate::power::error::PowerError;
use crate::power::series::Series;
use crate::units::Nanos;

/// Shifts that are tried around the stamps, ns.
const NEAR: i64 = 2_000_000_000;
/// A monotonic clock that disagrees with the wall clock by more than this is another machine's, ns.
const SAME_CLOCK: i64 = 1_000_000_000;

/// How the log's clock is tied to the trace's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AlignBy {
    /// Marks and pulses where they are, else stamps.
    #[default]
    Auto,
    /// The log's stamps alone.
    Stamps,
    /// Clock marks, or the monotonic clock.
    Marks,
    /// Sync pulses.
    Pulse,
    /// The shapes of power and GPU work.
    Correlation,
}

impl AlignBy {
    /// The names on the command line.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("auto", Self::Auto),
        ("stamps", Self::Stamps),
        ("marks", Self::Marks),
        ("pulse", Self::Pulse),
        ("correlation", Self::Correlation),
    ];

    /// The method of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, by)| by)
    }
}

/// What both clocks can be seen in. Times in unix ns of the trace's clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Landmarks {
    /// When the GPU was busy, disjoint, in order.
    pub busy: Vec<(i64, i64)>,
    /// Sync pulses, in order.
    pub pulses: Vec<(i64, i64)>,
    /// Clock marks, in order.
    pub marks: Vec<ClockMark>,
    /// The trace's clock minus the machine's monotonic clock.
    pub mono_shift_ns: Option<i64>,
}

impl Landmarks {
    /// Whether a log without a start could be placed.
    pub fn can_place(&self, by: AlignBy) -> bool {
        match by {
            AlignBy::Auto | AlignBy::Pulse => !self.pulses.is_empty(),
            AlignBy::Correlation => !self.busy.is_empty(),
            AlignBy::Stamps | AlignBy::Marks => false,
        }
    }
}

/// How a log came to lie on the trace's clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Aligned {
    /// In words.
    pub method: String,
    /// What was added to the stamps, at the reference of the drift.
    pub offset: Nanos,
    /// Standard uncertainty.
    pub sigma: Nanos,
    /// Drift of the log's clock, where it was measured.
    pub drift_ppm: Option<f64>,
    /// Its standard uncertainty; a drift below twice that is not applied.
    pub drift_sigma_ppm: Option<f64>,
    /// The correlation of power with work, when it is clear.
    pub lag: Option<Correlation>,
    /// Doubts met on the way.
    pub findings: Vec<Finding>,
}

impl Aligned {
    /// By the stamps of a log alone.
    pub fn by_stamps(placed: &Placed) -> Self {
        Self {
            method: placed.method.clone(),
            offset: placed.offset,
            sigma: placed.sigma,
            drift_ppm: None,
            drift_sigma_ppm: None,
            lag: None,
            findings: Vec::new(),
        }
    }

    fn shift(&mut self, series: &mut Series, by: i64) {
        self.offset += Nanos::from_ns(by);
        series.retime(|t| t + by);
    }
}

/// Moves a rail of the log from `path` onto the trace's clock.
///
/// # Errors
/// [`PowerError::Log`] when the method that was asked for says nothing, or nothing says when the log begins.
pub fn align(
    path: &str,
    series: &mut Series,
    placed: &Placed,
    landmarks: &Landmarks,
    by: AlignBy,
) -> Result<Aligned, PowerError> {
    let mut aligned = Aligned::by_stamps(placed);
    let mut found = false;
    if matches!(by, AlignBy::Auto | AlignBy::Marks) && !placed.floating {
        found |= through_clocks(series, &mut aligned, placed, landmarks);
    }
    if matches!(by, AlignBy::Auto | AlignBy::Pulse) && !landmarks.pulses.is_empty() {
        found |= through_pulses(path, series, &mut aligned, placed.floating, landmarks, by)?;
    }
    if by == AlignBy::Correlation {
        through_shapes(path, series, &mut aligned, placed.floating, landmarks)?;
        found = true;
    } else {
        check_lag(series, &mut aligned, landmarks);
    }
    match by {
        AlignBy::Marks if !found => Err(unusable(
            path,
            "no clock mark in the trace ties it to the log",
            "Write marks `nsys-attrib clock real=<ns> mono=<ns>` as NVTX, or take another --align",
        )),
        AlignBy::Pulse if !found => Err(unusable(
            path,
            "the run has no sync pulse (a range or phase named power-sync)",
            "Take --align stamps or --align correlation",
        )),
        _ if placed.floating && !found => Err(place::no_start(path)),
        _ => Ok(aligned),
    }
}

fn unusable(path: &str, problem: impl Into<String>, remedy: &str) -> PowerError {
    PowerError::Log { path: path.to_owned(), problem: problem.into(), remedy: remedy.to_owned() }
}

/// Through the machine's own clocks, as the trace and the log saw them.
fn through_clocks(
    series: &mut Series,
    aligned: &mut Aligned,
    placed: &Placed,
    landmarks: &Landmarks,
) -> bool {
    let judged = marks::judged(&landmarks.marks);
    let stepped = judged.and_then(|marks| marks.step);
    aligned.drift_ppm = marks::drift_ppm(&landmarks.marks);
    if let (Some(of_trace), Some(of_log)) = (landmarks.mono_shift_ns, placed.mono_shift_ns) {
        let by = of_trace - of_log;
        if by.abs() <= SAME_CLOCK || stepped.is_some() {
            aligned.method += ", monotonic clock";
            aligned.shift(series, by);
            return true;
        }
    }
    match (judged, stepped) {
        (_, Some(step)) => {
            aligned.findings.push(clock_stepped(step));
            false
        }
        (Some(marks), None) => {
            aligned.method += ", clock marks";
            aligned.shift(series, -marks.median_ns);
            true
        }
        (None, None) => false,
    }
}

fn clock_stepped(step: Nanos) -> Finding {
    Finding::new(
        "wall-clock-stepped",
        Severity::Error,
        format!(
            "clock marks in the trace jump by {step}: the wall clock was stepped during the run"
        ),
        "repeat the run with NTP off, or use a log on the monotonic clock",
    )
    .with("step_ns", step)
}

fn through_pulses(
    path: &str,
    series: &mut Series,
    aligned: &mut Aligned,
    floating: bool,
    landmarks: &Landmarks,
    by: AlignBy,
) -> Result<bool, PowerError> {
    let pulses = &landmarks.pulses;
    let ends = pulses.first().zip(pulses.last()).zip(series.extent());
    let Some(((first, last), (from, to))) = ends else { return Ok(false) };
    let near = NEAR.max(3 * series.period().as_ns());
    let shifts = if floating { (from - first.0, to - last.1) } else { (-near, near) };
    match pulse::fit(series, pulses, shifts) {
        Ok(fit) => {
            follow(series, aligned, &fit);
            Ok(true)
        }
        Err(why) if by == AlignBy::Pulse || floating => Err(unusable(
            path,
            in_words(&why, pulses.len()),
            "Leave two idle seconds around each pulse, log faster, or take another --align",
        )),
        Err(why) => {
            aligned.findings.push(Finding::new(
                "sync-pulse-not-found",
                Severity::Warning,
                format!(
                    "{}; the stamps of the log are taken as they are",
                    in_words(&why, pulses.len())
                ),
                "check that the log belongs to this run; --align pulse makes this an error",
            ));
            Ok(false)
        }
    }
}

fn in_words(why: &NoFit, pulses: usize) -> String {
    match why {
        NoFit::NotSeen(Some(r)) => {
            format!(
                "the {pulses} sync pulses cannot be seen in this log (correlation {r:.2}, 0.80 is needed)"
            )
        }
        NoFit::NotSeen(None) => format!("this log does not cover the {pulses} sync pulses"),
        NoFit::Ambiguous => "the sync pulses fit this log at two places equally well".to_owned(),
        NoFit::Drift => "the sync pulses disagree by more than 500 ppm of drift".to_owned(),
    }
}

fn follow(series: &mut Series, aligned: &mut Aligned, fit: &PulseFit) {
    aligned.method += &format!(
        ", {} sync {} (r = {:.2})",
        fit.count,
        if fit.count == 1 { "pulse" } else { "pulses" },
        fit.r
    );
    aligned.offset -= Nanos::from_ns(fit.late_ns);
    aligned.sigma = fit.sigma;
    aligned.drift_ppm = fit.drift.map(|(drift, _)| drift * 1e6).or(aligned.drift_ppm);
    aligned.drift_sigma_ppm = fit.drift.map(|(_, sigma)| sigma * 1e6);
    // A drift within its own uncertainty would only add noise.
    let drift = fit.drift.filter(|(drift, sigma)| drift.abs() > 2.0 * sigma);
    let (drift, reference) = (drift.map_or(0.0, |(drift, _)| drift), fit.reference_ns);
    series.retime(|t| {
        let after = t - fit.late_ns - reference;
        reference + after - (after as f64 * drift / (1.0 + drift)).round() as i64
    });
}

/// Through the shapes of power and work, which must fit at one place only.
fn through_shapes(
    path: &str,
    series: &mut Series,
    aligned: &mut Aligned,
    floating: bool,
    landmarks: &Landmarks,
) -> Result<(), PowerError> {
    let busy = &landmarks.busy;
    let ends = busy.first().zip(busy.last()).zip(series.extent());
    let Some(((first, last), (from, to))) = ends else {
        return Err(unusable(
            path,
            "there is no GPU work to correlate with",
            "Take a trace of the run, or --align stamps",
        ));
    };
    let near = NEAR.max(3 * series.period().as_ns());
    let shifts = if floating { (from - first.0, to - last.1) } else { (-near, near) };
    let found = correlate::correlate(series, busy, shifts).filter(|found| found.is_clear());
    let Some(found) = found else {
        return Err(unusable(
            path,
            "the shapes of power and GPU work do not fit at one place only (a load that repeats itself fits \
             everywhere)",
            "Use sync pulses, or a wall clock that both share",
        ));
    };
    aligned.method += &format!(", correlation with GPU work (r = {:.2})", found.r_max);
    aligned.sigma = Nanos::from_ns(found.step.as_ns().max(series.period().as_ns() / 4));
    aligned.shift(series, -found.lag.as_ns());
    aligned.lag = Some(Correlation { lag: Nanos::ZERO, ..found });
    Ok(())
}

/// What the correlation says about times that were found otherwise.
fn check_lag(series: &Series, aligned: &mut Aligned, landmarks: &Landmarks) {
    let near = NEAR.max(3 * series.period().as_ns());
    let found = correlate::correlate(series, &landmarks.busy, (-near, near));
    let Some(found) = found.filter(|found| found.is_clear()) else { return };
    aligned.lag = Some(found);
    let allowed = 3 * aligned.sigma.as_ns() + series.period().as_ns().max(found.step.as_ns());
    if found.lag.as_ns().abs() > allowed {
        let side = if found.lag > Nanos::ZERO { "after" } else { "before" };
        aligned.findings.push(
            Finding::new(
                "power-lags-work",
                Severity::Warning,
                format!(
                    "power moves {} {side} the GPU's work (r = {:.2}), more than the clocks' uncertainty of {}: the \
                     sensor is late, or an offset is wrong",
                    found.lag.abs(),
                    found.r_max,
                    aligned.sigma
                ),
                format!(
                    "--align correlation moves the log there, --offset {}ms does the same by hand",
                    (-found.lag.as_ns()) / 1_000_000
                ),
            )
            .with("lag_ns", found.lag)
            .with("sigma_ns", aligned.sigma),
        );
    }
}
