//! Run folders against run folders: latency and energy of runs without a trace, paired by checkpoint, and
//! the power logs that a traced run folder brings. Everything here is synthetic: simulated runs whose truth
//! is known, stretched in time and in power by known factors.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

mod support;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use support::power_simulation::{IDLE_W, Sensor, TRUTH_MJ, Workload, simulate};
use support::schema::Generation;
use support::spec::{TraceSpec, process, thread};
use support::words::{Said, run};

const START: i64 = 1_763_851_018_000_000_000;
const SENSOR: Sensor =
    Sensor { period: 0.01, jitter: 0.1, window: 0.0, lag: 0.0, step: 0.04, noise: 0.05 };

fn put(folder: &Path, name: &str, document: &Value) {
    fs::write(folder.join(name), serde_json::to_vec(document).unwrap()).unwrap();
}

/// The readings as the sampler writes them.
fn log(readings: impl Iterator<Item = (i64, f64)>) -> String {
    let mut text = "# schema=nsys-attrib-power/1\n# source=ina3221\n".to_owned();
    for (at, watts) in readings {
        writeln!(text, "{at},{},0,VDD_IN,,,{:.1},", START + at, watts * 1e3).unwrap();
    }
    text
}

fn manifest(traced: bool, span: (i64, i64)) -> Value {
    json!({
        "schema": "nsys-attrib/manifest/1",
        "tool": {"name": "nsys-attrib", "version": "0.1.0"},
        "command": ["./infer"],
        "outcome": {"kind": "completed", "exit_code": 0, "signal": null},
        "started_unix_ns": START + span.0, "ended_unix_ns": START + span.1,
        "traced": traced,
        "nsys": if traced { json!({"version": "2024.6", "options": [], "capture_range": null}) } else { Value::Null },
        "machine": {"gpu": [], "driver": null, "cuda": null, "cpu": null, "kernel": null,
                    "power_mode": null, "clocks": {}, "temperature_c": {}},
        "program": {"path": "./infer", "sha256": null, "git": null},
        "window_default": "latency",
        "phases": [],
        "power": [{"source": "ina3221", "file": "power-ina3221.csv", "rails": ["VDD_IN"],
                   "period_ns": 10_000_000, "lost": 0}],
        "files": [], "overhead": null, "findings": []
    })
}

/// An untraced run of a model with a checkpoint; `slower` stretches its time, `hungrier` its power above
/// idle.
fn untraced(
    folder: &Path,
    name: &str,
    checkpoint: &str,
    seed: u64,
    slower: f64,
    hungrier: f64,
) -> String {
    let run = simulate(Workload { requests: 300, idle: 8.0 }, SENSOR, seed);
    let at = |ns: i64| (ns as f64 * slower) as i64;
    let path = folder.join(name);
    fs::create_dir(&path).unwrap();
    let requests: Vec<Value> = run
        .windows
        .iter()
        .enumerate()
        .map(|(index, (start, end))| {
            json!({"index": index, "start_unix_ns": START + at(*start), "latency_ns": at(*end) - at(*start)})
        })
        .collect();
    let (first, last) = (run.windows[0].0, run.windows[run.windows.len() - 1].1);
    put(&path, "manifest.json", &manifest(false, (at(first), at(last))));
    let sidecar = json!({
        "schema": "nsys-attrib/sidecar/1",
        "model": {"name": "operator (synthetic)", "checkpoint": {"id": checkpoint}},
        "path": "request",
        "requests": requests
    });
    put(&path, "sidecar.json", &sidecar);
    let readings = run.readings.iter().map(|(t, w)| (at(*t), IDLE_W + (w - IDLE_W) * hungrier));
    fs::write(path.join("power-ina3221.csv"), log(readings)).unwrap();
    path.display().to_string()
}

fn compare(words: &[&str]) -> Said {
    run(&[&["--no-project", "compare"], words].concat())
}

