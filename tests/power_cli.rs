//! The commands about power, through the binary, on fixtures of our own.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::process::{Command, Output};

use serde_json::Value;
use support::schema::Generation;
use support::shared;
use support::spec::{TraceSpec, process, thread};

const TRACE: &str = "fixtures/traces/wno-request/eager-450.sqlite.zst";
const LOG: &str = "fixtures/power/tegrastats/orin-nano.log";

fn run(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nsys-attrib"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(words)
        .arg("--no-project")
        .output()
        .unwrap()
}

fn json(words: &[&str]) -> Value {
    let output = run(&[words, &["--format", "json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn validate(schema: &str, document: &Value) {
    let path = format!("{}/docs/schema/{schema}", env!("CARGO_MANIFEST_DIR"));
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn power_says_what_is_in_a_log() {
    let document = json(&["power", LOG, "fixtures/power/nvidia-smi/headerless.csv"]);
    validate("power-1.json", &document);
    let log = &document["logs"][0];
    assert_eq!(log["format"], "tegrastats");
    assert_eq!(log["total"], serde_json::json!(["VDD_IN"]));
    assert_eq!(log["rails"][0]["period_ns"], 1_000_000_000);
    assert_eq!(document["logs"][1]["rails"][0]["effective_ns"], 1_000_000_000);
}

#[test]
fn a_bad_log_does_not_hide_the_others() {
    let output = run(&["power", "Cargo.toml", LOG]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stdout).contains("VDD_IN"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--power-col"));
}

/// A log over the session of the trace, at 1 s: far slower than the windows.
fn log_beside_the_trace(folder: &std::path::Path) -> String {
    let about = json(&["analyze", TRACE, "-w", "latency"]);
    let start = about["trace"]["session_start_unix_ns"].as_i64().unwrap();
    let mut text = "Timestamp (ns),Power Draw (W)\n".to_owned();
    for i in -40..40 {
        text += &format!("{},{}\n", start + i * 1_000_000_000, 4.8 + (i % 3) as f64 * 0.04);
    }
    let path = folder.join("power.csv");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn a_slow_sensor_is_refused_and_strict_makes_it_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let log = log_beside_the_trace(folder.path());
    let words = ["energy", TRACE, "-w", "latency", "--power", &log];
    let document = json(&words);
    validate("energy-1.json", &document);
    let energy = &document["sets"][0]["energy"][0];
    assert_eq!(energy["refused"]["code"], "sensor-too-slow");
    assert!(energy["total_mj"].is_null());
    assert!(energy["idle_mw"].as_f64().is_some_and(|idle| (4700.0..4900.0).contains(&idle)));
    assert_eq!(run(&[&words[..], &["--strict"]].concat()).status.code(), Some(1));
}

#[test]
fn a_figure_of_energies_that_were_refused_says_why_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (log, picture) = (log_beside_the_trace(folder.path()), folder.path().join("a.svg"));
    let words = ["plot", "energy", TRACE, "-w", "latency", "--power", &log, "-o"];
    let output = run(&[&words[..], &[picture.to_str().unwrap()]].concat());
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    for part in ["refused (sensor-too-slow)", "cannot be told apart", "many requests in a row"] {
        assert!(error.contains(part), "{error}");
    }
    assert!(!picture.exists());
}

/// A real log beside a real trace of other people: readings each 100 ms that stand for more, windows of 17 ms.
#[test]
fn the_real_paired_log_gives_no_figure_and_says_so() {
    let Some(trace) = shared::shared_trace("resnet-pytorch-a4500-nsys2024.6-nvtx") else { return };
    let log = shared::shared_folder().unwrap().join("power/nvidia-smi-a4500-paired-resnet.csv");
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("a.svg");
    let (trace, log) = (trace.display().to_string(), log.display().to_string());
    let words = ["plot", "energy", &trace, "-w", "forward", "--power", &log, "-o"];
    let output = run(&[&words[..], &[picture.to_str().unwrap()]].concat());
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    for part in ["refused (sensor-too-slow)", "after the last operation", "faster sensor"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn analyze_carries_the_energy() {
    let folder = tempfile::tempdir().unwrap();
    let log = log_beside_the_trace(folder.path());
    let document = json(&["analyze", TRACE, "-w", "latency", "--power", &log]);
    validate("analysis-1.json", &document);
    assert_eq!(document["energy"][0]["refused"]["code"], "sensor-too-slow");
    let codes: Vec<&str> = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["code"].as_str())
        .collect();
    assert!(codes.contains(&"energy-of-traced-run"));
    assert!(json(&["analyze", TRACE, "-w", "latency"])["energy"].is_null());
}

#[test]
fn a_log_of_another_day_is_an_error() {
    let output = run(&["energy", TRACE, "-w", "latency", "--power", LOG, "--log-tz", "+09:00"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("does not overlap the trace"));
}

/// 8 W inside the windows, 4.8 W outside, read each 5 ms: the clocks must agree for this to come out.
#[test]
fn energy_of_known_power_comes_out_through_the_clocks() {
    let about = json(&["analyze", TRACE, "-w", "latency"]);
    let start = about["trace"]["session_start_unix_ns"].as_i64().unwrap();
    let instances = about["windows"]["instances"].as_array().unwrap();
    let spans: Vec<(i64, i64)> = instances
        .iter()
        .map(|one| (one["start_ns"].as_i64().unwrap(), one["end_ns"].as_i64().unwrap()))
        .collect();
    let mut text = "Timestamp (ns),Power Draw (W)\n".to_owned();
    for t in (-2_000_i64..4_000).map(|i| i * 5_000_000) {
        let inside = spans.iter().any(|(from, to)| *from <= t && t < *to);
        // A sensor that never repeats a value: what it updates is told by its changes.
        let noise = (t / 5_000_000 % 2) as f64 * 0.01;
        text += &format!("{},{}\n", start + t, if inside { 8.0 } else { 4.8 } + noise);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("power.csv");
    std::fs::write(&path, text).unwrap();
    let log = path.display().to_string();
    let document = json(&["energy", TRACE, "-w", "latency", "--power", &log, "--untraced"]);
    validate("energy-1.json", &document);
    let energy = &document["sets"][0]["energy"][0];
    let mean_s = document["sets"][0]["mean_ns"].as_f64().unwrap() / 1e9;
    let close = |key: &str, watts: f64| {
        let (found, expected) = (energy[key].as_f64().unwrap(), watts * mean_s * 1e3);
        assert!((found / expected - 1.0).abs() < 0.04, "{key}: {found}, expected {expected}");
    };
    close("total_mj", 8.0);
    close("dynamic_mj", 3.2);
    assert_eq!(
        (energy["estimator"].as_str(), energy["run"].as_str()),
        (Some("direct"), Some("untraced"))
    );
    assert_eq!(energy["coverage"], 1.0);
    // One second off, the same log says something else, and shows how sure it may be.
    let shifted =
        json(&["energy", TRACE, "-w", "latency", "--power", &log, "--untraced", "--offset", "-1s"]);
    assert_eq!(shifted["sets"][0]["energy"][0]["alignment"]["offset_ns"], -1_000_000_000);
}

/// Readings that the sampler put into the trace as marks need no clock at all: 8 W inside, 5 W outside.
#[test]
fn marks_in_the_trace_are_a_power_log() {
    let (owner, runner) = (process(77), thread(77, 77));
    let mut spec = TraceSpec::new(Generation::V3_16_1);
    spec.duration = Some(6_000_000_000);
    for i in 0..10_i64 {
        let start = 1_000_000_000 + i * 400_000_000;
        spec.range(runner, "latency", start, start + 200_000_000);
        spec.call(runner, "cudaLaunchKernel_v7000", start + 1_000, start + 9_000, i + 1);
        spec.kernel(owner, "k", start + 10_000, start + 199_000_000, i + 1);
    }
    for t in (0..5_500_i64).map(|ms| ms * 1_000_000) {
        let inside = (t - 1_000_000_000).rem_euclid(400_000_000) < 200_000_000;
        let works = inside && (1_000_000_000..5_000_000_000).contains(&t);
        let text = format!("power rail=VDD_IN mw={}", if works { 8_000 } else { 5_000 });
        let mark = spec.range(runner, &text, t, t);
        (mark.event_type, mark.end) = (34, None);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("marks.sqlite");
    spec.write_sqlite(&path);
    let document = json(&["energy", &path.display().to_string(), "-w", "latency"]);
    let energy = &document["sets"][0]["energy"][0];
    assert_eq!(
        (energy["source"].as_str(), energy["rail"].as_str()),
        (Some("trace-marks"), Some("VDD_IN"))
    );
    let total = energy["total_mj"].as_f64().unwrap();
    assert!((total - 1_600.0).abs() < 5.0, "{total}");
}
