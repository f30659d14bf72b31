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
use super::launches::LongLaunches;
use super::scope::Scope;
use crate::trace::{CallId, Calls};
use crate::units::{Nanos, Share, Span};
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
    let parents = enclosing_calls(calls, scope.trace.identities.threads().len());
    let mut by_name = vec![Sums::default(); calls.names().len()];
    let mut windows = vec![WindowApi::default(); scope.windows().len()];
    let mut cover = vec![Union::default(); scope.windows().len()];
    let (mut started, mut own_ns, mut all_ns) = (0, 0, 0);
    let (mut blocked_ns, mut first_use_ns) = (0, 0);
    scope.calls_meeting(|call, w, attributed| {
        let (span, cpu) = (calls.span(call), scope.cpu_spans[w]);
        let inside = span.clip(cpu);
        let ns = inside.length().as_ns();
        let own = match scope.windows()[w].thread() {
            Some(thread) => thread == calls.thread(call),
            None => attributed,
        };
        if own {
            cover[w].add(inside);
        }
        if !attributed {
            return;
        }
        all_ns += ns;
        own_ns += if own { ns } else { 0 };
        if own_thread && !own {
            return;
        }
        let name = calls.name_index(call);
        by_name[name].calls += 1;
        by_name[name].time_ns += ns;
        if let Some(parent) = parents.of(call) {
            let shared = inside.clip(calls.span(parent)).length().as_ns();
            by_name[calls.name_index(parent)].nested_ns += shared;
        }
        started += u64::from(cpu.holds(span.start()));
        windows[w].calls += 1;
        windows[w].time_ns += ns;
        if calls.name(call).launches {
            windows[w].launches += 1;
            windows[w].launch_ns += ns;
            blocked_ns += if long.is_blocked(call) { ns } else { 0 };
            first_use_ns += if long.is_first_use(call) { ns } else { 0 };
        }
    });
    let total: i64 = by_name.iter().map(|sums| sums.time_ns).sum();
    let wall: i64 = scope.cpu_spans.iter().map(|span| span.length().as_ns()).sum();
    let covered: i64 = cover.iter().map(|union| union.total_ns()).sum();
    let block = Api {
        total_ns: Nanos::from_ns(total),
        calls: by_name.iter().map(|sums| sums.calls).sum(),
        calls_started: started,
        own_thread_ns: Some(Nanos::from_ns(own_ns)),
        cover_share: Share::of(covered, wall),
        launch: launches(calls, &by_name, total, blocked_ns, first_use_ns),
        by_name: functions(calls, &by_name, total),
    };
    ApiTime { block, windows, all_threads_ns: all_ns }
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
