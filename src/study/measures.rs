//! One quantity of one model: values of its checkpoints, mean and interval over them.
//!
//! Below 20 checkpoints the interval is Student's t on the checkpoints' values, on logarithms for times,
//! energies and powers; ratios are taken of the pairs that share a checkpoint, on logarithms
//! ([`crate::stats`]). An interval of a share is cut at 0 and 1.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Measure;
use super::published::PublishedNumbers;
use crate::attribution::Analysis;
use crate::attribution::energy_document::Energy;
use crate::stats::{self, Estimated, Pairing};
use crate::units::{Millijoules, Milliwatts, Nanos, Share};

/// Classes below this share of kernel time in every model have no row.
const SMALL_CLASS: f64 = 0.01;
const CLASS: &str = "share(class ";
const IDLE: &str = "idle of wall: ";

/// What is measured: its name and its unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct What {
    pub(super) quantity: String,
    pub(super) unit: &'static str,
}

impl What {
    pub(super) fn new(quantity: &str, unit: &'static str) -> Self {
        Self { quantity: quantity.to_owned(), unit }
    }
}

/// A measure from the values of checkpoints; `why` says what is wrong when there is none.
pub(super) fn measure(
    what: &What,
    model: &str,
    by_checkpoint: BTreeMap<String, f64>,
    why: &str,
    published: Option<&PublishedNumbers>,
) -> Measure {
    let values: Vec<f64> = by_checkpoint.values().copied().collect();
    let found = centre(&values, what);
    let method = found.as_ref().map_or_else(String::new, |found| of_checkpoints(&found.method));
    Measure {
        quantity: what.quantity.clone(),
        unit: what.unit.to_owned(),
        model: model.to_owned(),
        over: None,
        mean: found.as_ref().map(|found| found.value),
        stddev: stats::variance(&values).map(f64::sqrt),
        ci95: found.and_then(|found| found.ci95),
        method,
        published: published.and_then(|all| all.of(&what.quantity, model, None, what.unit)),
        missing: values.is_empty().then(|| why.to_owned()),
        by_checkpoint,
    }
}

/// The ratio of two models' measures over the checkpoints that both have.
pub(super) fn ratio(
    above: &Measure,
    below: &Measure,
    published: Option<&PublishedNumbers>,
) -> Measure {
    let pairs: Vec<(&String, f64, f64)> = above
        .by_checkpoint
        .iter()
        .filter_map(|(name, a)| Some((name, *a, *below.by_checkpoint.get(name)?)))
        .collect();
    let values = |pick: fn(&(&String, f64, f64)) -> f64| pairs.iter().map(pick).collect::<Vec<_>>();
    let found = stats::ratio(&values(|pair| pair.2), &values(|pair| pair.1), Pairing::Paired);
    let by_checkpoint: BTreeMap<String, f64> = pairs
        .iter()
        .filter(|(_, _, b)| *b > 0.0)
        .map(|(name, a, b)| ((*name).clone(), a / b))
        .collect();
    let spread: Vec<f64> = by_checkpoint.values().copied().collect();
    let told = published
        .and_then(|all| all.of(&above.quantity, &above.model, Some(&below.model), "ratio"));
    let why = above.missing.clone().or_else(|| below.missing.clone());
    Measure {
        quantity: above.quantity.clone(),
        unit: "ratio".to_owned(),
        model: above.model.clone(),
        over: Some(below.model.clone()),
        mean: found.as_ref().map(|found| found.value),
        stddev: stats::variance(&spread).map(f64::sqrt),
        ci95: found.as_ref().and_then(|found| found.ci95),
        method: found.as_ref().map_or_else(String::new, |found| of_checkpoints(&found.method)),
        published: told,
        missing: found
            .is_none()
            .then(|| why.unwrap_or_else(|| "no checkpoint has both values".to_owned())),
        by_checkpoint,
    }
}

/// Times, energies and powers have their interval on logarithms; shares have theirs cut at what a share can
/// be.
fn centre(values: &[f64], what: &What) -> Option<Estimated> {
    let mut found = stats::centre(values)?;
    if what.unit == "share" {
        let most = if what.quantity == "error" { f64::INFINITY } else { 1.0 };
        found.ci95 = found.ci95.map(|[low, high]| [low.max(0.0), high.min(most)]);
        return Some(found);
    }
    if found.ci95.is_none() || values.iter().any(|value| *value <= 0.0) {
        return Some(found);
    }
    let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
    let on_logs = stats::centre(&logs)?.map(f64::exp);
    Some(Estimated {
        value: found.value,
        ci95: on_logs.ci95,
        method: format!("{}, on logarithms", on_logs.method),
    })
}

