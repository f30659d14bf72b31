//! How do weights of another program become a checkpoint? Their names are brought to those of the published
//! state_dicts, the configuration is read off their names and shapes as far as it can be, and what cannot be
//! read off is asked for, never guessed.

mod names;
mod network;

pub use names::{Tidy, tidy};
pub use network::{Hints, network};

use burn::backend::NdArray;

use crate::model::config::{ConfigError, ModelConfig};
use crate::model::weights::{Arrays, Weights, WeightsError};

/// Why weights did not become a checkpoint.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConvertError {
    /// The names are those of no known network.
    #[error("these are not the weights of a two-dimensional WNO: {0}")]
    NotWno(String),
    /// Something cannot be read off the weights.
    #[error("{0}")]
    Ask(String),
    /// The configuration contradicts itself.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The weights contradict the configuration.
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

/// Checks that every parameter of the network is there and has its shape.
///
/// # Errors
/// The first parameter that is missing or does not fit.
pub fn check(arrays: &Arrays, config: &ModelConfig) -> Result<(), ConvertError> {
    config.check()?;
    Weights::<NdArray>::from_arrays(arrays, config, &Default::default())?;
    Ok(())
}
