//! Kernel, copy and graph time of the windows, under each of the three rules.
//!
//! Kernel time is a sum over kernels: with overlapping streams it exceeds the busy time. Copies,
//! memsets and whole-graph rows follow the same rule as the kernels that are shown.

use std::collections::BTreeMap;

use super::classes::KernelClasses;
use super::contained::Contained;
use super::delays::Delays;
use super::document::{
    Copies, CountTime, Graphs, KernelClass, KernelFunction, KernelGroup, Kernels, Reading, Rules,
};
use super::rule::Rule;
use super::scope::Scope;
use crate::classify::{ClassId, Classifier};
use crate::trace::{Label, OpId};
use crate::units::{Bytes, Nanos, Share};
use crate::windows::Window;

/// Kernel time of one window.
#[derive(Clone, Debug, Default)]
pub(super) struct WindowKernels {
    pub(super) count: u64,
    pub(super) time_ns: i64,
    /// In the order in which the classes first came.
    pub(super) by_class: Vec<(ClassId, i64)>,
}

impl WindowKernels {
    /// A window holds kernels of few classes: looking through them is faster than any map.
    fn add(&mut self, class: ClassId, ns: i64) {
        self.count += 1;
        self.time_ns += ns;
        match self.by_class.iter_mut().find(|entry| entry.0 == class) {
            Some(entry) => entry.1 += ns,
            None => self.by_class.push((class, ns)),
        }
    }
}

/// What the operations of the windows add up to, under the rule that is shown.
pub(super) struct GpuTime {
    pub(super) windows: Vec<WindowKernels>,
    pub(super) copies: Vec<Copies>,
    pub(super) graphs: Graphs,
    kernels: BTreeMap<(usize, ClassId), Sum>,
    delays: Delays,
    context_ns: BTreeMap<ClassId, i64>,
    streams: Vec<bool>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    count: u64,
    time_ns: i64,
}

impl Sum {
    fn add(&mut self, ns: i64) {
        self.count += 1;
        self.time_ns += ns;
    }

    fn join(&mut self, other: Self) {
        self.count += other.count;
        self.time_ns += other.time_ns;
    }
}

/// Visits every operation that a rule counts, with its window and its counted time in ns.
fn counted(scope: &Scope<'_>, rule: Rule, mut visit: impl FnMut(OpId, usize, i64)) {
    let whole = |op| scope.trace.operations.span(op).length().as_ns();
    match rule {
        Rule::Launched => scope.operations_launched(|op, _, window| visit(op, window, whole(op))),
        Rule::Started => scope.operations_starting(|op, window| visit(op, window, whole(op))),
        Rule::Overlap => scope.operations_meeting(|op, window, own| {
            if own {
                let inside = scope.trace.operations.span(op).clip(scope.spans[window]);
                visit(op, window, inside.length().as_ns());
            }
        }),
    }
}

/// Kernels under every rule: of the attributed process, and of the windows' own threads alone.
pub(super) struct EveryRule {
    pub(super) process: Rules,
    pub(super) own_thread: Rules,
    /// Kernels of the attributed processes that meet a window and have no API call in the export.
    pub(super) orphans: u64,
    /// How much of the launched work ran in its window.
    pub(super) contained: Contained,
}

/// Count and time of kernels under every rule.
pub(super) fn every_rule(scope: &Scope<'_>) -> EveryRule {
    let trace = scope.trace;
    let kernel: Vec<bool> = trace.operations.labels().iter().map(Label::is_kernel).collect();
    let threads: Vec<_> = scope.windows().iter().map(Window::thread).collect();
    let (mut orphans, mut contained) = (0, Contained::default());
    let mut one = |rule| {
        let (mut all, mut own) = (Sum::default(), Sum::default());
        counted(scope, rule, |op, window, ns| {
            if rule == Rule::Launched {
                contained.add(trace.operations.span(op), scope.spans[window]);
            }
            if !kernel[trace.operations.label_index(op)] {
                return;
            }
            all.add(ns);
            let cause = trace.links.cause(op);
            orphans += u64::from(rule == Rule::Overlap && cause.is_none());
            let launcher = cause.map(|call| trace.calls.thread(call));
            if threads[window].is_none() || launcher == threads[window] {
                own.add(ns);
            }
        });
        [all, own].map(|sum| CountTime { count: sum.count, time_ns: Nanos::from_ns(sum.time_ns) })
    };
    let sums = Rule::ALL.map(&mut one);
    let rules = |which: usize| Rules {
        launched: sums[Rule::Launched.index()][which],
        started: sums[Rule::Started.index()][which],
        overlap: sums[Rule::Overlap.index()][which],
    };
    EveryRule { process: rules(0), own_thread: rules(1), orphans, contained }
}

