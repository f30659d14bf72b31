//! How are the networks trained? Adam on the relative L2 error of decoded solutions, summed over a batch,
//! plus for spiking networks a weight times the spike rate of each layer; a surrogate stands in for the
//! derivative of a firing step.
//!
//! Order and batches depend on the seed and the epoch alone, so that a run that was stopped goes on as if it
//! had not been, and the same seed gives the same weights on the same machine.

mod evaluate;
mod fields;
mod recipe;
mod schedule;
mod session;
mod state;

use burn::backend::Autodiff;
use burn::module::AutodiffModule;
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::{Adam, AdamConfig, GradientsParams, Optimizer};
use burn::prelude::{Tensor, ToElement};
use burn::tensor::TensorData;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

pub use evaluate::Evaluation;
use evaluate::evaluate;
pub use fields::Fields;
pub use recipe::{Recipe, RecipeError};
pub use schedule::Schedule;
pub use session::{Session, Trained, Watch, train};
pub use state::StateError;

use crate::model::{Dispatch, Network, Observer, PlanError, Weights, init};
use crate::stack::Stack;

/// Number of one epoch, what it learned and what it reached.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochLog {
    /// From 1.
    pub epoch: usize,
    /// Adam's rate at the end of the epoch.
    pub rate: f64,
    /// Mean relative L2 error over the epoch's batches.
    pub train_error: f64,
    /// Mean error and rates on the test set, where they were taken.
    pub test: Option<Evaluation>,
}

/// Why a training did not run.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The recipe does not fit the data.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The network does not fit the data.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The weights do not fit the configuration.
    #[error(transparent)]
    Weights(#[from] crate::model::weights::WeightsError),
    /// The stored state could not be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// The log could not be written.
    #[error("log of the training: {0}")]
    Watch(std::io::Error),
    /// The loss is no number any more.
    #[error("epoch {0}: the loss is not finite: lower --rate")]
    Diverged(usize),
}

type Optimiser<B> = OptimizerAdaptor<Adam, Weights<Autodiff<B>>, Autodiff<B>>;

/// A training that can be advanced epoch by epoch.
struct Training<B: Stack> {
    recipe: Recipe,
    fields: Fields,
    network: Network<Autodiff<B>>,
    optimiser: Optimiser<B>,
    device: B::Device,
    epoch: usize,
}

struct Rates<B: Stack> {
    layers: Vec<Tensor<Autodiff<B>, 1>>,
    wanted: bool,
}

impl<B: Stack> Observer<Autodiff<B>> for Rates<B> {
    fn spikes(&mut self, _layer: usize, _step: usize, spikes: &Tensor<Autodiff<B>, 4>) {
        if self.wanted {
            self.layers.push(spikes.clone().mean());
        }
    }
}

impl<B: Stack> Training<B> {
    /// A training from freshly drawn weights.
    ///
    /// # Errors
    /// When the recipe, the configuration and the data do not fit each other.
    fn new(recipe: Recipe, fields: Fields, device: B::Device) -> Result<Self, TrainError> {
        recipe.check(&fields)?;
        let arrays = init::arrays(&recipe.config, recipe.seed, recipe.threshold_scale);
        let weights = Weights::from_arrays(&arrays, &recipe.config, &device)?;
        let network =
            Network::new(recipe.config.clone(), weights, Dispatch::Fused, fields.size, &device)?
                .with_surrogate(recipe.surrogate);
        let decay = (recipe.decay > 0.0).then(|| WeightDecayConfig::new(recipe.decay));
        let optimiser = AdamConfig::new().with_epsilon(1e-8).with_weight_decay(decay).init();
        Ok(Self { recipe, fields, network, optimiser, device, epoch: 0 })
    }

    /// Epochs done.
    fn epoch(&self) -> usize {
        self.epoch
    }

    /// Batches of an epoch.
    fn batches(&self) -> usize {
        self.fields.train.div_ceil(self.recipe.batch)
    }

    /// Trains one epoch; `batch_done` is called after each batch.
    ///
    /// # Errors
    /// When the loss is no number any more.
    fn advance(&mut self, batch_done: &mut dyn FnMut()) -> Result<EpochLog, TrainError> {
        let mut order: Vec<usize> = (0..self.fields.train).collect();
        let mut draw = ChaCha8Rng::seed_from_u64(self.recipe.seed);
        draw.set_stream(1 + self.epoch as u64);
        order.shuffle(&mut draw);
        let (mut error, mut rate) = (0.0, 0.0);
        let total = self.recipe.epochs * self.batches();
        for (i, batch) in order.chunks(self.recipe.batch).enumerate() {
            let step = self.epoch * self.batches() + i;
            rate = self.recipe.schedule.rate(self.recipe.rate, step, self.epoch, total);
            error += self.learn(batch, rate)?;
            batch_done();
        }
        self.epoch += 1;
        let train_error = error / self.fields.train as f64;
        Ok(EpochLog { epoch: self.epoch, rate, train_error, test: None })
    }

    /// One step; returns the batch's summed error.
    fn learn(&mut self, batch: &[usize], rate: f64) -> Result<f64, TrainError> {
        let [h, w] = self.fields.size;
        let tensor = |values: Vec<f32>| {
            let data = TensorData::new(values, [batch.len(), h, w, 1]);
            Tensor::<Autodiff<B>, 4>::from_data(data, &self.device)
        };
        let x = tensor(self.fields.gather_x(batch));
        let exact = tensor(self.fields.gather_y(batch));
        let constant = |values: Vec<f32>| {
            Tensor::<Autodiff<B>, 4>::from_data(TensorData::new(values, [1, h, w, 1]), &self.device)
        };
        let weighs = !self.recipe.rate_weights.is_empty();
        let mut rates = Rates { layers: vec![], wanted: weighs };
        let y = self.network.forward(x, &mut rates);
        let decoded = y * constant(self.fields.y_scale()) + constant(self.fields.y_mean());
        let square = |t: Tensor<Autodiff<B>, 4>| {
            t.powi_scalar(2).reshape([batch.len(), h * w]).sum_dim(1).sqrt()
        };
        let error = (square(decoded - exact.clone()) / square(exact)).sum();
        let mut loss = error.clone();
        for (i, layer) in rates.layers.into_iter().enumerate() {
            // Time steps come one after the other, each with every layer.
            let weights = &self.recipe.rate_weights;
            let weight = weights[(i % self.recipe.config.layers) % weights.len()];
            loss = loss + layer * (weight / self.recipe.config.steps as f64);
        }
        let value = f64::from(error.into_scalar().to_f32());
        if !value.is_finite() {
            return Err(TrainError::Diverged(self.epoch + 1));
        }
        let weights = self.network.weights().clone();
        let gradients = GradientsParams::from_grads(loss.backward(), &weights);
        let weights = self.optimiser.step(rate, weights, gradients);
        self.network = self.network.with_weights(weights);
        Ok(value)
    }

    /// The weights as they are, without their graph.
    fn weights(&self) -> Weights<B> {
        self.network.weights().valid()
    }

    /// Error and spike rates on the test samples.
    ///
    /// # Errors
    /// When the network does not fit the data, which [`Training::new`] has checked.
    fn evaluate(&self) -> Result<Evaluation, TrainError> {
        let config = self.recipe.config.clone();
        let network =
            Network::new(config, self.weights(), Dispatch::Fused, self.fields.size, &self.device)?;
        Ok(evaluate(&network, &self.fields, &self.device))
    }
}
