//! Which kernels kept the GPU busy: the busy time of a window, divided so that it adds up exactly.
//!
//! Kernel time is a sum, and with streams that overlap it exceeds the busy time. Here each busy instant
//! belongs to one operation alone, the one among those running that started first:
//!
//! ```text
//!   stream 1   [aaaaaaaa)      [cc)
//!   stream 2       [bbbbbbbb)
//!   belongs to [aaaaaaaa][bbb) [cc)      a + b + c = busy
//! ```
//! Operations of the attributed process count, whoever launched them and whenever, as in `busy`.

use super::class_times::{Columns, TimeTable};
use super::classes::{ClassWalk, KernelClasses};
use super::document::BusyName;
use super::scope::{Scope, Sort};
use crate::classify::{ClassId, Classifier};
use crate::trace::{Label, OpId};
use crate::units::Nanos;

use std::collections::BTreeMap;

/// What is no kernel stands under this name beside the classes: copies and memsets.
pub const TRANSFER: &str = "transfer";
/// The same for graphs that were traced whole.
pub const GRAPH: &str = "graph";

/// The class of a kernel, or what else the operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Kernel(ClassId),
    Transfer,
    Graph,
}

/// Busy time by window and class, and by name over all windows.
pub(super) struct BusySplit {
    windows: TimeTable,
    /// By column of the table.
    names: Vec<String>,
    /// Over all windows, the longest time first.
    pub(super) by_name: Vec<BusyName>,
}

impl BusySplit {
    /// The parts of one window.
    pub(super) fn of_window(&self, window: usize) -> BTreeMap<String, Nanos> {
        let row = self.windows.row(window);
        row.map(|(column, ns)| (self.names[column].clone(), Nanos::from_ns(ns))).collect()
    }
}

/// Divides the busy time, operation by operation.
pub(super) struct Divided<'a> {
    scope: &'a Scope<'a>,
    classes: ClassWalk<'a>,
    columns: Columns,
    /// The classes, then what is no kernel: transfers and graphs.
    windows: TimeTable,
    /// Nearly all kernels have the class of their name: one sum for each label holds them.
    by_label: Vec<(Option<Kind>, i64)>,
    by_context: BTreeMap<(usize, Kind), i64>,
}

impl<'a> Divided<'a> {
    pub(super) fn new(scope: &'a Scope<'a>, classes: &'a KernelClasses) -> Self {
        let columns = classes.columns();
        Self {
            scope,
            classes: classes.in_order(),
            windows: TimeTable::new(scope.windows().len(), columns.len() + 2),
            columns,
            by_label: vec![(None, 0); scope.trace.operations.labels().len()],
            by_context: BTreeMap::new(),
        }
    }

    /// Adds an operation of the attributed process to a window, with the part of its time that belongs
    /// to no earlier one; operations come in the order of their starts.
    #[inline]
    pub(super) fn add(&mut self, op: OpId, sort: &Sort, window: usize, gained: i64) {
        if gained == 0 {
            return;
        }
        let (kind, by_context) = match self.classes.class(op, sort.label) {
            Some((class, by_context)) => (Kind::Kernel(class), by_context),
            None if sort.moves_memory => (Kind::Transfer, false),
            None => (Kind::Graph, false),
        };
        let column = match kind {
            Kind::Kernel(class) => self.columns.of_class(class),
            Kind::Transfer => self.columns.len(),
            Kind::Graph => self.columns.len() + 1,
        };
        self.windows.add(window, column, gained);
        if by_context {
            *self.by_context.entry((sort.label, kind)).or_default() += gained;
        } else {
            let sum = &mut self.by_label[sort.label];
            *sum = (Some(kind), sum.1 + gained);
        }
    }

    /// The sums, under the names of the classes.
    pub(super) fn finish(self, rules: &Classifier) -> BusySplit {
        let class = |kind: Kind| match kind {
            Kind::Kernel(class) => rules.class_name(class).to_owned(),
            Kind::Transfer => TRANSFER.to_owned(),
            Kind::Graph => GRAPH.to_owned(),
        };
        let kernels = self.columns.classes().iter().map(|class| Kind::Kernel(*class));
        let names = kernels.chain([Kind::Transfer, Kind::Graph]).map(class).collect();
        let mut sums = self.by_context;
        for (label, (kind, ns)) in self.by_label.into_iter().enumerate() {
            if let Some(kind) = kind {
                *sums.entry((label, kind)).or_default() += ns;
            }
        }
        let labels = self.scope.trace.operations.labels();
        let named = sums.into_iter().map(|((label, kind), ns)| BusyName {
            name: name(&labels[label]),
            class: class(kind),
            busy_ns: Nanos::from_ns(ns),
        });
        let mut by_name: Vec<BusyName> = named.collect();
        by_name.sort_by(|a, b| {
            b.busy_ns.cmp(&a.busy_ns).then_with(|| (&a.name, &a.class).cmp(&(&b.name, &b.class)))
        });
        BusySplit { windows: self.windows, names, by_name }
    }
}

fn name(label: &Label) -> String {
    match label {
        Label::Kernel { demangled, .. } => demangled.clone(),
        other => other.memory_kind().unwrap_or_else(|| "CUDA graph".to_owned()),
    }
}
