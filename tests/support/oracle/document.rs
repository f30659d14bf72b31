//! The expectation written as an analysis/1 document, so that the comparison itself can be tested.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::compare::{KINDS, percentile};
use super::{Expected, Instance, Parts, Tally};

/// The keys that the oracle knows, as an analyzer would write them.
pub fn document(expected: &Expected) -> Value {
    let lengths: Vec<i64> = expected.instances.iter().map(|i| i.end_ns - i.start_ns).collect();
    let p = |q| percentile(&lengths, q).map(f64::round);
    let mean = expected.total_ns as f64 / lengths.len() as f64;
    let squares: f64 = lengths.iter().map(|l| (*l as f64 - mean).powi(2)).sum();
    let deviation = (lengths.len() > 1).then(|| (squares / (lengths.len() - 1) as f64).sqrt());
    let [calls, kernels, ops] = expected.has;
    json!({
        "windows": {
            "count": lengths.len(), "total_ns": expected.total_ns, "union_ns": expected.union_ns,
            "mean_ns": mean.round(), "stddev_ns": deviation.map(f64::round),
            "min_ns": lengths.iter().min(), "max_ns": lengths.iter().max(),
            "p50_ns": p(0.5), "p90_ns": p(0.9), "p95_ns": p(0.95), "p99_ns": p(0.99),
            "contained_share": share(expected.contained),
            "instances": expected.instances.iter().map(instance).collect::<Vec<_>>(),
        },
        "api": calls.then(|| api(expected)),
        "kernels": kernels.then(|| kernel_block(expected)),
        "copies": [tally("copies", &expected.copies)],
        "graphs": tally("graphs", &expected.graphs),
        "launch_delay": (!expected.delays.is_empty()).then(|| json!({
            "count": expected.delays.len(), "max_ns": expected.delays.last(),
            "p50_ns": percentile(&expected.delays, 0.5), "p95_ns": percentile(&expected.delays, 0.95),
        })),
        "gpu": ops.then(|| json!({
            "busy_ns": expected.busy_ns, "idle_ns": expected.total_ns - expected.busy_ns,
            "foreign_busy_ns": expected.foreign_busy_ns,
            "by_device": expected.busy_by_device.iter()
                .map(|(device, busy)| json!({"device": device, "busy_ns": busy}))
                .collect::<Vec<_>>(),
        })),
        "idle": ops.then(|| idle(&expected.parts)),
    })
}

fn share((numerator, denominator): (i64, i64)) -> Option<f64> {
    (denominator != 0).then(|| numerator as f64 / denominator as f64)
}

fn tally(name: &str, tally: &Tally) -> Value {
    json!({"name": name, "count": tally.count, "time_ns": tally.time_ns, "bytes": tally.bytes})
}

fn instance(i: &Instance) -> Value {
    json!({
        "start_ns": i.start_ns, "end_ns": i.end_ns, "calls": i.calls, "api_ns": i.api_ns,
        "launches": i.launches, "launch_ns": i.launch_ns, "kernels": i.kernels,
        "kernel_ns": i.kernel_ns, "busy_ns": i.busy_ns, "idle": kinds(&i.parts),
    })
}

fn api(expected: &Expected) -> Value {
    let (total, launch) = (expected.api_total(), expected.launch_total());
    let names = expected.api.iter().map(|(name, calls)| {
        json!({"name": name, "calls": calls.calls, "time_ns": calls.time_ns,
            "self_ns": calls.self_ns, "share": share((calls.time_ns, total.time_ns))})
    });
    json!({
        "total_ns": total.time_ns, "calls": total.calls, "calls_started": total.started,
        "cover_share": share((expected.cover_ns, expected.cover_of_ns)),
        "launch": {
            "time_ns": launch.time_ns, "calls": launch.calls, "names": expected.launch_names,
            "share": share((launch.time_ns, total.time_ns)),
            "blocked_ns": expected.blocked_ns, "first_use_ns": expected.first_use_ns,
        },
        "by_name": names.collect::<Vec<_>>(),
    })
}

fn kernel_block(expected: &Expected) -> Value {
    let by_name = expected.kernels_by_name.iter().map(|(name, t)| tally(name, t));
    json!({
        "total_ns": expected.kernels.time_ns, "count": expected.kernels.count,
        "orphans": expected.orphans.0, "streams": expected.streams.0, "tklqt_ns": expected.tklqt(),
        "rules": {
            "launched": tally("", &expected.rules[0]), "started": tally("", &expected.rules[1]),
            "overlap": tally("", &expected.rules[2]),
        },
        "by_name": by_name.collect::<Vec<_>>(),
        "by_class": [{"class": "all", "time_ns": expected.kernels.time_ns}],
    })
}

fn kinds(parts: &Parts) -> Map<String, Value> {
    KINDS.iter().map(|kind| (format!("{kind}_ns"), parts.get(kind).into())).collect()
}

fn idle(parts: &Parts) -> Value {
    let mut block = kinds(parts);
    block.insert("dispatch_ns".into(), parts.dispatch.0.into());
    block.insert("head_by".into(), by(&parts.head_by));
    block.insert("tail_by".into(), by(&parts.tail_by));
    block.into()
}

fn by(times: &BTreeMap<&'static str, i64>) -> Value {
    let pairs = KINDS[3..]
        .iter()
        .map(|kind| (format!("{kind}_ns"), Value::from(times.get(kind).copied().unwrap_or(0))));
    pairs.collect::<Map<_, _>>().into()
}
