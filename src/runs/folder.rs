//! What is in a run folder, and what is missing from it?
//!
//! Files have fixed names; power logs are those that the manifest lists, else what is called
//! `power-*.csv`, `power-*.log` or `tegrastats.log`. Opening reads the two documents and looks at names
//! and lengths; [`RunFolder::verify`] reads every file and compares hashes.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::document::read_document;
use super::error::RunError;
use super::manifest::{FileAbout, Manifest, OutcomeKind};
use super::sidecar::Sidecar;
use crate::finding::{self, Finding, Severity};
use crate::units::Bytes;

/// The manifest's file.
pub const MANIFEST: &str = "manifest.json";
/// The sidecar's file.
pub const SIDECAR: &str = "sidecar.json";
/// The export of a traced run.
pub const TRACE: &str = "trace.sqlite";
/// The report that it was exported from.
pub const REPORT: &str = "trace.nsys-rep";

/// Names under which a trace may lie in a folder, the best first.
const TRACES: [&str; 4] = [TRACE, "trace.sqlite.zst", "trace.sqlite.gz", REPORT];

/// A run that was found in a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFolder {
    /// The folder.
    pub path: PathBuf,
    /// What was run; `None` for a folder that a person put together.
    pub manifest: Option<Manifest>,
    /// What the program says of itself; `None` when it wrote nothing or nothing usable.
    pub sidecar: Option<Sidecar>,
    /// The trace; `None` for a run that was not traced, or whose trace is missing.
    pub trace: Option<PathBuf>,
    /// Power logs that are there, in the manifest's order, else by name.
    pub power: Vec<PowerFile>,
    /// What is missing, changed or doubtful, and what the manifest's own findings are.
    pub findings: Vec<Finding>,
}

/// A power log in a run folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PowerFile {
    /// The log.
    pub path: PathBuf,
    /// What the manifest says made it; `None` without a manifest.
    pub source: Option<String>,
}

impl RunFolder {
    /// Whether `path` looks like a run folder: a folder with a manifest, a trace, a sidecar or a power log.
    pub fn is_one(path: &Path) -> bool {
        path.is_dir()
            && (path.join(MANIFEST).is_file()
                || path.join(SIDECAR).is_file()
                || trace_in(path).is_some()
                || logs_in(path).is_ok_and(|logs| !logs.is_empty()))
    }

    /// Finds the parts of a run.
    ///
    /// # Errors
    /// [`RunError`] when the folder holds no run, or its manifest cannot be used. A sidecar that cannot
    /// be used is a finding: the rest of the run stands without it.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        let unreadable = |source| RunError::Folder { path: path.to_path_buf(), source };
        let named_logs = logs_in(path).map_err(unreadable)?;
        if !Self::is_one(path) {
            return Err(RunError::NotARun { path: path.to_path_buf() });
        }
        let file = path.join(MANIFEST);
        let manifest: Option<Manifest> =
            if file.exists() { Some(read_document(&file)?) } else { None };
        let mut findings = Vec::new();
        let mut run = Self {
            path: path.to_path_buf(),
            sidecar: sidecar(path, &mut findings),
            trace: trace_in(path),
            power: named_logs.into_iter().map(|path| PowerFile { path, source: None }).collect(),
            manifest,
            findings,
        };
        if let Some(manifest) = run.manifest.clone() {
            run.hold_against(&manifest);
        }
        finding::sort(&mut run.findings);
        Ok(run)
    }

    /// The window to analyse when none is named.
    pub fn window_default(&self) -> Option<&str> {
        self.manifest.as_ref()?.window_default.as_deref()
    }

    /// Whether the run was traced: what the manifest says, else whether there is a trace.
    pub fn traced(&self) -> bool {
        self.manifest.as_ref().map_or(self.trace.is_some(), |manifest| manifest.traced)
    }

    /// Reads every listed file and says which ones are missing or differ from their hashes.
    ///
    /// # Errors
    /// [`RunError::Unreadable`] when a file is there and cannot be read.
    pub fn verify(&self) -> Result<Vec<Finding>, RunError> {
        let mut found = Vec::new();
        for listed in self.manifest.iter().flat_map(|manifest| &manifest.files) {
            let path = self.path.join(&listed.name);
            if !path.exists() {
                found.push(missing(&listed.name));
                continue;
            }
            let now = FileAbout::of(&path, &listed.name)
                .map_err(|source| RunError::Unreadable { path, source })?;
            if now != *listed {
                found.push(changed(&listed.name));
            }
        }
        finding::sort(&mut found);
        Ok(found)
    }

    /// Holds what is there against what the manifest says.
    fn hold_against(&mut self, manifest: &Manifest) {
        self.findings.extend(manifest.findings.iter().cloned());
        self.findings.extend(outcome_doubt(manifest));
        for listed in &manifest.files {
            match fs::metadata(self.path.join(&listed.name)) {
                Err(_) => self.findings.push(missing(&listed.name)),
                Ok(now) if now.len() != listed.bytes.count() => {
                    self.findings.push(changed(&listed.name));
                }
                Ok(_) => {}
            }
        }
        if !manifest.power.is_empty() {
            let logs = manifest.power.iter().map(|log| PowerFile {
                path: self.path.join(&log.file),
                source: Some(log.source.clone()),
            });
            self.power = logs.filter(|log| log.path.is_file()).collect();
        }
        self.findings.sort_by(|a, b| a.message.cmp(&b.message));
        self.findings.dedup();
    }
}

