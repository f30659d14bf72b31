//! What a thread is doing at any instant: inside a launch, waiting, inside another call, or outside
//! CUDA.
//!
//! ```text
//!   calls      [sync----[launch)----)     [malloc)  [launch)
//!   timeline   [sync----------------)     [api---)  [launch)
//!                                     host         host
//! ```
//!
//! Where calls are nested, an enclosing synchronising call wins, then a launch. A call also
//! synchronises when it is a copy or memset that returns no earlier than its own operation ends:
//! that is measured, not read off the name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::trace::{CallId, Trace};
use crate::units::{Span, TraceTime};

/// What a call is, for the idle GPU that waits meanwhile. The order is the order of precedence.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Doing {
    /// Any other call.
    Api,
    /// A call of the launch family.
    Launch,
    /// A call that waits for the GPU.
    Sync,
}

/// Which calls wait for the GPU.
pub(super) struct Synchronising {
    blocking_copies: Vec<bool>,
}

impl Synchronising {
    pub(super) fn of(trace: &Trace) -> Self {
        let (operations, labels) = (&trace.operations, trace.operations.labels());
        let mut blocking_copies = vec![false; trace.calls.len()];
        let moves: Vec<bool> = (operations.sorts().iter())
            .map(|sort| labels[sort.label as usize].moves_memory())
            .collect();
        for op in operations.ids().filter(|op| moves[operations.sort_index(*op)]) {
            // A graph launch may cause copies; it is a launch all the same.
            if let Some(call) =
                trace.links.cause(op).filter(|call| !trace.calls.name(*call).launches)
            {
                blocking_copies[call.index()] |=
                    trace.calls.span(call).end() >= operations.span(op).end();
            }
        }
        Self { blocking_copies }
    }

    /// What the call is.
    pub(super) fn kind(&self, trace: &Trace, call: CallId) -> Doing {
        let name = trace.calls.name(call);
        if name.synchronises || self.blocking_copies[call.index()] {
            Doing::Sync
        } else if name.launches {
            Doing::Launch
        } else {
            Doing::Api
        }
    }
}

/// A stretch of a thread inside CUDA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) span: Span,
    pub(super) doing: Doing,
}

/// The calls of one thread, in the order of their starts.
pub(super) enum OfThread {
    /// The thread made every call of the trace, so many.
    Every(usize),
    /// Some of them.
    Some(Vec<CallId>),
}

impl OfThread {
    fn len(&self) -> usize {
        match self {
            Self::Every(count) => *count,
            Self::Some(calls) => calls.len(),
        }
    }

    fn at(&self, place: usize) -> CallId {
        match self {
            Self::Every(_) => CallId(place as u32),
            Self::Some(calls) => calls[place],
        }
    }
}

/// The stretches of one thread inside CUDA, disjoint and in order.
pub(super) enum Timeline {
    /// No two calls overlap, as on nearly every real thread: the calls themselves.
    Calls(OfThread),
    /// Calls overlap: flattened.
    Segments(Vec<Segment>),
}

impl Timeline {
    /// The timeline of a thread from its calls, in the order of their starts.
    pub(super) fn new(trace: &Trace, sync: &Synchronising, calls: OfThread) -> Self {
        let mut free_from = TraceTime::from_ns(i64::MIN);
        let overlaps = |place: usize| {
            let span = trace.calls.span(calls.at(place));
            std::mem::replace(&mut free_from, span.end()) > span.start()
        };
        if !(0..calls.len()).any(overlaps) {
            return Self::Calls(calls);
        }
        let calls: Vec<CallId> = (0..calls.len()).map(|place| calls.at(place)).collect();
        Self::Segments(flatten(trace, sync, &calls))
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Calls(calls) => calls.len(),
            Self::Segments(segments) => segments.len(),
        }
    }

    pub(super) fn segment(&self, trace: &Trace, sync: &Synchronising, at: usize) -> Segment {
        match self {
            Self::Calls(calls) => {
                let call = calls.at(at);
                Segment { span: trace.calls.span(call), doing: sync.kind(trace, call) }
            }
            Self::Segments(segments) => segments[at],
        }
    }

    /// The first stretch that ends after the instant `ns`; `near` is a guess, and costs little when
    /// it is only a little too early.
    pub(super) fn first_ending_after(&self, trace: &Trace, ns: i64, near: usize) -> usize {
        let ended = |i: usize| match self {
            Self::Calls(calls) => trace.calls.span(calls.at(i)).end_ns() <= ns,
            Self::Segments(segments) => segments[i].span.end_ns() <= ns,
        };
        let early = near.min(self.len());
        let mut low = if early == 0 || ended(early - 1) { early } else { 0 };
        let (mut high, mut step) = (low, 1);
        while high < self.len() && ended(high) {
            low = high + 1;
            high = (high + step).min(self.len());
            step *= 2;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if ended(middle) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// The calls of every thread.
pub(super) fn calls_by_thread(trace: &Trace) -> Vec<OfThread> {
    let threads = trace.identities.threads().len();
    let mut makers = trace.calls.makers().iter().map(|(thread, _)| thread.index());
    if let Some(only) = makers.next().filter(|only| makers.all(|other| other == *only)) {
        let of = |thread| match thread == only {
            true => OfThread::Every(trace.calls.len()),
            false => OfThread::Some(Vec::new()),
        };
        return (0..threads).map(of).collect();
    }
    let mut by_thread = vec![Vec::new(); threads];
    for call in trace.calls.ids() {
        by_thread[trace.calls.thread(call).index()].push(call);
    }
    by_thread.into_iter().map(OfThread::Some).collect()
}

/// Cuts overlapping calls at every edge; each piece does what the strongest call over it does.
fn flatten(trace: &Trace, sync: &Synchronising, calls: &[CallId]) -> Vec<Segment> {
    let mut edges: Vec<i64> = calls
        .iter()
        .flat_map(|call| {
            let span = trace.calls.span(*call);
            [span.start_ns(), span.end_ns()]
        })
        .collect();
    edges.sort_unstable();
    edges.dedup();
    let mut open: Vec<(i64, Doing)> = Vec::new();
    let mut next = 0;
    let mut segments = Vec::new();
    for (i, edge) in edges.iter().enumerate() {
        open.retain(|(end, _)| end > edge);
        let mut instants = Vec::new();
        while let Some(call) =
            calls.get(next).filter(|call| trace.calls.span(**call).start_ns() <= *edge)
        {
            let (span, doing) = (trace.calls.span(*call), sync.kind(trace, *call));
            if span.is_empty() {
                instants.push(Segment { span, doing });
            } else {
                open.push((span.end_ns(), doing));
            }
            next += 1;
        }
        if let Some(doing) = open.iter().map(|(_, doing)| *doing).max() {
            let until = edges.get(i + 1).copied().unwrap_or(*edge);
            segments.push(Segment { span: Span::from_ns(*edge, until), doing });
        } else {
            segments.extend(instants);
        }
    }
    segments
}
