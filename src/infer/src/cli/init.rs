//! `wno-infer init`: a checkpoint with seeded, untrained weights.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use wno_infer::checkpoint::Checkpoint;
use wno_infer::formats::{Array, Selection, read_dataset};
use wno_infer::model::config::{ModelConfig, Variant};
use wno_infer::model::init;
use wno_infer::normaliser::{Normaliser, Statistics};

use super::network::Kind;

/// Writes a checkpoint with untrained weights, the same for a seed on every machine
///
/// For measuring the cost of a size; its answers mean nothing.
#[derive(clap::Args)]
pub(crate) struct InitArgs {
    /// Network
    #[arg(long, value_enum)]
    model: Kind,
    /// Published configuration (85x85 points)
    #[arg(long, value_enum, default_value = "v2")]
    variant: VariantArg,
    /// Configuration (JSON) in place of a published one
    #[arg(long, value_name = "FILE", conflicts_with = "variant")]
    config: Option<PathBuf>,
    /// Seed of the weights
    #[arg(long, value_name = "K", default_value_t = 0)]
    seed: u64,
    /// Samples whose statistics scale the fields [default: mean 0, deviation 1]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Checkpoint to write
    #[arg(short, long = "out", value_name = "OUT")]
    out: PathBuf,
}

#[derive(clap::ValueEnum, Clone, Copy)]
enum VariantArg {
    V1,
    V2,
    V3,
}

pub(crate) fn run(args: &InitArgs) -> anyhow::Result<ExitCode> {
    let base = match &args.config {
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            ModelConfig::parse(&text).with_context(|| path.display().to_string())?
        }
        None => ModelConfig::published(match args.variant {
            VariantArg::V1 => Variant::V1,
            VariantArg::V2 => Variant::V2,
            VariantArg::V3 => Variant::V3,
        }),
    };
    let config = ModelConfig { spiking: args.model == Kind::Vs, ..base };
    config.check()?;
    let metadata = [
        ("config", serde_json::to_string(&config)?),
        ("format", "wno-infer-checkpoint-1".into()),
        ("seed", args.seed.to_string()),
        ("untrained", "true".into()),
        ("version", env!("CARGO_PKG_VERSION").into()),
    ];
    let checkpoint = Checkpoint {
        arrays: init::arrays(&config, args.seed, init::THRESHOLD_SCALE),
        normaliser: Some(args.normaliser(&config)?),
        extra: BTreeMap::new(),
        metadata: metadata.into_iter().map(|(k, v)| (k.to_string(), v)).collect(),
        sha256: String::new(),
        config,
    };
    checkpoint.write(&args.out, false)?;
    Ok(ExitCode::SUCCESS)
}

impl InitArgs {
    fn normaliser(&self, config: &ModelConfig) -> anyhow::Result<Normaliser> {
        let Some(path) = &self.data else {
            let shape = config.size.to_vec();
            let constant = |value: f32| Array {
                shape: shape.clone(),
                values: vec![value; shape.iter().product()],
            };
            let unit = Statistics { mean: constant(0.0), std: constant(1.0) };
            return Ok(Normaliser { x: unit.clone(), y: unit });
        };
        let data = read_dataset(path, &Selection::default())?;
        ensure!(
            data.size() == config.size,
            "{}: fields of {:?} points, the configuration says {:?}",
            path.display(),
            data.size(),
            config.size
        );
        let statistics = |fields| {
            Statistics::of(fields)
                .with_context(|| format!("{}: at least two samples are needed", path.display()))
        };
        Ok(Normaliser { x: statistics(&data.coeff)?, y: statistics(&data.sol)? })
    }
}
