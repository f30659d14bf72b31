//! Does cost follow sparsity, and what would change the latency?
//!
//! Sparsity: slopes of the latency over the requests of untraced runs, and of kernel time over those of
//! traced ones, against the spike rates of the same requests ([`crate::replay::sensitivity`]). What would
//! change it: standard changes replayed on one traced run of each checkpoint ([`crate::replay::whatif`]).

use super::cells::{FoundRun, Runs};
use super::document::{Answer, HALVED};
use super::plan::StudyPlan;
use super::requests::{self, tool};
use super::traced::Rules;
use crate::attribution::Analysis;
use crate::replay::document::Replay;
use crate::replay::sensitivity_document::Sensitivity;
use crate::replay::{RunOf, sensitivity};
use crate::runs::sidecar::ExecutionPath;

/// Whether any request of a model has spike rates.
pub(super) fn spikes(runs: &Runs, model: usize) -> bool {
    runs.found.iter().filter(|run| run.model == model).any(|run| {
        let sidecar = run.run.sidecar.iter();
        sidecar.flat_map(|sidecar| &sidecar.requests).any(|request| request.spike_rates.is_some())
    })
}

/// Latency against spike rate, over the untraced runs of a model.
pub(super) fn of_untraced(
    plan: &StudyPlan,
    runs: &Runs,
    model: usize,
    rules: &Rules,
) -> Sensitivity {
    let of: Vec<(&FoundRun, Analysis)> = (0..plan.checkpoint.len())
        .flat_map(|c| runs.of(model, c, ExecutionPath::Request, false))
        .filter_map(|run| Some((run, requests::analysis(&run.run, &plan.window)?)))
        .collect();
    slopes(of.iter().map(|(run, analysis)| (*run, analysis)), rules)
}

/// Every cost against spike rate, over some analysed runs.
pub(super) fn slopes<'a>(
    runs: impl Iterator<Item = (&'a FoundRun, &'a Analysis)>,
    rules: &Rules,
) -> Sensitivity {
    let of: Vec<RunOf<'_>> = runs
        .filter_map(|(found, analysis)| {
            let sidecar = found.run.sidecar.as_ref()?;
            Some(RunOf { path: found.name.clone(), analysis, sidecar })
        })
        .collect();
    sensitivity(&of, &rules.classifier, tool())
}

/// The answers of a model from its slopes: the latency of untraced runs, everything else of traced ones.
pub(super) fn measured(
    model: &str,
    untraced: &Sensitivity,
    traced: Option<&Sensitivity>,
) -> Vec<Answer> {
    let mut answers = Vec::new();
    let blank = |what: &str, reading: String| Answer {
        question: HALVED.to_owned(),
        model: model.to_owned(),
        what: what.to_owned(),
        change: None,
        range: None,
        reading,
    };
    let cost = |found: &Sensitivity, latency: bool| -> Vec<Answer> {
        let of = found.costs.iter().filter(|cost| (cost.cost == "latency") == latency);
        of.map(|cost| Answer {
            change: Some(cost.when_halved),
            range: Some(cost.when_halved_ci95),
            ..blank(&cost.cost, cost.verdict.clone())
        })
        .collect()
    };
    match &untraced.refused {
        Some(refused) => answers.push(blank("latency", refused.message.clone())),
        None => answers.extend(cost(untraced, true)),
    }
    match traced.map(|traced| (traced, &traced.refused)) {
        Some((_, Some(refused))) => answers.push(blank("kernel time", refused.message.clone())),
        Some((traced, None)) => answers.extend(cost(traced, false)),
        None => {}
    }
    answers
}

/// The answers of a model from the replays of its checkpoints.
pub(super) fn replayed(model: &str, replays: &[&Replay], why: &str) -> Vec<Answer> {
    let blank = |question: &str, reading: String| Answer {
        question: question.to_owned(),
        model: model.to_owned(),
        what: "latency".to_owned(),
        change: None,
        range: None,
        reading,
    };
    let refused = replays.iter().find_map(|replay| replay.refused.as_ref());
    let answered: Vec<&&Replay> = replays.iter().filter(|r| r.refused.is_none()).collect();
    let Some(first) = answered.first() else {
        let why = refused.map_or_else(|| why.to_owned(), |refused| refused.message.clone());
        return vec![blank("any change (replay)", why)];
    };
    let mut answers = Vec::new();
    for gain in &first.sensitivity {
        let gains: Vec<_> = answered
            .iter()
            .filter_map(|replay| replay.sensitivity.iter().find(|one| one.change == gain.change))
            .collect();
        let changes: Vec<f64> = gains.iter().map(|gain| 0.0 - gain.gain).collect();
        let reach = changes.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
        let then = gains.iter().filter(|one| one.bound_by.by == gain.bound_by.by).count();
        let reading = if then == gains.len() {
            gain.bound_by.by.clone()
        } else {
            format!("{} ({then} of {})", gain.bound_by.by, gains.len())
        };
        answers.push(Answer {
            change: crate::stats::mean(&changes),
            range: (changes.len() > 1).then_some([reach.0, reach.1]),
            ..blank(&gain.change, reading)
        });
    }
    answers
}
