//! `nsys-attrib plot KIND INPUT... -o FILE`: figures for papers, with their captions beside them.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use super::args::{EnergyOptions, WINDOW_HELP};
use super::compare_args::ByArg;
use super::input::{Resolver, TraceOptions};
use super::{energy, input, instance, output};
use crate::attribution::{Analysis, Analyzer, KernelSamples, Options};
use crate::compare::document::{self as comparison, By, Comparison};
use crate::plots::timeline::View;
use crate::plots::{
    Figure, Group, SvgFont, Width, distribution, forest, power_trace, shares, spectrum, timeline,
    trade, waterfall,
};
use crate::runs::RunFolder;
use crate::trace::Trace;
use crate::units::{Nanos, Span, TraceTime};
use crate::windows::WindowSet;

#[derive(Args, Debug)]
#[command(
    about = "Draw a figure for a paper: SVG, PNG or PDF, with its caption beside it",
    after_long_help = WINDOW_HELP,
    long_about = "Draw a figure for a paper: SVG, PNG or PDF, with its caption beside it.\n\n\
        An INPUT is a trace in any form or a document of `analyze --format json`; several are shown side by side. \
        Kinds that draw single events (timeline, delays, durations) need traces; power needs a trace, or the folder of \
        a run whose sidecar has its requests. The ending of FILE says the format; FILE.txt and FILE.tex hold the caption with the definition of what is shown.\n\n\
        Examples:\n  nsys-attrib plot classes dense.json spiking.json --label dense,spiking -o classes.pdf\n  \
        nsys-attrib plot timeline trace.sqlite -w latency --instance 3 -o window.svg --width text\n  \
        nsys-attrib plot idle trace.sqlite -w latency -o idle.svg -o idle.png\n  \
        nsys-attrib plot compare comparison.json -o moved.pdf\n  \
        nsys-attrib plot power trace.sqlite -w latency --power tegrastats.log -o power.pdf"
)]
pub(super) struct PlotArgs {
    /// What to draw
    #[arg(value_name = "KIND")]
    kind: Kind,
    /// Traces or documents
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// The picture; .svg, .png or .pdf; may be given several times
    #[arg(long, short, value_name = "FILE", required = true)]
    out: Vec<PathBuf>,
    /// column (84 mm), text (174 mm), or millimetres
    #[arg(long, value_name = "WIDTH", default_value = "column", value_parser = width)]
    width: Width,
    /// Names of the inputs, in their order; inputs of one name are shown as one group
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    label: Vec<String>,
    /// Functions, classes or kernels that are shown each by itself (functions and classes by colour, kernels by
    /// number in the colour of their class); what remains is one part
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
    /// Number of the window that `timeline` shows [default: the one of median length]
    #[arg(long, value_name = "N")]
    instance: Option<usize>,
    /// Part that `timeline` (from the start of the window) or `power` (trace time; without a trace, from the first
    /// request) shows: 1ms..2.5ms
    #[arg(long, value_name = "FROM..TO", allow_hyphen_values = true)]
    zoom: Option<String>,
    /// How `compare` divides what moved [default: idle]
    #[arg(long, value_name = "BY")]
    by: Option<ByArg>,
    /// Dots per inch of PNG files
    #[arg(long, value_name = "DPI", default_value_t = 300.0, value_parser = dpi)]
    dpi: f64,
    #[command(flatten)]
    pub(super) how: TraceOptions,
    #[command(flatten)]
    pub(super) energy: EnergyOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// CUDA API time by function, one bar for each group.
    Api,
    /// Kernel time by class, one bar for each group.
    Classes,
    /// Kernel time by kernel, one bar for each group.
    Kernels,
    /// Histogram and distribution of the windows' lengths.
    Latency,
    /// Histogram and distribution of launch delays.
    Delays,
    /// Kernel time and count by duration and class.
    Durations,
    /// The lanes of one window.
    Timeline,
    /// Where the time of the mean window went.
    Idle,
    /// Power over time beside the windows.
    Power,
    /// Latency against energy per window.
    Energy,
    /// A document of `compare`: what moved, by how much, how surely.
    Compare,
}

fn width(text: &str) -> Result<Width, String> {
    Width::parse(text).ok_or_else(|| {
        format!("`{text}` is neither column, text nor {} to {} mm", Width::LEAST, Width::MOST)
    })
}

fn dpi(text: &str) -> Result<f64, String> {
    let dpi = text.parse().ok().filter(|dpi| (36.0..=2400.0).contains(dpi));
    dpi.ok_or_else(|| format!("`{text}` is no resolution from 36 to 2400"))
}

