//! `nsys-attrib analyze`: traces and windows in, documents out.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use super::args::{AnalyzeArgs, Format};
use super::input::Resolver;
use super::{COULD_NOT_RUN, input, json, output};
use crate::attribution::document::{Analyses, SCHEMA_MANY};
use crate::attribution::{Analysis, definitions};
use crate::report::{self, Style};

pub(super) fn run(args: &AnalyzeArgs, jobs: Option<NonZeroUsize>) -> Result<ExitCode> {
    let resolver = Resolver::new(&args.how, jobs)?.with_energy(&args.energy);
    let mut analyses = Vec::new();
    let mut failed = 0;
    for path in &args.traces {
        // One bad trace among many must not hide the results of the others.
        if let Err(error) = analyze(path, args, &resolver, &mut analyses) {
            eprintln!("nsys-attrib: {error:#}");
            failed += 1;
        }
    }
    if !analyses.is_empty() {
        match &args.out {
            Some(folder) => write_files(folder, &analyses, args)?,
            None => print(analyses, &Show::of(args, jobs))?,
        }
    }
    if failed == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    // The error itself may stand far above what was printed.
    if args.traces.len() > 1 {
        eprintln!(
            "nsys-attrib: {failed} of {} inputs could not be analysed; what is shown is of the others",
            args.traces.len()
        );
    }
    Ok(ExitCode::from(COULD_NOT_RUN))
}

fn analyze(
    path: &Path,
    args: &AnalyzeArgs,
    resolver: &Resolver<'_>,
    analyses: &mut Vec<Analysis>,
) -> Result<()> {
    if !args.energy.power.is_empty() && input::is_document(path) {
        bail!("{}: --power needs the trace, not what was made from it", path.display());
    }
    analyses.extend(resolver.analyses(path)?);
    Ok(())
}

/// How analyses are shown.
pub(super) struct Show {
    pub(super) format: Format,
    /// Every instance in the tables too.
    pub(super) per_window: bool,
    /// Rows of each table.
    pub(super) top: usize,
    /// What each number means.
    pub(super) explain: bool,
    /// Threads, for documents.
    pub(super) jobs: Option<NonZeroUsize>,
}

impl Show {
    fn of(args: &AnalyzeArgs, jobs: Option<NonZeroUsize>) -> Self {
        Self {
            format: args.format.unwrap_or(Format::Table),
            per_window: args.per_window,
            top: args.top,
            explain: args.explain,
            jobs,
        }
    }
}

