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
//!
//! Every piece of idle time goes to a [`Ledger`]: the sums of the analysis are one, the stretches of
//! a timeline another, so that a drawn window and its numbers come from the same rule.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::document::{Idle, IdleKinds};
use super::idle_stretch::{Cause, Ledger, Place, Stretch};
use super::scope::{Meeting, Scope};
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
    fn add(&mut self, stretch: &Stretch) {
        let ns = stretch.to - stretch.from;
        match stretch.cause {
            Cause::Launch => self.launch += ns,
            Cause::Queue => self.queue += ns,
            Cause::Api => self.api += ns,
            Cause::Sync => self.sync += ns,
            Cause::Host => self.host += ns,
            // Time without any operation is not idle for a reason; it never comes here.
            Cause::Unknown | Cause::None => self.unknown += ns,
        }
        if stretch.dispatch {
            self.dispatch += ns;
        }
    }

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

impl Ledger for WindowIdle {
    fn enter(&mut self, stretch: Stretch) {
        let ns = stretch.to - stretch.from;
        match stretch.place {
            _ if stretch.cause == Cause::None => self.none += ns,
            Place::Middle => self.middle.add(&stretch),
            Place::Head => {
                self.head += ns;
                self.head_by.add(&stretch);
            }
            Place::Tail => {
                self.tail += ns;
                self.tail_by.add(&stretch);
            }
        }
    }
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
    let mut idle = vec![WindowIdle::default(); scope.windows().len()];
    enter_all(scope, &mut idle);
    idle.iter().map(|window| document(scope, window)).collect()
}

/// Enters the idle time of every window into its ledger: pieces without length are left out, the rest
/// comes in the order of time and adds up to the idle time of the window.
pub(super) fn enter_all<L: Ledger>(scope: &Scope<'_>, ledgers: &mut [L]) {
    let causes = Causes::new(scope);
    let mut progress: Vec<Progress> = scope
        .spans
        .iter()
        .map(|span| Progress { covered_to: span.start_ns(), ..Progress::default() })
        .collect();
    scope.operations_meeting(|met| {
        if met.own {
            causes.step(&met, &mut progress[met.window], &mut ledgers[met.window]);
        }
    });
    for (window, state) in progress.iter_mut().enumerate() {
        causes.finish(window, state, &mut ledgers[window]);
    }
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
    /// Where each timeline was looked at last: idle stretches come nearly in order.
    hints: Vec<Cell<usize>>,
    /// The same for the operation behind a window.
    behind: Cell<usize>,
    /// The devices that the attributed process used in each window; `None` where the whole trace
    /// knows but one.
    devices: Option<Vec<BTreeSet<i64>>>,
    /// The latest start of an operation of each process set.
    last_start: BTreeMap<Attributed, i64>,
}

impl<'a> Causes<'a> {
    fn new(scope: &'a Scope<'a>) -> Self {
        let sync = Synchronising::of(scope.trace);
        let threads: Vec<Timeline> = timeline::calls_by_thread(scope.trace)
            .into_iter()
            .map(|calls| Timeline::new(scope.trace, &sync, calls))
            .collect();
        let hints = vec![Cell::new(0); threads.len()];
        Self {
            scope,
            sync,
            threads,
            hints,
            behind: Cell::new(0),
            devices: devices(scope),
            last_start: last_starts(scope),
        }
    }

