//! What a trace itself gives reason to doubt, before any window is chosen.

use std::sync::LazyLock;

use regex::Regex;

use crate::finding::{Finding, Severity};
use crate::trace::{Label, OpId, Trace};
use crate::units::{Nanos, plain};

/// The newest schema that was seen in a real export.
const NEWEST_SCHEMA: (u32, u32) = (3, 25);
/// Words by which nsys says that events are missing.
const LOSS: &str = r"(?i)\b(drop(ped)?|lost|truncat\w*|overflow\w*|not all|incomplete|exceed\w*|buffer.{0,20}full)\b";

static LOSS_RE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(LOSS).ok());

/// Every doubt about the trace as a whole.
pub fn trace_findings(trace: &Trace) -> Vec<Finding> {
    let mut findings = trace.read_notes.clone();
    absent_tables(trace, &mut findings);
    rows_that_are_no_calls(trace, &mut findings);
    bad_rows(trace, &mut findings);
    graphs(trace, &mut findings);
    diagnostics(trace, &mut findings);
    clocks(trace, &mut findings);
    crate::finding::sort(&mut findings);
    findings
}

fn absent_tables(trace: &Trace, findings: &mut Vec<Finding>) {
    let present = trace.present;
    if !present.api {
        findings.push(Finding::new(
            "no-api-table",
            Severity::DataLoss,
            "the export has no table of CUDA API calls: there is no API time, and kernels cannot be tied to their launches",
            "record with `nsys profile --trace=cuda`, with the program using a GPU; if it did, its driver may be newer than that nsys knows",
        ));
    }
    if !present.kernels {
        let message = if present.operations() {
            "the export has no table of kernels (only copies, memsets or graphs)"
        } else {
            "the export has no table of kernels: the program launched none while it was recorded, or GPU activity was not collected"
        };
        findings.push(Finding::new(
            "no-kernel-table",
            Severity::DataLoss,
            message,
            "record with `nsys profile --trace=cuda` on a machine whose GPU the program uses, for long enough to reach its kernels",
        ));
    }
}

fn rows_that_are_no_calls(trace: &Trace, findings: &mut Vec<Finding>) {
    let census = &trace.call_census;
    if census.twins > 0 {
        findings.push(
            Finding::new(
                "backtrace-twins-dropped",
                Severity::Info,
                format!(
                    "{} rows of the API table (eventClass 67) repeat a call for its backtrace; they are not counted, else {} would count twice",
                    census.twins,
                    Nanos::from_ns(census.twins_ns)
                ),
                "nothing to do; `nsys stats` does count them",
            )
            .with("rows", census.twins)
            .with("time_ns", census.twins_ns),
        );
    }
    if census.lone_backtraces > 0 {
        findings.push(
            Finding::new(
                "backtrace-without-call",
                Severity::Warning,
                format!("{} backtrace rows (eventClass 67) have no call of their correlation id; they are not counted", census.lone_backtraces),
                "the capture was cut; record the window with some margin",
            )
            .with("rows", census.lone_backtraces),
        );
    }
    for (class, (rows, ns)) in &census.other_classes {
        let label = census.class_labels.get(class).map_or("unknown", String::as_str);
        findings.push(
            Finding::new(
                "other-event-class",
                Severity::Warning,
                format!("{rows} rows of the API table are of eventClass {class} ({label}), {}; they are not counted as CUDA API calls", Nanos::from_ns(*ns)),
                "tell us what they are if they should count",
            )
            .with("event_class", *class)
            .with("rows", *rows)
            .with("time_ns", *ns),
        );
    }
}

fn bad_rows(trace: &Trace, findings: &mut Vec<Finding>) {
    let bad =
        trace.call_census.bad_times + trace.operation_census.bad_times + trace.ranges.bad_times();
    if bad > 0 {
        findings.push(
            Finding::new(
                "bad-timestamps",
                Severity::DataLoss,
                format!("{bad} rows end before they start, or lie at 0..0, and are dropped: CUPTI's buffers overflowed"),
                "record a shorter window, or flush more often (`--cuda-flush-interval`)",
            )
            .with("rows", bad),
        );
    }
    let unowned = trace.call_census.without_thread;
    if unowned > 0 {
        findings.push(
            Finding::new(
                "calls-without-thread",
                Severity::Warning,
                format!(
                    "{unowned} API calls name no thread; they count only where every process does"
                ),
                "use --attribute-process any to count them in every window",
            )
            .with("rows", unowned),
        );
    }
    let unowned = trace.operation_census.without_process;
    if unowned > 0 {
        findings.push(
            Finding::new(
                "operations-without-process",
                Severity::Warning,
                format!("{unowned} GPU operations name no process; they count for every process and cannot be tied to their launch"),
                "export the report with a newer nsys",
            )
            .with("rows", unowned),
        );
    }
    let colliding = trace.links.colliding_ids();
    if colliding > 0 {
        findings.push(
            Finding::new(
                "correlation-ids-collide",
                Severity::Info,
                format!("{colliding} correlation ids occur in more than one process; operations are joined to calls by process and id"),
                "nothing to do; tools that join by the id alone invent kernel time here",
            )
            .with("ids", colliding),
        );
    }
}

