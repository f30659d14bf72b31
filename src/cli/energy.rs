//! `nsys-attrib energy`, and `--power` of `analyze`: logs placed beside a trace, energy per window.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use super::args::{EnergyArgs, EnergyOptions, Format, WindowArgs};
use super::{CHECK_FAILED, input, output, power as logs};
use crate::attribution::energy_document::Energy;
use crate::attribution::{Analysis, Analyzer, Options};
use crate::classify::Classifier;
use crate::finding::{self, Finding, Severity};
use crate::power::clock::place::{self, ClockHints};
use crate::power::clock::{anchor, marks, overlap, zone::Zone};
use crate::power::curve::{PowerCurve, curve};
use crate::power::document::{EnergyDocument, EnergySet, SCHEMA};
use crate::power::energy::{Question, energy};
use crate::power::estimate::Estimator;
use crate::power::idle::IdleFrom;
use crate::power::series::Series;
use crate::power::{PowerLog, describe};
use crate::report;
use crate::report::paper::timeline::PowerTrack;
use crate::trace::Trace;
use crate::units::{Nanos, SessionClock};
use crate::windows::WindowSet;

pub(super) fn run(args: &EnergyArgs, jobs: Option<NonZeroUsize>) -> Result<ExitCode> {
    if let Some(document) = input::energies_of(&args.input)? {
        if !args.energy.power.is_empty() {
            bail!("{}: --power needs the trace, not a document", args.input.display());
        }
        return finish(&document, args);
    }
    let input = input::read(&args.input, jobs)?;
    let (specs, note) = input::specifications(&args.windows, &input.trace);
    if let Some(note) = note {
        eprintln!("nsys-attrib: {}: {note}", args.input.display());
    }
    let rules = Classifier::shipped()?;
    let analyzer = Analyzer::new(&input.trace, &rules);
    let how = Options {
        path: input.path.clone(),
        sha256: input.sha256(),
        findings: input.findings.clone(),
        ..Options::default()
    };
    let mut sets = Vec::new();
    let mut about = None;
    for spec in specs {
        let set = input::windows(&input.trace, &spec, &args.windows)
            .with_context(|| input.path.clone())?;
        let analysis = analyzer.analyze(&set, &how);
        let (energy, findings) =
            energies(&input.trace, &set, &analysis, &args.energy, &args.windows)?;
        sets.push(EnergySet {
            spec: analysis.windows.spec.clone(),
            count: analysis.windows.count,
            mean_ns: analysis.windows.mean_ns,
            contained_share: analysis.windows.contained_share,
            energy,
            findings,
        });
        about = Some((analysis.tool, analysis.trace));
    }
    match about {
        Some((tool, trace)) => {
            finish(&EnergyDocument { schema: SCHEMA.to_owned(), tool, trace, sets }, args)
        }
        None => Ok(ExitCode::SUCCESS),
    }
}

