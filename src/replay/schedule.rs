//! Runs a program: a discrete-event simulation of its threads, streams and engines.
//!
//! Rules. A thread goes from call to call; a call that waits returns when what it waits for has ended. An
//! operation starts when its call has submitted it, what is before it on its stream has ended (plus the
//! stream's gap), the events that it waits for have happened, and its engine is free; an engine takes the
//! operation that has been ready longest. Ties go to what was submitted first, so a run is a function of its
//! program.
//!
//! Each start and each return remembers what it waited for last: from the window's end backwards that is the
//! critical path ([`super::critical_path`]).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::program::{Action, Awaited, End, OpKind, Program};

/// Not known yet.
const UNKNOWN: i64 = i64::MIN;
const NONE: u32 = u32::MAX;

/// Why an operation did not start earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StartCause {
    /// It was submitted only then.
    Submitted(u32),
    /// The operation before it on its stream.
    Stream(u32),
    /// An event on another stream.
    Event(u32),
    /// The operation that held the engine.
    Engine(u32),
    /// It was there before the window.
    Before,
}

/// Why a call did not return earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReturnCause {
    /// Its own cost.
    Own,
    /// The end of an operation.
    EndOf(u32),
    /// The start of an operation, which made room in the launch queue.
    StartOf(u32),
}

/// What happened when.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// Start and end of each operation, from the window's start.
    pub(crate) op_start: Vec<i64>,
    pub(crate) op_end: Vec<i64>,
    pub(crate) op_cause: Vec<Option<StartCause>>,
    /// Entry and return of each step.
    pub(crate) entry: Vec<i64>,
    pub(crate) ret: Vec<i64>,
    pub(crate) ret_cause: Vec<Option<ReturnCause>>,
    /// The step that submitted an operation.
    pub(crate) op_step: Vec<u32>,
    /// The window's length.
    pub(crate) length: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    EngineFree(u32),
    Ready(u32),
    Lane(u32),
}

#[derive(Default)]
struct OpState {
    ready: i64,
    unknown: u32,
    next_on_stream: u32,
    /// Head of the list of those that wait to know its end.
    waiters: u32,
    submitted: bool,
}

struct LaneState {
    at: u32,
    unknown: u32,
    /// Entry into the call that it is in.
    entry: i64,
    /// The operation whose start makes room for that call.
    room: Option<u32>,
    /// What that call waits for.
    awaited: Vec<u32>,
}

struct EngineState {
    free: u32,
    /// When the last operation left, and which it was.
    left: (i64, u32),
    waiting: BinaryHeap<Reverse<(i64, u32)>>,
}

/// A runner, which keeps its memory between programs.
#[derive(Default)]
pub(crate) struct Scheduler {
    pub(crate) run: Run,
    ops: Vec<OpState>,
    lanes: Vec<LaneState>,
    engines: Vec<EngineState>,
    /// Operations submitted to each stream, in order.
    streams: Vec<Vec<u32>>,
    heap: BinaryHeap<Reverse<(i64, Event)>>,
    /// (who waits, next in the list); a lane has the upper bit.
    waiters: Vec<(u32, u32)>,
}

const LANE: u32 = 1 << 31;

impl Scheduler {
    /// Runs a program; the result is in [`Scheduler::run`] until the next.
    pub(crate) fn execute(&mut self, program: &Program) -> i64 {
        self.reset(program);
        self.start_pending(program);
        for lane in 0..program.lanes.len() as u32 {
            self.enter_next(program, lane, 0);
        }
        while let Some(Reverse((now, event))) = self.heap.pop() {
            match event {
                Event::EngineFree(engine) => self.engine_free(program, engine, now),
                Event::Ready(op) => self.ready(program, op, now),
                Event::Lane(lane) => self.step(program, lane, now),
            }
        }
        self.run.length = self.length(program);
        self.run.length
    }

    fn reset(&mut self, program: &Program) {
        let (ops, steps) = (program.ops.len(), program.steps.len());
        let run = &mut self.run;
        refill(&mut run.op_start, ops, UNKNOWN);
        refill(&mut run.op_end, ops, UNKNOWN);
        refill(&mut run.op_cause, ops, None);
        refill(&mut run.op_step, ops, NONE);
        refill(&mut run.entry, steps, UNKNOWN);
        refill(&mut run.ret, steps, UNKNOWN);
        refill(&mut run.ret_cause, steps, None);
        self.ops.clear();
        self.ops.resize_with(ops, || OpState {
            next_on_stream: NONE,
            waiters: NONE,
            ..OpState::default()
        });
        self.lanes.clear();
        self.lanes.extend(program.lanes.iter().map(|lane| LaneState {
            at: lane.steps.0,
            unknown: 0,
            entry: 0,
            room: None,
            awaited: Vec::new(),
        }));
        self.engines.clear();
        self.engines.extend(program.engines.iter().map(|slots| EngineState {
            free: *slots,
            left: (UNKNOWN, NONE),
            waiting: BinaryHeap::new(),
        }));
        self.streams.iter_mut().for_each(Vec::clear);
        self.streams.resize_with(program.streams.max(self.streams.len()), Vec::new);
        self.heap.clear();
        self.waiters.clear();
    }

