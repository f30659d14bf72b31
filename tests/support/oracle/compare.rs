//! The expectation against an analysis/1 document: the first key that differs, by name.
//!
//! Where the definitions leave room, each reading has its own exact number and any of them passes;
//! such keys are built with [`Check::any`] and carry a comment.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Expected, Instance, Parts, Tally};

/// What a key must hold.
#[derive(Clone, Debug)]
enum Check {
    /// One of these integers.
    Int(Vec<i64>),
    /// A rounded quantity in ns; None is null.
    Near(Option<f64>),
    /// Numerator over denominator, null where that is 0; any of these.
    Share(Vec<(i64, i64)>),
    /// A list of names.
    Names(Vec<String>),
}

impl Check {
    fn any(values: &[i64]) -> Self {
        Self::Int(values.to_vec())
    }

    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Int(allowed) => value.as_i64().is_some_and(|v| allowed.contains(&v)),
            Self::Near(None) => value.is_null(),
            Self::Near(Some(x)) => value.as_f64().is_some_and(|v| (v - x).abs() <= 1.0),
            Self::Share(allowed) => allowed.iter().any(|(n, d)| match d {
                0 => value.is_null(),
                _ => value.as_f64().is_some_and(|v| (v - *n as f64 / *d as f64).abs() < 1e-9),
            }),
            Self::Names(names) => value.as_array().is_some_and(|list| {
                list.len() == names.len() && list.iter().zip(names).all(|(v, n)| v == n)
            }),
        }
    }
}

type Checks = Vec<(String, Check)>;

/// Err names the first key that differs, with both values. Instances are compared as a multiset.
pub fn compare(expected: &Expected, analysis: &Value) -> Result<(), String> {
    let analysis = &sorted(analysis);
    let mut checks = windows(expected);
    let mut instances = expected.instances.clone();
    instances.sort_by_key(|i| {
        [i.start_ns, i.end_ns, i.calls, i.api_ns, i.launches, i.launch_ns, i.kernels, i.busy_ns]
    });
    for (index, instance) in instances.iter().enumerate() {
        checks.extend(instance_checks(index, instance, expected));
    }
    let [calls, kernels, ops] = expected.has;
    // A block whose table is absent is null; a table without rows may be absent or empty.
    if calls || !analysis["api"].is_null() {
        checks.extend(api(expected));
    }
    if kernels || !analysis["kernels"].is_null() {
        checks.extend(kernel_checks(expected));
    }
    if ops || !analysis["gpu"].is_null() {
        checks.extend(gpu(expected));
    }
    if ops || !analysis["idle"].is_null() {
        checks.extend(parts("idle", &expected.parts));
    }
    for (key, check) in checks {
        let found = find(analysis, &key);
        if !check.holds(&found) {
            return Err(format!("{key}: expected {check:?}, found {found}"));
        }
    }
    if calls {
        api_names(expected, analysis)?;
    }
    if kernels {
        kernel_names(expected, analysis)?;
    }
    if ops {
        sums(expected, analysis)?;
    }
    Ok(())
}

/// The document with its instances in the order used here: projected spans need not be in time order.
fn sorted(analysis: &Value) -> Value {
    let mut analysis = analysis.clone();
    if let Some(list) = analysis["windows"]["instances"].as_array_mut() {
        let keys = [
            "start_ns",
            "end_ns",
            "calls",
            "api_ns",
            "launches",
            "launch_ns",
            "kernels",
            "busy_ns",
        ];
        list.sort_by_key(|row| keys.map(|key| row[key].as_i64()));
    }
    analysis
}

/// Walks `a.b[2].c`; in `a|b` the first key that exists is taken.
fn find(document: &Value, key: &str) -> Value {
    let mut here = document;
    for part in key.split(['.', '[']) {
        here = match part.strip_suffix(']') {
            Some(index) => &here[index.parse::<usize>().unwrap()],
            None => {
                let mut names = part.split('|');
                let first = names.next().unwrap();
                if here.get(first).is_some() {
                    &here[first]
                } else {
                    names.next().map_or(&Value::Null, |second| &here[second])
                }
            }
        };
    }
    here.clone()
}

fn int(checks: &mut Checks, key: &str, value: i64) {
    checks.push((key.into(), Check::any(&[value])));
}

