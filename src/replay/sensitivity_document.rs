//! The document `nsys-attrib/sensitivity/1`: does measured cost follow measured sparsity?
//!
//! Slopes are relative: 1 is proportional, 0 does not follow. The committed schema is
//! `docs/schema/sensitivity-1.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::Refusal;
use crate::attribution::document::Tool;
use crate::finding::Finding;

/// The id of this version of the document.
pub const SCHEMA: &str = "nsys-attrib/sensitivity/1";

/// Whether cost follows sparsity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sensitivity {
    /// Always `nsys-attrib/sensitivity/1`.
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// The window specification.
    pub spec: String,
    /// The runs, each with its requests.
    pub inputs: Vec<InputAbout>,
    /// Requests with a rate, over all inputs.
    pub requests: usize,
    /// How the rates are distributed, over all inputs; null without any.
    pub rates: Option<Rates>,
    /// Why there is no answer; null when there is one.
    pub refused: Option<Refusal>,
    /// Each cost against the rate.
    pub costs: Vec<CostAgainstRate>,
    /// Costs that could not be tested, and why.
    pub not_tested: Vec<String>,
    /// Seed of the bootstrap of every interval.
    pub seed: u64,
    /// Doubts, the most severe first.
    pub findings: Vec<Finding>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InputAbout {
    /// As it was named.
    pub path: String,
    /// The checkpoint; runs of one checkpoint are one block.
    pub checkpoint: Option<String>,
    /// Windows.
    pub windows: usize,
    /// Windows with a rate.
    pub with_rate: usize,
}

/// A distribution of rates (spikes per place).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rates {
    /// 5th percentile.
    pub p05: f64,
    /// The median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
}

/// A cost against the rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostAgainstRate {
    /// `latency`, `kernel time`, `kernel time of GROUP`, `kernels launched`.
    pub cost: String,
    /// Its median: nanoseconds, or a number of kernels.
    pub median: f64,
    /// Relative slope: 1 is proportional to the rate, 0 does not follow it.
    pub slope: f64,
    /// Its 95 % interval.
    pub slope_ci95: [f64; 2],
    /// Change of the cost when the rate halves, as a part of it: −0.5 when proportional.
    pub when_halved: f64,
    /// Its 95 % interval.
    pub when_halved_ci95: [f64; 2],
    /// `does-not-follow`, `follows-in-part`, `follows`, `cannot-tell`.
    pub verdict: String,
    /// The same in words.
    pub sentence: String,
}
