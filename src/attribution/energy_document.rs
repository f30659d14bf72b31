//! Energy per window and rail, as the documents carry it. Types only: the room `power` fills them.
//!
//! Energies are means per window. A refusal is a right answer: it says which sensor cannot resolve
//! which window, with the numbers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;

use crate::units::{Millijoules, Milliwatts, Nanos, Share};

/// The energy of one set of windows on one rail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Energy {
    /// The rail, or the rails that were added up (`GPU+CPU+…`).
    pub rail: String,
    /// The format of the log.
    pub source: String,
    /// `direct`, `block`, `samples` or `regression`; null when refused before one was chosen.
    pub estimator: Option<String>,
    /// `traced` when the power was logged while nsys traced, else `untraced`.
    pub run: String,
    /// Windows that entered the estimate.
    pub windows_used: usize,
    /// Mean energy of a window.
    pub total_mj: Option<Millijoules>,
    /// Its 95 % interval (statistical).
    pub total_ci95_mj: Option<[Millijoules; 2]>,
    /// The same above idle power.
    pub dynamic_mj: Option<Millijoules>,
    /// Its 95 % interval (statistical).
    pub dynamic_ci95_mj: Option<[Millijoules; 2]>,
    /// Systematic uncertainty of the dynamic (else the total) energy; not shrunk by more windows.
    pub systematic_mj: Option<Millijoules>,
    /// Mean power inside the windows.
    pub mean_power_mw: Option<Milliwatts>,
    /// Idle power.
    pub idle_mw: Option<Milliwatts>,
    /// Where the idle power comes from, or why there is none.
    pub idle_how: String,
    /// Share of the integrated time between readings that are close enough together.
    pub coverage: Option<Share>,
    /// Readings inside the windows.
    pub samples_inside: usize,
    /// The longest of the sensor's period, update period and averaging window.
    pub effective_period_ns: Nanos,
    /// Blocks over which the interval was taken.
    pub blocks: Option<usize>,
    /// Windows' share of the blocks; the rest are the gaps between windows.
    pub duty: Option<Share>,
    /// Probability of the readings' phases if they were independent of the work.
    pub phase_p: Option<f64>,
    /// How the log's clock was tied to the trace's.
    pub alignment: Alignment,
    /// Why there is no energy per window.
    pub refused: Option<Refusal>,
}

/// How the log's clock was tied to the trace's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Alignment {
    /// In words: `local stamps, zone -04:00 of the trace`.
    pub method: String,
    /// What was added to the log's times.
    pub offset_ns: Nanos,
    /// Standard uncertainty.
    pub sigma_ns: Nanos,
    /// Drift of the log's clock, where it was measured.
    pub drift_ppm: Option<f64>,
    /// Standard uncertainty of the drift; a drift below twice that is not applied.
    pub drift_sigma_ppm: Option<f64>,
    /// Highest correlation of power with busy time, where it is clear.
    pub r_max: Option<f64>,
    /// By how much power follows the GPU's work there, after the alignment.
    pub lag_ns: Option<Nanos>,
}

/// Why something is not said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// Stable code: `sensor-too-slow`, `phase-locked-sampling`, `coverage`, `not-contained`.
    pub code: String,
    /// In a sentence.
    pub message: String,
    /// The numbers behind it, by name with unit.
    pub evidence: BTreeMap<String, Number>,
}
