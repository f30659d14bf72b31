//! How large is a difference beside the spread? Hedges' g.

use super::moments::{mean, variance};

/// The difference of the means in pooled standard deviations, corrected for few units (Hedges 1981);
/// `None` below two units a side or without spread.
pub fn hedges_g(a: &[f64], b: &[f64]) -> Option<f64> {
    let (of_a, of_b) = (variance(a)?, variance(b)?);
    let (free_a, free_b) = (a.len() as f64 - 1.0, b.len() as f64 - 1.0);
    let freedom = free_a + free_b;
    let pooled = ((free_a * of_a + free_b * of_b) / freedom).sqrt();
    let correction = 1.0 - 3.0 / (4.0 * freedom - 1.0);
    (pooled > 0.0).then_some((mean(b)? - mean(a)?) / pooled * correction)
}

#[cfg(test)]
mod tests {
    use super::hedges_g;

    #[test]
    fn a_shift_by_one_deviation_is_about_one() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0];
        let b = [3.0, 4.0, 5.0, 6.0, 7.0];
        // 2 / 1.5811 × (1 − 3/31) = 1.1425.
        assert!((hedges_g(&a, &b).unwrap() - 1.1425).abs() < 1e-3);
        assert_eq!(hedges_g(&[1.0, 1.0], &[2.0, 2.0]), None);
        assert_eq!(hedges_g(&[1.0], &b), None);
    }
}
