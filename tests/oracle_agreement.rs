//! The built program against the brute-force oracle, on random traces and on the simulated program.
//!
//! A failing case prints its seed and size; `support::random::trace(seed, size)` makes it again.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::path::Path;
use std::sync::OnceLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use support::ask::{analyze_json, is_stub, words};
use support::fixtures::fixtures;
use support::oracle::{Question, Which, compare, expected};
use support::random;
use support::shared::skipped;
use support::spec::TraceSpec;
use support::wno::{Shape, wno_request};

const PROGRAM: &str = env!("CARGO_BIN_EXE_nsys-attrib");

/// Tables that a real export may lack.
const TABLES: [&str; 9] = [
    "CUPTI_ACTIVITY_KIND_RUNTIME",
    "CUPTI_ACTIVITY_KIND_KERNEL",
    "CUPTI_ACTIVITY_KIND_MEMCPY",
    "CUPTI_ACTIVITY_KIND_MEMSET",
    "CUPTI_ACTIVITY_KIND_GRAPH_TRACE",
    "NVTX_EVENTS",
    "ANALYSIS_DETAILS",
    "PROCESSES",
    "ThreadNames",
];

/// True, and said aloud, while the program has no analysis to compare.
fn nothing_to_compare() -> bool {
    static STUB: OnceLock<bool> = OnceLock::new();
    *STUB.get_or_init(|| {
        let stub = is_stub(PROGRAM);
        if stub {
            skipped("nsys-attrib --version prints nothing: no analyzer to compare with");
        }
        stub
    })
}

fn analysis(spec: &TraceSpec, question: &Question, folder: &Path) -> Result<Value, (i32, String)> {
    let path = folder.join("trace.sqlite");
    spec.write_sqlite(&path);
    analyze_json(PROGRAM, &path, &words(question, folder))
}

/// Program and oracle say the same, and the parts make up the whole.
fn agree(spec: &TraceSpec, question: &Question) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let answer = analysis(spec, question, folder.path());
    match (expected(spec, question), answer) {
        (None, Err((2, _))) => Ok(()),
        (None, other) => Err(format!("no instance: exit 2 expected, found {other:?}")),
        (Some(_), Err((code, said))) => Err(format!("exit {code}: {said}")),
        (Some(expected), Ok(found)) => {
            compare(&expected, &found)?;
            parts_make_the_whole(&found)
        }
    }
    .map_err(|why| format!("{why}\n{:?}", words(question, Path::new("."))))
}

fn parts_make_the_whole(found: &Value) -> Result<(), String> {
    let Some(idle) = found["idle"].as_object() else { return Ok(()) };
    let parts: i64 = idle
        .iter()
        .filter(|(key, _)| key.as_str() != "dispatch_ns")
        .filter_map(|(_, value)| value.as_i64())
        .sum();
    let busy = found["gpu"]["busy_ns"].as_i64().unwrap_or(0);
    let total = found["windows"]["total_ns"].as_i64().unwrap_or(-1);
    if busy + parts == total { Ok(()) } else { Err(format!("{busy} + {parts} is not {total}")) }
}

/// A document without what names the file it came from.
fn anonymous(mut found: Value) -> Value {
    for key in ["path", "sha256"] {
        found["trace"][key] = json!(null);
    }
    found
}

/// One simulated request of each shape: thousands of rows, forked streams, a loaded module.
#[test]
fn simulated_requests() {
    if nothing_to_compare() {
        return;
    }
    for (shape, windows) in [
        (Shape::Eager450, ["latency", "gpu:block1.idwt"]),
        (Shape::Looped1860, ["block1.dwt", "gpu:block1.idwt"]),
    ] {
        let spec = wno_request(shape, 1, 1, 7);
        for window in windows {
            let which = match window.strip_prefix("gpu:") {
                Some(name) => Which::Projected(name.into()),
                None => Which::Named(window.into()),
            };
            assert_eq!(agree(&spec, &Question::new(which)), Ok(()), "{shape:?} {window}");
        }
    }
}

/// The small bundled traces, each a behaviour of its own.
#[test]
fn bundled_behaviours() {
    if nothing_to_compare() {
        return;
    }
    for (name, spec) in fixtures().iter().filter(|(name, _)| !name.starts_with("wno-request")) {
        for window in ["latency", "forward", "open", "iteration2"] {
            assert_eq!(agree(spec, &Question::named(window)), Ok(()), "{name} {window}");
            let clip = Question { clip_unclosed: true, ..Question::named(window) };
            assert_eq!(agree(spec, &clip), Ok(()), "{name} {window}, clipped");
        }
        assert_eq!(agree(spec, &Question::new(Which::All)), Ok(()), "{name}, all of it");
    }
}

/// Random traces a test; `.ci/long agreement` asks for many more.
fn cases() -> u32 {
    std::env::var("NSYS_ATTRIB_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(24)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        // A failure prints seed and size; a bug becomes a test of its own, not a file of seeds.
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })]

    #[test]
    fn default_question(seed in any::<u64>(), size in 1_usize..28) {
        if nothing_to_compare() { return Ok(()); }
        let spec = random::trace(seed, size);
        prop_assert_eq!(agree(&spec, &Question::named(random::WINDOW)), Ok(()));
    }

    #[test]
    fn any_question(seed in any::<u64>(), size in 1_usize..28) {
        if nothing_to_compare() { return Ok(()); }
        let spec = random::trace(seed, size);
        prop_assert_eq!(agree(&spec, &random::question(seed, &spec)), Ok(()));
    }

    #[test]
    fn whole_trace(seed in any::<u64>(), size in 1_usize..28) {
        if nothing_to_compare() { return Ok(()); }
        let spec = random::trace(seed, size);
        prop_assert_eq!(agree(&spec, &Question::new(Which::All)), Ok(()));
    }

    #[test]
    fn an_absent_table_is_said_not_guessed(seed in any::<u64>(), table in 0..TABLES.len()) {
        if nothing_to_compare() { return Ok(()); }
        let mut spec = random::trace(seed, 12);
        spec.absent.push(TABLES[table]);
        prop_assert_eq!(agree(&spec, &Question::named(random::WINDOW)), Ok(()));
    }

    #[test]
    fn row_order_does_not_matter(seed in any::<u64>(), size in 1_usize..28, order in any::<u64>()) {
        if nothing_to_compare() { return Ok(()); }
        let folder = tempfile::tempdir().unwrap();
        let spec = random::trace(seed, size);
        let question = random::question(seed, &spec);
        let one = analysis(&spec, &question, folder.path()).map(anonymous);
        let other = analysis(&spec.shuffled(order), &question, folder.path()).map(anonymous);
        prop_assert_eq!(one, other);
    }

    #[test]
    fn rules_agree_where_nothing_crosses_an_edge(seed in any::<u64>(), requests in 1_usize..12) {
        if nothing_to_compare() { return Ok(()); }
        let spec = random::contained_trace(seed, requests);
        let question = Question::named(random::WINDOW);
        prop_assert_eq!(agree(&spec, &question), Ok(()));
        let folder = tempfile::tempdir().unwrap();
        let found = analysis(&spec, &question, folder.path()).unwrap();
        let rules = &found["kernels"]["rules"];
        prop_assert_eq!(&rules["launched"], &rules["started"]);
        prop_assert_eq!(&rules["launched"], &rules["overlap"]);
        prop_assert_eq!(&found["windows"]["contained_share"], &json!(1.0));
    }
}