    /// What was submitted before the window: what runs keeps its start, the rest waits its turn.
    fn start_pending(&mut self, program: &Program) {
        for op in 0..program.pending as u32 {
            let found = &program.ops[op as usize];
            if !found.removed {
                self.submit(program, op, found.fixed.unwrap_or(0), NONE);
            }
        }
    }

    /// Puts an operation on its stream; it may start at `earliest`.
    fn submit(&mut self, program: &Program, op: u32, earliest: i64, step: u32) {
        let at = op as usize;
        let found = &program.ops[at];
        let before = self.streams[found.stream as usize].last().copied();
        self.streams[found.stream as usize].push(op);
        self.run.op_step[at] = step;
        self.ops[at].ready = earliest;
        self.ops[at].submitted = true;
        self.run.op_cause[at] =
            Some(if step == NONE { StartCause::Before } else { StartCause::Submitted(step) });
        if let Some(start) = found.fixed.filter(|start| *start <= 0) {
            self.occupy(program, op);
            self.begin(program, op, start);
            return;
        }
        if let Some(before) = before {
            self.follow_stream(program, before, op);
        }
        for i in found.after.0..found.after.1 {
            let Some(event) = standing(program, program.after[i as usize]) else { continue };
            if !self.ops[event as usize].submitted || event == op {
                continue;
            }
            match self.run.op_end[event as usize] {
                UNKNOWN => {
                    self.wait_for(event, op);
                    self.ops[at].unknown += 1;
                }
                end => self.not_before(op, end, StartCause::Event(event)),
            }
        }
        self.release(op);
    }

    fn follow_stream(&mut self, program: &Program, before: u32, op: u32) {
        match self.run.op_end[before as usize] {
            UNKNOWN => {
                self.ops[before as usize].next_on_stream = op;
                self.ops[op as usize].unknown += 1;
            }
            end => {
                let gap = gap(program, before, op);
                self.not_before(op, end + gap, StartCause::Stream(before));
            }
        }
    }

    fn not_before(&mut self, op: u32, instant: i64, cause: StartCause) {
        let state = &mut self.ops[op as usize];
        if instant > state.ready {
            state.ready = instant;
            self.run.op_cause[op as usize] = Some(cause);
        }
    }

    fn wait_for(&mut self, op: u32, who: u32) {
        let place = self.waiters.len() as u32;
        self.waiters.push((who, self.ops[op as usize].waiters));
        self.ops[op as usize].waiters = place;
    }

    fn release(&mut self, op: u32) {
        let state = &self.ops[op as usize];
        if state.unknown == 0 {
            self.heap.push(Reverse((state.ready, Event::Ready(op))));
        }
    }

    /// Takes a place on the engine for an operation that runs already.
    fn occupy(&mut self, program: &Program, op: u32) {
        if let Some(engine) = program.ops[op as usize].engine {
            let engine = &mut self.engines[engine as usize];
            engine.free = engine.free.saturating_sub(1);
        }
    }

    /// Everything that an operation waited for has happened; its engine may still be busy.
    fn ready(&mut self, program: &Program, op: u32, now: i64) {
        let Some(engine) = program.ops[op as usize].engine else {
            return self.begin(program, op, now);
        };
        let copies = program.copies[engine as usize];
        let state = &mut self.engines[engine as usize];
        if state.free == 0 {
            state.waiting.push(Reverse((now, op)));
            return;
        }
        state.free -= 1;
        let (left, last) = state.left;
        let mut start = now;
        if copies
            && last != NONE
            && !same_stream(program, last, op)
            && left + program.gaps.engine > now
        {
            start = left + program.gaps.engine;
            self.run.op_cause[op as usize] = Some(StartCause::Engine(last));
        }
        self.begin(program, op, start);
    }

