//! The document `nsys-attrib/analysis/1`: one trace, one window specification, every number.
//!
//! This is the hub: tables, comparisons, plots and reports are made from it, never from the trace
//! again. Times are integer nanoseconds, shares 0..1, missing is null and never 0; a block whose
//! table the export lacks is null. Keys are fixed, more may be added. The committed schema is
//! `docs/schema/analysis-1.json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::energy_document::Energy;
use super::imported::Imported;
use super::provenance::{Asked, RunAbout};
use super::rule::Rule;
use crate::finding::Finding;
pub use crate::stats::Lengths;
use crate::units::{Bytes, Nanos, Share, TraceTime, UnixTime};

/// The id of this version of the document.
pub const SCHEMA: &str = "nsys-attrib/analysis/1";
/// The id of the document that holds several.
pub const SCHEMA_MANY: &str = "nsys-attrib/analyses/1";

/// Several analyses: several traces or several window specifications.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Analyses {
    /// Always `nsys-attrib/analyses/1`.
    pub schema: String,
    /// In the order in which they were asked for.
    pub analyses: Vec<Analysis>,
}

/// One window specification on one trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Analysis {
    /// Always `nsys-attrib/analysis/1`.
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// Which trace; null for a run that was not traced.
    pub trace: Option<TraceAbout>,
    /// What was asked beside windows and rule; null when the maker did not say.
    #[serde(default)]
    pub asked: Option<Asked>,
    /// The run that the trace records; null unless it came from a run folder.
    #[serde(default)]
    pub run: Option<RunAbout>,
    /// Where the sums come from when they were not made from a trace: they stand for a whole capture,
    /// and there are no windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
    /// The instances that were measured.
    pub windows: Windows,
    /// CUDA API time; null without an API table.
    pub api: Option<Api>,
    /// Kernel time; null without a kernel table.
    pub kernels: Option<Kernels>,
    /// Copies and memsets; null without their tables.
    pub copies: Option<Vec<Copies>>,
    /// CUDA graphs that were traced whole; null without their table.
    pub graphs: Option<Graphs>,
    /// From a kernel's launch call to its start; null without kernels and calls.
    pub launch_delay: Option<LaunchDelay>,
    /// Busy time of the GPU; null without any GPU table.
    pub gpu: Option<Gpu>,
    /// Where the GPU's idle time went; null without any GPU table.
    pub idle: Option<Idle>,
    /// What bounds the window; null for the whole trace and without operations.
    pub verdict: Option<Verdict>,
    /// Energy per window and rail; null without a power log.
    pub energy: Option<Vec<Energy>>,
    /// What each number means.
    pub definitions: BTreeMap<String, String>,
    /// Doubts, the most severe first.
    pub findings: Vec<Finding>,
}

/// What made the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `nsys-attrib`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Which trace was analysed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TraceAbout {
    /// As it was named.
    pub path: String,
    /// Of the file that was named.
    pub sha256: Option<String>,
    /// Version of nsys that exported it.
    pub exporter_version: Option<String>,
    /// Version of the export's schema.
    pub schema_version: Option<String>,
    /// Wall clock at trace time 0.
    pub session_start_unix_ns: Option<UnixTime>,
    /// Length of the collection.
    pub duration_ns: Option<Nanos>,
    /// GPUs of the machine.
    pub devices: Vec<DeviceAbout>,
    /// How many processes made CUDA calls, NVTX ranges or GPU operations; null for imported sums.
    pub processes: Option<usize>,
}

/// A GPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceAbout {
    /// CUDA's number.
    pub id: i64,
    /// Its name.
    pub name: Option<String>,
}

/// The instances and the distribution of their lengths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Windows {
    /// The specification, as typed.
    pub spec: String,
    /// How many instances.
    pub count: usize,
    /// Summed length; null when no instance is known (imported sums).
    pub total_ns: Option<Nanos>,
    /// Time covered by at least one; null likewise.
    pub union_ns: Option<Nanos>,
    /// Mean length.
    pub mean_ns: Option<Nanos>,
    /// Standard deviation (n − 1); null for one instance.
    pub stddev_ns: Option<Nanos>,
    /// Shortest.
    pub min_ns: Option<Nanos>,
    /// Median.
    pub p50_ns: Option<Nanos>,
    /// 90th percentile.
    pub p90_ns: Option<Nanos>,
    /// 95th percentile.
    pub p95_ns: Option<Nanos>,
    /// 99th percentile.
    pub p99_ns: Option<Nanos>,
    /// Longest.
    pub max_ns: Option<Nanos>,
    /// Summed time between consecutive instances that do not overlap; null likewise.
    pub gaps_ns: Option<Nanos>,
    /// Share of the launched operation time that lies inside its own window.
    pub contained_share: Option<Share>,
    /// Each instance.
    pub instances: Vec<Instance>,
}

