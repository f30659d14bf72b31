//! Energy of the sensor's intervals against busy time: `E_i = P_idle dt_i + P_window busy_i + e_i`.
//!
//! Busy time is averaged over the sensor's window first. Errors are Newey and West's; a design in which
//! busy time hardly varies (condition number over 30) is refused.

use super::{Data, Estimate, Unable};
use crate::power::log::Kind;
use crate::stats;

const MOST_CONDITION: f64 = 30.0;
const LEAST_ROWS: usize = 3;
/// Intervals of the sensor that hold work.
const LEAST_WITH_WORK: usize = 10;
/// Lags of the errors' correlation.
const LAGS: usize = 5;

/// Two powers from rows of `(dt s, busy s, J)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Power outside the windows, W.
    pub idle: f64,
    /// What a window adds, W.
    pub window: f64,
    /// Standard error of `window`.
    pub window_error: f64,
    /// Standard error of `idle + window`.
    pub total_error: f64,
    /// Of the design, with columns of unit length.
    pub condition: f64,
}

/// Least squares; `None` for a design without variation.
pub fn fit(rows: &[(f64, f64, f64)]) -> Option<Fit> {
    let sum = |pick: fn(&(f64, f64, f64)) -> f64| rows.iter().map(pick).sum::<f64>();
    let (aa, ab, bb) = (sum(|r| r.0 * r.0), sum(|r| r.0 * r.1), sum(|r| r.1 * r.1));
    let (ay, by) = (sum(|r| r.0 * r.2), sum(|r| r.1 * r.2));
    if rows.len() < LEAST_ROWS || aa <= 0.0 || bb <= 0.0 {
        return None;
    }
    let cosine = (ab / (aa * bb).sqrt()).abs();
    let condition = ((1.0 + cosine) / (1.0 - cosine).max(1e-15)).sqrt();
    let determinant = aa * bb - ab * ab;
    if condition > MOST_CONDITION || determinant <= 0.0 {
        return None;
    }
    let (idle, window) = ((bb * ay - ab * by) / determinant, (aa * by - ab * ay) / determinant);
    let scores: Vec<(f64, f64)> = rows
        .iter()
        .map(|(a, b, y)| {
            let error = y - idle * a - window * b;
            (a * error, b * error)
        })
        .collect();
    let mut meat = [0.0; 3];
    for lag in 0..=LAGS.min(rows.len() - 1) {
        let weight = if lag == 0 { 0.5 } else { 1.0 - lag as f64 / (LAGS + 1) as f64 };
        for (x, y) in scores[lag..].iter().zip(&scores) {
            meat[0] += 2.0 * weight * x.0 * y.0;
            meat[1] += weight * (x.0 * y.1 + x.1 * y.0);
            meat[2] += 2.0 * weight * x.1 * y.1;
        }
    }
    let inverse = [bb / determinant, -ab / determinant, aa / determinant];
    let variance = |u: [f64; 2]| {
        let v = [inverse[0] * u[0] + inverse[1] * u[1], inverse[1] * u[0] + inverse[2] * u[1]];
        (v[0] * v[0] * meat[0] + 2.0 * v[0] * v[1] * meat[1] + v[1] * v[1] * meat[2]).max(0.0)
    };
    Some(Fit {
        idle,
        window,
        window_error: variance([0.0, 1.0]).sqrt(),
        total_error: variance([1.0, 1.0]).sqrt(),
        condition,
    })
}

/// The estimate.
///
/// # Errors
/// [`Unable`] when busy time does not vary from interval to interval, or a power comes out negative.
pub fn estimate(data: &Data<'_>) -> Result<Estimate, Unable> {
    let rows = rows(data);
    let fit = fit(&rows).filter(|fit| fit.window > 0.0 && fit.idle >= 0.0).ok_or_else(|| {
        Unable::new(
            "no-variation",
            "busy time hardly varies from one reading of the sensor to the next, so what a window adds cannot be \
             told from what is always there; log idle time before and after, or pause between windows",
            &[("intervals", rows.len() as f64)],
        )
    })?;
    let t = stats::t_975((rows.len() - 2) as f64).unwrap_or(1.96);
    let with_work = rows.iter().filter(|row| row.1 > 0.0).count();
    if with_work < LEAST_WITH_WORK || fit.window < t * fit.window_error {
        return Err(Unable::new(
            "no-variation",
            format!(
                "only {with_work} intervals of the sensor hold work, or what it adds ({:.2} W) is within its error \
                 ({:.2} W)",
                fit.window,
                t * fit.window_error
            ),
            &[("intervals_with_work", with_work as f64), ("window_w", fit.window)],
        ));
    }
    let count = data.windows.len() as f64;
    let length = data.windows.iter().map(|(a, b)| (b - a) as f64 / 1e9).sum::<f64>() / count;
    let total = (fit.idle + fit.window) * length;
    let (dynamic, half) = (fit.window * length, t * fit.window_error * length);
    let total_half = t * fit.total_error * length;
    Ok(Estimate {
        windows: data.windows.len(),
        total,
        total_ci: Some((total - total_half, total + total_half)),
        dynamic: Some(dynamic),
        dynamic_ci: Some((dynamic - half, dynamic + half)),
        length,
        systematic: 0.0,
        ..Estimate::default()
    })
}

/// `(dt, busy, J)` of the intervals that are no gaps.
fn rows(data: &Data<'_>) -> Vec<(f64, f64, f64)> {
    let (series, windows) = (data.series, data.windows);
    let mut sums = vec![0_i64; windows.len() + 1];
    for (i, (start, end)) in windows.iter().enumerate() {
        sums[i + 1] = sums[i] + (end - start);
    }
    let until = |t: i64| {
        let done = windows.partition_point(|window| window.1 <= t);
        sums[done] + windows.get(done).map_or(0, |window| (t - window.0).max(0))
    };
    let at = |t: i64| {
        let done = windows.partition_point(|window| window.1 <= t);
        windows.get(done).is_some_and(|window| window.0 <= t)
    };
    let gap = series.gap().as_ns();
    let window = series.window().as_ns();
    (1..series.times.len())
        .filter(|i| series.times[*i] - series.times[*i - 1] <= gap)
        .map(|i| {
            let (before, t) = (series.times[i - 1], series.times[i]);
            let dt = (t - before) as f64 / 1e9;
            if series.kind == Kind::Instant {
                // The trapezoid over two instants sees what runs at both, not between them.
                let runs = |t: i64| f64::from(u8::from(at(t)));
                let busy = dt * f64::midpoint(runs(before), runs(t));
                return (dt, busy, f64::midpoint(series.watts[i - 1], series.watts[i]) * dt);
            }
            // A mean over a window is the power of that window, not of the interval.
            let window = if window > 0 { window } else { t - before };
            let share = (until(t) - until(t - window)) as f64 / window as f64;
            (dt, share * dt, series.watts[i] * dt)
        })
        .collect()
}
