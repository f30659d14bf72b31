//! The document `nsys-attrib/comparison/1`: group B against group A, every number with its interval.
//!
//! A is what was before (the base), B what is looked at: a positive difference means that B has more.
//! Times of a decomposition are integer nanoseconds that add up exactly; estimates are real numbers in
//! the unit that stands beside them (`ns`, `share`, `count`, `mj`, `mw`). Missing is null, never 0. The
//! committed schema is `docs/schema/comparison-1.json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attribution::document::Tool;
use crate::attribution::provenance::ClassFile;
use crate::finding::Finding;
use crate::units::Nanos;

/// The id of this version of the document.
pub const SCHEMA: &str = "nsys-attrib/comparison/1";

/// Two groups of analyses compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Always `nsys-attrib/comparison/1`.
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// The base.
    pub a: Side,
    /// What is compared with it.
    pub b: Side,
    /// What was drawn at random: traces where a side has several, else the windows of one trace.
    pub unit: Unit,
    /// `checkpoint` or `order`; null when the groups are independent.
    pub paired_by: Option<String>,
    /// Seed of every bootstrap in this document.
    pub seed: u64,
    /// Resamples of every bootstrap in this document.
    pub resamples: usize,
    /// Latency first, then what it consists of, shares, counts.
    pub quantities: Vec<Quantity>,
    /// The difference of the mean window length, divided in several ways.
    pub decompositions: Vec<Decomposition>,
    /// Energy per window; empty unless both sides have it on a common rail.
    pub energy: Vec<EnergyChange>,
    /// What `--fail-on` asked.
    pub checks: Vec<Check>,
    /// What each number means.
    pub definitions: BTreeMap<String, String>,
    /// Doubts, the most severe first.
    pub findings: Vec<Finding>,
}

/// What an interval speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Traces: the interval covers the variation from run to run.
    Traces,
    /// Windows of one trace a side: the interval covers the variation inside these runs alone.
    Windows,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// What the group is called in tables: `A`, or the name it was given.
    pub label: String,
    /// The window specification of its analyses.
    pub window: String,
    /// Its analyses, in the order in which they were named or paired.
    pub inputs: Vec<SideInput>,
    /// Windows of all inputs.
    pub windows: usize,
}

/// One analysis of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SideInput {
    /// The trace, or the document when the trace is not known.
    pub path: String,
    /// Of the trace.
    pub sha256: Option<String>,
    /// The checkpoint that it ran, where that is known.
    pub checkpoint: Option<String>,
    /// GPUs that it ran on.
    pub devices: Vec<String>,
    /// Version of nsys that exported it.
    pub exporter_version: Option<String>,
    /// The class rules of the analysis.
    pub classes: Option<ClassFile>,
    /// Windows.
    pub windows: usize,
    /// Index of the first window that was taken, and of the last.
    pub window_range: Option<[usize; 2]>,
    /// Mean window length.
    pub mean_ns: Option<Nanos>,
    /// Median window length.
    pub p50_ns: Option<Nanos>,
    /// Shortest window.
    pub min_ns: Option<Nanos>,
    /// Longest window.
    pub max_ns: Option<Nanos>,
}

/// A number and how surely it is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// The point estimate.
    pub value: f64,
    /// Its 95 % interval; null when there are too few units for one.
    pub ci95: Option<[f64; 2]>,
    /// How the interval was made, or why there is none.
    pub method: String,
    /// Further intervals of the same number by other methods, for comparison.
    #[serde(default)]
    pub also: Vec<OtherInterval>,
}

/// An interval by another method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OtherInterval {
    /// Its bounds.
    pub ci95: [f64; 2],
    /// How it was made.
    pub method: String,
}

/// One quantity on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quantity {
    /// `latency`, `busy`, `idle(launch)`, `time(conv/plain)`, `share(dense-convolution)`; what
    /// `--fail-on` calls it.
    pub name: String,
    /// `ns` per window, `share` (0..1), `count` per window.
    pub unit: String,
    /// Mean over the units of the base.
    pub a: Option<f64>,
    /// Mean over the units of the other.
    pub b: Option<f64>,
    /// b − a.
    pub difference: Option<Estimate>,
    /// b / a; null for shares, and where a mean is not positive.
    pub ratio: Option<Estimate>,
    /// Hedges' g: the difference in standard deviations of the units, corrected for few units.
    pub effect: Option<f64>,
}

/// The difference of the mean window length, divided into parts that add up to it exactly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decomposition {
    /// `idle`, `class`, `kernel` or `api`.
    pub by: By,
    /// The rule that makes the parts add up, in a sentence.
    pub rule: String,
    /// Mean window length of the base.
    pub a_ns: Nanos,
    /// Mean window length of the other.
    pub b_ns: Nanos,
    /// b − a; the sum of the parts' differences.
    pub delta_ns: Nanos,
    /// The largest difference first.
    pub parts: Vec<Part>,
}

