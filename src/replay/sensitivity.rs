//! Does measured cost follow measured sparsity?
//!
//! A runtime that skips what does not spike would make a request cheaper in proportion to its spike rate. Each
//! request has a rate (from the sidecar, taken in a second, untimed forward) and costs (its window's length,
//! kernel time, kernel time of each group, launched kernels). Their slope says how far cost follows sparsity,
//! the interval how well that is known, and the proportional runtime stands beside it.

use std::collections::BTreeMap;

use super::document::Refusal;
use super::robust::{self, Point, Slope};
use super::sensitivity_document::{CostAgainstRate, InputAbout, Rates, SCHEMA, Sensitivity};
use crate::attribution::Analysis;
use crate::attribution::document::Tool;
use crate::classify::Classifier;
use crate::finding::{self, Finding, Severity};
use crate::runs::Sidecar;
use crate::stats::SEED;
use crate::units::signed;

/// Fewer requests give no slope.
const FEWEST: usize = 20;
/// A spread of rates (p95 − p5 over the median) below this can hardly show anything.
const NARROW: f64 = 0.10;
/// Correlation from which two things cannot be told apart.
const COLLINEAR: f64 = 0.90;
/// Correlation of rate and time from which a drift could be the slope.
const CONFOUNDED: f64 = 0.50;
/// Change of the cost of a proportional runtime when the rate halves.
const PROPORTIONAL: f64 = -0.5;
/// Classes below this part of kernel time are not tested.
const SMALL_CLASS: f64 = 0.05;

/// One run: its windows and what its program said.
pub struct RunOf<'a> {
    /// As it was named.
    pub path: String,
    /// The windows.
    pub analysis: &'a Analysis,
    /// The rates.
    pub sidecar: &'a Sidecar,
}

/// A request with everything that is known of it.
struct Measured {
    block: usize,
    at: usize,
    rate: f64,
    layers: Vec<f64>,
    costs: BTreeMap<String, f64>,
}

