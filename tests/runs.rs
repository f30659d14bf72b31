//! Run folders: what is found, what is missing, what is refused; documents read and written whole.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::Path;

use nsys_attrib::finding::Severity;
use nsys_attrib::runs::manifest::{self, FileAbout, OutcomeKind, PowerAbout};
use nsys_attrib::runs::{self, Manifest, RunError, RunFolder, Sidecar};
use nsys_attrib::units::Nanos;
use serde_json::{Value, json};

fn manifest_json() -> Value {
    json!({
        "schema": "nsys-attrib/manifest/1",
        "tool": {"name": "nsys-attrib", "version": "0.1.0"},
        "command": ["./infer", "--model", "vs"],
        "outcome": {"kind": "completed", "exit_code": 0, "signal": null},
        "started_unix_ns": 1_763_851_018_220_901_611_i64,
        "ended_unix_ns": 1_763_851_019_220_901_611_i64,
        "traced": false,
        "nsys": null,
        "machine": {"gpu": [], "driver": null, "cuda": null, "cpu": null, "kernel": null,
                    "power_mode": null, "clocks": {}, "temperature_c": {}},
        "program": {"path": "./infer", "sha256": null, "git": null},
        "window_default": "latency",
        "power": [],
        "files": [],
        "overhead": null,
        "findings": []
    })
}

fn sidecar_json() -> Value {
    json!({
        "schema": "nsys-attrib/sidecar/1",
        "model": {"name": "vs", "config": {"width": 32}, "parameters": 1000,
                  "checkpoint": {"id": "seed-0", "sha256": null, "seed": 0}},
        "path": "request",
        "requests": [
            {"index": 0, "sample": 3, "start_unix_ns": 1_763_851_018_320_000_000_i64, "latency_ns": 53_000_000,
             "spike_rates": [0.5, 0.1]},
            {"index": 1, "start_unix_ns": 1_763_851_018_420_000_000_i64, "start_mono_ns": 5, "latency_ns": 54_000_000}
        ]
    })
}

fn put(folder: &Path, name: &str, document: &Value) {
    fs::write(folder.join(name), serde_json::to_vec(document).unwrap()).unwrap();
}

fn codes(run: &RunFolder) -> Vec<&str> {
    run.findings.iter().map(|finding| finding.code.as_str()).collect()
}

#[test]
fn a_whole_folder_opens_without_doubts() {
    let folder = tempfile::tempdir().unwrap();
    let mut manifest: Manifest = serde_json::from_value(manifest_json()).unwrap();
    fs::write(folder.path().join("power-rapl.csv"), "x").unwrap();
    fs::write(folder.path().join("power-by-hand.csv"), "x").unwrap();
    fs::write(folder.path().join("stdout.txt"), "done\n").unwrap();
    manifest.files.push(FileAbout::of(&folder.path().join("stdout.txt"), "stdout.txt").unwrap());
    manifest.power.push(PowerAbout {
        source: "rapl".into(),
        file: "power-rapl.csv".into(),
        period_ns: Nanos::from_ns(10_000_000),
        ..PowerAbout::default()
    });
    runs::write_document(&folder.path().join("manifest.json"), &manifest).unwrap();
    put(folder.path(), "sidecar.json", &sidecar_json());

    let run = RunFolder::open(folder.path()).unwrap();
    assert_eq!(codes(&run), Vec::<&str>::new());
    assert_eq!(run.manifest.as_ref(), Some(&manifest));
    assert_eq!(run.window_default(), Some("latency"));
    assert!(!run.traced() && run.trace.is_none());
    let logs: Vec<_> = run.power.iter().map(|log| (log.path.clone(), log.source.clone())).collect();
    let expected = (folder.path().join("power-rapl.csv"), Some("rapl".to_owned()));
    assert_eq!(logs, [expected], "a log that the manifest does not list is not the run's");
    let spans: Vec<i64> =
        run.sidecar.as_ref().unwrap().spans().map(|(_, length)| length.as_ns()).collect();
    assert_eq!(spans, [53_000_000, 54_000_000]);
    assert_eq!(run.verify().unwrap(), []);

    fs::write(folder.path().join("stdout.txt"), "DONE\n").unwrap();
    assert_eq!(codes(&RunFolder::open(folder.path()).unwrap()), Vec::<&str>::new(), "same length");
    assert_eq!(run.verify().unwrap()[0].code, "run-file-changed");
    fs::write(folder.path().join("stdout.txt"), "d").unwrap();
    assert_eq!(codes(&RunFolder::open(folder.path()).unwrap()), ["run-file-changed"]);
    fs::remove_file(folder.path().join("stdout.txt")).unwrap();
    assert_eq!(codes(&RunFolder::open(folder.path()).unwrap()), ["run-file-missing"]);
    assert_eq!(run.verify().unwrap()[0].code, "run-file-missing");
}

#[test]
fn a_folder_without_a_manifest_is_a_run_when_something_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!RunFolder::is_one(folder.path()));
    assert!(matches!(RunFolder::open(folder.path()), Err(RunError::NotARun { .. })));
    for name in ["tegrastats.log", "power-b.log", "power-a.csv", "stdout.txt", "results.csv"] {
        fs::write(folder.path().join(name), "x").unwrap();
    }
    let run = RunFolder::open(folder.path()).unwrap();
    let names: Vec<_> = run.power.iter().map(|log| log.path.file_name().unwrap()).collect();
    assert_eq!(names, ["power-a.csv", "power-b.log", "tegrastats.log"]);
    assert!(!run.traced() && run.window_default().is_none());

    for name in ["trace.nsys-rep", "trace.sqlite.zst", "trace.sqlite"] {
        fs::write(folder.path().join(name), "x").unwrap();
        let run = RunFolder::open(folder.path()).unwrap();
        assert_eq!(run.trace, Some(folder.path().join(name)), "the better trace wins");
        assert!(run.traced());
    }
    let missing = folder.path().join("no-such-folder");
    assert!(matches!(RunFolder::open(&missing), Err(RunError::Folder { .. })));
}