/// One instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Instance {
    /// Its number in time order, before `--skip`.
    pub index: usize,
    /// Start, on trace time.
    pub start_ns: TraceTime,
    /// End, on trace time.
    pub end_ns: TraceTime,
    /// The span whose calls count, where it is another one (`gpu:`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_start_ns: Option<TraceTime>,
    /// End of that span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_end_ns: Option<TraceTime>,
    /// Process id of its owner.
    pub process: Option<i64>,
    /// Thread id of its owner.
    pub thread: Option<i64>,
    /// The range's message, or what stands for it.
    pub label: String,
    /// CUDA API calls that meet it (`gpu:`: its CPU span, for times of calls too).
    pub calls: u64,
    /// Their time inside it.
    pub api_ns: Nanos,
    /// Launch-family calls among them.
    pub launches: u64,
    /// Their time inside it.
    pub launch_ns: Nanos,
    /// Kernels, under the rule of the analysis.
    pub kernels: u64,
    /// Their counted time.
    pub kernel_ns: Nanos,
    /// GPU busy time inside it.
    pub busy_ns: Nanos,
    /// Where its idle time went.
    pub idle: Idle,
    /// Counted kernel time by class.
    pub class_ns: BTreeMap<String, Nanos>,
    /// `busy_ns` by class, `transfer` (copies, memsets) and `graph`: each busy instant belongs to the
    /// running operation that started first, so that the parts add up to it exactly.
    #[serde(default)]
    pub busy_class_ns: BTreeMap<String, Nanos>,
}

/// CUDA API time inside the windows; inside their CPU spans where they were moved (`gpu:`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Api {
    /// Summed time of all counted calls, clipped to the windows (`gpu:`: to their CPU spans).
    pub total_ns: Nanos,
    /// Pairs of a call and a window that meet.
    pub calls: u64,
    /// Calls that start inside a window.
    pub calls_started: u64,
    /// Time of the calls of the windows' own threads only; null for imported sums.
    pub own_thread_ns: Option<Nanos>,
    /// Time that the window's thread spent inside any call, over the windows' length (`gpu:`: over the
    /// length of their CPU spans).
    pub cover_share: Option<Share>,
    /// The launch family.
    pub launch: Launches,
    /// Each function, the longest time first.
    pub by_name: Vec<ApiFunction>,
}

/// Calls that put work on the GPU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Launches {
    /// Their time inside the windows.
    pub time_ns: Nanos,
    /// How many.
    pub calls: u64,
    /// Of API time.
    pub share: Option<Share>,
    /// Time of calls that waited because the launch queue was full; null for imported sums.
    pub blocked_ns: Option<Nanos>,
    /// Time of long calls while the GPU was idle (loading of modules); null for imported sums.
    pub first_use_ns: Option<Nanos>,
    /// The functions of the family that occur in the windows.
    pub names: Vec<String>,
}

/// One API function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApiFunction {
    /// Without a version suffix.
    pub name: String,
    /// Pairs of a call and a window that meet.
    pub calls: u64,
    /// Their time inside the windows.
    pub time_ns: Nanos,
    /// The same without calls nested on the same thread; null for imported sums.
    pub self_ns: Option<Nanos>,
    /// Of API time.
    pub share: Option<Share>,
}

/// Kernel time of the windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Kernels {
    /// Which kernels belong to a window.
    pub rule: Rule,
    /// Their summed time under that rule.
    pub total_ns: Nanos,
    /// How many.
    pub count: u64,
    /// Kernels inside the windows whose API call is not in the export; null for imported sums.
    pub orphans: Option<u64>,
    /// Summed launch delay of the counted kernels; may exceed the wall many times. Null for imported
    /// sums.
    pub tklqt_ns: Option<Nanos>,
    /// Streams on which the counted kernels ran; null for imported sums.
    pub streams: Option<usize>,
    /// All three rules; null for imported sums.
    pub rules: Option<Rules>,
    /// The same for kernels launched by the windows' own threads alone; equal to `rules` where a
    /// window has no thread.
    pub rules_own_thread: Option<Rules>,
    /// Each kernel, the longest time first.
    pub by_name: Vec<KernelFunction>,
    /// Each class, the longest time first.
    pub by_class: Vec<KernelClass>,
    /// Classes joined for a headline, with every reading.
    pub groups: Vec<KernelGroup>,
}

