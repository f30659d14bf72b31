//! Quantiles of Fisher's F distribution.

use statrs::distribution::{ContinuousCDF, FisherSnedecor};

/// The value that a ratio of two variances with `above` and `below` degrees of freedom exceeds with
/// probability 1 % when both estimate the same; `None` without degrees of freedom.
pub fn f_99(above: f64, below: f64) -> Option<f64> {
    FisherSnedecor::new(above, below).ok().map(|f| f.inverse_cdf(0.99))
}

#[cfg(test)]
mod tests {
    use super::f_99;

    #[test]
    fn quantiles_of_the_tables() {
        assert!((f_99(10.0, 100.0).unwrap() - 2.503).abs() < 1e-3);
        assert!((f_99(4.0, 20.0).unwrap() - 4.431).abs() < 1e-3);
        assert_eq!(f_99(0.0, 3.0), None);
    }
}
