//! `wno-infer verify`: compares a stack with the golden vectors.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use wno_infer::verify;

use super::device::DeviceArgs;

/// Compares this build, on a device, with recorded golden vectors
///
/// Transforms, the neuron, six networks and a trained pair, each under every dispatch. Exit code 1 when one is
/// outside the tolerance.
#[derive(clap::Args)]
pub(crate) struct VerifyArgs {
    /// Folder of the golden vectors (src/infer/fixtures/golden)
    folder: PathBuf,
    /// Largest absolute difference of a value; GPUs that multiply in TF32 need about 1e-2
    #[arg(long, value_name = "T", default_value_t = verify::TOLERANCE)]
    tolerance: f64,
    #[command(flatten)]
    device: DeviceArgs,
}

pub(crate) fn run(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let checks = verify::run(args.device.choice()?, &args.folder, args.tolerance)?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:<30} {:>9} {:>10}  {:<18} {:>15}",
        "golden file, dispatch", "values", "worst", "at", "spikes differ"
    )?;
    for check in &checks {
        let spikes = if check.spikes == 0 {
            String::from("-")
        } else {
            format!("{} of {}", check.flipped, check.spikes)
        };
        let verdict = if check.passed { "" } else { "  FAILED" };
        writeln!(
            out,
            "{:<30} {:>9} {:>10.1e}  {:<18} {spikes:>15}{verdict}",
            check.name, check.values, check.worst, check.tensor
        )?;
    }
    let failed = checks.iter().filter(|check| !check.passed).count();
    if failed > 0 {
        writeln!(
            out,
            "{failed} of {} outside the tolerance of {:e}",
            checks.len(),
            args.tolerance
        )?;
        return Ok(ExitCode::from(1));
    }
    writeln!(out, "all {} within {:e}", checks.len(), args.tolerance)?;
    Ok(ExitCode::SUCCESS)
}
