//! What the windows, and the way in which work falls into them, give reason to doubt.

use std::collections::BTreeMap;

use super::class_groups;
use super::contained::Contained;
use super::document::{Analysis, Verdict};
use super::scope::{Meeting, Scope};
use super::verdict::{self, Doubt};
use crate::finding::{Finding, Severity};
use crate::stats;
use crate::trace::{Label, ProcessId};
use crate::units::{Nanos, Share, Span};
use crate::windows::Attributed;
use crate::windows::intervals::{Sweep, union_ns};

/// Rules, and own thread against own process, may differ by this share before it is said.
const NOTABLE: f64 = 0.005;
/// Windows needed for an interval inside one trace.
const ENOUGH_WINDOWS: usize = 20;

/// What the passes saw beside the blocks.
pub(super) struct Evidence {
    pub(super) contained: Contained,
    /// Median launch delay of the counted kernels.
    pub(super) median_delay: Option<Nanos>,
    /// Counted kernels that start before their call.
    pub(super) before_their_call: usize,
    /// API time of all attributed calls, whatever `--own-thread` says.
    pub(super) all_threads_ns: i64,
    /// A verdict that is not given, and why.
    pub(super) withheld: Option<(Verdict, verdict::Doubt)>,
}

/// Everything that the finished blocks and the windows give reason to doubt.
pub(super) fn window_findings(
    scope: &Scope<'_>,
    analysis: &Analysis,
    evidence: &Evidence,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    overlapping(scope, &mut findings);
    containment(scope, evidence, &mut findings);
    no_verdict(scope, evidence, &mut findings);
    instances(scope, &mut findings);
    api(analysis, evidence.all_threads_ns, &mut findings);
    own_thread_kernels(analysis, &mut findings);
    kernels(analysis, &mut findings);
    gpu(scope, analysis, &mut findings);
    if scope.trace.links.without_cause() > 0 {
        orphans(scope, &mut findings);
        unified_memory(scope, &mut findings);
    }
    overhead(scope, &mut findings);
    clocks(evidence, &mut findings);
    nothing_happened(scope, analysis, &mut findings);
    findings
}

fn clocks(evidence: &Evidence, findings: &mut Vec<Finding>) {
    if evidence.before_their_call > 0 {
        findings.push(
            Finding::new(
                "kernels-before-their-call",
                Severity::Warning,
                format!("{} kernels start before the call that launched them: the clocks of CPU and GPU disagree", evidence.before_their_call),
                "do not read launch delays or idle causes of this trace to the microsecond; record again",
            )
            .with("kernels", evidence.before_their_call),
        );
    }
}

/// Kernel time of the windows' own threads against that of the process, rule `launched`.
fn own_thread_kernels(analysis: &Analysis, findings: &mut Vec<Finding>) {
    let Some(kernels) = &analysis.kernels else { return };
    let (Some(own), Some(all)) = (kernels.rules_own_thread, kernels.rules) else { return };
    let (own, all) = (own.launched.time_ns, all.launched.time_ns);
    if (all - own).as_ns() as f64 > NOTABLE * all.as_ns() as f64 {
        findings.push(
            Finding::new(
                "other-threads-launch-too",
                Severity::Info,
                format!("other threads of the process launched kernels inside the windows: own thread {own}, process {all}"),
                "rules_own_thread in the JSON has the kernels of the windows' own threads alone",
            )
            .with("own_thread_ns", own)
            .with("process_ns", all),
        );
    }
}

fn overlapping(scope: &Scope<'_>, findings: &mut Vec<Finding>) {
    let mut by_set: BTreeMap<Attributed, Vec<Span>> = BTreeMap::new();
    for (window, span) in scope.windows().iter().zip(&scope.spans) {
        by_set.entry(window.attributed).or_default().push(*span);
    }
    let twice: i64 = by_set
        .values()
        .map(|spans| {
            spans.iter().map(|span| span.length().as_ns()).sum::<i64>()
                - union_ns(spans.iter().copied())
        })
        .sum();
    if twice > 0 {
        findings.push(
            Finding::new(
                "windows-overlap",
                Severity::Warning,
                format!("windows of one process overlap; {} of them count more than once", Nanos::from_ns(twice)),
                "narrow the windows with --thread, or read sums as sums over windows, not as time that passed",
            )
            .with("counted_twice_ns", twice),
        );
    }
}