    fn engine_free(&mut self, program: &Program, op: u32, now: i64) {
        let Some(engine) = program.ops[op as usize].engine else { return };
        let copies = program.copies[engine as usize];
        let state = &mut self.engines[engine as usize];
        state.left = (now, op);
        match state.waiting.pop() {
            None => state.free += 1,
            Some(Reverse((_, next))) => {
                let gap =
                    if copies && !same_stream(program, op, next) { program.gaps.engine } else { 0 };
                self.run.op_cause[next as usize] = Some(StartCause::Engine(op));
                self.begin(program, next, now + gap);
            }
        }
    }

    /// An operation starts, so its end is known.
    fn begin(&mut self, program: &Program, op: u32, start: i64) {
        let at = op as usize;
        let end = start + program.ops[at].duration;
        self.run.op_start[at] = start;
        self.run.op_end[at] = end;
        if program.ops[at].engine.is_some() {
            self.heap.push(Reverse((end, Event::EngineFree(op))));
        }
        let next = self.ops[at].next_on_stream;
        if next != NONE {
            let gap = gap(program, op, next);
            self.not_before(next, end + gap, StartCause::Stream(op));
            self.ops[next as usize].unknown -= 1;
            self.release(next);
        }
        let mut waiter = self.ops[at].waiters;
        while waiter != NONE {
            let (who, next) = self.waiters[waiter as usize];
            if who & LANE == 0 {
                self.not_before(who, end, StartCause::Event(op));
                self.ops[who as usize].unknown -= 1;
                self.release(who);
            } else {
                let lane = who & !LANE;
                self.lanes[lane as usize].unknown -= 1;
                if self.lanes[lane as usize].unknown == 0 {
                    self.finish_step(program, lane);
                }
            }
            waiter = next;
        }
    }

    /// A thread enters its next call.
    fn step(&mut self, program: &Program, lane: u32, now: i64) {
        let at = self.lanes[lane as usize].at;
        let step = &program.steps[at as usize];
        self.run.entry[at as usize] = now;
        self.lanes[lane as usize].entry = now;
        match step.action {
            Action::Call => {}
            Action::Submit => {
                let room = self.room(program, at);
                self.lanes[lane as usize].room = room;
                if let Some(room) = room {
                    self.lane_waits(lane, room);
                }
            }
            Action::Copy => {
                for (i, op) in program.ops_of(at).enumerate() {
                    if !program.ops[op as usize].removed {
                        let lead = if i == 0 { step.lead } else { 0 };
                        self.submit(program, op, now + lead, at);
                    }
                }
                if let Some(last) = last_op(program, at) {
                    self.lane_waits(lane, last);
                }
            }
            Action::Wait => {
                let mut awaited = std::mem::take(&mut self.lanes[lane as usize].awaited);
                self.find_awaited(program, at, &mut awaited);
                for op in &awaited {
                    self.lane_waits(lane, *op);
                }
                self.lanes[lane as usize].awaited = awaited;
            }
        }
        if self.lanes[lane as usize].unknown == 0 {
            self.finish_step(program, lane);
        }
    }

    /// The operation that must start before this launch finds room in its queue.
    fn room(&self, program: &Program, step: u32) -> Option<u32> {
        let queue = program.queue?;
        let found = &program.steps[step as usize];
        let op = last_op(program, step).filter(|_| found.launches)?;
        let submitted = &self.streams[program.ops[op as usize].stream as usize];
        let own = program.ops_of(step).filter(|op| !program.ops[*op as usize].removed).count();
        let place = (submitted.len() + own).checked_sub(queue.depth + 1)?;
        submitted.get(place).copied()
    }

    fn lane_waits(&mut self, lane: u32, op: u32) {
        if self.ops[op as usize].submitted && self.run.op_end[op as usize] == UNKNOWN {
            self.wait_for(op, lane | LANE);
            self.lanes[lane as usize].unknown += 1;
        }
    }

    /// All that the call waits for is known: it returns.
    fn finish_step(&mut self, program: &Program, lane: u32) {
        let LaneState { at, entry, room, .. } = &self.lanes[lane as usize];
        let (at, entry, room) = (*at, *entry, *room);
        let step = &program.steps[at as usize];
        let mut end = entry + step.cost;
        let mut cause = ReturnCause::Own;
        match step.action {
            Action::Call => {}
            Action::Submit => {
                if let Some((room, queue)) = room.zip(program.queue) {
                    let free = self.run.op_start[room as usize] + queue.tail;
                    if free > end {
                        (end, cause) = (free, ReturnCause::StartOf(room));
                    }
                }
                for op in program.ops_of(at) {
                    let found = &program.ops[op as usize];
                    if !found.removed {
                        self.submit(program, op, (end + found.latency).max(entry), at);
                    }
                }
            }
            Action::Copy => {
                if let Some(last) = last_op(program, at) {
                    let done = self.run.op_end[last as usize] + step.tail;
                    (end, cause) = (done.max(entry), ReturnCause::EndOf(last));
                }
            }
            Action::Wait => {
                if let Some((done, op)) = self.last_awaited(lane)
                    && done > entry
                    && done + step.tail > end
                {
                    (end, cause) = (done + step.tail, ReturnCause::EndOf(op));
                }
            }
        }
        self.run.ret[at as usize] = end;
        self.run.ret_cause[at as usize] = Some(cause);
        self.lanes[lane as usize].at += 1;
        self.enter_next(program, lane, end);
    }

