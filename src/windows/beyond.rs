//! Do given spans lie inside what was recorded?
//!
//! The collection runs from t = 0 to `ANALYSIS_DETAILS.duration`, or to the last event where that row is
//! missing; an event outside it stretches it. A span wholly beyond holds nothing that could be measured: it
//! is refused when it is the only one, and left out when others remain. A span that reaches beyond is kept,
//! with a finding: time in which nothing was recorded would count as idle.
//!
//! ```text
//!   recorded        [0-------------------------2.3 s)
//!   kept                 [-------)
//!   kept, finding                         [--------)
//!   refused                                            [------)
//! ```

use super::error::WindowError;
use crate::finding::{Finding, Severity};
use crate::trace::Trace;
use crate::units::{Nanos, Span, TraceTime};

/// The span of what was recorded; nothing for a trace without any event or duration.
fn recorded(trace: &Trace) -> Option<Span> {
    let calls = trace.calls.ids().map(|call| trace.calls.span(call));
    let operations = trace.operations.ids().map(|op| trace.operations.span(op));
    let ranges = trace.ranges.ids().map(|range| {
        let start = trace.ranges.start(range);
        Span::new(start, trace.ranges.end(range).unwrap_or(start).max(start))
            .unwrap_or(Span::from_ns(start.as_ns(), start.as_ns()))
    });
    let whole = trace.about.duration.map(|length| Span::from_ns(0, length.as_ns().max(0)));
    let all = calls.chain(operations).chain(ranges).chain(whole);
    let (from, to) = all
        .fold((0, i64::MIN), |(from, to), span| (span.start_ns().min(from), span.end_ns().max(to)));
    (to > from).then(|| Span::from_ns(from, to))
}

/// The places of the spans that are kept.
///
/// # Errors
/// [`WindowError::Beyond`] when all lie beyond what was recorded.
pub(super) fn inside(
    trace: &Trace,
    spec: &str,
    spans: &[Span],
    findings: &mut Vec<Finding>,
) -> Result<Vec<usize>, WindowError> {
    let Some(recorded) = recorded(trace) else { return Ok((0..spans.len()).collect()) };
    let beyond = |span: &Span| span.start() >= recorded.end() || span.end() <= recorded.start();
    let kept: Vec<usize> = (0..spans.len()).filter(|place| !beyond(&spans[*place])).collect();
    if let (Some(span), true) = (spans.first(), kept.is_empty()) {
        return Err(WindowError::Beyond {
            spec: spec.to_owned(),
            from: span.start(),
            to: span.end(),
            first: recorded.start(),
            last: recorded.end(),
        });
    }
    let outside: i64 = kept
        .iter()
        .map(|place| {
            let span = spans[*place];
            span.length().as_ns() - span.clip(recorded).length().as_ns()
        })
        .sum();
    let left_out = spans.len() - kept.len();
    if outside > 0 || left_out > 0 {
        findings.push(finding(left_out, Nanos::from_ns(outside), recorded));
    }
    Ok(kept)
}

fn finding(left_out: usize, outside: Nanos, recorded: Span) -> Finding {
    let (first, last): (TraceTime, TraceTime) = (recorded.start(), recorded.end());
    let parts = [
        (left_out > 0).then(|| {
            format!("{left_out} of the given windows lie wholly beyond it and are left out")
        }),
        (outside > Nanos::ZERO).then(|| {
            format!(
                "{outside} of the others lies beyond it, and counts as time without any operation"
            )
        }),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    Finding::new(
        "window-beyond-trace",
        Severity::Warning,
        format!("the trace was recorded from {first} to {last}: {}", parts.join("; ")),
        "give windows inside the recorded time; check that they are on the clock of this trace",
    )
    .with("left_out", left_out)
    .with("outside_ns", outside)
}
