//! The summary of a sample.

/// Centre, spread and tails of a sample, in the unit of the sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// How many values.
    pub count: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation with n − 1; `None` for a single value.
    pub stddev: Option<f64>,
    /// Smallest value.
    pub min: f64,
    /// 50th percentile.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Largest value.
    pub max: f64,
}

impl Summary {
    /// Summarises whole nanoseconds (or any integers); `None` for an empty sample.
    pub fn of_ints(values: &[i64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        let (first, last) = (*sorted.first()?, *sorted.last()?);
        let count = sorted.len();
        let sum: i128 = sorted.iter().map(|value| i128::from(*value)).sum();
        let mean = sum as f64 / count as f64;
        let squares: f64 = sorted.iter().map(|value| (*value as f64 - mean).powi(2)).sum();
        Some(Self {
            count,
            mean,
            stddev: (count > 1).then(|| (squares / (count - 1) as f64).sqrt()),
            min: first as f64,
            p50: percentile(&sorted, 0.50)?,
            p90: percentile(&sorted, 0.90)?,
            p95: percentile(&sorted, 0.95)?,
            p99: percentile(&sorted, 0.99)?,
            max: last as f64,
        })
    }
}

/// The value below which the fraction `p` (0..1) of a sorted sample lies; `None` when it is empty.
pub fn percentile(sorted: &[i64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let rank = p * last as f64;
    let (below, part) = (rank.floor() as usize, rank.fract());
    let low = sorted[below.min(last)] as f64;
    let high = sorted[(below + 1).min(last)] as f64;
    Some(low + (high - low) * part)
}

/// [`percentile`] of an unsorted sample, in linear time; the sample is rearranged.
pub fn percentile_of(values: &mut [i64], p: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let rank = p * last as f64;
    let (below, part) = (rank.floor() as usize, rank.fract());
    let (_, low, above) = values.select_nth_unstable(below.min(last));
    let low = *low as f64;
    let high = above.iter().min().map_or(low, |high| *high as f64);
    Some(low + (high - low) * part)
}

/// The middle of an unsorted sample, which is rearranged; `None` when it is empty.
pub fn median(values: &mut [i64]) -> Option<f64> {
    percentile_of(values, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_interpolate_between_order_statistics() {
        let summary = Summary::of_ints(&[40, 10, 20, 30]).unwrap();
        assert_eq!((summary.mean, summary.p50, summary.min, summary.max), (25.0, 25.0, 10.0, 40.0));
        assert!((summary.p90 - 37.0).abs() < 1e-12);
        assert!((summary.stddev.unwrap() - (500.0_f64 / 3.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_percentile_does_not_need_the_order() {
        let values = [40, -10, 20, 20, 30, 7, 7, 90, 1];
        for count in 1..=values.len() {
            for percent in 0..=100 {
                let p = f64::from(percent) / 100.0;
                let mut some = values[..count].to_vec();
                let mut sorted = some.clone();
                sorted.sort_unstable();
                assert_eq!(percentile_of(&mut some, p), percentile(&sorted, p));
            }
        }
        assert_eq!(percentile_of(&mut [], 0.5), None);
    }

    #[test]
    fn a_single_value_has_no_spread() {
        let summary = Summary::of_ints(&[7]).unwrap();
        assert_eq!(summary.stddev, None);
        assert_eq!(summary.p99, 7.0);
        assert!(Summary::of_ints(&[]).is_none());
    }
}
