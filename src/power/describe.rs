//! What is in a log: rails, total, period, jitter, gaps, the sensor's own update period, doubts.
//!
//! The **period** is the median time between readings; a **gap** is an interval longer than three
//! periods and 250 ms; the **update period** is how often the value changes (10th percentile of the
//! times between changes): a 1 Hz sensor that is polled at 100 Hz still says something new once a
//! second. The **effective period** is the longest of both and of the sensor's averaging window.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::board::{self, Total};
use super::log::{Basis, Kind, PowerLog, Rail};
use super::plausible;
use crate::finding::{self, Finding, Severity};
use crate::stats;
use crate::units::{Millijoules, Milliwatts, Nanos, UnixTime};

/// The id of this version of the document.
pub const SCHEMA: &str = "nsys-attrib/power/1";
/// An interval over this many periods is a gap …
pub const GAP_PERIODS: f64 = 3.0;
/// … when it is at least this long.
pub const GAP_LEAST: Nanos = Nanos::from_ns(250_000_000);

/// What is in some logs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PowerDocument {
    /// Always `nsys-attrib/power/1`.
    pub schema: String,
    /// In the order in which they were named.
    pub logs: Vec<LogAbout>,
}

/// What is in one log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogAbout {
    /// As it was named.
    pub path: String,
    /// The format, from the content.
    pub format: String,
    /// What its times count from: `unix`, `local`, `time-of-day`, `relative` or `none`.
    pub clock: String,
    /// First reading, on that clock, in words.
    pub first: Option<String>,
    /// Last reading.
    pub last: Option<String>,
    /// Resolution of the stamps.
    pub stamp_resolution_ns: Nanos,
    /// The board that has these rails, when it is known.
    pub board: Option<String>,
    /// The rails that together are the board's total; empty when that is not established.
    pub total: Vec<String>,
    /// Each rail.
    pub rails: Vec<RailAbout>,
    /// Energies that the logger itself took over windows.
    pub windows: Vec<WindowAbout>,
    /// Lines without a reading.
    pub skipped_lines: usize,
    /// Doubts, the most severe first.
    pub findings: Vec<Finding>,
}

/// One rail or device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RailAbout {
    /// Its name.
    pub name: String,
    /// What a reading is.
    pub kind: String,
    /// Readings.
    pub samples: usize,
    /// Readings that the log marks as not available.
    pub missing: usize,
    /// Median time between readings; null without times.
    pub period_ns: Option<Nanos>,
    /// Standard deviation of the time between readings, gaps left out.
    pub jitter_ns: Option<Nanos>,
    /// Intervals longer than three periods and 250 ms.
    pub gaps: usize,
    /// The longest interval.
    pub longest_ns: Option<Nanos>,
    /// How often the value changes.
    pub update_ns: Option<Nanos>,
    /// The longest of period, update period and averaging window.
    pub effective_ns: Option<Nanos>,
    /// Mean of the readings (of the counter's rise).
    pub mean_mw: Option<Milliwatts>,
    /// Smallest reading.
    pub min_mw: Option<Milliwatts>,
    /// Largest reading.
    pub max_mw: Option<Milliwatts>,
    /// Smallest difference between two readings: the sensor's step.
    pub step_mw: Option<Milliwatts>,
}

/// One window that the logger integrated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WindowAbout {
    /// Its name in the log.
    pub name: String,
    /// Its length.
    pub length_ns: Nanos,
    /// The device.
    pub rail: String,
    /// Its energy; null when the counter did not move.
    pub energy_mj: Option<Millijoules>,
    /// Mean power.
    pub mean_mw: Option<Milliwatts>,
}

/// Says what is in a log that was read from `path`.
pub fn describe(path: &str, log: &PowerLog) -> LogAbout {
    let names: Vec<&str> = log.rails.iter().map(|rail| rail.name.as_str()).collect();
    let total = match board::total(&names) {
        Total::Rail(rail) => vec![rail],
        Total::Sum(rails) => rails,
        Total::Devices | Total::Unknown => Vec::new(),
    };
    let mut findings = doubts(log);
    findings.extend(clock_doubt(log));
    finding::sort(&mut findings);
    let times = || log.rails.iter().flat_map(|rail| &rail.samples).map(|sample| sample.at_ns);
    LogAbout {
        path: path.to_owned(),
        format: log.format.to_string(),
        clock: clock_name(log.basis).to_owned(),
        first: times().min().and_then(|ns| in_words(log.basis, ns)),
        last: times().max().and_then(|ns| in_words(log.basis, ns)),
        stamp_resolution_ns: log.quantum,
        board: board::board_name(&names).map(str::to_owned),
        total,
        rails: log.rails.iter().map(|rail| rail_about(rail, log.basis)).collect(),
        windows: windows_about(log),
        skipped_lines: log.skipped_lines,
        findings,
    }
}

/// Doubts about the values of a log, and those met while reading it.
pub fn doubts(log: &PowerLog) -> Vec<Finding> {
    let mut findings = log.findings.clone();
    findings.extend(log.rails.iter().flat_map(plausible::doubts));
    findings
}

const fn clock_name(basis: Basis) -> &'static str {
    match basis {
        Basis::Unix => "unix",
        Basis::Local => "local",
        Basis::TimeOfDay => "time-of-day",
        Basis::Relative => "relative",
        Basis::Lines => "none",
    }
}

