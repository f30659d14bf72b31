//! Which values stand apart? Modified z-scores above 3.5 (Iglewicz and Hoaglin 1993).
//!
//! The score is 0.6745 (x − median) / MAD. Where more than half of the values are equal the MAD is 0,
//! and the mean absolute deviation stands in (0.7979 (x − median) / MeanAD).

use super::moments::{mean, quantile};

/// Scores beyond this stand apart.
const LIMIT: f64 = 3.5;
/// Fewest values.
const LEAST: usize = 5;

/// Places of the values that stand apart, in order; none below five values.
pub fn outliers(values: &[f64]) -> Vec<usize> {
    if values.len() < LEAST {
        return Vec::new();
    }
    let median = quantile(values, 0.5).unwrap_or(0.0);
    let deviations: Vec<f64> = values.iter().map(|x| (x - median).abs()).collect();
    let mad = quantile(&deviations, 0.5).unwrap_or(0.0) / 0.6745;
    let scale = if mad > 0.0 { mad } else { mean(&deviations).unwrap_or(0.0) / 0.7979 };
    let apart = |deviation: &f64| scale > 0.0 && deviation / scale > LIMIT;
    deviations.iter().enumerate().filter(|(_, d)| apart(d)).map(|(i, _)| i).collect()
}

#[cfg(test)]
mod tests {
    use super::outliers;

    #[test]
    fn a_slow_first_window_stands_apart() {
        assert_eq!(outliers(&[90.0, 10.0, 11.0, 10.5, 9.8, 10.2]), vec![0]);
        assert_eq!(outliers(&[10.0, 10.0, 10.0, 10.0, 10.0, 99.0]), vec![5]);
        assert!(outliers(&[10.0; 8]).is_empty());
        assert!(outliers(&[1.0, 2.0, 90.0]).is_empty());
    }
}