fn finish(document: &EnergyDocument, args: &EnergyArgs) -> Result<ExitCode> {
    let mut energies = document.sets.iter().flat_map(|set| &set.energy);
    let refused = energies.any(|energy| energy.refused.is_some());
    print(document, args)?;
    Ok(if args.strict && refused { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}

/// The energies of one set of windows, one for each log, and the doubts about them.
pub(super) fn energies(
    trace: &Trace,
    set: &WindowSet,
    analysis: &Analysis,
    how: &EnergyOptions,
    windows: &WindowArgs,
) -> Result<(Vec<Energy>, Vec<Finding>)> {
    let Some(session) = trace.about.session else {
        bail!(
            "the export does not say when its session started (no TARGET_INFO_SESSION_START_TIME): a power log \
             cannot be placed beside it. Export the report again with a newer nsys"
        );
    };
    check_base(trace, session)?;
    let mut findings = Vec::new();
    let question = question(trace, session, set, analysis, how, windows)?;
    let hints = clock_hints(trace, how)?;
    let mut found = Vec::new();
    for (path, log) in open_all(trace, how)? {
        findings.extend(describe(&path, &log).findings);
        let format = log.format;
        let placed = place::place(&path, log, &hints)?;
        let series = Series::choose(&placed.rails, how.rail.as_deref()).context(path.clone())?;
        if let Some(extent) = series.extent() {
            overlap::check(&path, extent, question.activity)?;
        }
        findings.extend(placed.findings.iter().cloned());
        findings.extend(run_doubt(question.traced));
        found.push(energy(&series, format, &placed, &question));
    }
    findings.extend(marks::clock_marks(trace).and_then(clock_doubt));
    finding::sort(&mut findings);
    findings.dedup();
    // The clock note of a log that has been placed says nothing any more.
    findings.retain(|finding| finding.code != "power-log-clock");
    Ok((found, findings))
}

/// The first log on the trace's clock, for a timeline.
pub(super) fn track(trace: &Trace, how: &EnergyOptions) -> Result<Option<PowerTrack>> {
    let Some(session) = trace.about.session else { return Ok(None) };
    let hints = clock_hints(trace, how)?;
    let Some((path, log)) = open_all(trace, how)?.into_iter().next() else { return Ok(None) };
    let placed = place::place(&path, log, &hints)?;
    let series = Series::choose(&placed.rails, how.rail.as_deref()).context(path)?;
    let start = session.start().as_unix_ns();
    let reading =
        |(time, watts): (&i64, &f64)| (time - start, crate::units::Milliwatts::from_watts(*watts));
    Ok(Some(PowerTrack {
        title: format!("power, {}", series.name),
        readings: series.times.iter().zip(&series.watts).map(reading).collect(),
    }))
}

/// The readings of each log on the trace's clock, for figures.
pub(super) fn curves(
    trace: &Trace,
    set: &WindowSet,
    analysis: &Analysis,
    how: &EnergyOptions,
    windows: &WindowArgs,
) -> Result<Vec<PowerCurve>> {
    let Some(session) = trace.about.session else {
        bail!(
            "the export does not say when its session started: a power log cannot be placed beside it"
        );
    };
    check_base(trace, session)?;
    let question = question(trace, session, set, analysis, how, windows)?;
    let hints = clock_hints(trace, how)?;
    let of = |(path, log): (String, PowerLog)| {
        let format = log.format;
        let placed = place::place(&path, log, &hints)?;
        let series = Series::choose(&placed.rails, how.rail.as_deref()).context(path)?;
        let (activity, idle) = (question.activity, &question.idle);
        Ok(curve(&series, format, &placed, session, activity, idle))
    };
    open_all(trace, how)?.into_iter().map(of).collect()
}

/// The logs that were named, else the readings inside the trace.
fn open_all(trace: &Trace, how: &EnergyOptions) -> Result<Vec<(String, PowerLog)>> {
    if how.power.is_empty() {
        return match marks::power_marks(trace) {
            Some(log) => Ok(vec![("the trace".to_owned(), log)]),
            None => bail!("no --power LOG was given, and the trace holds no power marks"),
        };
    }
    let hints = logs::hints(&how.read)?;
    how.power
        .iter()
        .map(|path| {
            let log = logs::open(path, &hints)?;
            if log.rails.is_empty() {
                let format = log.format;
                bail!(
                    "{}: a {format} log holds sums of the logger's own windows, not power over time; see \
                     `nsys-attrib power`",
                    path.display()
                );
            }
            Ok((path.display().to_string(), log))
        })
        .collect()
}

/// Event times must count from the session's start.
fn check_base(trace: &Trace, session: SessionClock) -> Result<()> {
    let spans = || trace.operations.ids().map(|op| trace.operations.span(op));
    let facts = anchor::AnchorFacts {
        utc_epoch_ns: session.start().as_unix_ns(),
        system_clock_ns: trace.about.system_clock_ns,
        duration_ns: trace.about.duration.map_or(0, Nanos::as_ns),
        first_ns: spans().map(crate::units::Span::start_ns).min().unwrap_or(0),
        last_ns: spans().map(crate::units::Span::end_ns).max().unwrap_or(0),
    };
    match anchor::base(facts) {
        anchor::EventBase::Relative | anchor::EventBase::RelativeAmbiguous => Ok(()),
        other => bail!(
            "the event times of this export count from {other:?}, not from the session's start: export the report \
             again without shifting times"
        ),
    }
}

fn question(
    trace: &Trace,
    session: SessionClock,
    set: &WindowSet,
    analysis: &Analysis,
    how: &EnergyOptions,
    windows: &WindowArgs,
) -> Result<Question> {
    let unix = |span: crate::units::Span| {
        (session.to_unix(span.start()).as_unix_ns(), session.to_unix(span.end()).as_unix_ns())
    };
    let mut spans: Vec<(i64, i64)> = set
        .windows
        .iter()
        .filter(|window| !window.span.is_empty())
        .map(|window| unix(window.span))
        .collect();
    spans.sort_unstable();
    let busy = merged(trace.operations.ids().map(|op| unix(trace.operations.span(op))));
    let calls = trace.calls.ids().map(|call| unix(trace.calls.span(call)));
    let all = calls.chain(busy.iter().copied()).chain(spans.iter().copied());
    let activity =
        all.fold((i64::MAX, i64::MIN), |extent, span| (extent.0.min(span.0), extent.1.max(span.1)));
    let contained = analysis.windows.contained_share.filter(|_| !set.projected);
    Ok(Question {
        windows: spans,
        busy,
        activity,
        contained: contained.map(crate::units::Share::as_f64),
        traced: !how.untraced,
        idle: idle(trace, session, how, windows)?,
        estimator: estimator(how)?,
        min_coverage: how.min_coverage,
    })
}

fn estimator(how: &EnergyOptions) -> Result<Option<Estimator>> {
    let Some(name) = how.estimator.as_deref().filter(|name| *name != "auto") else {
        return Ok(None);
    };
    let known = Estimator::ALL.into_iter().find(|estimator| estimator.name() == name);
    known.map(Some).with_context(|| {
        format!("no estimator `{name}`; there are auto, direct, block, samples, regression")
    })
}

/// Seconds, or a window specification.
fn idle(
    trace: &Trace,
    session: SessionClock,
    how: &EnergyOptions,
    windows: &WindowArgs,
) -> Result<IdleFrom> {
    let Some(text) = how.idle.as_deref() else { return Ok(IdleFrom::Outside) };
    if let Ok(seconds) = text.trim_end_matches('s').parse::<f64>() {
        return Ok(IdleFrom::Within(Nanos::from_ns((seconds * 1e9) as i64)));
    }
    let only = WindowArgs { skip: 0, take: None, window: Vec::new(), ..windows.clone() };
    let set = input::windows(trace, text, &only).context("--idle")?;
    let unix = |span: crate::units::Span| {
        (session.to_unix(span.start()).as_unix_ns(), session.to_unix(span.end()).as_unix_ns())
    };
    Ok(IdleFrom::Spans(merged(set.windows.iter().map(|window| unix(window.span)))))
}

/// Disjoint spans in time order.
fn merged(spans: impl Iterator<Item = (i64, i64)>) -> Vec<(i64, i64)> {
    let mut sorted: Vec<(i64, i64)> = spans.collect();
    sorted.sort_unstable();
    let mut found: Vec<(i64, i64)> = Vec::new();
    for (start, end) in sorted {
        match found.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => found.push((start, end)),
        }
    }
    found
}

fn clock_hints(trace: &Trace, how: &EnergyOptions) -> Result<ClockHints> {
    let zone = match how.log_tz.as_deref() {
        None => None,
        Some(text) => Some(Zone::parse(text).with_context(|| {
            format!("`{text}` is no zone such as +02:00, UTC or Europe/Berlin")
        })?),
    };
    let date_ns = match how.log_date.as_deref() {
        None => None,
        Some(text) => {
            let date: jiff::civil::Date =
                text.parse().with_context(|| format!("`{text}` is no date such as 2025-05-19"))?;
            let midnight = jiff::tz::TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0))?;
            Some(i64::try_from(midnight.as_nanosecond()).context("--log-date")?)
        }
    };
    Ok(ClockHints {
        zone,
        trace_zone_s: trace.about.utc_offset_s,
        start: how.log_start.as_deref().map(logs::instant).transpose()?,
        date_ns,
        period: how.log_period.as_deref().map(duration).transpose()?,
        offset: how.offset.as_deref().map(duration).transpose()?,
    })
}

