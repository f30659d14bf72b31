//! Quantiles of Student's t distribution.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The value that a t variable with `freedom` degrees exceeds with probability 2.5 %; `None` without a
/// degree of freedom.
pub fn t_975(freedom: f64) -> Option<f64> {
    StudentsT::new(0.0, 1.0, freedom).ok().map(|t| t.inverse_cdf(0.975))
}

#[cfg(test)]
mod tests {
    use super::t_975;

    #[test]
    fn quantiles_of_the_tables() {
        assert!((t_975(4.0).unwrap() - 2.776_445).abs() < 1e-5);
        assert!((t_975(9.0).unwrap() - 2.262_157).abs() < 1e-5);
        assert_eq!(t_975(0.0), None);
    }
}
