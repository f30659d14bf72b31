//! From a window of the trace to a program.
//!
//! What enters as it was recorded: host gaps, durations of operations, calls that waited for nothing, launches
//! that load a module. Everything else is a median of [`super::costs`] or an outcome of the run. The state at
//! the window's start is the trace's: operations that run keep their start, those that wait are submitted and
//! wait, a call in progress goes on.

use std::fmt;

use super::costs::{Costs, key, recorded_target_end};
use super::program::{Action, Awaited, End, Lane, Op, OpKind, Program, Recorded, Step};
use super::record::{NONE, RecordedStep, Recording, Role, Target, process_index};
use crate::classify::ClassId;
use crate::trace::{Label, OpId, ProcessId, ThreadId, Trace};
use crate::units::Span;
use crate::windows::{Window, WindowSet};

/// Host time between two calls is dispatch below this, as in the analysis.
const DISPATCH_NS: i64 = 1_000_000;
/// A window with more of its operation time unexplained is left out.
const ORPHANS: f64 = 0.01;

/// Why a window is not replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// No thread of its process made a call in it.
    NoCalls,
    /// It has no length.
    NoLength,
    /// Operations without an API call, over 1 % of its operation time.
    Orphans,
    /// The driver moved pages of unified memory meanwhile.
    UnifiedMemory,
    /// Kernels that wait for other processes or devices (NCCL and the like).
    PeerWaiting,
    /// The trace was cut, and the window reaches its edge.
    Cut,
    /// A run of kernels launches nothing.
    KernelRun,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NoCalls => "no CUDA call in the window",
            Self::NoLength => "no length",
            Self::Orphans => "operations without an API call, over 1 % of operation time",
            Self::UnifiedMemory => "migrations of unified memory",
            Self::PeerWaiting => "kernels that wait for peers (communication)",
            Self::Cut => "cut by the edge of the trace",
            Self::KernelRun => "a run of kernels launches nothing itself",
        })
    }
}

/// Operations that no call of the window explains.
#[derive(Debug, Default)]
pub(crate) struct Unexplained {
    orphans: Vec<OpId>,
    migrations: Vec<OpId>,
    /// From the first to the last call, when the trace has orphans: then it was cut.
    calls: Option<Span>,
}

impl Unexplained {
    pub(crate) fn of(trace: &Trace) -> Self {
        let mut found = Self::default();
        for op in trace.operations.ids().filter(|op| trace.links.cause(*op).is_none()) {
            if trace.operations.label(op).is_unified_memory() {
                found.migrations.push(op);
            } else {
                found.orphans.push(op);
            }
        }
        if !found.orphans.is_empty() {
            let first = trace.calls.ids().next().map(|call| trace.calls.span(call).start_ns());
            let last = trace.calls.ids().map(|call| trace.calls.span(call).end_ns()).max();
            found.calls = first.zip(last).map(|(first, last)| Span::from_ns(first, last));
        }
        found
    }

    fn time(trace: &Trace, ops: &[OpId], window: &Window) -> i64 {
        let end = window.span.end_ns().max(window.cpu.end_ns());
        let until = ops.partition_point(|op| trace.operations.span(*op).start_ns() < end);
        ops[..until]
            .iter()
            .filter(|op| window.attributed.operations_of(trace.operations.queue(**op).process))
            .map(|op| trace.operations.span(*op).clip(window.span).length().as_ns())
            .sum()
    }
}

/// What programs are made from.
pub(crate) struct Source<'a> {
    pub(crate) all: &'a Recording<'a>,
    pub(crate) costs: &'a Costs,
    pub(crate) unexplained: &'a Unexplained,
    /// The class of each operation of the order.
    pub(crate) classes: &'a [Option<ClassId>],
    /// Which labels are kernels that wait for peers.
    pub(crate) peers: &'a [bool],
}

/// A program under construction.
struct Builder<'a> {
    from: &'a Source<'a>,
    origin: i64,
    end: i64,
    program: Program,
    queues: Vec<usize>,
    engines: Vec<(i64, OpKind)>,
    /// (place, index in the program).
    places: Vec<(u32, u32)>,
}

