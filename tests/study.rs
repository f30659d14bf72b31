//! `study` through the binary: the runs of a plan with a program and an nsys that are made up, killed and
//! resumed; runs that were made elsewhere; what is missing and why. Runs with energies and CUDA traces are
//! synthetic: the truth of their energies is known, their traces are the bundled ones.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::rig::{Rig, Said, kill, wait_for};
use support::untraced_run::{TRUTH_MJ, put, requests, untraced};
use support::words::repository;

/// A program that says of itself what its words ask for; each start leaves a note.
const PROGRAM: &str = r#"#!/bin/bash
model=$2 seed=$4 path=$6
echo "$model-$seed-$path" >>"$NOTES"
case $model in dense) ms=10 rate=null;; *) ms=12 rate=[0.5,0.25];; esac
[[ -z ${SLOW:-} ]] || sleep $SLOW
requests= samples= spikes=
if [[ $path == request ]]; then
  for ((i = 0; i < 24; i++)); do
    [[ $rate == null ]] || rate=[0.$((50 + i)),0.25]
    requests+="${requests:+,}{\"index\":$i,\"start_unix_ns\":$((1750000000000000000 + i * 20000000)),\"latency_ns\":$((ms * 1000000 + seed * 100000 + (i % 3) * 1000)),\"spike_rates\":$rate}"
  done
else
  samples="{\"index\":0,\"rel_l2\":0.0$((3 + seed))},{\"index\":1,\"rel_l2\":0.0$((5 + seed))}"
  [[ $model == dense ]] || spikes='{"layer":0,"count":60,"elements":100,"rate":0.6},{"layer":1,"count":20,"elements":100,"rate":0.2}'
fi
cat >"$NSYS_ATTRIB_SIDECAR" <<END
{"schema":"nsys-attrib/sidecar/1","program":{"name":"fake-infer","version":"1","stack":"made-up","device":"cpu"},
 "model":{"name":"$model","parameters":7,"checkpoint":{"id":"seed-$seed"}},"path":"$path",
 "layers":[{"index":0,"name":"a"},{"index":1,"name":"b"}],"requests":[$requests],"samples":[$samples],"spikes":[$spikes]}
END
"#;

fn plan(rig: &Rig, top: &str, request: &str) -> PathBuf {
    rig.script("bin/fake-infer", PROGRAM);
    let text = format!(
        r#"name = "made-up"
repeat = 2
order = "interleave"
{top}
[program]
name = "fake-infer"
variable = "FAKE_INFER"
look_in = ["bin"]
args = ["--model", "{{model}}"]
[[model]]
name = "dense"
[[model]]
name = "vs"
label = "VS"
[[checkpoint]]
name = "seed-0"
args = ["--seed", "0"]
[[checkpoint]]
name = "seed-1"
args = ["--seed", "1"]
[[path]]
name = "reference"
args = ["--path", "reference"]
[[path]]
name = "request"
args = ["--path", "request"]
{request}
"#
    );
    let path = rig.path("plan.toml");
    fs::write(&path, text).unwrap();
    path
}

fn study(rig: &Rig, words: &[&str]) -> Said {
    rig.finish(&mut command(rig, words))
}

fn command(rig: &Rig, words: &[&str]) -> std::process::Command {
    let mut command = rig.command(&[&["study", "plan.toml"], words].concat());
    command.env("NOTES", rig.path("notes"));
    command
}

fn notes(rig: &Rig) -> usize {
    fs::read_to_string(rig.path("notes")).unwrap_or_default().lines().count()
}

fn document(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("documents/result.json")).unwrap()).unwrap()
}

