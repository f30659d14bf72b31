//! `nsys-attrib report --check DIR`: do the inputs still give the numbers of the report?
//!
//! The command of the report is run again in memory, with the windows and class rules that it had, and
//! each document of the folder is compared with the new one. Exit 1 when a number differs, or a file
//! of the folder is not as it was written; 2 when an input is missing.

use std::fs;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;
use serde_json::Value;

use super::{ReportArgs, folder, gather};
use crate::cli::args::{Cli, Command};
use crate::cli::{input, study};
use crate::report::paper::{self, Provenance, Section};
use crate::units::plain;

/// A check failed.
const CHECK_FAILED: u8 = 1;
/// Differences that are listed for each document.
const LISTED: usize = 10;

pub(super) fn run(folder: &Path, jobs: Option<NonZeroUsize>) -> Result<ExitCode> {
    let known = folder::provenance(folder)?;
    let sections = again(&known, jobs).with_context(|| folder.display().to_string())?;
    let mut out = std::io::stdout().lock();
    let mut faults = 0;
    for path in folder::changed(folder, &known) {
        writeln!(out, "{}: not as it was written", folder.join(plain(&path, 200)).display())?;
        faults += 1;
    }
    for about in known.inputs.iter().chain(&known.power) {
        let now = input::sha256(Path::new(&about.path));
        if about.sha256.is_some() && now != about.sha256 {
            writeln!(out, "{}: the file is another one than it was", about.path)?;
        }
    }
    for about in &known.sources {
        let path = Path::new(&about.path);
        if path.is_file() && about.sha256.is_some() && input::sha256(path) != about.sha256 {
            let made_from = "what an input was made from is another file than it was";
            writeln!(out, "{}: {made_from}", plain(&about.path, 200))?;
        }
    }
    for section in &sections {
        faults += compare(folder, section, &mut out)?;
    }
    let documents = known.files.iter().filter(|file| file.path.starts_with("documents/")).count();
    if documents != sections.len() {
        writeln!(out, "{documents} results then, {} now", sections.len())?;
        faults += 1;
    }
    if faults > 0 {
        writeln!(out, "{}: the report does not say what its inputs say", folder.display())?;
        return Ok(ExitCode::from(CHECK_FAILED));
    }
    writeln!(
        out,
        "{}: the inputs still give the same numbers ({} {}, made by {})",
        folder.display(),
        documents,
        if documents == 1 { "document" } else { "documents" },
        plain(&known.tool.version, 40)
    )?;
    Ok(ExitCode::SUCCESS)
}

/// What the recorded command gives now, with what a project file said then.
fn again(known: &Provenance, jobs: Option<NonZeroUsize>) -> Result<Vec<Section>> {
    let words = known.command.iter().map(String::as_str);
    let cli = Cli::try_parse_from(words).context("the recorded command cannot be read")?;
    for about in known.inputs.iter().chain(&known.power) {
        if !is_there(Path::new(&about.path)) {
            bail!(
                "input {} is not there; run the check where the report was made",
                plain(&about.path, 200)
            );
        }
    }
    match cli.command {
        Command::Report(args) => Ok(gather::gather(&as_it_was(*args, known), jobs)?.sections),
        Command::Study(args) => study::sections(&args),
        _ => bail!("the recorded command is no report"),
    }
}

/// What was typed then, with what a project file said then.
fn as_it_was(mut args: ReportArgs, known: &Provenance) -> ReportArgs {
    args.how.windows.window.clone_from(&known.windows);
    args.how.classes =
        (known.classes.path != "shipped").then(|| PathBuf::from(&known.classes.path));
    args.timeline = Some("none".to_owned());
    args
}

/// Whether an input, or the dataset of which it is a part, exists.
fn is_there(path: &Path) -> bool {
    path.exists() || input::dataset::place(path).is_some()
}

fn compare(folder: &Path, section: &Section, out: &mut dyn std::io::Write) -> Result<usize> {
    let path = folder.join("documents").join(format!("{}.json", section.id));
    let Ok(text) = fs::read_to_string(&path) else {
        writeln!(out, "{}: missing", path.display())?;
        return Ok(1);
    };
    let was: Value = serde_json::from_str(&text)
        .with_context(|| format!("{}: not a whole document", path.display()))?;
    // As it is after writing and reading: the same digits.
    let is: Value = serde_json::from_str(&serde_json::to_string(&section.document)?)?;
    let found = paper::differences(&was, &is);
    for difference in found.iter().take(LISTED) {
        writeln!(
            out,
            "{}: {} was {}, is {}",
            path.display(),
            plain(&difference.place, 200),
            difference.was,
            difference.is
        )?;
    }
    if found.len() > LISTED {
        writeln!(out, "{}: {} more differences", path.display(), found.len() - LISTED)?;
    }
    Ok(found.len())
}
