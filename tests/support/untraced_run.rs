//! Run folders as a person puts them together after a run without nsys: a sidecar with requests and a power
//! log of one rail. Synthetic: the truth of the energy is known ([`TRUTH_MJ`]).

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

pub use super::power_simulation::TRUTH_MJ;
use super::power_simulation::{Sensor, Workload, simulate};

/// When the first of them began, unix ns: 2025-11-22.
pub const START: i64 = 1_763_851_018_000_000_000;
const SENSOR: Sensor =
    Sensor { period: 0.01, jitter: 0.1, window: 0.0, lag: 0.0, step: 0.04, noise: 0.05 };

/// The requests of a run, as its sidecar lists them; those of `vs` have spike rates.
pub fn requests(model: &str, spans: &[(i64, i64)]) -> Vec<Value> {
    let one = |(index, (start, end)): (usize, &(i64, i64))| {
        let rate = 0.2 + (index % 40) as f64 / 200.0;
        json!({"index": index, "start_unix_ns": START + start, "latency_ns": end - start,
               "spike_rates": if model == "vs" { json!([rate]) } else { Value::Null }})
    };
    spans.iter().enumerate().map(one).collect()
}

/// A run folder with a sidecar that says whose it is.
pub fn put(folder: &Path, name: &str, (model, seed): (&str, usize), requests: &[Value]) -> PathBuf {
    let run = folder.join(format!("{model}-{seed}-{name}"));
    fs::create_dir_all(&run).unwrap();
    let sidecar = json!({"schema": "nsys-attrib/sidecar/1", "path": "request",
        "program": {"name": "synthetic", "device": "cuda:0"},
        "model": {"name": model, "checkpoint": {"id": format!("seed-{seed}")}},
        "layers": [{"index": 0, "name": "a"}], "requests": requests});
    fs::write(run.join("sidecar.json"), sidecar.to_string()).unwrap();
    run
}

/// A run of 400 requests with a power log of one rail; the lengths of its requests.
pub fn untraced(folder: &Path, model: &str, seed: usize, rail: &str) -> Vec<i64> {
    let run = simulate(Workload { requests: 400, idle: 8.0 }, SENSOR, 11 + seed as u64);
    let place = put(folder, "untraced", (model, seed), &requests(model, &run.windows));
    let mut log = "# schema=nsys-attrib-power/1\n# source=ina3221\n".to_owned();
    for (at, watts) in &run.readings {
        writeln!(log, "{at},{},0,{rail},,,{:.1},", START + at, watts * 1e3).unwrap();
    }
    fs::write(place.join("power-ina3221.csv"), log).unwrap();
    run.windows.iter().map(|(start, end)| end - start).collect()
}