/// Makes the program of a window.
pub(crate) fn program(
    from: &Source<'_>,
    set: &WindowSet,
    window: &Window,
) -> Result<Program, LeftOut> {
    let trace = from.all.trace;
    if set.kernel_runs {
        return Err(LeftOut::KernelRun);
    }
    if window.span.is_empty() || window.cpu.is_empty() {
        return Err(LeftOut::NoLength);
    }
    check_edges(from, window)?;
    let mut builder = Builder::new(from, window.cpu);
    builder.pending(window);
    builder.lanes(window);
    if builder.program.steps.is_empty() {
        return Err(LeftOut::NoCalls);
    }
    builder.connect();
    builder.finish(set, window)?;
    let orphans = Unexplained::time(trace, &from.unexplained.orphans, window);
    let program = builder.program;
    if orphans as f64 > ORPHANS * (program.recorded.launched_ns + orphans) as f64 {
        return Err(LeftOut::Orphans);
    }
    if program.ops.iter().any(|op| from.peers[op.label as usize]) {
        return Err(LeftOut::PeerWaiting);
    }
    Ok(program)
}

fn check_edges(from: &Source<'_>, window: &Window) -> Result<(), LeftOut> {
    if from.unexplained.calls.is_some_and(|calls| !calls.contains(window.cpu)) {
        return Err(LeftOut::Cut);
    }
    if Unexplained::time(from.all.trace, &from.unexplained.migrations, window) > 0 {
        return Err(LeftOut::UnifiedMemory);
    }
    Ok(())
}

impl<'a> Builder<'a> {
    fn new(from: &'a Source<'a>, cpu: Span) -> Self {
        let program = Program {
            lanes: Vec::new(),
            steps: Vec::new(),
            ops: Vec::new(),
            pending: 0,
            after: Vec::new(),
            awaited: Vec::new(),
            streams: 0,
            engines: Vec::new(),
            copies: Vec::new(),
            gaps: from.costs.gaps.clone(),
            queue: None,
            end: End::Operations,
            recorded: Recorded::default(),
        };
        Self {
            from,
            origin: cpu.start_ns(),
            end: cpu.end_ns(),
            program,
            queues: Vec::new(),
            engines: Vec::new(),
            places: Vec::new(),
        }
    }

    /// What was submitted before the window and has not ended.
    fn pending(&mut self, window: &Window) {
        let all = self.from.all;
        let first = all.first_submitted_from(self.origin);
        let mut pending = Vec::new();
        for (queue, places) in all.by_queue.iter().enumerate() {
            if !window.attributed.operations_of(all.trace.operations.queues()[queue].process) {
                continue;
            }
            let submitted = places.partition_point(|place| *place < first);
            let open = places[..submitted]
                .iter()
                .rev()
                .take_while(|place| all.end_of(**place) > self.origin)
                .filter(|place| {
                    all.steps[all.step_of[**place as usize] as usize].end <= self.origin
                });
            pending.extend(open.copied());
        }
        pending.sort_unstable();
        for place in pending {
            let (start, before) = (all.start_of(place), all.before[place as usize]);
            let engine = all.engine_before[place as usize];
            let ended = |op: u32| op == NONE || all.end_of(op) <= self.origin;
            // Nothing is in its way: it is on its way, and starts when it did.
            let fixed = start <= self.origin
                || (ended(before) && ended(engine) && all.edges.of(place).next().is_none());
            let op = self.op(place, 0, fixed.then_some(start - self.origin), false);
            self.push(place, op);
        }
        self.program.pending = self.program.ops.len();
    }

    fn push(&mut self, place: u32, op: Op) {
        self.places.push((place, self.program.ops.len() as u32));
        self.program.ops.push(op);
    }

    fn op(&mut self, place: u32, latency: i64, fixed: Option<i64>, own: bool) -> Op {
        let all = self.from.all;
        let id = all.order[place as usize];
        Op {
            duration: all.span(place).length().as_ns(),
            stream: self.stream(all.queue_of(place)),
            kind: all.kind_of(place),
            engine: all.engine(place).map(|engine| self.engine(engine)),
            latency,
            after: (0, 0),
            fixed,
            class: self.from.classes[place as usize],
            label: all.trace.operations.label_index(id) as u32,
            id,
            own,
            removed: false,
        }
    }

    fn stream(&mut self, queue: usize) -> u32 {
        let at = self.queues.iter().position(|known| *known == queue).unwrap_or_else(|| {
            self.queues.push(queue);
            self.queues.len() - 1
        });
        at as u32
    }

    fn engine(&mut self, engine: (i64, OpKind)) -> u32 {
        let at = self.engines.iter().position(|known| *known == engine).unwrap_or_else(|| {
            let copies = engine.1 != OpKind::Kernel;
            self.engines.push(engine);
            self.program.engines.push(if copies { 1 } else { self.from.costs.slots(engine.0) });
            self.program.copies.push(copies);
            self.engines.len() - 1
        });
        at as u32
    }

