//! Windows replayed with changes: the prediction that was asked for, and the sensitivity table.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::thread;

use super::apply::{self, Around, apply};
use super::change::{Change, What};
use super::composition::{self, Composition};
use super::document::{
    DeviceSlots, Fit, Gain, Left, Lengths, Limits, Machine, Misfit, NotMade, Outcome, PathStretch,
    Predicted, Prediction, Refusal, Replay, SCHEMA,
};
use super::extract::LeftOut;
use super::identity::{self, Identity, LARGEST_ERROR, LEAST_RECOMPUTED};
use super::interval;
use super::model::Model;
use super::program::Program;
use super::schedule::{ReturnCause, Scheduler};
use super::spikes::LayerRates;
use crate::attribution::document::{Tool, TraceAbout};
use crate::finding::{self, Finding, Severity};
use crate::stats::Summary;
use crate::units::{Nanos, TraceTime};
use crate::windows::{Window, WindowSet};

/// Below this share of contained work the windows measure issuing, not latency.
const CONTAINED: f64 = 0.5;
/// Classes that get a row of their own in the table.
const CLASSES: usize = 4;

/// What is asked.
pub struct Question<'a> {
    /// The change to predict, in parts that are made one after the other.
    pub changes: Vec<Change>,
    /// Whether to try every standard change.
    pub table: bool,
    /// Spike rates of layers; the reason when there are none.
    pub rates: Result<&'a LayerRates, String>,
    /// Whether a sidecar was named.
    pub has_sidecar: bool,
    /// What made the document.
    pub tool: Tool,
    /// Which trace.
    pub trace: Option<TraceAbout>,
    /// Threads to replay with.
    pub jobs: Option<NonZeroUsize>,
}

/// A change, or several in a row, and what came of it.
struct Trial<'a> {
    name: String,
    changes: Vec<&'a Change>,
}

/// What a trial gave, window by window.
#[derive(Default)]
struct Tried {
    lengths: Vec<i64>,
    path: Composition,
}

/// What some windows gave.
#[derive(Default)]
struct Part {
    identities: Vec<Identity>,
    left_out: BTreeMap<LeftOut, usize>,
    misfit: BTreeMap<u32, i64>,
    baseline: Tried,
    tried: Vec<Tried>,
    gpu_only: i64,
    cpu_only: i64,
    launched: i64,
    contained: i64,
    first: Vec<PathStretch>,
    first_start: Option<TraceTime>,
}

/// Answers a question about the windows of a set.
///
/// # Errors
/// The reason, in a sentence, when `spikes` was asked for and the ranges or rates are missing.
pub fn whatif(
    model: &Model<'_>,
    set: &WindowSet,
    question: &Question<'_>,
) -> Result<Replay, String> {
    let asks_spikes = question.changes.iter().any(|change| matches!(change.what, What::Spikes));
    if asks_spikes && let Err(reason) = &question.rates {
        return Err(format!("`spikes` cannot be replayed: {reason}"));
    }
    let standard = standard(model, set, question);
    let mut trials: Vec<Trial<'_>> = Vec::new();
    if !question.changes.is_empty() {
        let name = question.changes.iter().map(|change| change.typed.as_str()).collect::<Vec<_>>();
        trials.push(Trial { name: name.join(" + "), changes: question.changes.iter().collect() });
    }
    let asked = trials.len();
    for change in &standard {
        trials.push(Trial { name: change.typed.clone(), changes: vec![change] });
    }
    let part = replay_all(model, set, question, &trials);
    Ok(document(model, set, question, &trials, asked, part))
}