fn containment(scope: &Scope<'_>, evidence: &Evidence, findings: &mut Vec<Finding>) {
    if scope.set.kernel_runs {
        return;
    }
    let Some(contained) = evidence.contained.share().filter(|share| share.as_f64() < 0.95) else {
        return;
    };
    let severity = if contained.as_f64() < 0.5 { Severity::DataLoss } else { Severity::Warning };
    let delay = evidence
        .median_delay
        .map_or_else(String::new, |delay| format!(" (median launch delay {delay:.1})"));
    let what = if scope.set.projected { "moved windows" } else { "windows" };
    findings.push(
        Finding::new(
            "window-does-not-contain-its-work",
            severity,
            format!(
                "only {contained} of the time of the {} operations launched in the {what} lies inside their own window{delay}: the windows measure issuing, not latency",
                evidence.contained.count
            ),
            format!(
                "use --window gpu:{} to measure the work itself, or synchronise before the range ends",
                scope.set.spec.trim_start_matches("gpu:")
            ),
        )
        .with("contained_share", contained)
        .with("operations", evidence.contained.count)
    );
}

/// Why there is no verdict, with what the wall time of the windows alone would say.
fn no_verdict(scope: &Scope<'_>, evidence: &Evidence, findings: &mut Vec<Finding>) {
    let Some((verdict, doubt)) = &evidence.withheld else { return };
    let Doubt::Elsewhere(contained) = *doubt else {
        findings.push(busy_by_construction(verdict));
        return;
    };
    let remedy = if scope.set.kernel_runs {
        "the range around the kernels has a verdict: name it with --window".to_owned()
    } else {
        format!(
            "use --window gpu:{} for a verdict on the work itself, or synchronise before the range ends",
            scope.set.spec
        )
    };
    findings.push(
        Finding::new(
            "no-verdict",
            Severity::Warning,
            format!(
                "no verdict: the windows contain {contained} of the work that they launched (a verdict needs {:.0} %), so \
                 that what bounds them is not what bounds that work. By the wall time of the windows alone it would be \
                 `{}`: {}",
                verdict::LEAST_CONTAINED * 100.0,
                verdict.kind,
                verdict.detail
            ),
            remedy,
        )
        .with("contained_share", contained)
        .with("least_contained_share", verdict::LEAST_CONTAINED),
    );
}

fn busy_by_construction(verdict: &Verdict) -> Finding {
    Finding::new(
        "no-verdict",
        Severity::Info,
        format!(
            "no verdict: a run of kernels begins and ends with one, so that the GPU is busy in it by construction. By \
             the wall time of the runs alone it would be `{}`: {}",
            verdict.kind, verdict.detail
        ),
        "the range around the kernels has a verdict: name it with --window",
    )
}

fn instances(scope: &Scope<'_>, findings: &mut Vec<Finding>) {
    let count = scope.windows().len();
    if scope.set.whole_trace {
        return;
    }
    if (2..ENOUGH_WINDOWS).contains(&count) {
        findings.push(
            Finding::new(
                "too-few-windows",
                Severity::Info,
                format!("{count} instances are too few for an interval inside one trace (at least {ENOUGH_WINDOWS})"),
                "record more requests, or compare several traces",
            )
            .with("instances", count),
        );
    }
    let first = scope.windows().first().filter(|window| window.index == 0);
    let mut others: Vec<i64> =
        scope.spans.iter().skip(1).map(|span| span.length().as_ns()).collect();
    let median = stats::median(&mut others).map(|ns| Nanos::from_ns(ns.round() as i64));
    if let (Some(first), Some(median)) = (first, median) {
        let length = first.span.length();
        if median > Nanos::ZERO && length.as_ns() > 5 * median.as_ns() {
            findings.push(
                Finding::new(
                    "first-window-outlier",
                    Severity::Warning,
                    format!("the first instance lasts {length:.1}, over 5 times the median of the others, {median:.1}: it looks like a warm-up"),
                    "leave it out with --skip 1",
                )
                .with("first_ns", length)
                .with("median_ns", median),
            );
        }
    }
}

