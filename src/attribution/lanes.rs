//! Which events belong to the timeline of a window, and on which lane and row.
//!
//! Everything that shares an instant with the window is shown, whole: calls, ranges and marks of the
//! threads of the attributed process, operations of every stream. Slices of one row never overlap:
//!
//! ```text
//!   row 0  [sync------------)   [malloc)
//!   row 1     [launch)
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::analyze::tool;
use super::classes::KernelClasses;
use super::document::TraceAbout;
use super::idle;
use super::idle_stretch::Stretch;
use super::lanes_document::{
    CallSlice, IdleSlice, LaneWindow, Lanes, MarkSlice, OperationKind, OperationSlice, RangeSlice,
    SCHEMA, StreamLane, ThreadLane,
};
use super::scope::Scope;
use super::timeline::Synchronising;
use crate::classify::Classifier;
use crate::trace::{CallId, Label, OpId, RangeId, ThreadId};
use crate::units::{Span, TraceTime};
use crate::windows::intervals::Sweep;
use crate::windows::{Closing, Window};

/// The lanes of every window of the scope.
pub(super) fn of(
    scope: &Scope<'_>,
    classes: &KernelClasses,
    rules: &Classifier,
    about: &TraceAbout,
) -> Vec<Lanes> {
    let mut stretches: Vec<Vec<Stretch>> = vec![Vec::new(); scope.windows().len()];
    idle::enter_all(scope, &mut stretches);
    let source = Source { scope, classes, rules, sync: Synchronising::of(scope.trace), about };
    let events = Events::meeting(scope);
    events
        .into_iter()
        .zip(&stretches)
        .enumerate()
        .map(|(w, (e, s))| source.lanes(w, &e, s))
        .collect()
}

/// What meets one window.
#[derive(Clone, Default)]
struct Events {
    calls: Vec<CallId>,
    /// With their span; open ones reach to the end of time.
    ranges: Vec<(RangeId, Span)>,
    /// Places among the marks of the trace.
    marks: Vec<usize>,
    operations: Vec<OpId>,
}

impl Events {
    fn meeting(scope: &Scope<'_>) -> Vec<Self> {
        let trace = scope.trace;
        let mut events = vec![Self::default(); scope.windows().len()];
        let views: Vec<Span> = scope.windows().iter().map(view).collect();
        let sweep = Sweep::over(&views);
        let attributes =
            |window: usize, process| scope.windows()[window].attributed.calls_of(process);

        let calls = trace.calls.ids().map(|call| (call, trace.calls.span(call)));
        sweep.meeting(calls, |call, window| {
            if attributes(window, scope.caller(call)) {
                events[window].calls.push(call);
            }
        });
        let closing = Closing::of(trace);
        let ranges = trace.ranges.ids().map(|range| {
            let open = || Span::from_ns(trace.ranges.start(range).as_ns(), i64::MAX);
            let span = closing.closed(trace, range).unwrap_or_else(open);
            ((range, span), span)
        });
        sweep.meeting(ranges, |(range, span), window| {
            if attributes(window, trace.ranges.process(range, &trace.identities)) {
                events[window].ranges.push((range, span));
            }
        });
        let marks = trace.ranges.marks();
        sweep.starting(marks.iter().map(|mark| mark.at.as_ns()).enumerate(), |mark, window| {
            if attributes(window, trace.identities.thread(marks[mark].thread).process) {
                events[window].marks.push(mark);
            }
        });
        let operations = trace.operations.ids().map(|op| (op, trace.operations.span(op)));
        sweep.meeting(operations, |op, window| events[window].operations.push(op));
        events
    }
}

fn view(window: &Window) -> Span {
    let (span, cpu) = (window.span, window.cpu);
    Span::from_ns(span.start_ns().min(cpu.start_ns()), span.end_ns().max(cpu.end_ns()))
}

/// What the lanes of every window are made from.
struct Source<'a> {
    scope: &'a Scope<'a>,
    classes: &'a KernelClasses,
    rules: &'a Classifier,
    sync: Synchronising,
    about: &'a TraceAbout,
}

