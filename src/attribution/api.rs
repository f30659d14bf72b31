//! CUDA API time inside the windows.
//!
//! Calls of the attributed process, clipped to the window:
//!
//! ```text
//!   window         [---------------------)
//!   calls      [1----)  [2--)  [3----------)
//!   counted        [1)  [2--)  [3--------)      calls 3, calls_started 2
//! ```
//!
//! Self time is without calls nested on the same thread. Cover is the union of the window thread's
//! calls over the window: how much of the wall the CPU spent inside CUDA at all.

use super::document::{Api, ApiFunction, Launches};
use super::in_order::InOrder;
use super::launches::LongLaunches;
use super::scope::Scope;
use crate::trace::{ApiName, CallId, Calls, ThreadId};
use crate::units::{Nanos, Share, Span};
use crate::windows::Window;
use crate::windows::intervals::Union;

/// API time of one window.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct WindowApi {
    pub(super) calls: u64,
    pub(super) time_ns: i64,
    pub(super) launches: u64,
    pub(super) launch_ns: i64,
}

/// The block and its windows.
pub(super) struct ApiTime {
    pub(super) block: Api,
    pub(super) windows: Vec<WindowApi>,
    /// Time of all attributed calls, whatever `--own-thread` says.
    pub(super) all_threads_ns: i64,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    calls: u64,
    time_ns: i64,
    nested_ns: i64,
}

/// Attributes API time; `own_thread` counts the window's thread alone.
pub(super) fn attribute(scope: &Scope<'_>, long: &LongLaunches, own_thread: bool) -> ApiTime {
    let calls = &scope.trace.calls;
    let nesting = enclosing_calls(calls, scope.trace.identities.threads().len());
    let mut pass = Pass::new(scope, own_thread);
    let mut parents = nesting.in_order();
    let (mut blocked, mut first_use) = (long.blocked(), long.first_use());
    scope.calls_meeting(|call, window, attributed| {
        let Some(ns) = pass.add(call, window, attributed) else { return };
        if let Some((_, parent)) = parents.find(call, |pair| pair.0) {
            pass.add_nested(call, *parent, window);
        }
        if blocked.find(call, |long| *long).is_some() {
            pass.blocked_ns += ns;
        }
        if first_use.find(call, |long| *long).is_some() {
            pass.first_use_ns += ns;
        }
    });
    pass.finish()
}

/// What a pass must know of a call beside its time.
#[derive(Clone, Copy)]
struct Maker {
    thread: ThreadId,
    name: usize,
    launches: bool,
}

/// The sums of one pass over the calls that meet the windows.
struct Pass<'a> {
    scope: &'a Scope<'a>,
    own_thread: bool,
    makers: Vec<Maker>,
    threads: Vec<Option<ThreadId>>,
    by_name: Vec<Sums>,
    windows: Vec<WindowApi>,
    cover: Vec<Union>,
    started: u64,
    own_ns: i64,
    all_ns: i64,
    blocked_ns: i64,
    first_use_ns: i64,
}

impl<'a> Pass<'a> {
    fn new(scope: &'a Scope<'a>, own_thread: bool) -> Self {
        let calls = &scope.trace.calls;
        let count = scope.windows().len();
        let maker = |(&(thread, name), function): (&(ThreadId, u32), &ApiName)| Maker {
            thread,
            name: name as usize,
            launches: function.launches,
        };
        Self {
            scope,
            own_thread,
            makers: calls.makers().iter().zip(calls.names_by_maker()).map(maker).collect(),
            threads: scope.windows().iter().map(Window::thread).collect(),
            by_name: vec![Sums::default(); calls.names().len()],
            windows: vec![WindowApi::default(); count],
            cover: vec![Union::default(); count],
            started: 0,
            own_ns: 0,
            all_ns: 0,
            blocked_ns: 0,
            first_use_ns: 0,
        }
    }

    /// Adds a call that meets a window; answers its time inside, in ns, if it counts.
    #[inline]
    fn add(&mut self, call: CallId, window: usize, attributed: bool) -> Option<i64> {
        let calls = &self.scope.trace.calls;
        let (span, cpu) = (calls.span(call), self.scope.cpu_spans[window]);
        let maker = self.makers[calls.maker_index(call)];
        let inside = span.clip(cpu);
        let ns = inside.length().as_ns();
        let own = self.threads[window].map_or(attributed, |thread| thread == maker.thread);
        if own {
            self.cover[window].add(inside);
        }
        if !attributed {
            return None;
        }
        self.all_ns += ns;
        self.own_ns += if own { ns } else { 0 };
        if self.own_thread && !own {
            return None;
        }
        self.started += u64::from(cpu.holds(span.start()));
        let sums = &mut self.by_name[maker.name];
        sums.calls += 1;
        sums.time_ns += ns;
        let sums = &mut self.windows[window];
        sums.calls += 1;
        sums.time_ns += ns;
        if maker.launches {
            sums.launches += 1;
            sums.launch_ns += ns;
        }
        Some(ns)
    }

