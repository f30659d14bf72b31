//! Where the GPU's idle time went.
//!
//! For an idle instant t, `next` is the operation with the smallest start >= t (ties: smallest
//! correlation id), `call` its API call, `thread` the thread of that call:
//!
//! ```text
//!   thread   [sync--)      [malloc)   [launch)
//!   GPU  [op)                                     [next---)
//!   idle     |sync  |host  |api   |host|launch|queue |
//! ```
//!
//! 1. no operation meets the window: `none`; before the first: `head`; after the last: `tail` (both
//!    also by the kinds below); 2. `next` has no call: `unknown`; 3. the call has returned: `queue`;
//!    4. the call is running: `launch` or `api`; 5. before the call: what `thread` is doing, or `host`.
//!
//! Behind the last operation of all, `thread` is the window's own.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Idle, IdleKinds};
use super::scope::Scope;
use super::timeline::{self, Doing, Synchronising, Timeline};
use crate::trace::{OpId, ThreadId};
use crate::units::{Nanos, Span};
use crate::windows::Attributed;

/// Host time between two consecutive calls counts as dispatch below this length.
const DISPATCH_NS: i64 = 1_000_000;

/// Time by kind, in ns.
#[derive(Clone, Copy, Debug, Default)]
struct Kinds {
    launch: i64,
    queue: i64,
    api: i64,
    sync: i64,
    host: i64,
    unknown: i64,
    dispatch: i64,
}

impl Kinds {
    fn document(self) -> IdleKinds {
        IdleKinds {
            launch_ns: Nanos::from_ns(self.launch),
            queue_ns: Nanos::from_ns(self.queue),
            api_ns: Nanos::from_ns(self.api),
            sync_ns: Nanos::from_ns(self.sync),
            host_ns: Nanos::from_ns(self.host),
            unknown_ns: Nanos::from_ns(self.unknown),
            dispatch_ns: Nanos::from_ns(self.dispatch),
        }
    }
}

/// The idle time of one window.
#[derive(Clone, Copy, Debug, Default)]
struct WindowIdle {
    none: i64,
    head: i64,
    tail: i64,
    middle: Kinds,
    head_by: Kinds,
    tail_by: Kinds,
}

/// How far the sweep has come in one window.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    covered_to: i64,
    met: bool,
    waiting: Option<Gap>,
}

/// An idle stretch that ends where `next` starts.
#[derive(Clone, Copy, Debug)]
struct Gap {
    from: i64,
    to: i64,
    next: OpId,
    is_head: bool,
    /// Whether nothing but operations without length starts at `to`: that instant is idle, too, and
    /// still waits for `next`.
    at_instant: bool,
}

/// Splits the idle time of every window.
pub(super) fn split(scope: &Scope<'_>) -> Vec<Idle> {
    let causes = Causes::new(scope);
    let mut idle = vec![WindowIdle::default(); scope.windows().len()];
    let mut progress: Vec<Progress> = scope
        .spans
        .iter()
        .map(|span| Progress { covered_to: span.start_ns(), ..Progress::default() })
        .collect();
    scope.operations_meeting(|op, window, own| {
        if own {
            causes.step(op, scope.spans[window], &mut progress[window], &mut idle[window]);
        }
    });
    for (window, state) in progress.iter_mut().enumerate() {
        causes.finish(window, state, &mut idle[window]);
    }
    idle.iter().map(|window| document(scope, window)).collect()
}

/// In the whole trace there is no head and no tail: their parts join the kinds.
fn document(scope: &Scope<'_>, idle: &WindowIdle) -> Idle {
    let mut middle = idle.middle;
    let whole = scope.set.whole_trace;
    if whole {
        for part in [idle.head_by, idle.tail_by] {
            middle.launch += part.launch;
            middle.queue += part.queue;
            middle.api += part.api;
            middle.sync += part.sync;
            middle.host += part.host;
            middle.unknown += part.unknown;
            middle.dispatch += part.dispatch;
        }
    }
    let edge = |ns: i64| if whole { Nanos::ZERO } else { Nanos::from_ns(ns) };
    let edge_by = |kinds: Kinds| if whole { IdleKinds::default() } else { kinds.document() };
    let kinds = middle.document();
    Idle {
        none_ns: Nanos::from_ns(idle.none),
        head_ns: edge(idle.head),
        tail_ns: edge(idle.tail),
        launch_ns: kinds.launch_ns,
        queue_ns: kinds.queue_ns,
        api_ns: kinds.api_ns,
        sync_ns: kinds.sync_ns,
        host_ns: kinds.host_ns,
        unknown_ns: kinds.unknown_ns,
        dispatch_ns: kinds.dispatch_ns,
        head_by: edge_by(idle.head_by),
        tail_by: edge_by(idle.tail_by),
    }
}

