//! How does Adam's rate change over a training?

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// A course of the rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Multiplied by `factor` every `every` epochs (StepLR), as published.
    Step {
        /// Epochs between two changes.
        every: usize,
        /// What the rate is multiplied by.
        factor: f64,
    },
    /// Up from 1/25 of the largest rate over the first 30 % of all steps and down to 1/250,000 of it, both
    /// along half a cosine.
    OneCycle,
}

impl Schedule {
    /// The rate of step `step` (from 0) of `total`, in epoch `epoch` (from 0).
    #[must_use]
    pub fn rate(self, rate: f64, step: usize, epoch: usize, total: usize) -> f64 {
        match self {
            Self::Step { every, factor } => {
                let changes = i32::try_from(epoch / every.max(1)).unwrap_or(i32::MAX);
                rate * factor.powi(changes)
            }
            Self::OneCycle => {
                let at = step as f64;
                let peak = (0.3 * total as f64 - 1.0).max(1.0);
                let end = (total as f64 - 1.0).max(peak + 1.0);
                if at <= peak {
                    between(rate / 25.0, rate, at / peak)
                } else {
                    between(rate, rate / 250_000.0, (at - peak) / (end - peak))
                }
            }
        }
    }
}

fn between(from: f64, to: f64, share: f64) -> f64 {
    to + (from - to) / 2.0 * (1.0 + (PI * share.min(1.0)).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cycle_starts_low_peaks_once_and_ends_lowest() {
        let rates: Vec<f64> =
            (0..1350).map(|i| Schedule::OneCycle.rate(4e-3, i, 0, 1350)).collect();
        let peak = rates.iter().copied().fold(0.0, f64::max);
        assert!((rates[0] - 1.6e-4).abs() < 1e-12 && (peak - 4e-3).abs() < 1e-12);
        assert!((rates[404] - peak).abs() < 1e-9 && (rates[1349] - 1.6e-8).abs() < 1e-12);
    }

    #[test]
    fn steps_halve() {
        let step = Schedule::Step { every: 50, factor: 0.5 };
        assert_eq!([0, 49, 50, 149].map(|e| step.rate(1.0, 0, e, 1)), [1.0, 1.0, 0.5, 0.25]);
    }
}
