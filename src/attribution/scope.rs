//! One trace and one set of windows, prepared for the passes of the other files here.
//!
//! Every pass is a sweep over things in the order of their starts. A pair of a thing and a window
//! counts when the window attributes the thing's process.

use std::sync::OnceLock;

use super::launch_windows::LaunchWindows;
use crate::trace::{CallId, OpId, OperationSort, Operations, ProcessId, Trace};
use crate::units::Span;
use crate::windows::intervals::Sweep;
use crate::windows::{Window, WindowSet};

/// A trace and its windows.
pub(super) struct Scope<'a> {
    pub(super) trace: &'a Trace,
    pub(super) set: &'a WindowSet,
    /// Whose wall, busy and idle time is measured.
    pub(super) spans: Vec<Span>,
    /// Whose calls and launches count.
    pub(super) cpu_spans: Vec<Span>,
    /// By maker of calls: its process.
    callers: Vec<Option<ProcessId>>,
    sorts: Vec<Sort>,
    /// Asked for by several passes, found by the first.
    launch_windows: OnceLock<LaunchWindows>,
}

/// What passes must know of an operation, beside when it ran.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sort {
    /// The process that it names.
    process: Option<ProcessId>,
    /// What it is, as an index into the labels.
    pub(super) label: usize,
    /// Where it was queued, as an index into the queues.
    pub(super) queue: usize,
    /// Whether it is a kernel.
    pub(super) is_kernel: bool,
    /// Whether it is a copy or a memset.
    pub(super) moves_memory: bool,
}

/// An operation that meets a window.
#[derive(Clone, Copy)]
pub(super) struct Meeting<'a> {
    pub(super) op: OpId,
    pub(super) sort: &'a Sort,
    pub(super) span: Span,
    pub(super) window: usize,
    /// Whether it is the attributed process' own.
    pub(super) own: bool,
}

impl Sort {
    fn all_of(operations: &Operations) -> Vec<Self> {
        let places = operations.sorts().iter().zip(operations.processes_by_sort());
        let sort = |(sort, process): (&OperationSort, Option<ProcessId>)| {
            let (label, queue) = (sort.label as usize, sort.queue as usize);
            let what = &operations.labels()[label];
            let (is_kernel, moves_memory) = (what.is_kernel(), what.moves_memory());
            Self { process, label, queue, is_kernel, moves_memory }
        };
        places.map(sort).collect()
    }
}

impl<'a> Scope<'a> {
    pub(super) fn new(trace: &'a Trace, set: &'a WindowSet) -> Self {
        Self {
            trace,
            set,
            spans: set.windows.iter().map(|window| window.span).collect(),
            cpu_spans: set.windows.iter().map(|window| window.cpu).collect(),
            callers: trace.calls.processes_by_maker(&trace.identities),
            sorts: Sort::all_of(&trace.operations),
            launch_windows: OnceLock::new(),
        }
    }

    pub(super) fn windows(&self) -> &'a [Window] {
        &self.set.windows
    }

    /// Summed length of the windows, in ns.
    pub(super) fn wall_ns(&self) -> i64 {
        self.spans.iter().map(|span| span.length().as_ns()).sum()
    }

    /// The process that made a call.
    pub(super) fn caller(&self, call: CallId) -> Option<ProcessId> {
        self.callers[self.trace.calls.maker_index(call)]
    }

    /// Every pair of a call and a window that meet, and whether the window attributes the call's
    /// process.
    pub(super) fn calls_meeting(&self, mut visit: impl FnMut(CallId, usize, bool)) {
        let calls = self.trace.calls.ids().map(|call| (call, self.trace.calls.span(call)));
        Sweep::over(&self.cpu_spans).meeting(calls, |call, window| {
            let attributed = self.windows()[window].attributed.calls_of(self.caller(call));
            visit(call, window, attributed);
        });
    }

    /// Every counted pair of a call and a window in which the call starts.
    pub(super) fn calls_starting(&self, mut visit: impl FnMut(CallId, usize)) {
        let calls =
            self.trace.calls.ids().map(|call| (call, self.trace.calls.span(call).start_ns()));
        Sweep::over(&self.cpu_spans).starting(calls, |call, window| {
            if self.windows()[window].attributed.calls_of(self.caller(call)) {
                visit(call, window);
            }
        });
    }

    /// Every pair of an operation and a window that meet, in the order of the operations.
    pub(super) fn operations_meeting(&self, mut visit: impl FnMut(Meeting<'_>)) {
        let operations = &self.trace.operations;
        let things = operations.ids().map(|op| {
            let span = operations.span(op);
            ((op, span), span)
        });
        Sweep::over(&self.spans).meeting(things, |(op, span), window| {
            let sort = self.sort(op);
            let own = self.windows()[window].attributed.operations_of(sort.process);
            visit(Meeting { op, sort, span, window, own });
        });
    }

    /// Every counted pair of an operation and a window in which it starts.
    pub(super) fn operations_starting(&self, mut visit: impl FnMut(OpId, usize)) {
        let operations = &self.trace.operations;
        let things = operations.ids().map(|op| (op, operations.span(op).start_ns()));
        Sweep::over(&self.spans).starting(things, |op, window| {
            if self.is_own(op, window) {
                visit(op, window);
            }
        });
    }

    /// Every counted pair of an operation and a window in which its call starts, in the order of
    /// the operations.
    pub(super) fn operations_launched(&self, mut visit: impl FnMut(OpId, CallId, usize)) {
        let windows = self.launch_windows.get_or_init(|| LaunchWindows::of(self));
        let mut walk = windows.walk(self);
        for op in self.trace.operations.ids() {
            if let Some(call) = self.trace.links.cause(op) {
                walk.each(call, |window| visit(op, call, window));
            }
        }
    }

    /// Whether an operation is the attributed process' own in a window.
    pub(super) fn is_own(&self, op: OpId, window: usize) -> bool {
        self.windows()[window].attributed.operations_of(self.sort(op).process)
    }

    /// What an operation is and where it was queued.
    pub(super) fn sort(&self, op: OpId) -> &Sort {
        &self.sorts[self.trace.operations.sort_index(op)]
    }
}
