//! `nsys-attrib sensitivity`: does measured cost follow measured sparsity?

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::args::{Format, WINDOW_HELP, WindowArgs};
use super::input::ClassRules;
use super::whatif::sidecar;
use super::{input, output};
use crate::attribution::document::Tool;
use crate::attribution::{Analysis, Analyzer, Options};
use crate::replay::sensitivity_document::Sensitivity;
use crate::replay::{RunOf, sensitivity};
use crate::report;
use crate::runs::Sidecar;

/// A check failed.
const CHECK_FAILED: u8 = 1;

#[derive(Args, Debug)]
#[command(
    about = "Test whether latency and kernel time follow the spike rates of the requests",
    after_long_help = WINDOW_HELP,
    long_about = "Test whether latency and kernel time follow the spike rates of the requests.\n\n\
        Each window is a request, whose spike rates the sidecar lists. The slope of each cost is robust against stray requests, \
        has an intercept for every checkpoint and an interval, and stands beside that of a runtime whose cost is \
        proportional to the spikes.\n\n\
        Examples:\n  nsys-attrib sensitivity run/ --window latency\n  \
        nsys-attrib sensitivity trace.sqlite -w latency --sidecar sidecar.json\n  \
        nsys-attrib sensitivity seed1/ seed2/ seed3/ -w latency --format json"
)]
pub(super) struct SensitivityArgs {
    /// Run folders, or traces with a --sidecar each
    #[arg(required = true, value_name = "INPUT")]
    pub(super) inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) windows: WindowArgs,
    /// What the program says of its requests, one for each INPUT in their order [default: that of the run folder]
    #[arg(long, value_name = "FILE")]
    pub(super) sidecar: Vec<PathBuf>,
    /// Kernel-class rules to use instead of, or in front of, the shipped ones
    #[arg(long, value_name = "FILE")]
    pub(super) classes: Option<PathBuf>,
    /// How to write the result [default: table]
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    /// Exit 1 when the answer is refused
    #[arg(long)]
    pub(super) strict: bool,
}

pub(super) fn run(args: &SensitivityArgs, jobs: Option<NonZeroUsize>) -> Result<ExitCode> {
    if !args.sidecar.is_empty() && args.sidecar.len() != args.inputs.len() {
        bail!(
            "{} inputs and {} sidecars: give one --sidecar for each INPUT, in their order, or run folders, which hold theirs",
            args.inputs.len(),
            args.sidecar.len()
        );
    }
    let rules = ClassRules::read(args.classes.as_deref())?;
    let mut read: Vec<(String, Analysis, Sidecar)> = Vec::new();
    for (at, path) in args.inputs.iter().enumerate() {
        let named = args.sidecar.get(at).map(PathBuf::as_path);
        let Some(sidecar) = sidecar(path, named)? else {
            bail!(
                "{}: no sidecar says which requests spiked how much; give --sidecar FILE, or a run folder that holds \
                 sidecar.json",
                path.display()
            );
        };
        let input = input::read(path, jobs)?;
        let (specs, note) = input::specifications(&args.windows, &input.trace);
        if let Some(note) = note {
            eprintln!("nsys-attrib: {}: {note}", path.display());
        }
        let [spec] = specs.as_slice() else { bail!("give one --window: a request is one window") };
        let set = input::windows(&input.trace, spec, &args.windows)
            .with_context(|| input.path.clone())?;
        let how = Options { path: input.path.clone(), ..Options::default() };
        let analysis = Analyzer::new(&input.trace, &rules.classifier).analyze(&set, &how);
        read.push((input.path, analysis, sidecar));
    }
    let runs: Vec<RunOf<'_>> = read
        .iter()
        .map(|(path, analysis, sidecar)| RunOf { path: path.clone(), analysis, sidecar })
        .collect();
    let tool = Tool {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let found = sensitivity(&runs, &rules.classifier, tool);
    print(&found, args.format.unwrap_or(Format::Table))?;
    let refused = found.refused.is_some();
    Ok(if refused && args.strict { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}

fn print(found: &Sensitivity, format: Format) -> Result<()> {
    if matches!(format, Format::Json | Format::Csv) {
        output::warn(&found.findings)?;
    }
    if format == Format::Json {
        return output::print_json(found);
    }
    let lines = report::sensitivity::summary(found);
    let table = report::sensitivity::table(found);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let style = output::style();
    match format {
        Format::Csv => {
            let path = found.inputs.first().map_or("", |input| input.path.as_str());
            report::write_tidy(&mut out, true, path, &found.spec, &[table])?;
        }
        Format::Md => {
            let heading = format!("Does cost follow sparsity: {}", found.spec);
            report::write_markdown(&mut out, &heading, &lines, &[table], &found.findings)?;
        }
        Format::Table | Format::Json => {
            report::write_lines(&mut out, &lines, style)?;
            if !table.rows.is_empty() {
                report::write_table(&mut out, &table, style)?;
            }
            if !found.findings.is_empty() {
                report::write_heading(&mut out, "Findings", style)?;
                report::write_findings(&mut out, &found.findings, style)?;
            }
        }
    }
    Ok(out.flush()?)
}
