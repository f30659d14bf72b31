//! Idle power: the mean over declared spans, or over what the log holds outside the activity.
//!
//! ```text
//!   log      |=================================================|
//!   activity            [-----------------------]
//!   guard             ##                         ######
//!   idle     |--------|                                |-------|
//! ```
//! The guard is half a second, after the activity also the sensor's averaging window. At least 20
//! readings and 5 s are needed. The standard error is that of the means of consecutive blocks.

use super::series::Series;
use crate::units::Nanos;

const HALF_SECOND: i64 = 500_000_000;
const LEAST_READINGS: usize = 20;
const LEAST_TIME: i64 = 5_000_000_000;
/// Blocks for the standard error, at most.
const BLOCKS: usize = 20;

/// Where idle power is to be taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum IdleFrom {
    /// Everything outside the activity and its guard.
    #[default]
    Outside,
    /// At most this long before and after the activity.
    Within(Nanos),
    /// These spans, unix ns.
    Spans(Vec<(i64, i64)>),
}

/// Idle power.
#[derive(Clone, Debug, PartialEq)]
pub struct Idle {
    /// Mean, W.
    pub watts: f64,
    /// Standard error, W.
    pub error: f64,
    /// Degrees of freedom of the error.
    pub freedom: f64,
    /// Standard deviation of the readings, W.
    pub spread: f64,
    /// In words.
    pub how: String,
}

/// The idle power, or in words why there is none. `activity` is in unix ns.
///
/// # Errors
/// A sentence.
pub fn measure(series: &Series, activity: (i64, i64), from: &IdleFrom) -> Result<Idle, String> {
    let (spans, what) = spans(series, activity, from).ok_or("the log is empty")?;
    let mut readings = Vec::new();
    let mut means = Vec::new();
    let mut time = 0;
    for (start, end) in spans {
        let from = series.times.partition_point(|t| *t < start);
        let to = series.times.partition_point(|t| *t <= end);
        if from + 1 < to {
            readings.extend_from_slice(&series.watts[from..to]);
            means.push(mean(&series.watts[from..to]));
            time += series.times[to - 1] - series.times[from];
        }
    }
    let taken = format!("{} readings over {:.1} {what}", readings.len(), Nanos::from_ns(time));
    if readings.len() < LEAST_READINGS || time < LEAST_TIME {
        return Err(format!("{taken}; 20 readings and 5 s are needed"));
    }
    let (error, freedom) = block_error(&readings);
    let watts = mean(&readings);
    let squares: f64 = readings.iter().map(|value| (value - watts).powi(2)).sum();
    let spread = (squares / readings.len() as f64).sqrt();
    let apart = match means.as_slice() {
        [first, .., last] => {
            format!(", {:+.0} mW from the first to the last span", (last - first) * 1e3)
        }
        _ => String::new(),
    };
    Ok(Idle { watts, error, freedom, spread, how: format!("{taken}{apart}") })
}

/// The spans in which the readings are idle ones, and how to say it; `None` for an empty log.
fn spans(
    series: &Series,
    activity: (i64, i64),
    from: &IdleFrom,
) -> Option<(Vec<(i64, i64)>, &'static str)> {
    let (first, last) = series.extent()?;
    let window = series.window().as_ns();
    let (before, after) = (activity.0 - HALF_SECOND, activity.1 + HALF_SECOND + window);
    Some(match from {
        IdleFrom::Outside => (vec![(first, before), (after, last)], "outside the activity"),
        IdleFrom::Within(length) => {
            let length = length.as_ns();
            (
                vec![(first.max(before - length), before), (after, last.min(after + length))],
                "before and after the activity",
            )
        }
        IdleFrom::Spans(spans) => (
            // The mean of a trailing window belongs to the span only once the window lies inside.
            spans.iter().map(|(start, end)| (start + window, *end)).collect(),
            "in the declared idle spans",
        ),
    })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard error from the means of up to 20 consecutive blocks, and its degrees of freedom.
fn block_error(readings: &[f64]) -> (f64, f64) {
    let blocks = BLOCKS.min(readings.len() / 4).max(2);
    let means: Vec<f64> = (0..blocks)
        .map(|i| mean(&readings[i * readings.len() / blocks..(i + 1) * readings.len() / blocks]))
        .collect();
    let centre = mean(&means);
    let variance =
        means.iter().map(|value| (value - centre).powi(2)).sum::<f64>() / (blocks - 1) as f64;
    ((variance / blocks as f64).sqrt(), (blocks - 1) as f64)
}
