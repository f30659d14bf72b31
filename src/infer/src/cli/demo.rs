//! `wno-infer demo`: both networks, both paths, one table.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use wno_infer::checkpoint::Checkpoint;
use wno_infer::dataset::Dataset;
use wno_infer::model::Dispatch;
use wno_infer::paths::{reference, request};
use wno_infer::stack::Choice;

use super::bundled;
use super::device::DeviceArgs;
use super::network::Kind;

/// Generates data, runs a bundled pair on both paths, prints error, spike rates, latency
#[derive(clap::Args)]
pub(crate) struct DemoArgs {
    /// Which bundled pair, 0 to 4
    #[arg(long, value_name = "K", default_value_t = 0)]
    seed: u64,
    /// Test fields to generate
    #[arg(long, value_name = "N", default_value_t = 100)]
    samples: usize,
    /// Measured requests of each row
    #[arg(long, value_name = "N", default_value_t = 100)]
    repeat: usize,
    #[command(flatten)]
    device: DeviceArgs,
}

const DENSE: &[Dispatch] = &[Dispatch::Eager, Dispatch::Fused];
const SPIKING: &[Dispatch] = &[Dispatch::Eager, Dispatch::Fused, Dispatch::Sparse];

pub(crate) fn run(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let choice = args.device.choice()?;
    let networks = [
        ("dense", bundled::checkpoint(Kind::Dense, args.seed)?, DENSE),
        ("vs", bundled::checkpoint(Kind::Vs, args.seed)?, SPIKING),
        ("vs-quiet", bundled::quiet()?, SPIKING),
    ];
    let data = bundled::fields(&networks[0].1.config, args.samples)?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:<9} {:<8} {:>8}  {:<24} {:>9} {:>9}",
        "network", "dispatch", "rel L2", "spike rates, layers 1-4", "p50", "p95"
    )?;
    for (name, checkpoint, dispatches) in &networks {
        for &dispatch in *dispatches {
            let row = row(args, choice, checkpoint, dispatch, &data)?;
            writeln!(out, "{name:<9} {:<8} {row}", dispatch.name())?;
        }
    }
    let (samples, repeat) = (args.samples, args.repeat.max(1));
    writeln!(
        out,
        "\n{samples} synthetic Darcy fields of 29 x 29 points (seed {}); {repeat} requests a row. vs-quiet was \
         trained with a loss on its spike rates.\nA small demonstrator, not the published size.",
        bundled::TEST_SEED
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Error, rates and latencies of one network under one dispatch.
fn row(
    args: &DemoArgs,
    choice: Choice,
    checkpoint: &Checkpoint,
    dispatch: Dispatch,
    data: &Dataset,
) -> anyhow::Result<String> {
    let right = reference::run(choice, checkpoint, dispatch, data, 20)?;
    let course = request::Course {
        warmup: 10,
        repeat: args.repeat.max(1),
        idle: Duration::ZERO,
        layer_ranges: false,
        rates: false,
    };
    let timed = request::run(choice, checkpoint, dispatch, data, &course)?;
    let ms = |q| timed.quantile_ns(q).map_or("-".into(), |ns| format!("{:.2} ms", ns as f64 / 1e6));
    let rates: Vec<String> =
        right.counts.rates().iter().map(|r| format!("{:.1}", r * 100.0)).collect();
    let rates = if rates.is_empty() { "-".into() } else { format!("{} %", rates.join(" ")) };
    let error = right.error() * 100.0;
    Ok(format!("{error:>6.2} %  {rates:<24} {:>9} {:>9}", ms(0.5), ms(0.95)))
}
