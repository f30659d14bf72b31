//! The state of a training on disk, from which it goes on: weights and Adam's moments as burn records, and
//! the number of epochs done. The recipe is not stored with it; a digest of it is, so that a state is never
//! continued under another recipe.

use std::path::{Path, PathBuf};

use burn::backend::Autodiff;
use burn::module::Module;
use burn::optim::Optimizer;
use burn::record::{BinBytesRecorder, FullPrecisionSettings, Recorder};
use sha2::{Digest, Sha256};

use super::{Recipe, Training};
use crate::model::ModelConfig;
use crate::stack::Stack;
use crate::whole::{Target, make_folder_of, write_whole};

/// Why a state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not a state.
    #[error("{}: not the state of a training, or damaged: delete it to start afresh", .0.display())]
    Format(PathBuf),
    /// Of another recipe.
    #[error("{}: belongs to another recipe, network or data: delete it, or choose another --out", .0.display())]
    Recipe(PathBuf),
}

const MAGIC: &[u8; 8] = b"wnotrain";

type Bytes = BinBytesRecorder<FullPrecisionSettings, Vec<u8>>;

fn digest(recipe: &Recipe, normaliser: &[f32]) -> [u8; 32] {
    let config: &ModelConfig = &recipe.config;
    let mut hash = Sha256::new();
    hash.update(format!("{config:?} {:?}", recipe.record()));
    for value in normaliser {
        hash.update(value.to_le_bytes());
    }
    hash.finalize().into()
}

impl<B: Stack> Training<B> {
    /// Stores the state; whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn store(&self, path: &Path) -> Result<(), StateError> {
        let format = |_| StateError::Format(path.into());
        let recorder = Bytes::default();
        let weights = Recorder::<Autodiff<B>>::record(
            &recorder,
            self.network.weights().clone().into_record(),
            (),
        )
        .map_err(format)?;
        let optimiser = Recorder::<Autodiff<B>>::record(&recorder, self.optimiser.to_record(), ())
            .map_err(format)?;
        let content = |file: &mut dyn Target| {
            file.write_all(MAGIC)?;
            file.write_all(&digest(&self.recipe, &self.fields.y_scale()))?;
            file.write_all(&(self.epoch as u64).to_le_bytes())?;
            file.write_all(&(weights.len() as u64).to_le_bytes())?;
            file.write_all(&weights)?;
            file.write_all(&optimiser)
        };
        make_folder_of(path)
            .and_then(|()| write_whole(path, content))
            .map_err(|source| StateError::Io { path: path.into(), source })
    }

    /// Continues from a stored state.
    ///
    /// # Errors
    /// When the file is no state, or that of another recipe.
    pub(super) fn resume(mut self, path: &Path) -> Result<Self, StateError> {
        let bytes =
            std::fs::read(path).map_err(|source| StateError::Io { path: path.into(), source })?;
        let damaged = || StateError::Format(path.into());
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(damaged)?;
        let (stored, rest) = rest.split_first_chunk::<32>().ok_or_else(damaged)?;
        if *stored != digest(&self.recipe, &self.fields.y_scale()) {
            return Err(StateError::Recipe(path.into()));
        }
        let (epoch, rest) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
        let (length, rest) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| damaged())?;
        let (weights, optimiser) = rest.split_at_checked(length).ok_or_else(damaged)?;
        let recorder = Bytes::default();
        let record = recorder.load(weights.to_vec(), &self.device).map_err(|_| damaged())?;
        let weights = self.network.weights().clone().load_record(record);
        let record = recorder.load(optimiser.to_vec(), &self.device).map_err(|_| damaged())?;
        self.optimiser = self.optimiser.load_record(record);
        self.network = self.network.with_weights(weights);
        self.epoch = usize::try_from(u64::from_le_bytes(*epoch)).map_err(|_| damaged())?;
        Ok(self)
    }
}
