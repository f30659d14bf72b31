//! Which two paths are measured? The *reference* path says whether the network is right: the whole test set,
//! errors and spike rates, never timed. The *request* path is timed: batch 1, from a field in host memory to
//! a solution in host memory, inside one NVTX range.

mod counting;
pub mod reference;
pub mod request;

use burn::prelude::Tensor;
use burn::tensor::TensorData;

pub use counting::{Counts, LayerSpikes};

use crate::model::weights::{Weights, WeightsError};
use crate::model::{Dispatch, ModelConfig, Network, PlanError, weights::Arrays};
use crate::normaliser::Normaliser;
use crate::stack::{Choice, OnStack, Stack, on_stack};

/// Why a path did not run.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PathError {
    /// The network cannot run on these fields or under this dispatch.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The weights do not fit the configuration.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// No statistics to scale fields with.
    #[error("the checkpoint has no normaliser (norm.x_mean and its like): fields cannot be scaled")]
    NoNormaliser,
    /// The statistics are those of other fields.
    #[error("the normaliser is for fields of {normaliser:?} points, the data have {data:?}")]
    NormaliserSize {
        /// Shape of the statistics.
        normaliser: Vec<usize>,
        /// Of the data.
        data: [usize; 2],
    },
    /// Nothing to run on.
    #[error("the data hold no sample")]
    NoSamples,
}

fn normaliser_for(
    normaliser: Option<&Normaliser>,
    data: [usize; 2],
) -> Result<&Normaliser, PathError> {
    let found = normaliser.ok_or(PathError::NoNormaliser)?;
    if found.x.mean.shape != data || found.y.mean.shape != data {
        let normaliser = found.x.mean.shape.clone();
        return Err(PathError::NormaliserSize { normaliser, data });
    }
    Ok(found)
}

fn upload<B: Stack>(
    x: Vec<f32>,
    batch: usize,
    size: [usize; 2],
    device: &B::Device,
) -> Tensor<B, 4> {
    let [h, w] = size;
    Tensor::from_data(TensorData::new(x, [batch, h, w, 1]), device)
}

fn download<B: Stack>(y: Tensor<B, 4>) -> Vec<f32> {
    // Every stack here computes in f32; the conversion only widens what it can.
    y.into_data().convert::<f32>().into_vec().unwrap_or_default()
}

/// What one forward pass gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Forwarded {
    /// Normalised solutions, one after the other.
    pub y: Vec<f32>,
    /// Spikes by layer.
    pub counts: Counts,
}

/// One forward pass over normalised coefficients (`batch` fields of `size` points): no scaling, no error.
///
/// # Errors
/// When the weights, the configuration and the fields do not fit each other.
pub fn forward(
    choice: Choice,
    config: &ModelConfig,
    arrays: &Arrays,
    dispatch: Dispatch,
    x: &[f32],
    size: [usize; 2],
) -> Result<Forwarded, PathError> {
    on_stack(choice, Forward { config, arrays, dispatch, x, size })
}

struct Forward<'a> {
    config: &'a ModelConfig,
    arrays: &'a Arrays,
    dispatch: Dispatch,
    x: &'a [f32],
    size: [usize; 2],
}

impl OnStack for Forward<'_> {
    type Output = Result<Forwarded, PathError>;

    fn run<B: Stack>(self, device: &B::Device) -> Self::Output {
        let weights = Weights::<B>::from_arrays(self.arrays, self.config, device)?;
        let network = Network::new(self.config.clone(), weights, self.dispatch, self.size, device)?;
        let batch = self.x.len() / (self.size[0] * self.size[1]).max(1);
        let mut counts = Counts::default();
        let x = upload(self.x.to_vec(), batch, self.size, device);
        let y = download(network.forward(x, &mut counts));
        Ok(Forwarded { y, counts })
    }
}
