//! `wno-infer run`: one network, one path, one sidecar.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use wno_infer::checkpoint::Checkpoint;
use wno_infer::dataset::Dataset;
use wno_infer::formats::{Selection, read_dataset};
use wno_infer::model::Dispatch;
use wno_infer::paths::{reference, request};
use wno_infer::sidecar::{Sidecar, Subject};
use wno_infer::stack::Choice;

use super::bundled;
use super::device::DeviceArgs;
use super::network::Kind;

/// Runs a network on the reference path or the request path
///
/// The reference path runs every sample and says how wrong the network is and how often its neurons fire. The
/// request path answers one field after the other, each inside an NVTX range `latency`. What was measured is
/// written as a sidecar (nsys-attrib/sidecar/1) where --json or the variable NSYS_ATTRIB_SIDECAR says.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  wno-infer run --model vs                                        bundled checkpoint, generated fields
  wno-infer run --model dense --checkpoint d.safetensors --data test.npz --path reference
  nsys profile -t cuda,nvtx wno-infer run --model vs --device cuda --json vs.json")]
pub(crate) struct RunArgs {
    /// Network
    #[arg(long, value_enum)]
    model: Kind,
    /// Checkpoint [default: the bundled one of --seed]
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Seed of the bundled checkpoint, 0 to 4
    #[arg(long, value_name = "K", default_value_t = 0, conflicts_with = "checkpoint")]
    seed: u64,
    /// Fields and solutions (.npz, .safetensors, .mat) [default: generated, with the bundled checkpoint's recipe]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Samples to generate where no --data is given
    #[arg(long, value_name = "N", default_value_t = 100, conflicts_with = "data")]
    samples: usize,
    /// Execution path
    #[arg(long, value_enum, default_value = "request")]
    path: PathArg,
    /// How a forward pass is carried out
    #[arg(long, value_enum, default_value = "eager")]
    dispatch: DispatchArg,
    /// Requests before the measured ones
    #[arg(long, value_name = "N", default_value_t = 20)]
    warmup: usize,
    /// Measured requests, cycling over the samples
    #[arg(long, value_name = "N", default_value_t = 200)]
    repeat: usize,
    /// Rest before the first request, in the range `idle`
    #[arg(long, value_name = "S", default_value_t = 0.0)]
    idle_seconds: f64,
    /// Samples of one forward pass on the reference path
    #[arg(long, value_name = "N", default_value_t = 20)]
    batch: usize,
    /// Take the spike rates of each request, from a second, untimed pass after all windows
    #[arg(long)]
    spike_rates: bool,
    /// Emit NVTX ranges inside the window (adds time there)
    #[arg(long, value_enum)]
    nvtx: Option<NvtxArg>,
    /// Where to write the sidecar
    #[arg(long, value_name = "FILE", env = "NSYS_ATTRIB_SIDECAR")]
    json: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArgs,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq)]
enum PathArg {
    /// Whole test set: errors, spike rates, no timing
    Reference,
    /// Batch 1, timed, inside the range `latency`
    Request,
}

#[derive(clap::ValueEnum, Clone, Copy)]
pub(crate) enum DispatchArg {
    /// One launch for each elementary operation, as the published programs do
    Eager,
    /// Matrix form, constants computed once
    Fused,
    /// Matrix form that skips silent rows and channels
    Sparse,
}

#[derive(clap::ValueEnum, Clone, Copy)]
enum NvtxArg {
    /// A range for each part of a pass
    Layers,
}

impl From<DispatchArg> for Dispatch {
    fn from(arg: DispatchArg) -> Self {
        match arg {
            DispatchArg::Eager => Self::Eager,
            DispatchArg::Fused => Self::Fused,
            DispatchArg::Sparse => Self::Sparse,
        }
    }
}