fn windows(expected: &Expected) -> Checks {
    let mut checks = vec![];
    let lengths: Vec<i64> = expected.instances.iter().map(|i| i.end_ns - i.start_ns).collect();
    let n = lengths.len() as f64;
    int(&mut checks, "windows.count", lengths.len() as i64);
    int(&mut checks, "windows.total_ns", expected.total_ns);
    int(&mut checks, "windows.union_ns", expected.union_ns);
    int(&mut checks, "windows.min_ns", *lengths.iter().min().unwrap());
    int(&mut checks, "windows.max_ns", *lengths.iter().max().unwrap());
    let mean = expected.total_ns as f64 / n;
    let squares: f64 = lengths.iter().map(|l| (*l as f64 - mean).powi(2)).sum();
    let deviation = (lengths.len() > 1).then(|| (squares / (n - 1.0)).sqrt());
    let mut near = |key: &str, value| checks.push((format!("windows.{key}"), Check::Near(value)));
    near("mean_ns", Some(mean));
    near("stddev_ns", deviation);
    for (key, p) in [("p50_ns", 0.5), ("p90_ns", 0.9), ("p95_ns", 0.95), ("p99_ns", 0.99)] {
        near(key, percentile(&lengths, p));
    }
    if expected.has[2] {
        checks.push(("windows.contained_share".into(), Check::Share(vec![expected.contained])));
    }
    checks
}

fn instance_checks(index: usize, instance: &Instance, expected: &Expected) -> Checks {
    let mut checks = vec![];
    let mut own = |key: &str, value: i64| {
        int(&mut checks, &format!("windows.instances[{index}].{key}"), value);
    };
    own("start_ns", instance.start_ns);
    own("end_ns", instance.end_ns);
    if expected.has[0] {
        own("calls", instance.calls);
        own("api_ns", instance.api_ns);
        own("launches", instance.launches);
        own("launch_ns", instance.launch_ns);
    }
    if expected.has[1] {
        own("kernels", instance.kernels);
        own("kernel_ns", instance.kernel_ns);
    }
    if expected.has[2] {
        own("busy_ns", instance.busy_ns);
        for kind in KINDS {
            own(&format!("idle.{kind}_ns|{kind}"), instance.parts.get(kind));
        }
    }
    checks
}

pub const KINDS: [&str; 9] =
    ["none", "head", "tail", "launch", "queue", "api", "sync", "host", "unknown"];

fn parts(block: &str, parts: &Parts) -> Checks {
    let mut checks = vec![];
    for kind in KINDS {
        int(&mut checks, &format!("{block}.{kind}_ns"), parts.get(kind));
    }
    // Whether the host time of head and tail has dispatch in it is not said.
    let (own, with_edges) = parts.dispatch;
    checks.push((format!("{block}.dispatch_ns"), Check::any(&[own, with_edges])));
    for (edge, by) in [("head_by", &parts.head_by), ("tail_by", &parts.tail_by)] {
        for kind in &KINDS[3..] {
            let value = by.get(kind).copied().unwrap_or(0);
            int(&mut checks, &format!("{block}.{edge}.{kind}_ns|{kind}"), value);
        }
    }
    checks
}

fn api(expected: &Expected) -> Checks {
    let (total, launch) = (expected.api_total(), expected.launch_total());
    let mut checks = vec![];
    int(&mut checks, "api.total_ns", total.time_ns);
    int(&mut checks, "api.calls", total.calls);
    int(&mut checks, "api.calls_started", total.started);
    // The length under a projected window's cover: where its calls are, or what it measures.
    let covers =
        [(expected.cover_ns, expected.cover_of_ns), (expected.cover_ns, expected.total_ns)];
    checks.push(("api.cover_share".into(), Check::Share(covers.to_vec())));
    int(&mut checks, "api.launch.time_ns", launch.time_ns);
    int(&mut checks, "api.launch.calls", launch.calls);
    int(&mut checks, "api.launch.blocked_ns", expected.blocked_ns);
    int(&mut checks, "api.launch.first_use_ns", expected.first_use_ns);
    let share = Check::Share(vec![(launch.time_ns, total.time_ns)]);
    checks.push(("api.launch.share".into(), share));
    let names = expected.launch_names.iter().cloned().collect();
    checks.push(("api.launch.names".into(), Check::Names(names)));
    checks
}

fn kernel_checks(expected: &Expected) -> Checks {
    let mut checks = vec![];
    int(&mut checks, "kernels.total_ns", expected.kernels.time_ns);
    int(&mut checks, "kernels.count", expected.kernels.count);
    for (rule, tally) in ["launched", "started", "overlap"].iter().zip(expected.rules) {
        int(&mut checks, &format!("kernels.rules.{rule}.count"), tally.count);
        int(&mut checks, &format!("kernels.rules.{rule}.time_ns"), tally.time_ns);
    }
    int(&mut checks, "kernels.tklqt_ns", expected.tklqt());
    // Orphans of the windows or of the whole trace; streams of kernels or of all operations.
    let orphans = Check::any(&[expected.orphans.0, expected.orphans.1]);
    checks.push(("kernels.orphans".into(), orphans));
    let streams = Check::any(&[expected.streams.0, expected.streams.1]);
    checks.push(("kernels.streams".into(), streams));
    if !expected.delays.is_empty() {
        int(&mut checks, "launch_delay.count", expected.delays.len() as i64);
        int(&mut checks, "launch_delay.max_ns", *expected.delays.last().unwrap());
        for (key, p) in [("p50_ns", 0.5), ("p95_ns", 0.95)] {
            let near = Check::Near(percentile(&expected.delays, p));
            checks.push((format!("launch_delay.{key}"), near));
        }
    }
    checks
}