/// Count and time under each rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rules {
    /// Launched inside the window, whole duration.
    pub launched: CountTime,
    /// Started inside the window, whole duration.
    pub started: CountTime,
    /// Meeting the window, the part inside.
    pub overlap: CountTime,
}

/// How many, how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CountTime {
    /// How many.
    pub count: u64,
    /// Their counted time.
    pub time_ns: Nanos,
}

/// One kernel function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KernelFunction {
    /// The demangled name.
    pub name: String,
    /// Its class; several when context decides.
    pub class: String,
    /// How many.
    pub count: u64,
    /// Their counted time.
    pub time_ns: Nanos,
    /// Of kernel time.
    pub share: Option<Share>,
}

/// One class of kernels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KernelClass {
    /// `family/kind`.
    pub class: String,
    /// How many kernels.
    pub count: u64,
    /// Their counted time.
    pub time_ns: Nanos,
    /// Of kernel time.
    pub share: Option<Share>,
    /// The part of `time_ns` whose class was decided by the kernels around it.
    pub by_context_ns: Nanos,
}

/// Classes joined for a headline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KernelGroup {
    /// `dense-convolution`.
    pub name: String,
    /// The reading that is meant when none is named.
    pub headline: String,
    /// Every reading.
    pub readings: Vec<Reading>,
}

/// One way to draw the line around a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// `strict`.
    pub name: String,
    /// The classes it joins.
    pub classes: Vec<String>,
    /// How many kernels.
    pub count: u64,
    /// Their counted time.
    pub time_ns: Nanos,
    /// Of kernel time.
    pub share: Option<Share>,
}

/// Copies or memsets of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Copies {
    /// As nsys labels it: `Host-to-Device`, `Memset`.
    pub kind: String,
    /// How many.
    pub count: u64,
    /// Their counted time.
    pub time_ns: Nanos,
    /// What they moved; null for imported sums, which round it.
    pub bytes: Option<Bytes>,
}

/// CUDA graphs that were traced whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Graphs {
    /// How many.
    pub count: u64,
    /// Their counted time.
    pub time_ns: Nanos,
}

/// From a kernel's launch call to its start on the GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LaunchDelay {
    /// Counted kernels whose call is in the export.
    pub count: u64,
    /// Median.
    pub p50_ns: Option<Nanos>,
    /// 95th percentile.
    pub p95_ns: Option<Nanos>,
    /// Longest.
    pub max_ns: Option<Nanos>,
}

/// Busy time of the GPU inside the windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gpu {
    /// Time in which at least one operation of the attributed process ran.
    pub busy_ns: Nanos,
    /// The rest of the windows.
    pub idle_ns: Nanos,
    /// The part of `busy_ns` in which copies or memsets ran and no kernel.
    pub copy_only_ns: Nanos,
    /// Time in which another process used the same devices.
    pub foreign_busy_ns: Nanos,
    /// The same per device.
    pub by_device: Vec<DeviceBusy>,
    /// `busy_ns` by operation, the longest time first; adds up to it exactly.
    #[serde(default)]
    pub by_name: Vec<BusyName>,
}

/// The part of the busy time that belongs to operations of one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BusyName {
    /// The demangled name of a kernel, the kind of a copy.
    pub name: String,
    /// The kernel's class, `transfer` or `graph`.
    pub class: String,
    /// Busy instants in which it was the running operation that started first.
    pub busy_ns: Nanos,
}

/// Busy time of one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceBusy {
    /// CUDA's number of the device.
    pub device: i64,
    /// Time in which at least one operation of the attributed process ran on it.
    pub busy_ns: Nanos,
}

