//! `nsys-attrib whatif`: windows replayed with changes, and what would change them.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::args::{Format, WINDOW_HELP, WindowArgs};
use super::input::ClassRules;
use super::{input, output, plot};
use crate::attribution::document::Tool;
use crate::attribution::{Analyzer, Options};
use crate::plots::timeline::{self, View};
use crate::plots::{Width, replay as figures};
use crate::replay::document::Replay;
use crate::replay::{Change, LayerRates, Model, Question, whatif};
use crate::report::{self, Table};
use crate::runs::{RunFolder, Sidecar, read_document};
use crate::trace::Trace;
use crate::units::plain;
use crate::windows::WindowSet;

/// A check failed.
const CHECK_FAILED: u8 = 1;

const CHANGES: &str = "\
Changes:
  scale WHICH 0.5        the selected kernels take half as long; they are launched as before
  remove WHICH           they are gone, with their launches and the dispatch before them
  launch-cost 5us | x0.5  what a launch call takes (module loads stay)
  host x0                 the host's time between calls
  graph                   one graph launch for the whole window, one wait
  fuse WHICH             runs of adjacent small kernels become one of their summed time
  overlap-copies          uploads were made ahead, downloads run beside later work
  gpu-clock x1.2          kernels run so much faster
  spikes                  kernels of a layer take its spike rate of their time (needs a sidecar)
  WHICH: group:NAME[/READING], class:FAMILY[/KIND], kernel:NAME, kernel:/REGEX/";

#[derive(Args, Debug)]
#[command(
    about = "Replay windows with something cheaper, and say what would change them",
    after_help = CHANGES,
    after_long_help = format!("{CHANGES}\n\n{WINDOW_HELP}"),
    long_about = "Replay windows with something cheaper, and say what would change them.\n\n\
        Each window is run again from its calls, its operations and what waits for what. The unchanged replay is held \
        against the record first: over 5 % off, there is no answer. Every --change is made, one after the other, and the \
        prediction stands beside a table of standard changes.\n\n\
        Examples:\n  nsys-attrib whatif trace.sqlite --window latency\n  \
        nsys-attrib whatif trace.sqlite -w latency --change 'scale group:dense-convolution 0.5'\n  \
        nsys-attrib whatif trace.sqlite -w latency --change 'launch-cost 5us' --change 'host x0.5'\n  \
        nsys-attrib whatif run/ -w latency --change spikes --format json"
)]
pub(super) struct WhatifArgs {
    /// The trace, or a run folder
    #[arg(value_name = "INPUT")]
    pub(super) input: PathBuf,
    #[command(flatten)]
    pub(super) windows: WindowArgs,
    /// A change to predict; several are made one after the other
    #[arg(long, value_name = "CHANGE")]
    pub(super) change: Vec<String>,
    /// Leave out the table of standard changes
    #[arg(long)]
    pub(super) no_table: bool,
    /// What the program says of its layers and spike rates [default: that of the run folder]
    #[arg(long, value_name = "FILE")]
    pub(super) sidecar: Option<PathBuf>,
    /// Kernel-class rules to use instead of, or in front of, the shipped ones
    #[arg(long, value_name = "FILE")]
    pub(super) classes: Option<PathBuf>,
    /// How to write the result [default: table]
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    /// Rows of each table
    #[arg(long, value_name = "N", default_value_t = 24)]
    pub(super) top: usize,
    /// Draw the table of standard changes as a tornado: .svg, .png or .pdf
    #[arg(long, value_name = "FILE")]
    pub(super) tornado: Vec<PathBuf>,
    /// Draw the lanes of the first replayed window with its critical path marked
    #[arg(long, value_name = "FILE")]
    pub(super) lanes: Vec<PathBuf>,
    /// Exit 1 when the answer is refused
    #[arg(long)]
    pub(super) strict: bool,
}

