//! What does the program say of its own run? The document `nsys-attrib/sidecar/1`.
//!
//! Any program may write it, where [`super::SIDECAR_VARIABLE`] says; nothing but `schema` is required.
//! It is what a run without a trace has for windows (`requests`), and where errors and spike rates come
//! from. Per-request spike rates stem from a second, untimed forward of the same field, never from
//! inside the window.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::Document;
use crate::units::{Nanos, UnixTime};

/// The id of this version of the document.
pub const SCHEMA: &str = "nsys-attrib/sidecar/1";

/// What a program says of its own run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sidecar {
    /// Always `nsys-attrib/sidecar/1`.
    pub schema: String,
    /// The program.
    #[serde(default)]
    pub program: Option<Program>,
    /// The model that was run.
    #[serde(default)]
    pub model: Option<Model>,
    /// Which of the two execution paths.
    #[serde(default)]
    pub path: Option<ExecutionPath>,
    /// How operations became launches: `eager`, `fused`, `sparse`, `graph`.
    #[serde(default)]
    pub dispatch: Option<String>,
    /// Layers that spike or are marked, in order.
    #[serde(default)]
    pub layers: Vec<Layer>,
    /// Spans of the run: `load`, `warmup`, `idle`, `requests`.
    #[serde(default)]
    pub phases: Vec<Phase>,
    /// Timed requests; none on the reference path.
    #[serde(default)]
    pub requests: Vec<Request>,
    /// Errors by sample.
    #[serde(default)]
    pub samples: Vec<Sample>,
    /// Spikes by layer.
    #[serde(default)]
    pub spikes: Vec<Spikes>,
}

/// The program that wrote the sidecar.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Program {
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its version.
    #[serde(default)]
    pub version: Option<String>,
    /// What computes: `burn-ndarray`, `libtorch`.
    #[serde(default)]
    pub stack: Option<String>,
    /// On what: `cpu`, `cuda:0`.
    #[serde(default)]
    pub device: Option<String>,
}

/// The model that was run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Model {
    /// `dense` or `vs`, or what the program calls it.
    pub name: String,
    /// Its configuration, as the program has it.
    #[serde(default)]
    pub config: BTreeMap<String, Value>,
    /// Trainable numbers.
    #[serde(default)]
    pub parameters: Option<u64>,
    /// Whose weights.
    #[serde(default)]
    pub checkpoint: Option<Checkpoint>,
}

/// Whose weights were used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Checkpoint {
    /// Its name; paired models share it.
    pub id: String,
    /// Of the file.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Seed of the training.
    #[serde(default)]
    pub seed: Option<u64>,
}

/// The two execution paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExecutionPath {
    /// The whole test set; errors and spike rates, no timing.
    Reference,
    /// Batch 1, timed, inside the range `latency`.
    Request,
}

/// A layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Layer {
    /// From 0.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// The NVTX range around it, where there is one.
    #[serde(default)]
    pub nvtx: Option<String>,
}

/// A span of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Phase {
    /// `load`, `warmup`, `idle`, `requests`.
    pub name: String,
    /// Its start.
    pub start_unix_ns: UnixTime,
    /// Its end.
    pub end_unix_ns: UnixTime,
}

/// A timed request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// From 0, in the order in which they were made.
    pub index: u64,
    /// The sample of the test set.
    #[serde(default)]
    pub sample: Option<u64>,
    /// Wall clock at its start.
    pub start_unix_ns: UnixTime,
    /// Monotonic clock at its start.
    #[serde(default)]
    pub start_mono_ns: Option<i64>,
    /// How long it took, by the program's own clock.
    pub latency_ns: Nanos,
    /// Spike rate (spikes per element) of each layer that spikes; null when it was not taken.
    #[serde(default)]
    pub spike_rates: Option<Vec<f64>>,
}

/// The error of a sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// The sample of the test set.
    pub index: u64,
    /// Relative L2 error.
    pub rel_l2: f64,
}

/// The spikes of a layer over all samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spikes {
    /// The layer's index.
    pub layer: u32,
    /// Spikes.
    pub count: u64,
    /// Places where a spike could have been.
    pub elements: u64,
    /// Spikes per place; null without places.
    pub rate: Option<f64>,
}

impl Sidecar {
    /// Requests as spans of wall time (start, length), in the order in which they were made.
    pub fn spans(&self) -> impl Iterator<Item = (UnixTime, Nanos)> + '_ {
        self.requests.iter().map(|request| (request.start_unix_ns, request.latency_ns))
    }
}

impl Document for Sidecar {
    const SCHEMA: &'static str = SCHEMA;
    const REMEDY: &'static str =
        "The program that was run wrote this file; its form is docs/schema/sidecar-1.json";

    fn contradiction(&self) -> Option<(String, String)> {
        let mut seen = BTreeSet::new();
        for (at, request) in self.requests.iter().enumerate() {
            let key = |name: &str| format!("requests[{at}].{name}");
            if request.latency_ns.as_ns() < 0 {
                return Some((key("latency_ns"), format!("is negative ({})", request.latency_ns)));
            }
            if !seen.insert(request.index) {
                return Some((key("index"), format!("{} is there twice", request.index)));
            }
        }
        for (at, span) in self.phases.iter().enumerate() {
            if span.end_unix_ns < span.start_unix_ns {
                let key = format!("phases[{at}].end_unix_ns");
                return Some((key, format!("the phase `{}` ends before it starts", span.name)));
            }
        }
        let bad = self.spikes.iter().position(|spikes| spikes.count > spikes.elements)?;
        let key = format!("spikes[{bad}].count");
        Some((key, "there are more spikes than elements".to_owned()))
    }
}
