//! Energy of runs without a trace, through the binary: a simulated run whose truth is known is written as a
//! run folder, and comes out of it. Everything here is synthetic.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::fs;
use std::process::{Command, Output};

use serde_json::{Value, json};
use support::power_simulation::TRUTH_MJ;
use support::simulated_run::folder;

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
fn power_is_drawn_beside_the_requests_of_an_untraced_run() {
    let folder = folder(false, 0);
    let (path, out) = (path(&folder), tempfile::tempdir().unwrap());
    let place = |name: &str| out.path().join(name).display().to_string();
    let drawn = run(&["plot", "power", &path, "-o", &place("power.svg")]);
    assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
    let svg = fs::read_to_string(place("power.svg")).unwrap();
    for text in ["time since the first request (s)", "VDD_IN", "windows “requests”", "idle 4.8"]
    {
        assert!(svg.contains(text), "{text}");
    }
    assert!(!svg.contains("GPU busy</text>"), "nothing says when the GPU was busy");
    let caption = fs::read_to_string(place("power.txt")).unwrap();
    assert!(caption.contains("an untraced run") && caption.contains("500 windows"), "{caption}");
    // A part of it, counted from the first request; and a log of another time.
    let words = ["plot", "power", &path, "--zoom", "1s..1200ms", "-o", &place("part.png")];
    let drawn = run(&words);
    assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
    let error = error_of(&["plot", "power", &path, "--offset", "2h", "-o", &place("late.svg")]);
    assert!(error.contains("overlap") || error.contains("cover none"), "{error}");
    // The same picture is in the report of the folder.
    let report = run(&["report", &path, "--format", "html", "--out", &place("report")]);
    assert!(report.status.success(), "{}", String::from_utf8_lossy(&report.stderr));
    let page = fs::read_to_string(out.path().join("report/report.html")).unwrap();
    assert!(page.contains("time since the first request (s)"));
    // What only a trace can say is not there, rather than 0.
    let table = run(&["report", &path, "--format", "csv", "--out", &place("tables")]);
    assert!(table.status.success(), "{}", String::from_utf8_lossy(&table.stderr));
    let instances = fs::read_dir(out.path().join("tables/csv")).unwrap();
    let instances = instances.map(|entry| entry.unwrap().path());
    let instances: Vec<_> =
        instances.filter(|path| path.to_string_lossy().contains("instances")).collect();
    let csv = fs::read_to_string(&instances[0]).unwrap();
    assert!(csv.starts_with("index,label,start") && !csv.contains("busy"), "{csv}");
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
