//! The model of one trace: steps, costs and classes, from which any window can be replayed.

use super::change::{Change, Select, What};
use super::costs::Costs;
use super::extract::{self, LeftOut, Source, Unexplained};
use super::program::{OpKind, Program, QueueDepth};
use super::record::Recording;
use crate::attribution::KernelClasses;
use crate::classify::{ClassId, Classifier};
use crate::trace::Trace;
use crate::windows::{Window, WindowSet};

/// The class of kernels that wait for other processes or devices.
const COMMUNICATION: &str = "comm";

/// A trace that can be replayed.
pub struct Model<'a> {
    pub(crate) rules: &'a Classifier,
    pub(crate) all: Recording<'a>,
    pub(crate) costs: Costs,
    unexplained: Unexplained,
    classes: Vec<Option<ClassId>>,
    peers: Vec<bool>,
}

/// What the model found out about the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The depth of the launch queue, where it was seen full.
    pub queue_depth: Option<usize>,
    /// Kernels that run at a time, by device.
    pub slots: Vec<(i64, u32)>,
    /// From the end of a kernel to the start of the next that waits on its stream, in ns.
    pub kernel_gap_ns: i64,
    /// Whether the trace shows that gap; else it is assumed.
    pub gap_seen: bool,
    /// Waits between streams that were found, and those that the record contradicts.
    pub edges: (usize, u64),
}

impl<'a> Model<'a> {
    /// Reads the trace as a program.
    pub fn new(trace: &'a Trace, rules: &'a Classifier) -> Self {
        let all = Recording::of(trace);
        let costs = Costs::of(&all);
        let of = KernelClasses::of(trace, rules);
        let classes =
            all.order.iter().map(|op| of.class(trace, *op).map(|(class, _)| class)).collect();
        let peer = rules.class(COMMUNICATION);
        let peers = trace
            .operations
            .labels()
            .iter()
            .map(|label| {
                let by_rule = match label {
                    crate::trace::Label::Kernel { demangled, short } => {
                        peer.is_some() && Some(rules.classify(demangled, short).class) == peer
                    }
                    _ => false,
                };
                by_rule || extract::waits_for_peers(label)
            })
            .collect();
        let unexplained = Unexplained::of(trace);
        Self { rules, all, costs, unexplained, classes, peers }
    }

    /// The trace.
    pub(crate) fn trace(&self) -> &'a Trace {
        self.all.trace
    }

    /// Whether a change picks kernels by class or name and the trace has none of these.
    pub fn picks_nothing(&self, change: &Change) -> bool {
        let (What::Scale(select, _) | What::Remove(select) | What::Fuse(select)) = &change.what
        else {
            return false;
        };
        let operations = &self.trace().operations;
        if matches!(select, Select::Named(_)) {
            return !operations.labels().iter().any(|label| select.accepts(None, label));
        }
        let mut kernels = self.all.order.iter().zip(&self.classes);
        !kernels.any(|(op, class)| select.accepts(*class, operations.label(*op)))
    }

    /// The program of a window, or why there is none.
    pub(crate) fn program(&self, set: &WindowSet, window: &Window) -> Result<Program, LeftOut> {
        let source = Source {
            all: &self.all,
            costs: &self.costs,
            unexplained: &self.unexplained,
            classes: &self.classes,
            peers: &self.peers,
        };
        extract::program(&source, set, window)
    }

    /// What launching a graph costs (the median of graph launches, else of what the window launches with), and
    /// how long a launched kernel takes to start.
    pub(crate) fn launch_costs(&self, program: &Program) -> (i64, i64) {
        let names = self.trace().calls.names();
        let graph = (0..names.len() as u32)
            .filter(|function| names[*function as usize].text.contains("GraphLaunch"))
            .find_map(|function| self.costs.own_of(function));
        let launch = program.steps.iter().find(|step| step.launches);
        let cost = graph.or_else(|| launch.and_then(|step| self.costs.own_of(step.function)));
        let latency =
            launch.and_then(|step| self.costs.known_latency((step.function, OpKind::Kernel, 0)));
        (cost.unwrap_or(0), latency.unwrap_or(0))
    }

    /// What was found out about the machine.
    pub fn machine(&self) -> Machine {
        let mut devices: Vec<i64> =
            self.trace().operations.queues().iter().map(|queue| queue.device).collect();
        devices.sort_unstable();
        devices.dedup();
        let processes = self.trace().identities.processes().len() + 1;
        let queue: Option<QueueDepth> =
            (0..processes).filter_map(|process| self.costs.queue(process)).next();
        Machine {
            queue_depth: queue.map(|queue| queue.depth),
            slots: devices.into_iter().map(|device| (device, self.costs.slots(device))).collect(),
            kernel_gap_ns: self.costs.gaps.after(OpKind::Kernel, OpKind::Kernel),
            gap_seen: self.costs.gap_seen,
            edges: (self.all.edges.edges.len(), self.all.edges.contradicted),
        }
    }
}
