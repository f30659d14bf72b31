//! `sensitivity` through the binary: cost that follows sparsity, cost that does not, and what cannot be told.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::path::Path;

use serde_json::{Value, json};
use support::machine::{Do, KERNELS, Machine, WINDOW, run as simulate};
use support::random::Dice;
use support::words::run;

const REQUESTS: usize = 60;

/// A run whose convolution takes `part` of its time in proportion to the rate; the sidecar lists the rates.
fn write_run(folder: &Path, seed: u64, part: f64, spread: i64, checkpoint: &str) {
    let mut dice = Dice::new(seed);
    let rates: Vec<f64> = (0..REQUESTS)
        .map(|_| 0.2 + (dice.below(2 * spread + 1) - spread) as f64 / 1_000.0)
        .collect();
    let requests: Vec<Vec<Do>> = rates
        .iter()
        .map(|rate| {
            let mut request = vec![Do::Host(20_000)];
            for kernel in 0..30_usize {
                let full = 20_000 + dice.below(600);
                let gpu = match kernel % 3 {
                    0 => (full as f64 * (1.0 - part + part * rate / 0.2)) as i64,
                    _ => full,
                };
                let name = KERNELS[kernel % 3].to_owned();
                request.push(Do::Launch { name, stream: 7, cost: 4_000 + dice.below(300), gpu });
            }
            request.push(Do::SyncStream { stream: 7, cost: 4_000 });
            request
        })
        .collect();
    std::fs::create_dir_all(folder).unwrap();
    simulate(Machine::default(), &requests).1.write_sqlite(&folder.join("trace.sqlite"));
    let listed: Vec<Value> = rates
        .iter()
        .enumerate()
        .map(|(at, rate)| {
            json!({"index": at, "start_unix_ns": 1_750_000_000_000_000_000_i64, "latency_ns": 1,
                   "spike_rates": [rate, rate / 2.0]})
        })
        .collect();
    let layers = json!([{"index": 0, "name": "a"}, {"index": 1, "name": "b"}]);
    let sidecar = json!({"schema": "nsys-attrib/sidecar/1", "layers": layers, "requests": listed,
                         "model": {"name": "vs", "checkpoint": {"id": checkpoint}}});
    std::fs::write(folder.join("sidecar.json"), sidecar.to_string()).unwrap();
}

fn sensitivity(folders: &[&Path]) -> Value {
    let mut words = vec!["sensitivity"];
    words.extend(folders.iter().map(|folder| folder.to_str().unwrap()));
    words.extend(["-w", WINDOW, "--format", "json"]);
    let said = run(&words);
    assert_eq!(said.code, 0, "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

fn cost<'a>(document: &'a Value, name: &str) -> &'a Value {
    let all = document["costs"].as_array().unwrap();
    all.iter().find(|cost| cost["cost"] == name).unwrap_or_else(|| panic!("{name}: {document}"))
}

#[test]
fn dense_work_does_not_follow_sparsity_and_sparse_work_does() {
    let folder = tempfile::tempdir().unwrap();
    write_run(&folder.path().join("dense"), 1, 0.0, 80, "s1");
    let found = sensitivity(&[&folder.path().join("dense")]);
    let dense = cost(&found, "kernel time of dense-convolution");
    assert_eq!(dense["verdict"], "does-not-follow", "{dense}");
    assert!(dense["sentence"].as_str().unwrap().contains("proportional would be −50 %"));
    assert_eq!(cost(&found, "latency")["verdict"], "does-not-follow");

    write_run(&folder.path().join("sparse"), 2, 1.0, 80, "s1");
    let found = sensitivity(&[&folder.path().join("sparse")]);
    let sparse = cost(&found, "kernel time of dense-convolution");
    assert_eq!(sparse["verdict"], "follows", "{sparse}");
    // A third of the kernel time follows, so the latency does in part.
    let latency = cost(&found, "latency");
    assert_eq!(latency["verdict"], "follows-in-part", "{latency}");
    let halved = latency["when_halved"].as_f64().unwrap();
    assert!((-0.20..-0.10).contains(&halved), "{latency}");
}

#[test]
fn checkpoints_are_blocks_and_layers_that_move_together_are_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    let folders: Vec<_> = (0..3).map(|i| folder.path().join(format!("run{i}"))).collect();
    for (at, folder) in folders.iter().enumerate() {
        write_run(folder, 10 + at as u64, 0.0, 80, &format!("seed{at}"));
    }
    let found = sensitivity(&folders.iter().map(std::path::PathBuf::as_path).collect::<Vec<_>>());
    assert_eq!(found["inputs"].as_array().unwrap().len(), 3);
    assert_eq!(found["requests"], 3 * REQUESTS);
    assert_eq!(found["inputs"][1]["checkpoint"], "seed1");
    let codes: Vec<&str> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect();
    assert!(codes.contains(&"collinear-rates"), "{codes:?}");
    assert!(!codes.contains(&"narrow-rate-range"), "{codes:?}");
}

#[test]
fn a_narrow_range_is_a_finding_and_a_constant_rate_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_run(&folder.path().join("narrow"), 3, 0.0, 2, "s1");
    let found = sensitivity(&[&folder.path().join("narrow")]);
    let codes = found["findings"].to_string();
    assert!(codes.contains("narrow-rate-range"), "{codes}");
    write_run(&folder.path().join("flat"), 4, 0.0, 0, "s1");
    let found = sensitivity(&[&folder.path().join("flat")]);
    assert_eq!(found["refused"]["code"], "constant-rate");
    let path = folder.path().join("flat");
    let strict = run(&["sensitivity", path.to_str().unwrap(), "-w", WINDOW, "--strict"]);
    assert_eq!(strict.code, 1);
}

#[test]
fn without_a_sidecar_it_says_what_to_give() {
    let trace = "fixtures/traces/wno-request/eager-450.sqlite.zst";
    let said = run(&["sensitivity", trace, "-w", "latency"]);
    assert!(said.code == 2 && said.err.contains("--sidecar"), "{}", said.err);
    let said = run(&["sensitivity", trace, "-w", "latency", "--sidecar", "a", "--sidecar", "b"]);
    assert!(said.err.contains("one --sidecar for each INPUT"), "{}", said.err);
}
