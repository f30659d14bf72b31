//! Do the networks compute what was recorded? Every golden file under every dispatch, on each stack of the build
//! that runs on the processor: 1e-5 on tensors, equal spikes.

#![allow(clippy::unwrap_used)] // helpers of tests, too, may

use std::path::PathBuf;

use wno_infer::stack::{Choice, Device, StackName};
use wno_infer::verify::{self, TOLERANCE};

fn golden() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden")
}

fn check(choice: Choice) {
    let checks = verify::run(choice, &golden(), TOLERANCE).unwrap();
    // Four wavelets, the neuron, six networks under 14 dispatches, the trained pair under five.
    assert_eq!(checks.len(), 4 + 1 + 14 + 5);
    for check in &checks {
        assert!(check.passed, "{check:?}");
        assert!(check.values > 100, "{check:?}");
    }
    let spikes: usize = checks.iter().map(|c| c.spikes).sum();
    assert!(spikes > 400_000, "{spikes} spikes compared");
}

#[test]
fn ndarray() {
    check(Choice::CPU);
}

#[test]
fn libtorch() {
    match Choice::new(Device::Cpu, Some(StackName::Tch)) {
        Ok(choice) => check(choice),
        Err(e) => eprintln!("SKIPPED: LibTorch on the golden vectors: {e}"),
    }
}

#[test]
fn a_tolerance_of_nothing_fails() {
    let checks = verify::run(Choice::CPU, &golden(), 0.0).unwrap();
    assert!(checks.iter().any(|check| !check.passed));
}
