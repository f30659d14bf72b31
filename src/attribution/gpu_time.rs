//! Kernel, copy and graph time of the windows, under each of the three rules.
//!
//! Kernel time is a sum over kernels: with overlapping streams it exceeds the busy time. Copies,
//! memsets and whole-graph rows follow the same rule as the kernels that are shown.

use std::collections::BTreeMap;

use super::class_groups;
use super::class_times::{Columns, TimeTable};
use super::classes::{ClassWalk, KernelClasses};
use super::contained::Contained;
use super::delays::Delays;
use super::document::{Copies, CountTime, Graphs, KernelClass, KernelFunction, Kernels, Rules};
use super::rule::Rule;
use super::scope::{Meeting, Scope, Sort};
use crate::classify::{ClassId, Classifier};
use crate::trace::{CallId, Label, OpId, ThreadId};
use crate::units::{Bytes, Nanos, Share, Span};
use crate::windows::Window;

/// What the operations of the windows add up to, under the rule that is shown.
pub(super) struct GpuTime {
    windows: Vec<Sum>,
    columns: Columns,
    by_class: TimeTable,
    pub(super) copies: Vec<Copies>,
    pub(super) graphs: Graphs,
    kernels: BTreeMap<(usize, ClassId), Sum>,
    delays: Delays,
    context_ns: BTreeMap<ClassId, i64>,
    streams: Vec<bool>,
}

/// So many operations, and their time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    pub(super) count: u64,
    pub(super) time_ns: i64,
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

/// Count and time of kernels: of the attributed process, and of the windows' own threads alone.
#[derive(Clone, Copy, Debug, Default)]
struct Pair {
    all: Sum,
    own_thread: Sum,
}

impl Pair {
    fn add(&mut self, ns: i64, own_thread: bool) {
        self.all.add(ns);
        if own_thread {
            self.own_thread.add(ns);
        }
    }
}

/// What both passes over the operations must know of windows and labels.
struct Known<'a> {
    scope: &'a Scope<'a>,
    threads: Vec<Option<ThreadId>>,
}

impl<'a> Known<'a> {
    fn of(scope: &'a Scope<'a>) -> Self {
        Self { scope, threads: scope.windows().iter().map(Window::thread).collect() }
    }

    /// Whether a call is of the window's own thread; a window of no thread owns all.
    fn own_thread(&self, call: Option<CallId>, window: usize) -> bool {
        let thread = self.threads[window];
        thread.is_none() || call.map(|call| self.scope.trace.calls.thread(call)) == thread
    }
}

/// Kernels under the rules `started` and `overlap`, from operations that meet the windows.
pub(super) struct MeetingKernels<'a> {
    known: Known<'a>,
    started: Pair,
    overlap: Pair,
    orphans: u64,
}

impl<'a> MeetingKernels<'a> {
    pub(super) fn new(scope: &'a Scope<'a>) -> Self {
        let known = Known::of(scope);
        Self { known, started: Pair::default(), overlap: Pair::default(), orphans: 0 }
    }

    /// Adds an operation of the attributed process that meets a window, and its part inside.
    #[inline]
    pub(super) fn add(&mut self, met: &Meeting<'_>, inside: Span) {
        if !met.sort.is_kernel {
            return;
        }
        let scope = self.known.scope;
        let cause = scope.trace.links.cause(met.op);
        let own = self.known.own_thread(cause, met.window);
        self.orphans += u64::from(cause.is_none());
        self.overlap.add(inside.length().as_ns(), own);
        if scope.spans[met.window].holds(met.span.start()) {
            self.started.add(met.span.length().as_ns(), own);
        }
    }
}

/// Kernels under the rule `launched`, and how much of all launched work ran in its window.
pub(super) struct LaunchedKernels<'a> {
    known: Known<'a>,
    launched: Pair,
    pub(super) contained: Contained,
}

impl<'a> LaunchedKernels<'a> {
    fn new(scope: &'a Scope<'a>) -> Self {
        let contained = Contained::default();
        Self { known: Known::of(scope), launched: Pair::default(), contained }
    }

    #[inline]
    fn add(&mut self, item: &Item<'_>, call: CallId, window: usize) {
        let span = item.span;
        self.contained.add(span, self.known.scope.spans[window]);
        if item.sort.is_kernel {
            self.launched.add(span.length().as_ns(), self.known.own_thread(Some(call), window));
        }
    }
}

/// The document's rules: of the attributed process, and of the windows' own threads alone.
fn every_rule(launched: &LaunchedKernels<'_>, meeting: &MeetingKernels<'_>) -> (Rules, Rules) {
    let pairs = [launched.launched, meeting.started, meeting.overlap];
    let rules = |which: fn(&Pair) -> Sum| {
        let [launched, started, overlap] = pairs.map(|pair| {
            let sum = which(&pair);
            CountTime { count: sum.count, time_ns: Nanos::from_ns(sum.time_ns) }
        });
        Rules { launched, started, overlap }
    };
    (rules(|pair| pair.all), rules(|pair| pair.own_thread))
}

