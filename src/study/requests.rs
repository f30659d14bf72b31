//! A run without a trace as an analysis: its windows are the requests of its sidecar.
//!
//! Latencies are the program's own, by its monotonic clock; starts are unix time, so instances of such an
//! analysis lie on unix time as well. Everything that only a trace can say is null.

use super::about;
use crate::attribution::Analysis;
use crate::attribution::definitions::definitions;
use crate::attribution::document::{Idle, Instance, SCHEMA, Tool, Windows};
use crate::runs::RunFolder;
use crate::runs::sidecar::Request;
use crate::stats::Summary;
use crate::units::{Nanos, TraceTime};

/// The program that makes documents.
pub fn tool() -> Tool {
    Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

/// The requests of a run as windows of `spec`; `None` when its sidecar lists none.
pub fn analysis(run: &RunFolder, spec: &str) -> Option<Analysis> {
    let requests = run.sidecar.as_ref().map(|sidecar| &sidecar.requests)?;
    if requests.is_empty() {
        return None;
    }
    let instances = requests.iter().enumerate().map(|(index, one)| instance(index, one)).collect();
    Some(Analysis {
        schema: SCHEMA.to_owned(),
        tool: tool(),
        trace: None,
        asked: None,
        run: about::about(run),
        imported: None,
        windows: windows(spec, instances),
        api: None,
        kernels: None,
        copies: None,
        graphs: None,
        launch_delay: None,
        gpu: None,
        idle: None,
        verdict: None,
        energy: None,
        definitions: definitions(),
        findings: run.findings.clone(),
    })
}

fn instance(index: usize, request: &Request) -> Instance {
    let start = request.start_unix_ns.as_unix_ns();
    Instance {
        index,
        start_ns: TraceTime::from_ns(start),
        end_ns: TraceTime::from_ns(start + request.latency_ns.as_ns()),
        cpu_start_ns: None,
        cpu_end_ns: None,
        process: None,
        thread: None,
        label: "request".to_owned(),
        calls: 0,
        api_ns: Nanos::ZERO,
        launches: 0,
        launch_ns: Nanos::ZERO,
        kernels: 0,
        kernel_ns: Nanos::ZERO,
        busy_ns: Nanos::ZERO,
        idle: Idle::default(),
        class_ns: std::collections::BTreeMap::new(),
        busy_class_ns: std::collections::BTreeMap::new(),
    }
}

/// The distribution of the lengths of instances.
pub(super) fn windows(spec: &str, instances: Vec<Instance>) -> Windows {
    let lengths: Vec<i64> =
        instances.iter().map(|one| (one.end_ns - one.start_ns).as_ns()).collect();
    let total = Nanos::from_ns(lengths.iter().sum());
    let summary = Summary::of_ints(&lengths);
    let whole = |value: f64| Nanos::from_ns(value.round() as i64);
    let of = |pick: fn(&Summary) -> f64| summary.as_ref().map(pick).map(whole);
    Windows {
        spec: spec.to_owned(),
        count: instances.len(),
        total_ns: Some(total),
        // Requests are made one after the other.
        union_ns: Some(total),
        mean_ns: of(|summary| summary.mean),
        stddev_ns: summary.as_ref().and_then(|summary| summary.stddev).map(whole),
        min_ns: of(|summary| summary.min),
        p50_ns: of(|summary| summary.p50),
        p90_ns: of(|summary| summary.p90),
        p95_ns: of(|summary| summary.p95),
        p99_ns: of(|summary| summary.p99),
        max_ns: of(|summary| summary.max),
        gaps_ns: Some(Nanos::from_ns(
            instances
                .windows(2)
                .map(|pair| (pair[1].start_ns - pair[0].end_ns).as_ns().max(0))
                .sum(),
        )),
        contained_share: None,
        instances,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::Sidecar;
    use crate::units::UnixTime;

    #[test]
    fn requests_are_windows_in_the_order_in_which_they_were_made() {
        let request = |index, start, length| Request {
            index,
            sample: None,
            start_unix_ns: UnixTime::from_unix_ns(start),
            start_mono_ns: None,
            latency_ns: Nanos::from_ns(length),
            spike_rates: None,
        };
        let sidecar = Sidecar {
            requests: vec![request(0, 100, 10), request(1, 120, 30)],
            ..Sidecar::default()
        };
        let run = RunFolder {
            path: "run".into(),
            manifest: None,
            sidecar: Some(sidecar),
            trace: None,
            power: Vec::new(),
            findings: Vec::new(),
        };
        let windows = analysis(&run, "latency").unwrap().windows;
        let ns = |time: Option<Nanos>| time.unwrap().as_ns();
        assert_eq!((windows.count, ns(windows.total_ns), ns(windows.gaps_ns)), (2, 40, 10));
        assert_eq!(windows.mean_ns, Some(Nanos::from_ns(20)));
        let empty = RunFolder { sidecar: None, ..run };
        assert!(analysis(&empty, "latency").is_none());
    }
}
