//! Energy per request of an untraced run, from the power logs in its folder.

use std::fs;

use super::document::RailAbout;
use super::error::StudyError;
use super::plan::StudyPlan;
use crate::attribution::energy_document::Energy;
use crate::finding::{Finding, Severity};
use crate::power::idle::IdleFrom;
use crate::power::measure::{How, measure};
use crate::power::work::{self, Work};
use crate::power::{self, ReadHints, Source};
use crate::runs::RunFolder;

/// An energy for each log; a log that cannot be used is a finding.
///
/// # Errors
/// When a log that is there cannot be read from the disk.
pub(super) fn of(
    run: &RunFolder,
    name: &str,
    plan: &StudyPlan,
) -> Result<(Vec<Energy>, Vec<Finding>), StudyError> {
    let how = How {
        rail: plan.energy.rail.clone(),
        idle: plan.energy.idle.map(|length| IdleFrom::Within(length.0)),
        ..How::default()
    };
    let work = Work::of_run(run, work::requests_of(run));
    let (mut energies, mut findings) = (Vec::new(), Vec::new());
    for log in &run.power {
        let bytes = fs::read(&log.path)
            .map_err(|source| StudyError::Unreadable { path: log.path.clone(), source })?;
        let file = log.path.file_name().map(|file| file.to_string_lossy().into_owned());
        let shown = format!("{name}/{}", file.unwrap_or_default());
        let text = power::text::decode(&bytes);
        let read = power::read(Source { path: &shown, text: &text }, &ReadHints::default());
        match read.and_then(|log| measure(&shown, log, &work, &how)) {
            Ok(found) => {
                let rail = RailAbout::of(&found.energy);
                let same = |known: &Energy| known.refused.is_none() && RailAbout::of(known) == rail;
                if energies.iter().any(same) {
                    findings.push(second(&shown, &rail));
                    continue;
                }
                energies.push(found.energy);
                findings.extend(found.findings);
            }
            Err(error) => findings.push(Finding::new(
                "energy-left-out",
                Severity::Warning,
                error.to_string(),
                "`nsys-attrib energy` with the run folder and the options of logs says more",
            )),
        }
    }
    Ok((energies, findings))
}

/// Two logs of one rail are two readings of the same energy, not two energies.
fn second(log: &str, rail: &RailAbout) -> Finding {
    Finding::new(
        "second-log-of-a-rail",
        Severity::Info,
        format!("{log}: another log of the run gives the energy of {rail}; that one is used"),
        "name one source under [power] of the plan",
    )
}
