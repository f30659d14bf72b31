//! Group b against group a: differences and ratios with their intervals.
//!
//! The values are one for each unit (a trace, or a window when there is one trace a side). Below
//! [`BOOTSTRAP_FROM`] units a side the interval is Student's t, from there the BCa bootstrap. Ratios are
//! taken on logarithms: the ratio of geometric means.

use super::bca::{bca_difference, bca_mean};
use super::estimate::{BOOTSTRAP_FROM, Estimated};
use super::moments::logs;
use super::student::{t_difference, t_mean};

/// How the units of two groups belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// The i-th of one with the i-th of the other: only the differences within pairs count.
    Paired,
    /// Not at all.
    Independent,
}

/// Mean of a group.
pub fn centre(values: &[f64]) -> Option<Estimated> {
    if values.len() < BOOTSTRAP_FROM { t_mean(values) } else { bca_mean(values) }
}

/// Mean of `b` minus mean of `a`; `None` when one is empty, or pairs are asked for and do not come out.
pub fn difference(a: &[f64], b: &[f64], pairing: Pairing) -> Option<Estimated> {
    match pairing {
        Pairing::Paired if a.len() != b.len() => None,
        Pairing::Paired => {
            let within: Vec<f64> = a.iter().zip(b).map(|(a, b)| b - a).collect();
            let mut found = centre(&within)?;
            found.method = found.method.replace(" units", " pairs");
            Some(found)
        }
        Pairing::Independent if a.len().min(b.len()) < BOOTSTRAP_FROM => t_difference(a, b),
        Pairing::Independent => bca_difference(a, b),
    }
}

/// Geometric mean of `b` over that of `a`; `None` also when a value is not positive.
pub fn ratio(a: &[f64], b: &[f64], pairing: Pairing) -> Option<Estimated> {
    let mut found = difference(&logs(a)?, &logs(b)?, pairing)?.map(f64::exp);
    if found.ci95.is_some() {
        found.method += ", on logarithms";
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_see_through_what_both_sides_share() {
        let a = [10.0, 20.0, 30.0, 40.0, 50.0];
        let b: Vec<f64> = a.iter().zip([1.1, 0.9, 1.0, 1.2, 0.8]).map(|(a, d)| a + d).collect();
        let paired = difference(&a, &b, Pairing::Paired).unwrap().ci95.unwrap();
        let independent = difference(&a, &b, Pairing::Independent).unwrap().ci95.unwrap();
        assert!(paired[0] > 0.7 && paired[1] < 1.3, "{paired:?}");
        assert!(independent[0] < -20.0 && independent[1] > 20.0, "{independent:?}");
        assert!(difference(&a, &b[1..], Pairing::Paired).is_none());
    }

    #[test]
    fn ratios_are_of_geometric_means() {
        let found = ratio(&[1.0, 4.0], &[2.0, 8.0], Pairing::Paired).unwrap();
        assert!((found.value - 2.0).abs() < 1e-12 && found.method.ends_with("on logarithms"));
        assert!(ratio(&[1.0, 0.0], &[2.0, 8.0], Pairing::Independent).is_none());
    }
}