fn json_of(words: &[&str]) -> Value {
    let said = compare(&[words, &["--format", "json"]].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

fn quantity<'a>(document: &'a Value, name: &str) -> &'a Value {
    let all = document["quantities"].as_array().unwrap();
    all.iter().find(|quantity| quantity["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

fn codes(document: &Value) -> Vec<&str> {
    let all = document["findings"].as_array().unwrap();
    all.iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

/// Three checkpoints of a dense model and of one that takes 5 % longer and draws 10 % more above idle. The
/// partners run the same requests; the sides name them in different orders.
fn sides(folder: &Path) -> ([String; 3], [String; 3]) {
    let dense = ["c1", "c2", "c3"];
    let a = dense
        .map(|c| untraced(folder, &format!("dense-{c}"), c, u64::from(c.as_bytes()[1]), 1.0, 1.0));
    let b = ["c3", "c1", "c2"].map(|c| {
        untraced(folder, &format!("spiking-{c}"), c, u64::from(c.as_bytes()[1]), 1.05, 1.10)
    });
    (a, b)
}

#[test]
fn untraced_runs_are_paired_by_checkpoint_and_their_energy_is_taken_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = sides(folder.path());
    let words = [&a[0], &a[1], &a[2], "--vs", &b[0], &b[1], &b[2]].map(|word: &str| word);
    let document = json_of(&[&words[..], &["--pair-by", "checkpoint"]].concat());
    assert_eq!(document["paired_by"], "checkpoint");
    let order = |side: &str| -> Vec<&str> {
        let inputs = document[side]["inputs"].as_array().unwrap();
        inputs.iter().map(|input| input["checkpoint"].as_str().unwrap()).collect()
    };
    assert_eq!((order("a"), order("b")), (vec!["c1", "c2", "c3"], vec!["c1", "c2", "c3"]));
    assert!(document["a"]["inputs"][0]["path"].as_str().unwrap().ends_with("dense-c1"));

    // The truth: latency 1.05, power above idle 1.10, energy above idle 1.155.
    let ratio = |of: &Value| of["ratio"]["value"].as_f64().unwrap();
    let latency = quantity(&document, "latency");
    assert!((ratio(latency) - 1.05).abs() < 1e-6, "{latency}");
    let [low, high] = [0, 1].map(|at| latency["ratio"]["ci95"][at].as_f64().unwrap());
    assert!(low <= 1.05 && 1.05 <= high + 1e-9 && high - low < 1e-3, "pairs share their requests");
    let dynamic = quantity(&document, "energy(dynamic)");
    assert!((ratio(dynamic) / 1.155 - 1.0).abs() < 0.01, "{dynamic}");
    assert!((dynamic["a"].as_f64().unwrap() / TRUTH_MJ - 1.0).abs() < 0.03, "{dynamic}");
    let change =
        document["energy"].as_array().unwrap().iter().find(|c| c["kind"] == "dynamic").unwrap();
    let value = |key: &str| change[key]["value"].as_f64().unwrap();
    let parts = value("latency_ratio") * value("power_ratio");
    assert!((value("energy_ratio") - parts).abs() < 1e-9, "{change}");
    assert!((value("power_ratio") - 1.10).abs() < 0.01, "{change}");

    // A gate on energy.
    let gate = compare(
        &[&words[..], &["--pair-by", "checkpoint", "--fail-on", "energy(dynamic)>+5%"]].concat(),
    );
    assert_eq!(gate.code, 1, "{}{}", gate.out, gate.err);
    assert!(gate.out.contains("energy(dynamic) changed by +15"), "{}", gate.out);
    // Nothing of a trace is made up.
    assert!(document["decompositions"].as_array().unwrap().is_empty());
    assert!(!document["quantities"].to_string().contains("share(launch)"));
    for code in ["tracing-differs", "one-trace-a-side"] {
        assert!(!codes(&document).contains(&code), "{:?}", codes(&document));
    }
    // The same runs in the order of the lists are other pairs.
    let by_order = json_of(&[&words[..], &["--pair-by", "order"]].concat());
    assert_eq!(by_order["b"]["inputs"][0]["checkpoint"], "c3");
    let missing = compare(&[&words[..6], &["--pair-by", "checkpoint"]].concat());
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("is on one side only"), "{}", missing.err);
    // A run without a trace is known by its folder.
    let twice = compare(&[a[0].as_str(), &a[0], "--vs", &b[0]]);
    assert_eq!((twice.code, twice.out.as_str()), (2, ""));
    assert!(twice.err.contains("side A holds the same windows of"), "{}", twice.err);
}

#[test]
fn one_untraced_run_a_side_has_its_requests_as_units() {
    let folder = tempfile::tempdir().unwrap();
    let a = untraced(folder.path(), "a", "c1", 3, 1.0, 1.0);
    let b = untraced(folder.path(), "b", "c1", 4, 1.05, 1.0);
    let document = json_of(&[&a, "--vs", &b]);
    let latency = quantity(&document, "latency");
    assert!((latency["ratio"]["value"].as_f64().unwrap() - 1.05).abs() < 0.01, "{latency}");
    assert!(latency["ratio"]["ci95"].is_array(), "{latency}");
    assert!(quantity(&document, "energy")["ratio"]["ci95"].is_array());
    let shown = run(&["analyze", &a]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(shown.out.contains("not traced") && shown.out.contains("energy"), "{}", shown.out);
    assert!(!shown.out.contains("the export has no table"), "{}", shown.out);
    let some = json_of(&[&a, "--vs", &b, "--skip", "100", "--take", "50"]);
    assert_eq!(some["a"]["inputs"][0]["window_range"], json!([100, 149]));
    // Without a log there is latency, and no energy.
    fs::remove_file(Path::new(&b).join("power-ina3221.csv")).unwrap();
    let document = json_of(&[&a, "--vs", &b]);
    assert!(document["energy"].as_array().unwrap().is_empty());
    assert!(quantity(&document, "latency")["difference"]["value"].is_f64());
    fs::remove_file(Path::new(&b).join("sidecar.json")).unwrap();
    let said = compare(&[&a, "--vs", &b]);
    assert!(said.code == 2 && said.err.contains("NSYS_ATTRIB_SIDECAR"), "{}", said.err);
}

/// A traced run folder: eight windows of a second, 4 W idle and `watts` inside.
fn traced(folder: &Path, name: &str, watts: f64) -> String {
    const P: i64 = process(77);
    const T: i64 = thread(77, 77);
    const SECOND: i64 = 1_000_000_000;
    let path = folder.join(name);
    fs::create_dir(&path).unwrap();
    let mut spec = TraceSpec::new(Generation::V3_16_1);
    spec.processes.push((P, "program (synthetic)".into()));
    spec.threads.push((T, "main".into()));
    spec.session_start = Some(START);
    spec.duration = Some(60 * SECOND);
    let mut windows = Vec::new();
    for index in 0..8_i64 {
        let (t, id) = (10 * SECOND + index * 3 * SECOND, 2 * index + 1);
        spec.range(T, "latency", t, t + SECOND);
        spec.call(T, "cudaLaunchKernel_v7000", t + 1_000, t + 11_000, id);
        spec.kernel(P, "work(int)", t + 20_000, t + SECOND - 20_000, id);
        spec.call(T, "cudaStreamSynchronize_v3020", t + 12_000, t + SECOND - 10_000, id + 1);
        windows.push((t, t + SECOND));
    }
    spec.write_sqlite(&path.join("trace.sqlite"));
    put(&path, "manifest.json", &manifest(true, (10 * SECOND, 32 * SECOND)));
    let readings = (0..4_200_i64).map(|i| i * SECOND / 100).map(|at| {
        let inside = windows.iter().any(|(start, end)| (*start..*end).contains(&at));
        (at, if inside { watts } else { 4.0 })
    });
    fs::write(path.join("power-ina3221.csv"), log(readings)).unwrap();
    path.display().to_string()
}

#[test]
fn a_traced_run_folder_brings_its_power_log() {
    let folder = tempfile::tempdir().unwrap();
    let a = traced(folder.path(), "a", 10.0);
    let b = traced(folder.path(), "b", 13.0);
    let document = json_of(&[&a, "--vs", &b]);
    let energy = quantity(&document, "energy");
    // A second at 10 W and at 13 W; the sampler sees the edges within one period.
    assert!((energy["a"].as_f64().unwrap() / 10_000.0 - 1.0).abs() < 0.01, "{energy}");
    assert!((energy["b"].as_f64().unwrap() / 13_000.0 - 1.0).abs() < 0.01, "{energy}");
    assert!(codes(&document).contains(&"energy-of-traced-run"), "{:?}", codes(&document));
    let against = untraced(folder.path(), "u", "c1", 3, 1.0, 1.0);
    let mixed = json_of(&[&a, "--vs", &against]);
    assert!(codes(&mixed).contains(&"tracing-differs"), "{:?}", codes(&mixed));
}

#[test]
fn run_folders_and_replays_stand_in_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let a = untraced(folder.path(), "dense", "c1", 3, 1.0, 1.0);
    let b = traced(folder.path(), "traced", 10.0);
    let whatif = run(&[
        "whatif",
        "fixtures/traces/wno-request/eager-450.sqlite.zst",
        "-w",
        "latency",
        "--format",
        "json",
    ]);
    assert_eq!(whatif.code, 0, "{}", whatif.err);
    let replay = folder.path().join("what-if.json").display().to_string();
    fs::write(&replay, whatif.out).unwrap();
    let out = folder.path().join("report");
    let said = run(&["report", &a, &b, &replay, "--out", out.to_str().unwrap()]);
    assert_eq!(said.code, 0, "{}", said.err);
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    for told in [
        "not traced",
        "What would change latency in eager-450",
        "Latency against energy",
        "Power of VDD_IN",
    ] {
        assert!(page.contains(told), "{told} is not on the page");
    }
    for figure in ["figures/energy.pdf", "figures/traced-latency-power.pdf"] {
        assert!(out.join(figure).is_file(), "{figure}");
    }
    let what_if = fs::read_dir(out.join("figures"))
        .unwrap()
        .any(|file| file.unwrap().file_name().to_string_lossy().contains("what-if"));
    assert!(what_if, "the tornado of the replay");
    let tex = fs::read_to_string(out.join("report.tex")).unwrap();
    assert!(tex.contains("figures/energy"), "the paper shows it too");
    let said = run(&["report", "--check", out.to_str().unwrap()]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    // The power logs of folders count for plots of energy too.
    let picture = folder.path().join("e.svg");
    let said = run(&["plot", "energy", &a, &b, "-o", picture.to_str().unwrap()]);
    assert_eq!(said.code, 0, "{}", said.err);
    let caption = fs::read_to_string(picture.with_extension("txt")).unwrap();
    assert!(caption.contains("300 windows “requests” of the untraced run dense"), "{caption}");
}