fn api(analysis: &Analysis, all_threads_ns: i64, findings: &mut Vec<Finding>) {
    let Some(api) = &analysis.api else { return };
    if let Some(own) = api.own_thread_ns.map(Nanos::as_ns)
        && all_threads_ns > 0
        && (all_threads_ns - own) as f64 > NOTABLE * all_threads_ns as f64
    {
        let share = Share::of(own, all_threads_ns);
        findings.push(
            Finding::new(
                "other-threads-call-too",
                Severity::Info,
                format!(
                    "the windows' own threads made {} of the process' API time in the windows",
                    share.map_or_else(|| "-".to_owned(), |share| share.to_string())
                ),
                "--own-thread counts the window's thread alone",
            )
            .with("own_thread_ns", own)
            .with("process_ns", all_threads_ns),
        );
    }
    let blocked_ns = api.launch.blocked_ns.unwrap_or_default();
    let blocked = Share::of(blocked_ns.as_ns(), api.launch.time_ns.as_ns());
    if let Some(blocked) = blocked.filter(|share| share.as_f64() > 0.05) {
        findings.push(
            Finding::new(
                "launch-queue-full",
                Severity::Warning,
                format!("{blocked} of the launch time was spent in launches that waited for a place in the queue of a busy GPU: a high launch share does not mean launch-bound here"),
                "read the GPU busy share and the verdict, if there is one, not the launch share",
            )
            .with("blocked_ns", blocked_ns)
            .with("launch_ns", api.launch.time_ns),
        );
    }
}

fn kernels(analysis: &Analysis, findings: &mut Vec<Finding>) {
    let Some(kernels) = &analysis.kernels else { return };
    let Some(rules) = kernels.rules else { return };
    let times = [rules.launched, rules.started, rules.overlap].map(|rule| rule.time_ns.as_ns());
    let (low, high) =
        times.iter().fold((i64::MAX, i64::MIN), |(low, high), ns| (low.min(*ns), high.max(*ns)));
    if (high - low) as f64 > NOTABLE * high as f64 {
        findings.push(
            Finding::new(
                "rules-disagree",
                Severity::Info,
                format!(
                    "kernel time depends on the rule: launched {}, started {}, overlap {}",
                    Nanos::from_ns(times[0]),
                    Nanos::from_ns(times[1]),
                    Nanos::from_ns(times[2])
                ),
                "name the rule beside the number (--attribute chooses it)",
            )
            .with("launched_ns", times[0])
            .with("started_ns", times[1])
            .with("overlap_ns", times[2]),
        );
    }
    findings.extend(class_groups::unclassified(kernels));
}

fn gpu(scope: &Scope<'_>, analysis: &Analysis, findings: &mut Vec<Finding>) {
    let Some(gpu) = &analysis.gpu else { return };
    let foreign = Share::of(gpu.foreign_busy_ns.as_ns(), scope.wall_ns());
    if let Some(foreign) = foreign.filter(|share| share.as_f64() > 0.01) {
        findings.push(
            Finding::new(
                "foreign-gpu-work",
                Severity::Warning,
                format!("other processes kept the same GPU busy for {foreign} of the windows"),
                "measure on an idle GPU, or attribute every process with --attribute-process any",
            )
            .with("foreign_busy_ns", gpu.foreign_busy_ns),
        );
    }
}

/// Operations whose API call is not in the export, of every kind.
fn orphans(scope: &Scope<'_>, findings: &mut Vec<Finding>) {
    let operations = &scope.trace.operations;
    let (mut kernels, mut copies, mut graphs) = (0_u64, 0_u64, 0_u64);
    scope.operations_meeting(|Meeting { op, own, .. }| {
        if own && scope.trace.links.is_orphan(op, operations) {
            match operations.label(op) {
                Label::Kernel { .. } => kernels += 1,
                Label::Copy { .. } | Label::Memset => copies += 1,
                Label::Graph => graphs += 1,
            }
        }
    });
    if kernels + copies + graphs > 0 {
        findings.push(
            Finding::new(
                "orphan-operations",
                Severity::DataLoss,
                format!("{kernels} kernels, {copies} copies and memsets and {graphs} whole graphs in the windows have no API call in the export; rule `launched` cannot see them"),
                "the capture or the export was cut: record with a margin before the window, or use --attribute overlap",
            )
            .with("kernels", kernels)
            .with("copies", copies)
            .with("graphs", graphs),
        );
    }
}