fn in_words(basis: Basis, ns: i64) -> Option<String> {
    let utc = UnixTime::from_unix_ns(ns).to_string();
    match basis {
        Basis::Unix => Some(utc),
        Basis::Local => Some(utc.trim_end_matches('Z').replace('T', " ")),
        Basis::TimeOfDay => {
            utc.split('T').nth(1).map(|clock| clock.trim_end_matches('Z').to_owned())
        }
        Basis::Relative => Some(format!("{:.6} s", ns as f64 / 1e9)),
        Basis::Lines => None,
    }
}

fn clock_doubt(log: &PowerLog) -> Option<Finding> {
    let (message, remedy) = match log.basis {
        Basis::Unix => return None,
        Basis::Local if log.stated_zone_s.is_some() => return None,
        Basis::Local => (
            "times are local, without a zone",
            "beside a trace the trace's own zone is taken; else give --log-tz (Europe/Berlin, -04:00)",
        ),
        Basis::TimeOfDay => {
            ("times of day without a date", "give the day of the first line: --log-date")
        }
        Basis::Relative => ("times count from an unknown start", "give the start: --log-start"),
        Basis::Lines if log.stated_start.is_some() => (
            "lines carry no time; they count from the date above them, one period apart",
            "give the interval of the logger if it is not 1 s: --log-period",
        ),
        Basis::Lines => (
            "lines carry no time",
            "give the start and the interval of the logger: --log-start, --log-period",
        ),
    };
    Some(Finding::new("power-log-clock", Severity::Info, message, remedy))
}

/// Median time between readings, in ns; `None` below two readings or when all share one time.
pub(super) fn period_ns(times: &[i64]) -> Option<i64> {
    let mut steps: Vec<i64> =
        times.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 0).collect();
    stats::median(&mut steps).map(|median| median.round() as i64)
}

/// The length from which on an interval is a gap.
pub(super) fn gap_ns(period: i64) -> i64 {
    ((period as f64 * GAP_PERIODS) as i64).max(GAP_LEAST.as_ns())
}

/// How often the value changes: the 10th percentile of the times between changes.
pub(super) fn update_ns(times: &[i64], values: &[f64]) -> Option<i64> {
    let mut changes: Vec<i64> = (1..times.len())
        .filter(|at| values[*at].to_bits() != values[*at - 1].to_bits())
        .map(|at| times[at])
        .collect();
    if changes.len() < 2 {
        return None;
    }
    let mut apart: Vec<i64> = changes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    changes.clear();
    apart.sort_unstable();
    stats::percentile(&apart, 0.1).map(|ns| ns.round() as i64)
}

fn rail_about(rail: &Rail, basis: Basis) -> RailAbout {
    let times: Vec<i64> = rail.samples.iter().map(|sample| sample.at_ns).collect();
    let values: Vec<f64> = rail.samples.iter().map(|sample| sample.value).collect();
    let period = period_ns(&times).filter(|_| basis != Basis::Lines);
    let gap = period.map_or(i64::MAX, gap_ns);
    let steps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let regular: Vec<i64> = steps.iter().copied().filter(|step| *step <= gap).collect();
    let jitter = stats::Summary::of_ints(&regular).and_then(|summary| summary.stddev);
    let update = update_ns(&times, &values).filter(|_| basis != Basis::Lines);
    let window = match rail.kind {
        Kind::TrailingAvg { window } => window.map(Nanos::as_ns),
        Kind::Instant | Kind::Cumulative => None,
    };
    let counts = rail.kind == Kind::Cumulative;
    let watts = |watts: f64| Some(Milliwatts::from_watts(watts));
    let mean = if counts { counter_mean(rail) } else { mean_of(&values) };
    RailAbout {
        name: rail.name.clone(),
        kind: rail.kind.to_string(),
        samples: values.len(),
        missing: rail.missing,
        period_ns: period.map(Nanos::from_ns),
        jitter_ns: jitter.filter(|_| period.is_some()).map(|ns| Nanos::from_ns(ns.round() as i64)),
        gaps: steps.iter().filter(|step| **step > gap).count(),
        longest_ns: steps.iter().max().filter(|_| period.is_some()).map(|ns| Nanos::from_ns(*ns)),
        update_ns: update.map(Nanos::from_ns),
        effective_ns: period.into_iter().chain(update).chain(window).max().map(Nanos::from_ns),
        mean_mw: mean.and_then(watts),
        min_mw: values.iter().copied().reduce(f64::min).filter(|_| !counts).and_then(watts),
        max_mw: values.iter().copied().reduce(f64::max).filter(|_| !counts).and_then(watts),
        step_mw: step_of(&values).filter(|_| !counts).and_then(watts),
    }
}

fn mean_of(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn counter_mean(rail: &Rail) -> Option<f64> {
    let (first, last) = (rail.samples.first()?, rail.samples.last()?);
    let seconds = (last.at_ns - first.at_ns) as f64 / 1e9;
    (seconds > 0.0).then(|| (last.value - first.value) / seconds)
}

/// The smallest difference between two different readings.
pub(super) fn step_of(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 1e-9).reduce(f64::min)
}

fn windows_about(log: &PowerLog) -> Vec<WindowAbout> {
    let mut found = Vec::new();
    for window in &log.windows {
        for (rail, joules) in &window.energy_j {
            let energy = joules.map(Millijoules::from_joules);
            found.push(WindowAbout {
                name: window.name.clone(),
                length_ns: window.length,
                rail: rail.clone(),
                energy_mj: energy,
                mean_mw: energy.and_then(|energy| energy.per(window.length)),
            });
        }
    }
    found
}
