//! `nsys-attrib power`: what is in a power log. Also how every command opens logs.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use super::args::{Format, LogArgs, PowerArgs};
use super::{COULD_NOT_RUN, output};
use crate::power::describe::{LogAbout, PowerDocument, SCHEMA};
use crate::power::{self, LogFormat, PowerLog, ReadHints, Source, TimeFormat};
use crate::report;
use crate::units::UnixTime;

pub(super) fn run(args: &PowerArgs) -> Result<ExitCode> {
    let hints = hints(&args.read)?;
    let mut logs = Vec::new();
    let mut code = ExitCode::SUCCESS;
    for path in &args.logs {
        match open(path, &hints) {
            Ok(log) => logs.push(power::describe(&path.display().to_string(), &log)),
            // One bad file among many must not hide the others.
            Err(error) => {
                eprintln!("nsys-attrib: {error:#}");
                code = ExitCode::from(COULD_NOT_RUN);
            }
        }
    }
    if !logs.is_empty() {
        print(logs, args.format.unwrap_or(Format::Table))?;
    }
    Ok(code)
}

/// Reads one log.
pub(super) fn open(path: &Path, hints: &ReadHints) -> Result<PowerLog> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(path).with_context(|| format!("{shown} cannot be read"))?;
    let text = power::text::decode(&bytes);
    Ok(power::read(Source { path: &shown, text: &text }, hints)?)
}

/// What was typed about how to read logs.
pub(super) fn hints(args: &LogArgs) -> Result<ReadHints> {
    let format = match args.log_format.as_deref() {
        None => None,
        Some(name) => match LogFormat::named(name) {
            Some(format) => Some(format),
            None => {
                let known: Vec<&str> = LogFormat::FILES.iter().map(|(name, _)| *name).collect();
                bail!("no log format `{name}`; there are {}", known.join(", "));
            }
        },
    };
    let time_format = match args.time_format.as_deref() {
        None => None,
        Some(name) => match TimeFormat::named(name) {
            Some(format) => Some(format),
            None => {
                let known: Vec<&str> = TimeFormat::NAMES.iter().map(|(name, _)| *name).collect();
                bail!("no time format `{name}`; there are {}", known.join(", "));
            }
        },
    };
    let columns = args.columns.as_ref();
    Ok(ReadHints {
        format,
        columns: columns.map(|names| names.split(',').map(|name| name.trim().to_owned()).collect()),
        time_column: args.time_col.clone(),
        time_format,
        power_columns: args.power_col.clone(),
        scrape_time: args.scrape_time.as_deref().map(instant).transpose()?,
        instant_gpu: args.instant_gpu,
        sort: args.sort,
    })
}

/// An RFC 3339 time.
pub(super) fn instant(text: &str) -> Result<UnixTime> {
    let stamp: jiff::Timestamp = text
        .parse()
        .with_context(|| format!("`{text}` is no RFC 3339 time such as 2025-04-24T19:58:59Z"))?;
    let ns = i64::try_from(stamp.as_nanosecond())
        .with_context(|| format!("`{text}` is out of range"))?;
    Ok(UnixTime::from_unix_ns(ns))
}

fn print(logs: Vec<LogAbout>, format: Format) -> Result<()> {
    if matches!(format, Format::Json | Format::Csv) {
        for log in &logs {
            output::warn(&log.findings)?;
        }
    }
    if format == Format::Json {
        return output::print_json(&PowerDocument { schema: SCHEMA.to_owned(), logs });
    }
    let style = output::style();
    let mut out = io::BufWriter::new(io::stdout().lock());
    for (i, log) in logs.iter().enumerate() {
        let tables = report::power::tables(log);
        match format {
            Format::Csv => report::write_tidy(&mut out, i == 0, &log.path, "", &tables)?,
            Format::Md => {
                let heading = format!("Power log {}", log.path);
                let lines = report::power::summary(log);
                report::write_markdown(&mut out, &heading, &lines, &tables, &log.findings)?;
            }
            Format::Table | Format::Json => {
                if i > 0 {
                    writeln!(out, "\n{}\n", "─".repeat(usize::from(style.width)))?;
                }
                report::write_lines(&mut out, &report::power::summary(log), style)?;
                for table in &tables {
                    report::write_table(&mut out, table, style)?;
                }
                if !log.findings.is_empty() {
                    report::write_heading(&mut out, "Findings", style)?;
                    report::write_findings(&mut out, &log.findings, style)?;
                }
            }
        }
    }
    Ok(out.flush()?)
}
