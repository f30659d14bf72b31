//! Exports to other viewers: every slice nested and ended, tracks named, times equal to the analysis.
//!
//! The JSON is read here; the protobuf is decoded by the message classes of the Python package
//! `perfetto`, which somebody else wrote (`NSYS_ATTRIB_PYTHON` names a Python that has it).

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::shared::{shared_trace, skipped};
use support::words::{repository, run};

const EAGER: &str = "fixtures/traces/wno-request/eager-450.sqlite.zst";

/// Slices of a track: start, end, name, category.
type Slices = Vec<(i64, i64, String, String)>;
/// Home and name of a track, and its number among those of one name.
type Tracks = BTreeMap<(String, String, usize), Slices>;

/// Reads the JSON; checks that slices nest.
fn chrome(trace: &str, words: &[&str]) -> (Tracks, usize) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a.json").display().to_string();
    let said = run(&[&["export", trace, "--to", "chrome", "-o", &out], words].concat());
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let document: Value = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
    let events = document["traceEvents"].as_array().unwrap();
    let mut homes = BTreeMap::new();
    let mut names = BTreeMap::new();
    let mut tracks: BTreeMap<(i64, i64), Slices> = BTreeMap::new();
    let mut flows = BTreeMap::new();
    for event in events {
        let place = (event["pid"].as_i64().unwrap(), event["tid"].as_i64().unwrap());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        match event["ph"].as_str().unwrap() {
            "M" if event["name"] == "process_name" => {
                homes.insert(place.0, text(&event["args"]["name"]));
            }
            "M" if event["name"] == "thread_name" => {
                names.insert(place, text(&event["args"]["name"]));
            }
            "X" => {
                let ns = |key: &str| (event[key].as_f64().unwrap() * 1000.0).round() as i64;
                let (start, length) = (ns("ts"), ns("dur"));
                let slice = (start, start + length, text(&event["name"]), text(&event["cat"]));
                tracks.entry(place).or_default().push(slice);
            }
            "s" | "f" => *flows.entry(event["id"].as_i64().unwrap()).or_insert(0) += 1,
            _ => {}
        }
    }
    assert!(flows.values().all(|ends| *ends > 1), "an arrow without an end");
    let mut named = Tracks::new();
    for (place, slices) in tracks {
        nest(&slices);
        let (home, name) = (homes[&place.0].clone(), names[&place].clone());
        let number =
            (0..).find(|n| !named.contains_key(&(home.clone(), name.clone(), *n))).unwrap();
        let mut slices = slices;
        slices.sort();
        named.insert((home, name, number), slices);
    }
    (named, flows.len())
}

fn nest(slices: &Slices) {
    let mut open: Vec<i64> = Vec::new();
    for (start, end, name, _) in slices {
        while open.last().is_some_and(|until| until <= start) {
            open.pop();
        }
        assert!(open.last().is_none_or(|until| end <= until), "`{name}` crosses another slice");
        open.push(*end);
    }
}

fn analysis(trace: &str, words: &[&str]) -> Value {
    let said = run(&[&["analyze", trace, "--format", "json"], words].concat());
    serde_json::from_str(&said.out).unwrap()
}

/// Time of the slices of a category and name.
fn time(tracks: &Tracks, category: &str, name: &str) -> i64 {
    let all = tracks.values().flatten().filter(|slice| slice.3 == category);
    all.filter(|slice| name.is_empty() || slice.2 == name).map(|slice| slice.1 - slice.0).sum()
}

#[test]
fn times_are_those_of_the_analysis() {
    let words = ["-w", "latency"];
    let ((tracks, flows), analysis) = (chrome(EAGER, &words), analysis(EAGER, &words));
    assert_eq!(
        time(&tracks, "window", "latency"),
        analysis["windows"]["total_ns"].as_i64().unwrap()
    );
    assert_eq!(time(&tracks, "busy", "busy"), analysis["gpu"]["busy_ns"].as_i64().unwrap());
    let idle = &analysis["idle"];
    let edge = |kind: &str| {
        let of = |edge: &str| idle[edge][format!("{kind}_ns")].as_i64().unwrap();
        idle[format!("{kind}_ns")].as_i64().unwrap() + of("head_by") + of("tail_by")
    };
    for kind in ["launch", "queue", "api", "sync", "unknown", "dispatch"] {
        assert_eq!(time(&tracks, "idle", kind), edge(kind), "{kind}");
    }
    assert_eq!(time(&tracks, "idle", "host"), edge("host") - edge("dispatch"));
    assert_eq!(time(&tracks, "kernel", ""), analysis["kernels"]["total_ns"].as_i64().unwrap());
    assert_eq!(time(&tracks, "cuda-api", ""), analysis["api"]["total_ns"].as_i64().unwrap());
    assert!(flows >= 9000, "{flows} arrows");
    let (one, _) = chrome(EAGER, &["-w", "latency", "--instance", "3"]);
    let instance = &analysis["windows"]["instances"][3];
    assert_eq!(time(&one, "busy", "busy"), instance["busy_ns"].as_i64().unwrap());
}

