//! From replayed windows to the document: does it fit, what bounds it, what would change it, what to doubt.

use super::document::{
    DeviceSlots, Fit, Gain, Left, Limits, Machine, Misfit, NotMade, Outcome, Predicted, Prediction,
    Refusal, Replay, SCHEMA,
};
use super::identity::{Identity, LARGEST_ERROR, LEAST_RECOMPUTED};
use super::model::Model;
use super::whatif::{Part, Question, Trial, Tried};
use crate::finding::{self, Finding, Severity};
use crate::stats::{self, Lengths};
use crate::units::Nanos;
use crate::windows::WindowSet;

/// Below this share of contained work the windows measure issuing, not latency.
const CONTAINED: f64 = 0.5;
/// So many questions a window whether work is done are polling.
const MANY_QUERIES: usize = 10;

/// The document of what was tried; the first `asked` trials are the question, the rest is the table.
pub(super) fn document(
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
    let first = trials.first().zip(part.tried.first()).filter(|_| answers && asked > 0);
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
        machine: machine(model),
        baseline: outcome(model, &part.baseline).filter(|_| answers),
        limits: limits(&part).filter(|_| answers),
        prediction: first
            .and_then(|(trial, tried)| prediction(model, trial, tried, &part.identities)),
        sensitivity: if answers { table(model, trials, asked, &part) } else { Vec::new() },
        identity: fit,
        refused,
        not_made: not_made(question),
        seed: stats::SEED,
        first_start_ns: part.first_start.filter(|_| answers),
        path_of_first: if answers { part.first } else { Vec::new() },
        findings,
    }
}

/// What the record says of the machine.
fn machine(model: &Model<'_>) -> Machine {
    let machine = model.machine();
    let slots = machine.slots.iter();
    Machine {
        queue_depth: machine.queue_depth,
        slots: slots
            .map(|(device, kernels)| DeviceSlots { device: *device, kernels: *kernels })
            .collect(),
        kernel_gap_ns: Nanos::from_ns(machine.kernel_gap_ns),
        kernel_gap_seen: machine.gap_seen,
        stream_waits: machine.edges.0,
        contradicted: machine.edges.1,
    }
}

/// What no change of one kind can go below.
fn limits(part: &Part) -> Option<Limits> {
    let replayed = &part.baseline.lengths;
    (!replayed.is_empty()).then(|| Limits {
        gpu_only_ns: Nanos::from_ns(part.gpu_only),
        cpu_only_ns: Nanos::from_ns(part.cpu_only),
        critical_path_ns: Nanos::from_ns(replayed.iter().sum()),
        critical_path_on_cpu_ns: Nanos::from_ns(part.baseline.path.on_cpu()),
    })
}

/// The table of standard changes, the largest gain first.
fn table(model: &Model<'_>, trials: &[Trial<'_>], asked: usize, part: &Part) -> Vec<Gain> {
    let replayed = &part.baseline.lengths;
    let mut gains: Vec<Gain> = trials[asked..]
        .iter()
        .zip(&part.tried[asked..])
        .filter_map(|(trial, tried)| gain_row(model, trial, tried, replayed))
        .collect();
    gains.sort_by(|a, b| b.gain.total_cmp(&a.gain).then_with(|| a.change.cmp(&b.change)));
    gains
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
    if part.queries > MANY_QUERIES * count {
        all.push(
            Finding::new(
                "waits-by-polling",
                Severity::Warning,
                format!(
                    "{} calls ask whether work is done (cudaEventQuery, cudaStreamQuery): time that passes between them \
                     is a wait in disguise and stays as recorded",
                    part.queries
                ),
                "wait with cudaEventSynchronize or cudaStreamSynchronize while tracing",
            )
            .with("calls", part.queries),
        );
    }
    if count > 0 && count < stats::LEAST_WINDOWS {
        all.push(
            Finding::new(
                "too-few-windows",
                Severity::Info,
                format!(
                    "{count} {} too few for a 95 % interval of a gain (`gain_ci95` is null): the least and the greatest \
                     gain of a window stand beside it (`gain_range`)",
                    if count == 1 { "window is" } else { "windows are" }
                ),
                "record at least 20 windows",
            )
            .with("windows", count),
        );
    }
    all.extend(alike(&part.baseline.lengths));
    all
}

/// Windows that are so alike that the intervals of gains are too narrow.
fn alike(replayed: &[i64]) -> Option<Finding> {
    let enough = replayed.len() >= stats::LEAST_WINDOWS;
    let alike = enough.then(|| stats::alike(&floats(replayed)))??;
    let found = Finding::new(
        "neighbours-alike",
        Severity::Warning,
        format!(
            "the windows are alike over {} neighbours (correlation of the next {:.2}), which leaves {:.0} independent \
             stretches: intervals of gains held the truth in 83 to 88 % of simulated cases, not in 95 %",
            alike.length, alike.next, alike.blocks
        ),
        "record a longer run; docs/intervals.md has the coverage",
    );
    Some(found.with("block_length", alike.length).with("autocorrelation", alike.next))
}

fn floats(lengths: &[i64]) -> Vec<f64> {
    lengths.iter().map(|length| *length as f64).collect()
}

fn outcome(model: &Model<'_>, tried: &Tried) -> Option<Outcome> {
    Some(Outcome {
        lengths: Lengths::of(&tried.lengths)?,
        path: tried.path.parts(model),
        bound_by: tried.path.bound(model),
    })
}

fn gain(replayed: &[i64], predicted: &[i64]) -> f64 {
    1.0 - predicted.iter().sum::<i64>() as f64 / (replayed.iter().sum::<i64>() as f64).max(1.0)
}

/// The 95 % interval of a gain over windows; the common bootstrap gives that of what remains.
fn gain_interval(replayed: &[i64], predicted: &[i64]) -> Option<[f64; 2]> {
    let remains = stats::block_change(&floats(replayed), &floats(predicted))?;
    remains.ci95.map(|[low, high]| [1.0 - high, 1.0 - low])
}

/// The least and the greatest gain of a window by itself; nothing without windows.
fn gain_range(replayed: &[i64], predicted: &[i64]) -> Option<[f64; 2]> {
    let each = || {
        let pairs = replayed.iter().zip(predicted);
        pairs.map(|(before, after)| 1.0 - *after as f64 / (*before).max(1) as f64)
    };
    Some([each().reduce(f64::min)?, each().reduce(f64::max)?])
}

fn prediction(
    model: &Model<'_>,
    trial: &Trial<'_>,
    tried: &Tried,
    identities: &[Identity],
) -> Option<Prediction> {
    let replayed: Vec<i64> = identities.iter().map(|identity| identity.replayed_ns).collect();
    Some(Prediction {
        changes: trial.changes.iter().map(|change| change.typed.clone()).collect(),
        outcome: outcome(model, tried)?,
        gain: gain(&replayed, &tried.lengths),
        gain_ci95: gain_interval(&replayed, &tried.lengths),
        gain_range: gain_range(&replayed, &tried.lengths)?,
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
        mean_ns: Lengths::of(&tried.lengths)?.mean_ns,
        gain: gain(replayed, &tried.lengths),
        gain_ci95: gain_interval(replayed, &tried.lengths),
        gain_range: gain_range(replayed, &tried.lengths),
        bound_by: tried.path.bound(model),
    })
}