    /// The steps of every thread of the process.
    fn lanes(&mut self, window: &Window) {
        let all = self.from.all;
        for thread in 0..all.lanes.len() {
            let process = all.process_of_lane(thread);
            if !window.attributed.calls_of(process) {
                continue;
            }
            let steps = all.lane(thread);
            let from =
                steps.partition_point(|step| step.end <= self.origin && step.start < self.origin);
            let to = steps.partition_point(|step| step.start < self.end);
            if from >= to {
                continue;
            }
            if self.program.queue.is_none() {
                self.program.queue = self.from.costs.queue(process_index(process));
            }
            let first = self.program.steps.len() as u32;
            let mut left = self.origin;
            for (i, step) in steps[from..to].iter().enumerate() {
                self.step(step, left, i > 0, process);
                left = step.end;
            }
            let range = (first, self.program.steps.len() as u32);
            self.program.lanes.push(Lane { steps: range, thread: thread as u32 });
        }
    }

    /// Adds a step; `left` is when the one before returned.
    fn step(&mut self, step: &RecordedStep, left: i64, inner: bool, process: Option<ProcessId>) {
        let all = self.from.all;
        let begin = step.start.max(self.origin);
        let gap = (begin - left).max(0);
        let ops = self.ops(step, process);
        let mut made = Step {
            gap,
            dispatch: inner && gap < DISPATCH_NS,
            cost: step.end - begin,
            function: step.function,
            call: step.call,
            action: match step.role {
                Role::Call => Action::Call,
                Role::Submit => Action::Submit,
                Role::Copy => Action::Copy,
                Role::Wait => Action::Wait,
            },
            launches: step.launches,
            first_use: self.from.costs.is_first_use(step, process_index(process)),
            ops,
            awaited: (0, 0),
            lead: 0,
            tail: 0,
            waited: false,
            recorded: step.end - begin,
            removed: false,
        };
        match step.role {
            Role::Call => {}
            Role::Submit => {
                if step.launches && self.was_full(step) {
                    (made.waited, made.cost) = (true, self.from.costs.own(step).min(made.cost));
                }
            }
            Role::Copy => self.copy(step, begin, &mut made),
            Role::Wait => {
                made.tail = self.from.costs.tail(step);
                if recorded_target_end(all, step).is_some_and(|end| end > begin) {
                    (made.waited, made.cost) = (true, self.from.costs.own(step).min(made.cost));
                }
                let from = self.program.awaited.len() as u32;
                match step.target {
                    Target::Nothing => {}
                    Target::Everything => self.program.awaited.push(Awaited::Everything),
                    Target::Queue(queue) => {
                        let stream = self.stream(queue as usize);
                        self.program.awaited.push(Awaited::Stream(stream));
                    }
                    // Resolved when all operations are there.
                    Target::Operation(place) => {
                        self.program.awaited.push(Awaited::Operation(place));
                    }
                }
                made.awaited = (from, self.program.awaited.len() as u32);
            }
        }
        self.program.steps.push(made);
    }

    /// A copy that waits for its own operation: as recorded where nothing held it back.
    fn copy(&self, step: &RecordedStep, begin: i64, made: &mut Step) {
        let all = self.from.all;
        let ops = all.ops_of(step);
        let (Some(first), Some(last)) = (ops.first().copied(), ops.last().copied()) else { return };
        let recorded = step.end - all.end_of(last);
        if !all.own_pace(first, step) {
            let process = all.trace.calls.process(step.call, &all.trace.identities);
            let most = (all.start_of(first) - begin).max(0);
            made.lead = self.from.costs.lead(key(all, step, first), process_index(process), most);
            made.tail = self.from.costs.copy_tail(key(all, step, last), recorded);
            made.waited = true;
        } else {
            made.lead = (all.start_of(first) - begin).max(0);
            made.tail = recorded;
        }
    }

    /// Whether the launch had to wait for a place in its queue.
    fn was_full(&self, step: &RecordedStep) -> bool {
        let all = self.from.all;
        let Some(op) = all.ops_of(step).last().copied() else { return false };
        let process = all.trace.calls.process(step.call, &all.trace.identities);
        let Some(queue) = self.from.costs.queue(process_index(process)) else { return false };
        let own = all.in_queue[op as usize] as usize;
        own.checked_sub(queue.depth)
            .is_some_and(|at| all.start_of(all.by_queue[all.queue_of(op)][at]) > step.start)
    }

