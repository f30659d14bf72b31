//! What would be run, and how long would it take?
//!
//! A run takes what the same run took before (its manifest, other repeats), else what the plan says it
//! took elsewhere, and beside that the idle times around it. What neither says is not guessed: the
//! total is then a lower bound.

use std::path::{Path, PathBuf};

use super::availability::Availability;
use super::cells::{FoundRun, gather};
use super::error::StudyError;
use super::plan::StudyPlan;
use super::program;
use crate::collect::experiment::{self, Step, steps};
use crate::collect::identity;
use crate::collect::plan::Mode;
use crate::collect::{Plan, Recipe};
use crate::runs::sidecar::ExecutionPath;
use crate::units::Nanos;

/// An experiment of the study with the folder below which its runs lie.
#[derive(Debug)]
pub struct Experiment {
    /// Which path.
    pub path: ExecutionPath,
    /// Its runs.
    pub plan: Plan,
}

/// A run that would be made.
#[derive(Debug)]
pub struct Planned {
    /// Of which experiment.
    pub path: ExecutionPath,
    /// Which of its runs.
    pub step: Step,
    /// What is asked for.
    pub recipe: Recipe,
    /// The complete run of its cell that lies somewhere below the folder.
    pub found: Option<PathBuf>,
    /// Why that run is made again.
    pub differs: Option<String>,
    /// How long it takes; `None` when nothing says so.
    pub takes: Option<Nanos>,
    /// Where that comes from.
    pub source: String,
}

impl Planned {
    /// Whether it need not be made.
    pub const fn is_there(&self) -> bool {
        self.found.is_some() && self.differs.is_none()
    }

    /// Whether a run that need not be made lies in another place than the one where it would be made.
    pub fn is_elsewhere(&self) -> bool {
        self.is_there() && self.found.as_ref().is_some_and(|path| *path != self.recipe.folder)
    }
}

/// A run that a person put together says nothing of how it was asked for, and is taken as it is.
fn differs(run: &FoundRun, recipe: &Recipe) -> Option<String> {
    if run.run.manifest.is_none() && run.run.path != recipe.folder {
        return None;
    }
    identity::why_again(&run.run, recipe)
}

/// The experiments of a study, as far as this machine can carry them out.
///
/// # Errors
/// When the program is not there.
pub fn experiments(plan: &StudyPlan, can: &Availability) -> Result<Vec<Experiment>, StudyError> {
    let program = program::find(plan)?.display().to_string();
    let of = |spec: &super::plan::PathSpec| Experiment {
        path: spec.name,
        plan: plan.experiment(spec, &program, &can.modes(spec), &can.power(plan, spec)),
    };
    Ok(plan.path.iter().map(of).filter(|experiment| !experiment.plan.modes.is_empty()).collect())
}

/// Every run, in order.
///
/// # Errors
/// When the program is not there, or a run folder cannot be read.
pub fn planned(
    plan: &StudyPlan,
    can: &Availability,
    runs: &Path,
) -> Result<Vec<Planned>, StudyError> {
    let known = if runs.is_dir() { gather(plan, runs)?.found } else { Vec::new() };
    let mut all = Vec::new();
    for experiment in experiments(plan, can)? {
        for (position, step) in (1..).zip(steps(&experiment.plan)) {
            let below = runs.join(super::plan::path_name(experiment.path));
            let recipe = experiment::recipe(&experiment.plan, step, position, &below);
            let same = |run: &&FoundRun| {
                run.path == experiment.path
                    && run.traced == (step.mode == Mode::Traced)
                    && plan.program_name(run.model, run.checkpoint)
                        == experiment.plan.program[step.program].name
            };
            let before: Vec<&FoundRun> = known.iter().filter(same).collect();
            let (takes, source) = takes(plan, experiment.path, &recipe, &before);
            let found = before.iter().find(|run| run.repeat == step.repeat).copied();
            let differs = found.and_then(|run| differs(run, &recipe));
            let found = found.map(|run| run.run.path.clone());
            all.push(Planned {
                path: experiment.path,
                step,
                recipe,
                found,
                differs,
                takes,
                source,
            });
        }
    }
    Ok(all)
}

fn takes(
    plan: &StudyPlan,
    path: ExecutionPath,
    recipe: &Recipe,
    before: &[&FoundRun],
) -> (Option<Nanos>, String) {
    let pause = plan.cooldown.as_ref().and_then(|cooldown| cooldown.pause);
    let mut beside = pause.map_or(Nanos::ZERO, |pause| pause.0);
    if recipe.power.is_on() {
        beside = beside + recipe.power.idle_before.0 + recipe.power.idle_after.0;
    }
    let lengths: Vec<i64> =
        before.iter().filter_map(|run| run.length().map(Nanos::as_ns)).collect();
    if let Some(longest) = lengths.iter().max() {
        let source = format!("the longest of {} earlier runs", lengths.len());
        return (Some(Nanos::from_ns(*longest) + beside), source);
    }
    let spec = plan.path.iter().find(|spec| spec.name == path);
    match spec.and_then(|spec| Some((spec.expected?, spec.expected_on.as_deref()))) {
        Some((length, on)) => {
            let on = on.map_or_else(String::new, |on| format!(", seen on {on}"));
            (Some(length.0 + beside), format!("the plan{on}"))
        }
        None => (None, "unknown: nothing like it was run here".to_owned()),
    }
}
