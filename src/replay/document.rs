//! The document `nsys-attrib/replay/1`: does the model fit, what bounds the window, what would change it.
//!
//! Times are integer nanoseconds; shares and gains are parts of 1, missing is null. The committed schema is
//! `docs/schema/replay-1.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attribution::document::{Tool, TraceAbout};
use crate::finding::Finding;
pub use crate::stats::Lengths;
use crate::units::{Nanos, TraceTime};

/// The id of this version of the document.
pub const SCHEMA: &str = "nsys-attrib/replay/1";

/// What a replay of windows says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Replay {
    /// Always `nsys-attrib/replay/1`.
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// Which trace.
    pub trace: Option<TraceAbout>,
    /// The window specification.
    pub spec: String,
    /// Windows of the set.
    pub windows: usize,
    /// Windows that were not replayed, by reason.
    pub left_out: Vec<Left>,
    /// What the model found out about the machine.
    pub machine: Machine,
    /// How well an unchanged replay fits; null when no window could be replayed.
    pub identity: Option<Fit>,
    /// Why there is no answer; null when there is one.
    pub refused: Option<Refusal>,
    /// The windows, replayed unchanged.
    pub baseline: Option<Outcome>,
    /// Bounds beside it.
    pub limits: Option<Limits>,
    /// The change that was asked for; null when none was.
    pub prediction: Option<Prediction>,
    /// Every standard change, the greatest gain first.
    pub sensitivity: Vec<Gain>,
    /// Standard changes that could not be made, and why.
    pub not_made: Vec<NotMade>,
    /// Start of the first replayed window, on trace time.
    pub first_start_ns: Option<TraceTime>,
    /// The path of the first replayed window, stretch by stretch: what a lane plot marks.
    pub path_of_first: Vec<PathStretch>,
    /// Seed of the bootstrap of every interval.
    pub seed: u64,
    /// Doubts, the most severe first.
    pub findings: Vec<Finding>,
}

/// Windows that were not replayed for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Left {
    /// The reason, in words.
    pub reason: String,
    /// How many.
    pub count: usize,
}

/// What the model found out about the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// Operations that may wait before a launch blocks; null when the queue was never seen full.
    pub queue_depth: Option<usize>,
    /// Kernels that each device runs at a time.
    pub slots: Vec<DeviceSlots>,
    /// From the end of a kernel to the start of the next that waits on its stream.
    pub kernel_gap_ns: Nanos,
    /// Whether the trace shows that gap; false when it is assumed.
    pub kernel_gap_seen: bool,
    /// Waits of streams for others that were found.
    pub stream_waits: usize,
    /// Waits that were guessed from the order of calls and that the record contradicts: dropped.
    pub contradicted: u64,
}

/// Kernels that a device runs at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceSlots {
    /// CUDA's number.
    pub device: i64,
    /// How many.
    pub kernels: u32,
}

/// How well an unchanged replay fits the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fit {
    /// Windows that were replayed.
    pub windows: usize,
    /// Their recorded length, summed.
    pub recorded_ns: Nanos,
    /// Their replayed length, summed.
    pub replayed_ns: Nanos,
    /// (replayed − recorded) / recorded, of the sums.
    pub error_total: f64,
    /// Median of the windows' absolute errors.
    pub error_median: f64,
    /// The largest of them.
    pub error_max: f64,
    /// The window that it belongs to.
    pub error_max_window: usize,
    /// Median absolute error of the last operation's end, over the window's length; null without operations.
    pub last_operation_error_median: Option<f64>,
    /// Share of the wall whose duration was thrown away and computed again.
    pub recomputed_share: f64,
    /// Whether less than 5 % was recomputed, so that a small error proves nothing.
    pub nothing_to_test: bool,
    /// What fits worst: a waiting function, with replayed minus recorded time; null when all fit.
    pub misfit: Option<Misfit>,
}

/// The part that fits worst.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Misfit {
    /// The function.
    pub name: String,
    /// Replayed minus recorded, summed over all windows.
    pub difference_ns: Nanos,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// Stable code: `model-does-not-fit`, `no-window`, `not-contained`.
    pub code: String,
    /// In a sentence.
    pub message: String,
}

/// Windows after a replay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// How the windows' lengths are distributed.
    pub lengths: Lengths,
    /// What the critical path is made of, the longest first.
    pub path: Vec<PathPart>,
    /// What bounds the windows.
    pub bound_by: Bound,
}

/// A part of the critical path, summed over the windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PathPart {
    /// `launch`, `dispatch`, `host`, `api`, `kernel`, `copy`, `latency`, `gap`, `return`, `before`.
    pub kind: String,
    /// The function or the class, where there is one.
    pub name: Option<String>,
    /// Its time on the path.
    pub time_ns: Nanos,
    /// Its share of the path.
    pub share: Option<f64>,
}

/// What bounds the windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bound {
    /// `launch-path`, `host`, `gpu`, `copies`, `api`.
    pub by: String,
    /// Its share of the critical path.
    pub share: Option<f64>,
}

/// Bounds beside the windows' lengths, summed over them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// What the GPU would need if the CPU took no time.
    pub gpu_only_ns: Nanos,
    /// What the CPU would need if the GPU took no time.
    pub cpu_only_ns: Nanos,
    /// The critical path: what both need together, which is the replayed length.
    pub critical_path_ns: Nanos,
    /// The part of it that passes on the CPU.
    pub critical_path_on_cpu_ns: Nanos,
}

/// What a change would give.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Prediction {
    /// The changes, in the order in which they were made.
    pub changes: Vec<String>,
    /// The windows after them.
    pub outcome: Outcome,
    /// 1 − predicted / replayed, of the sums: 0.61 means that 61 % of the time is gone.
    pub gain: f64,
    /// Its 95 % interval over windows (moving-block bootstrap); null below 20 windows.
    pub gain_ci95: Option<[f64; 2]>,
    /// Gains of the windows by themselves, from the least to the greatest.
    pub gain_range: [f64; 2],
    /// Each window.
    pub by_window: Vec<Predicted>,
}

/// A window before and after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Predicted {
    /// Its number in the set.
    pub window: usize,
    /// As recorded.
    pub recorded_ns: Nanos,
    /// Replayed unchanged.
    pub replayed_ns: Nanos,
    /// With the change.
    pub predicted_ns: Nanos,
}

/// A row of the sensitivity table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gain {
    /// The change.
    pub change: String,
    /// Mean length with it.
    pub mean_ns: Nanos,
    /// 1 − predicted / replayed, of the sums.
    pub gain: f64,
    /// Its 95 % interval over windows; null below 20 windows.
    pub gain_ci95: Option<[f64; 2]>,
    /// Gains of the windows by themselves, from the least to the greatest; null in documents of versions that
    /// did not give it.
    #[serde(default)]
    pub gain_range: Option<[f64; 2]>,
    /// What bounds the windows with it.
    pub bound_by: Bound,
}

/// A standard change that could not be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotMade {
    /// The change.
    pub change: String,
    /// Why.
    pub reason: String,
}

/// A stretch of a critical path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PathStretch {
    /// From, since the window's start.
    pub from_ns: Nanos,
    /// To, since the window's start.
    pub to_ns: Nanos,
    /// As in [`PathPart::kind`].
    pub kind: String,
    /// The function, the class or the kind of copy.
    pub name: Option<String>,
    /// The thread id, where it passes on a thread.
    pub thread: Option<i64>,
    /// The stream, where it is an operation.
    pub stream: Option<i64>,
}