fn of_checkpoints(method: &str) -> String {
    method.replace("units", "checkpoints").replace("one unit", "one checkpoint")
}

/// What the windows of untraced runs give, each with how it is taken from one checkpoint's.
pub(super) fn latencies(analysis: &Analysis) -> Vec<(What, f64)> {
    let windows = &analysis.windows;
    [
        ("latency", windows.mean_ns),
        ("latency(p50)", windows.p50_ns),
        ("latency(p95)", windows.p95_ns),
        ("latency(p99)", windows.p99_ns),
    ]
    .into_iter()
    .filter_map(|(name, time)| Some((What::new(name, "ns"), time?.as_ns() as f64)))
    .collect()
}

/// Energies and powers on the first rail, above idle and in all.
pub(super) fn of_energy(energy: &Energy, latency: Nanos) -> Vec<(What, f64)> {
    let power = |mj: Option<Millijoules>| mj?.per(latency).map(Milliwatts::as_mw);
    [
        ("energy(total)", "mj", energy.total_mj.map(Millijoules::as_mj)),
        ("energy(dynamic)", "mj", energy.dynamic_mj.map(Millijoules::as_mj)),
        ("power(total)", "mw", power(energy.total_mj)),
        ("power(dynamic)", "mw", power(energy.dynamic_mj)),
        ("power(idle)", "mw", energy.idle_mw.map(Milliwatts::as_mw)),
    ]
    .into_iter()
    .filter_map(|(name, unit, value)| Some((What::new(name, unit), value?)))
    .collect()
}

/// What untraced runs give when everything is there.
pub(super) const COST: [(&str, &str); 9] = [
    ("latency", "ns"),
    ("latency(p50)", "ns"),
    ("latency(p95)", "ns"),
    ("latency(p99)", "ns"),
    ("energy(total)", "mj"),
    ("energy(dynamic)", "mj"),
    ("power(total)", "mw"),
    ("power(dynamic)", "mw"),
    ("power(idle)", "mw"),
];

/// What traced runs give at least when everything is there.
pub(super) const ATTRIBUTION: [(&str, &str); 7] = [
    ("launches per window", "count"),
    ("kernels per window", "count"),
    ("share(cudaLaunchKernel)", "share"),
    ("share(launch family)", "share"),
    ("API cover of wall", "share"),
    ("GPU busy of wall", "share"),
    ("share(dense-convolution)", "share"),
];

/// Quantities whose value is zero, not missing, where another of the same kind is there.
fn is_part(quantity: &str) -> Option<&'static str> {
    [CLASS, IDLE].into_iter().find(|kind| quantity.starts_with(kind))
}

/// Every share that a traced analysis has.
pub(super) fn shares(analysis: &Analysis) -> Vec<(What, f64)> {
    let mut found = Vec::new();
    let mut add = |name: String, share: Option<Share>| {
        if let Some(share) = share {
            found.push((What { quantity: name, unit: "share" }, share.as_f64()));
        }
    };
    if let Some(api) = &analysis.api {
        let named = |name: &str| api.by_name.iter().find(|one| one.name == name);
        add(
            "share(cudaLaunchKernel)".to_owned(),
            named("cudaLaunchKernel").and_then(|one| one.share),
        );
        add("share(launch family)".to_owned(), api.launch.share);
        add("API cover of wall".to_owned(), api.cover_share);
    }
    if let Some(gpu) = &analysis.gpu {
        add("GPU busy of wall".to_owned(), analysis.windows.share_of_wall(gpu.busy_ns));
    }
    if let Some(kernels) = &analysis.kernels {
        for group in &kernels.groups {
            for reading in &group.readings {
                let headline = reading.name == group.headline;
                if headline {
                    add(format!("share({})", group.name), reading.share);
                } else {
                    add(format!("share({}/{})", group.name, reading.name), reading.share);
                }
            }
        }
        for class in &kernels.by_class {
            add(format!("{CLASS}{})", class.class), class.share);
        }
    }
    if let Some(idle) = &analysis.idle {
        for (name, time) in [
            ("head", idle.head_ns),
            ("launch", idle.launch_ns),
            ("queue", idle.queue_ns),
            ("api", idle.api_ns),
            ("sync", idle.sync_ns),
            ("host", idle.host_ns),
            ("of host: dispatch", idle.dispatch_ns),
            ("tail", idle.tail_ns),
            ("unknown", idle.unknown_ns),
        ] {
            add(format!("{IDLE}{name}"), analysis.windows.share_of_wall(time));
        }
    }
    found
}

