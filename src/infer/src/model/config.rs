//! Which network? The keys of a configuration, as they stand in the header of a checkpoint.

use serde::{Deserialize, Serialize};

use crate::wavelet::Wavelet;

/// Published version of the architecture: what a block does with its wavelet coefficients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// Mixes the deepest coefficients, passes finer details on.
    V1,
    /// Mixes the deepest coefficients, zeroes finer details.
    V2,
    /// Mixes low Fourier modes of the coefficients.
    V3,
}

/// Activation function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// `z`.
    #[default]
    Identity,
    /// Exact (erf) GELU.
    Gelu,
    /// `z tanh(ln(1 + e^z))`.
    Mish,
    /// `max(z, 0)`.
    Relu,
}

/// Where the spiking layers sit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sites {
    /// In place of each activation: after blocks 0, 1, 2 and in the head.
    #[default]
    Activations,
    /// After each block; the head keeps its activation.
    Blocks,
}

/// A network's configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// Published version.
    pub variant: Variant,
    /// Wavelet.
    pub wavelet: Wavelet,
    /// Levels of the transform.
    pub level: usize,
    /// Channels C.
    pub width: usize,
    /// Blocks.
    pub layers: usize,
    /// Features M of the head.
    pub head: usize,
    /// Activation after a block.
    pub act: Activation,
    /// Activation in the head.
    pub head_act: Activation,
    /// Zero rows and columns appended at the end of both axes.
    pub padding: usize,
    /// Grid points (height, width) the kernel weights were sized for.
    pub size: [usize; 2],
    /// Extent of the coordinates.
    #[serde(default = "unit_range")]
    pub grid_range: [f64; 2],
    /// Mode divisor of variant v3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub omega: Option<usize>,
    /// Whether neurons stand in place of activations.
    #[serde(default)]
    pub spiking: bool,
    /// Spike time steps T.
    #[serde(default = "one_step")]
    pub steps: usize,
    /// Function applied to a firing neuron's input.
    #[serde(default)]
    pub phi: Activation,
    /// Where the neurons sit.
    #[serde(default)]
    pub sites: Sites,
}

fn unit_range() -> [f64; 2] {
    [1.0, 1.0]
}

fn one_step() -> usize {
    1
}

/// Why a configuration cannot be a network.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("configuration: {0}")]
pub struct ConfigError(pub String);

impl ModelConfig {
    /// The published configuration of `variant` for Darcy flow on 85 x 85 points.
    #[must_use]
    pub fn published(variant: Variant) -> Self {
        let (wavelet, level, width, head, act, head_act, omega) = match variant {
            Variant::V1 => (Wavelet::Db4, 4, 64, 192, Activation::Gelu, Activation::Gelu, None),
            Variant::V2 => (Wavelet::Db6, 4, 64, 128, Activation::Mish, Activation::Gelu, None),
            Variant::V3 => (Wavelet::Db2, 1, 40, 128, Activation::Mish, Activation::Mish, Some(8)),
        };
        Self {
            variant,
            wavelet,
            level,
            width,
            layers: 4,
            head,
            act,
            head_act,
            padding: 1,
            size: [85, 85],
            grid_range: unit_range(),
            omega,
            spiking: false,
            steps: 1,
            phi: Activation::Identity,
            sites: Sites::Activations,
        }
    }

    /// The small configuration of the bundled pairs: v2, db4, 3 levels, 12 channels, 29 x 29 points.
    #[must_use]
    pub fn small() -> Self {
        let published = Self::published(Variant::V2);
        Self { wavelet: Wavelet::Db4, level: 3, width: 12, head: 64, size: [29, 29], ..published }
    }

    /// The spiking twin, neurons in place of activations.
    #[must_use]
    pub fn spiking(self) -> Self {
        Self { spiking: true, ..self }
    }

    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// When the text is no configuration, or describes no network.
    pub fn parse(json: &str) -> Result<Self, ConfigError> {
        let config: Self = serde_json::from_str(json).map_err(|e| ConfigError(e.to_string()))?;
        config.check()?;
        Ok(config)
    }

    /// Checks that the numbers describe a network.
    ///
    /// # Errors
    /// Names the key that does not fit.
    pub fn check(&self) -> Result<(), ConfigError> {
        let fail = |text: &str| Err(ConfigError(text.into()));
        if [self.level, self.width, self.layers, self.head, self.steps].contains(&0) {
            return fail("level, width, layers, head and steps must be at least 1");
        }
        if self.size.contains(&0) {
            return fail("size must be at least [1, 1]");
        }
        if self.variant == Variant::V3 && self.omega.unwrap_or(0) == 0 {
            return fail("variant v3 needs omega, at least 1");
        }
        if !self.spiking && self.steps != 1 {
            return fail("steps is for spiking networks; a dense one has 1");
        }
        Ok(())
    }

    /// Neuron layers: one for each block, or one fewer and the head.
    #[must_use]
    pub fn spiking_layers(&self) -> usize {
        if self.spiking { self.layers } else { 0 }
    }

    /// The neuron layer after block `i`, if there is one.
    #[must_use]
    pub fn block_site(&self, i: usize) -> Option<usize> {
        let after = i + 1 < self.layers || self.sites == Sites::Blocks;
        (self.spiking && after).then_some(i)
    }

    /// The neuron layer in the head, if there is one.
    #[must_use]
    pub fn head_site(&self) -> Option<usize> {
        (self.spiking && self.sites == Sites::Activations).then(|| self.layers - 1)
    }

    /// Deepest coefficients (height, width) the kernel weights are sized for: those of the unpadded size,
    /// as published.
    #[must_use]
    pub fn kernel_size(&self) -> [usize; 2] {
        self.size.map(|n| *self.wavelet.lengths(n, self.level).last().unwrap_or(&n))
    }

    /// Fourier modes kept on each axis, variant v3.
    #[must_use]
    pub fn modes(&self) -> usize {
        self.kernel_size()[0] / self.omega.unwrap_or(1).max(1) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_kernel_sizes() {
        assert_eq!(ModelConfig::published(Variant::V1).kernel_size(), [11, 11]);
        assert_eq!(ModelConfig::published(Variant::V2).kernel_size(), [15, 15]);
        assert_eq!(ModelConfig::published(Variant::V3).modes(), 6);
    }

    #[test]
    fn unknown_wavelets_and_zero_widths_are_named() {
        let good = serde_json::to_string(&ModelConfig::small()).unwrap();
        assert_eq!(ModelConfig::parse(&good).unwrap(), ModelConfig::small());
        let e = ModelConfig::parse(&good.replace("db4", "db5")).unwrap_err();
        assert!(e.to_string().contains("db5"), "{e}");
        assert!(ModelConfig::parse(&good.replace("\"width\":12", "\"width\":0")).is_err());
    }

    #[test]
    fn sites_of_the_two_placements() {
        let config = ModelConfig::small().spiking();
        assert_eq!((config.block_site(3), config.head_site()), (None, Some(3)));
        let blocks = ModelConfig { sites: Sites::Blocks, ..config };
        assert_eq!((blocks.block_site(3), blocks.head_site()), (Some(3), None));
    }
}
