//! How many neurons fired? Ones in the spikes of each layer over its elements, summed over time steps and
//! samples; the padded row and column count for layers inside the padded region.

use burn::prelude::Tensor;

use crate::model::{Observer, Work};
use crate::stack::Stack;

/// Spikes of a layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LayerSpikes {
    /// Ones.
    pub count: u64,
    /// Elements.
    pub elements: u64,
}

impl LayerSpikes {
    /// Spikes per element; missing without elements.
    #[must_use]
    pub fn rate(self) -> Option<f64> {
        (self.elements > 0).then(|| self.count as f64 / self.elements as f64)
    }
}

/// Spikes of all layers, and the work of a sparse path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// By layer.
    pub layers: Vec<LayerSpikes>,
    /// Multiply-adds of a sparse path.
    pub work: Work,
}

impl Counts {
    /// Spike rate of each layer.
    #[must_use]
    pub fn rates(&self) -> Vec<f64> {
        self.layers.iter().filter_map(|layer| layer.rate()).collect()
    }
}

impl<B: Stack> Observer<B> for Counts {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn spikes(&mut self, layer: usize, _step: usize, spikes: &Tensor<B, 4>) {
        if self.layers.len() <= layer {
            self.layers.resize(layer + 1, LayerSpikes::default());
        }
        // Batches are summed one by one: 24 bits of an f32 sum are enough for each.
        let batch = spikes.dims()[0];
        let sums = spikes.clone().reshape([batch as i32, -1]).sum_dim(1);
        let sums = sums.into_data().convert::<f64>().into_vec::<f64>().unwrap_or_default();
        self.layers[layer].count += sums.iter().map(|s| s.round() as u64).sum::<u64>();
        self.layers[layer].elements += spikes.shape().num_elements() as u64;
    }

    fn work(&mut self, work: Work) {
        self.work += work;
    }
}