impl Source<'_> {
    fn lanes(&self, w: usize, events: &Events, stretches: &[Stretch]) -> Lanes {
        let window = &self.scope.windows()[w];
        let mut names = Names::default();
        let (threads, places) = self.threads(window, events);
        let (streams, queues) = self.streams(w, events);
        let mut lanes = Lanes {
            schema: SCHEMA.to_owned(),
            tool: tool(),
            trace: self.about.clone(),
            window: self.window(window),
            names: Vec::new(),
            threads,
            streams,
            calls: Vec::new(),
            ranges: Vec::new(),
            marks: Vec::new(),
            operations: Vec::new(),
            idle: Vec::new(),
        };
        self.add_calls(&mut lanes, events, &places, &mut names);
        self.add_ranges(&mut lanes, events, &places, &mut names);
        self.add_operations(&mut lanes, events, &queues, &mut names);
        lanes.idle = self.idle(events, stretches);
        lanes.names = names.list;
        lanes
    }

    fn window(&self, window: &Window) -> LaneWindow {
        let identities = &self.scope.trace.identities;
        LaneWindow {
            spec: self.scope.set.spec.clone(),
            index: window.index,
            label: window.label.clone(),
            start_ns: window.span.start(),
            end_ns: window.span.end(),
            cpu_start_ns: window.cpu.start(),
            cpu_end_ns: window.cpu.end(),
            process: window.owner.map(|owner| identities.process(owner.process).pid),
            thread: window.thread().and_then(|thread| identities.thread(thread).tid),
        }
    }

    /// The threads that do something in the window, and their places among the lanes.
    fn threads(
        &self,
        window: &Window,
        events: &Events,
    ) -> (Vec<ThreadLane>, BTreeMap<ThreadId, usize>) {
        let trace = self.scope.trace;
        let calls = events.calls.iter().map(|call| trace.calls.thread(*call));
        let ranges = events.ranges.iter().map(|(range, _)| trace.ranges.thread(*range));
        let marks = events.marks.iter().map(|mark| trace.ranges.marks()[*mark].thread);
        let present: BTreeSet<ThreadId> = calls.chain(ranges).chain(marks).collect();
        let mut order: Vec<ThreadId> = present.into_iter().collect();
        order.sort_by_key(|thread| (Some(*thread) != window.thread(), *thread));
        let lane = |id: &ThreadId| {
            let thread = trace.identities.thread(*id);
            let process = thread.process.map(|process| trace.identities.process(process));
            ThreadLane {
                process: process.map(|process| process.pid),
                process_name: process.and_then(|process| process.name.clone()),
                thread: thread.tid,
                name: thread.name.clone(),
                own: Some(*id) == window.thread(),
                call_rows: 0,
                range_rows: 0,
            }
        };
        let lanes = order.iter().map(lane).collect();
        (lanes, order.into_iter().enumerate().map(|(place, thread)| (thread, place)).collect())
    }

    /// The streams that work in the window, and the places of the queues among the lanes.
    fn streams(&self, w: usize, events: &Events) -> (Vec<StreamLane>, BTreeMap<usize, usize>) {
        let trace = self.scope.trace;
        let operations = &trace.operations;
        let present: BTreeSet<(bool, usize)> = events
            .operations
            .iter()
            .map(|op| (!self.scope.is_own(*op, w), operations.queue_index(*op)))
            .collect();
        let lane = |(foreign, index): &(bool, usize)| {
            let queue = operations.queues()[*index];
            let device = trace.about.devices.iter().find(|device| device.id == queue.device);
            StreamLane {
                process: queue.process.map(|process| trace.identities.process(process).pid),
                device: queue.device,
                device_name: device.and_then(|device| device.name.clone()),
                context: queue.context,
                stream: queue.stream,
                own: !foreign,
                rows: 0,
            }
        };
        let lanes = present.iter().map(lane).collect();
        (lanes, present.iter().enumerate().map(|(place, (_, queue))| (*queue, place)).collect())
    }

    fn add_calls(
        &self,
        lanes: &mut Lanes,
        events: &Events,
        places: &BTreeMap<ThreadId, usize>,
        names: &mut Names,
    ) {
        let calls = &self.scope.trace.calls;
        let mut rows = vec![Rows::default(); lanes.threads.len()];
        for call in &events.calls {
            let Some(thread) = places.get(&calls.thread(*call)).copied() else { continue };
            let span = calls.span(*call);
            lanes.calls.push(CallSlice {
                start_ns: span.start(),
                end_ns: span.end(),
                name: names.place(&calls.name(*call).text),
                thread,
                row: rows[thread].place(span),
                kind: self.sync.kind(self.scope.trace, *call),
            });
        }
        for (lane, rows) in lanes.threads.iter_mut().zip(rows) {
            lane.call_rows = rows.ends.len();
        }
    }

    fn add_ranges(
        &self,
        lanes: &mut Lanes,
        events: &Events,
        places: &BTreeMap<ThreadId, usize>,
        names: &mut Names,
    ) {
        let ranges = &self.scope.trace.ranges;
        let mut rows = vec![Rows::default(); lanes.threads.len()];
        for (range, span) in &events.ranges {
            let Some(thread) = places.get(&ranges.thread(*range)).copied() else { continue };
            lanes.ranges.push(RangeSlice {
                start_ns: span.start(),
                end_ns: Some(span.end()).filter(|end| *end != TraceTime::from_ns(i64::MAX)),
                name: names.place(ranges.text(*range)),
                domain: ranges.domain(*range).map(str::to_owned),
                thread,
                row: rows[thread].place(*span),
            });
        }
        for (lane, rows) in lanes.threads.iter_mut().zip(rows) {
            lane.range_rows = rows.ends.len();
        }
        for mark in events.marks.iter().map(|mark| &ranges.marks()[*mark]) {
            if let Some(thread) = places.get(&mark.thread).copied() {
                let name = names.place(&mark.text);
                lanes.marks.push(MarkSlice { at_ns: mark.at, name, thread });
            }
        }
    }

    fn add_operations(
        &self,
        lanes: &mut Lanes,
        events: &Events,
        queues: &BTreeMap<usize, usize>,
        names: &mut Names,
    ) {
        let trace = self.scope.trace;
        let mut rows = vec![Rows::default(); lanes.streams.len()];
        for op in &events.operations {
            let queue = trace.operations.queue_index(*op);
            let Some(stream) = queues.get(&queue).copied() else { continue };
            let span = trace.operations.span(*op);
            let label = trace.operations.label(*op);
            let (name, short, kind) = describe(label);
            let class = self.classes.class(trace, *op);
            let call =
                trace.links.cause(*op).and_then(|call| events.calls.binary_search(&call).ok());
            lanes.operations.push(OperationSlice {
                start_ns: span.start(),
                end_ns: span.end(),
                name: names.place(&name),
                short: names.place(&short),
                kind,
                class: class.map(|(class, _)| self.rules.class_name(class).to_owned()),
                stream,
                row: rows[stream].place(span),
                call,
            });
        }
        for (lane, rows) in lanes.streams.iter_mut().zip(rows) {
            lane.rows = rows.ends.len();
        }
    }

    /// The idle pieces; in the whole trace there is no head and no tail.
    fn idle(&self, events: &Events, stretches: &[Stretch]) -> Vec<IdleSlice> {
        let whole = self.scope.set.whole_trace;
        let middle = super::idle_stretch::Place::Middle;
        let slice = |stretch: &Stretch| IdleSlice {
            start_ns: TraceTime::from_ns(stretch.from),
            end_ns: TraceTime::from_ns(stretch.to),
            cause: stretch.cause,
            place: if whole { middle } else { stretch.place },
            dispatch: stretch.dispatch,
            next: stretch.next.and_then(|next| events.operations.binary_search(&next).ok()),
        };
        stretches.iter().map(slice).collect()
    }
}

