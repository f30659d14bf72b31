//! `periodic`: iterations found without NVTX, from the order in which kernels are launched.
//!
//! Per process and launching thread, the demangled names of what launches put on the GPU, in call order. The
//! *match* of a period p is the share of launches whose name is that of the launch p later; the period is the
//! smallest with a match of at least 0.95 that fits in at least five times. An instance starts where the host
//! pauses longest (the median over all periods), and only blocks that equal a neighbour count: start-up does not.
//!
//! ```text
//!   launches   init | a b c d | a b c d | a b c d | a b c d | a b c d | …      period 4
//!   instance          [-------)[-------)[-------)                              from first call to next first
//! ```

use crate::finding::{Finding, Severity};
use crate::trace::{CallId, Label, ProcessId, ThreadId, Trace};
use crate::units::Span;

/// The least share of launches that repeat.
const MATCH: f64 = 0.95;
/// The least number of periods.
const PERIODS: usize = 5;
/// Launches at which a period is tried before all of them are looked at.
const SAMPLE: usize = 512;
/// A period whose sample matches less is no candidate.
const SAMPLE_MATCH: f64 = 0.6;
/// Periods that are tried, the shortest first.
const LONGEST: usize = 200_000;
/// Candidates that a refusal shows.
const SHOWN: usize = 3;

/// Launches of one thread.
struct Launches {
    process: ProcessId,
    thread: ThreadId,
    calls: Vec<CallId>,
    names: Vec<u32>,
}

/// A period and how well it matches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    /// Launches.
    pub(super) period: usize,
    /// Share of launches that equal the one a period later.
    pub(super) matched: f64,
}

/// The iterations of one thread.
pub(super) struct Iterations {
    pub(super) process: ProcessId,
    pub(super) thread: ThreadId,
    pub(super) found: Candidate,
    pub(super) spans: Vec<Span>,
}

/// A thread without a period: its launches, and the periods that came nearest.
pub(super) struct Weak {
    thread: ThreadId,
    launches: usize,
    candidates: Vec<Candidate>,
}

/// What a search gives: the iterations of every thread that has them, or the best candidates.
pub(super) fn find(trace: &Trace) -> Result<Vec<Iterations>, Vec<Weak>> {
    let mut found = Vec::new();
    let mut weak = Vec::new();
    for launches in launches(trace) {
        match period(&launches.names) {
            Ok(candidate) => {
                let spans = instances(trace, &launches, candidate.period);
                if !spans.is_empty() {
                    let Launches { process, thread, .. } = launches;
                    found.push(Iterations { process, thread, found: candidate, spans });
                }
            }
            Err(candidates) => weak.push(Weak {
                thread: launches.thread,
                launches: launches.names.len(),
                candidates,
            }),
        }
    }
    if found.is_empty() { Err(weak) } else { Ok(found) }
}

/// What was found, as a finding: a period is an inference, not a mark of the program.
pub(super) fn finding(trace: &Trace, of: &Iterations) -> Finding {
    let Candidate { period, matched } = of.found;
    Finding::new(
        "periodic-windows",
        Severity::Info,
        format!(
            "{} repeats {period} launches: {:.1} % of its launches equal the one a period later; {} iterations, each \
             from its first launch call to the next iteration's",
            thread_name(trace, of.thread),
            100.0 * matched,
            of.spans.len()
        ),
        "mark the iterations with NVTX ranges to be sure of their edges",
    )
    .with("period", period)
    .with("match", matched)
    .with("iterations", of.spans.len())
}

/// The best periods of each thread, in a sentence.
pub(super) fn describe(trace: &Trace, weak: &[Weak]) -> String {
    let of = |weak: &Weak| {
        let best: Vec<String> = weak
            .candidates
            .iter()
            .map(|of| format!("{} at {:.3}", of.period, of.matched))
            .collect();
        let best = if best.is_empty() { "none".to_owned() } else { best.join(", ") };
        format!("{} ({} launches): {best}", thread_name(trace, weak.thread), weak.launches)
    };
    if weak.is_empty() {
        return "No kernel was launched".to_owned();
    }
    format!("Best candidates: {}", weak.iter().take(8).map(of).collect::<Vec<_>>().join("; "))
}

fn thread_name(trace: &Trace, thread: ThreadId) -> String {
    let thread = trace.identities.thread(thread);
    match (&thread.name, thread.tid) {
        (Some(name), Some(tid)) => format!("thread {} ({tid})", crate::units::plain(name, 40)),
        (_, Some(tid)) => format!("thread {tid}"),
        _ => "a thread without id".to_owned(),
    }
}

