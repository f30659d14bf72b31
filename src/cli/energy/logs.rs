//! Which power logs: those named, else those of the run folder, else the readings inside the trace.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cli::args::EnergyOptions;
use crate::cli::power as reader;
use crate::power::PowerLog;
use crate::power::clock::in_trace;
use crate::runs::{MANIFEST, RunFolder};
use crate::trace::Trace;

/// A log, what to call it, and whether the run in which it was written was traced, where that is known.
pub(super) struct Log {
    pub(super) path: String,
    pub(super) log: PowerLog,
    pub(super) traced: Option<bool>,
}

/// The logs to measure with.
pub(super) fn choose(
    typed: &EnergyOptions,
    run: Option<&RunFolder>,
    trace: Option<&Trace>,
) -> Result<Vec<Log>> {
    let mut paths: Vec<PathBuf> = typed.power.clone();
    if paths.is_empty() {
        paths.extend(run.iter().flat_map(|run| &run.power).map(|log| log.path.clone()));
    }
    if paths.is_empty() {
        let Some(log) = trace.and_then(in_trace::readings) else {
            return Err(nothing(run, trace));
        };
        return Ok(vec![Log { path: "the trace".to_owned(), log, traced: Some(true) }]);
    }
    let hints = reader::hints(&typed.read)?;
    paths
        .iter()
        .map(|path| {
            let log = reader::open(path, &hints)?;
            Ok(Log { path: path.display().to_string(), log, traced: traced(path)? })
        })
        .collect()
}

fn nothing(run: Option<&RunFolder>, trace: Option<&Trace>) -> anyhow::Error {
    let and = match (run, trace) {
        (Some(run), None) => format!(", and {} holds none", run.path.display()),
        (Some(run), Some(_)) => {
            format!(", {} holds none, and the trace has no readings inside", run.path.display())
        }
        (None, _) => ", and the trace holds neither power marks nor counters of power".to_owned(),
    };
    anyhow::anyhow!("no --power LOG was given{and}")
}

/// Whether the run folder in which a log lies was traced; `None` for a log that lies in none.
fn traced(path: &Path) -> Result<Option<bool>> {
    let Some(folder) = path.parent().filter(|folder| folder.join(MANIFEST).is_file()) else {
        return Ok(None);
    };
    let run = RunFolder::open(folder).context("the run folder of a power log")?;
    Ok(Some(run.traced()))
}

/// Refuses what only a trace can answer.
pub(super) fn needs_trace(what: &str, run: &RunFolder) -> anyhow::Error {
    anyhow::anyhow!(
        "{what}: {} has no trace; its windows are the requests of its sidecar",
        run.path.display()
    )
}
