//! Did a report come out, where is it, and is it this run's?
//!
//! nsys's exit code is the program's, and 0 says nothing of the report. Measured with 2022.4:
//!
//! | situation | nsys exits | what is there |
//! |---|---|---|
//! | output exists, no `--force-overwrite` | 0 | the old file; the new one in the temporary folder |
//! | folder missing | 0 | everything in the temporary folder |
//! | importer missing | 0 | a `.qdstrm` only |
//!
//! So files are believed, if they are newer than the start; and where a step is missing it is made up:
//! what lies elsewhere is brought here, a raw capture is imported by hand, a report exported.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use super::nsys::Nsys;
use super::output::Splitter;
use crate::finding::{Finding, Severity};
use crate::runs::{REPORT, TRACE};

/// The raw capture of a run that could not be imported.
pub(crate) const RAW: &str = "trace.qdstrm";
/// File systems keep times less finely than clocks do.
const COARSE: Duration = Duration::from_secs(2);

/// Makes sure that `folder` holds a fresh export, by every way there is; doubts about the way are pushed.
pub(crate) fn secure(
    folder: &Path,
    nsys: &Nsys,
    said: &Splitter,
    started: SystemTime,
    findings: &mut Vec<Finding>,
) -> Option<PathBuf> {
    let place = Place { folder, nsys, said, started };
    let export = folder.join(TRACE);
    set_aside_stale(&export, started, findings);
    if place.fetch("sqlite", TRACE, findings) {
        // The report stays beside it.
        place.fetch("nsys-rep", REPORT, findings);
        return Some(export);
    }
    let report = place.report(findings)?;
    match place.export(&report, &export) {
        Ok(()) => Some(export),
        Err(why) => {
            findings.push(no_trace(&format!("the report could not be exported: {why}"), said));
            None
        }
    }
}

struct Place<'a> {
    folder: &'a Path,
    nsys: &'a Nsys,
    said: &'a Splitter,
    started: SystemTime,
}

impl Place<'_> {
    /// Whether the file is in the folder, fresh; brought here from where nsys says that it put it.
    fn fetch(&self, ending: &str, name: &str, findings: &mut Vec<Finding>) -> bool {
        let here = self.folder.join(name);
        if is_fresh(&here, self.started) {
            return true;
        }
        let mut listed = self.said.generated.iter().rev();
        let ends = |path: &&PathBuf| path.extension().is_some_and(|e| e == ending);
        let Some(there) = listed.find(|path| ends(path) && is_fresh(path, self.started)) else {
            return false;
        };
        if there == &here || bring(there, &here).is_err() {
            return false;
        }
        findings.push(Finding::new(
            "report-elsewhere",
            Severity::Info,
            format!("nsys put its .{ending} file into another folder; it was brought back"),
            "nothing, unless it happens again: then look at the rights of the output folder",
        ));
        true
    }

    /// A fresh report, imported by hand if need be.
    fn report(&self, findings: &mut Vec<Finding>) -> Option<PathBuf> {
        let report = self.folder.join(REPORT);
        if self.fetch("nsys-rep", REPORT, findings) {
            return Some(report);
        }
        let old = self.folder.join("trace.qdrep");
        if is_fresh(&old, self.started) {
            return Some(old);
        }
        let raw = self.folder.join(RAW);
        if !self.fetch("qdstrm", RAW, findings) {
            let there = self.said.raw.as_ref().filter(|raw| is_fresh(raw, self.started));
            if there.is_none_or(|there| bring(there, &raw).is_err()) {
                let what = "nsys left no report and no raw capture";
                findings.push(no_trace(what, self.said));
                return None;
            }
        }
        let Some(importer) = self.nsys.importer() else {
            findings.push(importer_missing());
            return None;
        };
        match self.run(Command::new(importer).arg("-i").arg(&raw).arg("-o").arg(&report), &report) {
            Ok(()) => {
                let _ = fs::remove_file(&raw);
                findings.push(Finding::new(
                    "imported-by-hand",
                    Severity::Info,
                    "nsys did not import its capture; its importer was run by hand",
                    "a link named host-linux-… beside nsys's own target folder lets nsys do it",
                ));
                Some(report)
            }
            Err(why) => {
                findings.push(no_trace(
                    &format!("the raw capture could not be imported: {why}"),
                    self.said,
                ));
                None
            }
        }
    }

    /// `nsys export`, into a name of its own first.
    fn export(&self, report: &Path, export: &Path) -> Result<(), String> {
        let partial = self.folder.join(".nsys-attrib-export.sqlite");
        let mut command = Command::new(&self.nsys.path);
        command.args(["export", "--type=sqlite", "--force-overwrite=true", "-o"]);
        let made = self.run(command.arg(&partial).arg(report), &partial);
        let renamed =
            made.and_then(|()| fs::rename(&partial, export).map_err(|error| error.to_string()));
        if renamed.is_err() {
            let _ = fs::remove_file(&partial);
        }
        renamed
    }

    fn run(&self, command: &mut Command, makes: &Path) -> Result<(), String> {
        let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
        if output.status.success() && is_fresh(makes, self.started) {
            return Ok(());
        }
        let said = [output.stderr, output.stdout].concat();
        let said = String::from_utf8_lossy(&said);
        let line = said.split(['\n', '\r']).map(str::trim).rfind(|line| !line.is_empty());
        Err(format!("{}: {}", output.status, line.unwrap_or("it said nothing")))
    }
}

