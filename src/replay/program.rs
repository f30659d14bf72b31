//! One window as a program that can be run again: what each CPU thread does, what each stream is given.
//!
//! ```text
//!   thread   gap  [cost)  gap  [cost)  gap  [wait ..........)  gap        inputs: gaps, costs, durations
//!                   |            |                ^
//!   stream          +-latency-[op)gap[op)---------+tail                   outputs: everything else
//! ```
//!
//! All times are integer nanoseconds from the start of the window. Nothing here knows when a wait ended in
//! the record; [`super::schedule`] finds that out. What the trace says and what is derived from it is decided
//! in [`super::extract`]; [`super::apply`] changes a program before it is run.

use crate::classify::ClassId;
use crate::trace::{CallId, OpId};

/// What kind of operation, as far as latencies differ by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum OpKind {
    /// A kernel.
    Kernel,
    /// Host to device.
    Upload,
    /// Device to host.
    Download,
    /// Any other copy.
    OtherCopy,
    /// A memset.
    Memset,
    /// A CUDA graph that was traced whole.
    Graph,
}

impl OpKind {
    /// How many kinds there are.
    pub(crate) const COUNT: usize = 6;

    /// Whether memory is moved between host and device.
    pub(crate) const fn crosses(self) -> bool {
        matches!(self, Self::Upload | Self::Download)
    }

    /// Whether it is a copy or a memset.
    pub(crate) const fn moves_memory(self) -> bool {
        matches!(self, Self::Upload | Self::Download | Self::OtherCopy | Self::Memset)
    }
}

/// The time from the end of an operation to the start of the next on its stream, when both are waiting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gaps {
    pub(crate) between: [[i64; OpKind::COUNT]; OpKind::COUNT],
    /// Between two copies of one engine that are on different streams.
    pub(crate) engine: i64,
}

impl Gaps {
    pub(crate) fn after(&self, before: OpKind, next: OpKind) -> i64 {
        self.between[before as usize][next as usize]
    }
}

/// A full launch queue: a launch returns when so many operations of its stream have not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueDepth {
    /// Operations that were submitted and have not started, the launch's own included.
    pub(crate) depth: usize,
    /// From the start of the operation that makes room to the return of the launch.
    pub(crate) tail: i64,
}

/// What a waiting call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// What was last submitted to a stream.
    Stream(u32),
    /// What was last submitted to every stream.
    Everything,
    /// One operation.
    Operation(u32),
}

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing that the GPU sees.
    Call,
    /// Submits operations and returns.
    Submit,
    /// Submits operations and returns when the last has ended.
    Copy,
    /// Waits.
    Wait,
}

/// An outermost call of a thread, and the host's time before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// From the return of the call before (or the start of the window).
    pub(crate) gap: i64,
    /// Whether that gap lies between two calls and is under a millisecond: framework overhead.
    pub(crate) dispatch: bool,
    /// What the call itself takes.
    pub(crate) cost: i64,
    /// The function, as an index into the names of the trace.
    pub(crate) function: u32,
    pub(crate) call: CallId,
    pub(crate) action: Action,
    pub(crate) launches: bool,
    /// A launch that loads its module: no cost of launching as such.
    pub(crate) first_use: bool,
    /// Operations, as a range of [`Program::ops`].
    pub(crate) ops: (u32, u32),
    /// What is waited for, as a range of [`Program::awaited`].
    pub(crate) awaited: (u32, u32),
    /// `Copy`: from entry to the earliest start of its operation.
    pub(crate) lead: i64,
    /// `Wait`, `Copy`: from the end of what was waited for to the return. May be negative for a staged copy.
    pub(crate) tail: i64,
    /// Whether the recorded call waited: its duration was thrown away.
    pub(crate) waited: bool,
    /// What was recorded, inside the window.
    pub(crate) recorded: i64,
    /// Taken out by a change.
    pub(crate) removed: bool,
}

/// A GPU operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Op {
    pub(crate) duration: i64,
    pub(crate) stream: u32,
    pub(crate) kind: OpKind,
    /// The engine that works it off; `None` when nothing limits it.
    pub(crate) engine: Option<u32>,
    /// From the return of the call to the earliest start; usually positive.
    pub(crate) latency: i64,
    /// Waits for events, as a range of [`Program::after`].
    pub(crate) after: (u32, u32),
    /// Started before the window did: its recorded start.
    pub(crate) fixed: Option<i64>,
    pub(crate) class: Option<ClassId>,
    /// An index into the labels of the trace.
    pub(crate) label: u32,
    pub(crate) id: OpId,
    /// Launched inside the window, by a call that began there.
    pub(crate) own: bool,
    pub(crate) removed: bool,
}

/// A thread's steps, as a range of [`Program::steps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lane {
    pub(crate) steps: (u32, u32),
    /// The thread, as an index into those of the trace.
    pub(crate) thread: u32,
}

/// How the window's end follows from the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// So long after a call of the window's thread returned; negative when the window ends inside that call.
    AfterStep(u32, i64),
    /// From the first start to the last end of the operations that the window launched.
    Operations,
}

/// What was recorded of the window, for comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) length: i64,
    /// End of the last operation that the window launched, from the window's start.
    pub(crate) last_op_end: Option<i64>,
    /// Time of the window's thread in calls whose duration is an output.
    pub(crate) recomputed: i64,
    /// Summed time of the operations that the window launched, and of their part inside it.
    pub(crate) launched_ns: i64,
    pub(crate) contained_ns: i64,
}

/// One window, ready to be run.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) lanes: Vec<Lane>,
    pub(crate) steps: Vec<Step>,
    /// Operations in the order of submission within each lane; those submitted before the window come first.
    pub(crate) ops: Vec<Op>,
    /// How many of them were submitted before the window.
    pub(crate) pending: usize,
    pub(crate) after: Vec<u32>,
    pub(crate) awaited: Vec<Awaited>,
    pub(crate) streams: usize,
    /// Operations that each engine works on at a time.
    pub(crate) engines: Vec<u32>,
    /// Which of them only copy: there the gap between streams counts.
    pub(crate) copies: Vec<bool>,
    pub(crate) gaps: Gaps,
    pub(crate) queue: Option<QueueDepth>,
    pub(crate) end: End,
    pub(crate) recorded: Recorded,
}

impl Program {
    /// The operations of a step.
    pub(crate) fn ops_of(&self, step: u32) -> std::ops::Range<u32> {
        let (from, to) = self.steps[step as usize].ops;
        from..to
    }

    /// The lane whose last step ends the window, else the first.
    pub(crate) fn main_lane(&self) -> usize {
        match self.end {
            End::AfterStep(step, _) => self
                .lanes
                .iter()
                .position(|lane| lane.steps.0 <= step && step < lane.steps.1)
                .unwrap_or(0),
            End::Operations => 0,
        }
    }
}
