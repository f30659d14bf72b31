//! The whole trace as what threads did and what streams were given.
//!
//! A *step* is an outermost API call with everything nested in it; an operation belongs to the step that
//! caused it. Operations are numbered in the order of submission, which is that of their calls: a stream works
//! them off in that order. What a step does is measured, not read off its name alone: a copy that is still
//! in its call while its operation runs waits for it, as in `attribution`.

use std::collections::BTreeMap;

use super::program::OpKind;
use super::waits::{self, Edges};
use crate::trace::{CallId, Label, OpId, ProcessId, Trace};
use crate::units::Span;

/// No such thing.
pub(crate) const NONE: u32 = u32::MAX;
/// A copy whose operation takes less cannot be told from one that was submitted and ended by chance.
const SHORT_COPY_NS: i64 = 20_000;
/// An operation that starts so long after what held it is not held by it.
const SURELY_OVER_NS: i64 = 50_000;

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Nothing that the GPU sees.
    Call,
    /// Submits and returns.
    Submit,
    /// Submits and waits for what it submitted.
    Copy,
    /// Waits.
    Wait,
}

/// What a step waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A stream, as an index into the queues of the trace.
    Queue(u32),
    /// Every stream of the process.
    Everything,
    /// One operation, by its place in the order of submission.
    Operation(u32),
    /// Nothing that the trace shows.
    Nothing,
}

/// An outermost call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordedStep {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) call: CallId,
    pub(crate) function: u32,
    pub(crate) role: Role,
    pub(crate) launches: bool,
    /// A call inside that synchronises, if any.
    pub(crate) synchronises: Option<CallId>,
    /// Whether nothing of its process was under way when it began.
    pub(crate) idle: bool,
    /// Operations, as a range of [`Recording::step_ops`].
    pub(crate) ops: (u32, u32),
    pub(crate) target: Target,
}

impl RecordedStep {
    pub(crate) const fn length(&self) -> i64 {
        self.end - self.start
    }
}

/// What a process submitted, in order.
#[derive(Debug, Default)]
pub(crate) struct Submitted {
    /// Start of the call, latest end of everything up to here.
    pub(crate) places: Vec<(i64, i64)>,
}

/// The trace, as steps and submissions.
pub(crate) struct Recording<'a> {
    pub(crate) trace: &'a Trace,
    /// Every operation that a call explains, in the order of submission.
    pub(crate) order: Vec<OpId>,
    /// The operation before each on its stream.
    pub(crate) before: Vec<u32>,
    /// Steps of each thread, one after the other.
    pub(crate) steps: Vec<RecordedStep>,
    /// Range of the steps of each thread.
    pub(crate) lanes: Vec<(u32, u32)>,
    /// Places in the order of submission.
    pub(crate) step_ops: Vec<u32>,
    /// The step of each operation.
    pub(crate) step_of: Vec<u32>,
    /// Places of each queue, in order.
    pub(crate) by_queue: Vec<Vec<u32>>,
    /// Place of each operation within its queue.
    pub(crate) in_queue: Vec<u32>,
    /// The operation submitted before each copy to the engine of its direction.
    pub(crate) engine_before: Vec<u32>,
    /// Waits of streams for events.
    pub(crate) edges: Edges,
}

impl<'a> Recording<'a> {
    /// Reads the trace that way.
    pub(crate) fn of(trace: &'a Trace) -> Self {
        let (order, first) = submission_order(trace);
        let (steps, lanes, step_ops, step_of) = steps(trace, &order, &first);
        let mut by_queue: Vec<Vec<u32>> = vec![Vec::new(); trace.operations.queues().len()];
        let mut before = vec![NONE; order.len()];
        let mut in_queue = vec![0; order.len()];
        for (place, op) in order.iter().enumerate() {
            let queue = &mut by_queue[trace.operations.queue_index(*op)];
            before[place] = queue.last().copied().unwrap_or(NONE);
            in_queue[place] = queue.len() as u32;
            queue.push(place as u32);
        }
        let mut all = Self {
            trace,
            order,
            before,
            steps,
            lanes,
            step_ops,
            step_of,
            by_queue,
            in_queue,
            engine_before: Vec::new(),
            edges: Edges::default(),
        };
        all.engine_before = all.last_on_engine();
        all.mark_idle();
        all.find_blocking_copies();
        waits::find_targets(&mut all);
        all.edges = Edges::find(&all);
        all
    }

    pub(crate) fn span(&self, place: u32) -> Span {
        self.trace.operations.span(self.order[place as usize])
    }

    pub(crate) fn end_of(&self, place: u32) -> i64 {
        self.span(place).end_ns()
    }

