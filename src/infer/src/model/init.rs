//! Seeded initial weights, with the distributions of the published programs: kernels `U(0,1) / C^2`,
//! linear maps and 1x1 convolutions `U(-1,1) / sqrt(fan in)`, leaks `U(0,1)`, thresholds
//! `scale * U(0,1)`. The same seed gives the same weights on every machine and stack.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::config::{ModelConfig, Variant};
use super::weights::{Arrays, block_names, kernel_names};
use crate::formats::Array;

/// Scale of the initial thresholds used for training.
pub const THRESHOLD_SCALE: f32 = 0.05;

struct Draw(ChaCha8Rng);

impl Draw {
    fn array(&mut self, shape: &[usize], low: f32, high: f32) -> Array {
        let count = shape.iter().product();
        let values = (0..count).map(|_| low + (high - low) * self.0.random::<f32>()).collect();
        Array { shape: shape.to_vec(), values }
    }

    fn linear(&mut self, out: &mut Arrays, prefix: &str, weight: &[usize]) {
        let bound = 1.0 / (weight[1] as f32).sqrt();
        let bias = self.array(&weight[..1], -bound, bound);
        out.insert(format!("{prefix}weight"), self.array(weight, -bound, bound));
        out.insert(format!("{prefix}bias"), bias);
    }
}

/// Initial weights of `config` for `seed`.
#[must_use]
pub fn arrays(config: &ModelConfig, seed: u64, threshold_scale: f32) -> Arrays {
    let mut draw = Draw(ChaCha8Rng::seed_from_u64(seed));
    let mut out = Arrays::new();
    let (c, m) = (config.width, config.head);
    draw.linear(&mut out, "fc0.", &[c, 3]);
    draw.linear(&mut out, "fc1.", &[m, c]);
    draw.linear(&mut out, "fc2.", &[1, m]);
    let scale = 1.0 / (c * c) as f32;
    for i in 0..config.layers {
        let (kernel, skip) = block_names(config.variant, i);
        for name in kernel_names(config.variant) {
            let shape = match config.variant {
                Variant::V3 => vec![c, c, config.modes(), config.modes(), 2],
                Variant::V1 | Variant::V2 => {
                    let [x, y] = config.kernel_size();
                    vec![c, c, x, y]
                }
            };
            out.insert(format!("{kernel}{name}"), draw.array(&shape, 0.0, scale));
        }
        draw.linear(&mut out, &skip, &[c, c, 1, 1]);
    }
    for i in 0..config.spiking_layers() {
        let features = if config.head_site() == Some(i) { m } else { c };
        out.insert(format!("vsn.{i}.beta"), draw.array(&[features], 0.0, 1.0));
        out.insert(format!("vsn.{i}.threshold"), draw.array(&[features], 0.0, threshold_scale));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::weights::parameter_count;

    #[test]
    fn a_seed_gives_the_same_weights_and_all_of_them() {
        let config = ModelConfig::small().spiking();
        let first = arrays(&config, 3, THRESHOLD_SCALE);
        assert_eq!(first, arrays(&config, 3, THRESHOLD_SCALE));
        assert_ne!(first, arrays(&config, 4, THRESHOLD_SCALE));
        let count: usize = first.values().map(|a| a.values.len()).sum();
        assert_eq!(count, parameter_count(&config));
    }

    #[test]
    fn the_twins_share_every_weight_but_the_neurons() {
        let dense = arrays(&ModelConfig::small(), 1, THRESHOLD_SCALE);
        let spiking = arrays(&ModelConfig::small().spiking(), 1, THRESHOLD_SCALE);
        assert!(dense.iter().all(|(name, array)| spiking.get(name) == Some(array)));
    }
}