pub(super) fn run(args: &WhatifArgs, jobs: Option<NonZeroUsize>) -> Result<ExitCode> {
    let rules = ClassRules::read(args.classes.as_deref())?;
    let changes: Vec<Change> = args
        .change
        .iter()
        .map(|text| Change::parse(text, &rules.classifier))
        .collect::<Result<_, _>>()?;
    let sidecar = sidecar(&args.input, args.sidecar.as_deref())?;
    let input = input::read(&args.input, jobs)?;
    if input.trace.calls.is_empty() {
        bail!(
            "{}: the trace holds no CUDA API call, so there is nothing to replay; record with `nsys profile \
             --trace=cuda,nvtx`",
            input.path
        );
    }
    let (specs, note) = input::specifications(&args.windows, &input.trace);
    if let Some(note) = note {
        eprintln!("nsys-attrib: {}: {note}", args.input.display());
    }
    let model = Model::new(&input.trace, &rules.classifier);
    if let Some(idle) = changes.iter().find(|change| model.picks_nothing(change)) {
        bail!(
            "--change `{}`: {} has no such kernel; `nsys-attrib analyze {}` lists its kernels and their classes",
            plain(&idle.typed, 80),
            input.path,
            input.path
        );
    }
    let analyzer = Analyzer::new(&input.trace, &rules.classifier);
    let how = Options { path: input.path.clone(), sha256: input.sha256(), ..Options::default() };
    let about = analyzer.about(&how);
    let mut refused = false;
    for (i, spec) in specs.iter().enumerate() {
        let set = input::windows(&input.trace, spec, &args.windows)
            .with_context(|| input.path.clone())?;
        let rates = rates(&input.trace, sidecar.as_ref(), set.windows.len());
        let question = Question {
            changes: changes.clone(),
            table: !args.no_table,
            rates: rates.as_ref().map_err(Clone::clone),
            has_sidecar: sidecar.is_some(),
            tool: Tool {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            trace: Some(about.clone()),
            jobs,
        };
        let replay = whatif(&model, &set, &question).map_err(anyhow::Error::msg)?;
        refused |= replay.refused.is_some();
        draw(args, &analyzer, &how, &set, &replay)?;
        print(&replay, args, i)?;
    }
    Ok(if refused && args.strict { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}

/// Draws what was asked for; the figures are of the first specification that has an answer.
fn draw(
    args: &WhatifArgs,
    analyzer: &Analyzer<'_>,
    how: &Options,
    set: &WindowSet,
    replay: &Replay,
) -> Result<()> {
    const DPI: f64 = 300.0;
    if !args.tornado.is_empty() {
        let figure = figures::tornado(replay, Width::Text)?;
        args.tornado.iter().try_for_each(|path| plot::save(&figure, path, DPI))?;
    }
    if args.lanes.is_empty() {
        return Ok(());
    }
    let place =
        set.windows.iter().position(|window| Some(window.cpu.start()) == replay.first_start_ns);
    let Some(place) = place else {
        bail!("no window was replayed: there is no critical path to draw")
    };
    let lanes = analyzer.lanes(&set.only(&[place]), how);
    let lanes = lanes.first().context("the window is gone")?;
    let path_name = "critical path of the unchanged replay".to_owned();
    let view = View { span: None, path: figures::critical_path(replay, lanes), path_name };
    let figure = timeline::timeline(lanes, &view, Width::Text)?;
    args.lanes.iter().try_for_each(|path| plot::save(&figure, path, DPI))
}

/// The sidecar that was named, else that of the run folder.
pub(super) fn sidecar(input: &Path, named: Option<&Path>) -> Result<Option<Sidecar>> {
    if let Some(path) = named {
        return Ok(Some(read_document(path)?));
    }
    if !input.is_dir() {
        return Ok(None);
    }
    Ok(RunFolder::open(input)?.sidecar)
}

fn rates(trace: &Trace, sidecar: Option<&Sidecar>, windows: usize) -> Result<LayerRates, String> {
    match sidecar {
        Some(sidecar) => LayerRates::find(trace, sidecar, windows),
        None => Err("no sidecar says which layers spike, and how often: give --sidecar FILE or a run folder".to_owned()),
    }
}

fn print(replay: &Replay, args: &WhatifArgs, index: usize) -> Result<()> {
    let format = args.format.unwrap_or(Format::Table);
    if matches!(format, Format::Json | Format::Csv) {
        output::warn(&replay.findings)?;
    }
    if format == Format::Json {
        return output::print_json(replay);
    }
    let lines = report::replay::summary(replay);
    let tables = report::replay::tables(replay);
    let shortened =
        || tables.iter().cloned().map(|table| table.shortened(args.top)).collect::<Vec<Table>>();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let style = output::style();
    match format {
        Format::Csv => {
            let path = replay.trace.as_ref().map_or("", |trace| trace.path.as_str());
            report::write_tidy(&mut out, index == 0, path, &replay.spec, &tables)?;
        }
        Format::Md => {
            let heading = format!("What if: {}", replay.spec);
            report::write_markdown(&mut out, &heading, &lines, &shortened(), &replay.findings)?;
        }
        Format::Table | Format::Json => {
            if index > 0 {
                writeln!(out)?;
            }
            report::write_lines(&mut out, &lines, style)?;
            for table in shortened().into_iter().filter(|table| table.name != "windows") {
                report::write_table(&mut out, &table, style)?;
            }
            if !replay.findings.is_empty() {
                report::write_heading(&mut out, "Findings", style)?;
                report::write_findings(&mut out, &replay.findings, style)?;
            }
        }
    }
    Ok(out.flush()?)
}
