//! What became of the work that the windows launched: how much of it ran inside, and how long it
//! waited.
//!
//! ```text
//!   CPU  [window: launch launch launch)
//!   GPU            [k1--)[k2--)  |[k3--)     contained = (k1 + k2) / (k1 + k2 + k3)
//!                  ^ launch delay of k1 = start of k1 − start of its call
//! ```

use super::document::LaunchDelay;
use super::scope::Scope;
use crate::stats;
use crate::units::{Nanos, Share};

/// Totals over the launched operations.
#[derive(Clone, Debug, Default)]
pub(super) struct Launched {
    /// Operations launched in the windows.
    pub(super) count: u64,
    /// Their time.
    pub(super) time_ns: i64,
    /// The part of it inside the operation's own window.
    pub(super) inside_ns: i64,
    /// From the call's start to the operation's start, of kernels, in order of length.
    delays: Vec<i64>,
}

/// Follows the launched operations.
pub(super) fn follow(scope: &Scope<'_>) -> Launched {
    let (calls, operations) = (&scope.trace.calls, &scope.trace.operations);
    let mut launched = Launched::default();
    scope.operations_launched(|op, call, window| {
        let span = operations.span(op);
        launched.count += 1;
        launched.time_ns += span.length().as_ns();
        launched.inside_ns += span.clip(scope.spans[window]).length().as_ns();
        if operations.label(op).is_kernel() {
            launched.delays.push((span.start() - calls.span(call).start()).as_ns());
        }
    });
    launched.delays.sort_unstable();
    launched
}

impl Launched {
    /// Share of the launched time that lies inside its own window.
    pub(super) fn contained(&self) -> Option<Share> {
        Share::of(self.inside_ns, self.time_ns)
    }

    /// Summed launch delay of the kernels.
    pub(super) fn tklqt(&self) -> Nanos {
        Nanos::from_ns(self.delays.iter().sum())
    }

    /// Median launch delay, in ns.
    pub(super) fn median_delay(&self) -> Option<f64> {
        stats::percentile(&self.delays, 0.5)
    }

    /// Kernels that start before their call: the clocks of CPU and GPU disagree.
    pub(super) fn before_their_call(&self) -> usize {
        self.delays.partition_point(|delay| *delay < 0)
    }

    /// The block of the document.
    pub(super) fn delay(&self) -> LaunchDelay {
        let at = |p| stats::percentile(&self.delays, p).map(|ns| Nanos::from_ns(ns.round() as i64));
        LaunchDelay {
            count: self.delays.len() as u64,
            p50_ns: at(0.50),
            p95_ns: at(0.95),
            max_ns: self.delays.last().copied().map(Nanos::from_ns),
        }
    }
}