    fn uses(&self, window: usize, device: i64) -> bool {
        self.devices.as_ref().is_none_or(|devices| devices[window].contains(&device))
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
    fn step(&self, met: &Meeting<'_>, state: &mut Progress, ledger: &mut impl Ledger) {
        let &Meeting { op, span, window, .. } = met;
        let start = span.start_ns().max(self.scope.spans[window].start_ns());
        match &mut state.waiting {
            Some(gap) if gap.to == start => {
                if self.precedes(op, gap.next) {
                    gap.next = op;
                }
                gap.at_instant &= span.is_empty();
            }
            _ => {
                if let Some(gap) = state.waiting.take() {
                    self.close(&gap, Place::Middle, state, ledger);
                }
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

    /// Enters a gap, and the instant at its end where only operations without length start; that
    /// instant belongs to `then`.
    fn close(&self, gap: &Gap, then: Place, state: &mut Progress, ledger: &mut impl Ledger) {
        let place = if gap.is_head { Place::Head } else { Place::Middle };
        self.explain(gap.from, gap.to, gap.next, &mut Page { ledger, place });
        if gap.at_instant {
            self.explain(gap.to, gap.to + 1, gap.next, &mut Page { ledger, place: then });
            state.covered_to = state.covered_to.max(gap.to + 1);
        }
    }

    /// Enters what is left behind the last operation of the window.
    fn finish(&self, window: usize, state: &mut Progress, ledger: &mut impl Ledger) {
        let span = self.scope.spans[window];
        if !state.met {
            let mut page = Page { ledger, place: Place::Middle };
            page.enter(span.start_ns(), span.end_ns(), Cause::None, None);
            return;
        }
        if let Some(gap) = state.waiting.take() {
            self.close(&gap, Place::Tail, state, ledger);
        }
        let (from, to) = (state.covered_to, span.end_ns());
        if from >= to {
            return;
        }
        let mut page = Page { ledger, place: Place::Tail };
        match self.next_after(window, span) {
            Some(next) => self.explain(from, to, next, &mut page),
            None => match self.scope.windows()[window].thread() {
                Some(thread) => self.watch(thread, from, to, None, &mut page),
                None => page.enter(from, to, Cause::Unknown, None),
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
        let first = operations.first_starting_from(span.end(), self.behind.get());
        self.behind.set(first.index());
        let mut found: Option<OpId> = None;
        for op in operations.ids_from(first) {
            if found.is_some_and(|next| operations.span(next).start() < operations.span(op).start())
            {
                break;
            }
            if !self.scope.is_own(op, window) || !self.uses(window, operations.queue(op).device) {
                continue;
            }
            if found.is_none_or(|next| self.precedes(op, next)) {
                found = Some(op);
            }
        }
        found
    }

    /// Enters the idle stretch before `next`.
    fn explain<L: Ledger>(&self, from: i64, to: i64, next: OpId, page: &mut Page<'_, L>) {
        let calls = &self.scope.trace.calls;
        let Some(call) = self.scope.trace.links.cause(next) else {
            page.enter(from, to, Cause::Unknown, Some(next));
            return;
        };
        let (start, end) = (calls.span(call).start_ns(), calls.span(call).end_ns());
        if from < start {
            self.watch(calls.thread(call), from, to.min(start), Some(next), page);
        }
        let running = if calls.name(call).launches { Cause::Launch } else { Cause::Api };
        page.enter(from.max(start), to.min(end), running, Some(next));
        page.enter(from.max(end), to, Cause::Queue, Some(next));
    }

    /// Enters a stretch as what a thread did in it.
    fn watch<L: Ledger>(
        &self,
        thread: ThreadId,
        from: i64,
        to: i64,
        next: Option<OpId>,
        page: &mut Page<'_, L>,
    ) {
        let trace = self.scope.trace;
        let timeline = &self.threads[thread.index()];
        let mut at = from;
        let hint = &self.hints[thread.index()];
        let mut i = timeline.first_ending_after(trace, from, hint.get());
        hint.set(i);
        while at < to {
            let segment = (i < timeline.len()).then(|| timeline.segment(trace, &self.sync, i));
            let start = segment.map_or(i64::MAX, |segment| segment.span.start_ns());
            if start > at {
                let until = start.min(to);
                let before = i.checked_sub(1).map(|i| timeline.segment(trace, &self.sync, i));
                let dispatch = before
                    .is_some_and(|before| start.saturating_sub(before.span.end_ns()) < DISPATCH_NS);
                page.enter_host(at, until, dispatch, next);
                at = until;
            }
            let Some(segment) = segment else { return };
            let until = segment.span.end_ns().min(to);
            if until > at {
                let cause = match segment.doing {
                    Doing::Sync => Cause::Sync,
                    Doing::Launch => Cause::Launch,
                    Doing::Api => Cause::Api,
                };
                page.enter(at, until, cause, next);
                at = until;
            }
            i += 1;
        }
    }
}

/// A ledger, open at a place of the window.
struct Page<'l, L> {
    ledger: &'l mut L,
    place: Place,
}

impl<L: Ledger> Page<'_, L> {
    fn enter(&mut self, from: i64, to: i64, cause: Cause, next: Option<OpId>) {
        if to > from {
            let place = self.place;
            self.ledger.enter(Stretch { from, to, cause, place, dispatch: false, next });
        }
    }

    fn enter_host(&mut self, from: i64, to: i64, dispatch: bool, next: Option<OpId>) {
        if to > from {
            let (cause, place) = (Cause::Host, self.place);
            self.ledger.enter(Stretch { from, to, cause, place, dispatch, next });
        }
    }
}

fn devices(scope: &Scope<'_>) -> Option<Vec<BTreeSet<i64>>> {
    let operations = &scope.trace.operations;
    let known: BTreeSet<i64> = operations.queues().iter().map(|queue| queue.device).collect();
    if known.len() < 2 {
        return None;
    }
    let mut devices = vec![BTreeSet::new(); scope.windows().len()];
    scope.operations_meeting(|Meeting { sort, window, own, .. }| {
        if own {
            devices[window].insert(operations.queues()[sort.queue].device);
        }
    });
    Some(devices)
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
