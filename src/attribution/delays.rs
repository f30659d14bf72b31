//! How long kernels waited between the start of their launch call and their start on the GPU.
//!
//! The sum over kernels (TKLQT, total kernel launch and queuing time) adds overlapping waits up: it may
//! exceed the wall many times and is never a share.

use super::document::LaunchDelay;
use crate::stats;
use crate::trace::{OpId, Trace};
use crate::units::Nanos;

/// Launch delays of kernels, in ns.
#[derive(Clone, Debug, Default)]
pub(super) struct Delays {
    sorted: Vec<i64>,
}

impl Delays {
    /// Adds a kernel, if its call is in the export.
    pub(super) fn add(&mut self, trace: &Trace, op: OpId) {
        if let Some(call) = trace.links.cause(op) {
            let delay = trace.operations.span(op).start() - trace.calls.span(call).start();
            self.sorted.push(delay.as_ns());
        }
    }

    /// Call once after the last kernel.
    pub(super) fn sort(&mut self) {
        self.sorted.sort_unstable();
    }

    /// The sum over all kernels.
    pub(super) fn tklqt(&self) -> Nanos {
        Nanos::from_ns(self.sorted.iter().sum())
    }

    /// The middle one.
    pub(super) fn median(&self) -> Option<Nanos> {
        self.at(0.5)
    }

    /// Kernels that start before their call: the clocks of CPU and GPU disagree.
    pub(super) fn before_their_call(&self) -> usize {
        self.sorted.partition_point(|delay| *delay < 0)
    }

    /// The block of the document.
    pub(super) fn document(&self) -> LaunchDelay {
        LaunchDelay {
            count: self.sorted.len() as u64,
            p50_ns: self.at(0.50),
            p95_ns: self.at(0.95),
            max_ns: self.sorted.last().copied().map(Nanos::from_ns),
        }
    }

    fn at(&self, p: f64) -> Option<Nanos> {
        stats::percentile(&self.sorted, p).map(|ns| Nanos::from_ns(ns.round() as i64))
    }
}
