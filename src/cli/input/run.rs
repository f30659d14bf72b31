//! What a run folder adds to its trace: the window to analyse, what was run, and what to doubt.

use std::path::Path;

use anyhow::Result;

use crate::cli::args::WindowArgs;
use crate::finding::{Finding, Severity};
use crate::runs::RunFolder;

/// The run folder, when that is what was named.
pub(in crate::cli) fn folder(path: &Path) -> Result<Option<RunFolder>> {
    Ok(if RunFolder::is_one(path) { Some(RunFolder::open(path)?) } else { None })
}

/// The run folder, when that is what was named and no trace lies in it.
pub(in crate::cli) fn without_trace(path: &Path) -> Result<Option<RunFolder>> {
    Ok(folder(path)?.filter(|run| run.trace.is_none()))
}

/// Whether a run folder with power logs was named.
pub(in crate::cli) fn has_power(path: &Path) -> Result<bool> {
    Ok(folder(path)?.is_some_and(|run| !run.power.is_empty()))
}

/// The energy of a run folder's own logs could not be said.
pub(in crate::cli) fn left_out(error: &anyhow::Error) -> Finding {
    Finding::new(
        "energy-left-out",
        Severity::Warning,
        format!("the run folder's power logs could not be used: {error:#}"),
        "`nsys-attrib energy` with the folder, --power and the options of logs says more",
    )
}

/// The windows typed, else the run's own.
pub(super) fn windows(run: Option<&RunFolder>, typed: &WindowArgs) -> WindowArgs {
    let mut windows = typed.clone();
    if windows.window.is_empty() {
        windows.window.extend(run.and_then(RunFolder::window_default).map(str::to_owned));
    }
    windows
}
