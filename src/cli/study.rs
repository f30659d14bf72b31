//! `nsys-attrib study`: one plan file in, runs and a report out.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

use super::profile::Show;
use super::report::{folder, template, today, typed};
use super::{CHECK_FAILED, input, interrupt, output, profile, sample};
use crate::collect::experiment::carry_out_but;
use crate::collect::{Done, Driver, Event, Stop};
use crate::report::paper::{
    self, FileAbout, InputAbout, PageKind, Provenance, Report, ReportFile, SCHEMA, Section,
};
use crate::report::shell_word;
use crate::runs::manifest::OutcomeKind;
use crate::study::estimate::{self, Planned};
use crate::study::{self, Availability, Making, Material, Runs, StudyError, StudyPlan};
use crate::units::{Nanos, plain};

/// Rows of a table on paper.
const TOP: usize = 60;

#[derive(Args, Debug)]
#[command(
    about = "Carry out a study: runs, analyses, comparisons and a report from one plan file",
    long_about = "Carry out a study: runs, analyses, comparisons and a report from one plan file.\n\n\
        The plan names models, checkpoints, paths and repeats. What is missing is run (as `profile` does), then errors \
        and spike rates are taken from the reference path, latency and energy from untraced runs, shares from traced ones; \
        checkpoints are paired, sparsity and changes are tested, and a report is written as `report` does. Run it again \
        after an interruption: complete runs are kept. Without nsys, a GPU or a power sensor the columns that need them \
        hold a dash and the reason.\n\n\
        Examples:\n  nsys-attrib study templates/studies/cpu-small.toml\n  \
        nsys-attrib study templates/studies/vs-wno-jetson.toml --dry-run\n  \
        nsys-attrib study vs-wno-jetson.toml --from-runs copied/ --out report/"
)]
pub(super) struct StudyArgs {
    /// The plan
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Where the report goes [default: reports/NAME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Where run folders go [default: runs/NAME]
    #[arg(long, value_name = "DIR", conflicts_with = "from_runs")]
    runs: Option<PathBuf>,
    /// Run nothing: take the run folders that lie here, made on this machine or another
    #[arg(long, value_name = "DIR")]
    from_runs: Option<PathBuf>,
    /// Print every run and how long it would take, and run nothing
    #[arg(long, conflicts_with = "from_runs")]
    dry_run: bool,
    /// The nsys to use [default: NSYS_ATTRIB_NSYS, PATH, the usual folders]
    #[arg(long, value_name = "PATH")]
    nsys: Option<PathBuf>,
    /// A sentence for the paragraph on methods, after that of the plan
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// paper, notebook, brief, or a template of your own [default: that of the plan]
    #[arg(long, value_name = "NAME|FILE")]
    template: Option<String>,
    /// Rows of a table in LaTeX and Markdown; CSV has all
    #[arg(long, value_name = "N", default_value_t = TOP)]
    top: usize,
    /// Print today's date in the report
    #[arg(long)]
    stamp: bool,
    /// Replace a report whose files were changed by hand
    #[arg(long)]
    force: bool,
    /// Show the program's output
    #[arg(long, short)]
    verbose: bool,
}

impl StudyArgs {
    /// The plan, with what was typed beside it.
    fn plan(&self) -> Result<StudyPlan> {
        let mut plan = StudyPlan::read(&self.plan)?;
        if let Some(note) = &self.note {
            let of_plan = plan.note.take().map_or_else(String::new, |of_plan| of_plan + " ");
            plan.note = Some(of_plan + note);
        }
        Ok(plan)
    }