fn unified_memory(scope: &Scope<'_>, findings: &mut Vec<Finding>) {
    let operations = &scope.trace.operations;
    let (mut count, mut time) = (0_u64, 0);
    scope.operations_meeting(|Meeting { op, span, window, own, .. }| {
        if own && operations.label(op).is_unified_memory() && operations.correlation(op).is_none() {
            count += 1;
            time += span.clip(scope.spans[window]).length().as_ns();
        }
    });
    if count > 0 {
        findings.push(
            Finding::new(
                "unified-memory-migrations",
                Severity::Info,
                format!("{count} migrations of unified memory, {}, were started by the driver; they occupy the GPU but belong to no call", Nanos::from_ns(time)),
                "prefetch (cudaMemPrefetchAsync) or use explicit copies to make them visible",
            )
            .with("operations", count)
            .with("time_ns", time),
        );
    }
}

fn overhead(scope: &Scope<'_>, findings: &mut Vec<Finding>) {
    let overheads = &scope.trace.overheads;
    let mut inside: Vec<Vec<Span>> = vec![Vec::new(); scope.windows().len()];
    let things = overheads.iter().map(|overhead| (overhead, overhead.span));
    Sweep::over(&scope.cpu_spans).meeting(things, |overhead, window| {
        if scope.windows()[window].attributed.operations_of(overhead.process) {
            inside[window].push(overhead.span.clip(scope.cpu_spans[window]));
        }
    });
    let time: i64 = inside.into_iter().map(union_ns).sum();
    let wall: i64 = scope.cpu_spans.iter().map(|span| span.length().as_ns()).sum();
    if let Some(share) = Share::of(time, wall).filter(|share| share.as_f64() > 0.0005) {
        let severity = if share.as_f64() > 0.01 { Severity::Warning } else { Severity::Info };
        findings.push(
            Finding::new(
                "profiler-overhead",
                severity,
                format!(
                    "the profiler itself worked for {} inside the {} ({share:.2} of {})",
                    Nanos::from_ns(time),
                    if scope.set.projected { "CPU spans of the moved windows" } else { "windows" },
                    if scope.set.projected { "them" } else { "wall" }
                ),
                "take latencies from untraced runs",
            )
            .with("time_ns", time),
        );
    }
}

/// Nothing was attributed: say who was active meanwhile.
fn nothing_happened(scope: &Scope<'_>, analysis: &Analysis, findings: &mut Vec<Finding>) {
    let calls = analysis.api.as_ref().map_or(0, |api| api.calls);
    let busy = analysis.gpu.as_ref().map_or(0, |gpu| gpu.busy_ns.as_ns());
    let trace = scope.trace;
    if calls > 0 || busy > 0 || !(trace.present.api || trace.present.operations()) {
        return;
    }
    let mut active: BTreeMap<ProcessId, u64> = BTreeMap::new();
    let things = trace.calls.ids().map(|call| (call, trace.calls.span(call)));
    Sweep::over(&scope.cpu_spans).meeting(things, |call, _| {
        if let Some(process) = scope.caller(call) {
            *active.entry(process).or_default() += 1;
        }
    });
    let others: Vec<String> = active
        .iter()
        .map(|(process, calls)| format!("{} ({calls} calls)", trace.identities.describe(*process)))
        .collect();
    let (message, remedy) = if others.is_empty() {
        (
            "no CUDA call and no GPU operation happened in any window, in no process".to_owned(),
            "check that the range encloses the work",
        )
    } else {
        (
            format!(
                "the windows' own process did nothing in them; active meanwhile: {}",
                others.join(", ")
            ),
            "attribute that process with --attribute-process",
        )
    };
    findings.push(Finding::new("nothing-in-windows", Severity::Warning, message, remedy));
}
