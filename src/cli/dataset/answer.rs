//! `nsys-attrib dataset query`: a text in SQL in, a table out, in every format that `analyze` has.
//!
//! For people, a column whose name ends in a unit is scaled (`mean_ns` 53,591,000 → `mean` 53.591 ms); for
//! machines, every cell is as the engine gave it.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::args::QueryArgs;
use crate::cli::args::Format;
use crate::cli::output;
use crate::cli::progress::Progress;
use crate::dataset::document::QueryDocument;
use crate::dataset::{Dataset, NAMED, Named, Parameter, Parameters, query_document};
use crate::report::answer::{self, Answer};
use crate::report::line::Line;

pub(super) fn run(args: &QueryArgs) -> Result<ExitCode> {
    if args.named.as_deref() == Some("") {
        list()?;
        return Ok(ExitCode::SUCCESS);
    }
    let typed = parameters(&args.set)?;
    let (name, sql, parameters) = text(args, typed)?;
    if args.show {
        print!("{sql}");
        return Ok(ExitCode::SUCCESS);
    }
    let dataset = Dataset::open(&args.dir)?;
    let progress = Progress::start(format!("reading {}", args.dir.display()));
    let frame = dataset.query(&sql, &parameters)?;
    drop(progress);
    let document = query_document(name.as_deref(), &sql, &frame)?;
    let title = name.as_deref().and_then(Named::find).map_or("Answer", |query| query.what());
    print(title, &document, args.format.unwrap_or(Format::Table), args.top)?;
    Ok(ExitCode::SUCCESS)
}

/// The name of a shipped query, the text, and what it asks for.
fn text(args: &QueryArgs, typed: Parameters) -> Result<(Option<String>, String, Parameters)> {
    if let Some(name) = &args.named {
        let Some(query) = Named::find(name) else {
            let names: Vec<&str> = NAMED.iter().map(|query| query.name).collect();
            bail!("--named {name}: shipped are {}", names.join(", "));
        };
        return Ok((Some(name.clone()), query.sql.to_owned(), query.complete(&typed)?));
    }
    if let Some(file) = &args.file {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("--file {} cannot be read", file.display()))?;
        return Ok((None, text, typed));
    }
    match &args.sql {
        Some(sql) => Ok((None, sql.clone(), typed)),
        None => bail!("give a query in SQL, --file, or --named (which lists the shipped ones)"),
    }
}

fn parameters(typed: &[String]) -> Result<Parameters> {
    let mut parameters = Parameters::new();
    for text in typed {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                parameters.insert(name.to_owned(), value.to_owned());
            }
            _ => bail!("--set {text}: write NAME=VALUE"),
        }
    }
    Ok(parameters)
}

fn list() -> Result<()> {
    let mut lines: Vec<(String, String)> = Vec::new();
    for query in NAMED {
        let asks: Vec<String> = query.parameters().iter().map(Parameter::shown).collect();
        let asks = if asks.is_empty() {
            String::new()
        } else {
            format!(" --set {}", asks.join("; --set "))
        };
        lines.push((query.name.to_owned(), format!("{}{asks}", query.what())));
    }
    let (mut out, style) = (io::stdout().lock(), output::style());
    for (name, what) in lines {
        writeln!(out, "{name}")?;
        report_lines(&mut out, &[("", what)], style)?;
    }
    Ok(())
}

fn report_lines(out: &mut dyn Write, lines: &[Line], style: crate::report::Style) -> Result<()> {
    Ok(crate::report::write_lines(out, lines, style)?)
}

/// Writes an answer to standard output.
pub(super) fn print(
    title: &str,
    document: &QueryDocument,
    format: Format,
    top: Option<usize>,
) -> Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match format {
        Format::Json => {
            drop(out);
            return output::print_json(document);
        }
        Format::Csv => answer::write_csv(&mut out, &of(document))?,
        Format::Md => answer::write_markdown(&mut out, title, &of(document), top)?,
        Format::Table => write_table(&mut out, title, document, top)?,
    }
    Ok(out.flush()?)
}

/// Writes an answer as a table for a terminal.
pub(super) fn write_table(
    out: &mut dyn Write,
    title: &str,
    document: &QueryDocument,
    top: Option<usize>,
) -> Result<()> {
    Ok(answer::write_table(out, title, &of(document), top, output::style())?)
}

/// The same without some columns.
pub(super) fn without(mut document: QueryDocument, names: &[&str]) -> QueryDocument {
    let keep: Vec<bool> =
        document.columns.iter().map(|column| !names.contains(&column.name.as_str())).collect();
    let kept = |cells: Vec<Value>| -> Vec<Value> {
        cells.into_iter().zip(&keep).filter(|(_, keep)| **keep).map(|(cell, _)| cell).collect()
    };
    document.rows = std::mem::take(&mut document.rows).into_iter().map(kept).collect();
    document.columns.retain(|column| !names.contains(&column.name.as_str()));
    document
}

fn of(document: &QueryDocument) -> Answer<'_> {
    Answer {
        columns: document
            .columns
            .iter()
            .map(|column| (column.name.as_str(), column.kind == "text"))
            .collect(),
        rows: &document.rows,
    }
}