#[test]
fn a_run_that_did_not_end_well_says_so() {
    for (kind, exit, signal, severity, words) in [
        ("running", None, None, Severity::DataLoss, "had not ended"),
        ("failed", Some(3), None, Severity::DataLoss, "exit code 3"),
        ("signalled", None, Some(11), Severity::DataLoss, "signal 11"),
        ("timed-out", None, Some(15), Severity::Warning, "time was over"),
        ("incomplete", Some(0), None, Severity::Warning, "less than was asked for"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut manifest = manifest_json();
        manifest["outcome"] = json!({"kind": kind, "exit_code": exit, "signal": signal});
        if kind == "running" {
            manifest["ended_unix_ns"] = Value::Null;
        }
        put(folder.path(), "manifest.json", &manifest);
        let run = RunFolder::open(folder.path()).unwrap();
        assert_eq!(codes(&run), ["run-not-complete"], "{kind}");
        assert_eq!(run.findings[0].severity, severity, "{kind}");
        assert!(run.findings[0].message.contains(words), "{}", run.findings[0].message);
    }
    assert!(OutcomeKind::Completed.is_complete() && !OutcomeKind::Incomplete.is_complete());
}

#[test]
fn a_manifest_that_contradicts_itself_is_refused() {
    let cases = [
        ("/schema", json!("nsys-attrib/manifest/2"), "a newer version"),
        ("/schema", json!(7), "`schema` is missing"),
        ("/command", json!([]), "command: is empty"),
        ("/ended_unix_ns", Value::Null, "ended_unix_ns: is missing"),
        ("/traced", json!(true), "nsys: must be there"),
        ("/traced", json!("yes"), "line 1 column"),
        ("/outcome/kind", json!("fine"), "unknown variant `fine`"),
        (
            "/files",
            json!([{"name": "../secret", "sha256": "", "bytes": 1}]),
            "`../secret` does not lie in the folder",
        ),
        ("/files", json!([{"name": "/etc/x", "sha256": "", "bytes": 1}]), "does not lie"),
    ];
    for (at, value, words) in cases {
        let folder = tempfile::tempdir().unwrap();
        let mut manifest = manifest_json();
        *manifest.pointer_mut(at).unwrap() = value;
        put(folder.path(), "manifest.json", &manifest);
        let message = RunFolder::open(folder.path()).unwrap_err().to_string();
        assert!(message.contains(words), "{at}: {message}");
        assert!(message.contains("manifest.json"), "{message}");
    }
}

#[test]
fn a_sidecar_that_cannot_be_used_is_left_out_loudly() {
    let twice = json!([{"index": 1, "start_unix_ns": 5, "latency_ns": 1}, {"index": 1, "start_unix_ns": 9, "latency_ns": 1}]);
    let negative = json!([{"index": 0, "start_unix_ns": 5, "latency_ns": -1}]);
    let backwards = json!([{"name": "idle", "start_unix_ns": 5, "end_unix_ns": 4}]);
    let many = json!([{"layer": 0, "count": 3, "elements": 2, "rate": 1.5}]);
    let cases = [
        ("requests", twice, "requests[1].index: 1 is there twice"),
        ("requests", negative, "requests[0].latency_ns"),
        ("requests", json!([{"index": 0}]), "missing field `start_unix_ns`"),
        ("phases", backwards, "ends before it starts"),
        ("spikes", many, "more spikes than elements"),
        ("path", json!("both"), "unknown variant `both`"),
    ];
    for (key, value, words) in cases {
        let folder = tempfile::tempdir().unwrap();
        let mut sidecar = sidecar_json();
        sidecar[key] = value;
        put(folder.path(), "sidecar.json", &sidecar);
        let run = RunFolder::open(folder.path()).unwrap();
        assert!(run.sidecar.is_none(), "{words}");
        assert_eq!(codes(&run), ["sidecar-unusable"]);
        assert!(run.findings[0].message.contains(words), "{}", run.findings[0].message);
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("sidecar.json"), "{\"schema\": \"nsys-attrib/sidecar/1\", \"req")
        .unwrap();
    let run = RunFolder::open(folder.path()).unwrap();
    assert!(run.findings[0].message.contains("EOF while parsing"), "{}", run.findings[0].message);
}

#[test]
fn the_least_sidecar_has_only_its_schema() {
    let least: Sidecar =
        serde_json::from_value(json!({"schema": "nsys-attrib/sidecar/1"})).unwrap();
    assert!(least.requests.is_empty() && least.path.is_none() && least.model.is_none());
}

#[test]
fn a_document_is_replaced_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.json");
    let manifest: Manifest = serde_json::from_value(manifest_json()).unwrap();
    runs::write_document(&path, &manifest).unwrap();
    let again: Manifest = runs::read_document(&path).unwrap();
    assert_eq!(again, manifest);
    assert_eq!(manifest::SCHEMA, again.schema);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");

    let nowhere = folder.path().join("none/manifest.json");
    let message = runs::write_document(&nowhere, &manifest).unwrap_err().to_string();
    assert!(message.contains("none/manifest.json: cannot be written"), "{message}");
}