    /// Adds a counted call to what the one around it does not do itself.
    fn add_nested(&mut self, call: CallId, parent: CallId, window: usize) {
        let calls = &self.scope.trace.calls;
        let inside = calls.span(call).clip(self.scope.cpu_spans[window]);
        let shared = inside.clip(calls.span(parent)).length().as_ns();
        self.by_name[calls.name_index(parent)].nested_ns += shared;
    }

    fn finish(self) -> ApiTime {
        let calls = &self.scope.trace.calls;
        let total: i64 = self.by_name.iter().map(|sums| sums.time_ns).sum();
        let wall: i64 = self.scope.cpu_spans.iter().map(|span| span.length().as_ns()).sum();
        let covered: i64 = self.cover.iter().map(|union| union.total_ns()).sum();
        let block = Api {
            total_ns: Nanos::from_ns(total),
            calls: self.by_name.iter().map(|sums| sums.calls).sum(),
            calls_started: self.started,
            own_thread_ns: Some(Nanos::from_ns(self.own_ns)),
            cover_share: Share::of(covered, wall),
            launch: launches(calls, &self.by_name, total, self.blocked_ns, self.first_use_ns),
            by_name: functions(calls, &self.by_name, total),
        };
        ApiTime { block, windows: self.windows, all_threads_ns: self.all_ns }
    }
}

fn launches(calls: &Calls, by_name: &[Sums], total: i64, blocked: i64, first_use: i64) -> Launches {
    let family =
        || calls.names().iter().zip(by_name).filter(|(name, sums)| name.launches && sums.calls > 0);
    let time: i64 = family().map(|(_, sums)| sums.time_ns).sum();
    Launches {
        time_ns: Nanos::from_ns(time),
        calls: family().map(|(_, sums)| sums.calls).sum(),
        share: Share::of(time, total),
        blocked_ns: Some(Nanos::from_ns(blocked)),
        first_use_ns: Some(Nanos::from_ns(first_use)),
        names: family().map(|(name, _)| name.text.clone()).collect(),
    }
}

fn functions(calls: &Calls, by_name: &[Sums], total: i64) -> Vec<ApiFunction> {
    let mut all: Vec<ApiFunction> = calls
        .names()
        .iter()
        .zip(by_name)
        .filter(|(_, sums)| sums.calls > 0)
        .map(|(name, sums)| ApiFunction {
            name: name.text.clone(),
            calls: sums.calls,
            time_ns: Nanos::from_ns(sums.time_ns),
            self_ns: Some(Nanos::from_ns(sums.time_ns - sums.nested_ns)),
            share: Share::of(sums.time_ns, total),
        })
        .collect();
    all.sort_by(|a, b| b.time_ns.cmp(&a.time_ns).then_with(|| a.name.cmp(&b.name)));
    all
}

/// For each call, the call of the same thread that it is nested in; nearly always none.
pub(super) struct Enclosing {
    pairs: Vec<(CallId, CallId)>,
}

impl Enclosing {
    /// Each such call, in order, and the one around it.
    fn in_order(&self) -> InOrder<'_, (CallId, CallId)> {
        InOrder::over(&self.pairs)
    }

    /// The call around a call.
    pub(super) fn of(&self, call: CallId) -> Option<CallId> {
        let at = self.pairs.binary_search_by_key(&call, |pair| pair.0).ok()?;
        Some(self.pairs[at].1)
    }
}

/// Finds them.
pub(super) fn enclosing_calls(calls: &Calls, threads: usize) -> Enclosing {
    let mut open: Vec<Vec<(CallId, Span)>> = vec![Vec::new(); threads];
    let mut pairs = Vec::new();
    for call in calls.ids() {
        let span = calls.span(call);
        let stack = &mut open[calls.thread(call).index()];
        while stack.last().is_some_and(|(_, outer)| outer.end() <= span.start()) {
            stack.pop();
        }
        if let Some((parent, _)) = stack.last() {
            pairs.push((call, *parent));
        }
        stack.push((call, span));
    }
    Enclosing { pairs }
}
