//! The document `nsys-attrib/lanes/1`: every event of one window, as the lanes of a timeline.
//!
//! ```text
//!   thread 17   ranges      [latency-----------------------------)
//!               calls         [launch)    [launch)  [sync--------)
//!   stream 7    operations        [k1-----)     [k2----)
//!   idle                    |head |              |launch|         |tail
//! ```
//!
//! Figures, the HTML page and the exports to viewers are made from it. Times are trace time in ns;
//! events are whole, also where they reach beyond the window. Lanes and names are referred to by
//! their place in the lists. The idle pieces come from the rule of the analysis and add up to its
//! numbers exactly. The committed schema is `docs/schema/lanes-1.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{Tool, TraceAbout};
use super::idle_stretch::{Cause, Place};
use super::timeline::Doing;
use crate::units::{Nanos, Span, TraceTime};

/// The id of this version of the document.
pub const SCHEMA: &str = "nsys-attrib/lanes/1";

/// The events of one window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lanes {
    /// Always `nsys-attrib/lanes/1`.
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// Which trace.
    pub trace: TraceAbout,
    /// The window.
    pub window: LaneWindow,
    /// Names of calls, ranges and operations.
    pub names: Vec<String>,
    /// CPU threads of the attributed process, the window's own first.
    pub threads: Vec<ThreadLane>,
    /// GPU streams, those of the attributed process first.
    pub streams: Vec<StreamLane>,
    /// CUDA API calls that meet the window, by start.
    pub calls: Vec<CallSlice>,
    /// NVTX ranges that meet the window, by start.
    pub ranges: Vec<RangeSlice>,
    /// NVTX marks inside the window, by time.
    pub marks: Vec<MarkSlice>,
    /// GPU operations that meet the window, by start.
    pub operations: Vec<OperationSlice>,
    /// Why the GPU was idle, piece by piece; the rest of the window it was busy.
    pub idle: Vec<IdleSlice>,
}

/// The window that is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LaneWindow {
    /// The specification, as typed.
    pub spec: String,
    /// Its number among the instances.
    pub index: usize,
    /// The range's message, or what stands for it.
    pub label: String,
    /// Start of the measured span.
    pub start_ns: TraceTime,
    /// Its end.
    pub end_ns: TraceTime,
    /// Start of the span whose calls count; another one for `gpu:` only.
    pub cpu_start_ns: TraceTime,
    /// Its end.
    pub cpu_end_ns: TraceTime,
    /// Process id of its owner.
    pub process: Option<i64>,
    /// Thread id of its owner.
    pub thread: Option<i64>,
}

/// A CPU thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ThreadLane {
    /// Process id.
    pub process: Option<i64>,
    /// Name of the process.
    pub process_name: Option<String>,
    /// Thread id.
    pub thread: Option<i64>,
    /// Name of the thread.
    pub name: Option<String>,
    /// Whether the window belongs to this thread.
    pub own: bool,
    /// How many rows its calls need: more than one where calls are nested.
    pub call_rows: usize,
    /// How many rows its ranges need.
    pub range_rows: usize,
}

/// A GPU stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamLane {
    /// Process id; null where the export names none.
    pub process: Option<i64>,
    /// CUDA's number of the device.
    pub device: i64,
    /// Name of the device.
    pub device_name: Option<String>,
    /// The CUDA context.
    pub context: i64,
    /// The stream within the context.
    pub stream: i64,
    /// Whether the attributed process runs on it; false for foreign work on the same machine.
    pub own: bool,
    /// How many rows its operations need: more than one where operations overlap.
    pub rows: usize,
}

/// A CUDA API call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallSlice {
    /// Entry.
    pub start_ns: TraceTime,
    /// Return.
    pub end_ns: TraceTime,
    /// Place in `names`.
    pub name: usize,
    /// Place in `threads`.
    pub thread: usize,
    /// Row within the lane, from 0; a call nested in another has a higher one.
    pub row: usize,
    /// Whether it launches, waits for the GPU, or does something else.
    pub kind: Doing,
}

/// An NVTX range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RangeSlice {
    /// When it was opened.
    pub start_ns: TraceTime,
    /// When it was closed; null for a range that never was.
    pub end_ns: Option<TraceTime>,
    /// Place in `names`.
    pub name: usize,
    /// Its NVTX domain; null in the default domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Place in `threads`: the thread that opened it.
    pub thread: usize,
    /// Row within the lane, from 0.
    pub row: usize,
}

/// An NVTX mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MarkSlice {
    /// When.
    pub at_ns: TraceTime,
    /// Place in `names`.
    pub name: usize,
    /// Place in `threads`.
    pub thread: usize,
}

/// What a GPU operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OperationKind {
    /// A kernel.
    Kernel,
    /// A copy.
    Copy,
    /// A memset.
    Memset,
    /// A whole CUDA graph.
    Graph,
}

/// A GPU operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OperationSlice {
    /// Start on the GPU.
    pub start_ns: TraceTime,
    /// End on the GPU.
    pub end_ns: TraceTime,
    /// Place in `names`: a kernel's demangled name, the kind of a copy.
    pub name: usize,
    /// Place in `names`: a kernel's name without template arguments and parameters.
    pub short: usize,
    /// What it is.
    pub kind: OperationKind,
    /// A kernel's class, `family/kind`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Place in `streams`.
    pub stream: usize,
    /// Row within the lane, from 0.
    pub row: usize,
    /// Place in `calls` of the call that caused it, when that call is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<usize>,
}

/// A piece of idle time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdleSlice {
    /// Start.
    pub start_ns: TraceTime,
    /// End.
    pub end_ns: TraceTime,
    /// Why.
    pub cause: Cause,
    /// Before, between or after the operations of the window.
    pub place: Place,
    /// Whether it is host time in a gap under 1 ms between consecutive calls.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dispatch: bool,
    /// Place in `operations` of the operation that the GPU waited for, when that one is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<usize>,
}

impl LaneWindow {
    /// The measured span.
    pub fn span(&self) -> Span {
        Span::from_ns(self.start_ns.as_ns(), self.end_ns.as_ns())
    }

    /// The measured span and the one whose calls count, together.
    pub fn view(&self) -> Span {
        Span::from_ns(
            self.start_ns.min(self.cpu_start_ns).as_ns(),
            self.end_ns.max(self.cpu_end_ns).as_ns(),
        )
    }
}

impl Lanes {
    /// The name at a place of `names`.
    pub fn name(&self, place: usize) -> &str {
        self.names.get(place).map_or("", String::as_str)
    }

    /// When at least one operation of the attributed process ran: what the idle pieces leave of the
    /// window, disjoint and in order.
    pub fn busy(&self) -> Vec<Span> {
        let window = self.window.span();
        let mut busy = Vec::new();
        let mut from = window.start_ns();
        let end = std::iter::once((window.end_ns(), window.end_ns()));
        let idle = self.idle.iter().map(|piece| (piece.start_ns.as_ns(), piece.end_ns.as_ns()));
        for (start, end) in idle.chain(end) {
            if start > from {
                busy.push(Span::from_ns(from, start));
            }
            from = end;
        }
        busy
    }

    /// Idle time by a property of the pieces.
    pub fn idle_ns(&self, counts: impl Fn(&IdleSlice) -> bool) -> Nanos {
        self.idle
            .iter()
            .filter(|piece| counts(piece))
            .map(|piece| piece.end_ns - piece.start_ns)
            .sum()
    }
}
