//! How much does a cost follow a rate? A robust slope within blocks, with its bootstrap interval.
//!
//! Model: cost = intercept of the block + slope × rate. Both are taken relative to their medians first, so a slope
//! of 1 means that the cost is proportional to the rate, 0 that it does not follow it. Requests far off count less
//! (Huber's weights, 1.345 robust standard deviations). Every block (a checkpoint) has an intercept of its own:
//! what differs between checkpoints for other reasons is no slope. The interval draws, within each block, runs of
//! consecutive requests as long as their residuals remember one another.

use crate::stats::{Random, SEED, block_length};

/// Huber's constant: 95 % efficient on normal errors.
const HUBER: f64 = 1.345;
/// Turns of the iteration; it stops earlier when the slope stands.
const TURNS: usize = 30;
/// Draws of the bootstrap.
const DRAWS: usize = 1_000;

/// One request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) block: usize,
    pub(crate) rate: f64,
    pub(crate) cost: f64,
}

/// A slope with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Slope {
    /// Relative change of the cost for a relative change of the rate.
    pub(crate) slope: f64,
    /// 95 %.
    pub(crate) interval: [f64; 2],
}

/// The slope through points in time order; `None` when the rate never varies within a block.
pub(crate) fn slope(points: &[Point]) -> Option<Slope> {
    let rate = middle(points.iter().map(|point| point.rate).collect())?;
    let cost = middle(points.iter().map(|point| point.cost).collect())?;
    if rate <= 0.0 || cost <= 0.0 {
        return None;
    }
    let relative: Vec<Point> = points
        .iter()
        .map(|point| Point { rate: point.rate / rate, cost: point.cost / cost, ..*point })
        .collect();
    let (found, residuals) = fit(&relative)?;
    let mut by_block: Vec<(Vec<Point>, usize)> = Vec::new();
    let blocks = relative.iter().map(|point| point.block).max()? + 1;
    for block in 0..blocks {
        let inside = |point: &&Point| point.block == block;
        let own: Vec<Point> = relative.iter().filter(inside).copied().collect();
        let left: Vec<f64> = relative
            .iter()
            .zip(&residuals)
            .filter(|(point, _)| point.block == block)
            .map(|(_, residual)| *residual)
            .collect();
        if !own.is_empty() {
            by_block.push((own, block_length(&left)));
        }
    }
    let mut draws = Random::new(SEED);
    let mut slopes: Vec<f64> = (0..DRAWS)
        .filter_map(|_| fit(&drawn(&by_block, &mut draws)).map(|(slope, _)| slope))
        .collect();
    if slopes.len() < DRAWS / 2 {
        return None;
    }
    slopes.sort_by(f64::total_cmp);
    let cut = slopes.len() / 40;
    Some(Slope { slope: found, interval: [slopes[cut], slopes[slopes.len() - 1 - cut]] })
}

/// As many requests of each block, in runs.
fn drawn(blocks: &[(Vec<Point>, usize)], draws: &mut Random) -> Vec<Point> {
    let mut all = Vec::new();
    for (points, run) in blocks {
        let from = all.len();
        while all.len() - from < points.len() {
            let start = draws.below(points.len() - run + 1);
            let take = (*run).min(points.len() - (all.len() - from));
            all.extend_from_slice(&points[start..start + take]);
        }
    }
    all
}

/// Huber's slope with an intercept for each block, and the residuals.
fn fit(points: &[Point]) -> Option<(f64, Vec<f64>)> {
    let mut weights = vec![1.0; points.len()];
    let mut last = f64::NAN;
    for _ in 0..TURNS {
        let (slope, residuals) = weighted(points, &weights)?;
        if (slope - last).abs() < 1e-9 {
            return Some((slope, residuals));
        }
        last = slope;
        let spread = 1.4826 * middle(residuals.iter().map(|of| of.abs()).collect())?;
        if spread <= 1e-12 {
            return Some((slope, residuals));
        }
        for (weight, residual) in weights.iter_mut().zip(&residuals) {
            let off = residual.abs() / spread;
            *weight = if off <= HUBER { 1.0 } else { HUBER / off };
        }
    }
    weighted(points, &weights)
}

