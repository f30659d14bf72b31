//! A real nsys records a real program; the export, its windows and the manifest are what the program
//! says of itself. Without nsys these tests skip, loudly.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail and talk")]

mod support;

use std::fs;

use serde_json::Value;
use support::rig::{Rig, Said, fake_jetson, kill, real_nsys, requests, wait_for};

fn profile(rig: &Rig, nsys: &str, words: &[&str]) -> Said {
    rig.run(&[&["profile", "--nsys", nsys, "--name", "r"], words].concat())
}

fn analysis(rig: &Rig, words: &[&str]) -> Value {
    let said = rig.run(&[words, &["--format", "json"]].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

/// The windows of the trace against the program's own clock.
fn agrees_with_the_program(rig: &Rig, run: &str, count: usize) {
    let analysis = analysis(rig, &["analyze", run, "--window", "latency"]);
    let windows = analysis["windows"]["instances"].as_array().unwrap();
    let sidecar: Value =
        serde_json::from_slice(&fs::read(rig.path(run).join("sidecar.json")).unwrap()).unwrap();
    let requests = sidecar["requests"].as_array().unwrap();
    assert_eq!((windows.len(), requests.len()), (count, count));
    let ns = |value: &Value, key: &str| value[key].as_i64().unwrap();
    let mut apart: Vec<i64> = windows
        .iter()
        .zip(requests)
        .map(|(window, request)| {
            (ns(window, "end_ns") - ns(window, "start_ns") - ns(request, "latency_ns")).abs()
        })
        .collect();
    apart.sort_unstable();
    eprintln!(
        "durations differ by {} us in the middle, {} us at most",
        apart[count / 2] / 1000,
        apart[count - 1] / 1000
    );
    // On a machine that is busy a thread may lose the processor between its clock and its range.
    let near = apart.iter().filter(|ns| **ns <= 50_000).count();
    assert!(apart[count / 2] <= 50_000 && near * 4 >= count * 3, "{apart:?}");
    // And the wall clock: the anchor of the trace is right to tens of microseconds, this machine is busy.
    let session = analysis["trace"]["session_start_unix_ns"].as_i64().unwrap();
    let mut offsets: Vec<i64> = windows
        .iter()
        .zip(requests)
        .map(|(window, request)| {
            (session + ns(window, "start_ns") - ns(request, "start_unix_ns")).abs()
        })
        .collect();
    offsets.sort_unstable();
    assert!(offsets[count / 2] < 5_000_000, "{offsets:?}");
}

#[test]
fn a_program_comes_back_with_its_windows() {
    let Some(nsys) = real_nsys("profile") else { return };
    let rig = Rig::new();
    let said =
        profile(&rig, &nsys, &["--trace", "cuda,nvtx,osrt", "--", requests(), "--count", "40"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.out, "40 requests\n", "the program's output, and nothing of nsys's");
    let manifest = rig.manifest("runs/r");
    assert_eq!(manifest["outcome"]["kind"], "completed");
    assert_eq!(manifest["window_default"], "latency");
    assert_eq!(manifest["trace"]["windows"], 40);
    assert_eq!(fs::read_to_string(rig.path("runs/r/stdout.txt")).unwrap(), said.out);
    let files: Vec<&str> = manifest["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        files,
        ["sidecar.json", "stderr.txt", "stdout.txt", "trace.nsys-rep", "trace.sqlite"]
    );
    agrees_with_the_program(&rig, "runs/r", 40);
    // No GPU here: the run succeeds, and says that there was no CUDA and why.
    if !std::path::Path::new("/proc/driver/nvidia/version").exists() {
        assert_eq!(rig.verdict("runs/r").1, ["no-cuda-recorded"]);
        assert!(said.err.contains("no NVIDIA driver"), "{}", said.err);
    }
    // Nothing of this machine's user or name is in the manifest.
    let text = manifest.to_string();
    for name in ["USER", "HOSTNAME", "HOME"].iter().filter_map(|name| std::env::var(name).ok()) {
        assert!(name.len() < 4 || !text.contains(&format!("\"{name}")), "{name}");
    }
    let schema =
        fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/manifest-1.json")).unwrap();
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    let errors: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&manifest)
        .map(|e| e.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn the_program_may_fail_in_every_way_and_the_trace_is_there() {
    let Some(nsys) = real_nsys("how programs end") else { return };
    for (script, code, kind) in [
        ("exit 3", 3, "failed"),
        ("kill -SEGV $$", 139, "signalled"),
        ("kill -KILL $$", 137, "signalled"),
    ] {
        let rig = Rig::new();
        let said = profile(
            &rig,
            &nsys,
            &["--trace", "osrt", "--", "sh", "-c", &format!("sleep 0.2; {script}")],
        );
        assert_eq!(said.code, code, "{}", said.err);
        let manifest = rig.manifest("runs/r");
        assert_eq!(manifest["outcome"]["kind"], kind, "{manifest}");
        assert_eq!(manifest["trace"]["file"], "trace.sqlite");
    }
}

#[test]
fn a_signal_and_a_duration_end_the_program_and_the_trace_is_there() {
    let Some(nsys) = real_nsys("signals") else { return };
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let rig = Rig::new();
        let child = rig
            .command(&[
                "profile",
                "--nsys",
                &nsys,
                "--name",
                "r",
                "--trace",
                "nvtx",
                "--",
                requests(),
                "--count",
                "100000",
            ])
            .spawn()
            .unwrap();
        wait_for("the program", || rig.running().iter().any(|line| line.starts_with(requests())));
        std::thread::sleep(std::time::Duration::from_secs(2));
        kill(signal, child.id());
        let said = Said::of(&child.wait_with_output().unwrap());
        assert_eq!(said.code, code, "{}", said.err);
        rig.nothing_runs();
        let manifest = rig.manifest("runs/r");
        assert_eq!(manifest["outcome"]["kind"], "interrupted");
        assert!(manifest["trace"]["windows"].as_i64().unwrap() > 0, "{manifest}");
    }
    let rig = Rig::new();
    let words = ["--trace", "nvtx", "--duration", "1s", "--", requests(), "--count", "100000"];
    let said = profile(&rig, &nsys, &words);
    assert_eq!(said.code, 143, "{}", said.err);
    let manifest = rig.manifest("runs/r");
    assert_eq!(manifest["outcome"]["kind"], "timed-out");
    assert!(manifest["trace"]["windows"].as_i64().unwrap() > 0);
}

#[test]
fn recording_may_begin_with_a_range() {
    let Some(nsys) = real_nsys("capture ranges") else { return };
    let rig = Rig::new();
    let words = ["--trace", "nvtx", "--capture", "nvtx:never@*", "--", requests(), "--count", "5"];
    let said = profile(&rig, &nsys, &words);
    assert!(
        said.err.contains("capture range nvtx:never@*") || said.err.contains("no raw capture"),
        "{}",
        said.err
    );
    let printed = rig.run(&[
        "profile", "--nsys", &nsys, "--print", "--trace", "nvtx", "--name", "p", "--", "./a b", "c",
    ]);
    assert_eq!(printed.code, 0, "{}", printed.err);
    assert!(
        printed.out.contains("--trace=nvtx --sample=none --cpuctxsw=none --export=sqlite"),
        "{}",
        printed.out
    );
    assert!(printed.out.trim_end().ends_with("/runs/p/trace './a b' c"), "{}", printed.out);
    assert!(!rig.path("runs/p").exists());
}

#[test]
fn what_is_before_the_capture_range_is_not_recorded() {
    let Some(nsys) = real_nsys("a capture range that begins") else { return };
    let rig = Rig::new();
    let said = profile(
        &rig,
        &nsys,
        &[
            "--trace",
            "nvtx",
            "--capture",
            "nvtx:measured@*",
            "--graph-trace",
            "node",
            "--",
            requests(),
            "--count",
            "40",
            "--gap-us",
            "20000",
            "--measured-from",
            "15",
        ],
    );
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.out, "40 requests\n", "the program ends as it wants to");
    let manifest = rig.manifest("runs/r");
    assert_eq!(manifest["outcome"]["kind"], "completed", "{manifest}");
    assert_eq!(manifest["nsys"]["capture_range"], "nvtx:measured@*");
    let options = manifest["nsys"]["options"].to_string();
    assert!(options.contains("--cuda-graph-trace=node"), "{options}");
    // The range begins before request 15 and ends behind the last; nsys may need some ms to begin.
    let windows = manifest["trace"]["windows"].as_i64().unwrap();
    assert!((20..=25).contains(&windows), "{windows}");
    let analysis = analysis(&rig, &["analyze", "runs/r"]);
    assert_eq!(analysis["windows"]["count"], windows);
}

#[test]
fn a_folder_that_goes_away_during_the_run_is_told() {
    let Some(nsys) = real_nsys("a folder that goes away") else { return };
    let rig = Rig::new();
    let words = ["--trace", "osrt", "--", "sh", "-c", "sleep 0.3; rm -rf runs/r; echo done"];
    let said = profile(&rig, &nsys, &words);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("runs/r"), "{}", said.err);
    let left: Vec<_> = fs::read_dir(rig.path("runs")).unwrap().flatten().collect();
    assert!(left.len() <= 1, "{left:?}");
}

#[test]
fn readings_in_the_trace_need_no_alignment() {
    let Some(nsys) = real_nsys("power in the trace") else { return };
    let rig = Rig::new();
    fake_jetson(&rig.path("board"));
    let mut command = rig.command(&[
        "profile", "--nsys", &nsys, "--name", "r", "--trace", "nvtx", "--power", "auto",
    ]);
    command.args([
        "--power-in-trace",
        "--power-period",
        "5ms",
        "--idle-before",
        "300ms",
        "--idle-after",
        "300ms",
        "--",
    ]);
    command.args([requests(), "--count", "30", "--busy-us", "20000", "--exit", "0"]);
    command.env("NSYS_ATTRIB_ROOT", rig.path("board"));
    let said = rig.finish(&mut command);
    assert_eq!(said.code, 0, "{}", said.err);
    let manifest = rig.manifest("runs/r");
    assert_eq!(manifest["outcome"]["kind"], "completed", "{manifest}");
    assert_eq!(manifest["trace"]["windows"], 30, "the wrapper changes nothing for the program");
    let power = &manifest["power"][0];
    assert_eq!(
        (power["source"].as_str(), power["rails"][0].as_str()),
        (Some("ina3221"), Some("VDD_IN"))
    );
    let phases: Vec<&str> = manifest["phases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|phase| phase["name"].as_str().unwrap())
        .collect();
    assert_eq!(phases, ["idle-before", "program", "idle-after"]);
    agrees_with_the_program(&rig, "runs/r", 30);

    // The folder is enough: window and power come from it.
    let whole = analysis(&rig, &["analyze", "runs/r"]);
    assert_eq!(whole["windows"]["spec"], "latency");
    assert_eq!(whole["energy"][0]["rail"], "VDD_IN", "{}", whole["findings"]);
    assert_eq!(whole["run"]["program"], "requests");

    // The log is taken away: what remains are the marks in the trace.
    let trace = rig.path("runs/r/trace.sqlite").display().to_string();
    let energy =
        analysis(&rig, &["energy", &trace, "--window", "latency", "--min-coverage", "0.5"]);
    let found = &energy["sets"][0]["energy"][0];
    assert_eq!(found["rail"], "VDD_IN");
    assert_eq!(found["source"], "trace-marks");
    assert_eq!(found["alignment"]["offset_ns"], 0, "no alignment is needed");
    // 4984 mV x 968 mA all the time, so each window of about 20 ms costs its length times 4824.5 mW.
    if let Some(mj) = found["total_mj"].as_f64() {
        let mean_s = energy["sets"][0]["mean_ns"].as_f64().unwrap() / 1e9;
        assert!((mj / (4824.512 * mean_s) - 1.0).abs() < 0.01, "{mj} {mean_s}");
    } else {
        assert!(!found["refused"].is_null(), "{found}");
    }
}

#[test]
fn tracing_is_compared_with_not_tracing() {
    let Some(nsys) = real_nsys("traced and untraced runs") else { return };
    let rig = Rig::new();
    let said = rig.run(&[
        "profile",
        "--nsys",
        &nsys,
        "--both",
        "--name",
        "pair",
        "--trace",
        "nvtx",
        "--warmup",
        "1",
        "--",
        requests(),
        "--count",
        "20",
    ]);
    assert_eq!(said.code, 0, "{}", said.err);
    for run in ["traced", "untraced"] {
        let manifest = rig.manifest(&format!("runs/pair/requests-{run}-01"));
        let ratio = manifest["overhead"]["latency_traced_over_untraced"].as_f64().unwrap();
        assert!(ratio > 0.8 && ratio < 5.0, "{ratio}");
        assert_eq!(manifest["window_default"], "latency");
    }
    let untraced = rig.manifest("runs/pair/requests-untraced-01");
    assert_eq!((untraced["traced"].as_bool(), untraced["nsys"].is_null()), (Some(false), true));
    let again = rig.run(&[
        "profile",
        "--nsys",
        &nsys,
        "--both",
        "--name",
        "pair",
        "--trace",
        "nvtx",
        "--warmup",
        "1",
        "--",
        requests(),
        "--count",
        "20",
    ]);
    assert_eq!(again.err.matches("complete, kept").count(), 2, "{}", again.err);
}
