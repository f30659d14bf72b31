//! One trace, one set of windows, one document.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use rayon::prelude::*;

use super::busy_split::{BusySplit, Divided};
use super::classes::KernelClasses;
use super::document::{Analysis, DeviceAbout, Idle, Instance, SCHEMA, Tool, TraceAbout, Windows};
use super::gpu_time::MeetingKernels;
use super::kernel_samples::KernelSamples;
use super::lanes_document::Lanes;
use super::launches::LongLaunches;
use super::provenance::{Asked, RunAbout};
use super::rule::Rule;
use super::scope::Scope;
use super::window_doubts::Evidence;
use super::window_items::{self, WindowItems};
use super::{
    api, busy, definitions, gpu_time, idle, kernel_samples, lanes, trace_doubts, verdict,
    window_doubts,
};
use crate::classify::Classifier;
use crate::finding::Finding;
use crate::trace::Trace;
use crate::units::{Nanos, SessionClock, Share};
use crate::windows::WindowSet;
use crate::windows::intervals::union_ns;

/// How to attribute.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The rule to show; `launched` by default, `overlap` for the whole trace, `started` for runs of
    /// kernels, which launch nothing themselves.
    pub rule: Option<Rule>,
    /// Count API calls of the window's own thread alone.
    pub own_thread: bool,
    /// The trace's path, as the document names it.
    pub path: String,
    /// SHA-256 of the file, in hex.
    pub sha256: Option<String>,
    /// What was asked, for the document.
    pub asked: Option<Asked>,
    /// The run that the trace records, for the document.
    pub run: Option<RunAbout>,
    /// Doubts that arose before the trace was read.
    pub findings: Vec<Finding>,
}

/// A trace with everything that does not depend on the windows, each part found when it is first
/// needed.
pub struct Analyzer<'a> {
    trace: &'a Trace,
    rules: &'a Classifier,
    classes: OnceLock<KernelClasses>,
    long: OnceLock<LongLaunches>,
}

impl<'a> Analyzer<'a> {
    /// Of a trace, with the rules that name its kernels.
    pub const fn new(trace: &'a Trace, rules: &'a Classifier) -> Self {
        Self { trace, rules, classes: OnceLock::new(), long: OnceLock::new() }
    }

    /// The class of every kernel.
    pub fn classes(&self) -> &KernelClasses {
        self.classes.get_or_init(|| KernelClasses::of(self.trace, self.rules))
    }

    /// The launches that waited.
    fn long(&self) -> &LongLaunches {
        self.long.get_or_init(|| LongLaunches::find(self.trace))
    }

