//! A simulated run as a run folder: manifest, sidecar with the requests, and a power log. Everything is synthetic.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::power_simulation::{Run, Sensor, Workload, simulate};

const START: i64 = 1_763_851_018_000_000_000;
const SECOND: i64 = 1_000_000_000;
const SENSOR: Sensor =
    Sensor { period: 0.01, jitter: 0.1, window: 0.0, lag: 0.0, step: 0.04, noise: 0.05 };

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

/// A folder with a run of 500 requests; the log's clock is `late` ns late.
pub fn folder(traced: bool, late: i64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), traced, late);
    folder
}

/// Writes that run into a folder.
pub fn write(folder: &Path, traced: bool, late: i64) {
    fs::create_dir_all(folder).unwrap();
    let run = simulate(Workload { requests: 500, idle: 8.0 }, SENSOR, 11);
    let requests: Vec<Value> = run
        .windows
        .iter()
        .enumerate()
        .map(|(index, (start, end))| {
            json!({"index": index, "start_unix_ns": START + start, "latency_ns": end - start})
        })
        .collect();
    put(folder, "manifest.json", &manifest(&run, traced));
    let sidecar = json!({"schema": "nsys-attrib/sidecar/1", "requests": requests});
    put(folder, "sidecar.json", &sidecar);
    fs::write(folder.join("power-ina3221.csv"), log(&run, late)).unwrap();
}
