//! `whatif` through the binary: the story of the study, its opposite, refusals, and words that are no change.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

mod support;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::machine::{Do, Machine, WINDOW, run as simulate};
use support::shared::shared_trace;
use support::wno::{Shape, wno_request};
use support::words::run;

const EAGER: &str = "fixtures/traces/wno-request/eager-450.sqlite.zst";
const NO_CUDA: &str = "fixtures/traces/own-captures/own-nvtx-cpu-nsys2022.4.sqlite.zst";

/// What `whatif … --format json` says.
fn whatif(words: &[&str]) -> Value {
    let all = [&["whatif"], words, &["--format", "json"]].concat();
    let said = run(&all);
    assert_eq!(said.code, 0, "{words:?}: {}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

fn refusal(words: &[&str]) -> String {
    let said = run(&[&["whatif"], words].concat());
    assert_eq!(said.code, 2, "{words:?}: {}", said.out);
    said.err
}

/// A sidecar in which every range of every block is a layer that spikes at 10 %.
fn sidecar(folder: &Path, range: &str) -> PathBuf {
    let parts = ["dwt", "mix", "idwt", "skip", "act"];
    let names: Vec<String> = (0..4)
        .flat_map(|block| parts.map(|part| format!("block{block}.{part}")))
        .filter(|name| name != "block3.act")
        .collect();
    let layers: Vec<Value> = names
        .iter()
        .enumerate()
        .map(|(at, name)| json!({"index": at, "name": name, "nvtx": name.replace("block0.dwt", range)}))
        .collect();
    let spikes: Vec<Value> = (0..names.len())
        .map(|at| json!({"layer": at, "count": 100, "elements": 1000, "rate": 0.1}))
        .collect();
    let path = folder.join("sidecar.json");
    let text = json!({"schema": "nsys-attrib/sidecar/1", "layers": layers, "spikes": spikes});
    std::fs::write(&path, text.to_string()).unwrap();
    path
}

fn gain(document: &Value, change: &str) -> f64 {
    let rows = document["sensitivity"].as_array().unwrap();
    rows.iter().find(|row| row["change"] == change).expect(change)["gain"].as_f64().unwrap()
}

/// What the finding about few windows promises is there.
#[test]
fn few_windows_have_a_range_in_place_of_an_interval() {
    let change = ["--change", "launch-cost x0"];
    let document = whatif(&[&[EAGER, "-w", "latency", "--take", "5"], &change[..]].concat());
    let findings = document["findings"].as_array().unwrap();
    let few = findings.iter().find(|finding| finding["code"] == "too-few-windows").unwrap();
    assert!(few["message"].as_str().unwrap().contains("`gain_range`"), "{few}");
    let rows = document["sensitivity"].as_array().unwrap();
    assert!(!rows.is_empty());
    for row in rows.iter().chain([&document["prediction"]]) {
        assert!(row["gain_ci95"].is_null());
        let end = |at: usize| row["gain_range"][at].as_f64().unwrap();
        let gain = row["gain"].as_f64().unwrap();
        assert!(end(0) <= gain + 1e-12 && gain <= end(1) + 1e-12, "{row}");
    }
    let said = run(&[&["whatif", EAGER, "-w", "latency", "--take", "5"], &change[..]].concat());
    assert!(said.out.contains("windows from"), "{}", said.out);
}

#[test]
fn the_fixture_tells_the_story_of_the_study() {
    let folder = tempfile::tempdir().unwrap();
    let sidecar = sidecar(folder.path(), "block0.dwt");
    let found = whatif(&[EAGER, "-w", "latency", "--sidecar", sidecar.to_str().unwrap()]);
    assert_eq!(found["baseline"]["bound_by"]["by"], "launch-path");
    let (spikes, launches) = (gain(&found, "spikes"), gain(&found, "launch-cost x0"));
    assert!(launches > 0.2 && spikes < 0.01, "spikes {spikes}, launches {launches}");
    assert!(gain(&found, "graph") > 0.8);
    let gains: Vec<f64> = found["sensitivity"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["gain"].as_f64().unwrap())
        .collect();
    assert!(gains.is_sorted_by(|a, b| a >= b), "{gains:?}");
    // So little of the wall was recomputed that a fit proves nothing, and that is said.
    assert_eq!(found["identity"]["nothing_to_test"], true);
    let path = found["baseline"]["path"].as_array().unwrap();
    let total: i64 = path.iter().map(|part| part["time_ns"].as_i64().unwrap()).sum();
    assert_eq!(total, found["baseline"]["lengths"]["total_ns"].as_i64().unwrap());
}

#[test]
fn a_gpu_bound_variant_tells_the_opposite() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("gpu-bound.sqlite");
    wno_request(Shape::GpuBound, 20, 3, 11).write_sqlite(&trace);
    let sidecar = sidecar(folder.path(), "block0.dwt");
    let words = [trace.to_str().unwrap(), "-w", "latency", "--sidecar", sidecar.to_str().unwrap()];
    let found = whatif(&words);
    assert_eq!(found["refused"], Value::Null, "{}", found["identity"]);
    assert_eq!(found["baseline"]["bound_by"]["by"], "gpu");
    let (spikes, launches) = (gain(&found, "spikes"), gain(&found, "launch-cost x0"));
    assert!(spikes > 0.3 && launches < 0.1, "spikes {spikes}, launches {launches}");
    assert_eq!(found["identity"]["nothing_to_test"], false);
}

#[test]
fn spikes_without_ranges_or_rates_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = sidecar(folder.path(), "no.such.range");
    let words = [EAGER, "-w", "latency", "--change", "spikes"];
    assert!(refusal(&words).contains("--sidecar"));
    let named = [&words[..], &["--sidecar", elsewhere.to_str().unwrap()]].concat();
    let said = refusal(&named);
    assert!(said.contains("`no.such.range`") && said.contains("not in the trace"), "{said}");
    std::fs::write(&elsewhere, r#"{"schema":"nsys-attrib/sidecar/1","layers":[]}"#).unwrap();
    assert!(refusal(&named).contains("names no NVTX range"));
}

#[test]
fn changes_are_made_one_after_the_other() {
    let found = whatif(&[
        EAGER,
        "-w",
        "latency",
        "--change",
        "launch-cost x0",
        "--change",
        "host x0.5",
        "--no-table",
    ]);
    let both = found["prediction"]["gain"].as_f64().unwrap();
    assert!((0.55..0.65).contains(&both), "{both}");
    assert_eq!(found["prediction"]["by_window"].as_array().unwrap().len(), 20);
    assert!(found["sensitivity"].as_array().unwrap().is_empty());
}

#[test]
fn what_cannot_be_replayed_says_why() {
    assert!(refusal(&[EAGER, "--change", "faster"]).contains("none that is known"));
    assert!(refusal(&[EAGER, "--change", "scale class:konv 0.5"]).contains("conv/plain"));
    for change in ["scale kernel:nope 0.5", "scale kernel:/nope/ 0.5", "remove class:softmax"] {
        assert!(refusal(&[EAGER, "--change", change]).contains("no such kernel"), "{change}");
    }
    let said = refusal(&[NO_CUDA, "-w", "latency"]);
    assert!(said.contains("no CUDA API call") && said.contains("--trace=cuda,nvtx"), "{said}");
    let runs = run(&["whatif", EAGER, "-w", "kernels:/depthwise/", "--strict"]);
    assert_eq!(runs.code, 1);
    assert!(runs.out.contains("launches nothing itself"), "{}", runs.out);
}

#[test]
fn the_same_bytes_twice_and_in_every_format() {
    for format in ["table", "json", "csv", "md"] {
        let words = ["whatif", EAGER, "-w", "latency", "--take", "4", "--format", format];
        let (a, b) = (run(&words), run(&words));
        assert_eq!((a.code, &a.out), (0, &b.out), "{format}");
        assert!(a.out.contains("launch-cost"), "{format}: {}", a.out);
    }
}

#[test]
fn windows_that_do_not_contain_their_work_are_refused_unless_moved() {
    let Some(path) = shared_trace("resnet-pytorch-a4500-nsys2024.6-nvtx") else { return };
    let path = path.to_str().unwrap();
    let found = whatif(&[path, "-w", "forward", "--no-table"]);
    assert_eq!(found["refused"]["code"], "not-contained");
    let moved = whatif(&[path, "-w", "gpu:forward", "--change", "gpu-clock x2", "--no-table"]);
    assert_eq!(moved["refused"], Value::Null, "{}", moved["identity"]);
    let gain = moved["prediction"]["gain"].as_f64().unwrap();
    assert!((0.4..0.6).contains(&gain), "a full GPU at twice the clock: {gain}");
}

#[test]
fn figures_are_drawn_with_their_captions() {
    let folder = tempfile::tempdir().unwrap();
    let (tornado, lanes) = (folder.path().join("tornado.svg"), folder.path().join("lanes.svg"));
    let said = run(&[
        "whatif",
        EAGER,
        "-w",
        "latency",
        "--take",
        "3",
        "--tornado",
        tornado.to_str().unwrap(),
        "--lanes",
        lanes.to_str().unwrap(),
    ]);
    assert_eq!(said.code, 0, "{}", said.err);
    let svg = std::fs::read_to_string(&tornado).unwrap();
    assert!(svg.contains("launch-cost") && svg.contains("</svg>"));
    let caption = std::fs::read_to_string(folder.path().join("tornado.txt")).unwrap();
    assert!(caption.contains("by replay") && caption.contains("Without effect"), "{caption}");
    let caption = std::fs::read_to_string(folder.path().join("lanes.txt")).unwrap();
    assert!(caption.contains("critical path"), "{caption}");
}

#[test]
fn waits_by_polling_are_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("polling.sqlite");
    for (questions, expected) in [(30, true), (2, false)] {
        let mut request = vec![Do::Host(2_000)];
        request.push(Do::Launch { name: "k".into(), stream: 7, cost: 5_000, gpu: 60_000 });
        for _ in 0..questions {
            request.push(Do::Call { name: "cudaEventQuery_v3020", cost: 900 });
            request.push(Do::Host(1_000));
        }
        request.push(Do::SyncStream { stream: 7, cost: 4_000 });
        simulate(Machine::default(), &vec![request; 4]).1.write_sqlite(&path);
        let found = whatif(&[path.to_str().unwrap(), "-w", WINDOW, "--no-table"]);
        let codes = found["findings"].to_string();
        assert_eq!(codes.contains("waits-by-polling"), expected, "{codes}");
    }
}