/// A file of that name that is older than the run must not be taken for its export.
fn set_aside_stale(export: &Path, started: SystemTime, findings: &mut Vec<Finding>) {
    let written = fs::metadata(export).and_then(|about| about.modified());
    if written.is_err() || written.is_ok_and(|at| at + COARSE >= started) {
        return;
    }
    let aside = export.with_file_name("stale-trace.sqlite");
    if fs::rename(export, &aside).is_ok() {
        findings.push(stale("it is older than the run"));
    }
}

/// An export that is not this run's.
pub(crate) fn stale(why: &str) -> Finding {
    Finding::new(
        "stale-export",
        Severity::Error,
        format!(
            "an export was in the folder that is not this run's: {why}. It was set aside as stale-trace.sqlite"
        ),
        "look at how nsys is called: is it a wrapper that puts an older file in place?",
    )
}

fn is_fresh(path: &Path, started: SystemTime) -> bool {
    let about = fs::metadata(path).ok().filter(|about| about.is_file() && about.len() > 0);
    about.and_then(|about| about.modified().ok()).is_some_and(|at| at + COARSE >= started)
}

/// Moves a file, across file systems too.
fn bring(from: &Path, to: &Path) -> std::io::Result<()> {
    if fs::rename(from, to).is_ok() {
        return Ok(());
    }
    let copied = fs::copy(from, to);
    if copied.is_err() {
        let _ = fs::remove_file(to);
    }
    copied?;
    let _ = fs::remove_file(from);
    Ok(())
}

fn importer_missing() -> Finding {
    Finding::new(
        "importer-missing",
        Severity::DataLoss,
        format!(
            "nsys recorded the run and could not import it: its importer is not installed. The raw capture is {RAW}"
        ),
        "install the host part of Nsight Systems (Debian: nsight-systems), or import the file on another machine: \
         QdstrmImporter -i trace.qdstrm -o trace.nsys-rep",
    )
}

fn no_trace(what: &str, said: &Splitter) -> Finding {
    let last = said.said.last().map(|line| format!("; nsys said: {line}")).unwrap_or_default();
    Finding::new(
        "no-trace",
        Severity::DataLoss,
        format!("{what}{last}"),
        "`nsys-attrib doctor` says whether this machine can profile; a full disk is the usual cause",
    )
}
