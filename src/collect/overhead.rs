//! What does tracing cost? Latency of the traced run over that of the untraced one of the same repetition.
//!
//! Latencies are the program's own (`requests` of its sidecar), medians of each run, so that both sides are
//! measured by the same clock. Tracing falls on the CPU side, which in a launch-bound program is what is
//! measured: above 1.05 the shares of the traced run may not carry over.

use super::error::CollectError;
use super::experiment::Done;
use crate::finding::{self, Finding, Severity};
use crate::runs::manifest::Overhead;
use crate::runs::{self, MANIFEST, RunFolder};

/// Above this ratio the reader is warned.
const MUCH: f64 = 1.05;

/// Compares the pairs among the runs and writes the ratio into both manifests.
///
/// # Errors
/// When a manifest cannot be written.
pub(crate) fn compare(done: &mut [Done]) -> Result<(), CollectError> {
    for traced in 0..done.len() {
        let Some(untraced) = partner(done, traced) else { continue };
        let (Some(t), Some(e)) = (median_latency(&done[traced]), median_latency(&done[untraced]))
        else {
            continue;
        };
        let ratio = t / e;
        for (one, other) in [(traced, untraced), (untraced, traced)] {
            let name =
                done[other].folder.file_name().map(|name| name.to_string_lossy().into_owned());
            let manifest = &mut done[one].manifest;
            let overhead = Overhead { latency_traced_over_untraced: ratio, other: name };
            if manifest.overhead.as_ref() == Some(&overhead) {
                continue;
            }
            manifest.overhead = Some(overhead);
            manifest.findings.retain(|finding| finding.code != "tracing-overhead");
            if manifest.traced && ratio > MUCH {
                manifest.findings.push(much(ratio));
                finding::sort(&mut manifest.findings);
            }
            runs::write_document(&done[one].folder.join(MANIFEST), &done[one].manifest)?;
        }
    }
    Ok(())
}

/// The untraced run of the same program and repetition.
fn partner(done: &[Done], traced: usize) -> Option<usize> {
    let own = &done[traced].manifest;
    let place = own.experiment.as_ref().filter(|_| own.traced)?;
    done.iter().position(|other| {
        let there = other.manifest.experiment.as_ref();
        !other.manifest.traced
            && there
                .is_some_and(|there| there.program == place.program && there.repeat == place.repeat)
    })
}

/// In ns; `None` without requests.
fn median_latency(run: &Done) -> Option<f64> {
    let sidecar = RunFolder::open(&run.folder).ok()?.sidecar?;
    let mut latencies: Vec<i64> = sidecar.spans().map(|(_, length)| length.as_ns()).collect();
    latencies.sort_unstable();
    let middle = latencies.len().checked_sub(1)? / 2;
    let upper = latencies[latencies.len() / 2];
    let median = (latencies[middle] + upper) as f64 / 2.0;
    (median > 0.0).then_some(median)
}

fn much(ratio: f64) -> Finding {
    Finding::new(
        "tracing-overhead",
        Severity::Warning,
        format!("requests take {ratio:.3} times as long under nsys as without: shares of this run may not carry over"),
        "trace less (--trace cuda,nvtx), and take latency and energy from the untraced runs",
    )
    .with("ratio", ratio)
}
