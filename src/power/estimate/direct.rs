//! Each window's own integral: for windows that are long beside the sensor.

use super::{Data, Estimate, Spread, Unable, mean};
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
    median_length(data.windows) / data.series.effective_period().as_ns().max(1)
}

/// Median length of windows, ns; 0 without any.
pub(super) fn median_length(windows: &[(i64, i64)]) -> i64 {
    let mut lengths: Vec<i64> = windows.iter().map(|(a, b)| b - a).collect();
    lengths.sort_unstable();
    lengths.get(lengths.len() / 2).copied().unwrap_or(0)
}

/// One window: J, s and the share that was integrated.
struct Piece {
    joules: f64,
    seconds: f64,
    coverage: f64,
}

/// The mean over windows.
///
/// # Errors
/// [`Unable`] when a window is too short for the sensor, or not covered.
pub fn estimate(data: &Data<'_>) -> Result<Estimate, Unable> {
    let effective = data.series.effective_period().as_ns();
    let middle = median_length(data.windows);
    if middle < PERIODS * effective {
        return Err(too_slow(middle, effective));
    }
    let pieces = pieces(data)?;
    let length: f64 = pieces.iter().map(|piece| piece.seconds).sum();
    let coverage = pieces.iter().map(|piece| piece.seconds * piece.coverage).sum::<f64>() / length;
    let whole: Vec<&Piece> =
        pieces.iter().filter(|piece| piece.coverage >= data.min_coverage).collect();
    if whole.is_empty() || coverage < data.min_coverage {
        return Err(uncovered(coverage, data.min_coverage));
    }
    Ok(join(data, &whole, coverage))
}

fn pieces(data: &Data<'_>) -> Result<Vec<Piece>, Unable> {
    let Some(integral) = Integral::of(data.series) else {
        return Err(Unable::new("coverage", "the log has fewer than two readings", &[]));
    };
    let of = |(a, b): &(i64, i64)| {
        let piece = integral.over(*a, *b);
        Piece {
            joules: piece.joules,
            seconds: (b - a) as f64 / 1e9,
            coverage: piece.coverage.unwrap_or(0.0),
        }
    };
    Ok(data.windows.iter().filter(|(a, b)| a < b).map(of).collect())
}

fn join(data: &Data<'_>, whole: &[&Piece], coverage: f64) -> Estimate {
    let count = whole.len();
    let length = whole.iter().map(|piece| piece.seconds).sum::<f64>() / count as f64;
    let totals: Vec<f64> = whole.iter().map(|piece| piece.joules).collect();
    let total = mean(&totals);
    let mut estimate = Estimate {
        windows: count,
        total,
        total_ci: of_windows(&totals, 0.0, 1.0),
        length,
        coverage: Some(coverage),
        ..Estimate::default()
    };
    let mut rise = total / length;
    if let Some(idle) = data.idle {
        let above: Vec<f64> =
            whole.iter().map(|piece| piece.joules - idle.watts * piece.seconds).collect();
        let dynamic = mean(&above);
        estimate.dynamic = Some(dynamic);
        estimate.dynamic_ci = of_windows(&above, idle.error * length, idle.freedom);
        rise = dynamic / length;
    }
    // A shift moves one edge's power in and the other's out; between two readings an edge is blurred.
    let leak = LEAK * data.series.effective_period().as_ns() as f64 / 1e9;
    estimate.systematic = rise.abs() * (data.sigma_ns as f64 / 1e9).hypot(leak);
    estimate
}

/// The interval of a mean over windows, when they are enough for one.
fn of_windows(energies: &[f64], shared_error: f64, shared_freedom: f64) -> Option<(f64, f64)> {
    let spread = Spread::of(energies).filter(|_| energies.len() >= LEAST_UNITS)?;
    spread.interval(mean(energies), shared_error, shared_freedom)
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