impl FileAbout {
    /// Length and SHA-256 of a file, under this name.
    ///
    /// # Errors
    /// What the system says when it cannot be read.
    pub fn of(path: &Path, name: &str) -> io::Result<Self> {
        const BLOCK: usize = 1 << 20;
        let mut file = fs::File::open(path)?;
        let mut hash = Sha256::new();
        let mut block = vec![0; BLOCK];
        let mut bytes = 0;
        loop {
            match file.read(&mut block)? {
                0 => break,
                count => {
                    hash.update(&block[..count]);
                    bytes += count as u64;
                }
            }
        }
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { name: name.to_owned(), sha256, bytes: Bytes::new(bytes) })
    }
}

fn trace_in(folder: &Path) -> Option<PathBuf> {
    TRACES.iter().map(|name| folder.join(name)).find(|trace| trace.is_file())
}

/// What is called like a power log, by name.
fn logs_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut logs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let ending = name.ends_with(".csv") || name.ends_with(".log");
        if (name.starts_with("power-") && ending) || name == "tegrastats.log" {
            logs.push(path);
        }
    }
    logs.sort();
    Ok(logs)
}

fn sidecar(folder: &Path, findings: &mut Vec<Finding>) -> Option<Sidecar> {
    let path = folder.join(SIDECAR);
    if !path.exists() {
        return None;
    }
    match read_document(&path) {
        Ok(sidecar) => Some(sidecar),
        Err(error) => {
            findings.push(Finding::new(
                "sidecar-unusable",
                Severity::Error,
                format!("the sidecar was left out: {error}"),
                "mend the program that writes it, or remove the file",
            ));
            None
        }
    }
}

fn outcome_doubt(manifest: &Manifest) -> Option<Finding> {
    let kind = manifest.outcome.kind;
    if kind.is_complete() {
        return None;
    }
    let how = match (manifest.outcome.exit_code, manifest.outcome.signal) {
        (_, Some(signal)) => format!(" (signal {signal})"),
        (Some(code), None) if code != 0 => format!(" (exit code {code})"),
        _ => String::new(),
    };
    let severity = match kind {
        OutcomeKind::Incomplete | OutcomeKind::TimedOut => Severity::Warning,
        _ => Severity::DataLoss,
    };
    Some(Finding::new(
        "run-not-complete",
        severity,
        format!("the program {}{how}", kind.words()),
        "repeat the run, unless only its first part is needed",
    ))
}

fn missing(name: &str) -> Finding {
    Finding::new(
        "run-file-missing",
        Severity::DataLoss,
        format!("the manifest lists `{name}`, which is not in the folder"),
        "copy the folder again, whole",
    )
}

fn changed(name: &str) -> Finding {
    Finding::new(
        "run-file-changed",
        Severity::Error,
        format!("`{name}` is not the file that the manifest describes"),
        "use the original folder, or repeat the run",
    )
}
