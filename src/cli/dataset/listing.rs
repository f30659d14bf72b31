//! `nsys-attrib dataset ls`, `check` and `compact`: what is there, and whether it is whole.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use super::answer;
use super::args::{CheckArgs, CompactArgs, LsArgs};
use crate::cli::args::{Format, PageFormat};
use crate::cli::progress::Progress;
use crate::cli::{CHECK_FAILED, output};
use crate::dataset::document::QueryDocument;
use crate::dataset::{Checked, Dataset, Parameters, query_document};
use crate::finding::{Finding, Severity};
use crate::report;
use crate::units::Bytes;

/// The analyses, as `ls` shows them.
const RUNS: &str = "select run_id, status, input_path, window_spec, captured_utc, windows, mean_ns, verdict, \
     worst_severity, error from runs order by captured_unix_ns, input_path, run_id";
/// What is said of them.
const TAGS: &str = "select run_id, tag, value from tags order by run_id, tag";

pub(super) fn list(args: &LsArgs) -> Result<ExitCode> {
    let dataset = Dataset::open(&args.dir)?;
    let summary = dataset.summary()?;
    let mut runs = ask(&dataset, RUNS)?;
    let mut tags: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in ask(&dataset, TAGS)?.rows {
        if let [Value::String(run), Value::String(tag), Value::String(value)] = row.as_slice() {
            tags.entry(run.clone()).or_default().push(format!("{tag}={value}"));
        }
    }
    let column = crate::dataset::document::QueryColumn { name: "tags".into(), kind: "text".into() };
    runs.columns.push(column);
    for row in &mut runs.rows {
        let tags = row.first().and_then(Value::as_str).and_then(|run| tags.get(run));
        row.push(tags.map_or(Value::Null, |tags| Value::String(tags.join(" "))));
    }
    let format = args.format.unwrap_or(Format::Table);
    if format == Format::Table {
        let mut out = io::stdout().lock();
        report::write_lines(&mut out, &lines(&summary), output::style())?;
        // A table of what a person looks for; the other formats have every column.
        let narrow = answer::without(runs, &["run_id", "worst_severity", "error", "captured_utc"]);
        answer::write_table(&mut out, "Analyses", &narrow, Some(args.top))?;
        return Ok(ExitCode::SUCCESS);
    }
    answer::print("Analyses", &runs, format, Some(args.top))?;
    Ok(ExitCode::SUCCESS)
}

fn ask(dataset: &Dataset, sql: &str) -> Result<QueryDocument> {
    let frame = dataset.query(sql, &Parameters::new())?;
    Ok(query_document(None, sql, &frame)?)
}

fn lines(summary: &Checked) -> Vec<report::line::Line> {
    let rows: Vec<String> =
        summary.rows.iter().map(|(table, rows)| format!("{table} {rows}")).collect();
    let failed = match summary.failed {
        0 => String::new(),
        failed => format!(", {failed} of them could not be analysed"),
    };
    vec![
        ("inputs", format!("{}{failed}", summary.inputs)),
        ("files", format!("{} with {}", summary.files, Bytes::new(summary.bytes))),
        ("rows", if rows.is_empty() { "none".to_owned() } else { rows.join(" · ") }),
    ]
}

/// A check as a document.
#[derive(Serialize)]
struct CheckDocument<'a> {
    inputs: usize,
    failed: usize,
    files: usize,
    bytes: u64,
    rows: &'a BTreeMap<String, u64>,
    findings: &'a [Finding],
}

pub(super) fn check(args: &CheckArgs) -> Result<ExitCode> {
    let dataset = Dataset::open(&args.dir)?;
    let progress = Progress::start(format!("reading {}", args.dir.display()));
    let checked = dataset.check()?;
    drop(progress);
    let wrong = checked.findings.iter().any(|finding| finding.severity > Severity::Info);
    if args.format == PageFormat::Json {
        output::print_json(&CheckDocument {
            inputs: checked.inputs,
            failed: checked.failed,
            files: checked.files,
            bytes: checked.bytes,
            rows: &checked.rows,
            findings: &checked.findings,
        })?;
    } else {
        let (mut out, style) = (io::stdout().lock(), output::style());
        report::write_lines(&mut out, &lines(&checked), style)?;
        if checked.findings.is_empty() {
            writeln!(out, "every file is what its commit says, and of the layout")?;
        }
        report::write_findings(&mut out, &checked.findings, style)?;
    }
    Ok(if wrong { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}

pub(super) fn compact(args: &CompactArgs) -> Result<ExitCode> {
    let dataset = Dataset::open(&args.dir)?;
    let progress = Progress::start(format!("compacting {}", args.dir.display()));
    let removed = dataset.tidy()?;
    let done = dataset.compact()?;
    drop(progress);
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{}: {} files of {} inputs joined, {} files are left",
        args.dir.display(),
        done.files_before,
        done.inputs,
        done.files_after
    )?;
    if done.left + removed > 0 {
        writeln!(out, "{} files and folders of interrupted runs removed", done.left + removed)?;
    }
    Ok(ExitCode::SUCCESS)
}
