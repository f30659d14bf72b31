//! A generated trace whose truth is known, of the shape of the public generator: 100 windows here,
//! the full 10,000 by hand in `.ci/long scale`.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::process::Command;

use serde_json::Value;
use support::ask::analyze_json;
use support::shared::{shared_folder, skipped};

const PROGRAM: &str = env!("CARGO_BIN_EXE_nsys-attrib");

#[test]
fn generated_trace_gives_its_truth() {
    let Some(shared) = shared_folder() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (trace, truth) = (folder.path().join("scale.sqlite"), folder.path().join("truth.json"));
    let made = Command::new("python3")
        .arg(shared.join("oracle/scale_up.py"))
        .arg(&trace)
        .args(["--windows", "100", "--launches", "200", "--truth"])
        .arg(&truth)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        skipped("python3 did not run the generator of scale traces");
        return;
    }
    let truth: Value = serde_json::from_slice(&std::fs::read(&truth).unwrap()).unwrap();
    let words = ["--window", "latency", "--own-thread"].map(str::to_owned);
    let found = analyze_json(PROGRAM, &trace, &words).unwrap();
    let own = &found["kernels"]["rules_own_thread"];
    assert_eq!(own["launched"]["time_ns"], truth["win_kernel_class_total_ns"]);
    assert_eq!(own["launched"]["count"], truth["win_kernels"]);
    assert_eq!(own["overlap"]["time_ns"], truth["win_clip_ns"]);
    assert_eq!(found["api"]["total_ns"], truth["win_api_total_ns"]);
}
