//! A number, its interval, and how the interval was made.

use super::random::SEED;

/// Fewer units than this: Student's t; as many or more: the bootstrap.
pub const BOOTSTRAP_FROM: usize = 20;
/// Resamples of every bootstrap.
pub const RESAMPLES: usize = 4_000;

/// A point estimate with its 95 % interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimated {
    /// The point estimate.
    pub value: f64,
    /// Its 95 % interval; `None` when there are too few units.
    pub ci95: Option<[f64; 2]>,
    /// How the interval was made, or why there is none.
    pub method: String,
}

impl Estimated {
    /// The same with value and bounds mapped by a rising function.
    #[must_use]
    pub fn map(self, f: impl Fn(f64) -> f64) -> Self {
        Self {
            value: f(self.value),
            ci95: self.ci95.map(|[low, high]| [f(low), f(high)]),
            method: self.method,
        }
    }
}

/// How a bootstrap is named: with the number of resamples and the seed.
pub(super) fn resampled() -> String {
    format!("{RESAMPLES} resamples, seed {SEED:#x}")
}
