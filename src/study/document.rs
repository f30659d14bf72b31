//! The document `nsys-attrib/study/1`: what a study found, every number with its checkpoints.
//!
//! A measure is one quantity of one model: its value for each checkpoint, mean and interval over them,
//! what was published beside it, or why there is none. Units stand beside: `share` (0..1), `ns`, `mj`, `mw`,
//! `count`, `ratio`. Missing is null, never 0. The committed schema is `docs/schema/study-1.json`.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attribution::document::Tool;
use crate::attribution::energy_document::Energy;
use crate::finding::Finding;
use crate::units::Nanos;

/// The id of this version of the document.
pub const SCHEMA: &str = "nsys-attrib/study/1";

/// The question of [`Answer`]s that are measured.
pub const HALVED: &str = "spike rate halves";

/// What a study found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Study {
    /// Always `nsys-attrib/study/1`.
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// The study's name.
    pub name: String,
    /// The window whose time is attributed.
    pub window: String,
    /// The models, in the order of the plan.
    pub models: Vec<ModelAbout>,
    /// The model with which the others are compared.
    pub base: String,
    /// The checkpoints, in the order of the plan.
    pub checkpoints: Vec<String>,
    /// Every run that was used.
    pub runs: Vec<RunUsed>,
    /// Errors and spike rates, from the reference path.
    pub accuracy: Vec<Measure>,
    /// Latency, energy and power, from untraced runs of the request path.
    pub cost: Vec<Measure>,
    /// Of which rail the energies and powers are, as which log says; null without energies.
    #[serde(default)]
    pub rail: Option<RailAbout>,
    /// Shares and causes, from traced runs of the request path.
    pub attribution: Vec<Measure>,
    /// What bounds the windows.
    pub verdicts: Vec<VerdictOf>,
    /// Whether cost follows sparsity, and what would change the latency.
    pub answers: Vec<Answer>,
    /// The sentences of the paragraph on methods.
    pub methods: Vec<Sentence>,
    /// Where published numbers come from; null when none were named.
    pub published: Option<PublishedAbout>,
    /// Results of others that the plan names: tables of `nsys stats`.
    #[serde(default)]
    pub cross_reference: Vec<CrossReference>,
    /// Doubts, the most severe first; those of one kind are one, which counts them and names the worst.
    pub findings: Vec<Finding>,
    /// Doubts about the windows of single runs, each by itself.
    #[serde(default)]
    pub run_findings: Vec<Finding>,
}

/// The rail whose energies are shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct RailAbout {
    /// Its name.
    pub rail: String,
    /// Which kind of log holds it.
    pub source: String,
}

impl RailAbout {
    /// That of an energy.
    pub fn of(energy: &Energy) -> Self {
        Self { rail: energy.rail.clone(), source: energy.source.clone() }
    }
}

impl fmt::Display for RailAbout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.rail, self.source)
    }
}

/// What tables of `nsys stats` say of a whole capture, for comparison in kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CrossReference {
    /// How the plan calls it.
    pub label: String,
    /// Names of its files.
    pub files: Vec<String>,
    /// Where they are published, as the plan says.
    pub source: Option<String>,
    /// CUDA API calls.
    pub calls: Option<u64>,
    /// Launches among them.
    pub launches: Option<u64>,
    /// Kernels.
    pub kernels: Option<u64>,
    /// Shares (0..1) under the names of the study's measures.
    pub shares: BTreeMap<String, f64>,
}

/// A model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelAbout {
    /// Its name in the plan.
    pub name: String,
    /// How the report calls it.
    pub label: String,
    /// Trainable numbers, as its program says.
    pub parameters: Option<u64>,
}

/// A run that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunUsed {
    /// Its folder below that of the study's runs.
    pub name: String,
    /// Its model.
    pub model: String,
    /// Its checkpoint.
    pub checkpoint: String,
    /// `reference` or `request`.
    pub path: String,
    /// Whether nsys recorded it.
    pub traced: bool,
    /// Which repetition, from 1.
    pub repeat: u32,
    /// Timed requests.
    pub requests: usize,
    /// Median latency by the program's own clock.
    pub p50_ns: Option<Nanos>,
}

/// One quantity of one model, or of one model over another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measure {
    /// `error`, `spike-rate(layer 1)`, `latency`, `energy(dynamic)`, `share(cudaLaunchKernel)`, …
    pub quantity: String,
    /// `share`, `ns`, `mj`, `mw`, `count`, `ratio`.
    pub unit: String,
    /// The model; of a ratio the one above.
    pub model: String,
    /// Of a ratio, the one below.
    #[serde(default)]
    pub over: Option<String>,
    /// The value of each checkpoint that has one.
    pub by_checkpoint: BTreeMap<String, f64>,
    /// Mean over the checkpoints; of a ratio the geometric one.
    pub mean: Option<f64>,
    /// Standard deviation over the checkpoints (n − 1).
    pub stddev: Option<f64>,
    /// 95 % interval of the mean.
    pub ci95: Option<[f64; 2]>,
    /// How the interval was made, or why there is none.
    pub method: String,
    /// What was published for it.
    pub published: Option<Published>,
    /// Why there is no value; null when there is one.
    pub missing: Option<String>,
}

/// A published number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Published {
    /// In the unit of the measure.
    pub value: f64,
    /// As it was published, with its own unit and digits.
    pub text: String,
    /// What must be known to compare.
    pub note: Option<String>,
}

/// Where published numbers come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublishedAbout {
    /// `arXiv 2604.17040`.
    pub source: String,
    /// On what they were measured.
    pub device: String,
    /// What must be known to compare.
    pub note: Option<String>,
}

/// How often each verdict was given to a model's checkpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerdictOf {
    /// The model.
    pub model: String,
    /// Checkpoints by verdict.
    pub checkpoints: BTreeMap<String, usize>,
    /// Why there is none; null when there is one.
    pub missing: Option<String>,
}

/// A change of the time of a window, measured or predicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// `spike rate halves` (measured), or the change that was replayed.
    pub question: String,
    /// The model.
    pub model: String,
    /// Of what: `latency`, `kernel time`.
    pub what: String,
    /// Relative change; null when there is no answer.
    pub change: Option<f64>,
    /// Its 95 % interval (measured), or the least and the largest of the checkpoints (replayed).
    pub range: Option<[f64; 2]>,
    /// What it says: the verdict of what was measured, what the window would be bound by after a replayed
    /// change (with the number of checkpoints, where they differ), or why there is no answer.
    pub reading: String,
}

/// A sentence of the paragraph on methods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sentence {
    /// What it is about.
    pub about: String,
    /// The sentence.
    pub text: String,
}

impl Answer {
    /// Whether a replayed change does as good as nothing.
    pub fn is_nothing(&self) -> bool {
        const NOTHING: f64 = 0.0005;
        let none = |part: &f64| part.abs() < NOTHING;
        self.question != HALVED
            && self.change.as_ref().is_some_and(none)
            && self.range.iter().flatten().all(none)
    }
}

impl Study {
    /// How the report calls a model.
    pub fn label<'a>(&'a self, model: &'a str) -> &'a str {
        self.models.iter().find(|one| one.name == model).map_or(model, |one| one.label.as_str())
    }

    /// A measure of any kind by quantity and model.
    pub fn measure(&self, quantity: &str, model: &str) -> Option<&Measure> {
        let all = self.accuracy.iter().chain(&self.cost).chain(&self.attribution);
        all.into_iter()
            .find(|one| one.quantity == quantity && one.model == model && one.over.is_none())
    }
}