    /// Adds the operations of a step.
    fn ops(&mut self, step: &RecordedStep, process: Option<ProcessId>) -> (u32, u32) {
        let all = self.from.all;
        let from = self.program.ops.len() as u32;
        let first_use = self.from.costs.is_first_use(step, process_index(process));
        for place in all.ops_of(step) {
            let start = all.start_of(*place);
            let recorded = all.own_pace(*place, step).then_some(start - step.end);
            let latency = if first_use && recorded.is_some() {
                start - step.end
            } else {
                self.from.costs.latency(key(all, step, *place), recorded)
            };
            let fixed = (start <= self.origin).then_some(start - self.origin);
            let op = self.op(*place, latency, fixed, step.start >= self.origin);
            self.push(*place, op);
        }
        (from, self.program.ops.len() as u32)
    }

    /// Event edges and awaited operations, by index in the program.
    fn connect(&mut self) {
        let all = self.from.all;
        let mut by_place = self.places.clone();
        by_place.sort_unstable();
        let find = |place: u32| {
            by_place.binary_search_by_key(&place, |entry| entry.0).ok().map(|at| by_place[at].1)
        };
        if !all.edges.edges.is_empty() {
            for (place, index) in &self.places {
                let from = self.program.after.len() as u32;
                self.program.after.extend(all.edges.of(*place).filter_map(find));
                self.program.ops[*index as usize].after = (from, self.program.after.len() as u32);
            }
        }
        let mut awaited = Vec::with_capacity(self.program.awaited.len());
        for step in &mut self.program.steps {
            let from = awaited.len() as u32;
            for i in step.awaited.0..step.awaited.1 {
                match self.program.awaited[i as usize] {
                    // What had ended before the window is not waited for.
                    Awaited::Operation(place) => {
                        awaited.extend(find(place).map(Awaited::Operation));
                    }
                    other => awaited.push(other),
                }
            }
            step.awaited = (from, awaited.len() as u32);
        }
        self.program.awaited = awaited;
        self.program.streams = self.queues.len();
    }

    /// How the window ends, and what was recorded of it.
    fn finish(&mut self, set: &WindowSet, window: &Window) -> Result<(), LeftOut> {
        let all = self.from.all;
        let main = self.main_lane(window.thread()).ok_or(LeftOut::NoCalls)?;
        let lane = self.program.lanes[main];
        let last = lane.steps.1 - 1;
        let recorded = all.lane(lane.thread as usize);
        let to = recorded.partition_point(|step| step.start < self.end);
        let offset = self.end - recorded[to - 1].end;
        let own = self.program.ops.iter().filter(|op| op.own);
        let spans = own.map(|op| all.trace.operations.span(op.id));
        let last_op_end = spans.clone().map(|span| span.end_ns() - self.origin).max();
        let steps = &self.program.steps[lane.steps.0 as usize..lane.steps.1 as usize];
        let beyond =
            if steps.last().is_some_and(|step| step.waited) { (-offset).max(0) } else { 0 };
        let waited: i64 = steps.iter().filter(|step| step.waited).map(|step| step.recorded).sum();
        self.program.recorded = Recorded {
            length: window.span.length().as_ns(),
            last_op_end,
            recomputed: waited - beyond,
            launched_ns: spans.clone().map(|span| span.length().as_ns()).sum(),
            contained_ns: spans.map(|span| span.clip(window.span).length().as_ns()).sum(),
        };
        self.program.end =
            if set.projected { End::Operations } else { End::AfterStep(last, offset) };
        if set.projected && last_op_end.is_none() {
            return Err(LeftOut::NoCalls);
        }
        Ok(())
    }

    /// The window's own thread, or the one whose last call returned last.
    fn main_lane(&self, own: Option<ThreadId>) -> Option<usize> {
        let lanes = &self.program.lanes;
        let is_own = |lane: &Lane| own.is_some_and(|own| own.index() == lane.thread as usize);
        lanes.iter().position(is_own).or_else(|| {
            let last_end = |lane: &Lane| {
                let steps = self.from.all.lane(lane.thread as usize);
                let to = steps.partition_point(|step| step.start < self.end);
                steps[to - 1].end
            };
            (0..lanes.len()).max_by_key(|at| (last_end(&lanes[*at]), lanes.len() - at))
        })
    }
}

/// Whether a label is a kernel that waits for peers, where the rules have no class for it.
pub(crate) fn waits_for_peers(label: &Label) -> bool {
    match label {
        Label::Kernel { demangled, short } => ["nccl", "nvshmem", "rccl"].iter().any(|word| {
            demangled.to_lowercase().contains(word) || short.to_lowercase().contains(word)
        }),
        _ => false,
    }
}