    pub(crate) fn start_of(&self, place: u32) -> i64 {
        self.span(place).start_ns()
    }

    pub(crate) fn queue_of(&self, place: u32) -> usize {
        self.trace.operations.queue_index(self.order[place as usize])
    }

    pub(crate) fn kind_of(&self, place: u32) -> OpKind {
        kind(self.trace.operations.label(self.order[place as usize]))
    }

    /// Operations of a step, by place.
    pub(crate) fn ops_of(&self, step: &RecordedStep) -> &[u32] {
        &self.step_ops[step.ops.0 as usize..step.ops.1 as usize]
    }

    /// The steps of a thread.
    pub(crate) fn lane(&self, thread: usize) -> &[RecordedStep] {
        let (from, to) = self.lanes[thread];
        &self.steps[from as usize..to as usize]
    }

    pub(crate) fn process_of_lane(&self, thread: usize) -> Option<ProcessId> {
        self.trace.identities.threads()[thread].process
    }

    /// Whether the operation had to wait for the one before it on its stream when its call began.
    pub(crate) fn was_queued(&self, place: u32, step: &RecordedStep) -> bool {
        let before = self.before[place as usize];
        before != NONE && self.end_of(before) > step.start
    }

    /// Whether anything held the operation back when its call began: its stream, its engine, an event.
    pub(crate) fn was_held(&self, place: u32, step: &RecordedStep) -> bool {
        let engine = self.engine_before[place as usize];
        self.was_queued(place, step)
            || (engine != NONE && self.end_of(engine) > step.start)
            || self.edges.of(place).next().is_some()
    }

    /// When the last of what held the operation back had ended; `None` when nothing did.
    pub(crate) fn held_until(&self, place: u32, step: &RecordedStep) -> Option<i64> {
        let (before, engine) = (self.before[place as usize], self.engine_before[place as usize]);
        let ends =
            [before, engine].into_iter().filter(|op| *op != NONE).chain(self.edges.of(place));
        ends.map(|op| self.end_of(op)).filter(|end| *end > step.start).max()
    }

    /// Whether the operation started at its own pace: nothing held it, or what did was over long before.
    pub(crate) fn own_pace(&self, place: u32, step: &RecordedStep) -> bool {
        let start = self.start_of(place);
        self.held_until(place, step).is_none_or(|end| start > end + SURELY_OVER_NS)
    }

    /// The engine of an operation: kernels of a device, or copies of one direction.
    pub(crate) fn engine(&self, place: u32) -> Option<(i64, OpKind)> {
        let kind = self.kind_of(place);
        let device = self.trace.operations.queue(self.order[place as usize]).device;
        (kind == OpKind::Kernel || kind.crosses()).then_some((device, kind))
    }

    fn last_on_engine(&self) -> Vec<u32> {
        let mut last: BTreeMap<(i64, OpKind), u32> = BTreeMap::new();
        (0..self.order.len() as u32)
            .map(|op| match self.engine(op).filter(|(_, kind)| kind.crosses()) {
                Some(engine) => last.insert(engine, op).unwrap_or(NONE),
                None => NONE,
            })
            .collect()
    }

    /// The first place whose call starts at `instant` or later.
    pub(crate) fn first_submitted_from(&self, instant: i64) -> u32 {
        self.order.partition_point(|op| {
            self.trace
                .links
                .cause(*op)
                .is_some_and(|call| self.trace.calls.span(call).start_ns() < instant)
        }) as u32
    }

    /// What each process submitted.
    fn submitted(&self) -> Vec<Submitted> {
        let mut all: Vec<Submitted> = Vec::new();
        all.resize_with(self.trace.identities.processes().len() + 1, Submitted::default);
        for (place, op) in self.order.iter().enumerate() {
            let step = &self.steps[self.step_of[place] as usize];
            let process = self.trace.calls.process(step.call, &self.trace.identities);
            let list = &mut all[process_index(process)].places;
            let end = self.trace.operations.span(*op).end_ns();
            let latest = list.last().map_or(end, |(_, latest)| end.max(*latest));
            list.push((step.start, latest));
        }
        // Calls of several threads are in order already; those nested in an outer call may not be.
        all.iter_mut().for_each(|list| list.places.sort_unstable());
        all
    }

    fn mark_idle(&mut self) {
        let submitted = self.submitted();
        for thread in 0..self.lanes.len() {
            let list = &submitted[process_index(self.process_of_lane(thread))].places;
            let (from, to) = self.lanes[thread];
            let (mut next, mut latest) = (0, i64::MIN);
            for step in &mut self.steps[from as usize..to as usize] {
                while list.get(next).is_some_and(|(start, _)| *start < step.start) {
                    latest = latest.max(list[next].1);
                    next += 1;
                }
                step.idle = latest <= step.start;
            }
        }
    }

