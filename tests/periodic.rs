//! `periodic`: iterations found from the order of launches.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use serde_json::Value;
use support::shared::shared_trace;
use support::words::run;

const EAGER: &str = "fixtures/traces/wno-request/eager-450.sqlite.zst";

fn windows(path: &str) -> Value {
    let said = run(&["windows", path, "-w", "periodic", "--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

fn finding(document: &Value) -> &Value {
    let all = document["sets"][0]["findings"].as_array().unwrap();
    all.iter().find(|finding| finding["code"] == "periodic-windows").unwrap()
}

#[test]
fn the_requests_of_the_fixture_are_found_without_their_ranges() {
    let found = windows(EAGER);
    assert_eq!(finding(&found)["numbers"]["period"], 450);
    // 3 warm-ups and 20 requests; the last has no next one to end it.
    assert_eq!(found["sets"][0]["windows"]["count"], 22);
    let latency = run(&["windows", EAGER, "-w", "latency", "--format", "json"]);
    let latency: Value = serde_json::from_str(&latency.out).unwrap();
    let mean = |document: &Value| document["sets"][0]["windows"]["p50_ns"].as_f64().unwrap();
    let ratio = mean(&found) / mean(&latency);
    assert!((0.98..1.05).contains(&ratio), "{ratio}");
}

#[test]
fn real_iterations_are_found_or_refused_with_candidates() {
    let Some(resnet) = shared_trace("resnet-pytorch-a4500-nsys2024.6-nvtx") else { return };
    let found = windows(resnet.to_str().unwrap());
    let numbers = &finding(&found)["numbers"];
    assert_eq!(numbers["period"], 124);
    assert!((numbers["match"].as_f64().unwrap() - 0.999).abs() < 0.0005, "{numbers}");

    let cloverleaf = shared_trace("cloverleaf-a100-nsys2024.5").unwrap();
    let said = run(&["windows", cloverleaf.to_str().unwrap(), "-w", "periodic"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("250 at 0.946"), "{}", said.err);

    // 53 exact repeats of 385 launches after a start-up of three.
    let dnn = shared_trace("dnn-multistream-titanrtx-export2022.4").unwrap();
    let found = windows(dnn.to_str().unwrap());
    assert_eq!(finding(&found)["numbers"]["period"], 385);

    let keras = shared_trace("keras-openrange-gtx1650-qdrep2020-export2022.4").unwrap();
    let said = run(&["windows", keras.to_str().unwrap(), "-w", "periodic"]);
    assert!(said.code == 2 && said.err.contains("No kernel was launched"), "{}", said.err);
}