    /// Where the runs lie.
    fn folder(&self, plan: &StudyPlan) -> PathBuf {
        let named = self.from_runs.clone().or_else(|| self.runs.clone());
        named.unwrap_or_else(|| Path::new("runs").join(&plan.name))
    }
}

/// The sections that the runs give now, for the check of a report.
pub(super) fn sections(args: &StudyArgs) -> Result<Vec<Section>> {
    let plan = args.plan()?;
    let (host, nvml) = sample::machine();
    let can = match args.from_runs {
        Some(_) => Availability::default(),
        None => Availability::of(&plan, args.nsys.as_deref(), &host, nvml.as_deref()),
    };
    let runs = study::gather(&plan, &args.folder(&plan))?;
    let material = study::analyse(&plan, &runs, &can, &mut |_| ())?;
    Ok(study::report(&material, Making::default())?.sections)
}

pub(super) fn run(args: &StudyArgs) -> Result<ExitCode> {
    let plan = args.plan()?;
    let stop = Stop::default();
    let (host, nvml) = sample::machine();
    let out = args.out.clone().unwrap_or_else(|| Path::new("reports").join(&plan.name));
    let runs = args.folder(&plan);
    if args.dry_run {
        let can = Availability::of(&plan, args.nsys.as_deref(), &host, nvml.as_deref());
        return dry_run(&plan, &can, &runs);
    }
    // What cannot be written is told before anything is run.
    folder::may_be_written(&out, args.force)?;
    if args.from_runs.is_some() {
        return make_report(args, &plan, &Availability::default(), &runs, &out);
    }
    let can = Availability::of(&plan, args.nsys.as_deref(), &host, nvml.as_deref());
    say_missing(&can);
    let driver = Driver {
        host,
        nvml,
        nsys: can.nsys.clone(),
        myself: std::env::current_exe().ok(),
        stop: stop.clone(),
    };
    interrupt::forward(&stop);
    let failed = make_runs(args, &plan, &can, &driver, &runs)?;
    if let Some(signal) = stop.signal() {
        eprintln!("nsys-attrib: interrupted; the same command goes on where it stopped");
        return Ok(ExitCode::from(u8::try_from(128 + signal).unwrap_or(CHECK_FAILED)));
    }
    let code = make_report(args, &plan, &can, &runs, &out)?;
    Ok(if failed > 0 { ExitCode::from(CHECK_FAILED) } else { code })
}

fn say_missing(can: &Availability) {
    for why in can.no_nsys.iter().cloned().chain(can.no_power_in_full()) {
        eprintln!("nsys-attrib: {why}. What needs it will be a dash in the report");
    }
}

/// Makes the runs that are missing; how many did not complete.
fn make_runs(
    args: &StudyArgs,
    plan: &StudyPlan,
    can: &Availability,
    driver: &Driver,
    runs: &Path,
) -> Result<usize> {
    let mut show = Show::new(!args.verbose, io::stderr().is_terminal());
    let mut failed = 0;
    let planned = estimate::planned(plan, can, runs)?;
    say_differences(&planned, runs)?;
    for experiment in estimate::experiments(plan, can)? {
        let below = runs.join(study::plan::path_name(experiment.path));
        let elsewhere = |step| {
            let this = |one: &&Planned| one.path == experiment.path && one.step == step;
            planned.iter().find(this).is_some_and(Planned::is_elsewhere)
        };
        let mut carry = || {
            let mut watch = |event: Event<'_>| show.see(&event);
            carry_out_but(driver, &experiment.plan, &below, &elsewhere, &mut watch)
        };
        let mut done = carry()?;
        profile::say_each(&done);
        // nsys fails now and then for reasons of its own; what the program did wrong it would do again.
        if driver.stop.signal().is_none() && done.iter().any(nsys_failed) {
            done = carry()?;
            profile::say_each(&done);
        }
        show.clear();
        let complete = |run: &&Done| run.manifest.outcome.kind.is_complete();
        failed += done.len() - done.iter().filter(complete).count();
        if driver.stop.signal().is_some() {
            break;
        }
    }
    Ok(failed)
}

/// Says which runs lie there but are not what is asked for now, before anything is run.
fn say_differences(planned: &[Planned], runs: &Path) -> Result<()> {
    let shown = |path: &Path| path.strip_prefix(runs).unwrap_or(path).display().to_string();
    let mut any = false;
    for one in planned {
        let (Some(found), Some(why)) = (&one.found, &one.differs) else { continue };
        if *found != one.recipe.folder {
            bail!(
                "{}: this run is not what is asked for now: {why}. --from-runs {} takes the runs as they are; or \
                 move it away, and it is made again as {}",
                shown(found),
                runs.display(),
                shown(&one.recipe.folder)
            );
        }
        any = true;
        eprintln!("nsys-attrib: {}: will be made again: {why}", shown(found));
    }
    if any {
        eprintln!(
            "nsys-attrib: what is there now is kept beside it as .broken-N; --from-runs {} takes the runs as they are \
             and runs nothing",
            runs.display()
        );
    }
    Ok(())
}

/// Whether the recording went wrong, and not the program.
fn nsys_failed(run: &Done) -> bool {
    let kind = run.manifest.outcome.kind;
    run.manifest.traced && matches!(kind, OutcomeKind::NotStarted | OutcomeKind::Incomplete)
}

/// Prints what would be run.
fn dry_run(plan: &StudyPlan, can: &Availability, runs: &Path) -> Result<ExitCode> {
    let planned = estimate::planned(plan, can, runs)?;
    let mut out = io::stdout().lock();
    for one in &planned {
        let folder = one.recipe.folder.strip_prefix(runs).unwrap_or(&one.recipe.folder);
        let takes = match (one.is_there(), one.takes) {
            (true, _) => "there".to_owned(),
            (false, Some(length)) => format!("{length:.0}"),
            (false, None) => "?".to_owned(),
        };
        let words: Vec<String> = one.recipe.command.iter().skip(1).map(|w| shell_word(w)).collect();
        writeln!(
            out,
            "{:<44} {takes:>8}  {} {}",
            folder.display(),
            plan.program.name,
            words.join(" ")
        )?;
        if let Some(why) = &one.differs {
            writeln!(out, "    again: {why}")?;
        }
        if let Some(found) = one.found.as_ref().filter(|_| one.is_elsewhere()) {
            writeln!(out, "    as {}", found.strip_prefix(runs).unwrap_or(found).display())?;
        }
    }
    writeln!(out)?;
    total(&planned, &mut out)?;
    for why in can.no_nsys.iter().chain(&can.no_power) {
        writeln!(out, "left out: {why}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn total(planned: &[Planned], out: &mut dyn Write) -> io::Result<()> {
    let missing: Vec<&Planned> = planned.iter().filter(|one| !one.is_there()).collect();
    let known: Nanos = missing.iter().filter_map(|one| one.takes).sum();
    let unknown = missing.iter().filter(|one| one.takes.is_none()).count();
    let sources: std::collections::BTreeSet<&str> =
        missing.iter().map(|one| one.source.as_str()).collect();
    writeln!(
        out,
        "{} runs, {} of them there already; the others take {}{:.0}{}",
        planned.len(),
        planned.len() - missing.len(),
        if unknown > 0 { "at least " } else { "about " },
        known,
        if unknown > 0 { format!(" ({unknown} of unknown length)") } else { String::new() },
    )?;
    for source in sources {
        let of = missing.iter().filter(|one| one.source == source).count();
        writeln!(out, "estimate of {of} runs: {source}")?;
    }
    writeln!(
        out,
        "the analysis comes on top; exports of nsys and samplers are part of earlier runs' lengths only"
    )
}

/// Analyses what lies in the folder and writes the report.
fn make_report(
    args: &StudyArgs,
    plan: &StudyPlan,
    can: &Availability,
    folder: &Path,
    out: &Path,
) -> Result<ExitCode> {
    let runs = study::gather(plan, folder)?;
    if runs.found.is_empty() {
        return Err(StudyError::NoRuns {
            path: folder.to_path_buf(),
            study: plan.name.clone(),
            example: format!("request/{}-untraced-01", plan.program_name(0, 0)),
        }
        .into());
    }
    let (template, about) = template(args.template.as_deref().unwrap_or(&plan.template))?;
    let material =
        study::analyse(plan, &runs, can, &mut |run| eprintln!("nsys-attrib: reading {run}"))?;
    let words = typed();
    let shown: Vec<String> = words.iter().map(|word| shell_word(&plain(word, 400))).collect();
    let inputs = inputs(args, &runs, folder);
    let making = Making {
        title: plan.title.clone(),
        command: shown.join(" "),
        date: args.stamp.then(today),
        inputs: inputs.clone(),
    };
    let report = study::report(&material, making)?;
    let provenance = provenance(&report, &material, words, about);
    let mut files = paper::render(&report, &template, &PageKind::ALL, args.top)?;
    let provenance = Provenance { files: files.iter().map(FileAbout::of).collect(), ..provenance };
    let mut bytes = serde_json::to_vec_pretty(&provenance)?;
    bytes.push(b'\n');
    files.push(ReportFile { path: folder::PROVENANCE.to_owned(), bytes });
    folder::write(out, &files, args.force)?;
    output::warn(&material.study.findings)?;
    for file in files.iter().filter(|file| !file.path.contains('/')) {
        println!("{}", out.join(&file.path).display());
    }
    Ok(ExitCode::SUCCESS)
}

/// The plan and every run's manifest.
fn inputs(args: &StudyArgs, runs: &Runs, folder: &Path) -> Vec<InputAbout> {
    let about = |path: &Path, shown: String| InputAbout {
        path: plain(&shown, 400),
        sha256: input::sha256(path),
    };
    let plan = about(&args.plan, args.plan.display().to_string());
    let of_run = |run: &study::FoundRun| {
        let path = folder.join(&run.name).join(crate::runs::MANIFEST);
        let shown = path.display().to_string();
        about(&path, shown)
    };
    std::iter::once(plan).chain(runs.found.iter().map(of_run)).collect()
}

fn provenance(
    report: &Report,
    material: &Material,
    command: Vec<String>,
    template: InputAbout,
) -> Provenance {
    Provenance {
        schema: SCHEMA.to_owned(),
        tool: report.tool.clone(),
        command,
        inputs: report.inputs.clone(),
        sources: Vec::new(),
        power: Vec::new(),
        windows: vec![material.study.window.clone()],
        classes: report
            .classes
            .clone()
            .unwrap_or(InputAbout { path: "shipped".to_owned(), sha256: None }),
        template,
        seeds: report.seeds.clone(),
        date: report.date.clone(),
        files: Vec::new(),
    }
}