    /// Attributes the time inside one set of windows.
    pub fn analyze(&self, set: &WindowSet, how: &Options) -> Analysis {
        let scope = Scope::new(self.trace, set);
        let present = self.trace.present;
        let rule = rule_of(set, how);

        // Each pass reads the trace and the windows, and nothing of the others.
        // They are tasks of one pool, so that no more run at a time than there are threads: a thread
        // more, and the hash of the input, the longest task, would still run when all others are done.
        let on_cpu = || {
            rayon::join(
                || idle::split(&scope),
                || api::attribute(&scope, self.long(), how.own_thread),
            )
        };
        let on_gpu = || {
            let classes = self.classes();
            rayon::join(
                || gpu_time::attribute(&scope, rule, classes),
                || meet(&scope, classes, self.rules),
            )
        };
        let ((idle, api_time), ((gpu_time, launched), (mut busy, meeting, mut split))) =
            rayon::join(on_cpu, on_gpu);
        busy.block.by_name = std::mem::take(&mut split.by_name);
        let total_idle = sum_idle(&idle);
        let contained = launched.contained;

        let kernels = present
            .kernels
            .then(|| gpu_time.kernels(&scope, rule, (&launched, &meeting), self.rules));
        let launch_delay = (present.kernels && present.api).then(|| gpu_time.delays().document());
        let mut evidence = Evidence {
            contained,
            median_delay: gpu_time.delays().median(),
            before_their_call: gpu_time.delays().before_their_call(),
            all_threads_ns: api_time.all_threads_ns,
            withheld: None,
        };
        let instances =
            self.instances(&scope, &api_time.windows, &gpu_time, &busy.windows, &idle, &split);
        let mut verdict = if set.whole_trace || !present.operations() {
            None
        } else {
            verdict::decide(scope.wall_ns(), &busy.block, &total_idle)
        };
        let doubt = verdict.as_ref().and_then(|one| verdict::doubt(set, contained.share(), one));
        if let Some(doubt) = doubt {
            evidence.withheld = verdict.take().map(|verdict| (verdict, doubt));
        }
        let mut analysis = Analysis {
            schema: SCHEMA.to_owned(),
            tool: tool(),
            trace: Some(self.about(how)),
            asked: how.asked.clone(),
            run: how.run.clone(),
            imported: None,
            windows: windows(&scope, contained.share(), instances),
            api: present.api.then_some(api_time.block),
            kernels,
            copies: present.copies.then_some(gpu_time.copies),
            graphs: present.graphs.then_some(gpu_time.graphs),
            launch_delay,
            gpu: present.operations().then_some(busy.block),
            idle: present.operations().then_some(total_idle),
            verdict,
            energy: None,
            definitions: definitions::definitions(),
            findings: Vec::new(),
        };
        self.add_findings(&scope, &mut analysis, &evidence, how);
        analysis
    }

    /// The events of every window of a set, as lanes of a timeline. Take the instances that will be
    /// drawn with [`WindowSet::only`]: a document holds every event of its window.
    pub fn lanes(&self, set: &WindowSet, how: &Options) -> Vec<Lanes> {
        let scope = Scope::new(self.trace, set);
        lanes::of(&scope, self.classes(), self.rules, &self.about(how))
    }

    /// Duration and launch delay of every kernel that the windows count.
    pub fn kernel_samples(&self, set: &WindowSet, how: &Options) -> KernelSamples {
        let scope = Scope::new(self.trace, set);
        let rule = rule_of(set, how);
        kernel_samples::collect(&scope, rule, self.classes(), self.rules, tool(), self.about(how))
    }

    /// Calls, kernels and copies of each window by name; adds up to what [`Analyzer::analyze`] says.
    pub fn window_items(&self, set: &WindowSet, how: &Options) -> WindowItems {
        let scope = Scope::new(self.trace, set);
        let rule = rule_of(set, how);
        window_items::divide(&scope, rule, how.own_thread, self.classes(), self.rules)
    }

    fn add_findings(
        &self,
        scope: &Scope<'_>,
        analysis: &mut Analysis,
        evidence: &Evidence,
        how: &Options,
    ) {
        let mut findings = how.findings.clone();
        findings.extend(scope.set.findings.iter().cloned());
        findings.extend(trace_doubts::trace_findings(self.trace));
        findings.extend(window_doubts::window_findings(scope, analysis, evidence));
        crate::finding::sort(&mut findings);
        analysis.findings = findings;
    }

    /// Which trace this is, as documents carry it.
    pub fn about(&self, how: &Options) -> TraceAbout {
        let about = &self.trace.about;
        TraceAbout {
            path: how.path.clone(),
            sha256: how.sha256.clone(),
            exporter_version: about.exporter_version.clone(),
            schema_version: about.schema_version.clone(),
            session_start_unix_ns: about.session.map(SessionClock::start),
            duration_ns: about.duration,
            devices: about
                .devices
                .iter()
                .map(|device| DeviceAbout { id: device.id, name: device.name.clone() })
                .collect(),
            processes: Some(self.trace.identities.processes().len()),
        }
    }