/// The measure of a quantity of a model; of a ratio, `model / over`.
fn measure<'a>(study: &'a Value, quantity: &str, model: &str) -> &'a Value {
    let all = ["accuracy", "cost", "attribution"].into_iter();
    let mut rows = all.flat_map(|table| study[table].as_array().unwrap());
    rows.find(|row| {
        let name = match row["over"].as_str() {
            Some(over) => format!("{} / {over}", row["model"].as_str().unwrap()),
            None => row["model"].as_str().unwrap().to_owned(),
        };
        row["quantity"] == quantity && name == model
    })
    .unwrap_or_else(|| panic!("no {quantity} of {model}"))
}

fn mean(study: &Value, quantity: &str, model: &str) -> f64 {
    let row = measure(study, quantity, model);
    row["mean"].as_f64().unwrap_or_else(|| panic!("{row}"))
}

fn near(found: f64, truth: f64) {
    assert!((found / truth - 1.0).abs() < 1e-9, "{found} {truth}");
}

/// Every file of a report but what names the command and the manifests, whose times differ.
fn numbers(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for part in ["documents", "csv", "tables", "figures"] {
        for entry in fs::read_dir(folder.join(part)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            all.insert(name, fs::read(path).unwrap());
        }
    }
    all
}

#[test]
fn an_untraced_study_has_the_figures_of_its_sidecars_and_says_what_is_missing() {
    let rig = Rig::new();
    plan(&rig, "", "modes = [\"untraced\"]");
    let said = study(&rig, &["--dry-run"]);
    assert_eq!((said.code, notes(&rig)), (0, 0), "{}", said.err);
    assert!(said.out.contains("16 runs, 0 of them there already"), "{}", said.out);
    assert!(said.out.contains("of unknown length"), "{}", said.out);

    let said = study(&rig, &[]);
    assert_eq!((said.code, notes(&rig)), (0, 16), "{}", said.err);
    let study_document = document(&rig.path("reports/made-up"));
    let found = &study_document;
    // 10 ms, and 0.1 ms more for seed 1; 0, 1, 2 us in turn.
    near(mean(found, "latency", "dense"), 10_051_000.0);
    near(mean(found, "latency", "vs"), 12_051_000.0);
    let ratio = (12_001.0_f64 * 12_101.0 / (10_001.0 * 10_101.0)).sqrt();
    near(mean(found, "latency", "vs / dense"), ratio);
    near(mean(found, "error", "dense"), 0.045);
    near(mean(found, "spike-rate(layer 1)", "vs"), 0.6);
    near(mean(found, "spike-rate(layer 2)", "vs"), 0.2);
    let energy = measure(found, "energy(dynamic)", "vs");
    assert!(
        energy["mean"].is_null() && energy["missing"].as_str().unwrap().contains("no power log")
    );
    let launch = measure(found, "share(cudaLaunchKernel)", "vs");
    assert!(launch["missing"].as_str().unwrap().contains("no complete traced run"), "{launch}");
    let page = fs::read_to_string(rig.path("reports/made-up/report.md")).unwrap();
    assert!(page.contains("made-up, device cpu") && page.contains("fake-infer 1"), "{page}");
    // Models under their labels; every request in a file, from which the figures can be made again.
    assert!(page.contains("| latency | VS / dense |"), "{page}");
    assert!(page.contains("- **ratios**: latency VS / dense 1.199 "), "{page}");
    let csv = fs::read_to_string(rig.path("reports/made-up/csv/checkpoints-and-runs-requests.csv"))
        .unwrap();
    let lengths = csv.lines().filter(|line| line.starts_with("request/vs-"));
    let lengths: Vec<f64> =
        lengths.map(|row| row.split(',').nth(2).unwrap().parse().unwrap()).collect();
    assert_eq!(lengths.len(), 2 * 2 * 24);
    near(lengths.iter().sum::<f64>() / lengths.len() as f64, 12_051_000.0);

    let said = study(&rig, &["--dry-run"]);
    assert!(said.out.contains("16 runs, 16 of them there already"), "{}", said.out);
}