/// The changes that every table tries, as far as the windows hold what they change.
fn standard(model: &Model<'_>, set: &WindowSet, question: &Question<'_>) -> Vec<Change> {
    if !question.table {
        return Vec::new();
    }
    let mut texts: Vec<String> = ["launch-cost x0", "launch-cost x0.5", "host x0", "host x0.5"]
        .into_iter()
        .chain(["graph", "overlap-copies", "gpu-clock x1.2", "gpu-clock x2"])
        .map(str::to_owned)
        .collect();
    let time = class_time(model, set);
    let held =
        |classes: &[crate::classify::ClassId]| classes.iter().any(|class| time.contains_key(class));
    for group in model.rules.groups() {
        if group.headline_reading().is_some_and(|reading| held(&reading.classes)) {
            texts.push(format!("scale group:{} 0.5", group.name));
            texts.push(format!("scale group:{} 0", group.name));
        }
    }
    let mut classes: Vec<_> = time.iter().collect();
    classes.sort_by_key(|(class, time)| (std::cmp::Reverse(**time), **class));
    for (class, _) in classes.iter().take(CLASSES) {
        texts.push(format!("scale class:{} 0.5", model.rules.class_name(**class)));
    }
    for (verb, name) in [("remove", "conv/helper"), ("fuse", "elementwise")] {
        if model.rules.class(name).is_some_and(|class| held(&[class])) {
            texts.push(format!("{verb} class:{name}"));
        }
    }
    if question.rates.is_ok() {
        texts.push("spikes".to_owned());
    }
    texts.iter().filter_map(|text| Change::parse(text, model.rules).ok()).collect()
}

/// Kernel time by class of what the windows launch.
fn class_time(model: &Model<'_>, set: &WindowSet) -> BTreeMap<crate::classify::ClassId, i64> {
    let mut time = BTreeMap::new();
    for program in set.windows.iter().filter_map(|window| model.program(set, window).ok()).take(100)
    {
        for op in program.ops.iter().filter(|op| op.own) {
            if let Some(class) = op.class {
                *time.entry(class).or_default() += op.duration;
            }
        }
    }
    time
}

