//! Everything a training depends on but the data.

use serde::{Deserialize, Serialize};

use super::{Fields, Schedule};
use crate::model::{ModelConfig, init};
use crate::stack::Surrogate;

/// How to train which network.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// The network.
    pub config: ModelConfig,
    /// Seed of initial weights and of the order of samples.
    pub seed: u64,
    /// Epochs in all.
    pub epochs: usize,
    /// Samples a step.
    pub batch: usize,
    /// Adam's rate: initial (steps) or largest (one cycle).
    pub rate: f64,
    /// Factor of the weights that is added to the gradient.
    pub decay: f32,
    /// How the rate changes.
    pub schedule: Schedule,
    /// Derivative of a firing step.
    pub surrogate: Surrogate,
    /// Weight of each layer's spike rate in the loss of a batch; one for all layers, or none.
    pub rate_weights: Vec<f64>,
    /// Initial thresholds are uniform up to this.
    pub threshold_scale: f32,
}

/// Why a recipe does not fit.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RecipeError {
    /// Not the size the configuration names.
    #[error("the data have fields of {data:?} points, the configuration says {config:?}")]
    Size {
        /// Of the data.
        data: [usize; 2],
        /// Of the configuration.
        config: [usize; 2],
    },
    /// A number of 0.
    #[error("epochs and batch must be at least 1")]
    Zero,
    /// Rate weights for a dense network, or for another number of layers.
    #[error("{0} rate weights: give one for all layers or one for each of {1} spiking layers")]
    RateWeights(usize, usize),
}

impl Recipe {
    /// The recipe of the bundled pairs: 45 epochs in batches of 20, one cycle up to 4e-3.
    #[must_use]
    pub fn small(config: ModelConfig, seed: u64) -> Self {
        Self {
            config,
            seed,
            epochs: 45,
            batch: 20,
            rate: 4e-3,
            decay: 1e-6,
            schedule: Schedule::OneCycle,
            surrogate: Surrogate::default(),
            rate_weights: vec![],
            threshold_scale: init::THRESHOLD_SCALE,
        }
    }

    /// Whether the recipe fits the data.
    ///
    /// # Errors
    /// When it does not, and why.
    pub fn check(&self, fields: &Fields) -> Result<(), RecipeError> {
        if self.epochs == 0 || self.batch == 0 {
            return Err(RecipeError::Zero);
        }
        if fields.size != self.config.size {
            return Err(RecipeError::Size { data: fields.size, config: self.config.size });
        }
        let (given, layers) = (self.rate_weights.len(), self.config.spiking_layers());
        if given > 0 && (layers == 0 || (given != 1 && given != layers)) {
            return Err(RecipeError::RateWeights(given, layers));
        }
        Ok(())
    }

    /// What a checkpoint's header records of the recipe.
    #[must_use]
    pub fn record(&self) -> RecipeRecord {
        RecipeRecord {
            seed: self.seed,
            epochs: self.epochs,
            batch: self.batch,
            rate: self.rate,
            decay: self.decay,
            schedule: self.schedule,
            surrogate: match self.surrogate {
                Surrogate::FastSigmoid { k } => format!("fast-sigmoid k={k}"),
                Surrogate::Arctangent => "arctangent".into(),
            },
            rate_weights: self.rate_weights.clone(),
            threshold_scale: self.threshold_scale,
        }
    }
}

/// A recipe as it is recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct RecipeRecord {
    pub seed: u64,
    pub epochs: usize,
    pub batch: usize,
    pub rate: f64,
    pub decay: f32,
    pub schedule: Schedule,
    pub surrogate: String,
    pub rate_weights: Vec<f64>,
    pub threshold_scale: f32,
}