/// How a difference is divided.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// GPU busy time, and each kind of idle time.
    Idle,
    /// GPU busy time by kernel class, and each kind of idle time.
    Class,
    /// GPU busy time by kernel, and each kind of idle time.
    Kernel,
    /// CUDA API time by function, and the time beside it.
    Api,
}

/// What a part is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum PartOf {
    /// GPU busy time.
    Gpu,
    /// GPU idle time, by cause.
    Idle,
    /// CUDA API time.
    Api,
    /// Window time outside CUDA API calls.
    Beside,
}

/// One part of a difference, per window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// What it is a part of.
    pub of: PartOf,
    /// A class, a kernel, a kind of idle time, an API function.
    pub name: String,
    /// The kernel's name on the other side, where it is another one.
    #[serde(default)]
    pub name_b: Option<String>,
    /// How the two kernels were matched: `name`, `template`, `tile` or `similar`; null where one side
    /// has none, and for anything but kernels.
    #[serde(default)]
    pub matched: Option<Matched>,
    /// The kernel's class.
    #[serde(default)]
    pub class: Option<String>,
    /// Mean per window of the base.
    pub a_ns: Nanos,
    /// Mean per window of the other.
    pub b_ns: Nanos,
    /// b − a.
    pub delta_ns: Nanos,
    /// 95 % interval of the difference; null when the units do not give one.
    pub delta_ci95_ns: Option<[Nanos; 2]>,
    /// Of the whole difference; null when that is zero. Parts of opposite sign exceed 1.
    pub of_delta: Option<f64>,
}

/// How a kernel of one side was found again on the other.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Matched {
    /// The same name.
    Name,
    /// The same function with other template arguments or parameters.
    Template,
    /// The same but for numbers: tile sizes, stages, versions.
    Tile,
    /// The most similar name of the same class.
    Similar,
}

/// Energy per window on both sides: an energy ratio is a latency ratio times a power ratio.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnergyChange {
    /// The rail.
    pub rail: String,
    /// `total` or `dynamic` (above idle).
    pub kind: String,
    /// Mean energy per window of the base.
    pub a_mj: f64,
    /// Mean energy per window of the other.
    pub b_mj: f64,
    /// Mean power of the base.
    pub a_mw: f64,
    /// Mean power of the other.
    pub b_mw: f64,
    /// Energy of B over A.
    pub energy_ratio: Estimate,
    /// Latency of B over A, in the same units.
    pub latency_ratio: Estimate,
    /// Power of B over A: the energy ratio divided by the latency ratio.
    pub power_ratio: Estimate,
}

/// What became of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The quantity is within the limit.
    Passed,
    /// It is beyond the limit.
    Failed,
    /// The quantity is not known, or how surely it is beyond where that was asked for, so that the limit could
    /// not be held against it.
    Unknown,
}

/// One `--fail-on`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// As it was typed.
    pub rule: String,
    /// The quantity.
    pub quantity: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether the whole interval lies on that side of the limit; null without an interval.
    pub surely: Option<bool>,
    /// What was held against the limit, in the unit of the limit.
    pub value: Option<f64>,
    /// Its 95 % interval.
    pub ci95: Option<[f64; 2]>,
    /// The limit: a fraction for `%`, else in the quantity's unit.
    pub limit: f64,
    /// In a sentence.
    pub message: String,
}

impl Comparison {
    /// A quantity by its name.
    pub fn quantity(&self, name: &str) -> Option<&Quantity> {
        self.quantities.iter().find(|quantity| quantity.name == name)
    }

    /// The decomposition by something.
    pub fn decomposition(&self, by: By) -> Option<&Decomposition> {
        self.decompositions.iter().find(|decomposition| decomposition.by == by)
    }

    /// Whether a check failed or could not be made.
    pub fn failed(&self) -> bool {
        self.checks.iter().any(|check| check.outcome != Outcome::Passed)
    }
}

impl Estimate {
    /// Whether the interval leaves `value` out; `None` without an interval.
    pub fn excludes(&self, value: f64) -> Option<bool> {
        self.ci95.map(|[low, high]| value < low || high < value)
    }
}

impl Part {
    /// Whether the difference is clear of zero; `None` without an interval.
    pub fn is_clear(&self) -> Option<bool> {
        self.delta_ci95_ns.map(|[low, high]| Nanos::ZERO < low || high < Nanos::ZERO)
    }
}

impl By {
    /// Every way.
    pub const ALL: [Self; 4] = [Self::Idle, Self::Class, Self::Kernel, Self::Api];

    /// As it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Class => "class",
            Self::Kernel => "kernel",
            Self::Api => "api",
        }
    }
}
