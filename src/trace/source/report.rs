//! Exports an nsys report with an installed `nsys`.
//!
//! The rule is to trust files and exit code together: nsys exits 0 in cases where it wrote nothing,
//! and leaves half a database behind when it dies on a report of a newer version. It runs in a fresh
//! temporary folder, on a link to the report, so that nothing appears beside the report.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use regex::Regex;
use tempfile::TempDir;

use crate::finding::{Finding, Severity};

use super::error::{SourceError, quoted};

/// The environment variable that names another `nsys`.
const VARIABLE: &str = "NSYS_ATTRIB_NSYS";

/// A report names its writer in the product description near its end.
const TAIL: u64 = 16 * 1024;

// The patterns are constants; `None` can only be a slip that the tests below would show.
static WRITER: LazyLock<Option<regex::bytes::Regex>> =
    LazyLock::new(|| regex::bytes::Regex::new(r"\b(20\d\d)\.(\d+)\.\d+\.\d+-[0-9a-z]{6,}").ok());
static REFUSED_VERSION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"Version number is invalid: (\d+)@(\d+)").ok());
static INSTALLED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b(20\d\d)\.(\d+)(\.\d+)*").ok());

/// Which `nsys` to run.
#[derive(Clone, Debug)]
pub struct Nsys {
    program: OsString,
    named: bool,
}

impl Nsys {
    /// The one that `NSYS_ATTRIB_NSYS` names, else the one on `PATH`.
    pub fn from_env() -> Self {
        match std::env::var_os(VARIABLE) {
            Some(program) if !program.is_empty() => Self { program, named: true },
            _ => Self { program: "nsys".into(), named: false },
        }
    }

    /// This program.
    pub fn at(program: impl Into<OsString>) -> Self {
        Self { program: program.into(), named: true }
    }

    /// The year and number of the installed version, from `nsys --version`.
    fn version(&self) -> Option<(u32, u32)> {
        let output = Command::new(&self.program).arg("--version").stdin(Stdio::null()).output();
        let text = String::from_utf8_lossy(&output.ok()?.stdout).into_owned();
        let found = INSTALLED.as_ref()?.captures(&text)?;
        Some((found[1].parse().ok()?, found[2].parse().ok()?))
    }

    fn looked(&self) -> String {
        if self.named {
            format!("{} cannot be run", self.program.display())
        } else {
            format!("not on PATH, and {VARIABLE} is not set")
        }
    }
}

/// An export that was made.
#[derive(Debug)]
pub(super) struct Export {
    pub(super) folder: TempDir,
    pub(super) database: PathBuf,
    pub(super) notes: Vec<Finding>,
}

/// Exports `report`. `path` is what the user named, for messages.
pub(super) fn export(report: &Path, path: &Path, nsys: &Nsys) -> Result<Export, SourceError> {
    let no_room = |source| SourceError::NoRoom {
        path: path.to_path_buf(),
        folder: std::env::temp_dir(),
        source,
    };
    let report = fs::canonicalize(report).map_err(|error| SourceError::from_io(path, error))?;
    let folder = TempDir::with_prefix("nsys-attrib-").map_err(no_room)?;
    let link = folder.path().join("report.nsys-rep");
    symlink(&report, &link).map_err(no_room)?;
    let database = folder.path().join("trace.sqlite");
    let output = Command::new(&nsys.program)
        .args(["export", "--type", "sqlite", "--force-overwrite=true", "-o"])
        .args([&database, &link])
        .stdin(Stdio::null())
        .output()
        .map_err(|_| SourceError::NoNsys {
            path: path.to_path_buf(),
            looked: nsys.looked(),
            command: command_for(path),
        })?;
    if !output.status.success() || !is_filled(&database) {
        return Err(explain(&report, path, nsys, &output));
    }
    Ok(Export { notes: notes(&output), folder, database })
}

/// What a user types on a machine that has nsys.
fn command_for(path: &Path) -> String {
    format!("nsys export --type sqlite --force-overwrite=true -o trace.sqlite {}", quoted(path))
}

fn is_filled(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|about| about.is_file() && about.len() > 0)
}

