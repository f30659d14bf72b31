//! `nsys-attrib energy`, and `--power` of `analyze`: logs placed beside a trace or a run, energy per window.

mod decompose;
mod logs;
mod options;
mod points;
pub(super) mod untraced;

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use super::args::{EnergyArgs, EnergyOptions, Format, WindowArgs};
use super::{CHECK_FAILED, input, output};
use crate::attribution::Analysis;
use crate::attribution::energy_document::Energy;
use crate::finding::{self, Finding};
use crate::power::curve::{PowerCurve, curve};
use crate::power::document::{EnergyDocument, EnergySet};
use crate::power::idle::IdleFrom;
use crate::power::measure::{How, measure, on_clock};
use crate::power::work::{self, Work};
use crate::report;
use crate::report::paper::timeline::PowerTrack;
use crate::runs::RunFolder;
use crate::trace::Trace;
use crate::units::{Milliwatts, Share, Span};
use crate::windows::WindowSet;
use options::IdleWords;
pub(super) use options::duration;
pub(super) use points::points;

pub(super) fn run(args: &EnergyArgs, jobs: Option<NonZeroUsize>) -> Result<ExitCode> {
    if let [a, b] = args.decompose.as_slice() {
        return decompose::run(a, b, args);
    }
    let Some(path) = args.input.as_deref() else { return Ok(ExitCode::SUCCESS) };
    if let Some(document) = input::energies_of(path)? {
        if !args.energy.power.is_empty() {
            bail!("{}: --power needs the trace or the run folder, not a document", path.display());
        }
        return finish(&document, args);
    }
    let run = run_folder(path)?;
    match run.filter(|run| run.trace.is_none()) {
        Some(run) => finish(&untraced::document(&run, args)?, args),
        None => traced(path, args, jobs),
    }
}

/// The run folder, when that is what was named.
fn run_folder(path: &Path) -> Result<Option<RunFolder>> {
    Ok(if RunFolder::is_one(path) { Some(RunFolder::open(path)?) } else { None })
}

/// Energies of the windows of a trace.
fn traced(path: &Path, args: &EnergyArgs, jobs: Option<NonZeroUsize>) -> Result<ExitCode> {
    let mut document = EnergyDocument::empty();
    input::each_set(path, &args.windows, jobs, &mut |trace, set, analysis| {
        let (energy, findings) =
            energies(path, trace, set, &analysis, &args.energy, &args.windows)?;
        document.sets.push(EnergySet {
            spec: analysis.windows.spec,
            count: analysis.windows.count,
            mean_ns: analysis.windows.mean_ns,
            contained_share: analysis.windows.contained_share,
            energy,
            findings,
        });
        document.trace = analysis.trace;
        Ok(())
    })?;
    finish(&document, args)
}

/// The energies of one set of windows of the trace at `path`, one for each log, and the doubts about them.
pub(super) fn energies(
    path: &Path,
    trace: &Trace,
    set: &WindowSet,
    analysis: &Analysis,
    typed: &EnergyOptions,
    windows: &WindowArgs,
) -> Result<(Vec<Energy>, Vec<Finding>)> {
    let contained = analysis.windows.contained_share.map(Share::as_f64);
    let mut work = Work::of_trace(trace, set, contained)?;
    let run = run_folder(path)?;
    if let Some(run) = &run {
        work = work.with_run(run);
    }
    let how = options::how(typed, idle(trace, typed, windows)?)?;
    let logs = logs::choose(typed, run.as_ref(), Some(trace))?;
    let (energies, mut findings) = measured(logs, &work, &how, typed)?;
    findings.extend(run.into_iter().flat_map(|run| run.findings));
    Ok((energies, settled(findings)))
}

/// Attaches the energies of the logs that were named, else of the run folder's own.
///
/// # Errors
/// When logs that were named cannot be used; the folder's own become a finding.
pub(super) fn attach(
    path: &Path,
    trace: &Trace,
    set: &WindowSet,
    analysis: &mut Analysis,
    typed: &EnergyOptions,
    windows: &WindowArgs,
) -> Result<()> {
    let of_run = typed.power.is_empty();
    if of_run && !input::run::has_power(path)? {
        return Ok(());
    }
    match energies(path, trace, set, analysis, typed, windows) {
        Ok((energy, findings)) => {
            analysis.energy = Some(energy);
            analysis.findings.extend(findings);
        }
        // Nobody asked for them: what the trace says must not be lost with them.
        Err(error) if of_run => analysis.findings.push(input::run::left_out(&error)),
        Err(error) => return Err(error),
    }
    finding::sort(&mut analysis.findings);
    Ok(())
}

/// The windows, and when the GPU was busy, in order, for a figure of power.
pub(super) fn spans(trace: &Trace, set: &WindowSet) -> (Vec<Span>, Vec<Span>) {
    let windows = set.windows.iter().map(|window| window.span).collect();
    let mut busy: Vec<Span> = trace.operations.ids().map(|op| trace.operations.span(op)).collect();
    busy.sort();
    (windows, busy)
}

