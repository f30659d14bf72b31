//! `gpu:SPEC`: each instance moved to the GPU work that it launched.
//!
//! ```text
//!   CPU   [forward)                              calls, launches, rule `launched`
//!   GPU              [k1)[k2)  [k3)
//!   gpu:forward      [------------)              wall, busy, idle, `started`, `overlap`
//! ```

use super::intervals::Sweep;
use super::select::Window;
use crate::trace::{CallId, Trace};
use crate::units::Span;

/// Moves every window; answers those that launched nothing, too.
pub(super) fn project(trace: &Trace, windows: Vec<Window>) -> (Vec<Window>, Vec<Window>) {
    let spans: Vec<Span> = windows.iter().map(|window| window.cpu).collect();
    let mut moved: Vec<Option<(i64, i64)>> = vec![None; windows.len()];
    let caused = operations_by_call(trace);
    let starts = trace.calls.ids().map(|call| (call, trace.calls.span(call).start_ns()));
    Sweep::over(&spans).starting(starts, |call: CallId, window| {
        if !windows[window].attributed.calls_of(trace.calls.process(call, &trace.identities)) {
            return;
        }
        let Some(work) = caused[call.index()] else { return };
        let span = moved[window].get_or_insert(work);
        *span = (span.0.min(work.0), span.1.max(work.1));
    });
    let mut kept = Vec::new();
    let mut idle = Vec::new();
    for (window, span) in windows.into_iter().zip(moved) {
        match span {
            Some((start, end)) => kept.push(Window { span: Span::from_ns(start, end), ..window }),
            None => idle.push(window),
        }
    }
    (kept, idle)
}

/// For each call, from the first start to the last end of the operations that it caused.
fn operations_by_call(trace: &Trace) -> Vec<Option<(i64, i64)>> {
    let mut work: Vec<Option<(i64, i64)>> = vec![None; trace.calls.len()];
    for op in trace.operations.ids() {
        if let Some(call) = trace.links.cause(op) {
            let span = trace.operations.span(op);
            let entry = work[call.index()].get_or_insert((span.start_ns(), span.end_ns()));
            *entry = (entry.0.min(span.start_ns()), entry.1.max(span.end_ns()));
        }
    }
    work
}
