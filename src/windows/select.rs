//! From a specification to numbered instances.
//!
//! The steps, in this order: find candidates; leave out (or clip) ranges that were never closed;
//! narrow by process and thread; drop instances inside another of the same thread; order by time and
//! number; skip and take; move to the GPU for `gpu:`, so that `--skip 1` means the same instance with
//! and without it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::beyond;
use super::error::WindowError;
use super::nearest;
use super::owner::{self, Attributed, Owner};
use super::periodic;
use super::projected;
use super::spec::{RangePattern, WindowSpec};
use super::unclosed::{self, Closing};
use crate::finding::{Finding, Severity};
use crate::trace::{ApiName, CallId, ProcessId, ThreadId, Trace};
use crate::units::{Span, TraceTime};

/// What narrows and numbers the instances.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only instances of this process (pid or name).
    pub process: Option<String>,
    /// Only instances of this thread (tid or name).
    pub thread: Option<String>,
    /// Whose work counts: a pid, a name or `any`; the instance's own process by default.
    pub attribute_process: Option<String>,
    /// How many instances to leave out at the front.
    pub skip: usize,
    /// How many instances to take after that.
    pub take: Option<usize>,
    /// End ranges that were never closed at the last event of their process, instead of leaving
    /// them out.
    pub clip_unclosed: bool,
}

/// One instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its number, in time order, before `skip`.
    pub index: usize,
    /// The span whose wall, busy and idle time is measured.
    pub span: Span,
    /// The span whose calls and launches count; differs from `span` for `gpu:` only.
    pub cpu: Span,
    /// Whose it is; `None` for windows that own every process.
    pub owner: Option<Owner>,
    /// Whose work counts in it.
    pub attributed: Attributed,
    /// The NVTX message, the kernel, the function or the label of the row.
    pub label: String,
}

impl Window {
    /// The thread that it belongs to.
    pub fn thread(&self) -> Option<ThreadId> {
        self.owner.and_then(|owner| owner.thread)
    }
}

/// The instances of one specification.
#[derive(Clone, Debug)]
pub struct WindowSet {
    /// The specification as it was typed.
    pub spec: String,
    /// The instances, in time order.
    pub windows: Vec<Window>,
    /// Whether this is the whole trace: no head, no tail, no verdict, rule `overlap`.
    pub whole_trace: bool,
    /// Whether instances were moved to their GPU work.
    pub projected: bool,
    /// Whether instances are runs of kernels: they launch nothing themselves, and the rule is
    /// `started`.
    pub kernel_runs: bool,
    /// Doubts that arose on the way.
    pub findings: Vec<Finding>,
}

impl WindowSet {
    /// The same specification with some of its instances alone, by their places in `windows`; places
    /// that do not exist are left out.
    #[must_use]
    pub fn only(&self, places: &[usize]) -> Self {
        let windows = places.iter().filter_map(|place| self.windows.get(*place)).cloned().collect();
        Self { windows, ..self.clone() }
    }
}

/// A span on its way to becoming a window.
struct Candidate {
    span: Span,
    owner: Option<Owner>,
    label: String,
}

/// Selects the instances of `spec`, which was typed as `text`.
///
/// # Errors
/// [`WindowError`] when nothing matches, or a process or thread does not occur.
pub fn select(
    trace: &Trace,
    text: &str,
    spec: &WindowSpec,
    how: &Selection,
) -> Result<WindowSet, WindowError> {
    let mut findings = Vec::new();
    let projected = matches!(spec, WindowSpec::Projected(_));
    let inner = innermost(spec);
    let mut candidates = candidates(trace, (text, inner), how, &mut findings)?;
    narrow(trace, &mut candidates, how)?;
    if matches!(inner, WindowSpec::Ranges(_) | WindowSpec::Calls(_)) {
        collapse_nested(&mut candidates, text, &mut findings);
    }
    candidates.sort_by(|a, b| order(a).cmp(&order(b)));
    let found = candidates.len();
    let numbered = number(trace, candidates, how)?;
    let mut windows: Vec<Window> =
        numbered.into_iter().skip(how.skip).take(how.take.unwrap_or(usize::MAX)).collect();
    if projected {
        let (kept, idle) = projected::project(trace, windows);
        windows = kept;
        report_idle(idle.len(), &mut findings);
        windows.sort_by_key(|window| (window.span, window.index));
    }
    if windows.is_empty() {
        return Err(nothing(trace, (text, inner), found, how, &findings));
    }
    report_empty(&windows, &mut findings);
    let whole_trace = spec.is_whole_trace();
    let kernel_runs = !projected && matches!(inner, WindowSpec::KernelRuns(_));
    Ok(WindowSet { spec: text.to_owned(), windows, whole_trace, projected, kernel_runs, findings })
}

