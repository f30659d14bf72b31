//! A run without a trace as an analysis: its windows are the requests of its sidecar.
//!
//! Latencies are the program's own, by its monotonic clock; starts are unix time, so instances of such an
//! analysis lie on unix time as well. Everything that only a trace can say is null.

use super::about;
use crate::attribution::Analysis;
use crate::attribution::document::{Instance, Tool, Windows};
use crate::attribution::requests::{request, untraced};
use crate::runs::RunFolder;
use crate::runs::sidecar::Request;
use crate::units::Nanos;

/// The program that makes documents.
pub fn tool() -> Tool {
    Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

/// The requests of a run as windows of `spec`; `None` when its sidecar lists none.
pub fn analysis(run: &RunFolder, spec: &str) -> Option<Analysis> {
    let made = run.sidecar.as_ref().map(|sidecar| &sidecar.requests)?;
    if made.is_empty() {
        return None;
    }
    let instances = made.iter().enumerate().map(|(index, one)| instance(index, one)).collect();
    Some(Analysis {
        run: about::about(run),
        findings: run.findings.clone(),
        ..untraced(tool(), windows(spec, instances))
    })
}

fn instance(index: usize, one: &Request) -> Instance {
    let start = one.start_unix_ns.as_unix_ns();
    request(index, (start, start + one.latency_ns.as_ns()))
}

/// The distribution of the lengths of instances, which a program makes one after the other.
pub(super) fn windows(spec: &str, instances: Vec<Instance>) -> Windows {
    let length = |one: &Instance| (one.end_ns - one.start_ns).as_ns();
    let total = Nanos::from_ns(instances.iter().map(length).sum());
    let pairs = instances.windows(2);
    let gap = |pair: &[Instance]| (pair[1].start_ns - pair[0].end_ns).as_ns().max(0);
    let gaps = Nanos::from_ns(pairs.map(gap).sum());
    Windows::of(spec, instances, total, gaps)
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
