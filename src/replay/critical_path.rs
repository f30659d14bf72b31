//! What the window's length was made of: the chain of things that each waited for the one before.
//!
//! ```text
//!   thread   host [launch) host [launch) host [synchronize ..........)
//!   stream                      \latency [conv ----)[gemm -----)tail/
//!   path     host, launch, host, launch, latency, conv, gap, gemm, tail
//! ```
//!
//! From the end of the window backwards: a call that returned when an operation had ended leads to that
//! operation, an operation leads to what it waited for last. The pieces add up to the window's length.

use super::program::{End, OpKind, Program};
use super::schedule::{ReturnCause, Run, StartCause};
use crate::classify::ClassId;

/// What passed in a piece of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Piece {
    /// The thread, outside CUDA, between two calls less than a millisecond apart.
    Dispatch,
    /// The thread, outside CUDA.
    Host,
    /// A call's own cost.
    Call(u32),
    /// A kernel, by class.
    Kernel(Option<ClassId>),
    /// A copy, a memset or a whole graph.
    Memory(OpKind),
    /// From the return of a call to the start of its operation.
    Latency,
    /// Between operations of a stream or an engine.
    Gap,
    /// From the end of an operation to the return of the call that waited for it.
    Return(u32),
    /// Work that was under way when the window began.
    Before,
}

/// A stretch of the path, in ns from the window's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) piece: Piece,
    /// The operation, where it is one.
    pub(crate) op: Option<u32>,
    /// The thread, where it passes on one: an index into those of the trace.
    pub(crate) thread: Option<u32>,
}

/// Where the walk stands.
enum At {
    /// Behind a step of a lane.
    Return(u32),
    /// Before an operation began.
    Start(u32),
    /// Behind an operation.
    End(u32),
    Done,
}

/// The path, first stretch first.
pub(crate) fn path(program: &Program, run: &Run) -> Vec<Stretch> {
    let main = program.lanes.get(program.main_lane()).map_or(0, |lane| lane.thread);
    let mut walk = Walk { program, run, at: run.length, thread: main, pieces: Vec::new() };
    let mut at = match program.end {
        End::AfterStep(step, offset) => {
            let ret = run.ret[step as usize];
            if offset >= 0 {
                walk.to(ret, Piece::Host, None);
            }
            At::Return(step)
        }
        End::Operations => {
            let own = (0..program.ops.len() as u32).filter(|op| program.ops[*op as usize].own);
            let last = own.max_by_key(|op| (run.op_end[*op as usize], *op));
            let Some(last) = last else { return Vec::new() };
            walk.at = run.op_end[last as usize];
            At::End(last)
        }
    };
    // Each turn goes to something earlier in the program: the walk ends.
    for _ in 0..=2 * (program.steps.len() + program.ops.len()) + 2 {
        at = match at {
            At::Done => break,
            At::Return(step) => walk.before_return(step),
            At::End(op) => walk.before_end(op),
            At::Start(op) => walk.before_start(op),
        };
    }
    walk.pieces.reverse();
    if program.end == End::Operations {
        let own = (0..program.ops.len()).filter(|op| program.ops[*op].own);
        let first = own.map(|op| run.op_start[op]).min().unwrap_or(0);
        return walk
            .pieces
            .into_iter()
            .filter(|stretch| stretch.to > first)
            .map(|stretch| Stretch { from: stretch.from.max(first), ..stretch })
            .collect();
    }
    walk.pieces
}

struct Walk<'a> {
    program: &'a Program,
    run: &'a Run,
    at: i64,
    /// The thread that the walk was last on.
    thread: u32,
    pieces: Vec<Stretch>,
}

impl Walk<'_> {
    /// Goes back to an instant; what lies between was this.
    fn to(&mut self, instant: i64, piece: Piece, op: Option<u32>) {
        let instant = instant.max(0);
        if instant < self.at {
            let on_thread =
                matches!(piece, Piece::Dispatch | Piece::Host | Piece::Call(_) | Piece::Return(_));
            let thread = on_thread.then_some(self.thread);
            self.pieces.push(Stretch { from: instant, to: self.at, piece, op, thread });
            self.at = instant;
        }
    }

    /// The lane of a step.
    fn lane_of(&self, step: u32) -> Option<super::program::Lane> {
        self.program.lanes.iter().copied().find(|lane| lane.steps.0 <= step && step < lane.steps.1)
    }

    fn before_return(&mut self, step: u32) -> At {
        self.thread = self.lane_of(step).map_or(self.thread, |lane| lane.thread);
        let found = &self.program.steps[step as usize];
        match self.run.ret_cause[step as usize] {
            Some(ReturnCause::EndOf(op)) => {
                self.to(self.run.op_end[op as usize], Piece::Return(found.function), None);
                return At::End(op);
            }
            Some(ReturnCause::StartOf(op)) => {
                self.to(self.run.op_start[op as usize], Piece::Return(found.function), None);
                return At::Start(op);
            }
            _ => {}
        }
        self.to(self.run.entry[step as usize], Piece::Call(found.function), None);
        self.before_entry(step)
    }

    fn before_entry(&mut self, step: u32) -> At {
        let found = &self.program.steps[step as usize];
        let lane = self.lane_of(step);
        self.thread = lane.map_or(self.thread, |lane| lane.thread);
        let first = lane.is_none_or(|lane| lane.steps.0 == step);
        let host = if found.dispatch { Piece::Dispatch } else { Piece::Host };
        if first {
            self.to(0, host, None);
            return At::Done;
        }
        self.to(self.run.ret[step as usize - 1], host, None);
        At::Return(step - 1)
    }

    fn before_end(&mut self, op: u32) -> At {
        let found = &self.program.ops[op as usize];
        let piece = match found.kind {
            OpKind::Kernel => Piece::Kernel(found.class),
            kind => Piece::Memory(kind),
        };
        self.to(self.run.op_start[op as usize], piece, Some(op));
        At::Start(op)
    }

    fn before_start(&mut self, op: u32) -> At {
        match self.run.op_cause[op as usize] {
            Some(
                StartCause::Stream(before) | StartCause::Event(before) | StartCause::Engine(before),
            ) => {
                self.to(self.run.op_end[before as usize], Piece::Gap, None);
                At::End(before)
            }
            Some(StartCause::Submitted(step)) => {
                let ret = self.run.ret[step as usize];
                let started = self.run.op_start[op as usize];
                if ret <= started {
                    self.to(ret, Piece::Latency, None);
                    At::Return(step)
                } else {
                    // It started while its call was running: what was before the call counts.
                    let function = self.program.steps[step as usize].function;
                    self.to(self.run.entry[step as usize], Piece::Call(function), None);
                    self.before_entry(step)
                }
            }
            Some(StartCause::Before) | None => {
                self.to(0, Piece::Before, None);
                At::Done
            }
        }
    }
}

/// Time of the path that is no pace of the CPU, in ns.
pub(crate) fn time_off_the_cpu(program: &Program, run: &Run) -> i64 {
    path(program, run)
        .iter()
        .filter(|stretch| !matches!(stretch.piece, Piece::Host | Piece::Dispatch | Piece::Call(_)))
        .map(|stretch| stretch.to - stretch.from)
        .sum()
}