/// Writes analyses to standard output.
pub(super) fn print(mut analyses: Vec<Analysis>, args: &Show) -> Result<()> {
    let format = args.format;
    if matches!(format, Format::Json | Format::Csv) {
        for analysis in &analyses {
            output::warn(&analysis.findings)?;
        }
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    match format {
        Format::Table => {
            let style = output::style();
            for (i, analysis) in analyses.iter().enumerate() {
                if i > 0 {
                    writeln!(out, "\n{}\n", "─".repeat(usize::from(style.width)))?;
                }
                table(&mut out, analysis, args, style)?;
            }
            if args.explain {
                explain(&mut out, style)?;
            }
        }
        Format::Md => {
            for analysis in &analyses {
                markdown(&mut out, analysis, args)?;
            }
        }
        Format::Csv => {
            for (i, analysis) in analyses.iter().enumerate() {
                csv(&mut out, i == 0, analysis, args)?;
            }
        }
        Format::Json => {
            drop(out);
            return if analyses.len() == 1 {
                output::print_analysis(analyses.remove(0), args.jobs)
            } else {
                output::print_json(&Analyses { schema: SCHEMA_MANY.to_owned(), analyses })
            };
        }
    }
    Ok(out.flush()?)
}

fn table(out: &mut dyn Write, analysis: &Analysis, args: &Show, style: Style) -> io::Result<()> {
    report::write_lines(out, &report::summary::summary(analysis), style)?;
    for table in report::analysis::short_tables(analysis, args.per_window, args.top) {
        report::write_table(out, &table, style)?;
    }
    if !analysis.findings.is_empty() {
        writeln!(out, "\nFindings")?;
        report::write_findings(out, &analysis.findings, style)?;
    }
    Ok(())
}

fn explain(out: &mut dyn Write, style: Style) -> io::Result<()> {
    writeln!(out, "\nWhat each number means")?;
    for (key, text) in definitions::DEFINITIONS {
        writeln!(out, "\n{key}")?;
        report::write_lines(out, &[("", (*text).to_owned())], style)?;
    }
    Ok(())
}

fn markdown(out: &mut dyn Write, analysis: &Analysis, args: &Show) -> io::Result<()> {
    let tables: Vec<report::Table> = report::analysis::tables(analysis, args.per_window)
        .into_iter()
        .filter(|table| table.name != "findings")
        .map(|table| match table.name {
            "api" | "kernels" | "classes" => table.shortened(args.top),
            _ => table,
        })
        .collect();
    let heading = format!("Window {}", analysis.windows.spec);
    let lines = report::summary::summary(analysis);
    report::write_markdown(out, &heading, &lines, &tables, &analysis.findings)
}

fn csv(out: &mut dyn Write, header: bool, analysis: &Analysis, args: &Show) -> io::Result<()> {
    let tables = report::analysis::tables(analysis, args.per_window);
    let trace = analysis.trace.as_ref().map_or("", |trace| trace.path.as_str());
    report::write_tidy(out, header, trace, &analysis.windows.spec, &tables)
}

/// Writes `<trace>[.<window>].{json,md,<table>.csv}` into a folder.
fn write_files(folder: &Path, analyses: &[Analysis], args: &AnalyzeArgs) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("folder {} cannot be made", folder.display()))?;
    let mut taken = BTreeSet::new();
    let show = Show::of(args, None);
    for analysis in analyses {
        let stem = unique_stem(analysis, &mut taken);
        let wants = |format| args.format.is_none_or(|only| only == format);
        let mut written: Vec<PathBuf> = Vec::new();
        let mut file = |ending: &str| {
            let path = folder.join(format!("{stem}.{ending}"));
            written.push(path.clone());
            path
        };
        if wants(Format::Json) {
            output::write_file(&file("json"), |out| {
                json::write(&mut *out, analysis)?;
                writeln!(out)
            })?;
        }
        if wants(Format::Md) {
            output::write_file(&file("md"), |out| markdown(out, analysis, &show))?;
        }
        if args.format == Some(Format::Table) {
            output::write_file(&file("txt"), |out| table(out, analysis, &show, Style::default()))?;
        }
        if wants(Format::Csv) {
            for table in report::analysis::tables(analysis, true) {
                output::write_file(&file(&format!("{}.csv", table.name)), |out| {
                    report::write_csv(out, &table)
                })?;
            }
        }
        for path in written {
            println!("{}", path.display());
        }
        output::warn(&analysis.findings)?;
    }
    Ok(())
}

/// A file name for one analysis: the trace's, and the window's when that is needed to tell apart.
fn unique_stem(analysis: &Analysis, taken: &mut BTreeSet<String>) -> String {
    let path = analysis.trace.as_ref().map_or("run", |trace| trace.path.as_str());
    let name =
        Path::new(path).file_name().map_or_else(|| "trace".into(), |name| name.to_string_lossy());
    let trace = [".zst", ".gz", ".sqlite", ".nsys-rep", ".qdrep"]
        .iter()
        .fold(name.into_owned(), |name, ending| {
            name.strip_suffix(ending).unwrap_or(&name).to_owned()
        });
    let window: String = analysis
        .windows
        .spec
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' })
        .take(60)
        .collect();
    let stem = format!("{trace}.{window}");
    let mut unique = stem.clone();
    let mut number = 2;
    while !taken.insert(unique.clone()) {
        unique = format!("{stem}.{number}");
        number += 1;
    }
    unique
}