    /// What a call waits for, as far as it was submitted when the call began.
    fn find_awaited(&self, program: &Program, step: u32, awaited: &mut Vec<u32>) {
        awaited.clear();
        let (from, to) = program.steps[step as usize].awaited;
        for target in &program.awaited[from as usize..to as usize] {
            match target {
                Awaited::Operation(op) => awaited.extend(standing(program, *op)),
                Awaited::Stream(stream) => {
                    awaited.extend(self.streams[*stream as usize].last());
                }
                Awaited::Everything => {
                    let streams = self.streams[..program.streams].iter();
                    awaited.extend(streams.filter_map(|stream| stream.last()));
                }
            }
        }
    }

    /// The last end of what the call of a lane waits for.
    fn last_awaited(&self, lane: u32) -> Option<(i64, u32)> {
        let ends = self.lanes[lane as usize].awaited.iter();
        let known = ends.map(|op| (self.run.op_end[*op as usize], *op));
        known
            .filter(|(end, _)| *end != UNKNOWN)
            .max_by_key(|(end, op)| (*end, std::cmp::Reverse(*op)))
    }

    /// Schedules the entry into the next call of a lane that is not taken out.
    fn enter_next(&mut self, program: &Program, lane: u32, from: i64) {
        let last = program.lanes[lane as usize].steps.1;
        let mut now = from;
        while self.lanes[lane as usize].at < last {
            let at = self.lanes[lane as usize].at as usize;
            let step = &program.steps[at];
            now += step.gap;
            if !step.removed {
                self.heap.push(Reverse((now, Event::Lane(lane))));
                return;
            }
            (self.run.entry[at], self.run.ret[at]) = (now, now);
            self.run.ret_cause[at] = Some(ReturnCause::Own);
            self.lanes[lane as usize].at += 1;
        }
    }

    fn length(&self, program: &Program) -> i64 {
        match program.end {
            End::AfterStep(step, offset) => {
                let at = step as usize;
                (self.run.ret[at] + offset).max(self.run.entry[at])
            }
            End::Operations => {
                let own =
                    (0..program.ops.len()).filter(|op| program.ops[*op].own && self.known(*op));
                let (first, last) = own.fold((i64::MAX, i64::MIN), |(first, last), op| {
                    (first.min(self.run.op_start[op]), last.max(self.run.op_end[op]))
                });
                (last.saturating_sub(first)).max(0)
            }
        }
    }

    fn known(&self, op: usize) -> bool {
        self.run.op_end[op] != UNKNOWN
    }

    /// End of the last operation that the window launched.
    pub(crate) fn last_op_end(&self, program: &Program) -> Option<i64> {
        (0..program.ops.len())
            .filter(|op| program.ops[*op].own && self.known(*op))
            .map(|op| self.run.op_end[op])
            .max()
    }
}

fn refill<T: Clone>(column: &mut Vec<T>, len: usize, value: T) {
    column.clear();
    column.resize(len, value);
}

fn gap(program: &Program, before: u32, next: u32) -> i64 {
    let kind = |op: u32| -> OpKind { program.ops[op as usize].kind };
    program.gaps.after(kind(before), kind(next))
}

fn same_stream(program: &Program, a: u32, b: u32) -> bool {
    program.ops[a as usize].stream == program.ops[b as usize].stream
}

/// The operation, or the one before it on its stream when a change took it out.
fn standing(program: &Program, op: u32) -> Option<u32> {
    let stream = program.ops[op as usize].stream;
    (0..=op).rev().find(|op| {
        let found = &program.ops[*op as usize];
        found.stream == stream && !found.removed
    })
}

/// The last operation of a step that was not taken out.
fn last_op(program: &Program, step: u32) -> Option<u32> {
    program.ops_of(step).rev().find(|op| !program.ops[*op as usize].removed)
}
