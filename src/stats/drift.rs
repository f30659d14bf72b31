//! Does a series drift, and from where on is it steady?
//!
//! Drift: the Mann–Kendall test (Kendall's tau of value against place, normal approximation with ties)
//! and the Theil–Sen slope, the median of all pairwise slopes. Neighbours that are alike make the test
//! call too many drifts real: its p is one of independent windows, and is only shown together with the
//! size of the drift. Steady state: MSER (White 1997), the cut in the first half after which the
//! standard error of the mean of the rest is smallest.

use statrs::distribution::{ContinuousCDF, Normal};

use super::moments::{mean, quantile, variance};

/// Fewest values for either.
pub(super) const LEAST: usize = 8;
/// Below this the drift is called real.
pub const LEVEL: f64 = 0.01;
/// Pairs beyond this many values are thinned, so that a long series stays quick.
const MOST: usize = 1_000;

/// A trend in a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// Probability of a trend as strong in a series without one (Mann–Kendall).
    pub p: f64,
    /// Change per value (Theil–Sen).
    pub slope: f64,
    /// Change from the first value to the last, at that slope, over the median.
    pub relative: f64,
}

/// The trend of a series; `None` below eight values.
pub fn drift(values: &[f64]) -> Option<Drift> {
    if values.len() < LEAST {
        return None;
    }
    let step = values.len().div_ceil(MOST);
    let places: Vec<usize> = (0..values.len()).step_by(step).collect();
    let n = places.len() as f64;
    let mut score = 0.0;
    let mut slopes = Vec::new();
    for (i, &from) in places.iter().enumerate() {
        for &to in &places[i + 1..] {
            let rise = values[to] - values[from];
            score += if rise > 0.0 { 1.0 } else { f64::from(-i8::from(rise < 0.0)) };
            slopes.push(rise / (to - from) as f64);
        }
    }
    let mut sorted: Vec<f64> = places.iter().map(|place| values[*place]).collect();
    sorted.sort_by(f64::total_cmp);
    let ties: f64 = sorted
        .chunk_by(|a, b| a == b)
        .map(|tie| tie.len() as f64)
        .map(|t| t * (t - 1.0) * (2.0 * t + 5.0))
        .sum();
    let spread = ((n * (n - 1.0) * (2.0 * n + 5.0) - ties) / 18.0).sqrt();
    // A step of the score is 2; half of it is taken off, as for any count.
    let z = if spread > 0.0 { (score.abs() - 1.0).max(0.0) / spread } else { 0.0 };
    let slope = quantile(&slopes, 0.5)?;
    let median = quantile(values, 0.5).filter(|median| *median != 0.0)?;
    Some(Drift {
        p: 2.0 * (1.0 - Normal::standard().cdf(z)),
        slope,
        relative: slope * (values.len() - 1) as f64 / median,
    })
}

/// How many values at the beginning to leave out so that the rest is steady (MSER); `None` below eight
/// values. 0 when the beginning is like the rest.
pub fn steady_from(values: &[f64]) -> Option<usize> {
    if values.len() < LEAST {
        return None;
    }
    let error = |cut: usize| {
        let rest = &values[cut..];
        Some(variance(rest)? / rest.len() as f64)
    };
    let best = (0..=values.len() / 2)
        .filter_map(|cut| Some((cut, error(cut)?)))
        .min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)))?;
    // A cut that hardly helps, or that takes off what is like the rest, is none.
    let gained = error(0)? > 1.5 * best.1;
    let (head, rest) = values.split_at(best.0);
    let apart = mean(head).zip(mean(rest)).is_some_and(|(head, rest)| {
        let spread = variance(values).map_or(0.0, f64::sqrt);
        (head - rest).abs() > spread
    });
    Some(if gained && apart { best.0 } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Random;

    fn noise(seed: u64, n: usize) -> Vec<f64> {
        let mut random = Random::new(seed);
        (0..n).map(|_| 100.0 + random.normal()).collect()
    }

    #[test]
    fn a_slow_climb_is_seen_and_noise_is_not() {
        let climb: Vec<f64> =
            noise(1, 60).iter().enumerate().map(|(i, x)| x + 0.1 * i as f64).collect();
        let found = drift(&climb).unwrap();
        assert!(found.p < 1e-6 && (found.slope - 0.1).abs() < 0.03, "{found:?}");
        // Of a hundred series without a trend, about one is called one at the level of 1 %.
        let called = (0..100).filter(|seed| drift(&noise(*seed, 30)).unwrap().p < LEVEL).count();
        assert!(called <= 4, "{called}");
        assert_eq!(drift(&[1.0; 7]), None);
    }

    #[test]
    fn kendall_agrees_with_a_worked_example() {
        // scipy.stats.kendalltau of 1..10 without ties gives S = 45: z = 44 / sqrt(125).
        let rising: Vec<f64> = (1..=10).map(f64::from).collect();
        let expected = 2.0 * (1.0 - Normal::standard().cdf(44.0 / 125.0_f64.sqrt()));
        assert!((drift(&rising).unwrap().p - expected).abs() < 1e-12);
    }

    #[test]
    fn warm_up_ends_where_the_series_is_steady() {
        let mut values = noise(3, 40);
        for (i, extra) in [80.0, 40.0, 20.0].into_iter().enumerate() {
            values[i] += extra;
        }
        // What warmed up is left out; a value or two of the noise may go with it.
        let from = steady_from(&values).unwrap();
        assert!((3..=5).contains(&from), "{from}");
        let cut = (0..50).filter(|seed| steady_from(&noise(*seed, 40)) != Some(0)).count();
        assert!(cut <= 2, "{cut}");
    }
}