/// Where the GPU's idle time went. Without `dispatch_ns`, `head_by` and `tail_by`, the parts add up
/// to the idle time exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Idle {
    /// Windows that no operation meets.
    pub none_ns: Nanos,
    /// Before the first operation.
    pub head_ns: Nanos,
    /// After the last operation.
    pub tail_ns: Nanos,
    /// The next operation's launch call was running.
    pub launch_ns: Nanos,
    /// The next operation was submitted but had not started.
    pub queue_ns: Nanos,
    /// Another API call was running.
    pub api_ns: Nanos,
    /// The thread waited for the GPU.
    pub sync_ns: Nanos,
    /// The thread was outside CUDA.
    pub host_ns: Nanos,
    /// The next operation has no call in the export.
    pub unknown_ns: Nanos,
    /// The part of `host_ns` in gaps under 1 ms between consecutive calls.
    pub dispatch_ns: Nanos,
    /// `head_ns` by cause.
    pub head_by: IdleKinds,
    /// `tail_ns` by cause.
    pub tail_by: IdleKinds,
}

/// Idle time by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdleKinds {
    /// The next operation's launch call was running.
    pub launch_ns: Nanos,
    /// The next operation was submitted but had not started.
    pub queue_ns: Nanos,
    /// Another API call was running.
    pub api_ns: Nanos,
    /// The thread waited for the GPU.
    pub sync_ns: Nanos,
    /// The thread was outside CUDA.
    pub host_ns: Nanos,
    /// The next operation has no call in the export.
    pub unknown_ns: Nanos,
    /// The part of `host_ns` in gaps under 1 ms between consecutive calls.
    pub dispatch_ns: Nanos,
}

/// What bounds the windows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// `gpu-bound`, `copy-bound`, `launch-bound`, `host-bound`, `sync-bound`, `api-bound` or `mixed`.
    pub kind: String,
    /// In a sentence.
    pub detail: String,
    /// The shares of wall and the thresholds that decided.
    pub because: Vec<String>,
}

impl Analysis {
    /// What it was made of, as it was named: the trace, else the run folder.
    pub fn source(&self) -> Option<&str> {
        let trace = self.trace.as_ref().map(|trace| trace.path.as_str());
        trace.or_else(|| self.run.as_ref()?.folder.as_deref())
    }
}

impl Windows {
    /// Instances with the distribution of their lengths; their union and the gaps between them are the
    /// caller's, who knows whether they may overlap.
    pub fn of(spec: &str, instances: Vec<Instance>, union: Nanos, gaps: Nanos) -> Self {
        let all: Vec<i64> =
            instances.iter().map(|one| (one.end_ns - one.start_ns).as_ns()).collect();
        let lengths = Lengths::of(&all);
        let lengths = lengths.as_ref();
        Self {
            spec: spec.to_owned(),
            count: instances.len(),
            total_ns: Some(lengths.map_or(Nanos::ZERO, |lengths| lengths.total_ns)),
            union_ns: Some(union),
            mean_ns: lengths.map(|lengths| lengths.mean_ns),
            stddev_ns: lengths.and_then(|lengths| lengths.stddev_ns),
            min_ns: lengths.map(|lengths| lengths.min_ns),
            p50_ns: lengths.map(|lengths| lengths.p50_ns),
            p90_ns: lengths.map(|lengths| lengths.p90_ns),
            p95_ns: lengths.map(|lengths| lengths.p95_ns),
            p99_ns: lengths.map(|lengths| lengths.p99_ns),
            max_ns: lengths.map(|lengths| lengths.max_ns),
            gaps_ns: Some(gaps),
            contained_share: None,
            instances,
        }
    }

    /// Whether instances were moved to their GPU work (`gpu:`), so that calls are counted in another
    /// span than the one whose wall and busy time is measured.
    pub fn are_moved(&self) -> bool {
        self.instances.iter().any(|window| window.cpu_start_ns.is_some())
    }

    /// The part of the windows' summed length that a time is; nothing without a length.
    pub fn share_of_wall(&self, time: Nanos) -> Option<Share> {
        Share::of(time.as_ns(), self.total_ns?.as_ns())
    }
}

impl IdleKinds {
    /// Adds another window's parts.
    pub fn add(&mut self, other: Self) {
        self.launch_ns += other.launch_ns;
        self.queue_ns += other.queue_ns;
        self.api_ns += other.api_ns;
        self.sync_ns += other.sync_ns;
        self.host_ns += other.host_ns;
        self.unknown_ns += other.unknown_ns;
        self.dispatch_ns += other.dispatch_ns;
    }
}

impl Idle {
    /// The parts that add up to the idle time.
    pub fn total(&self) -> Nanos {
        self.none_ns
            + self.head_ns
            + self.tail_ns
            + self.launch_ns
            + self.queue_ns
            + self.api_ns
            + self.sync_ns
            + self.host_ns
            + self.unknown_ns
    }
}