/// What was done and the logs beside it, for curves.
fn beside(
    path: &Path,
    trace: &Trace,
    set: &WindowSet,
    typed: &EnergyOptions,
) -> Result<(Work, Vec<logs::Log>)> {
    let run = run_folder(path)?;
    let mut work = Work::of_trace(trace, set, None)?;
    if let Some(run) = &run {
        work = work.with_run(run);
    }
    let logs = logs::choose(typed, run.as_ref(), Some(trace))?;
    Ok((work, logs))
}

/// The readings of each log on the trace's clock, for figures.
pub(super) fn curves(
    path: &Path,
    trace: &Trace,
    set: &WindowSet,
    typed: &EnergyOptions,
    windows: &WindowArgs,
) -> Result<Vec<PowerCurve>> {
    let Some(session) = trace.about.session else {
        return Err(work::NoWallClock::NoSession.into());
    };
    let (work, logs) = beside(path, trace, set, typed)?;
    let how = options::how(typed, idle(trace, typed, windows)?)?;
    let of = |log: logs::Log| {
        let placed = on_clock(&log.path, log.log, &work, &how)?;
        Ok(curve(&placed, session, &work, how.idle.as_ref()))
    };
    logs.into_iter().map(of).collect()
}

/// The first log on the trace's clock, for a timeline.
pub(super) fn track(
    path: &Path,
    trace: &Trace,
    set: &WindowSet,
    typed: &EnergyOptions,
) -> Result<Option<PowerTrack>> {
    let Some(session) = trace.about.session else { return Ok(None) };
    let (work, logs) = beside(path, trace, set, typed)?;
    let Some(log) = logs.into_iter().next() else { return Ok(None) };
    let series = on_clock(&log.path, log.log, &work, &options::how(typed, None)?)?.series;
    let start = session.start().as_unix_ns();
    let reading = |(time, watts): (&i64, &f64)| (time - start, Milliwatts::from_watts(*watts));
    Ok(Some(PowerTrack {
        title: format!("power, {}", series.name),
        readings: series.times.iter().zip(&series.watts).map(reading).collect(),
    }))
}

/// One energy for each log.
fn measured(
    logs: Vec<logs::Log>,
    work: &Work,
    how: &How,
    typed: &EnergyOptions,
) -> Result<(Vec<Energy>, Vec<Finding>)> {
    let (mut energies, mut findings) = (Vec::new(), Vec::new());
    for log in logs {
        let traced = log.traced.unwrap_or(work.traced && !typed.untraced);
        let work = Work { traced, ..work.clone() };
        let found = measure(&log.path, log.log, &work, how)?;
        energies.push(found.energy);
        findings.extend(found.findings);
    }
    Ok((energies, findings))
}

/// In order, each once.
fn settled(mut findings: Vec<Finding>) -> Vec<Finding> {
    finding::sort(&mut findings);
    findings.dedup();
    findings
}

/// Where idle power is taken; a specification selects windows of the trace.
fn idle(trace: &Trace, typed: &EnergyOptions, windows: &WindowArgs) -> Result<Option<IdleFrom>> {
    let text = match options::idle(typed) {
        IdleWords::None => return Ok(None),
        IdleWords::Within(length) => return Ok(Some(IdleFrom::Within(length))),
        IdleWords::Spec(text) => text,
    };
    let only = WindowArgs { skip: 0, take: None, window: Vec::new(), ..windows.clone() };
    let set = input::windows(trace, text, &only).context("--idle")?;
    let spans = work::spans_of(trace, &set)?;
    Ok(Some(IdleFrom::Spans(work::merged(spans.into_iter()))))
}

fn finish(document: &EnergyDocument, args: &EnergyArgs) -> Result<ExitCode> {
    let mut energies = document.sets.iter().flat_map(|set| &set.energy);
    let refused = energies.any(|energy| energy.refused.is_some());
    print(document, args.format.unwrap_or(Format::Table))?;
    Ok(if args.strict && refused { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}

fn print(document: &EnergyDocument, format: Format) -> Result<()> {
    if matches!(format, Format::Json | Format::Csv) {
        for set in &document.sets {
            output::warn(&set.findings)?;
        }
    }
    if format == Format::Json {
        return output::print_json(document);
    }
    let style = output::style();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let path = document.trace.as_ref().map(|trace| trace.path.as_str());
    let path = path.or(document.run.as_deref()).unwrap_or("");
    for (i, set) in document.sets.iter().enumerate() {
        let lines = report::energy::summary(set);
        let table = report::energy::table(&set.energy);
        match format {
            Format::Csv => report::write_tidy(&mut out, i == 0, path, &set.spec, &[table])?,
            Format::Md => {
                let heading = format!("Energy of {}", set.spec);
                report::write_markdown(&mut out, &heading, &lines, &[table], &set.findings)?;
            }
            Format::Table | Format::Json => {
                if i > 0 {
                    writeln!(out)?;
                }
                report::write_lines(&mut out, &lines, style)?;
                if !set.findings.is_empty() {
                    report::write_heading(&mut out, "Findings", style)?;
                    report::write_findings(&mut out, &set.findings, style)?;
                }
            }
        }
    }
    if let Some(line) = report::energy::ratio(&document.sets).filter(|_| format == Format::Table) {
        writeln!(out)?;
        report::write_lines(&mut out, &[line], style)?;
    }
    Ok(out.flush()?)
}
