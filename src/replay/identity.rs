//! Does the model say what was recorded, when nothing is changed?
//!
//! The **replay error** of a window is (replayed − recorded) / recorded length; that of its last operation
//! likewise, over the time until then. **Recomputed** is the share of the window's thread in calls whose recorded
//! duration was thrown away: waits, launches into a full queue, copies that were held up; for `gpu:` windows the
//! share that does not follow the CPU's pace. An error is evidence only as far as something was recomputed.

use std::collections::BTreeMap;

use super::critical_path;
use super::extract::LeftOut;
use super::model::Model;
use super::program::{End, Program};
use super::schedule::Scheduler;
use crate::windows::WindowSet;

/// Above this the model does not fit, and answers are refused.
pub const LARGEST_ERROR: f64 = 0.05;
/// Below this nothing is put to the test.
pub const LEAST_RECOMPUTED: f64 = 0.05;

/// One window, replayed unchanged.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// Number of the window within its set.
    pub window: usize,
    /// Its recorded length, in ns.
    pub recorded_ns: i64,
    /// Its replayed length, in ns.
    pub replayed_ns: i64,
    /// End of the last operation that it launched, recorded and replayed, from its start, in ns.
    pub last_operation_ns: Option<(i64, i64)>,
    /// Recorded time of its thread whose duration was an output, in ns.
    pub recomputed_ns: i64,
    /// Operations that it launched.
    pub operations: usize,
    /// Calls that waited.
    pub waits: usize,
}

impl Identity {
    /// (replayed − recorded) / recorded.
    pub fn error(&self) -> f64 {
        (self.replayed_ns - self.recorded_ns) as f64 / self.recorded_ns as f64
    }

    /// The same for the end of the last operation, over the time until then (the window's length at least).
    pub fn last_operation_error(&self) -> Option<f64> {
        self.last_operation_ns.map(|(recorded, replayed)| {
            (replayed - recorded) as f64 / recorded.max(self.recorded_ns) as f64
        })
    }

    /// Share of the window that was recomputed.
    pub fn recomputed(&self) -> f64 {
        self.recomputed_ns as f64 / self.recorded_ns as f64
    }
}

/// Replays a program unchanged.
pub(crate) fn replay(scheduler: &mut Scheduler, program: &Program, window: usize) -> Identity {
    let replayed_ns = scheduler.execute(program);
    let recomputed_ns = match program.end {
        End::AfterStep(..) => program.recorded.recomputed,
        End::Operations => critical_path::time_off_the_cpu(program, &scheduler.run),
    };
    Identity {
        window,
        recorded_ns: program.recorded.length,
        replayed_ns,
        last_operation_ns: program.recorded.last_op_end.zip(scheduler.last_op_end(program)),
        recomputed_ns,
        operations: program.ops.iter().filter(|op| op.own).count(),
        waits: program.steps.iter().filter(|step| step.waited).count(),
    }
}

/// Replays every window of a set unchanged; answers also how many were left out, and why.
pub fn identities(model: &Model<'_>, set: &WindowSet) -> (Vec<Identity>, BTreeMap<LeftOut, usize>) {
    let mut scheduler = Scheduler::default();
    let (mut all, mut left_out) = (Vec::new(), BTreeMap::new());
    for window in &set.windows {
        match model.program(set, window) {
            Ok(program) => all.push(replay(&mut scheduler, &program, window.index)),
            Err(reason) => *left_out.entry(reason).or_default() += 1,
        }
    }
    (all, left_out)
}
