//! Each window's own integral: for windows that are long beside the sensor.

use super::{Data, Estimate, Unable, interval};
use crate::power::integrate::Integral;

/// A window holds at least this many effective periods.
pub const PERIODS: i64 = 5;
/// From this many on, what leaks over the edges between two readings does not matter.
pub const MANY_PERIODS: i64 = 50;
/// Time of the window's power that leaks over its edges, in effective periods (simulated).
const LEAK: f64 = 0.15;
/// Windows for an interval.
const LEAST_UNITS: usize = 5;

/// Median length of the windows in effective periods.
pub fn periods(data: &Data<'_>) -> i64 {
    let mut lengths: Vec<i64> = data.windows.iter().map(|(a, b)| b - a).collect();
    lengths.sort_unstable();
    let middle = lengths.get(lengths.len() / 2).copied().unwrap_or(0);
    middle / data.series.effective_period().as_ns().max(1)
}

/// The mean over windows.
///
/// # Errors
/// [`Unable`] when a window is too short for the sensor, or not covered.
pub fn estimate(data: &Data<'_>) -> Result<Estimate, Unable> {
    let effective = data.series.effective_period().as_ns();
    let mut lengths: Vec<i64> = data.windows.iter().map(|(a, b)| b - a).collect();
    lengths.sort_unstable();
    let middle = lengths.get(lengths.len() / 2).copied().unwrap_or(0);
    if middle < PERIODS * effective {
        return Err(too_slow(middle, effective));
    }
    let series = data.series.clone().centred();
    let Some(integral) =
        Integral::new(&series.times, &series.watts, series.method(), data.series.gap())
    else {
        return Err(Unable::new("coverage", "the log has fewer than two readings", &[]));
    };
    let pieces: Vec<(f64, f64, f64)> = data
        .windows
        .iter()
        .filter(|(a, b)| a < b)
        .map(|(a, b)| {
            let piece = integral.over(*a, *b);
            (piece.joules, (b - a) as f64 / 1e9, piece.coverage.unwrap_or(0.0))
        })
        .collect();
    let length: f64 = pieces.iter().map(|piece| piece.1).sum();
    let coverage = pieces.iter().map(|piece| piece.1 * piece.2).sum::<f64>() / length;
    let whole: Vec<&(f64, f64, f64)> =
        pieces.iter().filter(|piece| piece.2 >= data.min_coverage).collect();
    if whole.is_empty() || coverage < data.min_coverage {
        return Err(uncovered(coverage, data.min_coverage));
    }
    let count = whole.len();
    let mean_length = whole.iter().map(|piece| piece.1).sum::<f64>() / count as f64;
    let totals: Vec<f64> = whole.iter().map(|piece| piece.0).collect();
    let (total, total_ci) = interval(&totals, 0.0, 1.0);
    let mut estimate = Estimate {
        windows: count,
        total,
        total_ci: total_ci.filter(|_| count >= LEAST_UNITS),
        length: mean_length,
        coverage: Some(coverage),
        ..Estimate::default()
    };
    let mut rise = total / mean_length;
    if let Some(idle) = data.idle {
        let above: Vec<f64> = whole.iter().map(|piece| piece.0 - idle.watts * piece.1).collect();
        let (dynamic, ci) = interval(&above, idle.error * mean_length, idle.freedom);
        estimate.dynamic = Some(dynamic);
        estimate.dynamic_ci = ci.filter(|_| count >= LEAST_UNITS);
        rise = dynamic / mean_length;
    }
    // A shift moves one edge's power in and the other's out; between two readings an edge is blurred.
    let leak = LEAK * effective as f64 / 1e9;
    estimate.systematic = rise.abs() * (data.sigma_ns as f64 / 1e9).hypot(leak);
    Ok(estimate)
}

/// Windows shorter than what the sensor can tell apart.
pub(super) fn too_slow(window: i64, effective: i64) -> Unable {
    Unable::new(
        "sensor-too-slow",
        format!(
            "windows of {} cannot be told apart by a sensor whose readings stand for {}",
            crate::units::Nanos::from_ns(window),
            crate::units::Nanos::from_ns(effective)
        ),
        &[("window_ms", window as f64 / 1e6), ("effective_period_ms", effective as f64 / 1e6)],
    )
}

/// Gaps in the log where windows are.
pub(super) fn uncovered(coverage: f64, least: f64) -> Unable {
    Unable::new(
        "coverage",
        format!(
            "only {:.1} % of the windows' time lies between readings that are close enough together ({:.0} % are \
             needed; --min-coverage)",
            coverage * 100.0,
            least * 100.0
        ),
        &[("coverage", coverage)],
    )
}
