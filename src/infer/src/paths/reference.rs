//! Is the network right? The test set in the arithmetic and order of the published evaluation: statistics of
//! the training set, decoded solutions, relative L2 of each sample, spikes of each layer.

use super::{Counts, PathError, download, normaliser_for, upload};
use crate::checkpoint::Checkpoint;
use crate::dataset::Dataset;
use crate::model::weights::Weights;
use crate::model::{Dispatch, Network};
use crate::normaliser::relative_l2;
use crate::stack::{Choice, OnStack, Stack, on_stack};

/// What the reference path gives.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceRun {
    /// Stack it ran on.
    pub stack: &'static str,
    /// Relative L2 error of each sample.
    pub errors: Vec<f64>,
    /// Spikes by layer over all samples; empty for a dense network.
    pub counts: Counts,
    /// Decoded solutions, one after the other.
    pub predictions: Vec<f32>,
}

impl ReferenceRun {
    /// Mean relative L2 error over the samples.
    #[must_use]
    pub fn error(&self) -> f64 {
        self.errors.iter().sum::<f64>() / self.errors.len() as f64
    }
}

/// Runs the test set in batches of `batch`.
///
/// # Errors
/// When checkpoint, dispatch and data do not fit each other.
pub fn run(
    choice: Choice,
    checkpoint: &Checkpoint,
    dispatch: Dispatch,
    data: &Dataset,
    batch: usize,
) -> Result<ReferenceRun, PathError> {
    on_stack(choice, Job { checkpoint, dispatch, data, batch })
}

struct Job<'a> {
    checkpoint: &'a Checkpoint,
    dispatch: Dispatch,
    data: &'a Dataset,
    batch: usize,
}

impl OnStack for Job<'_> {
    type Output = Result<ReferenceRun, PathError>;

    fn run<B: Stack>(self, device: &B::Device) -> Self::Output {
        run_on::<B>(self.checkpoint, self.dispatch, self.data, self.batch, device)
    }
}

/// The same on a stack that is known.
pub(crate) fn run_on<B: Stack>(
    checkpoint: &Checkpoint,
    dispatch: Dispatch,
    data: &Dataset,
    batch: usize,
    device: &B::Device,
) -> Result<ReferenceRun, PathError> {
    let Checkpoint { config, arrays, normaliser, .. } = checkpoint;
    let size = data.size();
    let normaliser = normaliser_for(normaliser.as_ref(), size)?;
    let points = size[0] * size[1];
    if data.samples() == 0 {
        return Err(PathError::NoSamples);
    }
    let weights = Weights::<B>::from_arrays(arrays, config, device)?;
    let network = Network::new(config.clone(), weights, dispatch, size, device)?;
    let batch = batch.max(1);
    let mut run = ReferenceRun {
        stack: B::NAME,
        errors: vec![],
        counts: Counts::default(),
        predictions: vec![],
    };
    let (coeff, sol) = (&data.coeff.values, &data.sol.values);
    for (coeff, sol) in coeff.chunks(batch * points).zip(sol.chunks(batch * points)) {
        let x = upload::<B>(normaliser.x.encode(coeff), coeff.len() / points, size, device);
        let y = normaliser.y.decode(&download(network.forward(x, &mut run.counts)));
        let pairs = y.chunks(points).zip(sol.chunks(points));
        run.errors.extend(pairs.map(|(y, exact)| relative_l2(y, exact)));
        run.predictions.extend(y);
    }
    Ok(run)
}
