//! Which run folders belong to the study, and to which of its cells?
//!
//! A folder is searched for runs. A run belongs to the cell that its manifest names (experiment, program,
//! repeat), else to the one whose model, checkpoint and path its sidecar names. Runs that did not
//! complete are left out, with a finding.

use std::fs;
use std::path::Path;

use super::error::StudyError;
use super::plan::{StudyPlan, path_name};
use crate::finding::{Finding, Severity};
use crate::runs::RunFolder;
use crate::runs::sidecar::ExecutionPath;
use crate::units::{Nanos, plain};

/// Folders inside folders that are searched.
const DEPTH: usize = 4;

/// A run of the study.
#[derive(Clone, Debug)]
pub struct FoundRun {
    /// Place of its model in the plan.
    pub model: usize,
    /// Place of its checkpoint.
    pub checkpoint: usize,
    /// Which path.
    pub path: ExecutionPath,
    /// Whether nsys recorded it.
    pub traced: bool,
    /// Which repetition, from 1.
    pub repeat: u32,
    /// Its folder below the one that was searched.
    pub name: String,
    /// What lies in it.
    pub run: RunFolder,
}

/// What was found in a folder.
#[derive(Debug, Default)]
pub struct Runs {
    /// Complete runs, by cell.
    pub found: Vec<FoundRun>,
    /// What was left out.
    pub findings: Vec<Finding>,
}

impl FoundRun {
    /// How long its program ran.
    pub fn length(&self) -> Option<Nanos> {
        let manifest = self.run.manifest.as_ref()?;
        let mono = manifest.ended_mono_ns? - manifest.started_mono_ns?;
        Some(Nanos::from_ns(mono))
    }
}

impl Runs {
    /// The runs of a cell, in the order of their repeats.
    pub fn of(
        &self,
        model: usize,
        checkpoint: usize,
        path: ExecutionPath,
        traced: bool,
    ) -> impl Iterator<Item = &FoundRun> {
        self.found.iter().filter(move |run| {
            (run.model, run.checkpoint, run.path, run.traced) == (model, checkpoint, path, traced)
        })
    }
}

/// Every complete run of the study below a folder.
///
/// # Errors
/// When the folder cannot be listed, or a run folder in it is damaged.
pub fn gather(plan: &StudyPlan, folder: &Path) -> Result<Runs, StudyError> {
    let mut runs = Runs::default();
    search(plan, folder, "", DEPTH, &mut runs)?;
    let key = |run: &FoundRun| {
        (run.checkpoint, run.model, path_name(run.path), run.traced, run.repeat, run.name.clone())
    };
    runs.found.sort_by_cached_key(key);
    let mut doubles = Vec::new();
    runs.found.dedup_by(|later, first| {
        let same = (later.model, later.checkpoint, later.path, later.traced, later.repeat)
            == (first.model, first.checkpoint, first.path, first.traced, first.repeat);
        if same {
            doubles.push(left_out(&later.name, &format!("{} is the same run", first.name)));
        }
        same
    });
    runs.findings.extend(doubles);
    Ok(runs)
}

fn search(
    plan: &StudyPlan,
    folder: &Path,
    below: &str,
    depth: usize,
    runs: &mut Runs,
) -> Result<(), StudyError> {
    let unreadable = |source| StudyError::Unreadable { path: folder.to_path_buf(), source };
    if RunFolder::is_one(folder) {
        return take(plan, folder, below, runs);
    }
    if depth == 0 {
        return Ok(());
    }
    let mut inside: Vec<_> = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(unreadable)?;
    inside.sort();
    for path in inside.into_iter().filter(|path: &std::path::PathBuf| path.is_dir()) {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        // Hidden ones are being made; what the driver moved aside is broken.
        if name.starts_with('.') || name.contains(".broken-") {
            continue;
        }
        let name = if below.is_empty() { name } else { format!("{below}/{name}") };
        search(plan, &path, &name, depth - 1, runs)?;
    }
    Ok(())
}

fn take(plan: &StudyPlan, folder: &Path, name: &str, runs: &mut Runs) -> Result<(), StudyError> {
    let run = RunFolder::open(folder)?;
    let Some((model, checkpoint, path, repeat)) =
        by_manifest(plan, &run).or_else(|| by_sidecar(plan, &run, runs))
    else {
        return Ok(());
    };
    let outcome = run.manifest.as_ref().map(|manifest| manifest.outcome.kind);
    if let Some(kind) = outcome.filter(|kind| !kind.is_complete()) {
        runs.findings.push(left_out(name, &format!("the program {}", kind.words())));
        return Ok(());
    }
    let traced = run.traced();
    runs.found.push(FoundRun {
        model,
        checkpoint,
        path,
        traced,
        repeat,
        name: name.to_owned(),
        run,
    });
    Ok(())
}

/// Model, checkpoint, path, repeat.
type Place = (usize, usize, ExecutionPath, u32);

fn by_manifest(plan: &StudyPlan, run: &RunFolder) -> Option<Place> {
    let place = run.manifest.as_ref()?.experiment.as_ref()?;
    let spec = plan.path.iter().find(|spec| plan.experiment_name(spec.name) == place.experiment)?;
    let (model, checkpoint) =
        plan.cells().find(|(m, c)| plan.program_name(*m, *c) == place.program)?;
    // A plan that asks for fewer repeats than there are means the first ones.
    (place.repeat <= plan.repeats(spec)).then_some((model, checkpoint, spec.name, place.repeat))
}

/// A run that no plan made; its repeat is the next free number.
fn by_sidecar(plan: &StudyPlan, run: &RunFolder, runs: &Runs) -> Option<Place> {
    let sidecar = run.sidecar.as_ref()?;
    let (said, path) = (sidecar.model.as_ref()?, sidecar.path?);
    let model = plan.model_named(&said.name)?;
    let id = &said.checkpoint.as_ref()?.id;
    let checkpoint = plan.checkpoint.iter().position(|checkpoint| checkpoint.name == *id)?;
    let has_place = run.manifest.as_ref().is_some_and(|manifest| manifest.experiment.is_some());
    if has_place || plan.path.iter().all(|spec| spec.name != path) {
        return None;
    }
    let before = runs.of(model, checkpoint, path, run.traced()).map(|run| run.repeat).max();
    Some((model, checkpoint, path, before.unwrap_or(0) + 1))
}

fn left_out(name: &str, why: &str) -> Finding {
    Finding::new(
        "run-left-out",
        Severity::Warning,
        format!("{}: left out: {}", plain(name, 120), plain(why, 200)),
        "run the study again: it makes what is missing",
    )
}
