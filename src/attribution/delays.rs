//! How long kernels waited between the start of their launch call and their start on the GPU.
//!
//! The sum over kernels (TKLQT, total kernel launch and queuing time) adds overlapping waits up: it may
//! exceed the wall many times and is never a share.

use super::document::LaunchDelay;
use crate::stats::Integers;
use crate::trace::{OpId, Trace};
use crate::units::{Nanos, TraceTime};

/// Launch delays of kernels, in ns.
#[derive(Clone, Debug, Default)]
pub(super) struct Delays {
    all: Integers,
    sum: i64,
    before_their_call: usize,
    max: Option<i64>,
    p50: Option<Nanos>,
    p95: Option<Nanos>,
}

impl Delays {
    /// Adds a kernel that starts then, if its call is in the export.
    #[inline]
    pub(super) fn add(&mut self, trace: &Trace, op: OpId, start: TraceTime) {
        if let Some(call) = trace.links.cause(op) {
            let delay = start - trace.calls.start(call);
            let delay = delay.as_ns();
            self.all.push(delay);
            self.sum += delay;
            self.before_their_call += usize::from(delay < 0);
            self.max = self.max.max(Some(delay));
        }
    }

    /// Call once after the last kernel.
    pub(super) fn finish(&mut self) {
        let mut at = |p| self.all.percentile(p).map(|ns| Nanos::from_ns(ns.round() as i64));
        (self.p50, self.p95) = (at(0.50), at(0.95));
    }

    /// The sum over all kernels.
    pub(super) const fn tklqt(&self) -> Nanos {
        Nanos::from_ns(self.sum)
    }

    /// The middle one.
    pub(super) const fn median(&self) -> Option<Nanos> {
        self.p50
    }

    /// Kernels that start before their call: the clocks of CPU and GPU disagree.
    pub(super) const fn before_their_call(&self) -> usize {
        self.before_their_call
    }

    /// The block of the document.
    pub(super) fn document(&self) -> LaunchDelay {
        LaunchDelay {
            count: self.all.len() as u64,
            p50_ns: self.p50,
            p95_ns: self.p95,
            max_ns: self.max.map(Nanos::from_ns),
        }
    }
}
