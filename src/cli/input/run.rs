//! What a run folder adds to its trace: the window to analyse, what was run, and what to doubt.

use std::path::Path;

use anyhow::Result;

use crate::attribution::provenance::RunAbout;
use crate::cli::args::WindowArgs;
use crate::finding::{Finding, Severity};
use crate::runs::RunFolder;
use crate::runs::sidecar::ExecutionPath;

/// The run folder, when that is what was named.
pub(in crate::cli) fn folder(path: &Path) -> Result<Option<RunFolder>> {
    Ok(if RunFolder::is_one(path) { Some(RunFolder::open(path)?) } else { None })
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

/// What is known of the run; `None` without manifest and sidecar.
pub(super) fn about(run: &RunFolder) -> Option<RunAbout> {
    let sidecar = run.sidecar.as_ref();
    let program = sidecar.and_then(|sidecar| sidecar.program.as_ref());
    let model = sidecar.and_then(|sidecar| sidecar.model.as_ref());
    let file = run.manifest.as_ref().map(|manifest| manifest.program.path.as_str());
    let file = file.and_then(|path| Path::new(path).file_name()).map(|name| name.to_string_lossy());
    if sidecar.is_none() && run.manifest.is_none() {
        return None;
    }
    Some(RunAbout {
        program: program
            .and_then(|program| program.name.clone())
            .or(file.map(std::borrow::Cow::into_owned)),
        stack: program.and_then(|program| program.stack.clone()),
        device: program.and_then(|program| program.device.clone()),
        model: model.map(|model| model.name.clone()),
        checkpoint: model
            .and_then(|model| model.checkpoint.as_ref())
            .map(|checkpoint| checkpoint.id.clone()),
        path: sidecar.and_then(|sidecar| sidecar.path).map(|path| {
            match path {
                ExecutionPath::Reference => "reference",
                ExecutionPath::Request => "request",
            }
            .to_owned()
        }),
        ..machine(run)
    })
}

/// What the manifest says of the machine and of nsys.
fn machine(run: &RunFolder) -> RunAbout {
    let Some(manifest) = &run.manifest else { return RunAbout::default() };
    let machine = &manifest.machine;
    RunAbout {
        gpu: machine.gpu.iter().map(|gpu| gpu.name.clone()).collect(),
        driver: machine.driver.clone(),
        cuda: machine.cuda.clone(),
        power_mode: machine.power_mode.clone(),
        clocks: machine.clocks.clone(),
        nsys: manifest.nsys.as_ref().map(|nsys| nsys.version.clone()),
        nsys_options: manifest.nsys.iter().flat_map(|nsys| nsys.options.clone()).collect(),
        ..RunAbout::default()
    }
}