fn graphs(trace: &Trace, findings: &mut Vec<Finding>) {
    let operations = &trace.operations;
    let is_whole = |op: &OpId| *operations.label(*op) == Label::Graph;
    let occurs = operations.labels().contains(&Label::Graph);
    let whole = if occurs { operations.ids().filter(is_whole).count() } else { 0 };
    if whole > 0 {
        findings.push(
            Finding::new(
                "whole-graph-rows",
                Severity::Warning,
                format!("{whole} CUDA graph launches were traced as one row each; the kernels inside them are in no kernel share"),
                "record with --cuda-graph-trace=node to see the kernels",
            )
            .with("rows", whole),
        );
    }
    let nodes = trace.operation_census.graph_nodes;
    if nodes > 0 {
        findings.push(
            Finding::new(
                "graph-node-rows",
                Severity::Info,
                format!("{nodes} kernels and copies are nodes of CUDA graphs; they belong to the call that launched the graph"),
                "nothing to do; tracing by node slows graphs down",
            )
            .with("rows", nodes),
        );
    }
}

fn diagnostics(trace: &Trace, findings: &mut Vec<Finding>) {
    let loss = |text: &str| LOSS_RE.as_ref().is_some_and(|words| words.is_match(text));
    let (lossy, other): (Vec<_>, Vec<_>) =
        trace.about.diagnostics.iter().partition(|message| loss(&message.text));
    for message in lossy {
        findings.push(
            Finding::new(
                "events-dropped",
                Severity::DataLoss,
                format!("nsys says: {}", plain(message.text.trim(), 300)),
                "record a shorter window or fewer event kinds, then analyse again",
            )
            .with("messages", message.count),
        );
    }
    if let Some(first) = other.first() {
        let count: u64 = other.iter().map(|message| message.count).sum();
        findings.push(
            Finding::new(
                "nsys-diagnostics",
                Severity::Info,
                format!(
                    "nsys left {count} warnings about its collection; the first: “{}”",
                    plain(first.text.trim(), 200)
                ),
                "see table DIAGNOSTIC_EVENT if something seems to be missing",
            )
            .with("messages", count),
        );
    }
}

fn clocks(trace: &Trace, findings: &mut Vec<Finding>) {
    let grid = timestamp_grid(trace);
    if let Some(grid) = grid.filter(|grid| *grid > 1) {
        findings.push(
            Finding::new(
                "timestamp-grid",
                Severity::Info,
                format!("all times lie on a grid of {grid} ns; differences below it mean nothing"),
                "nothing to do; Jetson boards count in steps of 32 ns",
            )
            .with("grid_ns", grid),
        );
    }
    let version = trace.about.schema_version.as_deref().and_then(major_minor);
    if version.is_some_and(|version| version > NEWEST_SCHEMA) {
        findings.push(Finding::new(
            "schema-newer-than-known",
            Severity::Info,
            format!(
                "schema {} is newer than the newest one seen here ({}.{})",
                trace.about.schema_version.as_deref().unwrap_or("?"),
                NEWEST_SCHEMA.0,
                NEWEST_SCHEMA.1
            ),
            "columns are found by name, so results should stand; compare one number with `nsys stats`",
        ));
    }
}

fn major_minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The greatest step that divides every time; `None` without times.
fn timestamp_grid(trace: &Trace) -> Option<i64> {
    let spans = trace
        .calls
        .ids()
        .map(|call| trace.calls.span(call))
        .chain(trace.operations.ids().map(|op| trace.operations.span(op)));
    let mut grid = 0_i64;
    let mut times = 0_usize;
    for span in spans {
        for time in [span.start_ns(), span.end_ns()] {
            grid = gcd(grid, time);
            times += 1;
        }
        if grid == 1 {
            return Some(1);
        }
    }
    // A handful of round times is no grid.
    (times >= 16 && grid > 0).then_some(grid)
}

fn gcd(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a.abs(), b.abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
