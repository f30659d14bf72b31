//! The rows that count, and who caused what (sections 1, 2 and 4).

use super::super::spec::{Op, TraceSpec, Work, bare_name, process_of};
use super::Whose;

/// A counted API call.
#[derive(Clone, Debug)]
pub struct CountedCall {
    pub row: usize,
    pub start: i64,
    pub end: i64,
    pub thread: i64,
    pub process: i64,
    pub correlation: Option<i64>,
    pub name: String,
    pub is_launch: bool,
    /// Waits for the GPU, by its name or by what it was seen to do.
    pub is_sync: bool,
}

/// A counted GPU operation.
#[derive(Clone, Debug)]
pub struct CountedOp {
    pub start: i64,
    pub end: i64,
    pub device: i64,
    pub correlation: Option<i64>,
    pub process: Option<i64>,
    /// (process, device, context, stream).
    pub stream: (Option<i64>, i64, i64, i64),
    pub work: Work,
}

impl CountedOp {
    pub fn is_kernel(&self) -> bool {
        matches!(self.work, Work::Kernel { .. })
    }

    /// A migration that the driver began by itself.
    pub fn is_migration(&self) -> bool {
        matches!(self.work, Work::Copy { kind: 11 | 12, .. }) && self.correlation.unwrap_or(0) == 0
    }
}

impl Whose {
    pub fn holds(self, process: i64) -> bool {
        match self {
            Self::Process(p) => p == process,
            Self::Own | Self::Any => true,
        }
    }

    /// An operation without a process counts for every process.
    pub fn holds_op(self, op: &CountedOp) -> bool {
        op.process.is_none_or(|p| self.holds(p))
    }
}

/// All rows that count.
pub struct World {
    pub calls: Vec<CountedCall>,
    pub ops: Vec<CountedOp>,
}

fn dropped(start: i64, end: i64) -> bool {
    end < start || (start == 0 && end == 0)
}

impl World {
    pub fn of(spec: &TraceSpec) -> Self {
        let ops = spec.ops.iter().filter(|op| !dropped(op.start, op.end)).map(counted).collect();
        let mut calls = vec![];
        for (row, call) in spec.calls.iter().enumerate() {
            let Some(thread) = call.thread else { continue };
            if call.class > 1 || dropped(call.start, call.end) {
                continue;
            }
            let name = bare_name(&call.name).to_owned();
            calls.push(CountedCall {
                row,
                start: call.start,
                end: call.end,
                thread,
                process: process_of(thread),
                correlation: call.correlation.filter(|id| *id != 0),
                is_launch: is_launch(&name),
                is_sync: is_sync(&name),
                name,
            });
        }
        let mut world = Self { calls, ops };
        for index in 0..world.calls.len() {
            world.calls[index].is_sync |= world.outlasts_its_copy(index);
        }
        world
    }

    /// The API call of an operation: the outermost with its key. Where the operation names no
    /// process, a single process must have used its id.
    pub fn cause(&self, op: &CountedOp, whose: Whose) -> Option<&CountedCall> {
        let id = op.correlation?;
        let with_id = || self.calls.iter().filter(|c| c.correlation == Some(id));
        let users: std::collections::BTreeSet<i64> = with_id().map(|c| c.process).collect();
        let process = match (op.process, users.len()) {
            (Some(process), _) => process,
            (None, 1) => *users.first()?,
            (None, _) => return None,
        };
        with_id()
            .filter(|c| c.process == process && whose.holds(c.process))
            .min_by_key(|c| (c.start, -c.end))
    }

    /// A GPU row without an API row, migrations apart.
    pub fn is_orphan(&self, op: &CountedOp) -> bool {
        !op.is_migration() && self.cause(op, Whose::Any).is_none()
    }

    /// A copy or memset call that ends no earlier than its own operation has waited for it.
    fn outlasts_its_copy(&self, index: usize) -> bool {
        let call = &self.calls[index];
        !call.is_launch
            && self.ops.iter().any(|op| {
                matches!(op.work, Work::Copy { .. } | Work::Memset { .. })
                    && self
                        .cause(op, Whose::Process(call.process))
                        .is_some_and(|c| c.row == call.row)
                    && call.end >= op.end
            })
    }

    /// Some(true): blocked on a full queue; Some(false): first use of something; None: neither.
    pub fn long_launch(&self, call: &CountedCall) -> Option<bool> {
        let mut times: Vec<i64> = self
            .calls
            .iter()
            .filter(|c| c.is_launch && c.process == call.process)
            .map(|c| c.end - c.start)
            .collect();
        times.sort_unstable();
        let n = times.len();
        let twice_median = times[(n - 1) / 2] + times[n / 2];
        let length = call.end - call.start;
        if 2 * length <= 10 * twice_median {
            return None;
        }
        let busy: Vec<_> = self
            .ops
            .iter()
            .filter(|op| op.process.is_none_or(|p| p == call.process))
            .map(|op| (op.start.max(call.start), op.end.min(call.end)))
            .collect();
        let busy = super::union(&busy);
        if busy * 100 >= length * 95 {
            Some(true)
        } else {
            (busy * 100 <= length * 5).then_some(false)
        }
    }
}

fn counted(op: &Op) -> CountedOp {
    CountedOp {
        start: op.start,
        end: op.end,
        device: op.device,
        // CUPTI's 0 is no id, as NULL is (section 2).
        correlation: op.correlation.filter(|id| *id != 0),
        process: op.process,
        stream: (op.process, op.device, op.context, op.stream),
        work: op.work.clone(),
    }
}

/// How much of a span lies inside another.
pub fn clipped(span: (i64, i64), window: (i64, i64)) -> i64 {
    (span.1.min(window.1) - span.0.max(window.0)).max(0)
}

/// Something of it lies inside, or it has no length and its instant does.
pub fn intersects(span: (i64, i64), window: (i64, i64)) -> bool {
    let instant = span.0 == span.1 && window.0 <= span.0 && span.0 < window.1;
    clipped(span, window) > 0 || instant
}

fn is_launch(name: &str) -> bool {
    let name = name.strip_suffix("_ptsz").or_else(|| name.strip_suffix("_ptsd")).unwrap_or(name);
    let Some(rest) = name.strip_prefix("cuda").or_else(|| name.strip_prefix("cu")) else {
        return false;
    };
    [
        "Launch",
        "LaunchKernel",
        "LaunchKernelEx",
        "LaunchKernelExC",
        "LaunchCooperativeKernel",
        "LaunchCooperativeKernelMultiDevice",
        "LaunchGrid",
        "LaunchGridAsync",
        "LaunchDevice",
        "GraphLaunch",
    ]
    .contains(&rest)
}

fn is_sync(name: &str) -> bool {
    let rest = name.strip_prefix("cuda").or_else(|| name.strip_prefix("cu")).unwrap_or("");
    ["Stream", "Event", "Device", "Ctx"]
        .iter()
        .any(|what| rest.strip_prefix(what).is_some_and(|tail| tail.starts_with("Synchronize")))
}
