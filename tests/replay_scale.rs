//! Many windows: the small twin of `.ci/long replay`.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::time::{Duration, Instant};

use serde_json::Value;
use support::scale::Scale;
use support::words::run;

#[test]
fn hundreds_of_windows_replay_and_fit_in_a_moment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scale.sqlite");
    Scale { requests: 400, launches: 200 }.write(&path);
    let begun = Instant::now();
    let said = run(&[
        "whatif",
        path.to_str().unwrap(),
        "-w",
        "latency",
        "--change",
        "launch-cost x0.5",
        "--no-table",
        "--format",
        "json",
    ]);
    let took = begun.elapsed();
    assert_eq!(said.code, 0, "{}", said.err);
    let found: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(found["identity"]["windows"], 400);
    let error = found["identity"]["error_median"].as_f64().unwrap();
    assert!(error < 0.02, "{error}");
    assert!(found["prediction"]["gain_ci95"].is_array());
    println!("400 windows of 200 launches in {took:?}");
    // 10,000 windows in 5 s are 0.2 s for 400; a slow machine without optimisation gets 50 times that.
    assert!(took < Duration::from_secs(10), "{took:?}");
}
