//! `nsys-attrib scrub`: the copy says the same, and the program proves it.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

mod support;

use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;
use support::words::{bundled, golden, inert, real_traces, repository, run, run_in};

/// An analysis without what names the file.
fn analysis(trace: &str) -> Option<Value> {
    let said = run(&["analyze", trace, "--window", "all", "--format", "json"]);
    if said.code == 2 {
        return None;
    }
    let mut document: Value = serde_json::from_str(&said.out).unwrap();
    let trace = document["trace"].as_object_mut().unwrap();
    trace.remove("path");
    trace.remove("sha256");
    // Messages of nsys about its collection may lose a path.
    document.as_object_mut().unwrap().remove("findings");
    Some(document)
}

#[track_caller]
fn scrubbed(trace: &str, out: &Path) -> Value {
    let out = out.display().to_string();
    let said = run(&["scrub", trace, &out, "--format", "json"]);
    assert_eq!(said.code, 0, "{trace}: {}", said.err);
    let document: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(document["schema"], "nsys-attrib/scrub/1");
    assert_eq!(document["verified"]["equal"], true);
    assert_eq!(analysis(trace), analysis(&out), "{trace}");
    document
}

#[test]
fn bundled_and_real_traces_say_the_same_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = bundled();
    all.extend(real_traces().iter().map(|path| path.display().to_string()));
    for (number, trace) in all.iter().enumerate() {
        scrubbed(trace, &folder.path().join(format!("{number}.sqlite")));
    }
}

#[test]
fn what_was_replaced_and_verified_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let trace = repository().join("fixtures/traces/graphs/graph-nodes.sqlite");
    std::fs::copy(trace, folder.path().join("trace.sqlite")).unwrap();
    let said = run_in(folder.path(), &["scrub", "trace.sqlite", "public.sqlite"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    golden("scrub-graph-nodes", &said.out);
    let again = run_in(folder.path(), &["scrub", "trace.sqlite", "public.sqlite"]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("exists already") && again.err.contains("--force"), "{}", again.err);
    assert_eq!(run_in(folder.path(), &["scrub", "trace.sqlite", "public.sqlite", "--force"]), said);
}

#[test]
fn names_that_look_private_are_shown_and_replaced_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.sqlite");
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "CREATE TABLE StringIds (id INTEGER PRIMARY KEY, value TEXT);
             CREATE TABLE NVTX_EVENTS (start INT, \"end\" INT, eventType INT, text TEXT, textId INT,
               globalTid INT, domainId INT);
             INSERT INTO NVTX_EVENTS VALUES (1, 9, 59, 'request of ada@example.org', NULL, 1, 0),
               (2, 8, 59, 'latency', NULL, 1, 0);",
        )
        .unwrap();
    let said = run_in(folder.path(), &["scrub", "trace.sqlite", "kept.sqlite"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.out.contains("ada@example.org") && said.out.contains("--redact-nvtx"),
        "{}",
        said.out
    );
    assert!(said.out.contains("no CUDA event"), "{}", said.out);
    inert(&said.out);
    let said = run_in(folder.path(), &["scrub", "trace.sqlite", "gone.sqlite", "--redact-nvtx"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(!said.out.contains("ada@example.org"), "{}", said.out);
    let bytes = std::fs::read(folder.path().join("gone.sqlite")).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("ada@example"));
}