/// Replays all windows, on several threads, and puts the parts together in order.
fn replay_all(
    model: &Model<'_>,
    set: &WindowSet,
    question: &Question<'_>,
    trials: &[Trial<'_>],
) -> Part {
    let jobs = question.jobs.or_else(|| thread::available_parallelism().ok());
    let jobs = jobs.map_or(1, NonZeroUsize::get).min(set.windows.len().div_ceil(8)).max(1);
    let chunk = set.windows.len().div_ceil(jobs).max(1);
    let parts: Vec<Part> = thread::scope(|scope| {
        let running: Vec<_> = set
            .windows
            .chunks(chunk)
            .map(|windows| scope.spawn(|| replay_some(model, set, windows, question, trials)))
            .collect();
        running.into_iter().filter_map(|handle| handle.join().ok()).collect()
    });
    let mut all =
        Part { tried: trials.iter().map(|_| Tried::default()).collect(), ..Part::default() };
    for part in parts {
        all.add(part);
    }
    all
}

impl Part {
    fn add(&mut self, part: Self) {
        self.identities.extend(part.identities);
        for (reason, count) in part.left_out {
            *self.left_out.entry(reason).or_default() += count;
        }
        for (function, ns) in part.misfit {
            *self.misfit.entry(function).or_default() += ns;
        }
        self.baseline.add(part.baseline);
        for (all, tried) in self.tried.iter_mut().zip(part.tried) {
            all.add(tried);
        }
        self.gpu_only += part.gpu_only;
        self.cpu_only += part.cpu_only;
        self.launched += part.launched;
        self.contained += part.contained;
        if self.first.is_empty() {
            (self.first, self.first_start) = (part.first, part.first_start);
        }
    }
}

impl Tried {
    fn add(&mut self, other: Self) {
        self.lengths.extend(other.lengths);
        self.path.merge(&other.path);
    }
}

fn replay_some(
    model: &Model<'_>,
    set: &WindowSet,
    windows: &[Window],
    question: &Question<'_>,
    trials: &[Trial<'_>],
) -> Part {
    let mut part =
        Part { tried: trials.iter().map(|_| Tried::default()).collect(), ..Part::default() };
    let mut scheduler = Scheduler::default();
    for window in windows {
        match model.program(set, window) {
            Err(reason) => *part.left_out.entry(reason).or_default() += 1,
            Ok(program) => {
                replay_one(model, window, &program, &mut scheduler, question, trials, &mut part);
            }
        }
    }
    part
}

fn replay_one(
    model: &Model<'_>,
    window: &Window,
    program: &Program,
    scheduler: &mut Scheduler,
    question: &Question<'_>,
    trials: &[Trial<'_>],
    part: &mut Part,
) {
    let identity = identity::replay(scheduler, program, window.index);
    part.baseline.lengths.push(identity.replayed_ns);
    part.baseline.path.add(program, &scheduler.run);
    if part.first.is_empty() {
        part.first = composition::stretches(model, program, &scheduler.run);
        part.first_start = Some(window.cpu.start());
    }
    note_misfit(scheduler, program, &mut part.misfit);
    part.identities.push(identity);
    part.launched += program.recorded.launched_ns;
    part.contained += program.recorded.contained_ns;

    let rate_of = |call| {
        question.rates.as_ref().ok().and_then(|rates| rates.rate(model.trace(), window, call))
    };
    let costs = model.launch_costs(program);
    let around = Around {
        trace: model.trace(),
        graph_launch: costs.0,
        launch_latency: costs.1,
        rate_of: &rate_of,
    };
    for (trial, tried) in trials.iter().zip(&mut part.tried) {
        let mut changed = program.clone();
        for change in &trial.changes {
            apply(&mut changed, change, &around);
        }
        tried.lengths.push(scheduler.execute(&changed));
        tried.path.add(&changed, &scheduler.run);
    }
    let mut bound = program.clone();
    apply::without_cpu(&mut bound);
    part.gpu_only += scheduler.execute(&bound);
    bound.clone_from(program);
    apply::without_gpu(&mut bound);
    part.cpu_only += scheduler.execute(&bound);
}

/// Adds replayed minus recorded time of the calls that wait.
fn note_misfit(scheduler: &Scheduler, program: &Program, misfit: &mut BTreeMap<u32, i64>) {
    let lane = program.lanes[program.main_lane()];
    for at in lane.steps.0..lane.steps.1 {
        let step = &program.steps[at as usize];
        let at = at as usize;
        if step.waited || scheduler.run.ret_cause[at] != Some(ReturnCause::Own) {
            let took = scheduler.run.ret[at] - scheduler.run.entry[at];
            *misfit.entry(step.function).or_default() += took - step.recorded;
        }
    }
}

fn document(
    model: &Model<'_>,
    set: &WindowSet,
    question: &Question<'_>,
    trials: &[Trial<'_>],
    asked: usize,
    part: Part,
) -> Replay {
    let fit = fit(model, &part);
    let refused = refusal(set, &part, fit.as_ref());
    let mut findings = findings(set, &part, fit.as_ref());
    finding::sort(&mut findings);
    let answers = refused.is_none();
    let replayed = &part.baseline.lengths;
    let mut tried = trials.iter().zip(&part.tried);
    let prediction = tried
        .by_ref()
        .take(asked)
        .next()
        .filter(|_| answers)
        .and_then(|(trial, tried)| prediction(model, trial, tried, &part.identities));
    let mut sensitivity: Vec<Gain> = trials[asked..]
        .iter()
        .zip(&part.tried[asked..])
        .filter(|_| answers)
        .filter_map(|(trial, tried)| gain_row(model, trial, tried, replayed))
        .collect();
    sensitivity.sort_by(|a, b| b.gain.total_cmp(&a.gain).then_with(|| a.change.cmp(&b.change)));
    let machine = model.machine();
    Replay {
        schema: SCHEMA.to_owned(),
        tool: question.tool.clone(),
        trace: question.trace.clone(),
        spec: set.spec.clone(),
        windows: set.windows.len(),
        left_out: part
            .left_out
            .iter()
            .map(|(reason, count)| Left { reason: reason.to_string(), count: *count })
            .collect(),
        machine: Machine {
            queue_depth: machine.queue_depth,
            slots: machine
                .slots
                .iter()
                .map(|(device, kernels)| DeviceSlots { device: *device, kernels: *kernels })
                .collect(),
            kernel_gap_ns: Nanos::from_ns(machine.kernel_gap_ns),
            kernel_gap_seen: machine.gap_seen,
            stream_waits: machine.edges.0,
            contradicted: machine.edges.1,
        },
        baseline: outcome(model, &part.baseline).filter(|_| answers),
        limits: (answers && !replayed.is_empty()).then(|| Limits {
            gpu_only_ns: Nanos::from_ns(part.gpu_only),
            cpu_only_ns: Nanos::from_ns(part.cpu_only),
            critical_path_ns: Nanos::from_ns(replayed.iter().sum()),
            critical_path_on_cpu_ns: Nanos::from_ns(part.baseline.path.on_cpu()),
        }),
        identity: fit,
        refused,
        prediction,
        sensitivity,
        not_made: not_made(question),
        seed: interval::SEED,
        first_start_ns: part.first_start.filter(|_| answers),
        path_of_first: if answers { part.first } else { Vec::new() },
        findings,
    }
}

fn not_made(question: &Question<'_>) -> Vec<NotMade> {
    match &question.rates {
        Err(reason) if question.table && question.has_sidecar => {
            vec![NotMade { change: "spikes".to_owned(), reason: reason.clone() }]
        }
        _ => Vec::new(),
    }
}

/// The middle of unsorted numbers.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some(f64::midpoint(values[last / 2], values[last.div_ceil(2)]))
}

fn fit(model: &Model<'_>, part: &Part) -> Option<Fit> {
    let all = &part.identities;
    let worst = all.iter().max_by(|a, b| a.error().abs().total_cmp(&b.error().abs()))?;
    let recorded: i64 = all.iter().map(|identity| identity.recorded_ns).sum();
    let replayed: i64 = all.iter().map(|identity| identity.replayed_ns).sum();
    let recomputed: i64 = all.iter().map(|identity| identity.recomputed_ns).sum();
    let recomputed_share = recomputed as f64 / recorded as f64;
    let last: Vec<f64> =
        all.iter().filter_map(Identity::last_operation_error).map(f64::abs).collect();
    let misfit = part.misfit.iter().max_by_key(|(function, ns)| (ns.abs(), **function));
    Some(Fit {
        windows: all.len(),
        recorded_ns: Nanos::from_ns(recorded),
        replayed_ns: Nanos::from_ns(replayed),
        error_total: (replayed - recorded) as f64 / recorded as f64,
        error_median: median(all.iter().map(|of| of.error().abs()).collect())?,
        error_max: worst.error().abs(),
        error_max_window: worst.window,
        last_operation_error_median: median(last),
        recomputed_share,
        nothing_to_test: recomputed_share < LEAST_RECOMPUTED,
        misfit: misfit.filter(|(_, ns)| **ns != 0).map(|(function, ns)| Misfit {
            name: model.trace().calls.names()[*function as usize].text.clone(),
            difference_ns: Nanos::from_ns(*ns),
        }),
    })
}

fn refusal(set: &WindowSet, part: &Part, fit: Option<&Fit>) -> Option<Refusal> {
    let refuse = |code: &str, message: String| Some(Refusal { code: code.to_owned(), message });
    let Some(fit) = fit else {
        let reasons: Vec<String> =
            part.left_out.iter().map(|(reason, count)| format!("{count}: {reason}")).collect();
        return refuse("no-window", format!("no window can be replayed ({})", reasons.join("; ")));
    };
    let contained = part.contained as f64 / part.launched.max(1) as f64;
    if !set.projected && part.launched > 0 && contained < CONTAINED {
        return refuse(
            "not-contained",
            format!(
                "the windows contain {:.1} % of the GPU work that they launch: they measure issuing, not latency. Use \
                 gpu:{} or synchronise before the range ends",
                100.0 * contained,
                set.spec
            ),
        );
    }
    if fit.error_median > LARGEST_ERROR || fit.error_total.abs() > LARGEST_ERROR {
        let part = fit.misfit.as_ref().map_or_else(
            || "no waiting call differs: the end of the last operation does".to_owned(),
            |misfit| format!("`{}` differs most ({} in all)", misfit.name, misfit.difference_ns),
        );
        return refuse(
            "model-does-not-fit",
            format!(
                "an unchanged replay misses the record by {:.1} % (median window {:.1} %): {part}",
                100.0 * fit.error_total,
                100.0 * fit.error_median
            ),
        );
    }
    None
}

fn findings(set: &WindowSet, part: &Part, fit: Option<&Fit>) -> Vec<Finding> {
    let mut all = set.findings.clone();
    if let Some(fit) = fit.filter(|fit| fit.nothing_to_test) {
        all.push(
            Finding::new(
                "replay-nothing-to-test",
                Severity::Info,
                format!(
                    "{:.1} % of the wall was recomputed, the rest is the host's pace as recorded: that an unchanged \
                     replay fits proves little here",
                    100.0 * fit.recomputed_share
                ),
                "read the predictions as arithmetic on the recorded pace; a window that waits for the GPU tests the model",
            )
            .with("recomputed_share", fit.recomputed_share),
        );
    }
    let left: usize = part.left_out.values().sum();
    if left > 0 {
        let reasons: Vec<String> =
            part.left_out.iter().map(|(reason, count)| format!("{count}: {reason}")).collect();
        all.push(
            Finding::new(
                "windows-not-replayed",
                Severity::Warning,
                format!("{left} windows were left out ({})", reasons.join("; ")),
                "the answer is about the others",
            )
            .with("windows", left),
        );
    }
    let count = part.identities.len();
    if count > 0 && count < interval::FEWEST_WINDOWS {
        all.push(
            Finding::new(
                "too-few-windows",
                Severity::Info,
                format!(
                    "{count} windows are too few for an interval: the range over windows is given"
                ),
                "record at least 20 windows",
            )
            .with("windows", count),
        );
    }
    all
}

fn outcome(model: &Model<'_>, tried: &Tried) -> Option<Outcome> {
    Some(Outcome {
        lengths: lengths(&tried.lengths)?,
        path: tried.path.parts(model),
        bound_by: tried.path.bound(model),
    })
}

fn lengths(all: &[i64]) -> Option<Lengths> {
    let summary = Summary::of_ints(all)?;
    let ns = |value: f64| Nanos::from_ns(value.round() as i64);
    Some(Lengths {
        count: summary.count,
        total_ns: Nanos::from_ns(all.iter().sum()),
        mean_ns: ns(summary.mean),
        stddev_ns: summary.stddev.map(ns),
        min_ns: ns(summary.min),
        p50_ns: ns(summary.p50),
        p90_ns: ns(summary.p90),
        p95_ns: ns(summary.p95),
        p99_ns: ns(summary.p99),
        max_ns: ns(summary.max),
    })
}

fn gain(replayed: &[i64], predicted: &[i64]) -> f64 {
    1.0 - predicted.iter().sum::<i64>() as f64 / (replayed.iter().sum::<i64>() as f64).max(1.0)
}

fn prediction(
    model: &Model<'_>,
    trial: &Trial<'_>,
    tried: &Tried,
    identities: &[Identity],
) -> Option<Prediction> {
    let replayed: Vec<i64> = identities.iter().map(|identity| identity.replayed_ns).collect();
    let each = || {
        let pairs = replayed.iter().zip(&tried.lengths);
        pairs.map(|(before, after)| 1.0 - *after as f64 / (*before).max(1) as f64)
    };
    Some(Prediction {
        changes: trial.changes.iter().map(|change| change.typed.clone()).collect(),
        outcome: outcome(model, tried)?,
        gain: gain(&replayed, &tried.lengths),
        gain_ci95: interval::gain_interval(&replayed, &tried.lengths),
        gain_range: [
            each().fold(f64::INFINITY, f64::min),
            each().fold(f64::NEG_INFINITY, f64::max),
        ],
        by_window: identities
            .iter()
            .zip(&tried.lengths)
            .map(|(identity, predicted)| Predicted {
                window: identity.window,
                recorded_ns: Nanos::from_ns(identity.recorded_ns),
                replayed_ns: Nanos::from_ns(identity.replayed_ns),
                predicted_ns: Nanos::from_ns(*predicted),
            })
            .collect(),
    })
}

fn gain_row(model: &Model<'_>, trial: &Trial<'_>, tried: &Tried, replayed: &[i64]) -> Option<Gain> {
    Some(Gain {
        change: trial.name.clone(),
        mean_ns: lengths(&tried.lengths)?.mean_ns,
        gain: gain(replayed, &tried.lengths),
        gain_ci95: interval::gain_interval(replayed, &tried.lengths),
        bound_by: tried.path.bound(model),
    })
}
