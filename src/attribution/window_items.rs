//! What each window holds, item by item: calls by function, kernels by name, copies by kind.
//!
//! The analysis adds these up over all windows; questions across many traces need them window by window.
//! Rules are those of the analysis, so that the sums over windows are its `api.by_name`,
//! `kernels.by_name` and `copies` to the nanosecond. Times in integer ns, clipped or whole as the rule says.

use std::collections::BTreeMap;

use super::api::enclosing_calls;
use super::classes::KernelClasses;
use super::kernel_samples::counted;
use super::rule::Rule;
use super::scope::Scope;
use crate::classify::Classifier;
use crate::trace::Label;
use crate::units::{Bytes, Nanos};

/// The items of one set of windows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowItems {
    /// Pairs of a window and a CUDA API function, by window and name.
    pub api: Vec<ApiItem>,
    /// Pairs of a window and a kernel, by window, name and class.
    pub kernels: Vec<KernelItem>,
    /// Pairs of a window and a kind of copy, by window and kind.
    pub copies: Vec<CopyItem>,
}

/// The calls of one function in one window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiItem {
    /// Place of the window in the set.
    pub window: usize,
    /// The function, without a version suffix.
    pub name: String,
    /// Whether it belongs to the launch family.
    pub launches: bool,
    /// Calls that meet the window.
    pub calls: u64,
    /// Their time inside it.
    pub time_ns: Nanos,
    /// The same without calls nested on the same thread.
    pub self_ns: Nanos,
}

/// The kernels of one name and class in one window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelItem {
    /// Place of the window in the set.
    pub window: usize,
    /// The demangled name.
    pub name: String,
    /// `family/kind`.
    pub class: String,
    /// How many the rule counts.
    pub count: u64,
    /// Their counted time.
    pub time_ns: Nanos,
}

/// The copies or memsets of one kind in one window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyItem {
    /// Place of the window in the set.
    pub window: usize,
    /// As nsys labels it: `Host-to-Device`, `Memset`.
    pub kind: String,
    /// How many the rule counts.
    pub count: u64,
    /// Their counted time.
    pub time_ns: Nanos,
    /// What they moved.
    pub bytes: Bytes,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    count: u64,
    time_ns: i64,
    nested_ns: i64,
}

/// Divides calls and operations by window.
pub(super) fn divide(
    scope: &Scope<'_>,
    rule: Rule,
    own_thread: bool,
    classes: &KernelClasses,
    rules: &Classifier,
) -> WindowItems {
    let (kernels, copies) = operations(scope, rule, classes, rules);
    WindowItems { api: calls(scope, own_thread), kernels, copies }
}

fn calls(scope: &Scope<'_>, own_thread: bool) -> Vec<ApiItem> {
    let calls = &scope.trace.calls;
    let parents = enclosing_calls(calls, scope.trace.identities.threads().len());
    let mut sums: BTreeMap<(usize, usize), Sums> = BTreeMap::new();
    scope.calls_meeting(|call, window, attributed| {
        let thread = scope.windows()[window].thread();
        let own = thread.is_none_or(|thread| thread == calls.thread(call));
        if !attributed || (own_thread && !own) {
            return;
        }
        let inside = calls.span(call).clip(scope.cpu_spans[window]);
        let sum = sums.entry((window, calls.name_index(call))).or_default();
        sum.count += 1;
        sum.time_ns += inside.length().as_ns();
        if let Some(parent) = parents.of(call) {
            let shared = inside.clip(calls.span(parent)).length().as_ns();
            sums.entry((window, calls.name_index(parent))).or_default().nested_ns += shared;
        }
    });
    let mut items: Vec<ApiItem> = sums
        .into_iter()
        // A function that only encloses others was not counted itself.
        .filter(|(_, sum)| sum.count > 0)
        .map(|((window, name), sum)| ApiItem {
            window,
            name: calls.names()[name].text.clone(),
            launches: calls.names()[name].launches,
            calls: sum.count,
            time_ns: Nanos::from_ns(sum.time_ns),
            self_ns: Nanos::from_ns(sum.time_ns - sum.nested_ns),
        })
        .collect();
    items.sort_by(|a, b| (a.window, &a.name).cmp(&(b.window, &b.name)));
    items
}

fn operations(
    scope: &Scope<'_>,
    rule: Rule,
    classes: &KernelClasses,
    rules: &Classifier,
) -> (Vec<KernelItem>, Vec<CopyItem>) {
    let operations = &scope.trace.operations;
    let mut kernels: BTreeMap<(usize, usize, usize), Sums> = BTreeMap::new();
    let mut copies: BTreeMap<(usize, String), (Sums, Bytes)> = BTreeMap::new();
    counted(scope, rule, |op, window, ns| {
        let add = |sum: &mut Sums| {
            sum.count += 1;
            sum.time_ns += ns;
        };
        if let Some((class, _)) = classes.class(scope.trace, op) {
            let key = (window, operations.label_index(op), class.index());
            add(kernels.entry(key).or_default());
        } else if let Some(kind) = operations.label(op).memory_kind() {
            let (sum, bytes) = copies.entry((window, kind)).or_default();
            add(sum);
            *bytes += operations.bytes(op).unwrap_or_default();
        }
    });
    let class_names = rules.class_names();
    let mut kernels: Vec<KernelItem> = kernels
        .into_iter()
        .filter_map(|((window, label, class), sum)| match &operations.labels()[label] {
            Label::Kernel { demangled, .. } => Some(KernelItem {
                window,
                name: demangled.clone(),
                class: class_names[class].clone(),
                count: sum.count,
                time_ns: Nanos::from_ns(sum.time_ns),
            }),
            _ => None,
        })
        .collect();
    kernels.sort_by(|a, b| (a.window, &a.name, &a.class).cmp(&(b.window, &b.name, &b.class)));
    let copies = copies
        .into_iter()
        .map(|((window, kind), (sum, bytes))| CopyItem {
            window,
            kind,
            count: sum.count,
            time_ns: Nanos::from_ns(sum.time_ns),
            bytes,
        })
        .collect();
    (kernels, copies)
}