fn gpu(expected: &Expected) -> Checks {
    let mut checks = vec![];
    int(&mut checks, "gpu.busy_ns", expected.busy_ns);
    int(&mut checks, "gpu.idle_ns", expected.total_ns - expected.busy_ns);
    int(&mut checks, "gpu.foreign_busy_ns", expected.foreign_busy_ns);
    checks
}

fn api_names(expected: &Expected, analysis: &Value) -> Result<(), String> {
    let found = by(analysis, "api.by_name", "name");
    let all = expected.api_total().time_ns;
    for (name, calls) in &expected.api {
        let row = found.get(name).ok_or(format!("api.by_name: {name} is missing"))?;
        for (key, value) in
            [("calls", calls.calls), ("time_ns", calls.time_ns), ("self_ns", calls.self_ns)]
        {
            same(&format!("api.by_name[{name}].{key}"), value, &row[key])?;
        }
        let share = Check::Share(vec![(calls.time_ns, all)]);
        if !share.holds(&row["share"]) {
            return Err(format!("api.by_name[{name}].share: expected {share:?}, found {row}"));
        }
    }
    same("api.by_name, rows", expected.api.len() as i64, &found.len().into())
}

fn kernel_names(expected: &Expected, analysis: &Value) -> Result<(), String> {
    let found = by(analysis, "kernels.by_name", "name");
    for (name, tally) in &expected.kernels_by_name {
        let row = found.get(name).ok_or(format!("kernels.by_name: {name} is missing"))?;
        same(&format!("kernels.by_name[{name}].count"), tally.count, &row["count"])?;
        same(&format!("kernels.by_name[{name}].time_ns"), tally.time_ns, &row["time_ns"])?;
    }
    same("kernels.by_name, rows", expected.kernels_by_name.len() as i64, &found.len().into())?;
    let classes: i64 =
        rows(analysis, "kernels.by_class").iter().filter_map(|row| row["time_ns"].as_i64()).sum();
    same("kernels.by_class, sum of time_ns", expected.kernels.time_ns, &classes.into())
}

/// Blocks whose row names are the analyzer's own: their sums, and devices.
fn sums(expected: &Expected, analysis: &Value) -> Result<(), String> {
    let Tally { count, time_ns, .. } = expected.copies;
    for (key, value) in [("count", count), ("time_ns", time_ns)] {
        let found: i64 = rows(analysis, "copies").iter().filter_map(|row| row[key].as_i64()).sum();
        same(&format!("copies, sum of {key}"), value, &found.into())?;
    }
    let graphs = expected.graphs;
    if graphs.count > 0 || !analysis["graphs"].is_null() {
        same("graphs.count", graphs.count, &find(analysis, "graphs.count"))?;
        same("graphs.time_ns", graphs.time_ns, &find(analysis, "graphs.time_ns"))?;
    }
    let busy: BTreeMap<i64, i64> = rows(analysis, "gpu.by_device")
        .iter()
        .filter_map(|row| Some((row["device"].as_i64()?, row["busy_ns"].as_i64()?)))
        .filter(|(_, busy)| *busy > 0)
        .collect();
    if busy == expected.busy_by_device {
        Ok(())
    } else {
        Err(format!("gpu.by_device: expected {:?}, found {busy:?}", expected.busy_by_device))
    }
}

fn rows(analysis: &Value, key: &str) -> Vec<Value> {
    find(analysis, key).as_array().cloned().unwrap_or_default()
}

fn by(analysis: &Value, key: &str, name: &str) -> BTreeMap<String, Value> {
    let named = |row: Value| row[name].as_str().map(str::to_owned).map(|name| (name, row));
    rows(analysis, key).into_iter().filter_map(named).collect()
}

fn same(key: &str, expected: i64, found: &Value) -> Result<(), String> {
    if found.as_i64() == Some(expected) {
        Ok(())
    } else {
        Err(format!("{key}: expected {expected}, found {found}"))
    }
}

/// Linear interpolation between the closest ranks.
pub fn percentile(values: &[i64], p: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len().checked_sub(1)?) as f64 * p;
    let (low, high) = (sorted[rank.floor() as usize] as f64, sorted[rank.ceil() as usize] as f64);
    Some(low + (high - low) * rank.fract())
}