pub(super) fn run(args: &PlotArgs, jobs: Option<NonZeroUsize>) -> Result<ExitCode> {
    for path in &args.out {
        Format::of(path)?;
    }
    if args.label.len() > args.inputs.len() {
        bail!("--label has {} names for {} inputs", args.label.len(), args.inputs.len());
    }
    let mut resolver = Resolver::new(&args.how, jobs)?;
    if args.kind == Kind::Energy || !args.energy.power.is_empty() {
        resolver = resolver.with_energy(&args.energy);
    }
    let figure = figure(args, &resolver)?;
    for path in &args.out {
        save(&figure, path, args.dpi)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a figure as the ending of the file says, with its caption beside it.
pub(super) fn save(figure: &Figure, path: &Path, dpi: f64) -> Result<()> {
    let bytes = match Format::of(path)? {
        Format::Svg => figure.svg(SvgFont::Carried)?.into_bytes(),
        Format::Png => figure.png(dpi)?,
        Format::Pdf => figure.pdf(),
    };
    write(path, &bytes)?;
    write(&path.with_extension("txt"), format!("{}\n", figure.caption).as_bytes())?;
    write(&path.with_extension("tex"), figure.caption_tex().as_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    output::write_file(path, |out| out.write_all(bytes))
}

#[derive(Clone, Copy)]
enum Format {
    Svg,
    Png,
    Pdf,
}

impl Format {
    fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            Some("pdf") => Ok(Self::Pdf),
            _ => bail!("{}: the ending says the format: .svg, .png or .pdf", path.display()),
        }
    }
}

fn figure(args: &PlotArgs, resolver: &Resolver<'_>) -> Result<Figure> {
    let (width, top) = (args.width, args.top);
    let figure = match args.kind {
        Kind::Api => shares::api(&groups(args, resolver)?, width, top),
        Kind::Classes => shares::classes(&groups(args, resolver)?, width, top),
        Kind::Kernels => shares::kernels(&groups(args, resolver)?, width, top),
        Kind::Latency => distribution::latency(&groups(args, resolver)?, width),
        Kind::Idle => waterfall::idle(&groups(args, resolver)?, width),
        Kind::Delays => distribution::delays(&samples(args, resolver)?, width),
        Kind::Durations => {
            let samples = samples(args, resolver)?;
            let [(_, samples)] = samples.as_slice() else {
                bail!("durations: one trace with one --window at a time");
            };
            spectrum::durations(samples, width, top)
        }
        Kind::Timeline => return timeline_of(args, resolver),
        Kind::Power => return power_of(args, resolver),
        Kind::Energy => {
            let (points, energy, caption) = energy::points(&groups(args, resolver)?)?;
            trade::latency_energy(&points, &energy, &caption, width)
        }
        Kind::Compare => {
            let by = args.by.map_or(By::Idle, Into::into);
            forest::comparison(&comparison(args)?, by, width, top)
        }
    };
    Ok(figure?)
}

/// The one comparison that was named.
fn comparison(args: &PlotArgs) -> Result<Comparison> {
    let [path] = args.inputs.as_slice() else {
        bail!("compare: one document of `nsys-attrib compare --format json` at a time");
    };
    match input::document::schema_of(path) {
        Some(schema) if schema == comparison::SCHEMA => input::document::parse(path, &schema),
        _ => bail!(
            "{}: not a comparison; make one with `nsys-attrib compare A... --vs B... --format json`",
            path.display()
        ),
    }
}

/// The analyses of all inputs under their names.
fn groups(args: &PlotArgs, resolver: &Resolver<'_>) -> Result<Vec<Group>> {
    let mut analyses: Vec<Analysis> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for (i, path) in args.inputs.iter().enumerate() {
        let found = analyses_of(path, args, resolver)?;
        if let Some(name) = args.label.get(i) {
            names.resize(analyses.len(), String::new());
            names.extend(std::iter::repeat_n(name.clone(), found.len()));
        }
        analyses.extend(found);
    }
    let drawn_of_sums = matches!(args.kind, Kind::Api | Kind::Classes | Kind::Kernels);
    if let Some(sums) = analyses.iter().find(|one| one.imported.is_some() && !drawn_of_sums) {
        bail!(
            "{}: sums imported from `nsys stats` have no windows, which this figure shows; it needs the trace. \
             api, classes and kernels can be drawn of them",
            sums.trace.as_ref().map_or("an input", |trace| trace.path.as_str())
        );
    }
    if args.label.is_empty() {
        return Ok(Group::each(analyses));
    }
    if args.label.len() < args.inputs.len() {
        bail!("--label has {} names for {} inputs", args.label.len(), args.inputs.len());
    }
    Ok(Group::named(analyses, &names))
}

/// With energy where a power log was given, or lies in a run folder.
fn analyses_of(path: &Path, args: &PlotArgs, resolver: &Resolver<'_>) -> Result<Vec<Analysis>> {
    if !args.energy.power.is_empty() && input::is_document(path) {
        bail!("{}: --power needs the trace, not a document made from it", path.display());
    }
    match resolver.resolve(path)? {
        input::document::Document::Analyses(analyses) => Ok(analyses),
        input::document::Document::Energy(_) => {
            bail!("{}: figures need the analysis, not the energies alone", path.display())
        }
    }
}

/// Visits every set of windows of every input with its trace at hand.
fn each_trace(
    args: &PlotArgs,
    resolver: &Resolver<'_>,
    visit: &mut dyn FnMut(usize, &Trace, &WindowSet, Analysis) -> Result<()>,
) -> Result<()> {
    for (i, path) in args.inputs.iter().enumerate() {
        if input::document::schema_of(path).is_some() {
            bail!("{}: this figure shows single events; give the trace", path.display());
        }
        resolver.each(path, &mut |trace, set, analysis| visit(i, trace, set, analysis))?;
    }
    Ok(())
}

/// As the analysis was made.
fn options(args: &PlotArgs, analysis: &Analysis) -> Options {
    Options {
        rule: args.how.attribute.map(Into::into),
        own_thread: args.how.own_thread,
        path: analysis.trace.as_ref().map(|trace| trace.path.clone()).unwrap_or_default(),
        sha256: analysis.trace.as_ref().and_then(|trace| trace.sha256.clone()),
        ..Options::default()
    }
}

fn samples(args: &PlotArgs, resolver: &Resolver<'_>) -> Result<Vec<(String, KernelSamples)>> {
    let mut analyses = Vec::new();
    let mut samples = Vec::new();
    let mut names = Vec::new();
    each_trace(args, resolver, &mut |i, trace, set, analysis| {
        let analyzer = Analyzer::new(trace, &resolver.rules.classifier);
        samples.push(analyzer.kernel_samples(set, &options(args, &analysis)));
        names.push(args.label.get(i).cloned());
        analyses.push(analysis);
        Ok(())
    })?;
    let own = Group::each(analyses).into_iter().map(|group| group.name);
    Ok(names.into_iter().zip(own).map(|(name, own)| name.unwrap_or(own)).zip(samples).collect())
}

fn timeline_of(args: &PlotArgs, resolver: &Resolver<'_>) -> Result<Figure> {
    let mut drawn: Option<Figure> = None;
    each_trace(args, resolver, &mut |_, trace, set, analysis| {
        if drawn.is_some() {
            bail!("timeline: one trace with one --window at a time");
        }
        let place = instance::place(set, args.instance)?;
        let analyzer = Analyzer::new(trace, &resolver.rules.classifier);
        let lanes = analyzer.lanes(&set.only(&[place]), &options(args, &analysis));
        let lanes = lanes.first().context("the window is gone")?;
        let start = lanes.window.start_ns.as_ns();
        let span = zoom(args, start)?;
        let events = lanes.operations.iter().map(|op| op.end_ns);
        let end = events.chain([lanes.window.end_ns]).max().map_or(start, TraceTime::as_ns);
        if let Some(text) = args.zoom.as_ref().filter(|_| span.is_some_and(|s| s.start_ns() >= end))
        {
            let length = Nanos::from_ns(end - start);
            bail!("--zoom {text} begins behind everything in this window, which takes {length}");
        }
        let view = View { span, ..View::default() };
        drawn = Some(timeline::timeline(lanes, &view, args.width)?);
        Ok(())
    })?;
    drawn.context("no trace")
}

fn power_of(args: &PlotArgs, resolver: &Resolver<'_>) -> Result<Figure> {
    if let [path] = args.inputs.as_slice()
        && let Some(run) = input::run::without_trace(path)?
    {
        return power_of_run(args, &run);
    }
    let mut drawn: Option<Figure> = None;
    each_trace(args, resolver, &mut |i, trace, set, analysis| {
        if drawn.is_some() {
            bail!("power: one trace with one --window at a time");
        }
        let curves = energy::curves(&args.inputs[i], trace, set, &args.energy, &args.how.windows)?;
        let [curve] = curves.as_slice() else { bail!("power: one --power LOG at a time") };
        let (windows, busy) = energy::spans(trace, set);
        let shown = power_trace::Shown {
            trace: analysis.trace.as_ref(),
            curve,
            spec: &set.spec,
            axis: "trace time",
            windows: &windows,
            busy: Some(&busy),
            span: zoom(args, 0)?,
        };
        drawn = Some(power_trace::power(&shown, args.width)?);
        Ok(())
    })?;
    drawn.context("no trace")
}

/// Power beside the requests of a run without a trace.
fn power_of_run(args: &PlotArgs, run: &RunFolder) -> Result<Figure> {
    let beside = energy::untraced::curves(run, &args.energy, &args.how.windows)?;
    let [curve] = beside.curves.as_slice() else {
        bail!(
            "power: one log at a time, and {} has {}; --power LOG names one",
            run.path.display(),
            beside.curves.len()
        );
    };
    let shown = beside.shown(curve, zoom(args, 0)?);
    Ok(power_trace::power(&shown, args.width)?)
}

/// The part to show, on trace time, counted from an instant.
fn zoom(args: &PlotArgs, from: i64) -> Result<Option<Span>> {
    let Some(text) = &args.zoom else { return Ok(None) };
    let spoken = || format!("--zoom {text}: two lengths of time, such as 1ms..2.5ms");
    let (start, end) = text.split_once("..").with_context(spoken)?;
    let at = |text: &str| Ok::<i64, anyhow::Error>(from + energy::duration(text.trim())?.as_ns());
    let (start, end) = (at(start).with_context(spoken)?, at(end).with_context(spoken)?);
    if start >= end {
        bail!("{}: the end must come after the start", spoken());
    }
    Ok(Some(Span::from_ns(start, end)))
}