/// Adds the operations of the windows up under one rule, and the launched ones in any case.
pub(super) fn attribute<'a>(
    scope: &'a Scope<'a>,
    rule: Rule,
    classes: &KernelClasses,
) -> (GpuTime, LaunchedKernels<'a>) {
    let operations = &scope.trace.operations;
    let item = |op| Item { op, sort: scope.sort(op), span: operations.span(op) };
    let whole = |item: &Item<'_>| item.span.length().as_ns();
    let mut launched = LaunchedKernels::new(scope);
    let mut shown = Shown::new(scope, classes);
    scope.operations_launched(|op, call, window| {
        let item = item(op);
        launched.add(&item, call, window);
        if rule == Rule::Launched {
            shown.add(&item, window, whole(&item));
        }
    });
    match rule {
        Rule::Launched => {}
        Rule::Started => scope.operations_starting(|op, window| {
            let item = item(op);
            shown.add(&item, window, whole(&item));
        }),
        Rule::Overlap => scope.operations_meeting(|Meeting { op, sort, span, window, own }| {
            if own {
                let inside = span.clip(scope.spans[window]).length().as_ns();
                shown.add(&Item { op, sort, span }, window, inside);
            }
        }),
    }
    (shown.finish(), launched)
}

/// An operation on its way into the sums.
struct Item<'a> {
    op: OpId,
    sort: &'a Sort,
    span: Span,
}

/// Operations under the rule that is shown.
struct Shown<'a> {
    scope: &'a Scope<'a>,
    classes: ClassWalk<'a>,
    time: GpuTime,
    /// Nearly all kernels have the class of their name: one sum for each label holds them.
    by_label: Vec<(Option<ClassId>, Sum)>,
    copies: BTreeMap<String, (Sum, Bytes)>,
}

impl<'a> Shown<'a> {
    fn new(scope: &'a Scope<'a>, classes: &'a KernelClasses) -> Self {
        let operations = &scope.trace.operations;
        let columns = classes.columns();
        let windows = scope.windows().len();
        let time = GpuTime {
            windows: vec![Sum::default(); windows],
            by_class: TimeTable::new(windows, columns.len()),
            columns,
            copies: Vec::new(),
            graphs: Graphs { count: 0, time_ns: Nanos::ZERO },
            kernels: BTreeMap::new(),
            delays: Delays::default(),
            context_ns: BTreeMap::new(),
            streams: vec![false; operations.queues().len()],
        };
        let by_label = vec![(None, Sum::default()); operations.labels().len()];
        Self { scope, classes: classes.in_order(), time, by_label, copies: BTreeMap::new() }
    }

    /// Adds an operation to a window, with the time that the rule counts.
    #[inline]
    fn add(&mut self, &Item { op, sort, span }: &Item<'_>, window: usize, ns: i64) {
        let (operations, time) = (&self.scope.trace.operations, &mut self.time);
        let &Sort { label, queue, .. } = sort;
        if let Some((class, by_context)) = self.classes.class(op, label) {
            time.windows[window].add(ns);
            time.by_class.add(window, time.columns.of_class(class), ns);
            if by_context {
                time.kernels.entry((label, class)).or_default().add(ns);
                *time.context_ns.entry(class).or_default() += ns;
            } else {
                self.by_label[label].0 = Some(class);
                self.by_label[label].1.add(ns);
            }
            time.delays.add(self.scope.trace, op, span.start());
            time.streams[queue] = true;
        } else if let Some(kind) = operations.label(op).memory_kind() {
            let (sum, bytes) = self.copies.entry(kind).or_default();
            sum.add(ns);
            *bytes += operations.bytes(op).unwrap_or_default();
        } else {
            time.graphs.count += 1;
            time.graphs.time_ns += Nanos::from_ns(ns);
        }
    }

    fn finish(self) -> GpuTime {
        let mut time = self.time;
        for (label, (class, sum)) in self.by_label.into_iter().enumerate() {
            if let Some(class) = class {
                time.kernels.entry((label, class)).or_default().join(sum);
            }
        }
        time.delays.finish();
        let copies = self.copies.into_iter().map(|(kind, (sum, bytes))| Copies {
            kind,
            count: sum.count,
            time_ns: Nanos::from_ns(sum.time_ns),
            bytes: Some(bytes),
        });
        time.copies = copies.collect();
        time.copies.sort_by(|a, b| b.time_ns.cmp(&a.time_ns).then_with(|| a.kind.cmp(&b.kind)));
        time
    }
}

impl GpuTime {
    /// The kernels of a window.
    pub(super) fn window(&self, window: usize) -> Sum {
        self.windows[window]
    }

    /// Time of the kernels of a window, in ns, by their class.
    pub(super) fn by_class(&self, window: usize) -> impl Iterator<Item = (ClassId, i64)> + '_ {
        self.by_class.row(window).map(|(column, ns)| (self.columns.classes()[column], ns))
    }

    /// How long the counted kernels waited.
    pub(super) const fn delays(&self) -> &Delays {
        &self.delays
    }

    /// The block of the document.
    pub(super) fn kernels(
        &self,
        scope: &Scope<'_>,
        rule: Rule,
        (launched, meeting): (&LaunchedKernels<'_>, &MeetingKernels<'_>),
        classifier: &Classifier,
    ) -> Kernels {
        let (process, own_thread) = every_rule(launched, meeting);
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
            orphans: Some(meeting.orphans),
            tklqt_ns: Some(self.delays.tklqt()),
            streams: Some(self.streams.iter().filter(|used| **used).count()),
            rules: Some(process),
            rules_own_thread: Some(own_thread),
            by_name: self.functions(scope, classifier, total.time_ns),
            by_class: self.classes(classifier, &by_class, total.time_ns),
            groups: class_groups::groups(
                classifier,
                &|class| by_class.get(&class).map_or((0, 0), |sum| (sum.count, sum.time_ns)),
                total.time_ns,
            ),
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