/// What is needed to say why the GPU was idle.
struct Causes<'a> {
    scope: &'a Scope<'a>,
    sync: Synchronising,
    threads: Vec<Timeline>,
    /// The devices that the attributed process used in each window.
    devices: Vec<BTreeSet<i64>>,
    /// The latest start of an operation of each process set.
    last_start: BTreeMap<Attributed, i64>,
}

impl<'a> Causes<'a> {
    fn new(scope: &'a Scope<'a>) -> Self {
        let sync = Synchronising::of(scope.trace);
        let threads = timeline::calls_by_thread(scope.trace)
            .into_iter()
            .map(|calls| Timeline::new(scope.trace, &sync, calls))
            .collect();
        let mut devices = vec![BTreeSet::new(); scope.windows().len()];
        scope.operations_meeting(|op, window, own| {
            if own {
                devices[window].insert(scope.trace.operations.queue(op).device);
            }
        });
        Self { scope, sync, threads, devices, last_start: last_starts(scope) }
    }

    /// Whether `a` comes before `b` among operations that start at the same instant: by correlation
    /// id, then by process, those without one last.
    fn precedes(&self, a: OpId, b: OpId) -> bool {
        let operations = &self.scope.trace.operations;
        let key = |op| {
            let process = operations.queue(op).process;
            (operations.correlation(op).unwrap_or(u32::MAX), process.is_none(), process)
        };
        key(a) < key(b)
    }

    /// Takes the next operation of a window, in the order of their starts.
    fn step(&self, op: OpId, window: Span, state: &mut Progress, idle: &mut WindowIdle) {
        let span = self.scope.trace.operations.span(op);
        let start = span.start_ns().max(window.start_ns());
        match &mut state.waiting {
            Some(gap) if gap.to == start => {
                if self.precedes(op, gap.next) {
                    gap.next = op;
                }
                gap.at_instant &= span.is_empty();
            }
            _ => {
                self.close(state, idle);
                if start > state.covered_to || (span.is_empty() && start == state.covered_to) {
                    state.waiting = Some(Gap {
                        from: state.covered_to,
                        to: start,
                        next: op,
                        is_head: !state.met,
                        at_instant: span.is_empty(),
                    });
                }
            }
        }
        state.met = true;
        state.covered_to = state.covered_to.max(span.end_ns());
    }

    /// Charges the gap that is open, now that a later operation has come.
    fn close(&self, state: &mut Progress, idle: &mut WindowIdle) {
        let Some(gap) = state.waiting.take() else { return };
        self.charge(&gap, idle);
        if gap.at_instant {
            self.explain(gap.to, gap.to + 1, gap.next, &mut idle.middle);
            state.covered_to = state.covered_to.max(gap.to + 1);
        }
    }

    fn charge(&self, gap: &Gap, idle: &mut WindowIdle) {
        let kinds = if gap.is_head {
            idle.head += gap.to - gap.from;
            &mut idle.head_by
        } else {
            &mut idle.middle
        };
        self.explain(gap.from, gap.to, gap.next, kinds);
    }