    fn instances(
        &self,
        scope: &Scope<'_>,
        api: &[api::WindowApi],
        kernels: &gpu_time::GpuTime,
        busy: &[i64],
        idle: &[Idle],
        split: &BusySplit,
    ) -> Vec<Instance> {
        let identities = &self.trace.identities;
        scope
            .windows()
            .par_iter()
            .enumerate()
            .map(|(w, window)| {
                let moved = window.cpu != window.span;
                let class_ns: BTreeMap<String, Nanos> = kernels
                    .by_class(w)
                    .map(|(class, ns)| {
                        (self.rules.class_name(class).to_owned(), Nanos::from_ns(ns))
                    })
                    .collect();
                let counted = kernels.window(w);
                Instance {
                    index: window.index,
                    start_ns: window.span.start(),
                    end_ns: window.span.end(),
                    cpu_start_ns: moved.then_some(window.cpu.start()),
                    cpu_end_ns: moved.then_some(window.cpu.end()),
                    process: window.owner.map(|owner| identities.process(owner.process).pid),
                    thread: window.thread().and_then(|thread| identities.thread(thread).tid),
                    label: window.label.clone(),
                    calls: api[w].calls,
                    api_ns: Nanos::from_ns(api[w].time_ns),
                    launches: api[w].launches,
                    launch_ns: Nanos::from_ns(api[w].launch_ns),
                    kernels: counted.count,
                    kernel_ns: Nanos::from_ns(counted.time_ns),
                    busy_ns: Nanos::from_ns(busy[w]),
                    idle: idle[w],
                    class_ns,
                    busy_class_ns: split.of_window(w),
                }
            })
            .collect()
    }
}

/// One pass over the operations that meet the windows.
fn meet<'a>(
    scope: &'a Scope<'a>,
    classes: &'a KernelClasses,
    rules: &Classifier,
) -> (busy::Busy, MeetingKernels<'a>, BusySplit) {
    let (mut busy, mut kernels) = (busy::BusyTime::new(scope), MeetingKernels::new(scope));
    let mut divided = Divided::new(scope, classes);
    scope.operations_meeting(|met| {
        if !met.own {
            busy.add_foreign();
            return;
        }
        let inside = met.span.clip(scope.spans[met.window]);
        let gained = busy.add(met.sort, met.window, inside);
        kernels.add(&met, inside);
        divided.add(met.op, met.sort, met.window, gained);
    });
    (busy.finish(), kernels, divided.finish(rules))
}

/// The rule that was asked for, else the one that suits the windows.
fn rule_of(set: &WindowSet, how: &Options) -> Rule {
    let default = match set {
        set if set.whole_trace => Rule::Overlap,
        set if set.kernel_runs => Rule::Started,
        _ => Rule::Launched,
    };
    how.rule.unwrap_or(default)
}

pub(super) fn tool() -> Tool {
    Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

fn windows(scope: &Scope<'_>, contained: Option<Share>, instances: Vec<Instance>) -> Windows {
    let union = union_ns(scope.spans.iter().copied());
    let first = scope.spans.iter().map(|span| span.start_ns()).min();
    let last = scope.spans.iter().map(|span| span.end_ns()).max();
    let extent = first.zip(last).map_or(0, |(first, last)| last - first);
    // Gaps are the time between the first and the last in which none is open.
    let (union, gaps) = (Nanos::from_ns(union), Nanos::from_ns(extent - union));
    let all = Windows::of(&scope.set.spec, instances, union, gaps);
    Windows { contained_share: contained, ..all }
}

fn sum_idle(windows: &[Idle]) -> Idle {
    let mut sum = Idle::default();
    for window in windows {
        sum.none_ns += window.none_ns;
        sum.head_ns += window.head_ns;
        sum.tail_ns += window.tail_ns;
        sum.launch_ns += window.launch_ns;
        sum.queue_ns += window.queue_ns;
        sum.api_ns += window.api_ns;
        sum.sync_ns += window.sync_ns;
        sum.host_ns += window.host_ns;
        sum.unknown_ns += window.unknown_ns;
        sum.dispatch_ns += window.dispatch_ns;
        sum.head_by.add(window.head_by);
        sum.tail_by.add(window.tail_by);
    }
    sum
}
