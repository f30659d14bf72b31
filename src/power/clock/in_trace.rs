//! Power readings that lie in the trace itself, on its own clock: no alignment is needed.
//!
//! NVTX marks of our sampler come first (`power rail=VDD_IN mw=4824`), then GPU metrics and the counters of
//! plug-ins, where a table of them names a power with its unit.

use super::marks;
use crate::finding::{Finding, Severity};
use crate::power::formats::LogFormat;
use crate::power::log::{Basis, Kind, PowerLog};
use crate::trace::{PowerCounter, Trace};
use crate::units::{Nanos, plain};

/// The readings inside a trace; `None` when there are none.
pub fn readings(trace: &Trace) -> Option<PowerLog> {
    marks::power_marks(trace).or_else(|| counters(trace))
}

fn counters(trace: &Trace) -> Option<PowerLog> {
    let session = trace.about.session?;
    let mut log = PowerLog::new(LogFormat::TraceCounters, Basis::Unix, Nanos::from_ns(1));
    for counter in &trace.power_counters {
        let Some(scale) = counter.unit.as_deref().and_then(scale_of) else {
            log.findings.push(without_unit(counter));
            continue;
        };
        let name = match counter.device {
            Some(device) => format!("gpu{device}:{}", counter.name),
            None => counter.name.clone(),
        };
        for (at, value) in &counter.values {
            let at_ns = session.to_unix(*at).as_unix_ns();
            log.push(&name, kind_of(&counter.name), at_ns, Some(value * scale));
        }
    }
    if log.rails.is_empty() {
        return None;
    }
    log.findings.push(Finding::new(
        "trace-counters-unverified",
        Severity::Warning,
        "power is read from a table of counters in the trace; no export with such a table had been seen when this \
         was written, so a reading is taken as a mean over 1 s unless its name says instant",
        "compare with a log of nvidia-smi, or with marks of the sampler",
    ));
    Some(log)
}

fn scale_of(unit: &str) -> Option<f64> {
    match unit.trim().to_ascii_lowercase().as_str() {
        "w" | "watt" | "watts" => Some(1.0),
        "mw" | "milliwatt" | "milliwatts" => Some(1e-3),
        _ => None,
    }
}

fn kind_of(name: &str) -> Kind {
    if name.to_ascii_lowercase().contains("instant") {
        Kind::Instant
    } else {
        Kind::TrailingAvg { window: Some(Nanos::from_ns(1_000_000_000)) }
    }
}

fn without_unit(counter: &PowerCounter) -> Finding {
    Finding::new(
        "power-counter-without-unit",
        Severity::Info,
        format!(
            "counter `{}` in {} speaks of power but names neither W nor mW",
            plain(&counter.name, 60),
            plain(&counter.table, 60)
        ),
        "it is not used",
    )
}
