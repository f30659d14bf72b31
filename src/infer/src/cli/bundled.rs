//! What is in the program itself: the trained pairs, and the recipe of the fields they were trained for.

use std::path::Path;

use anyhow::{bail, ensure};
use wno_infer::checkpoint::Checkpoint;
use wno_infer::darcy::{self, Recipe};
use wno_infer::dataset::Dataset;
use wno_infer::model::ModelConfig;

use super::network::Kind;

/// Seed of the generated test fields; the networks were trained on fields of seed 1.
pub(crate) const TEST_SEED: u64 = 2;

macro_rules! pairs {
    ($($seed:literal),*) => {
        [$((
            include_bytes!(concat!("../../checkpoints/dense-", $seed, ".safetensors")).as_slice(),
            include_bytes!(concat!("../../checkpoints/vs-", $seed, ".safetensors")).as_slice(),
        )),*]
    };
}

const PAIRS: [(&[u8], &[u8]); 5] = pairs!(0, 1, 2, 3, 4);

/// Trained with a rate loss: rates fall over the layers.
const QUIET: &[u8] = include_bytes!("../../checkpoints/vs-0-quiet.safetensors");

/// The bundled spiking checkpoint whose training weighed its spike rates.
pub(crate) fn quiet() -> anyhow::Result<Checkpoint> {
    Ok(Checkpoint::parse(QUIET, Path::new("bundled checkpoint"))?)
}

/// The bundled checkpoint of a seed.
pub(crate) fn checkpoint(kind: Kind, seed: u64) -> anyhow::Result<Checkpoint> {
    let index = usize::try_from(seed).unwrap_or(usize::MAX);
    let Some((dense, spiking)) = PAIRS.get(index) else {
        bail!("--seed {seed}: bundled are seeds 0 to {}", PAIRS.len() - 1);
    };
    let bytes = if kind == Kind::Vs { spiking } else { dense };
    Ok(Checkpoint::parse(bytes, Path::new("bundled checkpoint"))?)
}

/// Test fields of the size a network was trained for: the small ones are every third node of 85, as in training.
pub(crate) fn fields(config: &ModelConfig, samples: usize) -> anyhow::Result<Dataset> {
    let [h, w] = config.size;
    ensure!(h == w, "fields are generated on square grids only: give --data for {h} x {w} points");
    let (solve_at, every) = if h == 29 { (85, 3) } else { (h, 1) };
    let recipe = Recipe { samples, solve_at, every, seed: TEST_SEED };
    Ok(darcy::generate(&recipe, None, &|| ())?)
}