pub(crate) fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    if !args.idle_seconds.is_finite() || !(0.0..=86_400.0).contains(&args.idle_seconds) {
        bail!("--idle-seconds: give between 0 and 86400");
    }
    if args.path == PathArg::Request && args.repeat == 0 {
        bail!("--repeat: at least one request is needed");
    }
    let choice = args.device.choice()?;
    let (checkpoint, id) = checkpoint(args)?;
    if checkpoint.config.spiking != (args.model == Kind::Vs) {
        let found = if checkpoint.config.spiking { "spiking (vs)" } else { "dense" };
        bail!("--model and checkpoint differ: the checkpoint is {found}");
    }
    let data = data(args, &checkpoint)?;
    let subject = Subject {
        checkpoint: &checkpoint,
        id: &id,
        device: choice.device().name(),
        dispatch: args.dispatch.into(),
        data: &data,
        synthetic: args.data.is_none().then_some(true),
        layer_ranges: args.nvtx.is_some(),
    };
    let sidecar = match args.path {
        PathArg::Reference => by_reference(args, choice, &subject)?,
        PathArg::Request => by_request(args, choice, &subject)?,
    };
    if let Some(path) = &args.json {
        sidecar.write(path).with_context(|| path.display().to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn checkpoint(args: &RunArgs) -> anyhow::Result<(Checkpoint, String)> {
    match &args.checkpoint {
        None => Ok((bundled::checkpoint(args.model, args.seed)?, format!("seed-{}", args.seed))),
        Some(path) => Ok((Checkpoint::read(path)?, id_of(path))),
    }
}

/// A file's name without its ending and without the word that tells the twins apart.
fn id_of(path: &Path) -> String {
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let words =
        stem.split(['-', '_', '.']).filter(|w| !matches!(*w, "dense" | "vs" | "vswno" | "wno"));
    let id = words.collect::<Vec<_>>().join("-");
    if id.is_empty() { stem } else { id }
}

fn data(args: &RunArgs, checkpoint: &Checkpoint) -> anyhow::Result<Dataset> {
    match &args.data {
        Some(path) => Ok(read_dataset(path, &Selection::default())?),
        None => bundled::fields(&checkpoint.config, args.samples),
    }
}

fn by_reference(args: &RunArgs, choice: Choice, subject: &Subject<'_>) -> anyhow::Result<Sidecar> {
    let run =
        reference::run(choice, subject.checkpoint, subject.dispatch, subject.data, args.batch)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} samples on {}, {}", run.errors.len(), run.stack, subject.dispatch.name())?;
    writeln!(out, "relative L2 error {:.4} %", run.error() * 100.0)?;
    for (layer, spikes) in run.counts.layers.iter().enumerate() {
        let rate = spikes.rate().map_or("-".into(), |r| format!("{:.2} %", r * 100.0));
        writeln!(out, "spike rate, layer {} {rate}", layer + 1)?;
    }
    let work = run.counts.work;
    if work.full > 0 {
        let share = work.done as f64 / work.full as f64 * 100.0;
        writeln!(out, "multiply-adds behind spikes {share:.1} % of those without skipping")?;
    }
    Ok(subject.reference(&run))
}

fn by_request(args: &RunArgs, choice: Choice, subject: &Subject<'_>) -> anyhow::Result<Sidecar> {
    let course = request::Course {
        warmup: args.warmup,
        repeat: args.repeat,
        idle: Duration::from_secs_f64(args.idle_seconds),
        layer_ranges: args.nvtx.is_some(),
        rates: args.spike_rates,
    };
    let run = request::run(choice, subject.checkpoint, subject.dispatch, subject.data, &course)?;
    let ms = |q| run.quantile_ns(q).map_or("-".into(), |ns| format!("{:.3} ms", ns as f64 / 1e6));
    let mut out = std::io::stdout().lock();
    let (requests, dispatch) = (run.requests.len(), subject.dispatch.name());
    writeln!(out, "{requests} requests on {}, {dispatch}", run.stack)?;
    writeln!(out, "latency p50 {}  p95 {}  p99 {}", ms(0.5), ms(0.95), ms(0.99))?;
    Ok(subject.request(&run))
}