/// Name, short name and kind of an operation.
fn describe(label: &Label) -> (String, String, OperationKind) {
    let plain = |kind| {
        let name = label.memory_kind().unwrap_or_else(|| "CUDA graph".to_owned());
        (name.clone(), name, kind)
    };
    match label {
        Label::Kernel { demangled, short } => {
            (demangled.clone(), short.clone(), OperationKind::Kernel)
        }
        Label::Copy { .. } => plain(OperationKind::Copy),
        Label::Memset => plain(OperationKind::Memset),
        Label::Graph => plain(OperationKind::Graph),
    }
}

/// Names in the order in which they first occur.
#[derive(Default)]
struct Names {
    list: Vec<String>,
    places: BTreeMap<String, usize>,
}

impl Names {
    fn place(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        self.list.push(name.to_owned());
        self.places.insert(name.to_owned(), self.list.len() - 1);
        self.list.len() - 1
    }
}

/// The rows of a lane: where the last slice of each ends.
#[derive(Clone, Default)]
struct Rows {
    ends: Vec<i64>,
}

impl Rows {
    /// The first row that is free; slices come in the order of their starts, the longer first.
    fn place(&mut self, span: Span) -> usize {
        let row = self.ends.iter().position(|end| *end <= span.start_ns());
        let row = row.unwrap_or(self.ends.len());
        if row == self.ends.len() {
            self.ends.push(span.end_ns());
        } else {
            self.ends[row] = span.end_ns();
        }
        row
    }
}