/// Adds the operations of the windows up under one rule.
pub(super) fn attribute(scope: &Scope<'_>, rule: Rule, classes: &KernelClasses) -> GpuTime {
    let operations = &scope.trace.operations;
    let mut time = GpuTime {
        windows: vec![WindowKernels::default(); scope.windows().len()],
        copies: Vec::new(),
        graphs: Graphs { count: 0, time_ns: Nanos::ZERO },
        kernels: BTreeMap::new(),
        delays: Delays::default(),
        context_ns: BTreeMap::new(),
        streams: vec![false; operations.queues().len()],
    };
    let mut copies: BTreeMap<String, (Sum, Bytes)> = BTreeMap::new();
    // Nearly all kernels have the class of their name: one sum for each label holds them.
    let mut by_label = vec![(None, Sum::default()); operations.labels().len()];
    counted(scope, rule, |op, window, ns| {
        if let Some((class, by_context)) = classes.class(scope.trace, op) {
            time.windows[window].add(class, ns);
            let label = operations.label_index(op);
            if by_context {
                time.kernels.entry((label, class)).or_default().add(ns);
                *time.context_ns.entry(class).or_default() += ns;
            } else {
                by_label[label].0 = Some(class);
                by_label[label].1.add(ns);
            }
            time.delays.add(scope.trace, op);
            time.streams[operations.queue_index(op)] = true;
        } else if let Some(kind) = operations.label(op).memory_kind() {
            let (sum, bytes) = copies.entry(kind).or_default();
            sum.add(ns);
            *bytes += operations.bytes(op).unwrap_or_default();
        } else {
            time.graphs.count += 1;
            time.graphs.time_ns += Nanos::from_ns(ns);
        }
    });
    for (label, (class, sum)) in by_label.into_iter().enumerate() {
        if let Some(class) = class {
            time.kernels.entry((label, class)).or_default().join(sum);
        }
    }
    time.delays.finish();
    time.copies = copies
        .into_iter()
        .map(|(kind, (sum, bytes))| Copies {
            kind,
            count: sum.count,
            time_ns: Nanos::from_ns(sum.time_ns),
            bytes,
        })
        .collect();
    time.copies.sort_by(|a, b| b.time_ns.cmp(&a.time_ns).then_with(|| a.kind.cmp(&b.kind)));
    time
}

impl GpuTime {
    /// How long the counted kernels waited.
    pub(super) const fn delays(&self) -> &Delays {
        &self.delays
    }

    /// The block of the document.
    pub(super) fn kernels(
        &self,
        scope: &Scope<'_>,
        rule: Rule,
        rules: EveryRule,
        classifier: &Classifier,
    ) -> Kernels {
        let mut total = Sum::default();
        let mut by_class: BTreeMap<ClassId, Sum> = BTreeMap::new();
        for ((_, class), sum) in &self.kernels {
            total.join(*sum);
            by_class.entry(*class).or_default().join(*sum);
        }
        Kernels {
            rule,
            total_ns: Nanos::from_ns(total.time_ns),
            count: total.count,
            orphans: rules.orphans,
            tklqt_ns: self.delays.tklqt(),
            streams: self.streams.iter().filter(|used| **used).count(),
            rules: rules.process,
            rules_own_thread: rules.own_thread,
            by_name: self.functions(scope, classifier, total.time_ns),
            by_class: self.classes(classifier, &by_class, total.time_ns),
            groups: groups(classifier, &by_class, total.time_ns),
        }
    }

    fn functions(
        &self,
        scope: &Scope<'_>,
        classifier: &Classifier,
        total: i64,
    ) -> Vec<KernelFunction> {
        let labels = scope.trace.operations.labels();
        let mut all: Vec<KernelFunction> = self
            .kernels
            .iter()
            .filter_map(|((label, class), sum)| match &labels[*label] {
                Label::Kernel { demangled, .. } => Some(KernelFunction {
                    name: demangled.clone(),
                    class: classifier.class_name(*class).to_owned(),
                    count: sum.count,
                    time_ns: Nanos::from_ns(sum.time_ns),
                    share: Share::of(sum.time_ns, total),
                }),
                _ => None,
            })
            .collect();
        all.sort_by(|a, b| {
            b.time_ns.cmp(&a.time_ns).then_with(|| (&a.name, &a.class).cmp(&(&b.name, &b.class)))
        });
        all
    }

    fn classes(
        &self,
        classifier: &Classifier,
        by_class: &BTreeMap<ClassId, Sum>,
        total: i64,
    ) -> Vec<KernelClass> {
        let mut all: Vec<KernelClass> = by_class
            .iter()
            .map(|(class, sum)| KernelClass {
                class: classifier.class_name(*class).to_owned(),
                count: sum.count,
                time_ns: Nanos::from_ns(sum.time_ns),
                share: Share::of(sum.time_ns, total),
                by_context_ns: Nanos::from_ns(self.context_ns.get(class).copied().unwrap_or(0)),
            })
            .collect();
        all.sort_by(|a, b| b.time_ns.cmp(&a.time_ns).then_with(|| a.class.cmp(&b.class)));
        all
    }
}

fn groups(
    classifier: &Classifier,
    by_class: &BTreeMap<ClassId, Sum>,
    total: i64,
) -> Vec<KernelGroup> {
    let reading = |reading: &crate::classify::Reading| {
        let mut sum = Sum::default();
        for class in &reading.classes {
            sum.join(by_class.get(class).copied().unwrap_or_default());
        }
        Reading {
            name: reading.name.clone(),
            classes: reading
                .classes
                .iter()
                .map(|class| classifier.class_name(*class).to_owned())
                .collect(),
            count: sum.count,
            time_ns: Nanos::from_ns(sum.time_ns),
            share: Share::of(sum.time_ns, total),
        }
    };
    classifier
        .groups()
        .iter()
        .map(|group| KernelGroup {
            name: group.name.clone(),
            headline: group.headline.clone(),
            readings: group.readings.iter().map(reading).collect(),
        })
        .collect()
}
