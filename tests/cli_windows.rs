//! `nsys-attrib windows`: instances and their distribution.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

mod support;

use serde_json::Value;
use support::words::{golden, inert, run};

const EAGER: &str = "fixtures/traces/wno-request/eager-450.sqlite.zst";
const HOSTILE: &str = "fixtures/traces/hostile-names/hostile-names.sqlite";
const OPEN: &str = "fixtures/traces/windows/never-closed.sqlite";
const ISSUES: &str = "fixtures/traces/windows/issues-only.sqlite";

fn document(words: &[&str]) -> Value {
    let said = run(words);
    assert_eq!(said.code, 0, "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

#[test]
fn pages_are_as_before() {
    let cases: [(&str, &[&str]); 6] = [
        ("windows-eager", &["windows", EAGER, "-w", "latency"]),
        (
            "windows-eager-gpu-md",
            &["windows", EAGER, "-w", "gpu:latency", "--format", "md", "--top", "3"],
        ),
        ("windows-hostile", &["windows", HOSTILE, "-w", "nvtx:/./"]),
        ("windows-issues-csv", &["windows", ISSUES, "-w", "forward", "--format", "csv"]),
        ("windows-clipped", &["windows", OPEN, "-w", "nvtx:/iteration/", "--unclosed", "clip"]),
        ("windows-explicit", &["windows", ISSUES, "-w", "time:1ms..1.5ms", "-w", "all"]),
    ];
    for (name, words) in cases {
        let said = run(words);
        assert_eq!(said.code, 0, "{name}: {}", said.err);
        inert(&said.out);
        golden(name, &said.out);
        assert_eq!(run(words), said, "the same bytes twice");
    }
}

#[test]
fn the_distribution_is_that_of_analyze() {
    let windows = document(&["windows", EAGER, "-w", "latency", "--format", "json"]);
    let analysis = document(&["analyze", EAGER, "-w", "latency", "--format", "json"]);
    assert_eq!(windows["schema"], "nsys-attrib/windows/1");
    assert_eq!(windows["sets"][0]["windows"], analysis["windows"]);
    let gaps = &windows["sets"][0]["gaps"];
    let total = gaps["mean_ns"].as_i64().unwrap() * gaps["count"].as_i64().unwrap();
    let all = analysis["windows"]["gaps_ns"].as_i64().unwrap();
    assert!((total - all).abs() <= 19, "{total} {all}");
}

#[test]
fn skip_and_take_choose_and_keep_numbers() {
    let said = document(&[
        "windows", EAGER, "-w", "latency", "--skip", "3", "--take", "2", "--format", "json",
    ]);
    let all = said["sets"][0]["windows"]["instances"].as_array().unwrap();
    let numbers: Vec<i64> = all.iter().map(|one| one["index"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [3, 4]);
}

#[test]
fn findings_are_about_the_selection() {
    let said = document(&["windows", ISSUES, "-w", "forward", "--format", "json"]);
    let findings = said["sets"][0]["findings"].as_array().unwrap();
    let codes: Vec<&str> = findings.iter().map(|one| one["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"window-does-not-contain-its-work"), "{codes:?}");
    assert!(
        !codes.contains(&"no-kernel-table") && !codes.contains(&"launch-queue-full"),
        "{codes:?}"
    );
}

#[test]
fn a_mistyped_name_is_told_the_nearest() {
    let said = run(&["windows", EAGER, "-w", "latancy"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(
        said.err.contains("no window `latancy`") && said.err.contains("`latency`"),
        "{}",
        said.err
    );
}

#[test]
fn a_trace_without_cuda_has_windows() {
    let own = "fixtures/traces/own-captures/own-nvtx-cpu-nsys2022.4.sqlite.zst";
    let said = run(&["windows", own, "-w", "latency"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("20 instances") && !said.out.contains("kernels"), "{}", said.out);
}