/// How many calls and kernels a window has.
pub(super) fn counts(analysis: &Analysis) -> Vec<(What, f64)> {
    let windows = analysis.windows.count as f64;
    let mut found = Vec::new();
    if let Some(api) = analysis.api.as_ref().filter(|_| windows > 0.0) {
        found.push((What::new("launches per window", "count"), api.launch.calls as f64 / windows));
    }
    if let Some(kernels) = analysis.kernels.as_ref().filter(|_| windows > 0.0) {
        found.push((What::new("kernels per window", "count"), kernels.count as f64 / windows));
    }
    found
}

/// The values of a model: its checkpoints with what each gives.
pub(super) type OfModel = Vec<(String, Vec<(What, f64)>)>;

/// Measures of all models from what each checkpoint gives: the standard quantities first, then others in
/// the order in which they occur. `why` says for a model and a quantity why there is no value.
pub(super) fn table(
    models: &[String],
    values: &[OfModel],
    standard: &[(&str, &'static str)],
    why: &dyn Fn(usize, &str) -> String,
    published: Option<&PublishedNumbers>,
) -> Vec<Measure> {
    let mut order: Vec<What> = standard.iter().map(|(name, unit)| What::new(name, unit)).collect();
    let mut seen: BTreeSet<String> = order.iter().map(|what| what.quantity.clone()).collect();
    for (what, _) in values.iter().flatten().flat_map(|(_, all)| all) {
        if seen.insert(what.quantity.clone()) {
            order.push(what.clone());
        }
    }
    let mut rows = Vec::new();
    for what in order {
        let row = |(m, model): (usize, &String)| {
            let of = |(checkpoint, all): &(String, Vec<(What, f64)>)| {
                Some((checkpoint.clone(), value(&what.quantity, all)?))
            };
            let by_checkpoint = values[m].iter().filter_map(of).collect();
            measure(&what, model, by_checkpoint, &why(m, &what.quantity), published)
        };
        let of_models: Vec<Measure> = models.iter().enumerate().map(row).collect();
        let least = if what.quantity.starts_with(CLASS) { SMALL_CLASS } else { f64::MIN_POSITIVE };
        let shown = |one: &Measure| one.mean.is_none_or(|mean| mean >= least);
        if is_part(&what.quantity).is_none() || of_models.iter().any(shown) {
            rows.extend(of_models);
        }
    }
    rows
}

fn value(quantity: &str, all: &[(What, f64)]) -> Option<f64> {
    let found = all.iter().find(|(one, _)| one.quantity == quantity).map(|(_, value)| *value);
    let zero = || {
        let kind = is_part(quantity)?;
        all.iter().any(|(one, _)| one.quantity.starts_with(kind)).then_some(0.0)
    };
    found.or_else(zero)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(model: &str, values: &[(&str, f64)]) -> Measure {
        let by = values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        measure(&What::new("latency", "ns"), model, by, "no run", None)
    }

    #[test]
    fn intervals_are_over_checkpoints_and_ratios_over_pairs() {
        let dense = of("dense", &[("a", 10.0), ("b", 20.0), ("c", 30.0)]);
        assert_eq!((dense.mean, dense.stddev), (Some(20.0), Some(10.0)));
        assert_eq!(dense.method, "Student's t, 3 checkpoints, on logarithms");
        assert!(dense.ci95.unwrap()[0] > 0.0, "{dense:?}");
        let vs = of("vs", &[("b", 22.0), ("c", 33.0), ("d", 99.0)]);
        let found = ratio(&vs, &dense, None);
        assert!((found.mean.unwrap() - 1.1).abs() < 1e-12, "{found:?}");
        assert_eq!(found.by_checkpoint.len(), 2);
    }

    #[test]
    fn a_class_that_a_checkpoint_lacks_is_zero_there_and_small_ones_have_no_row() {
        let class = |name: &str, share| (What::new(&format!("{CLASS}{name})"), "share"), share);
        let values = vec![vec![
            ("a".to_owned(), vec![class("fft", 0.4), class("copy", 0.001)]),
            ("b".to_owned(), vec![class("copy", 0.001)]),
        ]];
        let why = |_: usize, _: &str| "why".to_owned();
        let rows = table(&["m".to_owned()], &values, &[("latency", "ns")], &why, None);
        let names: Vec<&str> = rows.iter().map(|row| row.quantity.as_str()).collect();
        assert_eq!(names, ["latency", "share(class fft)"]);
        assert_eq!((rows[0].missing.as_deref(), rows[1].mean), (Some("why"), Some(0.2)));
    }

    #[test]
    fn what_is_missing_has_its_reason() {
        let none = of("dense", &[]);
        assert_eq!((none.mean, none.missing.as_deref()), (None, Some("no run")));
        let found = ratio(&of("vs", &[("a", 1.0)]), &none, None);
        assert_eq!(found.missing.as_deref(), Some("no run"));
    }
}
