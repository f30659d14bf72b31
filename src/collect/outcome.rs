//! How did a run end, in a word?
//!
//! The program's own exit code decides first; whether everything that was asked for is there, last. nsys
//! ends a program whose `--duration` is over with SIGTERM (exit code 143).

use std::path::Path;

use super::process::Ended;
use crate::finding::{Finding, Severity};
use crate::runs::manifest::{Outcome, OutcomeKind};
use crate::units::Nanos;

const KILLED: [i32; 2] = [143, 137];

/// What is known of a run that is over.
#[derive(Debug)]
pub(crate) struct Evidence<'a> {
    pub(crate) ended: &'a Ended,
    /// The signal that asked the driver to stop.
    pub(crate) interrupted: Option<i32>,
    pub(crate) traced: bool,
    /// Whether nsys got as far as a report or a raw capture.
    pub(crate) has_report: bool,
    /// The recording's length that was asked for.
    pub(crate) duration: Option<Nanos>,
    pub(crate) elapsed: Nanos,
    /// Whether everything that was asked for is there.
    pub(crate) whole: bool,
}

/// In a word, with exit code and signal.
pub(crate) fn judge(evidence: &Evidence<'_>) -> Outcome {
    let (exit_code, signal) = evidence.ended.exit();
    let over = evidence.duration.is_some_and(|length| evidence.elapsed >= length)
        && evidence.traced
        && exit_code.is_some_and(|code| KILLED.contains(&code));
    let kind = if evidence.interrupted.is_some() {
        OutcomeKind::Interrupted
    } else if evidence.ended.timed_out || over {
        OutcomeKind::TimedOut
    } else if evidence.traced && !evidence.has_report && exit_code != Some(0) {
        OutcomeKind::NotStarted
    } else if signal.is_some() {
        OutcomeKind::Signalled
    } else if exit_code != Some(0) {
        OutcomeKind::Failed
    } else if evidence.whole {
        OutcomeKind::Completed
    } else {
        OutcomeKind::Incomplete
    };
    Outcome { kind, exit_code, signal }
}

/// nsys ended badly before it had recorded anything.
pub(crate) fn nsys_failed(folder: &Path) -> Finding {
    let first = ["stderr.txt", "stdout.txt"].into_iter().find_map(|name| {
        let text = std::fs::read(folder.join(name)).ok()?;
        let text = String::from_utf8_lossy(&text).into_owned();
        text.lines().find(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned())
    });
    Finding::new(
        "nsys-failed",
        Severity::Error,
        format!("nsys recorded nothing: {}", first.unwrap_or_else(|| "it said nothing".to_owned())),
        "stdout.txt and stderr.txt hold what it said; `nsys-attrib doctor` says whether this machine can profile",
    )
}