#[test]
fn events_that_meet_two_windows_come_once() {
    let Some(path) = shared_trace("dnn-multistream-titanrtx-export2022.4") else { return };
    let path = path.display().to_string();
    let (tracks, _) = chrome(&path, &["-w", "time:7.9s..8.2s", "-w", "time:8.1s..8.4s"]);
    let (whole, _) = chrome(&path, &["-w", "time:7.9s..8.4s"]);
    assert_eq!(time(&tracks, "kernel", ""), time(&whole, "kernel", ""));
    assert_eq!(time(&tracks, "cuda-api", ""), time(&whole, "cuda-api", ""));
}

/// A Python with the package, if there is one.
fn python() -> Option<String> {
    let named = std::env::var("NSYS_ATTRIB_PYTHON").ok();
    let candidates = named.into_iter().chain(["python3".to_owned()]);
    let has = |python: &String| {
        Command::new(python)
            .args(["-c", "import perfetto.protos.perfetto.trace.perfetto_trace_pb2"])
            .output()
            .is_ok_and(|output| output.status.success())
    };
    let found = candidates.into_iter().find(has);
    if found.is_none() {
        skipped("no python3 with the package `perfetto`: the Perfetto export is not decoded");
    }
    found
}

fn perfetto(python: &str, trace: &str, words: &[&str]) -> (Tracks, usize) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a.perfetto-trace").display().to_string();
    let said = run(&[&["export", trace, "--to", "perfetto", "-o", &out], words].concat());
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let script = repository().join("tests/support/perfetto_check.py");
    let output = Command::new(python).arg(script).arg(&out).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut tracks = Tracks::new();
    for track in read["tracks"].as_array().unwrap() {
        let slices: Slices = serde_json::from_value(track["slices"].clone()).unwrap();
        let text = |key: &str| track[key].as_str().unwrap().to_owned();
        let (home, name) = (text("home"), text("name"));
        let number =
            (0..).find(|n| !tracks.contains_key(&(home.clone(), name.clone(), *n))).unwrap();
        tracks.insert((home, name, number), slices);
    }
    (tracks, read["flows"].as_u64().unwrap() as usize)
}

#[track_caller]
fn both_agree(python: &str, trace: &str, words: &[&str]) {
    let (json, proto) = (chrome(trace, words), perfetto(python, trace, words));
    assert_eq!(json.1, proto.1, "arrows");
    let slices = |tracks: &Tracks| -> Vec<(String, Slices)> {
        let mut all: Vec<_> =
            tracks.iter().map(|(key, slices)| (key.1.clone(), slices.clone())).collect();
        all.sort();
        all
    };
    assert!(slices(&json.0) == slices(&proto.0), "{trace} {words:?}: the two exports differ");
}

#[test]
fn perfetto_decodes_to_the_same_slices() {
    let Some(python) = python() else { return };
    both_agree(&python, EAGER, &["-w", "latency", "--take", "5"]);
    for (name, words) in [
        ("resnet-pytorch-a4500-nsys2024.6-nvtx", ["-w", "forward"]),
        ("nccl-2xh100-nsys2026.2-slice", ["-w", "all"]),
        ("vecadd-4streams-t4-nsys2022.4", ["-w", "all"]),
    ] {
        let Some(path) = shared_trace(name) else { continue };
        both_agree(&python, &path.display().to_string(), &words);
    }
    let hostile = repository().join("fixtures/traces/hostile-names");
    for file in std::fs::read_dir(hostile).unwrap() {
        let path = file.unwrap().path();
        if path.to_string_lossy().contains(".sqlite") {
            both_agree(&python, &path.display().to_string(), &["-w", "all"]);
        }
    }
}

#[test]
fn what_cannot_be_exported_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("a.json");
    std::fs::write(&document, run(&["analyze", EAGER, "-w", "latency", "--format", "json"]).out)
        .unwrap();
    let out = folder.path().join("out.json").display().to_string();
    let of = |trace: &str, more: &[&str]| {
        let said = run(&[&["export", trace, "--to", "chrome", "-o", &out], more].concat());
        assert!(!Path::new(&out).exists());
        (said.code, said.err)
    };
    let (code, err) = of(&document.display().to_string(), &[]);
    assert!(code == 2 && err.contains("give the trace"), "{err}");
    let (code, err) = of(EAGER, &["-w", "latency", "--instance", "77"]);
    assert!(code == 2 && err.contains("no instance 77"), "{err}");
    assert_eq!(run(&["export", EAGER, "--to", "vampir", "-o", &out]).code, 2);
}
