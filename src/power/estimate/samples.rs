//! Instants that fall into windows: their mean power times the mean length.
//!
//! Unbiased only when the sampling is independent of the work: the phases within the window are tested.
//! The interval is a moving-block bootstrap over the readings in time order.

use super::{Data, Estimate, Unable, block, direct, phase};
use crate::power::log::Kind;
use crate::stats::block_interval;

/// Readings inside windows.
const LEAST: usize = 30;

/// The estimate.
///
/// # Errors
/// [`Unable`] for sensors that average, too few readings, or readings locked to the work.
pub fn estimate(data: &Data<'_>) -> Result<Estimate, Unable> {
    let series = data.series;
    if series.kind != Kind::Instant {
        let window = series.effective_period().as_ns();
        return Err(direct::too_slow(direct::median_length(data.windows), window));
    }
    let inside = inside(data);
    if inside.len() < LEAST {
        return Err(Unable::new(
            "too-few-readings",
            format!("{} readings lie inside windows; {LEAST} are needed", inside.len()),
            &[("readings", inside.len() as f64)],
        ));
    }
    let phases = phase::phases(&series.times, data.windows);
    let p = phase::uniformity(&phases);
    if let Some(p) = p.filter(|p| *p < phase::LEAST_P) {
        return Err(block::locked(p, phases.len()));
    }
    Ok(join(data, &inside, p))
}

/// The readings inside windows, in time order.
fn inside(data: &Data<'_>) -> Vec<f64> {
    let mut inside = Vec::new();
    for (start, end) in data.windows {
        let from = data.series.times.partition_point(|time| time < start);
        let to = data.series.times.partition_point(|time| time < end);
        inside.extend_from_slice(&data.series.watts[from..to]);
    }
    inside
}

fn join(data: &Data<'_>, inside: &[f64], phase_p: Option<f64>) -> Estimate {
    let count = data.windows.len() as f64;
    let length = data.windows.iter().map(|(a, b)| (b - a) as f64 / 1e9).sum::<f64>() / count;
    let watts = inside.iter().sum::<f64>() / inside.len() as f64;
    let ci = block_interval(inside, inside.len() / 20).map(|[low, high]| (low, high));
    let mut estimate = Estimate {
        windows: data.windows.len(),
        total: watts * length,
        total_ci: ci.map(|(low, high)| (low * length, high * length)),
        length,
        phase_p,
        ..Estimate::default()
    };
    let mut rise = watts;
    if let Some(idle) = data.idle {
        rise = watts - idle.watts;
        estimate.dynamic = Some(rise * length);
        // The idle error is added in quadrature to each half.
        let widened = |half: f64| half.hypot(1.96 * idle.error);
        estimate.dynamic_ci = ci.map(|(low, high)| {
            ((rise - widened(watts - low)) * length, (rise + widened(high - watts)) * length)
        });
    }
    estimate.systematic = rise.abs() * (data.sigma_ns as f64 / 1e9).min(length);
    estimate
}