#[test]
fn without_nsys_the_traced_columns_hold_a_dash_with_the_reason() {
    let rig = Rig::new();
    plan(&rig, "", "modes = [\"untraced\", \"traced\"]");
    let said = study(&rig, &["--nsys", "/nowhere/nsys"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("will be a dash in the report"), "{}", said.err);
    let found = document(&rig.path("reports/made-up"));
    let launch = measure(&found, "share(launch family)", "dense");
    assert!(launch["missing"].as_str().unwrap().contains("/nowhere/nsys"), "{launch}");
    assert!(found["findings"].as_array().unwrap().iter().any(|one| one["code"] == "no-nsys"));
}

#[test]
fn killed_half_way_and_resumed_it_gives_the_same_report() {
    let whole = Rig::new();
    plan(&whole, "", "modes = [\"untraced\"]");
    assert_eq!(study(&whole, &[]).code, 0);

    let rig = Rig::new();
    plan(&rig, "", "modes = [\"untraced\"]");
    let mut child = command(&rig, &[]).env("SLOW", "0.1").spawn().unwrap();
    wait_for("the sixth run", || notes(&rig) >= 6);
    kill("KILL", child.id());
    child.wait().unwrap();
    rig.nothing_runs();
    let before = notes(&rig);
    assert!(before < 16 && !rig.path("reports").exists());
    let said = study(&rig, &[]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.err.matches("complete, kept").count(), before - 1, "{}", said.err);
    assert_eq!(notes(&rig), 17, "sixteen runs, and the broken one twice");
    let (one, other) = (whole.path("reports/made-up"), rig.path("reports/made-up"));
    assert_eq!(numbers(&one), numbers(&other));

    // Again, nothing is run, and every byte is the same.
    let before = fs::read(other.join("report.html")).unwrap();
    assert_eq!((study(&rig, &[]).code, notes(&rig)), (0, 17));
    assert_eq!(fs::read(other.join("report.html")).unwrap(), before);
}

#[test]
fn runs_of_another_machine_are_taken_as_they_are() {
    let rig = Rig::new();
    plan(&rig, "", "modes = [\"untraced\"]");
    assert_eq!(study(&rig, &[]).code, 0);
    let there = document(&rig.path("reports/made-up"));
    fs::rename(rig.path("runs/made-up"), rig.path("copied")).unwrap();
    fs::remove_file(rig.path("bin/fake-infer")).unwrap();
    let said = study(&rig, &["--from-runs", "copied", "--out", "laptop"]);
    assert_eq!((said.code, notes(&rig)), (0, 16), "{}", said.err);
    assert_eq!(document(&rig.path("laptop")), there);
    assert!(!rig.path("runs/made-up").exists());

    // A damaged run is left out and told.
    let run = rig.path("copied/request/vs-seed-1-untraced-02/manifest.json");
    let text = fs::read_to_string(&run).unwrap().replace("\"completed\"", "\"running\"");
    fs::write(&run, text).unwrap();
    let said = study(&rig, &["--from-runs", "copied", "--out", "laptop"]);
    assert!(said.err.contains("run-left-out"), "{}", said.err);
    let none = study(&rig, &["--from-runs", "bin", "--out", "empty"]);
    assert_eq!(none.code, 2);
    assert!(none.err.contains("no run of `made-up` lies there"), "{}", none.err);
}

#[test]
fn runs_that_were_copied_are_not_made_again_and_what_differs_is_said_first() {
    let rig = Rig::new();
    plan(&rig, "", "modes = [\"untraced\"]");
    assert_eq!((study(&rig, &[]).code, notes(&rig)), (0, 16));
    let there = document(&rig.path("reports/made-up"));

    // Plan, program and runs in another place.
    let place = rig.path("elsewhere");
    fs::create_dir_all(place.join("runs")).unwrap();
    for name in ["bin", "plan.toml", "runs/made-up"] {
        fs::rename(rig.path(name), place.join(name)).unwrap();
    }
    let mut command_there = command(&rig, &[]);
    let said = rig.finish(command_there.current_dir(&place));
    assert_eq!((said.code, notes(&rig)), (0, 16), "{}", said.err);
    assert!(!said.err.contains("again"), "{}", said.err);
    assert_eq!(document(&place.join("reports/made-up")), there);

    // The folder inside another one: the runs are taken where they lie.
    fs::create_dir_all(rig.path("copied")).unwrap();
    fs::rename(place.join("runs/made-up"), rig.path("copied/from-board")).unwrap();
    for name in ["bin", "plan.toml"] {
        fs::rename(place.join(name), rig.path(name)).unwrap();
    }
    let dry = study(&rig, &["--runs", "copied", "--dry-run"]);
    assert!(dry.out.contains("16 runs, 16 of them there already"), "{}", dry.out);
    assert!(dry.out.contains("as from-board/request/vs-seed-1-untraced-02"), "{}", dry.out);
    let said = study(&rig, &["--runs", "copied", "--out", "report"]);
    assert_eq!((said.code, notes(&rig)), (0, 16), "{}", said.err);
    let here = document(&rig.path("report"));
    assert_eq!((&here["cost"], &here["accuracy"]), (&there["cost"], &there["accuracy"]));

    // Another program: refused there, and told before anything is run in its own place.
    rig.script("bin/fake-infer", &format!("{PROGRAM}\n# another\n"));
    let said = study(&rig, &["--runs", "copied", "--out", "report"]);
    assert_eq!((said.code, notes(&rig)), (2, 16), "{}", said.err);
    assert!(said.err.contains("the program is another file (sha256 "), "{}", said.err);
    assert!(said.err.contains("--from-runs copied"), "{}", said.err);
    let dry = study(&rig, &["--runs", "copied/from-board", "--dry-run"]);
    assert!(dry.out.contains("16 runs, 0 of them there already"), "{}", dry.out);
    assert!(dry.out.contains("again: the program is another file"), "{}", dry.out);
    let said = study(&rig, &["--runs", "copied/from-board", "--out", "report"]);
    assert_eq!((said.code, notes(&rig)), (0, 32), "{}", said.err);
    let first_run = said.err.find("without nsys").unwrap();
    let last_said = said.err.rfind("will be made again: the program").unwrap();
    assert!(last_said < first_run, "{}", said.err);
    assert_eq!(said.err.matches("will be made again").count(), 16);
}

#[test]
fn results_of_others_stand_beside_those_of_the_study() {
    let rig = Rig::new();
    let others = "[[cross_reference]]\nlabel = \"theirs\"\nsource = \"a made-up place\"\n\
                  files = [\"others_cuda_api_sum.csv\", \"others_cuda_gpu_kern_sum.csv\"]";
    plan(&rig, others, "modes = [\"untraced\"]");
    let said = study(&rig, &[]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("others_cuda_api_sum.csv"), "{}", said.err);
    // Made up: three quarters of the time in four of five calls.
    fs::write(
        rig.path("others_cuda_api_sum.csv"),
        "Time (%),Total Time (ns),Num Calls,Avg (ns),Med (ns),Min (ns),Max (ns),StdDev (ns),Name\n\
         75.0,300,4,75.0,75.0,60,90,1.0,cudaLaunchKernel\n25.0,100,1,100.0,100.0,100,100,0.0,cudaMemcpyAsync\n",
    )
    .unwrap();
    fs::write(
        rig.path("others_cuda_gpu_kern_sum.csv"),
        "Time (%),Total Time (ns),Instances,Avg (ns),Med (ns),Min (ns),Max (ns),StdDev (ns),Name\n\
         60.0,60,2,30.0,30.0,30,30,0.0,implicit_convolve_sgemm\n40.0,40,2,20.0,20.0,20,20,0.0,vectorized_elementwise_kernel\n",
    )
    .unwrap();
    let said = study(&rig, &[]);
    assert_eq!(said.code, 0, "{}", said.err);
    let found = document(&rig.path("reports/made-up"));
    let other = &found["cross_reference"][0];
    let count = |what: &str| other[what].as_i64().unwrap();
    assert_eq!((count("calls"), count("launches"), count("kernels")), (5, 4, 4));
    near(other["shares"]["share(cudaLaunchKernel)"].as_f64().unwrap(), 0.75);
    near(other["shares"]["share(dense-convolution)"].as_f64().unwrap(), 0.6);
    let page = fs::read_to_string(rig.path("reports/made-up/report.md")).unwrap();
    let row = page.lines().find(|line| line.starts_with("| share(cudaLaunchKernel) | theirs"));
    assert!(row.is_some_and(|row| row.contains("| 75.0")), "{page}");
    assert!(page.contains("kern\\_sum.csv, a made-up place"), "{page}");
}

#[test]
fn what_cannot_be_done_is_told_before_anything_is_run() {
    let rig = Rig::new();
    plan(&rig, "bases = 1", "");
    let said = study(&rig, &[]);
    assert!(said.code == 2 && said.err.contains("unknown field `bases`"), "{}", said.err);
    plan(&rig, "published = \"none.toml\"", "");
    fs::remove_file(rig.path("bin/fake-infer")).unwrap();
    let said = study(&rig, &[]);
    assert!(said.code == 2 && said.err.contains("variable FAKE_INFER"), "{}", said.err);
    fs::create_dir_all(rig.path("reports/made-up")).unwrap();
    fs::write(rig.path("reports/made-up/mine.txt"), "mine").unwrap();
    let said = study(&rig, &[]);
    assert!(said.code == 2 && said.err.contains("something else than a report"), "{}", said.err);
    assert_eq!(notes(&rig), 0);
}

#[test]
fn a_program_that_fails_is_told_and_the_rest_is_reported() {
    let rig = Rig::new();
    plan(&rig, "", "modes = [\"untraced\"]");
    let failing =
        PROGRAM.replacen("case $model", "[[ $model-$seed != vs-1 ]] || exit 3\ncase $model", 1);
    rig.script("bin/fake-infer", &failing);
    let said = study(&rig, &[]);
    assert_eq!(said.code, 1, "{}", said.err);
    let found = document(&rig.path("reports/made-up"));
    let latency = measure(&found, "latency", "vs");
    assert_eq!(latency["by_checkpoint"].as_object().unwrap().len(), 1, "{latency}");
    assert!(latency["ci95"].is_null(), "{latency}");
    near(mean(&found, "latency", "dense"), 10_051_000.0);
}

const TRACE: &str = "fixtures/traces/wno-request/eager-450.sqlite.zst";

/// Run folders that a person put together: sidecars say whose they are.
fn synthetic(folder: &Path, model: &str, seed: usize) {
    untraced(folder, model, seed, "VDD_IN");
    let spans: Vec<(i64, i64)> =
        (0..20).map(|i| (i * 60_000_000, i * 60_000_000 + 53_000_000)).collect();
    let place = put(folder, "traced", (model, seed), &requests(model, &spans));
    fs::copy(repository().join(TRACE), place.join("trace.sqlite.zst")).unwrap();
}

#[test]
fn energies_of_two_rails_are_not_put_together() {
    let rig = Rig::new();
    plan(&rig, "", "");
    let of =
        [("dense", 0, "VDD_IN"), ("dense", 1, "VDD_IN"), ("vs", 0, "VDD_IN"), ("vs", 1, "VDD_SOC")];
    for (model, seed, rail) in of {
        untraced(&rig.path("copied"), model, seed, rail);
    }
    let said = study(&rig, &["--from-runs", "copied"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let found = document(&rig.path("reports/made-up"));
    assert_eq!(found["rail"], json!({"rail": "VDD_IN", "source": "own"}));
    let keys = |model: &str| -> Vec<String> {
        let all = measure(&found, "energy(total)", model)["by_checkpoint"].clone();
        all.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(
        (keys("dense"), keys("vs")),
        (vec!["seed-0".into(), "seed-1".into()], vec!["seed-0".into()])
    );
    let page = fs::read_to_string(rig.path("reports/made-up/report.md")).unwrap();
    assert!(page.contains("Rail VDD\\_IN (own) of VDD\\_IN (own) / VDD\\_SOC (own);"), "{page}");
}

#[test]
fn synthetic_cuda_traces_and_power_logs_fill_every_table() {
    let rig = Rig::new();
    let published = repository().join("templates/studies/published-2604.17040.toml");
    plan(&rig, &format!("published = {:?}", published.display().to_string()), "");
    for (model, seed) in [("dense", 0), ("dense", 1), ("vs", 0), ("vs", 1)] {
        synthetic(&rig.path("copied"), model, seed);
    }
    let said = study(&rig, &["--from-runs", "copied"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let found = document(&rig.path("reports/made-up"));
    for model in ["dense", "vs"] {
        let dynamic = mean(&found, "energy(dynamic)", model);
        assert!((dynamic / TRUTH_MJ - 1.0).abs() < 0.03, "{dynamic}");
        let (energy, latency) = (dynamic, mean(&found, "latency", model));
        let power = mean(&found, "power(dynamic)", model);
        assert!((power / (energy / latency * 1e9) - 1.0).abs() < 0.01, "{power}");
    }
    // An energy ratio is a latency ratio times a power ratio.
    let ratio = |quantity: &str| mean(&found, quantity, "vs / dense");
    near(ratio("energy(dynamic)"), ratio("latency") * ratio("power(dynamic)"));

    // Shares are those of `analyze` on the same trace.
    let said = rig.run(&[
        "analyze",
        repository().join(TRACE).to_str().unwrap(),
        "-w",
        "latency",
        "--format",
        "json",
    ]);
    let analysis: Value = serde_json::from_str(&said.out).unwrap();
    near(
        mean(&found, "share(launch family)", "vs"),
        analysis["api"]["launch"]["share"].as_f64().unwrap(),
    );
    let calls = analysis["api"]["by_name"].as_array().unwrap();
    let launch = calls.iter().find(|one| one["name"] == "cudaLaunchKernel").unwrap();
    near(mean(&found, "share(cudaLaunchKernel)", "dense"), launch["share"].as_f64().unwrap());
    let readings = analysis["kernels"]["groups"][0]["readings"].as_array().unwrap();
    let strict = readings.iter().find(|one| one["name"] == "strict").unwrap();
    near(mean(&found, "share(dense-convolution)", "vs"), strict["share"].as_f64().unwrap());
    assert_eq!(found["verdicts"][0]["checkpoints"], json!({"launch-bound": 2}));
    assert_eq!(measure(&found, "latency", "vs")["published"]["value"], json!(59_600_000.0));
    let share = measure(&found, "share(cudaLaunchKernel)", "vs");
    near(share["published"]["value"].as_f64().unwrap(), 0.816);

    let answers = found["answers"].as_array().unwrap();
    let halved = answers.iter().find(|one| one["question"] == "spike rate halves").unwrap();
    assert_eq!(
        (&halved["what"], &halved["reading"]),
        (&json!("latency"), &json!("does-not-follow"))
    );
    let cheaper = answers.iter().find(|one| one["question"] == "launch-cost x0").unwrap();
    assert!(cheaper["change"].as_f64().unwrap() < -0.2, "{cheaper}");
    assert!(rig.path("reports/made-up/figures/where-the-time-goes-idle.svg").is_file());
    assert!(rig.path("reports/made-up/csv/latency-and-energy-cost.csv").is_file());
    assert!(rig.path("reports/made-up/tables/what-would-change-it-answers.tex").is_file());
}
