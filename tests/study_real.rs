//! The small study as a newcomer makes it: real programs, real nsys, one command. Killed half-way and resumed;
//! its figures are those of the sidecars; a third time nothing is run and every byte is the same.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::rig::{Rig, Said, kill, real_nsys, wait_for};
use support::words::repository;

const VARIABLE: &str = "NSYS_ATTRIB_WNO_INFER";
/// The whole study, with its interruption; on two cores with nothing beside it a fraction of that.
const LIMIT: Duration = Duration::from_secs(600);

/// The inference program, when it was built; `.ci/run` says where.
fn program() -> Option<PathBuf> {
    let named = std::env::var_os(VARIABLE).map(PathBuf::from);
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<PathBuf> =
        std::env::split_paths(&on_path).map(|folder| folder.join("wno-infer")).collect();
    let found = named.into_iter().chain(on_path).find(|path| path.is_file());
    if found.is_none() {
        support::shared::skipped(&format!(
            "the small study: no wno-infer on PATH and {VARIABLE} is not set (cargo build --manifest-path src/infer/Cargo.toml)"
        ));
    }
    found
}

fn study(rig: &Rig, program: &Path, nsys: &str) -> Command {
    let plan = repository().join("templates/studies/cpu-small.toml");
    let mut command = rig.command(&["study", plan.to_str().unwrap(), "--nsys", nsys]);
    command.env(VARIABLE, program);
    command
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn manifests(runs: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in ["reference", "request"] {
        let Ok(entries) = fs::read_dir(runs.join(path)) else { continue };
        for entry in
            entries.flatten().filter(|e| !e.file_name().to_string_lossy().contains(".broken"))
        {
            found.push(entry.path().join("manifest.json"));
        }
    }
    found.retain(|path| path.is_file());
    found.sort();
    found
}

fn complete(runs: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let of = |path: PathBuf| {
        let bytes = fs::read(&path).unwrap();
        let manifest: Value = serde_json::from_slice(&bytes).ok()?;
        (manifest["outcome"]["kind"] == "completed").then_some((path, bytes))
    };
    manifests(runs).into_iter().filter_map(of).collect()
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let all: Vec<f64> = values.collect();
    assert!(!all.is_empty());
    all.iter().sum::<f64>() / all.len() as f64
}

/// What the sidecars of a cell say.
fn sidecars(runs: &Path, path: &str, model: &str, seed: u64) -> Vec<Value> {
    let name =
        |repeat: u32| format!("{path}/{model}-seed-{seed}-untraced-{repeat:02}/sidecar.json");
    [1, 2].map(|repeat| read(&runs.join(name(repeat)))).to_vec()
}

fn near(found: &Value, truth: f64, what: &str) {
    let found = found.as_f64().unwrap_or_else(|| panic!("{what}: {found}"));
    // Means of windows are kept in whole ns.
    assert!((found / truth - 1.0).abs() < 1e-6, "{what}: {found} {truth}");
}

#[test]
fn the_small_study_is_made_killed_resumed_and_says_what_the_sidecars_say() {
    let (Some(program), Some(nsys)) = (program(), real_nsys("the small study")) else { return };
    let rig = Rig::new();
    let runs = rig.path("runs/cpu-small");
    let since = Instant::now();
    let mut child = study(&rig, &program, &nsys).spawn().unwrap();
    wait_for_long("twelve of the 24 runs", || complete(&runs).len() >= 12);
    kill("KILL", child.id());
    child.wait().unwrap();
    rig.nothing_runs();
    let before = complete(&runs);
    assert!(before.len() < 24 && !rig.path("reports").exists(), "{}", before.len());

    let said = Said::of(&study(&rig, &program, &nsys).output().unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(since.elapsed() < LIMIT, "it took {:?}", since.elapsed());
    assert_eq!(complete(&runs).len(), 24);
    let program_of = |bytes: &[u8]| -> Value {
        let manifest: Value = serde_json::from_slice(bytes).unwrap();
        manifest["started_unix_ns"].clone()
    };
    for (path, bytes) in &before {
        // Only what tracing costs is added to the manifest of a kept run.
        assert_eq!(program_of(bytes), read(path)["started_unix_ns"], "{}", path.display());
    }
    let report = rig.path("reports/cpu-small");
    figures_are_those_of_the_sidecars(&runs, &read(&report.join("documents/result.json")));

    let page = fs::read(report.join("report.html")).unwrap();
    let said = rig.finish(&mut study(&rig, &program, &nsys));
    assert_eq!((said.code, said.err.matches("complete, kept").count()), (0, 24), "{}", said.err);
    assert!(fs::read(report.join("report.html")).unwrap() == page, "the same runs, another page");
    let said = rig
        .finish(rig.command(&["report", "--check", "reports/cpu-small"]).env(VARIABLE, &program));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
}

#[track_caller]
fn wait_for_long(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(480) {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    wait_for(what, is_so);
}

fn figures_are_those_of_the_sidecars(runs: &Path, study: &Value) {
    let find = |table: &str, quantity: &str, model: &str| -> Value {
        let rows = study[table].as_array().unwrap();
        let same = |row: &&Value| {
            row["quantity"] == quantity && row["model"] == model && row["over"].is_null()
        };
        rows.iter().find(same).unwrap_or_else(|| panic!("no {quantity} of {model}")).clone()
    };
    for model in ["dense", "vs"] {
        for seed in [0, 1] {
            let checkpoint = format!("seed-{seed}");
            let requests = sidecars(runs, "request", model, seed);
            let latencies = requests
                .iter()
                .flat_map(|sidecar| sidecar["requests"].as_array().unwrap())
                .map(|request| request["latency_ns"].as_f64().unwrap());
            let row = find("cost", "latency", model);
            near(&row["by_checkpoint"][&checkpoint], mean(latencies), "latency");

            let reference = &sidecars(runs, "reference", model, seed)[0];
            let samples = reference["samples"].as_array().unwrap();
            let error = mean(samples.iter().map(|sample| sample["rel_l2"].as_f64().unwrap()));
            near(&find("accuracy", "error", model)["by_checkpoint"][&checkpoint], error, "error");
            for spikes in reference["spikes"].as_array().unwrap() {
                let layer = format!("spike-rate(layer {})", spikes["layer"].as_u64().unwrap() + 1);
                let row = find("accuracy", &layer, model);
                near(&row["by_checkpoint"][&checkpoint], spikes["rate"].as_f64().unwrap(), &layer);
            }
        }
    }
    // No GPU is used: what a trace would say is missing, and the reason is given.
    let launch = find("attribution", "share(cudaLaunchKernel)", "vs");
    assert!(launch["mean"].is_null(), "{launch}");
    assert!(launch["missing"].as_str().unwrap().contains("not on a GPU"), "{launch}");
    let halved = study["answers"].as_array().unwrap().iter().find(|one| one["what"] == "latency");
    assert!(halved.unwrap()["change"].as_f64().is_some(), "{halved:?}");
}
