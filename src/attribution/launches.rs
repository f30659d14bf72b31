//! Launches that took long, and why.
//!
//! A launch call returns in microseconds unless it waits for a place in the launch queue (the GPU is
//! busy all the while) or loads the kernel's module (the GPU is idle). A launch is long when it lasts
//! over ten times the median launch of its process; it is *blocked* when that process keeps the GPU
//! busy for at least 95 % of it, and a *first use* when the GPU is idle for at least 95 % of it.

use super::in_order::InOrder;
use crate::stats::Integers;
use crate::trace::{CallId, ProcessId, Trace};
use crate::units::Span;
use crate::windows::Attributed;
use crate::windows::intervals::{Sweep, Union};

/// A launch is long from this many medians on.
const LONG: f64 = 10.0;
/// Share of a long launch in which the GPU must be busy (blocked) or idle (first use).
const NEARLY_ALL: f64 = 0.95;

/// The long launches of a trace.
pub(super) struct LongLaunches {
    blocked: Vec<CallId>,
    first_use: Vec<CallId>,
}

impl LongLaunches {
    /// Finds them in the whole trace.
    pub(super) fn find(trace: &Trace) -> Self {
        let long = long_launches(trace);
        let spans: Vec<Span> = long.iter().map(|call| trace.calls.span(*call)).collect();
        let owners: Vec<Attributed> = long
            .iter()
            .map(|call| {
                trace
                    .calls
                    .process(*call, &trace.identities)
                    .map_or(Attributed::Any, Attributed::Only)
            })
            .collect();
        let mut busy = vec![Union::default(); spans.len()];
        let operations = &trace.operations;
        let things = operations.ids().map(|op| (op, operations.span(op)));
        Sweep::over(&spans).meeting(things, |op, launch| {
            if owners[launch].operations_of(operations.queue(op).process) {
                busy[launch].add(operations.span(op).clip(spans[launch]));
            }
        });
        let mut found = Self { blocked: Vec::new(), first_use: Vec::new() };
        for ((call, span), busy) in long.iter().zip(&spans).zip(&busy) {
            let share = busy.total_ns() as f64 / span.length().as_ns() as f64;
            if share >= NEARLY_ALL {
                found.blocked.push(*call);
            } else if share <= 1.0 - NEARLY_ALL {
                found.first_use.push(*call);
            }
        }
        found
    }

    /// Those that waited for a place in the launch queue, in order.
    pub(super) fn blocked(&self) -> InOrder<'_, CallId> {
        InOrder::over(&self.blocked)
    }

    /// Those that loaded their kernel's module, in order.
    pub(super) fn first_use(&self) -> InOrder<'_, CallId> {
        InOrder::over(&self.first_use)
    }
}

/// Launches over ten times the median of their process, in order.
fn long_launches(trace: &Trace) -> Vec<CallId> {
    let calls = &trace.calls;
    // By maker: the process of its launches.
    let launchers: Vec<Option<ProcessId>> = calls
        .processes_by_maker(&trace.identities)
        .into_iter()
        .zip(calls.names_by_maker())
        .map(|(process, name)| process.filter(|_| name.launches))
        .collect();
    let length = |call: CallId| calls.span(call).length().as_ns();
    let mut lengths = vec![Integers::default(); trace.identities.processes().len()];
    for call in calls.ids() {
        if let Some(process) = launchers[calls.maker_index(call)] {
            lengths[process.index()].push(length(call));
        }
    }
    let limits: Vec<Option<f64>> =
        lengths.iter_mut().map(|lengths| lengths.median().map(|median| LONG * median)).collect();
    // By maker: above which length its calls are long; never, for what launches nothing.
    let limits: Vec<f64> = launchers
        .iter()
        .map(|process| process.and_then(|process| limits[process.index()]).unwrap_or(f64::INFINITY))
        .collect();
    let is_long = |call: &CallId| {
        let length = length(*call);
        length > 0 && length as f64 > limits[calls.maker_index(*call)]
    };
    calls.ids().filter(is_long).collect()
}