fn innermost(spec: &WindowSpec) -> &WindowSpec {
    match spec {
        WindowSpec::Projected(inner) => innermost(inner),
        other => other,
    }
}

fn order(candidate: &Candidate) -> (Span, Option<ThreadId>, &str) {
    (candidate.span, candidate.owner.and_then(|owner| owner.thread), &candidate.label)
}

fn candidates(
    trace: &Trace,
    (text, spec): (&str, &WindowSpec),
    how: &Selection,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Candidate>, WindowError> {
    match spec {
        WindowSpec::Ranges(pattern) => Ok(ranges(trace, pattern, how, findings)),
        WindowSpec::Projected(inner) => candidates(trace, (text, inner), how, findings),
        WindowSpec::KernelRuns(pattern) => Ok(kernel_runs(trace, pattern)),
        WindowSpec::Calls(name) => Ok(calls(trace, name)),
        WindowSpec::Profiler => Ok(profiler(trace, how, findings)),
        WindowSpec::Periodic => periods(trace, findings),
        WindowSpec::Explicit(given) => {
            let spans = given.iter().map(|one| one.on_trace(trace.about.session));
            let spans = spans.collect::<Result<Vec<Span>, WindowError>>()?;
            let kept = beyond::inside(trace, text, &spans, findings)?;
            let one = |place: usize| Candidate {
                span: spans[place],
                owner: None,
                label: given[place].label.clone(),
            };
            Ok(kept.into_iter().map(one).collect())
        }
        WindowSpec::All => Ok(everything(trace, how)?.into_iter().collect()),
    }
}

fn ranges(
    trace: &Trace,
    pattern: &RangePattern,
    how: &Selection,
    findings: &mut Vec<Finding>,
) -> Vec<Candidate> {
    let ranges = &trace.ranges;
    let wanted: Vec<bool> = ranges.texts().iter().map(|text| pattern.text.accepts(text)).collect();
    let closing = Closing::of(trace);
    let mut found = Vec::new();
    let mut open = 0_usize;
    for range in ranges.ids().filter(|range| wanted[ranges.text_index(*range)]) {
        if pattern.domain.is_some() && ranges.domain(range) != pattern.domain.as_deref() {
            continue;
        }
        let start = ranges.start(range);
        let span = closing.closed(trace, range).or_else(|| {
            open += 1;
            let process = ranges.process(range, &trace.identities).filter(|_| how.clip_unclosed);
            let last = process.and_then(|process| unclosed::last_event(trace, process));
            last.and_then(|last| Span::new(start, last))
        });
        let thread = ranges.thread(range);
        let owner = ranges
            .process(range, &trace.identities)
            .map(|process| Owner { process, thread: Some(thread) });
        if let Some(span) = span {
            found.push(Candidate { span, owner, label: ranges.text(range).to_owned() });
        }
    }
    if open > 0 {
        findings.push(unclosed_finding(open, how.clip_unclosed));
    }
    found
}

fn unclosed_finding(open: usize, clipped: bool) -> Finding {
    let (what, remedy) = if clipped {
        ("they end at the last counted event of their process", "close the ranges in the program")
    } else {
        (
            "they are left out",
            "close the ranges in the program, or end them at the last event with --unclosed clip",
        )
    };
    Finding::new(
        "unclosed-ranges",
        Severity::Warning,
        format!("{open} matching ranges were never closed; {what}"),
        remedy,
    )
    .with("ranges", open)
}

/// Runs of matching kernels on a stream; any other operation of the stream ends a run.
fn kernel_runs(trace: &Trace, pattern: &regex::Regex) -> Vec<Candidate> {
    use crate::trace::Label;
    let operations = &trace.operations;
    let matching: Vec<Option<&str>> = operations
        .labels()
        .iter()
        .map(|label| match label {
            Label::Kernel { demangled, short } => {
                (pattern.is_match(demangled) || pattern.is_match(short)).then_some(short.as_str())
            }
            _ => None,
        })
        .collect();
    let mut running: Vec<Option<Candidate>> = operations.queues().iter().map(|_| None).collect();
    let mut found = Vec::new();
    for op in operations.ids() {
        let run = &mut running[operations.queue_index(op)];
        let span = operations.span(op);
        match (matching[operations.label_index(op)], run.as_mut()) {
            (Some(_), Some(run)) => {
                run.span = Span::from_ns(run.span.start_ns(), run.span.end_ns().max(span.end_ns()));
            }
            (Some(name), None) => {
                let owner =
                    operations.queue(op).process.map(|process| Owner { process, thread: None });
                *run = Some(Candidate { span, owner, label: name.to_owned() });
            }
            (None, _) => found.extend(run.take()),
        }
    }
    found.extend(running.into_iter().flatten());
    found
}

fn calls(trace: &Trace, name: &str) -> Vec<Candidate> {
    let wanted = ApiName::from_export(name).text;
    trace
        .calls
        .ids()
        .filter(|call| trace.calls.name(*call).text == wanted)
        .map(|call| Candidate {
            span: trace.calls.span(call),
            owner: owner_of_call(trace, call),
            label: wanted.clone(),
        })
        .collect()
}

fn owner_of_call(trace: &Trace, call: CallId) -> Option<Owner> {
    let thread = trace.calls.thread(call);
    let process = trace.calls.process(call, &trace.identities)?;
    Some(Owner { process, thread: Some(thread) })
}

/// Iterations of every thread that has them.
fn periods(trace: &Trace, findings: &mut Vec<Finding>) -> Result<Vec<Candidate>, WindowError> {
    let found = periodic::find(trace).map_err(|weak| WindowError::NotPeriodic {
        spec: "periodic".to_owned(),
        candidates: periodic::describe(trace, &weak),
    })?;
    findings.extend(found.iter().map(|of| periodic::finding(trace, of)));
    let of_thread = |of: &periodic::Iterations| {
        let owner = Owner { process: of.process, thread: Some(of.thread) };
        let label = format!("{} launches", of.found.period);
        of.spans
            .iter()
            .map(move |span| Candidate { span: *span, owner: Some(owner), label: label.clone() })
            .collect::<Vec<_>>()
    };
    Ok(found.iter().flat_map(of_thread).collect())
}

/// From the return of a profiler start to the next profiler stop of the same process.
fn profiler(trace: &Trace, how: &Selection, findings: &mut Vec<Finding>) -> Vec<Candidate> {
    let mut started: BTreeMap<Option<ProcessId>, CallId> = BTreeMap::new();
    let mut found = Vec::new();
    for call in trace.calls.ids() {
        let process = trace.calls.process(call, &trace.identities);
        match trace.calls.name(call).text.as_str() {
            "cudaProfilerStart" | "cuProfilerStart" => {
                started.entry(process).or_insert(call);
            }
            "cudaProfilerStop" | "cuProfilerStop" => {
                let Some(start) = started.remove(&process) else { continue };
                let from = trace.calls.span(start).end_ns();
                found.push(Candidate {
                    span: Span::from_ns(from, trace.calls.span(call).start_ns()),
                    owner: owner_of_call(trace, start),
                    label: "profiler".to_owned(),
                });
            }
            _ => {}
        }
    }
    if !started.is_empty() {
        findings.push(unclosed_finding(started.len(), how.clip_unclosed));
    }
    for (process, start) in started.into_iter().filter(|_| how.clip_unclosed) {
        let last = process.and_then(|process| unclosed::last_event(trace, process));
        let span = last.and_then(|last| Span::new(trace.calls.span(start).end(), last));
        found.extend(span.map(|span| Candidate {
            span,
            owner: owner_of_call(trace, start),
            label: "profiler".to_owned(),
        }));
    }
    found
}

/// From the earliest start to the latest end of counted calls and operations.
fn everything(trace: &Trace, how: &Selection) -> Result<Option<Candidate>, WindowError> {
    let only = match &how.process {
        Some(wanted) => Attributed::Only(owner::find_process(wanted, trace)?),
        None => Attributed::Any,
    };
    let calls = trace
        .calls
        .ids()
        .filter(|call| only.calls_of(trace.calls.process(*call, &trace.identities)))
        .map(|call| trace.calls.span(call));
    let operations = trace
        .operations
        .ids()
        .filter(|op| only.operations_of(trace.operations.queue(*op).process))
        .map(|op| trace.operations.span(op));
    let extent = calls.chain(operations).fold(None::<(TraceTime, TraceTime)>, |extent, span| {
        let (start, end) = extent.unwrap_or((span.start(), span.end()));
        Some((start.min(span.start()), end.max(span.end())))
    });
    Ok(extent.and_then(|(start, end)| {
        Some(Candidate { span: Span::new(start, end)?, owner: None, label: "all".to_owned() })
    }))
}

/// Keeps the instances of one process or thread; windows that own everything become theirs.
fn narrow(
    trace: &Trace,
    candidates: &mut Vec<Candidate>,
    how: &Selection,
) -> Result<(), WindowError> {
    if let Some(wanted) = &how.process {
        let process = owner::find_process(wanted, trace)?;
        for candidate in candidates.iter_mut().filter(|candidate| candidate.owner.is_none()) {
            candidate.owner = Some(Owner { process, thread: None });
        }
        candidates
            .retain(|candidate| candidate.owner.is_some_and(|owner| owner.process == process));
    }
    if let Some(wanted) = &how.thread {
        let threads = owner::find_threads(wanted, &trace.identities)?;
        let unowned = candidates.iter().any(|candidate| candidate.owner.is_none());
        if unowned && threads.len() > 1 {
            let ids = threads.iter().filter_map(|thread| trace.identities.thread(*thread).tid);
            return Err(WindowError::SeveralThreads {
                wanted: wanted.clone(),
                count: threads.len(),
                present: ids.map(|id| id.to_string()).collect::<Vec<_>>().join(", "),
            });
        }
        for candidate in candidates.iter_mut() {
            let missing = candidate.owner.is_none_or(|owner| owner.thread.is_none());
            if let (true, [thread]) = (missing, threads.as_slice()) {
                let process = trace.identities.thread(*thread).process;
                candidate.owner = process.map(|process| Owner { process, thread: Some(*thread) });
            }
        }
        candidates.retain(|candidate| {
            candidate
                .owner
                .and_then(|owner| owner.thread)
                .is_some_and(|thread| threads.contains(&thread))
        });
    }
    Ok(())
}

/// Drops instances that lie inside another one of the same starting thread.
fn collapse_nested(candidates: &mut Vec<Candidate>, text: &str, findings: &mut Vec<Finding>) {
    candidates.sort_by_key(|candidate| {
        let thread = candidate.owner.and_then(|owner| owner.thread);
        (thread, candidate.span.start(), Reverse(candidate.span.end()))
    });
    let before = candidates.len();
    let mut enclosing: Option<(Option<ThreadId>, Span)> = None;
    candidates.retain(|candidate| {
        let thread = candidate.owner.and_then(|owner| owner.thread);
        if let Some((of, span)) = enclosing
            && of == thread
            && span.contains(candidate.span)
        {
            return false;
        }
        let longest =
            enclosing.filter(|(of, span)| *of == thread && span.end() > candidate.span.end());
        if longest.is_none() {
            enclosing = Some((thread, candidate.span));
        }
        true
    });
    let dropped = before - candidates.len();
    if dropped > 0 {
        findings.push(
            Finding::new(
                "nested-instances-collapsed",
                Severity::Info,
                format!("{dropped} instances of `{text}` lie inside another one on the same thread and are dropped"),
                "give the inner ranges another name to measure them on their own",
            )
            .with("instances", dropped),
        );
    }
}

fn number(
    trace: &Trace,
    candidates: Vec<Candidate>,
    how: &Selection,
) -> Result<Vec<Window>, WindowError> {
    let chosen = match how.attribute_process.as_deref() {
        None => None,
        Some("any") => Some(Attributed::Any),
        Some(wanted) => Some(Attributed::Only(owner::find_process(wanted, trace)?)),
    };
    Ok(candidates
        .into_iter()
        .enumerate()
        .map(|(index, Candidate { span, owner, label })| {
            let own = owner.map_or(Attributed::Any, |owner| Attributed::Only(owner.process));
            Window { index, span, cpu: span, owner, attributed: chosen.unwrap_or(own), label }
        })
        .collect())
}

fn report_idle(idle: usize, findings: &mut Vec<Finding>) {
    if idle == 0 {
        return;
    }
    findings.push(
        Finding::new(
            "windows-without-operations",
            Severity::Warning,
            format!("{idle} instances launched no GPU operation and are left out"),
            "use the specification without gpu: to measure them on the CPU",
        )
        .with("instances", idle),
    );
}

fn report_empty(windows: &[Window], findings: &mut Vec<Finding>) {
    let empty = windows.iter().filter(|window| window.span.is_empty()).count();
    if empty > 0 {
        findings.push(
            Finding::new(
                "zero-length-windows",
                Severity::Warning,
                format!("{empty} instances have no length; they are counted, but hold no time"),
                "check that the program does work between opening and closing the range",
            )
            .with("instances", empty),
        );
    }
}

fn nothing(
    trace: &Trace,
    (text, spec): (&str, &WindowSpec),
    found: usize,
    how: &Selection,
    findings: &[Finding],
) -> WindowError {
    if text == "all" && trace.calls.is_empty() && trace.operations.is_empty() {
        return WindowError::NothingRecorded { present: nearest::sentence(trace, "latency") };
    }
    let by_count = if how.take == Some(0) {
        Some(format!("there are {found}, but --take 0 takes none"))
    } else if how.skip >= found {
        Some(format!("there are {found}, all left out by --skip {}", how.skip))
    } else {
        None
    };
    // The name is right: a list of other names would say that it is not.
    if let Some(reason) = by_count.filter(|_| found > 0) {
        return WindowError::NoneTaken { spec: text.to_owned(), reason };
    }
    let left_out = findings.iter().find(|finding| {
        matches!(finding.code.as_str(), "unclosed-ranges" | "windows-without-operations")
    });
    let reason = if let Some(finding) = left_out {
        format!(": {} ({})", finding.message, finding.remedy)
    } else if how.process.is_some() || how.thread.is_some() {
        " in the process or thread asked for".to_owned()
    } else {
        String::new()
    };
    let wanted = text.rsplit(':').next().unwrap_or(text);
    let present = match spec {
        WindowSpec::Calls(_) => nearest::functions(trace, wanted),
        WindowSpec::KernelRuns(_) => nearest::kernels(trace, wanted.trim_matches('/')),
        WindowSpec::Explicit(_) => "The file has no rows".to_owned(),
        WindowSpec::Profiler => "cudaProfilerStart and cudaProfilerStop were not called".to_owned(),
        _ => nearest::sentence(trace, wanted),
    };
    WindowError::NoInstance { spec: text.to_owned(), reason, present }
}
