//! The program as it is typed: demo, both paths, the sidecar, errors; under a real profiler where there is one.

#![allow(clippy::unwrap_used)] // helpers of tests, too, may

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn wno(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wno-infer"))
        .args(args)
        .env_remove("NSYS_ATTRIB_SIDECAR")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn fails(args: &[&str]) -> String {
    let out = wno(args);
    let stderr = text(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{args:?}: {stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    stderr
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn demo_prints_a_row_for_each_network_and_dispatch() {
    let out = wno(&["demo", "--samples", "4", "--repeat", "3"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let stdout = text(&out.stdout);
    assert_eq!(stdout.lines().filter(|l| l.starts_with("dense") || l.starts_with("vs")).count(), 8);
    assert!(stdout.contains("synthetic"));
}

#[test]
fn the_request_path_writes_a_sidecar() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sidecar.json");
    let out = Command::new(env!("CARGO_BIN_EXE_wno-infer"))
        .args(["run", "--model", "vs", "--samples", "3", "--warmup", "2", "--repeat", "7"])
        .args(["--idle-seconds", "0.05", "--spike-rates", "--nvtx", "layers"])
        .env("NSYS_ATTRIB_SIDECAR", &path)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", text(&out.stderr));
    let sidecar = json(&path);
    assert_eq!(sidecar["schema"], "nsys-attrib/sidecar/1");
    assert_eq!((&sidecar["path"], &sidecar["dispatch"]), (&"request".into(), &"eager".into()));
    let requests = sidecar["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 7);
    let (mut before, mut start) = (0, 0);
    for request in requests {
        assert!(request["latency_ns"].as_i64().unwrap() > 0);
        assert_eq!(request["spike_rates"].as_array().unwrap().len(), 4);
        let (mono, unix) = (
            request["start_mono_ns"].as_i64().unwrap(),
            request["start_unix_ns"].as_i64().unwrap(),
        );
        assert!(mono >= before && unix > start);
        (before, start) = (mono + request["latency_ns"].as_i64().unwrap(), unix);
    }
    assert_eq!(requests[0]["spike_rates"], requests[3]["spike_rates"], "same field, same rates");
    let phases: Vec<&str> =
        sidecar["phases"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert_eq!(phases, ["idle", "warmup", "requests", "rates"]);
    assert_eq!(sidecar["layers"][3]["nvtx"], "head");
}

#[test]
fn the_reference_path_agrees_over_dispatches() {
    let folder = tempfile::tempdir().unwrap();
    let mut errors = Vec::new();
    for dispatch in ["eager", "fused", "sparse"] {
        let path = folder.path().join(dispatch);
        let out = wno(&[
            "run",
            "--model",
            "vs",
            "--path",
            "reference",
            "--samples",
            "5",
            "--dispatch",
            dispatch,
            "--json",
            path.to_str().unwrap(),
        ]);
        assert!(out.status.success(), "{}", text(&out.stderr));
        let sidecar = json(&path);
        assert_eq!(sidecar["requests"].as_array().unwrap().len(), 0);
        assert_eq!(sidecar["spikes"].as_array().unwrap().len(), 4);
        let samples = sidecar["samples"].as_array().unwrap();
        errors.push(samples.iter().map(|s| s["rel_l2"].as_f64().unwrap()).collect::<Vec<f64>>());
    }
    for other in &errors[1..] {
        assert!(errors[0].iter().zip(other).all(|(a, b)| (a - b).abs() < 1e-3), "{errors:?}");
    }
}

#[test]
fn what_cannot_run_says_so() {
    let e = fails(&["run", "--model", "vs", "--device", "cuda"]);
    assert!(e.contains("no cubecl stack") || e.contains("no NVIDIA GPU"), "{e}");
    assert!(fails(&["run", "--model", "vs", "--stack", "cubecl"]).contains("--device cuda"));
    assert!(fails(&["run", "--model", "dense", "--dispatch", "sparse"]).contains("never silent"));
    assert!(fails(&["run", "--model", "dense", "--seed", "9"]).contains("0 to 4"));
    assert!(
        fails(&["run", "--model", "dense", "--checkpoint", "none.safetensors"])
            .contains("none.safetensors")
    );
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/golden/trained_vs.safetensors");
    assert!(fails(&["run", "--model", "dense", "--checkpoint", golden]).contains("spiking"));
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    assert!(fails(&["run", "--model", "vs", "--checkpoint", manifest]).contains("Cargo.toml"));
    assert!(fails(&["run", "--model", "vs", "--repeat", "0"]).contains("--repeat"));
}

#[test]
fn verify_passes_and_fails_by_exit_code() {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/golden");
    assert_eq!(wno(&["verify", golden]).status.code(), Some(0));
    assert_eq!(wno(&["verify", golden, "--tolerance", "1e-12"]).status.code(), Some(1));
    assert!(fails(&["verify", "nowhere"]).contains("nowhere"));
}

/// Under nsys: as many `latency` ranges as the sidecar has requests, none shorter than the program's own
/// measurement of its inside.
#[test]
fn a_profiler_sees_the_windows() {
    if Command::new("nsys").arg("--version").output().is_err() {
        eprintln!(
            "SKIPPED: no nsys: the windows of a real trace were not compared with the sidecar"
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (trace, sidecar) = (folder.path().join("trace"), folder.path().join("sidecar.json"));
    let profiled = Command::new("nsys")
        .args(["profile", "-t", "nvtx", "--sample=none", "--cpuctxsw=none", "-o"])
        .arg(&trace)
        .arg(env!("CARGO_BIN_EXE_wno-infer"))
        .args([
            "run",
            "--model",
            "vs",
            "--samples",
            "3",
            "--warmup",
            "2",
            "--repeat",
            "9",
            "--json",
        ])
        .arg(&sidecar)
        .output()
        .unwrap();
    let report = trace.with_extension("nsys-rep");
    // The program ran; old releases sometimes cannot import what they recorded.
    let requests = json(&sidecar)["requests"].as_array().unwrap().clone();
    if !report.exists() {
        eprintln!("SKIPPED: nsys left no report: {}", text(&profiled.stderr).trim());
        return;
    }
    // The report had another name before 2023.
    let table = ["nvtx_pushpop_trace", "nvtxpptrace"]
        .map(|name| {
            let stats = Command::new("nsys")
                .args(["stats", "-q", "--report", name, "--format", "csv", "--force-export=true"])
                .arg(&report)
                .output()
                .unwrap();
            text(&stats.stdout)
        })
        .into_iter()
        .find(|table| table.contains("Duration"))
        .unwrap();
    let header: Vec<&str> =
        table.lines().find(|l| l.contains("Duration")).unwrap_or_default().split(',').collect();
    let duration = header.iter().position(|h| h.starts_with("Duration")).unwrap();
    let ranges: Vec<i64> = table
        .lines()
        .filter(|line| line.split(',').any(|cell| cell.trim_start_matches(':') == "latency"))
        .map(|line| line.split(',').nth(duration).unwrap().parse().unwrap())
        .collect();
    assert_eq!(ranges.len(), requests.len(), "{table}");
    for (range, request) in ranges.iter().zip(requests) {
        assert!(*range >= request["latency_ns"].as_i64().unwrap(), "{range}");
    }
}
