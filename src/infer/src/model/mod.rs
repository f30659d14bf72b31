//! The two networks: a dense wavelet neural operator and its variable-spiking twin, one code for both.
//!
//! ```text
//! field -> [a, x, y] -> lift -> pad -> 4 x (wavelet kernel + 1x1 skip -> activation or neuron) -> crop -> head
//! ```
//!
//! After blocks 0, 1, 2 and in the head stands an activation; the spiking network has a neuron in its place
//! (`sites = activations`), or one after each of the four blocks (`sites = blocks`).

pub mod config;
mod eager;
mod fused;
pub mod init;
mod network;
pub mod observer;
mod sparse;
mod spectral;
pub mod weights;

pub use config::ModelConfig;
pub use network::{Dispatch, Network, PlanError};
pub use observer::{Observer, Part, Silent, Tap};
pub use sparse::Work;
pub use weights::Weights;
