//! From power over time to the energy of a window, with an interval that means something.
//!
//! | estimator | uses | needs |
//! |---|---|---|
//! | [`direct`] | each window's own integral | windows of at least 5 effective periods |
//! | [`block`] | many windows in a row, divided | trains that hold 5 blocks of 10 effective periods |
//! | [`samples`] | instants that fall into windows | readings whose phase is independent of the work |
//! | [`regression`] | intervals of the sensor against busy time | variation in busy time |
//!
//! What none of them can say about a sensor that is slower than the windows: the energy of one named
//! window, its distribution, the power within a phase of it.

pub mod block;
pub mod direct;
pub mod phase;
pub mod regression;
pub mod samples;
mod sparse;

use super::idle::Idle;
use super::series::Series;
use crate::stats;

/// How an energy is estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Estimator {
    /// Each window's own integral.
    Direct,
    /// Totals of blocks of windows.
    Block,
    /// Readings inside windows.
    Samples,
    /// Regression of the sensor's intervals on busy time.
    Regression,
}

impl Estimator {
    /// All, from strong to weak.
    pub const ALL: [Self; 4] = [Self::Direct, Self::Block, Self::Samples, Self::Regression];

    /// Its name on the command line and in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Block => "block",
            Self::Samples => "samples",
            Self::Regression => "regression",
        }
    }
}

/// What the estimators work on. Times in unix ns.
#[derive(Clone, Copy, Debug)]
pub struct Data<'a> {
    /// The readings.
    pub series: &'a Series,
    /// The windows, in time order.
    pub windows: &'a [(i64, i64)],
    /// Idle power, when there is some.
    pub idle: Option<&'a Idle>,
    /// Standard uncertainty of the alignment, ns.
    pub sigma_ns: i64,
    /// Below this share of integrated time a span is not used.
    pub min_coverage: f64,
}

/// An estimate, in J and W.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Windows that entered.
    pub windows: usize,
    /// Mean energy per window.
    pub total: f64,
    /// 95 % interval.
    pub total_ci: Option<(f64, f64)>,
    /// The same above idle.
    pub dynamic: Option<f64>,
    /// 95 % interval.
    pub dynamic_ci: Option<(f64, f64)>,
    /// Mean length of the windows that entered, s.
    pub length: f64,
    /// Systematic part that comes from the method, J.
    pub systematic: f64,
    /// Integrated share of the time.
    pub coverage: Option<f64>,
    /// Blocks.
    pub blocks: Option<usize>,
    /// Windows' share of the blocks.
    pub duty: Option<f64>,
    /// The phase test.
    pub phase_p: Option<f64>,
}

/// Why an estimator gives nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Unable {
    /// Stable code.
    pub code: &'static str,
    /// In a sentence.
    pub message: String,
    /// Numbers by name.
    pub evidence: Vec<(&'static str, f64)>,
}

impl Unable {
    /// A refusal.
    pub fn new(
        code: &'static str,
        message: impl Into<String>,
        evidence: &[(&'static str, f64)],
    ) -> Self {
        Self { code, message: message.into(), evidence: evidence.to_vec() }
    }
}

/// The squared error of a mean, and the degrees of freedom with which it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Spread {
    variance: f64,
    freedom: f64,
}

impl Spread {
    /// Of the mean of units that are alike; `None` below two.
    fn of(units: &[f64]) -> Option<Self> {
        let count = units.len() as f64;
        let mean = mean(units);
        let squares: f64 = units.iter().map(|unit| (unit - mean).powi(2)).sum();
        let freedom = count - 1.0;
        (units.len() > 1).then(|| Self { variance: squares / freedom / count, freedom })
    }

    /// The 95 % interval of a mean with this error and an independent one that all units share: Student's
    /// t, degrees of freedom after Welch and Satterthwaite.
    fn interval(self, mean: f64, shared_error: f64, shared_freedom: f64) -> Option<(f64, f64)> {
        let shared = shared_error.powi(2);
        let sum = self.variance + shared;
        if sum <= 0.0 {
            return Some((mean, mean));
        }
        let parts = self.variance.powi(2) / self.freedom + shared.powi(2) / shared_freedom.max(1.0);
        let half = stats::t_975(sum.powi(2) / parts)? * sum.sqrt();
        Some((mean - half, mean + half))
    }
}

fn mean(units: &[f64]) -> f64 {
    units.iter().sum::<f64>() / units.len() as f64
}