/// Tests every cost of some runs against their rates.
pub fn sensitivity(runs: &[RunOf<'_>], rules: &Classifier, tool: Tool) -> Sensitivity {
    let mut checkpoints: Vec<String> = Vec::new();
    let mut measured: Vec<Measured> = Vec::new();
    let mut inputs = Vec::new();
    let mut findings: Vec<Finding> = Vec::new();
    for run in runs {
        let checkpoint = checkpoint(run.sidecar);
        let name = checkpoint.clone().unwrap_or_else(|| run.path.clone());
        let block = checkpoints.iter().position(|known| *known == name).unwrap_or_else(|| {
            checkpoints.push(name);
            checkpoints.len() - 1
        });
        let before = measured.len();
        measure(run, block, rules, &mut measured);
        let windows = run.analysis.windows.instances.len();
        inputs.push(InputAbout {
            path: run.path.clone(),
            checkpoint,
            windows,
            with_rate: measured.len() - before,
        });
        findings.extend(unmatched(run, windows, measured.len() - before));
    }
    let rates = rates(&measured);
    let refused = refusal(&measured, rates);
    if refused.is_none() {
        findings.extend(doubts(&measured, rates));
    }
    let costs = if refused.is_none() { costs(&measured) } else { Vec::new() };
    finding::sort(&mut findings);
    Sensitivity {
        schema: SCHEMA.to_owned(),
        tool,
        spec: runs.first().map_or_else(String::new, |run| run.analysis.windows.spec.clone()),
        inputs,
        requests: measured.len(),
        rates,
        refused,
        costs,
        not_tested: vec![
            "energy: a power log gives the mean energy of a set of requests, not that of each; compare the energies of \
             runs with different rates instead"
                .to_owned(),
        ],
        seed: SEED,
        findings,
    }
}

fn checkpoint(sidecar: &Sidecar) -> Option<String> {
    sidecar.model.as_ref()?.checkpoint.as_ref().map(|checkpoint| checkpoint.id.clone())
}

/// The requests of a run that have a rate: windows by their number, in the order of time.
fn measure(run: &RunOf<'_>, block: usize, rules: &Classifier, into: &mut Vec<Measured>) {
    let weights: Vec<f64> = run
        .sidecar
        .layers
        .iter()
        .map(|layer| {
            let of = run.sidecar.spikes.iter().find(|spikes| spikes.layer == layer.index);
            of.map_or(1.0, |spikes| spikes.elements as f64)
        })
        .collect();
    for instance in &run.analysis.windows.instances {
        let request = run.sidecar.requests.get(instance.index);
        let Some(layers) = request.and_then(|request| request.spike_rates.clone()) else {
            continue;
        };
        let weight = |at: usize| weights.get(at).copied().filter(|_| weights.len() == layers.len());
        let total: f64 = (0..layers.len()).map(|at| weight(at).unwrap_or(1.0)).sum();
        if layers.is_empty() || total <= 0.0 {
            continue;
        }
        let rate = layers.iter().enumerate().map(|(at, rate)| rate * weight(at).unwrap_or(1.0));
        let rate = rate.sum::<f64>() / total;
        let mut costs = BTreeMap::new();
        costs.insert("latency".to_owned(), (instance.end_ns - instance.start_ns).as_ns() as f64);
        costs.insert("kernel time".to_owned(), instance.kernel_ns.as_ns() as f64);
        costs.insert("kernels launched".to_owned(), instance.kernels as f64);
        for group in rules.groups() {
            let Some(reading) = group.headline_reading() else { continue };
            let of = reading.classes.iter().filter_map(|class| {
                instance.class_ns.get(rules.class_name(*class)).map(|time| time.as_ns())
            });
            costs.insert(format!("kernel time of {}", group.name), of.sum::<i64>() as f64);
        }
        for (class, time) in &instance.class_ns {
            costs.insert(format!("kernel time of class {class}"), time.as_ns() as f64);
        }
        into.push(Measured { block, at: into.len(), rate, layers, costs });
    }
}

fn unmatched(run: &RunOf<'_>, windows: usize, with_rate: usize) -> Option<Finding> {
    (with_rate < windows).then(|| {
        Finding::new(
            "windows-without-rate",
            Severity::Warning,
            format!(
                "{}: {} of {windows} windows have no spike rate (the sidecar lists {} requests); they are left out",
                run.path,
                windows - with_rate,
                run.sidecar.requests.len()
            ),
            "let the program write spike_rates for each request, in the order in which they were made",
        )
        .with("windows", windows - with_rate)
    })
}

fn rates(measured: &[Measured]) -> Option<Rates> {
    let mut all: Vec<f64> = measured.iter().map(|of| of.rate).collect();
    all.sort_by(f64::total_cmp);
    let last = all.len().checked_sub(1)?;
    let at = |part: f64| all[(part * last as f64).round() as usize];
    Some(Rates { p05: at(0.05), p50: at(0.5), p95: at(0.95) })
}

fn refusal(measured: &[Measured], rates: Option<Rates>) -> Option<Refusal> {
    let refuse = |code: &str, message: String| Some(Refusal { code: code.to_owned(), message });
    if measured.len() < FEWEST {
        return refuse(
            "too-few-requests",
            format!(
                "{} requests have a spike rate; {FEWEST} are the least for a slope",
                measured.len()
            ),
        );
    }
    let rates = rates?;
    if rates.p50 <= 0.0 {
        return refuse(
            "no-spikes",
            "the median spike rate is 0: there is no rate to be relative to".to_owned(),
        );
    }
    if rates.p95 <= rates.p05 {
        return refuse(
            "constant-rate",
            "the spike rate never varies: nothing can follow it".to_owned(),
        );
    }
    None
}

fn doubts(measured: &[Measured], rates: Option<Rates>) -> Vec<Finding> {
    let mut all = Vec::new();
    let spread = rates.map_or(0.0, |rates| (rates.p95 - rates.p05) / rates.p50);
    if spread < NARROW {
        all.push(
            Finding::new(
                "narrow-rate-range",
                Severity::Warning,
                format!(
                    "90 % of the rates lie within {:.1} % of their median: a slope through so narrow a range says little \
                     about half the rate",
                    100.0 * spread
                ),
                "measure inputs or checkpoints whose rates differ more",
            )
            .with("spread", spread),
        );
    }
    let column =
        |layer: usize| -> Vec<f64> { measured.iter().map(|of| of.layers[layer]).collect() };
    let layers = measured.iter().map(|of| of.layers.len()).min().unwrap_or(0);
    let strongest = (0..layers)
        .flat_map(|a| (a + 1..layers).map(move |b| (a, b)))
        .filter_map(|(a, b)| Some((robust::correlation(&column(a), &column(b))?, a, b)))
        .max_by(|a, b| a.0.abs().total_cmp(&b.0.abs()));
    if let Some((r, a, b)) = strongest.filter(|(r, _, _)| r.abs() > COLLINEAR) {
        all.push(
            Finding::new(
                "collinear-rates",
                Severity::Info,
                format!(
                    "the rates of layers {a} and {b} rise and fall together (r = {r:.2}): a slope belongs to the mean rate, \
                     not to a layer"
                ),
                "vary the threshold of one layer at a time to tell layers apart",
            )
            .with("r", r),
        );
    }
    let rates: Vec<f64> = measured.iter().map(|of| of.rate).collect();
    let order: Vec<f64> = measured.iter().map(|of| of.at as f64).collect();
    if let Some(r) = robust::correlation(&rates, &order).filter(|r| r.abs() > CONFOUNDED) {
        all.push(
            Finding::new(
                "rate-follows-time",
                Severity::Warning,
                format!("the rate follows the order of the requests (r = {r:.2}): a drift of the machine looks like a slope"),
                "shuffle the order of the inputs",
            )
            .with("r", r),
        );
    }
    all
}

/// Every cost that is there and not small.
fn costs(measured: &[Measured]) -> Vec<CostAgainstRate> {
    let total = median_of(measured, "kernel time").unwrap_or(0.0);
    let mut names: Vec<&String> = measured.iter().flat_map(|of| of.costs.keys()).collect();
    names.sort_unstable_by_key(|name| (order(name), *name));
    names.dedup();
    names
        .into_iter()
        .filter(|name| {
            let median = median_of(measured, name).unwrap_or(0.0);
            median > 0.0 && (!name.contains("of class") || median >= SMALL_CLASS * total)
        })
        .filter_map(|name| {
            let points: Vec<Point> = measured
                .iter()
                .map(|of| Point {
                    block: of.block,
                    rate: of.rate,
                    cost: of.costs.get(name).copied().unwrap_or(0.0),
                })
                .collect();
            Some(against(name, median_of(measured, name)?, robust::slope(&points)?))
        })
        .collect()
}

/// Latency first, classes last.
fn order(name: &str) -> usize {
    match name {
        "latency" => 0,
        "kernel time" => 1,
        "kernels launched" => 2,
        _ if name.contains("of class") => 4,
        _ => 3,
    }
}

fn median_of(measured: &[Measured], name: &str) -> Option<f64> {
    robust::middle(measured.iter().map(|of| of.costs.get(name).copied().unwrap_or(0.0)).collect())
}

/// The verdict on one cost.
fn against(name: &str, median: f64, found: Slope) -> CostAgainstRate {
    // Half the rate is half a median less: the cost changes by −slope / 2.
    let halved = |slope: f64| 0.0 - slope / 2.0;
    let [low, high] = [halved(found.interval[1]), halved(found.interval[0])];
    let nothing = low <= 0.0 && 0.0 <= high;
    let all = low <= PROPORTIONAL && PROPORTIONAL <= high;
    let (verdict, words) = match (nothing, all) {
        (true, false) => ("does-not-follow", "it does not follow sparsity".to_owned()),
        (false, true) => ("follows", "it follows sparsity in proportion".to_owned()),
        (true, true) => ("cannot-tell", "the interval is too wide to tell".to_owned()),
        (false, false) if found.slope > 0.0 => {
            ("follows-in-part", format!("it follows by {:.0} % of that", 100.0 * found.slope))
        }
        (false, false) => ("does-not-follow", "it goes the other way".to_owned()),
    };
    CostAgainstRate {
        cost: name.to_owned(),
        median,
        slope: found.slope,
        slope_ci95: found.interval,
        when_halved: halved(found.slope),
        when_halved_ci95: [low, high],
        verdict: verdict.to_owned(),
        sentence: format!(
            "{name} changes by {} % [{}, {}] when the spike rate halves; proportional would be −50 %: {words}",
            signed(100.0 * halved(found.slope), 1),
            signed(100.0 * low, 1),
            signed(100.0 * high, 1)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(slope: f64, low: f64, high: f64) -> String {
        against("latency", 1.0, Slope { slope, interval: [low, high] }).verdict
    }

    #[test]
    fn verdicts_say_what_the_interval_allows() {
        assert_eq!(verdict(0.01, -0.02, 0.03), "does-not-follow");
        assert_eq!(verdict(0.98, 0.9, 1.05), "follows");
        assert_eq!(verdict(0.4, 0.3, 0.5), "follows-in-part");
        assert_eq!(verdict(0.5, -0.3, 1.2), "cannot-tell");
        assert_eq!(verdict(-0.3, -0.4, -0.2), "does-not-follow");
    }

    #[test]
    fn the_sentence_has_the_numbers() {
        let found = against("latency", 1.0, Slope { slope: -0.006, interval: [-0.02, 0.008] });
        assert_eq!(
            found.sentence,
            "latency changes by +0.3 % [-0.4, +1.0] when the spike rate halves; proportional would be −50 %: it does not \
             follow sparsity"
        );
    }
}
