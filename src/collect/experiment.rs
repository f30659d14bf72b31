//! Which runs does a plan make, in which order, and which of them are there already?
//!
//! ```text
//! sequence    A1 A2 A3  B1 B2 B3
//! interleave  A1 B1 | B2 A2 | A3 B3       every other round backwards: a drift hits all alike
//! ```
//! With both modes each repetition is one traced and one untraced run, which come first in turn. A run is
//! kept when its manifest says `completed`, its files are those of the manifest, and what was asked for
//! (program, words, files, options, environment; not where they lie) has the same fingerprint; every other run
//! is made again, and what was there is moved aside. A lock keeps a second driver out.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::error::CollectError;
use super::plan::{Mode, Order, Plan, PowerPlan};
use super::run::{Driver, Event, Recipe, Watcher};
use super::sampler::nvml::Gpus;
use super::{cooldown, identity, machine, overhead, program};
use crate::finding::{self, Finding};
use crate::runs::manifest::{Manifest, Place};
use crate::runs::{self, MANIFEST, RunFolder};

const LOCK: &str = ".lock";

/// One run of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which program.
    pub program: usize,
    /// Traced or not.
    pub mode: Mode,
    /// Which repetition, from 1.
    pub repeat: u32,
}

/// A run that was made or kept.
#[derive(Clone, Debug)]
pub struct Done {
    /// Its folder.
    pub folder: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest,
    /// Whether it was there already.
    pub kept: bool,
}

/// The runs of a plan, in order.
pub fn steps(plan: &Plan) -> Vec<Step> {
    let round = |programs: &[usize], repeat: u32| {
        let cells = programs.iter().flat_map(|program| {
            plan.modes.iter().map(move |mode| Step { program: *program, mode: *mode, repeat })
        });
        let mut cells: Vec<Step> = cells.collect();
        if repeat.is_multiple_of(2) {
            cells.reverse();
        }
        cells
    };
    let programs: Vec<usize> = (0..plan.program.len()).collect();
    let groups: Vec<&[usize]> = match plan.order {
        Order::Interleave => vec![&programs],
        Order::Sequence => programs.chunks(1).collect(),
    };
    groups
        .into_iter()
        .flat_map(|group| {
            (1..=plan.repeat).flat_map(move |repeat| round(group, repeat)).collect::<Vec<_>>()
        })
        .collect()
}

/// The name of a step's folder: `dense-traced-01`.
pub fn folder_name(plan: &Plan, step: Step) -> String {
    let name = plan.program.get(step.program).map_or("", |program| program.name.as_str());
    format!("{name}-{}-{:02}", step.mode.name(), step.repeat)
}

/// Carries a plan out in `out`. Runs that fail are in the result; they do not stop the others.
///
/// # Errors
/// [`CollectError`] when the plan cannot be carried out: a program is missing, another driver works here.
pub fn carry_out(
    driver: &Driver,
    plan: &Plan,
    out: &Path,
    watcher: &mut Watcher<'_>,
) -> Result<Vec<Done>, CollectError> {
    carry_out_but(driver, plan, out, &|_| false, watcher)
}

/// The same without the steps that `elsewhere` knows to be there in another place.
///
/// # Errors
/// As [`carry_out`].
pub fn carry_out_but(
    driver: &Driver,
    plan: &Plan,
    out: &Path,
    elsewhere: &dyn Fn(Step) -> bool,
    watcher: &mut Watcher<'_>,
) -> Result<Vec<Done>, CollectError> {
    let fault = |problem: String| CollectError::Plan { path: PathBuf::from(&plan.name), problem };
    plan.check().map_err(fault)?;
    for program in &plan.program {
        program::find(&program.command[0], program.workdir.as_deref())?;
    }
    let _lock = lock(out)?;
    let mut done: Vec<Done> = Vec::new();
    let mut warm = vec![false; plan.program.len()];
    for (position, step) in (1..).zip(steps(plan)) {
        if driver.stop.signal().is_some() {
            break;
        }
        if elsewhere(step) {
            continue;
        }
        let recipe = recipe(plan, step, position, out);
        if let Some(kept) = kept(&recipe, watcher)? {
            done.push(kept);
            continue;
        }
        if !std::mem::replace(&mut warm[step.program], true) {
            warm_up(driver, plan, &recipe, watcher)?;
        }
        let hot = cool_down(driver, plan, watcher);
        if driver.stop.signal().is_some() {
            break;
        }
        let mut manifest = driver.run(&recipe, watcher)?;
        if let Some(hot) = hot {
            manifest.findings.push(hot);
            finding::sort(&mut manifest.findings);
            runs::write_document(&recipe.folder.join(MANIFEST), &manifest)?;
        }
        done.push(Done { folder: recipe.folder, manifest, kept: false });
    }
    overhead::compare(&mut done)?;
    Ok(done)
}