fn explain(report: &Path, path: &Path, nsys: &Nsys, output: &Output) -> SourceError {
    let line = relevant_line(output);
    let installed = nsys.version();
    let refused = REFUSED_VERSION.as_ref().and_then(|pattern| {
        let found = pattern.captures(&line)?;
        Some((found[1].parse().ok()?, found[2].parse().ok()?))
    });
    let newer = || writer(report).filter(|writer| installed.is_some_and(|have| *writer > have));
    match refused.or_else(newer) {
        Some((year, number)) => SourceError::NsysTooOld {
            path: path.to_path_buf(),
            needed: format!("{year}.{number}"),
            installed: installed.map(|(year, number)| format!("{year}.{number}")),
            line,
            command: command_for(path),
        },
        None => SourceError::ExportFailed {
            path: path.to_path_buf(),
            nsys: PathBuf::from(&nsys.program),
            line,
        },
    }
}

/// The version that wrote the report: the latest one that its last pages name.
fn writer(report: &Path) -> Option<(u32, u32)> {
    let mut file = File::open(report).ok()?;
    let size = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(TAIL))).ok()?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail).ok()?;
    let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse().ok();
    WRITER
        .as_ref()?
        .captures_iter(&tail)
        .filter_map(|found| Some((number(&found[1])?, number(&found[2])?)))
        .max()
}

/// The lines that nsys printed, without its progress bar, which is drawn with carriage returns.
fn lines(output: &Output) -> Vec<String> {
    [&output.stderr, &output.stdout]
        .into_iter()
        .flat_map(|stream| {
            String::from_utf8_lossy(stream)
                .split(['\r', '\n', '\u{8}'])
                .map(str::trim)
                .filter(|line| !line.is_empty() && !is_progress(line))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
}

fn is_progress(line: &str) -> bool {
    line.ends_with(']') && line.contains('%') && line.contains('[')
}

/// The one line that says most.
fn relevant_line(output: &Output) -> String {
    let lines = lines(output);
    let telling = ["Version number is invalid", "std::exception::what", "xportation error", "rror"];
    let line = telling
        .iter()
        .find_map(|word| lines.iter().find(|line| line.contains(word)))
        .or_else(|| lines.last())
        .cloned();
    match line {
        Some(line) => line.chars().take(300).collect(),
        None if output.status.success() => "it ended well and wrote no file".to_owned(),
        None => format!("it ended with {} and said nothing", output.status),
    }
}

/// Warnings of a successful export, such as events that an older nsys had to leave out.
fn notes(output: &Output) -> Vec<Finding> {
    lines(output)
        .iter()
        .filter(|line| line.to_ascii_lowercase().contains("warning"))
        .map(|line| {
            Finding::new(
                "nsys-export-warning",
                Severity::Warning,
                format!("nsys warned while exporting: {line}"),
                "export with the nsys version that wrote the report",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn said(stderr: &str) -> Output {
        Output {
            status: std::process::ExitStatus::from_raw(256),
            stdout: Vec::new(),
            stderr: stderr.as_bytes().to_vec(),
        }
    }

    #[test]
    fn the_telling_line_is_found_behind_the_progress_bar() {
        let parse = said(
            "Exporting 8 events: [=5%   ]\r[libprotobuf ERROR x.cc:122] Can't parse\n\
             Exportation error: /build/x.cpp(73): Throw in function f()\n\
             std::exception::what: ProtobufParseException\n\n",
        );
        assert_eq!(relevant_line(&parse), "std::exception::what: ProtobufParseException");
        assert_eq!(relevant_line(&said("")), "it ended with exit status: 1 and said nothing");
        assert_eq!(relevant_line(&said("a\nb\n")), "b");
    }

    #[test]
    fn the_patterns_compile() {
        assert!(WRITER.is_some() && REFUSED_VERSION.is_some() && INSTALLED.is_some());
    }

    #[test]
    fn warnings_become_notes() {
        let notes = notes(&said("WARNING: not all the events were copied\nfine\n"));
        assert_eq!(notes.len(), 1);
        assert!(notes[0].message.contains("not all the events"));
    }
}