fn weighted(points: &[Point], weights: &[f64]) -> Option<(f64, Vec<f64>)> {
    let blocks = points.iter().map(|point| point.block).max()? + 1;
    let mut sums = vec![(0.0, 0.0, 0.0); blocks];
    for (point, weight) in points.iter().zip(weights) {
        let sum = &mut sums[point.block];
        sum.0 += weight;
        sum.1 += weight * point.rate;
        sum.2 += weight * point.cost;
    }
    let centre = |block: usize| (sums[block].1 / sums[block].0, sums[block].2 / sums[block].0);
    let (mut product, mut square) = (0.0, 0.0);
    for (point, weight) in points.iter().zip(weights) {
        let (rate, cost) = centre(point.block);
        product += weight * (point.rate - rate) * (point.cost - cost);
        square += weight * (point.rate - rate).powi(2);
    }
    if square <= 1e-12 {
        return None;
    }
    let slope = product / square;
    let residuals = points
        .iter()
        .map(|point| {
            let (rate, cost) = centre(point.block);
            point.cost - cost - slope * (point.rate - rate)
        })
        .collect();
    Some((slope, residuals))
}

/// The middle of some numbers.
pub(crate) fn middle(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some(f64::midpoint(values[last / 2], values[last.div_ceil(2)]))
}

/// Pearson's correlation; `None` when one of them does not vary.
pub(crate) fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let count = a.len().min(b.len()) as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / count, b.iter().sum::<f64>() / count);
    let sum = |f: &dyn Fn(f64, f64) -> f64| {
        a.iter().zip(b).map(|(x, y)| f(x - mean_a, y - mean_b)).sum::<f64>()
    };
    let (squares_a, squares_b) = (sum(&|x, _| x * x), sum(&|_, y| y * y));
    let both = (squares_a * squares_b).sqrt();
    (both > 0.0).then(|| sum(&|x, y| x * y) / both)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number between −1 and 1, nearly normal.
    fn noise(draws: &mut Random) -> f64 {
        (0..6).map(|_| draws.below(2_001) as f64 / 1_000.0 - 1.0).sum::<f64>() / 2.45
    }

    fn points(draws: &mut Random, count: usize, slope: f64) -> Vec<Point> {
        (0..count)
            .map(|_| {
                let rate = 0.2 + 0.1 * noise(draws).clamp(-1.5, 1.5);
                let mut cost = 100.0 * (1.0 - slope + slope * rate / 0.2) + noise(draws);
                if draws.below(25) == 0 {
                    cost += 60.0;
                }
                Point { block: 0, rate, cost }
            })
            .collect()
    }

    #[test]
    fn the_slope_is_found_whatever_a_few_requests_do() {
        for slope in [0.0, 0.5, 1.0] {
            let found = super::slope(&points(&mut Random::new(7), 200, slope)).unwrap();
            assert!((found.slope - slope).abs() < 0.05, "{slope}: {found:?}");
            assert!(found.interval[0] <= found.slope && found.slope <= found.interval[1]);
        }
    }

    #[test]
    fn the_interval_covers_as_often_as_it_says() {
        let covered = (0..60)
            .filter(|seed| {
                let points = points(&mut Random::new(1_000 + seed), 60, 0.3);
                let [low, high] = super::slope(&points).unwrap().interval;
                // 30 per 0.2 of rate, relative to the medians of this sample.
                let rate = middle(points.iter().map(|point| point.rate).collect()).unwrap();
                let cost = middle(points.iter().map(|point| point.cost).collect()).unwrap();
                (low..=high).contains(&(150.0 * rate / cost))
            })
            .count();
        assert!(covered >= 52, "{covered} of 60");
    }

    #[test]
    fn what_differs_between_checkpoints_is_no_slope() {
        // Sparser checkpoints are faster for another reason; within each, nothing follows the rate.
        let mut draws = Random::new(3);
        let mut all = Vec::new();
        for block in 0..3 {
            for _ in 0..60 {
                let rate = 0.1 + 0.1 * block as f64 + 0.02 * noise(&mut draws);
                all.push(Point {
                    block,
                    rate,
                    cost: 100.0 + 40.0 * block as f64 + noise(&mut draws),
                });
            }
        }
        let found = super::slope(&all).unwrap();
        assert!(found.slope.abs() < 0.1, "{found:?}");
        let pooled: Vec<Point> = all.iter().map(|point| Point { block: 0, ..*point }).collect();
        assert!(super::slope(&pooled).unwrap().slope > 0.4);
    }

    #[test]
    fn a_rate_that_never_varies_has_no_slope() {
        let flat: Vec<Point> =
            (0..50).map(|i| Point { block: 0, rate: 0.2, cost: f64::from(i) + 1.0 }).collect();
        assert_eq!(super::slope(&flat), None);
        assert_eq!(correlation(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]), Some(1.0));
    }
}
