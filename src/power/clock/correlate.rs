//! How far the power lags the GPU's busy time, from the shapes of both.
//!
//! `r(d) = corr(P(t + d), b(t))` over shifts d; the busy fraction b is averaged over the sensor's window
//! first, else d would come out half a window too long. A strictly periodic load makes r periodic: its
//! peaks are aliases, and a correlation whose second peak is nearly as high is refused.

use crate::units::Nanos;

/// Below this the shapes do not agree.
const LEAST_R: f64 = 0.6;
/// The highest peak must stand out by this factor.
const LEAST_RATIO: f64 = 1.2;
/// Grid points that are looked at, at most.
const MOST_POINTS: i64 = 20_000;

/// The result of a correlation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correlation {
    /// By how much power comes later than work.
    pub lag: Nanos,
    /// The correlation there.
    pub r_max: f64,
    /// The next peak's correlation, where there is one.
    pub second: Option<f64>,
}

impl Correlation {
    /// Whether the lag may be believed.
    pub fn is_clear(self) -> bool {
        self.r_max > LEAST_R
            && self.second.is_none_or(|second| second <= 0.0 || self.r_max / second > LEAST_RATIO)
    }
}

/// Power readings `(ns, W)` in order against disjoint busy spans `(start ns, end ns)` in order; `window`
/// is the sensor's averaging window. `None` when either does not vary.
pub fn correlate(
    power: &[(i64, f64)],
    busy: &[(i64, i64)],
    period: Nanos,
    window: Nanos,
    most: Nanos,
) -> Option<Correlation> {
    let (first, last) = (power.first()?.0, power.last()?.0);
    let (start, end) = (busy.first()?.0 - most.as_ns(), busy.last()?.1 + most.as_ns());
    let (from, to) = (first.max(start), last.min(end));
    let step = (period.as_ns() / 4).max(1_000_000).max((to - from) / MOST_POINTS);
    let points = usize::try_from((to - from) / step).ok().filter(|points| *points >= 8)?;
    let shifts = (most.as_ns() / step).min(points as i64 / 2);
    let busy_at = fractions(busy, from, step, points, window.as_ns().max(step));
    let power_at: Vec<f64> =
        (0..points).map(|i| interpolate(power, from + i as i64 * step)).collect();
    let r: Vec<f64> = (-shifts..=shifts).map(|d| r_at(&power_at, &busy_at, d)).collect();
    let best = (0..r.len()).max_by(|a, b| r[*a].total_cmp(&r[*b]))?;
    if !r[best].is_finite() || r[best] <= 0.0 {
        return None;
    }
    let is_peak = |i: usize| i > 0 && i + 1 < r.len() && r[i] > r[i - 1] && r[i] >= r[i + 1];
    let second =
        (0..r.len()).filter(|i| is_peak(*i) && i.abs_diff(best) > 1).map(|i| r[i]).reduce(f64::max);
    let lag = (best as f64 - shifts as f64 + parabola(&r, best)) * step as f64;
    Some(Correlation { lag: Nanos::from_ns(lag.round() as i64), r_max: r[best], second })
}

/// The vertex of the parabola through a peak and its neighbours, in steps from the peak.
fn parabola(r: &[f64], at: usize) -> f64 {
    if at == 0 || at + 1 >= r.len() {
        return 0.0;
    }
    let (a, b, c) = (r[at - 1], r[at], r[at + 1]);
    let bend = a - 2.0 * b + c;
    if bend < 0.0 { (0.5 * (a - c) / bend).clamp(-0.5, 0.5) } else { 0.0 }
}

/// Correlation of the power `d` steps later with the busy fraction.
fn r_at(power: &[f64], busy: &[f64], d: i64) -> f64 {
    let count = power.len() - d.unsigned_abs() as usize;
    let (p, b) = if d >= 0 {
        (&power[d as usize..], &busy[..count])
    } else {
        (&power[..count], &busy[d.unsigned_abs() as usize..])
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / count as f64;
    let (mean_p, mean_b) = (mean(p), mean(b));
    let (mut cross, mut pp, mut bb) = (0.0, 0.0, 0.0);
    for (p, b) in p.iter().zip(b) {
        cross += (p - mean_p) * (b - mean_b);
        pp += (p - mean_p).powi(2);
        bb += (b - mean_b).powi(2);
    }
    if pp > 0.0 && bb > 0.0 { cross / (pp * bb).sqrt() } else { 0.0 }
}

/// Share of `[t − window, t)` that is busy, at each grid point.
fn fractions(busy: &[(i64, i64)], from: i64, step: i64, points: usize, window: i64) -> Vec<f64> {
    let mut sums = vec![0_i64; busy.len() + 1];
    for (i, (start, end)) in busy.iter().enumerate() {
        sums[i + 1] = sums[i] + (end - start);
    }
    let until = |t: i64| {
        let done = busy.partition_point(|span| span.1 <= t);
        let part = busy.get(done).map_or(0, |span| (t - span.0).max(0));
        sums[done] + part
    };
    (0..points)
        .map(|i| {
            let t = from + i as i64 * step;
            (until(t) - until(t - window)) as f64 / window as f64
        })
        .collect()
}

/// Power at an instant inside the readings.
fn interpolate(power: &[(i64, f64)], t: i64) -> f64 {
    let next = power.partition_point(|reading| reading.0 <= t).clamp(1, power.len() - 1);
    let ((t0, p0), (t1, p1)) = (power[next - 1], power[next]);
    if t1 <= t0 { p1 } else { p0 + (p1 - p0) * (t - t0) as f64 / (t1 - t0) as f64 }
}