/// `100ms`, `-4h`, `1.5s`.
pub(super) fn duration(text: &str) -> Result<Nanos> {
    let at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let scale = match &text[at..] {
        "ns" => 1.0,
        "us" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" | "min" => 60e9,
        "h" => 3600e9,
        _ => bail!("`{text}` needs a unit: ns, us, ms, s, min or h"),
    };
    let value: f64 =
        text[..at].parse().with_context(|| format!("`{text}` is no length of time"))?;
    Ok(Nanos::from_ns((value * scale).round() as i64))
}

fn run_doubt(traced: bool) -> Option<Finding> {
    traced.then(|| {
        Finding::new(
            "energy-of-traced-run",
            Severity::Warning,
            "the power was logged while nsys traced: the profiler's own work is in it",
            "log power beside a run without nsys for figures that are published; --untraced says that this is one",
        )
    })
}

fn clock_doubt(found: marks::ClockMarks) -> Option<Finding> {
    found.step.map(|step| {
        Finding::new(
            "wall-clock-stepped",
            Severity::Error,
            format!(
                "clock marks in the trace jump by {step}: the wall clock was stepped during the run"
            ),
            "repeat the run with NTP off, or use a log on the monotonic clock",
        )
        .with("step_ns", step)
    })
}

fn print(document: &EnergyDocument, args: &EnergyArgs) -> Result<()> {
    let format = args.format.unwrap_or(Format::Table);
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
    let path = document.trace.as_ref().map_or("", |trace| trace.path.as_str());
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
