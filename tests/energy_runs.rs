//! Energy of runs without a trace, through the binary: a simulated run whose truth is known is written as a
//! run folder, and comes out of it. Everything here is synthetic.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "support/power_simulation.rs"]
#[allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]
mod power_simulation;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use power_simulation::{Run, Sensor, TRUTH_MJ, Workload, simulate};
use serde_json::{Value, json};

const START: i64 = 1_763_851_018_000_000_000;
const SECOND: i64 = 1_000_000_000;
const SENSOR: Sensor =
    Sensor { period: 0.01, jitter: 0.1, window: 0.0, lag: 0.0, step: 0.04, noise: 0.05 };

fn run(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nsys-attrib"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(words)
        .arg("--no-project")
        .output()
        .unwrap()
}

fn json_of(words: &[&str]) -> Value {
    let output = run(&[words, &["--format", "json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn error_of(words: &[&str]) -> String {
    let output = run(words);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn validate(document: &Value) {
    let path = format!("{}/docs/schema/energy-1.json", env!("CARGO_MANIFEST_DIR"));
    let schema: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

fn codes(document: &Value) -> Vec<&str> {
    let findings = document["sets"][0]["findings"].as_array().unwrap();
    findings.iter().filter_map(|one| one["code"].as_str()).collect()
}

/// The readings as our own sampler writes them, on a clock that is `late` ns late.
fn log(run: &Run, late: i64) -> String {
    let mut text = "# schema=nsys-attrib-power/1\n# source=ina3221\n".to_owned();
    for (at, watts) in &run.readings {
        let real = START + at + late;
        writeln!(text, "{},{real},0,VDD_IN,,,{:.1},", at + late, watts * 1e3).unwrap();
    }
    text
}

fn put(folder: &Path, name: &str, document: &Value) {
    fs::write(folder.join(name), serde_json::to_vec(document).unwrap()).unwrap();
}

fn manifest(run: &Run, traced: bool) -> Value {
    let (first, last) = (run.windows[0].0, run.windows[run.windows.len() - 1].1);
    let end = run.readings[run.readings.len() - 1].0;
    let phase = |name: &str, start: i64, end: i64| json!({"name": name, "start_unix_ns": START + start, "end_unix_ns": START + end});
    json!({
        "schema": "nsys-attrib/manifest/1",
        "tool": {"name": "nsys-attrib", "version": "0.1.0"},
        "command": ["./infer"],
        "outcome": {"kind": "completed", "exit_code": 0, "signal": null},
        "started_unix_ns": START + first, "ended_unix_ns": START + last,
        "traced": traced,
        "nsys": if traced { json!({"version": "2024.6", "options": [], "capture_range": null}) } else { Value::Null },
        "machine": {"gpu": [], "driver": null, "cuda": null, "cpu": null, "kernel": null,
                    "power_mode": null, "clocks": {}, "temperature_c": {}},
        "program": {"path": "./infer", "sha256": null, "git": null},
        "window_default": "latency",
        "phases": [
            phase("idle-before", SECOND / 10, first - SECOND / 2),
            phase("program", first - SECOND / 5, last + SECOND / 5),
            phase("idle-after", last + SECOND / 2, end),
        ],
        "power": [{"source": "ina3221", "file": "power-ina3221.csv", "rails": ["VDD_IN"],
                   "period_ns": 10_000_000, "lost": 0}],
        "files": [], "overhead": null, "findings": []
    })
}

/// A run of 500 requests; the log's clock is `late` ns late.
fn folder(traced: bool, late: i64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let run = simulate(Workload { requests: 500, idle: 8.0 }, SENSOR, 11);
    let requests: Vec<Value> = run
        .windows
        .iter()
        .enumerate()
        .map(|(index, (start, end))| {
            json!({"index": index, "start_unix_ns": START + start, "latency_ns": end - start})
        })
        .collect();
    put(folder.path(), "manifest.json", &manifest(&run, traced));
    let sidecar = json!({"schema": "nsys-attrib/sidecar/1", "requests": requests});
    put(folder.path(), "sidecar.json", &sidecar);
    fs::write(folder.path().join("power-ina3221.csv"), log(&run, late)).unwrap();
    folder
}

fn path(folder: &tempfile::TempDir) -> String {
    folder.path().display().to_string()
}

#[test]
fn an_untraced_run_gives_its_energy_from_its_own_documents() {
    let folder = folder(false, 0);
    let document = json_of(&["energy", &path(&folder)]);
    validate(&document);
    assert!(document["trace"].is_null());
    assert_eq!(document["run"].as_str(), Some(path(&folder).as_str()));
    let set = &document["sets"][0];
    assert_eq!((set["spec"].as_str(), set["count"].as_u64()), (Some("requests"), Some(500)));
    let energy = &set["energy"][0];
    assert_eq!(
        (energy["run"].as_str(), energy["estimator"].as_str()),
        (Some("untraced"), Some("block"))
    );
    assert!(energy["idle_how"].as_str().unwrap().contains("declared idle spans"), "{energy}");
    let dynamic = energy["dynamic_mj"].as_f64().unwrap();
    assert!((dynamic / TRUTH_MJ - 1.0).abs() < 0.02, "{dynamic}");
    let [low, high] = [0, 1].map(|at| energy["dynamic_ci95_mj"][at].as_f64().unwrap());
    assert!(low < TRUTH_MJ && TRUTH_MJ < high, "{low} {high}");
    assert!(energy["systematic_mj"].as_f64().is_some(), "the sensor is named in the log");
    assert!(!codes(&document).contains(&"energy-of-traced-run"));
    // The document reads back.
    let saved = folder.path().join("energy.json");
    fs::write(&saved, document.to_string()).unwrap();
    assert_eq!(json_of(&["energy", saved.to_str().unwrap()]), document);
}

#[test]
fn a_log_of_a_traced_run_says_so_wherever_it_is_used() {
    let traced = folder(true, 0);
    let document = json_of(&["energy", &path(&traced)]);
    assert_eq!(document["sets"][0]["energy"][0]["run"], "traced");
    assert!(codes(&document).contains(&"energy-of-traced-run"));
    // The untraced run's windows beside the traced run's log: the log decides.
    let untraced = folder(false, 0);
    let log = traced.path().join("power-ina3221.csv").display().to_string();
    let document = json_of(&["energy", &path(&untraced), "--power", &log]);
    assert!(codes(&document).contains(&"energy-of-traced-run"));
}

#[test]
fn requests_are_the_only_windows_of_an_untraced_run() {
    let folder = folder(false, 0);
    let path = path(&folder);
    let some = json_of(&["energy", &path, "-w", "latency", "--skip", "100", "--take", "350"]);
    assert_eq!(
        (&some["sets"][0]["count"], &some["sets"][0]["spec"]),
        (&json!(350), &json!("latency"))
    );
    let error = error_of(&["energy", &path, "-w", "gpu:latency"]);
    assert!(error.contains("has no trace") && error.contains("requests"), "{error}");
    assert!(error_of(&["energy", &path, "--skip", "500"]).contains("--skip leaves none"));
    assert!(error_of(&["energy", &path, "--idle", "nvtx:idle"]).contains("has no trace"));
    assert!(error_of(&["energy", &path, "--rail", "VDD_SOC"]).contains("There are VDD_IN"));
    fs::remove_file(folder.path().join("sidecar.json")).unwrap();
    let error = error_of(&["energy", &path]);
    assert!(error.contains("NSYS_ATTRIB_SIDECAR"), "{error}");
}

#[test]
fn without_a_log_the_run_folder_says_what_is_missing() {
    let folder = folder(false, 0);
    fs::remove_file(folder.path().join("power-ina3221.csv")).unwrap();
    let error = error_of(&["energy", &path(&folder)]);
    assert!(error.contains("--power LOG"), "{error}");
}

#[test]
fn two_published_energies_are_taken_apart() {
    let words = ["energy", "--decompose", "228.0mJ/59.6ms", "180.7 mJ / 53.2 ms"];
    let output = run(&words);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for expected in ["3.826 W over 3.397 W", "energy 1.262 = latency 1.120 × power 1.126"] {
        assert!(text.contains(expected), "{text}");
    }
    let document = json_of(&words);
    assert_eq!(document["schema"], "nsys-attrib/decomposition/1");
    assert!((document["power_a"].as_f64().unwrap() - 3_825.503).abs() < 1e-3);
    for (bad, why) in
        [("228.0/59.6ms", "needs a unit"), ("228mJ", "ENERGY/LATENCY"), ("1mJ/0s", "longer")]
    {
        let error = error_of(&["energy", "--decompose", bad, "1mJ/1ms"]);
        assert!(error.contains(why), "{bad}: {error}");
    }
}

#[test]
fn words_that_are_wrong_are_explained() {
    let folder = folder(false, 0);
    let path = path(&folder);
    for (words, why) in [
        (["--log-tz", "Mars/Base"], "Europe/Berlin"),
        (["--align", "magic"], "auto, stamps, marks, pulse, correlation"),
        (["--align", "pulse"], "no sync pulse"),
        (["--align", "correlation"], "no GPU work to correlate with"),
        (["--estimator", "best"], "direct, block, samples, regression"),
        (["--offset", "35"], "needs a unit"),
        (["--min-coverage", "95"], "between 0 and 1"),
        (["--log-period", "0ms"], "longer than nothing"),
    ] {
        let error = error_of(&[&["energy", path.as_str()][..], &words].concat());
        assert!(error.contains(why), "{words:?}: {error}");
    }
}
