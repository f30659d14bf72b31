//! Each window's own integral: for windows that are long beside the sensor.
//!
//! ```text
//!   readings        x         x        x        x         x         x
//!   window                  [--------------------]
//!   trapezoids            ./‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾\.       what leans out of the window belongs to it
//!               |-- m --|-- m --|            |-- m --|-- m --|
//!                around   margin                margin  around
//! ```
//! Between two readings an edge is a slope, of which a sixth of a period lies outside the window: cut off
//! at its edges, a window at 10 W above its surroundings loses 3.3 J per second of period. So a window that
//! stands alone is integrated with a margin of one and a half effective periods on each side, less what
//! the surroundings draw there, taken from as long a stretch beyond. That also forgives a shift of the
//! clocks within the margin. Windows that follow each other closely have no such room; what leans over
//! their edges is then a systematic uncertainty.

use super::{Data, Estimate, Spread, Unable, block, mean, phase};
use crate::power::integrate::Integral;
use crate::power::log::Kind;

/// A window holds at least this many effective periods.
pub const PERIODS: i64 = 5;
/// From this many on, what leaks over the edges between two readings does not matter.
pub const MANY_PERIODS: i64 = 50;
/// Time of the window's power that leans over both its edges, in effective periods: a sixth each.
const LEAK: f64 = 1.0 / 3.0;
/// Standard deviation of a window's integral by where its edges fall between readings, in periods.
const DRAW: f64 = 0.408_248;
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

/// One window: J, s, the share that was integrated, and whether it stood alone.
struct Piece {
    joules: f64,
    seconds: f64,
    coverage: f64,
    alone: bool,
}

/// The mean over windows.
///
/// # Errors
/// [`Unable`] when a window is too short for the sensor, or not covered, or the readings are locked to the
/// windows.
pub fn estimate(data: &Data<'_>) -> Result<Estimate, Unable> {
    let effective = data.series.effective_period().as_ns();
    let middle = median_length(data.windows);
    if middle < PERIODS * effective {
        return Err(too_slow(middle, effective));
    }
    let phase_p = phase_test(data)?;
    let pieces = pieces(data)?;
    let length: f64 = pieces.iter().map(|piece| piece.seconds).sum();
    let coverage = pieces.iter().map(|piece| piece.seconds * piece.coverage).sum::<f64>() / length;
    let whole: Vec<&Piece> =
        pieces.iter().filter(|piece| piece.coverage >= data.min_coverage).collect();
    if whole.is_empty() || coverage < data.min_coverage {
        return Err(uncovered(coverage, data.min_coverage));
    }
    Ok(Estimate { phase_p, ..join(data, &whole, coverage) })
}

/// Windows that always start at the same phase of the sampler lose or gain the same part of a period.
fn phase_test(data: &Data<'_>) -> Result<Option<f64>, Unable> {
    if data.series.kind != Kind::Instant || periods(data) >= MANY_PERIODS {
        return Ok(None);
    }
    let times = &data.series.times;
    let at = |(start, _): &(i64, i64)| {
        let next = times.partition_point(|time| time <= start);
        let (before, after) = (*times.get(next.checked_sub(1)?)?, *times.get(next)?);
        Some((start - before) as f64 / (after - before) as f64)
    };
    let phases: Vec<f64> = data.windows.iter().filter_map(at).collect();
    match phase::uniformity(&phases) {
        Some(p) if p < phase::LEAST_P => Err(block::locked(p, phases.len())),
        p => Ok(p),
    }
}

fn pieces(data: &Data<'_>) -> Result<Vec<Piece>, Unable> {
    let Some(integral) = Integral::of(data.series) else {
        return Err(Unable::new("coverage", "the log has fewer than two readings", &[]));
    };
    let margin = data.series.effective_period().as_ns() * 3 / 2 + 3 * data.sigma_ns;
    let windows = data.windows;
    let of = |(i, (a, b)): (usize, &(i64, i64))| {
        let before = i.checked_sub(1).map_or(i64::MIN, |before| windows[before].1);
        let after = windows.get(i + 1).map_or(i64::MAX, |after| after.0);
        let room = before <= a - 4 * margin && b + 4 * margin <= after;
        room.then(|| alone(&integral, (*a, *b), margin, data.min_coverage))
            .flatten()
            .unwrap_or_else(|| cut(&integral, (*a, *b)))
    };
    Ok(windows.iter().enumerate().filter(|(_, (a, b))| a < b).map(of).collect())
}

/// With its margins, less what the surroundings draw in them; `None` where the log does not reach.
fn alone(
    integral: &Integral<'_>,
    (a, b): (i64, i64),
    margin: i64,
    min_coverage: f64,
) -> Option<Piece> {
    let whole = integral.over(a - margin, b + margin);
    let around = [(a - 2 * margin, a - margin), (b + margin, b + 2 * margin)];
    let mut rest = 0.0;
    for (from, to) in around {
        let piece = integral.over(from, to);
        piece.coverage.filter(|share| *share >= min_coverage)?;
        rest += piece.joules * margin as f64 / piece.covered.as_ns() as f64;
    }
    let coverage = whole.coverage.filter(|share| *share >= min_coverage)?;
    let seconds = (b - a) as f64 / 1e9;
    Some(Piece { joules: whole.joules - rest, seconds, coverage, alone: true })
}

/// Cut off at its edges.
fn cut(integral: &Integral<'_>, (a, b): (i64, i64)) -> Piece {
    let piece = integral.over(a, b);
    let seconds = (b - a) as f64 / 1e9;
    Piece { joules: piece.joules, seconds, coverage: piece.coverage.unwrap_or(0.0), alone: false }
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
    estimate.systematic = rise.abs() * edges_s(data, whole);
    estimate
}

/// Uncertain time of a window's edges, s: what leans over edges that were cut, a shift that moves one edge's
/// power in and the other's out, and the draw of a few windows, which no interval shows.
fn edges_s(data: &Data<'_>, whole: &[&Piece]) -> f64 {
    let effective = data.series.effective_period().as_ns() as f64 / 1e9;
    let count = whole.len() as f64;
    let cut = whole.iter().filter(|piece| !piece.alone).count() as f64 / count;
    let shift = data.sigma_ns as f64 / 1e9;
    let draw = DRAW * effective / count.sqrt();
    (cut * LEAK * effective).hypot(cut * shift).hypot(draw)
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
