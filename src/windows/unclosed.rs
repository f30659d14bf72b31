//! Ranges that were never closed.
//!
//! Either `end` is NULL, or the importer closed the range itself, exactly at the end of the
//! collection (`end >= ANALYSIS_DETAILS.duration`). Where that row is missing, an end is taken for
//! made up only if two ranges of different start share the last instant of all ranges: a range that
//! merely is the last event of the trace was closed.
//!
//! ```text
//!   iteration0 [--------------------|   pushed, never popped: all end with the collection
//!   iteration1      [---------------|
//!   forward            [--)             popped
//! ```

use crate::trace::{ProcessId, RangeId, Trace};
use crate::units::{Span, TraceTime};

/// Tells closed ranges from open ones.
pub struct Closing {
    made_up_from: Option<TraceTime>,
}

impl Closing {
    /// From what the export says about its end.
    pub fn of(trace: &Trace) -> Self {
        let made_up_from = match trace.about.duration {
            Some(duration) => Some(TraceTime::ZERO + duration),
            None => shared_last_instant(trace),
        };
        Self { made_up_from }
    }

    /// The span of a range that was closed; `None` for one that never was.
    pub fn closed(&self, trace: &Trace, range: RangeId) -> Option<Span> {
        let end = trace.ranges.end(range)?;
        if self.made_up_from.is_some_and(|limit| end >= limit) {
            return None;
        }
        Some(Span::from_ns(trace.ranges.start(range).as_ns(), end.as_ns()))
    }
}

fn shared_last_instant(trace: &Trace) -> Option<TraceTime> {
    let ranges = &trace.ranges;
    let last = ranges.last_instant()?;
    let mut starts =
        ranges.ids().filter(|id| ranges.end(*id) == Some(last)).map(|id| ranges.start(id));
    let first = starts.next()?;
    starts.any(|start| start != first).then_some(last)
}

/// The last counted event of a process: the latest end of its calls and operations.
pub(super) fn last_event(trace: &Trace, process: ProcessId) -> Option<TraceTime> {
    let calls = trace
        .calls
        .ids()
        .filter(|call| trace.calls.process(*call, &trace.identities) == Some(process))
        .map(|call| trace.calls.span(call).end());
    let operations = trace
        .operations
        .ids()
        .filter(|op| trace.operations.queue(*op).process.is_none_or(|own| own == process))
        .map(|op| trace.operations.span(op).end());
    calls.chain(operations).max()
}
