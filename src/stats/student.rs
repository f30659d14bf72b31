//! Intervals from Student's t distribution: means, differences of means.
//!
//! One sample: mean ± t(n − 1) s/√n. Two independent samples: Welch's t, which does not ask for equal
//! spread. Where one side is a single unit its spread is taken from the other: the two are then assumed
//! to spread alike, and the method says so.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::estimate::Estimated;
use super::moments::{mean, variance};

/// The value that a t variable with `freedom` degrees exceeds with probability 2.5 %; `None` without a
/// degree of freedom.
pub fn t_975(freedom: f64) -> Option<f64> {
    StudentsT::new(0.0, 1.0, freedom).ok().map(|t| t.inverse_cdf(0.975))
}

/// Mean of a sample; `None` when it is empty.
pub fn t_mean(values: &[f64]) -> Option<Estimated> {
    let value = mean(values)?;
    let n = values.len();
    let half = variance(values)
        .zip(t_975(n as f64 - 1.0))
        .map(|(variance, t)| t * (variance / n as f64).sqrt());
    Some(Estimated {
        value,
        ci95: half.map(|half| [value - half, value + half]),
        method: if half.is_some() {
            format!("Student's t, {n} units")
        } else {
            "no interval: one unit".to_owned()
        },
    })
}

/// Mean of `b` minus mean of `a`, independent samples; `None` when one is empty.
pub fn t_difference(a: &[f64], b: &[f64]) -> Option<Estimated> {
    let value = mean(b)? - mean(a)?;
    let (error, freedom, method) = match (variance(a), variance(b)) {
        (Some(of_a), Some(of_b)) => {
            let (of_a, of_b) = (of_a / a.len() as f64, of_b / b.len() as f64);
            let error = of_a + of_b;
            let parts =
                of_a.powi(2) / (a.len() as f64 - 1.0) + of_b.powi(2) / (b.len() as f64 - 1.0);
            // Two constant samples have no spread and any freedom.
            let freedom = if parts > 0.0 { error.powi(2) / parts } else { 1.0 };
            (error, freedom, format!("Welch's t, {} and {} units", a.len(), b.len()))
        }
        (Some(spread), None) | (None, Some(spread)) => {
            let error = spread / a.len() as f64 + spread / b.len() as f64;
            let method = format!(
                "Student's t, {} and {} units; the single unit is taken to spread like the other side",
                a.len(),
                b.len()
            );
            (error, (a.len() + b.len()) as f64 - 2.0, method)
        }
        (None, None) => {
            let method = "no interval: one unit a side".to_owned();
            return Some(Estimated { value, ci95: None, method });
        }
    };
    let ci95 = t_975(freedom).map(|t| [value - t * error.sqrt(), value + t * error.sqrt()]);
    Some(Estimated { value, ci95, method })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_the_tables() {
        assert!((t_975(4.0).unwrap() - 2.776_445).abs() < 1e-5);
        assert!((t_975(9.0).unwrap() - 2.262_157).abs() < 1e-5);
        assert_eq!(t_975(0.0), None);
    }

    #[test]
    fn welch_agrees_with_a_worked_example() {
        // scipy.stats.ttest_ind(b, a, equal_var=False).confidence_interval(): df 7.050.
        let a = [16_865_204.0, 16_999_021.0, 17_016_069.0, 16_988_062.0, 17_003_008.0];
        let b = [17_122_715.0, 17_119_389.0, 17_067_577.0, 17_068_970.0, 17_021_531.0];
        let found = t_difference(&a, &b).unwrap();
        let [low, high] = found.ci95.unwrap();
        assert!((found.value - 105_763.6).abs() < 0.1, "{found:?}");
        assert!((low - 26_847.0).abs() < 150.0 && (high - 184_680.0).abs() < 150.0, "{found:?}");
    }

    #[test]
    fn single_units_have_no_interval_or_borrow_a_spread() {
        assert_eq!(t_mean(&[5.0]).unwrap().ci95, None);
        assert_eq!(t_difference(&[5.0], &[6.0]).unwrap().ci95, None);
        let borrowed = t_difference(&[5.0, 6.0, 7.0], &[9.0]).unwrap();
        let half = t_975(2.0).unwrap() * (1.0_f64 / 3.0 + 1.0).sqrt();
        assert!((borrowed.ci95.unwrap()[0] - (3.0 - half)).abs() < 1e-9);
        assert!(t_mean(&[]).is_none());
    }
}
