//! What windows cannot say is said: no verdict where the work lies elsewhere, no result for spans in which
//! nothing was recorded, and names worth trying where one is not there.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use serde_json::Value;
use support::schema::Generation;
use support::spec::{TraceSpec, process, thread};
use support::words::{Said, run, run_in};

const T: i64 = thread(70, 71);
const P: i64 = process(70);
const ISSUES: &str = "fixtures/traces/windows/issues-only.sqlite";

/// Writes a trace and analyses it.
fn analyze(spec: &TraceSpec, words: &[&str]) -> Said {
    let folder = tempfile::tempdir().unwrap();
    spec.write_sqlite(&folder.path().join("trace.sqlite"));
    run_in(folder.path(), &[&["analyze", "trace.sqlite"], words].concat())
}

fn document(spec: &TraceSpec, words: &[&str]) -> Value {
    let said = analyze(spec, &[words, &["--format", "json"]].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

fn finding<'a>(document: &'a Value, code: &str) -> Option<&'a Value> {
    document["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == code)
}

/// Windows of 100 us that launch a kernel of 100 us, which runs `later`; in the first 90 us of each the GPU is
/// busy with what was launched before.
fn issuing(later: i64) -> TraceSpec {
    let mut spec = TraceSpec::new(Generation::V3_16_1);
    for index in 0..3 {
        let (t, id) = (10_000_000 + index * 1_000_000, 10 + index);
        spec.call(T, "cudaLaunchKernel_v7000", t - 200_000, t - 190_000, 100 + id);
        spec.kernel(P, "before", t, t + 90_000, 100 + id);
        spec.range(T, "step", t, t + 100_000);
        spec.call(T, "cudaLaunchKernel_v7000", t + 1_000, t + 9_000, id);
        let start = t + later;
        spec.kernel(P, "work", start, start + 100_000, id);
    }
    spec
}

#[test]
fn windows_without_their_work_have_no_verdict() {
    let found = document(&issuing(500_000), &["-w", "step"]);
    assert_eq!(found["windows"]["contained_share"], 0.0);
    assert!(found["verdict"].is_null(), "{}", found["verdict"]);
    let why = finding(&found, "no-verdict").unwrap();
    assert_eq!(why["severity"], "warning");
    let message = why["message"].as_str().unwrap();
    assert!(message.contains("contain 0.0 %") && message.contains("`gpu-bound`"), "{message}");
    assert!(why["remedy"].as_str().unwrap().contains("gpu:step"), "{why}");
    let said = analyze(&issuing(500_000), &["-w", "step"]);
    assert!(said.out.contains("verdict  none:"), "{}", said.out);

    // Where the work is, and where enough of it is inside, there is one.
    let moved = document(&issuing(500_000), &["-w", "gpu:step"]);
    assert_eq!(moved["verdict"]["kind"], "gpu-bound");
    let inside = document(&issuing(40_000), &["-w", "step"]);
    assert_eq!(inside["windows"]["contained_share"], 0.6);
    assert_eq!(inside["verdict"]["kind"], "gpu-bound");
    assert!(finding(&inside, "no-verdict").is_none());
}

#[test]
fn spans_beyond_the_trace_are_refused_with_its_own_span() {
    for window in ["time:10s..12s", "time:-5s..-1s", "time:-5s..0ns", "gpu:time:10s..12s"] {
        let said = run(&["analyze", ISSUES, "-w", window]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{window}: {}", said.err);
        for words in ["nothing was recorded", "from 0.000000 s to", "time:0.000000s.."] {
            assert!(said.err.contains(words), "{window}: {}", said.err);
        }
        // What it suggests works.
        let at = said.err.find("`time:0.000000s").unwrap() + 1;
        let suggested: String = said.err[at..].chars().take_while(|c| *c != '`').collect();
        assert_eq!(run(&["analyze", ISSUES, "-w", &suggested]).code, 0, "{suggested}");
    }
    let said = run(&["analyze", ISSUES, "-w", "time:2ms..1ms"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("ends before it starts"), "{}", said.err);
}

#[test]
fn spans_that_reach_beyond_the_trace_are_doubted() {
    let spec = issuing(500_000);
    let found = document(&spec, &["-w", "time:9ms..60s"]);
    let doubt = finding(&found, "window-beyond-trace").unwrap();
    let last = found["trace"]["duration_ns"].as_i64().unwrap_or(12_600_000);
    assert_eq!(doubt["numbers"]["outside_ns"], 60_000_000_000 - last, "{doubt}");
    let found = document(&spec, &["-w", "time:9ms..10ms"]);
    assert!(finding(&found, "window-beyond-trace").is_none());

    // Of several, those that hold something remain.
    let folder = tempfile::tempdir().unwrap();
    spec.write_sqlite(&folder.path().join("trace.sqlite"));
    let rows = "start_ns,end_ns\n9000000,10000000\n90000000000,90000000001\n";
    std::fs::write(folder.path().join("w.csv"), rows).unwrap();
    let words = ["analyze", "trace.sqlite", "-w", "file:w.csv", "--format", "json"];
    let found: Value = serde_json::from_str(&run_in(folder.path(), &words).out).unwrap();
    assert_eq!(found["windows"]["count"], 1);
    assert_eq!(finding(&found, "window-beyond-trace").unwrap()["numbers"]["left_out"], 1);
}

#[test]
fn names_that_select_something_come_before_those_that_never_closed() {
    let mut spec = issuing(500_000);
    for index in 0..15 {
        let open = spec.range(T, &format!("iteration{index}"), 10_000_100 + index, 10_000_200);
        open.end = None;
    }
    let said = analyze(&spec, &["-w", "iteration"]);
    assert_eq!(said.code, 2);
    let place = |name: &str| said.err.find(&format!("`{name}`")).unwrap_or(usize::MAX);
    assert!(place("step") < place("iteration0"), "{}", said.err);
    // Of those that select something, likeness decides where it can, else how often they occur.
    spec.range(T, "once", 10_500_000, 10_500_100);
    let said = analyze(&spec, &["-w", "warmup"]);
    let place = |name: &str| said.err.find(&format!("`{name}`")).unwrap_or(usize::MAX);
    assert!(place("step") < place("once"), "{}", said.err);
    let said = analyze(&spec, &["-w", "onec"]);
    let place = |name: &str| said.err.find(&format!("`{name}`")).unwrap_or(usize::MAX);
    assert!(place("once") < place("step"), "{}", said.err);
}
