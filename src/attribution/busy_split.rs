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

use super::classes::KernelClasses;
use super::document::BusyName;
use super::scope::Scope;
use crate::classify::{ClassId, Classifier};
use crate::trace::Label;
use crate::units::Nanos;
use crate::windows::intervals::Union;

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
    /// By window.
    pub(super) windows: Vec<BTreeMap<String, Nanos>>,
    /// Over all windows, the longest time first.
    pub(super) by_name: Vec<BusyName>,
}

/// Divides the busy time of the windows.
pub(super) fn divide(scope: &Scope<'_>, classes: &KernelClasses, rules: &Classifier) -> BusySplit {
    let operations = &scope.trace.operations;
    let mut unions = vec![Union::default(); scope.windows().len()];
    // A window holds few classes: a short list is quicker than a map.
    let mut windows: Vec<Vec<(Kind, i64)>> = vec![Vec::new(); scope.windows().len()];
    let mut names: BTreeMap<(usize, Kind), i64> = BTreeMap::new();
    scope.operations_meeting(|op, window, own| {
        if !own {
            return;
        }
        let before = unions[window].total_ns();
        unions[window].add(operations.span(op).clip(scope.spans[window]));
        let gained = unions[window].total_ns() - before;
        if gained == 0 {
            return;
        }
        let kind = match classes.class(scope.trace, op) {
            Some((class, _)) => Kind::Kernel(class),
            None if operations.label(op).moves_memory() => Kind::Transfer,
            None => Kind::Graph,
        };
        match windows[window].iter_mut().find(|entry| entry.0 == kind) {
            Some(entry) => entry.1 += gained,
            None => windows[window].push((kind, gained)),
        }
        *names.entry((operations.label_index(op), kind)).or_default() += gained;
    });
    let class = |kind: Kind| match kind {
        Kind::Kernel(class) => rules.class_name(class).to_owned(),
        Kind::Transfer => TRANSFER.to_owned(),
        Kind::Graph => GRAPH.to_owned(),
    };
    let windows = windows
        .into_iter()
        .map(|kinds| {
            kinds.into_iter().map(|(kind, ns)| (class(kind), Nanos::from_ns(ns))).collect()
        })
        .collect();
    let named = names.into_iter().map(|((label, kind), ns)| BusyName {
        name: name(&operations.labels()[label]),
        class: class(kind),
        busy_ns: Nanos::from_ns(ns),
    });
    let mut by_name: Vec<BusyName> = named.collect();
    by_name.sort_by(|a, b| {
        b.busy_ns.cmp(&a.busy_ns).then_with(|| (&a.name, &a.class).cmp(&(&b.name, &b.class)))
    });
    BusySplit { windows, by_name }
}

fn name(label: &Label) -> String {
    match label {
        Label::Kernel { demangled, .. } => demangled.clone(),
        other => other.memory_kind().unwrap_or_else(|| "CUDA graph".to_owned()),
    }
}