    /// Copies and memsets that return when their operation has ended.
    fn find_blocking_copies(&mut self) {
        for at in 0..self.steps.len() {
            let step = self.steps[at];
            let Some(last) = self.ops_of(&step).last().copied() else { continue };
            if step.synchronises.is_some() {
                let waits = step.end >= self.end_of(last);
                self.steps[at].role = if waits { Role::Copy } else { Role::Submit };
                continue;
            }
            if step.launches || !self.kind_of(last).moves_memory() {
                continue;
            }
            let span = self.span(last);
            let length = span.length().as_ns();
            let inside = step.end.min(span.end_ns()) - step.start.max(span.start_ns());
            if step.end < span.end_ns() && 2 * inside <= length {
                continue;
            }
            let asynchronous = self.trace.calls.name(step.call).text.contains("Async");
            if !asynchronous || length > SHORT_COPY_NS || self.was_queued(last, &step) {
                self.steps[at].role = Role::Copy;
            }
        }
    }
}

/// Processes by index, those without one last.
pub(crate) fn process_index(process: Option<ProcessId>) -> usize {
    process.map_or(0, |process| process.index() + 1)
}

/// What kind of operation a label stands for.
pub(crate) const fn kind(label: &Label) -> OpKind {
    match label {
        Label::Kernel { .. } => OpKind::Kernel,
        Label::Copy { kind: 1 } => OpKind::Upload,
        Label::Copy { kind: 2 } => OpKind::Download,
        Label::Copy { .. } => OpKind::OtherCopy,
        Label::Memset => OpKind::Memset,
        Label::Graph => OpKind::Graph,
    }
}

/// Operations by the order of their calls, and where the operations of each call begin.
fn submission_order(trace: &Trace) -> (Vec<OpId>, Vec<u32>) {
    let mut first = vec![0_u32; trace.calls.len() + 1];
    for op in trace.operations.ids() {
        if let Some(call) = trace.links.cause(op) {
            first[call.index() + 1] += 1;
        }
    }
    for call in 0..trace.calls.len() {
        first[call + 1] += first[call];
    }
    let mut next = first.clone();
    let mut order = vec![None; first[trace.calls.len()] as usize];
    for op in trace.operations.ids() {
        if let Some(call) = trace.links.cause(op) {
            let place = &mut next[call.index()];
            order[*place as usize] = Some(op);
            *place += 1;
        }
    }
    (order.into_iter().flatten().collect(), first)
}

type Steps = (Vec<RecordedStep>, Vec<(u32, u32)>, Vec<u32>, Vec<u32>);

/// The outermost calls of each thread.
fn steps(trace: &Trace, order: &[OpId], first: &[u32]) -> Steps {
    let mut by_thread: Vec<Vec<CallId>> = vec![Vec::new(); trace.identities.threads().len()];
    for call in trace.calls.ids() {
        by_thread[trace.calls.thread(call).index()].push(call);
    }
    let mut steps: Vec<RecordedStep> = Vec::with_capacity(trace.calls.len());
    let mut lanes = Vec::with_capacity(by_thread.len());
    let mut step_ops = Vec::with_capacity(order.len());
    let mut step_of = vec![NONE; order.len()];
    for calls in by_thread {
        let from = steps.len() as u32;
        for call in calls {
            let span = trace.calls.span(call);
            let name = trace.calls.name(call);
            let nested = steps.len() as u32 > from
                && steps.last().is_some_and(|last| span.start_ns() < last.end);
            if !nested {
                let at = step_ops.len() as u32;
                steps.push(RecordedStep {
                    start: span.start_ns(),
                    end: span.end_ns(),
                    call,
                    function: trace.calls.name_index(call) as u32,
                    role: Role::Call,
                    launches: false,
                    synchronises: None,
                    idle: true,
                    ops: (at, at),
                    target: Target::Nothing,
                });
            }
            let number = steps.len() as u32 - 1;
            let Some(step) = steps.last_mut() else { continue };
            step.end = step.end.max(span.end_ns());
            step.launches |= name.launches;
            if name.synchronises {
                step.synchronises = Some(call);
            }
            for place in first[call.index()]..first[call.index() + 1] {
                step_ops.push(place);
                step_of[place as usize] = number;
            }
            step.ops.1 = step_ops.len() as u32;
            if step.synchronises.is_some() {
                step.role = Role::Wait;
            } else if step.ops.1 > step.ops.0 {
                step.role = Role::Submit;
            }
        }
        lanes.push((from, steps.len() as u32));
    }
    (steps, lanes, step_ops, step_of)
}
