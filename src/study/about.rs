//! What is known of a run, from its manifest and its sidecar, as analyses carry it.

use std::borrow::Cow;
use std::path::Path;

use super::plan::path_name;
use crate::attribution::provenance::RunAbout;
use crate::runs::RunFolder;

/// What is known of the run; `None` without manifest and sidecar.
pub fn about(run: &RunFolder) -> Option<RunAbout> {
    let sidecar = run.sidecar.as_ref();
    let program = sidecar.and_then(|sidecar| sidecar.program.as_ref());
    let model = sidecar.and_then(|sidecar| sidecar.model.as_ref());
    let file = run.manifest.as_ref().map(|manifest| manifest.program.path.as_str());
    let file = file.and_then(|path| Path::new(path).file_name()).map(|name| name.to_string_lossy());
    if sidecar.is_none() && run.manifest.is_none() {
        return None;
    }
    Some(RunAbout {
        program: program.and_then(|program| program.name.clone()).or(file.map(Cow::into_owned)),
        stack: program.and_then(|program| program.stack.clone()),
        device: program.and_then(|program| program.device.clone()),
        model: model.map(|model| model.name.clone()),
        checkpoint: model
            .and_then(|model| model.checkpoint.as_ref())
            .map(|checkpoint| checkpoint.id.clone()),
        path: sidecar.and_then(|sidecar| sidecar.path).map(|path| path_name(path).to_owned()),
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
