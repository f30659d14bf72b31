//! Windows replayed with changes: the prediction that was asked for, and the sensitivity table.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::thread;

use super::answer;
use super::apply::{self, Around, apply};
use super::change::{Change, What};
use super::composition::{self, Composition};
use super::document::{PathStretch, Replay};
use super::extract::LeftOut;
use super::identity::{self, Identity};
use super::model::Model;
use super::program::Program;
use super::schedule::{ReturnCause, Scheduler};
use super::spikes::LayerRates;
use crate::attribution::document::{Tool, TraceAbout};
use crate::units::TraceTime;
use crate::windows::{Window, WindowSet};

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
pub(super) struct Trial<'a> {
    pub(super) name: String,
    pub(super) changes: Vec<&'a Change>,
}

/// What a trial gave, window by window.
#[derive(Default)]
pub(super) struct Tried {
    pub(super) lengths: Vec<i64>,
    pub(super) path: Composition,
}

/// What some windows gave.
#[derive(Default)]
pub(super) struct Part {
    pub(super) identities: Vec<Identity>,
    pub(super) left_out: BTreeMap<LeftOut, usize>,
    pub(super) misfit: BTreeMap<u32, i64>,
    pub(super) baseline: Tried,
    pub(super) tried: Vec<Tried>,
    pub(super) gpu_only: i64,
    pub(super) cpu_only: i64,
    pub(super) launched: i64,
    pub(super) contained: i64,
    /// Calls that ask whether work is done.
    pub(super) queries: usize,
    pub(super) first: Vec<PathStretch>,
    pub(super) first_start: Option<TraceTime>,
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
    Ok(answer::document(model, set, question, &trials, asked, part))
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
        self.queries += part.queries;
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
    part.queries += program.steps.iter().filter(|step| asks(model, step.function)).count();

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

/// Whether a function asks if work is done, and does not wait.
fn asks(model: &Model<'_>, function: u32) -> bool {
    let name = &model.trace().calls.names()[function as usize].text;
    name.contains("EventQuery") || name.contains("StreamQuery")
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
