//! `nsys-attrib windows`: the instances of a specification and how they are distributed.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::process::ExitCode;

use anyhow::Result;

use super::args::{Format, WindowsArgs};
use super::{input, output};
use crate::attribution::document::{Tool, TraceAbout};
use crate::report::windows::{self, SCHEMA, WindowsDocument, WindowsSet};
use crate::report::{self, Style, Table};
use crate::stats::Lengths;

/// Columns that the wide table of the distribution needs.
const WIDE: u16 = 120;

pub(super) fn run(args: &WindowsArgs, jobs: Option<NonZeroUsize>) -> Result<ExitCode> {
    let mut document: Option<WindowsDocument> = None;
    input::each_set(&args.trace, &args.windows, jobs, &mut |_, _, mut analysis| {
        let (gaps, periods) = windows::gaps_and_periods(&analysis.windows.instances);
        let (tool, trace) = (analysis.tool.clone(), analysis.trace.take());
        let set = WindowsSet::of(analysis, Lengths::of(&gaps), Lengths::of(&periods));
        document.get_or_insert_with(|| empty(tool, trace)).sets.push(set);
        Ok(())
    })?;
    if let Some(document) = document {
        print(&document, args)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn empty(tool: Tool, trace: Option<TraceAbout>) -> WindowsDocument {
    WindowsDocument { schema: SCHEMA.to_owned(), tool, trace, sets: Vec::new() }
}

fn print(document: &WindowsDocument, args: &WindowsArgs) -> Result<()> {
    let format = args.format.unwrap_or(Format::Table);
    if matches!(format, Format::Json | Format::Csv) {
        for set in &document.sets {
            output::warn(&set.findings)?;
        }
    }
    if format == Format::Json {
        return output::print_json(document);
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    let style = output::style();
    let path = document.trace.as_ref().map_or("", |trace| trace.path.as_str());
    for (i, set) in document.sets.iter().enumerate() {
        match format {
            Format::Csv => {
                report::write_tidy(
                    &mut out,
                    i == 0,
                    path,
                    &set.windows.spec,
                    &windows::tables(set),
                )?;
            }
            Format::Md => {
                let heading = format!("Windows {}", set.windows.spec);
                let lines = windows::summary(document.trace.as_ref(), set);
                let tables = shortened(windows::tables(set), args.top);
                report::write_markdown(&mut out, &heading, &lines, &tables, &set.findings)?;
            }
            Format::Table | Format::Json => {
                if i > 0 {
                    writeln!(out)?;
                }
                table(&mut out, document, set, args.top, style)?;
            }
        }
    }
    Ok(out.flush()?)
}

fn shortened(tables: Vec<Table>, top: usize) -> Vec<Table> {
    tables.into_iter().map(|table| table.shortened(top)).collect()
}

fn table(
    out: &mut dyn Write,
    document: &WindowsDocument,
    set: &WindowsSet,
    top: usize,
    style: Style,
) -> io::Result<()> {
    report::write_lines(out, &windows::summary(document.trace.as_ref(), set), style)?;
    let mut tables = windows::tables(set);
    let wide = tables.remove(0);
    // A single instance has a length, which the summary says, and no distribution.
    if set.windows.count > 1 {
        let distribution = if style.width < WIDE { windows::upright(set) } else { wide };
        report::write_table(out, &distribution, style)?;
    }
    windows::write_histogram(out, &set.windows, style)?;
    for table in shortened(tables, top) {
        report::write_table(out, &table, style)?;
    }
    if !set.findings.is_empty() {
        report::write_heading(out, "Findings", style)?;
        report::write_findings(out, &set.findings, style)?;
    }
    Ok(())
}