/// What each thread launched, in call order.
fn launches(trace: &Trace) -> Vec<Launches> {
    // Labels are in the order of their names: those of one demangled name stand together.
    let mut name = vec![0_u32; trace.operations.labels().len()];
    let mut last: Option<&str> = None;
    let mut number = 0;
    for (at, label) in trace.operations.labels().iter().enumerate() {
        let text = match label {
            Label::Kernel { demangled, .. } => demangled.as_str(),
            _ => "",
        };
        if last.is_none_or(|last| last != text) {
            number += 1;
            last = Some(text);
        }
        name[at] = number;
    }
    let mut all: Vec<(CallId, u32)> = trace
        .operations
        .ids()
        .filter_map(|op| {
            let call = trace.links.cause(op).filter(|call| trace.calls.name(*call).launches)?;
            Some((call, name[trace.operations.label_index(op)]))
        })
        .collect();
    all.sort_by_key(|(call, _)| *call);
    let mut by_thread: Vec<Option<Launches>> =
        trace.identities.threads().iter().map(|_| None).collect();
    for (call, name) in all {
        let thread = trace.calls.thread(call);
        let Some(process) = trace.calls.process(call, &trace.identities) else { continue };
        let list = by_thread[thread.index()].get_or_insert_with(|| Launches {
            process,
            thread,
            calls: Vec::new(),
            names: Vec::new(),
        });
        // The nodes of a graph are one launch.
        if list.calls.last() != Some(&call) {
            list.calls.push(call);
            list.names.push(name);
        }
    }
    by_thread.into_iter().flatten().collect()
}

/// The smallest period that matches, or the best that do not.
fn period(names: &[u32]) -> Result<Candidate, Vec<Candidate>> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for period in 1..=(names.len() / PERIODS).min(LONGEST) {
        if sampled(names, period) < SAMPLE_MATCH {
            continue;
        }
        let candidate = Candidate { period, matched: matched(names, period) };
        if candidate.matched >= MATCH {
            return Ok(candidate);
        }
        candidates.push(candidate);
    }
    candidates.sort_by(|a, b| b.matched.total_cmp(&a.matched).then(a.period.cmp(&b.period)));
    candidates.truncate(SHOWN);
    Err(candidates)
}

fn matched(names: &[u32], period: usize) -> f64 {
    let pairs = names.iter().zip(&names[period..]);
    pairs.filter(|(a, b)| a == b).count() as f64 / (names.len() - period) as f64
}

fn sampled(names: &[u32], period: usize) -> f64 {
    let pairs = names.len() - period;
    let stride = pairs.div_ceil(SAMPLE).max(1);
    let equal = (0..pairs).step_by(stride).filter(|at| names[*at] == names[at + period]).count();
    equal as f64 / pairs.div_ceil(stride) as f64
}

/// Spans of the blocks that equal a neighbour.
fn instances(trace: &Trace, launches: &Launches, period: usize) -> Vec<Span> {
    let names = &launches.names;
    let phase = phase(trace, launches, period);
    let start = |at: usize| trace.calls.span(launches.calls[at]).start_ns();
    let alike = |a: usize, b: usize| {
        b + period <= names.len()
            && names[a..a + period]
                .iter()
                .zip(&names[b..b + period])
                .filter(|(x, y)| x == y)
                .count() as f64
                >= MATCH * period as f64
    };
    (phase..names.len())
        .step_by(period)
        .filter(|at| at + period < names.len())
        .filter(|at| alike(*at, at + period) || (*at >= period && alike(at - period, *at)))
        .map(|at| Span::from_ns(start(at), start(at + period)))
        .collect()
}

/// The place within a period before which the host pauses longest.
fn phase(trace: &Trace, launches: &Launches, period: usize) -> usize {
    let mut before: Vec<Option<i64>> = vec![None; launches.calls.len()];
    let mut last: Option<i64> = None;
    let mut next = 0;
    for call in trace.calls.ids().filter(|call| trace.calls.thread(*call) == launches.thread) {
        let span = trace.calls.span(call);
        if launches.calls.get(next) == Some(&call) {
            before[next] = last.map(|last| span.start_ns() - last);
            next += 1;
        }
        last = Some(last.map_or(span.end_ns(), |last| last.max(span.end_ns())));
    }
    let median = |place: usize| {
        let mut gaps: Vec<i64> =
            before.iter().skip(place).step_by(period).flatten().copied().collect();
        gaps.sort_unstable();
        gaps.get(gaps.len() / 2).copied().unwrap_or(0)
    };
    (0..period).max_by_key(|place| (median(*place), std::cmp::Reverse(*place))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_period_that_matches_is_taken() {
        let names: Vec<u32> = (0..60).map(|i| i % 6).collect();
        assert_eq!(period(&names), Ok(Candidate { period: 6, matched: 1.0 }));
        let mut warm: Vec<u32> = vec![9, 9, 8];
        warm.extend((0..200).map(|i| i % 7));
        assert_eq!(period(&warm).unwrap().period, 7);
    }

    #[test]
    fn what_hardly_repeats_is_refused_with_candidates() {
        // One launch in ten is something else each time.
        let names: Vec<u32> =
            (0..300).map(|i| if i % 10 == 3 { 1_000 + i } else { i % 5 }).collect();
        let candidates = period(&names).unwrap_err();
        assert_eq!(candidates[0].period, 10);
        assert!(candidates[0].matched < 0.95 && candidates.len() <= SHOWN);
        assert_eq!(period(&(0..100).collect::<Vec<u32>>()), Err(vec![]));
        assert_eq!(period(&[1, 1, 1]), Err(vec![]), "three launches are no five periods");
    }
}