/// What a step of a plan asks for.
pub fn recipe(plan: &Plan, step: Step, position: u32, out: &Path) -> Recipe {
    let program = &plan.program[step.program];
    let mut env = plan.env.clone();
    env.extend(program.env.clone());
    let traced = step.mode == Mode::Traced;
    let beside =
        if traced && plan.power.only_untraced { PowerPlan::default() } else { plan.power.clone() };
    let mut recipe = Recipe {
        folder: out.join(folder_name(plan, step)),
        command: program.command.clone(),
        workdir: program.workdir.clone(),
        env,
        traced,
        trace: plan.trace.clone(),
        power: beside,
        window: plan.window.clone(),
        timeout: plan.timeout,
        place: None,
    };
    let place = Place {
        experiment: plan.name.clone(),
        program: program.name.clone(),
        repeat: step.repeat,
        position,
        fingerprint: identity::fingerprint(&recipe),
    };
    recipe.place = Some(place);
    recipe
}

/// The run that is there already, if it can stay; else what is there is moved aside.
fn kept(recipe: &Recipe, watcher: &mut Watcher<'_>) -> Result<Option<Done>, CollectError> {
    let folder = &recipe.folder;
    if !folder.exists() {
        return Ok(None);
    }
    let why = match RunFolder::open(folder) {
        Err(error) => error.to_string(),
        Ok(run) => match identity::why_again_in_full(&run, recipe)? {
            Some(why) => why,
            None => {
                let Some(manifest) = run.manifest else { return Ok(None) };
                watcher(Event::Kept(folder));
                return Ok(Some(Done { folder: folder.clone(), manifest, kept: true }));
            }
        },
    };
    watcher(Event::Again(folder, &why));
    move_aside(folder)?;
    Ok(None)
}

fn move_aside(folder: &Path) -> Result<(), CollectError> {
    let name =
        folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let free = (1..)
        .map(|number| folder.with_file_name(format!("{name}.broken-{number}")))
        .find(|path| !path.exists());
    let aside = free.unwrap_or_else(|| folder.with_extension("broken"));
    fs::rename(folder, &aside).map_err(|source| CollectError::Unwritable { path: aside, source })
}

/// Runs a program without keeping anything of it.
fn warm_up(
    driver: &Driver,
    plan: &Plan,
    like: &Recipe,
    watcher: &mut Watcher<'_>,
) -> Result<(), CollectError> {
    for _ in 0..plan.warmup {
        if driver.stop.signal().is_some() {
            return Ok(());
        }
        let scratch = tempfile::Builder::new()
            .prefix(".warmup-")
            .tempdir_in(like.folder.parent().unwrap_or(Path::new(".")));
        let scratch = scratch
            .map_err(|source| CollectError::Unwritable { path: like.folder.clone(), source })?;
        let warm = Recipe {
            folder: scratch.path().join("run"),
            traced: false,
            power: PowerPlan::default(),
            place: None,
            ..like.clone()
        };
        driver.run(&warm, watcher)?;
    }
    Ok(())
}

fn cool_down(driver: &Driver, plan: &Plan, watcher: &mut Watcher<'_>) -> Option<Finding> {
    let wanted = plan.cooldown.as_ref()?;
    let pause = wanted.pause.map_or(crate::units::Nanos::ZERO, |pause| pause.0);
    watcher(Event::Pause("cool-down", pause));
    let gpus = Gpus::open(driver.nvml.as_deref()).ok();
    cooldown::cool_down(wanted, &driver.stop, &|| {
        machine::temperatures(&driver.host, gpus.as_ref())
    })
}

/// Keeps other drivers out of the folder while the file is held.
fn lock(out: &Path) -> Result<File, CollectError> {
    let unwritable = |source| CollectError::Unwritable { path: out.to_path_buf(), source };
    fs::create_dir_all(out).map_err(unwritable)?;
    let path = out.join(LOCK);
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(unwritable)?;
    if file.try_lock().is_err() {
        let mut holder = String::new();
        let _ = file.read_to_string(&mut holder);
        return Err(CollectError::Locked {
            path: out.to_path_buf(),
            holder: holder.trim().to_owned(),
        });
    }
    let _ = file.set_len(0);
    let _ = writeln!(file, "process {}", std::process::id());
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::plan::ProgramPlan;

    fn order(order: Order, modes: &[Mode]) -> String {
        let mut plan = Plan::of("a", vec!["x".into()]);
        let second = ProgramPlan { name: "b".into(), ..plan.program[0].clone() };
        plan.program.push(second);
        plan.order = order;
        plan.repeat = 3;
        plan.modes = modes.to_vec();
        let names = steps(&plan).into_iter().map(|step| folder_name(&plan, step));
        let short = names
            .map(|name| name.replace("untraced", "E").replace("traced", "T").replace("-0", ""));
        short.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn rounds_turn_back_every_other_time() {
        assert_eq!(order(Order::Interleave, &[Mode::Traced]), "a-T1 b-T1 b-T2 a-T2 a-T3 b-T3");
        assert_eq!(order(Order::Sequence, &[Mode::Untraced]), "a-E1 a-E2 a-E3 b-E1 b-E2 b-E3");
        assert_eq!(
            order(Order::Interleave, &[Mode::Traced, Mode::Untraced]),
            "a-T1 a-E1 b-T1 b-E1 b-E2 b-T2 a-E2 a-T2 a-T3 a-E3 b-T3 b-E3"
        );
    }
}
