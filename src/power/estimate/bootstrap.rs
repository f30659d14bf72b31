//! Moving-block bootstrap of the mean of a series, with a fixed seed.

use crate::stats::Random;
pub use crate::stats::SEED;

/// Resamples.
const RESAMPLES: usize = 2_000;

/// Percentile interval (95 %) of the mean, from blocks of `length` consecutive values; `None` below two
/// blocks.
pub fn mean_interval(values: &[f64], length: usize) -> Option<(f64, f64)> {
    let length = length.max(1);
    if values.len() < 2 * length {
        return None;
    }
    let mut sums = vec![0.0; values.len() + 1];
    for (i, value) in values.iter().enumerate() {
        sums[i + 1] = sums[i] + value;
    }
    let starts = (values.len() - length + 1) as u64;
    let blocks = values.len().div_ceil(length);
    let mut random = Random::new(SEED);
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let sum: f64 = (0..blocks)
                .map(|_| {
                    let start = (random.bits() % starts) as usize;
                    sums[start + length] - sums[start]
                })
                .sum();
            sum / (blocks * length) as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| means[((RESAMPLES - 1) as f64 * share).round() as usize];
    Some((at(0.025), at(0.975)))
}

#[cfg(test)]
mod tests {
    use super::mean_interval;

    #[test]
    fn i20_a_constant_series_has_no_width() {
        let (low, high) = mean_interval(&[5.0; 1000], 20).unwrap();
        assert!((low - 5.0).abs() < 1e-9 && (high - 5.0).abs() < 1e-9);
        assert_eq!(mean_interval(&[5.0; 3], 2), None);
    }
}
