//! By how much power follows the GPU's busy time, from the shapes of both.
//!
//! `r(d) = corr(P(t + d), b(t))` over shifts d; the busy fraction b is averaged over the sensor's window
//! first, else d would come out half a window too long. A strictly periodic load makes r periodic: its
//! peaks are aliases, and a correlation whose second peak is nearly as high is refused. The grid is a
//! quarter of the sensor's period, the peak is refined by a parabola; direct sums, since a grid of
//! 20,000 points and 4,000 shifts takes a tenth of a second.

use crate::power::series::Series;
use crate::units::Nanos;

/// Below this the shapes do not agree.
const LEAST_R: f64 = 0.6;
/// The highest peak must stand out by this factor.
const LEAST_RATIO: f64 = 1.2;
/// Products of power and busy fraction that are formed, at most.
const MOST_PRODUCTS: i64 = 50_000_000;
/// Points of the busy grid, at most.
const MOST_POINTS: i64 = 20_000;
/// Points of a shift that the log must cover, as a share.
const LEAST_COVERED: f64 = 0.8;
/// How much of what surrounds the work is looked at, ns.
const MARGIN: i64 = 2_000_000_000;
/// The finest grid, ns.
const FINEST: i64 = 1_000_000;

/// The result of a correlation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correlation {
    /// By how much power comes later than work.
    pub lag: Nanos,
    /// The correlation there.
    pub r_max: f64,
    /// The next peak's correlation, where there is one.
    pub second: Option<f64>,
    /// Distance of two shifts that were tried.
    pub step: Nanos,
}

impl Correlation {
    /// Whether the lag may be believed.
    pub fn is_clear(self) -> bool {
        self.r_max > LEAST_R
            && self.second.is_none_or(|second| second <= 0.0 || self.r_max / second > LEAST_RATIO)
    }
}

/// A rail against disjoint busy spans (ns, in order), at shifts from `shifts.0` to `shifts.1` ns; `None`
/// when either does not vary, or the log covers too little.
pub fn correlate(series: &Series, busy: &[(i64, i64)], shifts: (i64, i64)) -> Option<Correlation> {
    let grid = Grid::of(series, busy, shifts)?;
    let r: Vec<f64> = (grid.least..=grid.most).map(|d| grid.r_at(d)).collect();
    let best = (0..r.len()).max_by(|a, b| r[*a].total_cmp(&r[*b]))?;
    if !r[best].is_finite() || r[best] <= 0.0 {
        return None;
    }
    let is_peak = |i: usize| i > 0 && i + 1 < r.len() && r[i] > r[i - 1] && r[i] >= r[i + 1];
    let second =
        (0..r.len()).filter(|i| is_peak(*i) && i.abs_diff(best) > 1).map(|i| r[i]).reduce(f64::max);
    let steps = grid.least as f64 + best as f64 + parabola(&r, best);
    Some(Correlation {
        lag: Nanos::from_ns((steps * grid.step as f64).round() as i64),
        r_max: r[best],
        second,
        step: Nanos::from_ns(grid.step),
    })
}

/// Both signals at equal distances. `power[i]` lies `least` steps after `busy[i]`.
struct Grid {
    step: i64,
    least: i64,
    most: i64,
    busy: Vec<f64>,
    power: Vec<Option<f64>>,
}

impl Grid {
    fn of(series: &Series, busy: &[(i64, i64)], shifts: (i64, i64)) -> Option<Self> {
        let (from, to) = (busy.first()?.0 - MARGIN, busy.last()?.1 + MARGIN);
        let (length, range) = (to - from, (shifts.1 - shifts.0).max(1));
        let products = ((length as f64) * (range as f64) / MOST_PRODUCTS as f64).sqrt() as i64;
        let step =
            (series.period().as_ns() / 4).max(FINEST).max(length / MOST_POINTS).max(products);
        let points = length / step;
        let (least, most) = (shifts.0.div_euclid(step), shifts.1.div_euclid(step) + 1);
        let window = series.window().as_ns().max(step);
        let at = |i: i64| from + i * step;
        let power: Vec<Option<f64>> = (least..points + most).map(|i| series.at(at(i))).collect();
        Some(Self { step, least, most, busy: fractions(busy, from, step, points, window), power })
    }

    /// Correlation of the power `d` steps later with the busy fraction; NaN where the log does not reach.
    fn r_at(&self, d: i64) -> f64 {
        let from = (d - self.least) as usize;
        let pairs =
            || self.power[from..].iter().zip(&self.busy).filter_map(|(p, b)| Some(((*p)?, *b)));
        let (mut count, mut sum_p, mut sum_b) = (0.0, 0.0, 0.0);
        for (p, b) in pairs() {
            count += 1.0;
            sum_p += p;
            sum_b += b;
        }
        if count < LEAST_COVERED * self.busy.len() as f64 || count < 8.0 {
            return f64::NEG_INFINITY;
        }
        let (mean_p, mean_b) = (sum_p / count, sum_b / count);
        let (mut cross, mut pp, mut bb) = (0.0, 0.0, 0.0);
        for (p, b) in pairs() {
            cross += (p - mean_p) * (b - mean_b);
            pp += (p - mean_p).powi(2);
            bb += (b - mean_b).powi(2);
        }
        if pp > 0.0 && bb > 0.0 { cross / (pp * bb).sqrt() } else { 0.0 }
    }
}

/// The vertex of the parabola through a peak and its neighbours, in steps from the peak.
pub(super) fn parabola(r: &[f64], at: usize) -> f64 {
    if at == 0 || at + 1 >= r.len() {
        return 0.0;
    }
    let (a, b, c) = (r[at - 1], r[at], r[at + 1]);
    let bend = a - 2.0 * b + c;
    if bend < 0.0 && bend.is_finite() { (0.5 * (a - c) / bend).clamp(-0.5, 0.5) } else { 0.0 }
}

/// Share of `[t − window, t)` that is busy, at each grid point.
fn fractions(busy: &[(i64, i64)], from: i64, step: i64, points: i64, window: i64) -> Vec<f64> {
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
            let t = from + i * step;
            (until(t) - until(t - window)) as f64 / window as f64
        })
        .collect()
}
