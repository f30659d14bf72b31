//! The commands about power, through the binary, on fixtures of our own.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::process::{Command, Output};

use serde_json::Value;

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