    /// Charges what is left behind the last operation of the window.
    fn finish(&self, window: usize, state: &mut Progress, idle: &mut WindowIdle) {
        let span = self.scope.spans[window];
        if !state.met {
            idle.none += span.length().as_ns();
            return;
        }
        if let Some(gap) = state.waiting.take() {
            self.charge(&gap, idle);
            if gap.at_instant {
                idle.tail += 1;
                self.explain(gap.to, gap.to + 1, gap.next, &mut idle.tail_by);
                state.covered_to = state.covered_to.max(gap.to + 1);
            }
        }
        let from = state.covered_to;
        if from >= span.end_ns() {
            return;
        }
        idle.tail += span.end_ns() - from;
        match self.next_after(window, span) {
            Some(next) => self.explain(from, span.end_ns(), next, &mut idle.tail_by),
            None => match self.scope.windows()[window].thread() {
                Some(thread) => self.watch(thread, from, span.end_ns(), &mut idle.tail_by),
                None => idle.tail_by.unknown += span.end_ns() - from,
            },
        }
    }

    /// The next operation of the window's process set, on its devices, behind the window.
    fn next_after(&self, window: usize, span: Span) -> Option<OpId> {
        let operations = &self.scope.trace.operations;
        let attributed = self.scope.windows()[window].attributed;
        if self.last_start.get(&attributed).is_none_or(|last| *last < span.end_ns()) {
            return None;
        }
        let first = operations.first_starting_from(span.end());
        let mut found: Option<OpId> = None;
        for op in operations.ids_from(first) {
            if found.is_some_and(|next| operations.span(next).start() < operations.span(op).start())
            {
                break;
            }
            if !self.scope.is_own(op, window)
                || !self.devices[window].contains(&operations.queue(op).device)
            {
                continue;
            }
            if found.is_none_or(|next| self.precedes(op, next)) {
                found = Some(op);
            }
        }
        found
    }

    /// Charges the idle stretch before `next`.
    fn explain(&self, from: i64, to: i64, next: OpId, kinds: &mut Kinds) {
        let calls = &self.scope.trace.calls;
        let Some(call) = self.scope.trace.links.cause(next) else {
            kinds.unknown += to - from;
            return;
        };
        let span = calls.span(call);
        let clip = |start: i64, end: i64| {
            Span::from_ns(from, to).clip(Span::from_ns(start, end)).length().as_ns()
        };
        kinds.queue += clip(span.end_ns(), to);
        let running = clip(span.start_ns(), span.end_ns());
        if calls.name(call).launches {
            kinds.launch += running;
        } else {
            kinds.api += running;
        }
        if from < span.start_ns() {
            self.watch(calls.thread(call), from, to.min(span.start_ns()), kinds);
        }
    }

    /// Charges a stretch to what a thread did in it.
    fn watch(&self, thread: ThreadId, from: i64, to: i64, kinds: &mut Kinds) {
        let trace = self.scope.trace;
        let timeline = &self.threads[thread.index()];
        let mut at = from;
        let mut i = timeline.first_ending_after(trace, from);
        while at < to {
            let segment = (i < timeline.len()).then(|| timeline.segment(trace, &self.sync, i));
            let start = segment.map_or(i64::MAX, |segment| segment.span.start_ns());
            if start > at {
                let host = start.min(to) - at;
                kinds.host += host;
                let before = i.checked_sub(1).map(|i| timeline.segment(trace, &self.sync, i));
                if before
                    .is_some_and(|before| start.saturating_sub(before.span.end_ns()) < DISPATCH_NS)
                {
                    kinds.dispatch += host;
                }
                at += host;
            }
            let Some(segment) = segment else { return };
            let inside = segment.span.end_ns().min(to) - at;
            if inside > 0 {
                match segment.doing {
                    Doing::Sync => kinds.sync += inside,
                    Doing::Launch => kinds.launch += inside,
                    Doing::Api => kinds.api += inside,
                }
                at += inside;
            }
            i += 1;
        }
    }
}

/// The latest start of an operation of each process set that a window attributes.
fn last_starts(scope: &Scope<'_>) -> BTreeMap<Attributed, i64> {
    let operations = &scope.trace.operations;
    let sets: BTreeSet<Attributed> =
        scope.windows().iter().map(|window| window.attributed).collect();
    sets.into_iter()
        .filter_map(|set| {
            let last = operations
                .ids()
                .rev()
                .find(|op| set.operations_of(operations.queue(*op).process))?;
            Some((set, operations.span(last).start_ns()))
        })
        .collect()
}
