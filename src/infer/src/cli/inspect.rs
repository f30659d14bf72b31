//! `wno-infer inspect`: what a safetensors file holds.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use wno_infer::formats::safetensors;

/// Lists the arrays and the metadata of a safetensors file
#[derive(clap::Args)]
pub(crate) struct InspectArgs {
    /// The file
    file: PathBuf,
}

pub(crate) fn run(args: &InspectArgs) -> anyhow::Result<ExitCode> {
    let file = safetensors::read(&args.file)?;
    let mut out = std::io::stdout().lock();
    for (key, value) in &file.metadata {
        writeln!(out, "{key} = {value}")?;
    }
    for (name, array) in &file.tensors {
        writeln!(out, "{name} {:?}", array.shape)?;
    }
    Ok(ExitCode::SUCCESS)
}
