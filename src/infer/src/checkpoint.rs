//! What is a checkpoint? One safetensors file: `param.<name>` weights, `norm.*` statistics of the training
//! set, and the configuration in the header (`config`). Kernel weights may be stored in half precision; they
//! are computed in F32 all the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::formats::Array;
use crate::formats::safetensors::{self, SafetensorsError, Stored};
use crate::model::ModelConfig;
use crate::model::config::ConfigError;
use crate::model::weights::Arrays;
use crate::normaliser::{Normaliser, Statistics};
use crate::whole::{make_folder_of, write_whole};

/// Weights, configuration and normaliser.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// The network.
    pub config: ModelConfig,
    /// Its parameters by name.
    pub arrays: Arrays,
    /// Statistics of the training set, where the file has them.
    pub normaliser: Option<Normaliser>,
    /// Everything else in the file by name: recorded fields and expectations.
    pub extra: BTreeMap<String, Array<f64>>,
    /// The header's metadata, `config` included.
    pub metadata: BTreeMap<String, String>,
    /// SHA-256 of the file, hexadecimal; empty for one that was never a file.
    pub sha256: String,
}

/// Why a file is no checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Not readable as safetensors.
    #[error(transparent)]
    File(#[from] SafetensorsError),
    /// The header has no configuration.
    #[error("{}: the header has no `config`; a checkpoint carries its configuration (wno-infer convert adds one)", .0.display())]
    NoConfig(PathBuf),
    /// The configuration does not describe a network.
    #[error("{}: {source}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ConfigError,
    },
    /// Not written.
    #[error("{}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Checkpoint {
    /// Reads a checkpoint.
    ///
    /// # Errors
    /// When the file is not readable, or is no checkpoint.
    pub fn read(path: &Path) -> Result<Self, CheckpointError> {
        let bytes = std::fs::read(path)
            .map_err(|source| SafetensorsError::Io { path: path.into(), source })?;
        Self::parse(&bytes, path)
    }

    /// The same from bytes; `path` only names the source in errors.
    ///
    /// # Errors
    /// As [`Checkpoint::read`].
    #[allow(clippy::cast_possible_truncation)]
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Self, CheckpointError> {
        let file = safetensors::parse(bytes, path)?;
        let text =
            file.metadata.get("config").ok_or_else(|| CheckpointError::NoConfig(path.into()))?;
        let config = ModelConfig::parse(text)
            .map_err(|source| CheckpointError::Config { path: path.into(), source })?;
        let mut arrays = Arrays::new();
        let mut extra = BTreeMap::new();
        for (name, array) in file.tensors {
            match name.strip_prefix("param.") {
                Some(name) => {
                    let values = array.values.iter().map(|&v| v as f32).collect();
                    arrays.insert(name.to_owned(), Array { shape: array.shape, values });
                }
                None => {
                    extra.insert(name, array);
                }
            }
        }
        let normaliser = normaliser(&mut extra);
        let sha256 = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
        Ok(Self { config, arrays, normaliser, extra, metadata: file.metadata, sha256 })
    }

    /// Writes the weights, the normaliser and the metadata; kernels in half precision where `half` holds.
    ///
    /// # Errors
    /// When the file cannot be written; then nothing is left of it.
    pub fn write(&self, path: &Path, half: bool) -> Result<(), CheckpointError> {
        let mut tensors: Vec<(String, &Array, Stored)> = Vec::new();
        for (name, array) in &self.arrays {
            let stored = if half && is_kernel(name) { Stored::F16 } else { Stored::F32 };
            tensors.push((format!("param.{name}"), array, stored));
        }
        if let Some(Normaliser { x, y }) = &self.normaliser {
            for (name, array) in
                [("x_mean", &x.mean), ("x_std", &x.std), ("y_mean", &y.mean), ("y_std", &y.std)]
            {
                tensors.push((format!("norm.{name}"), array, Stored::F32));
            }
        }
        let tensors: Vec<(&str, &Array, Stored)> =
            tensors.iter().map(|(name, array, stored)| (name.as_str(), *array, *stored)).collect();
        let metadata: Vec<(&str, String)> =
            self.metadata.iter().map(|(k, v)| (k.as_str(), v.clone())).collect();
        let written = make_folder_of(path)
            .and_then(|()| write_whole(path, |file| safetensors::write(file, &tensors, &metadata)));
        written.map_err(|source| CheckpointError::Write { path: path.into(), source })
    }
}

/// Whether a parameter is a wavelet kernel, which half precision may hold.
#[must_use]
pub fn is_kernel(name: &str) -> bool {
    name.starts_with("conv")
}

#[allow(clippy::cast_possible_truncation)]
fn normaliser(extra: &mut BTreeMap<String, Array<f64>>) -> Option<Normaliser> {
    let take = |name: &str| {
        let array = extra.get(name)?;
        let values = array.values.iter().map(|&v| v as f32).collect();
        Some(Array { shape: array.shape.clone(), values })
    };
    let x = Statistics { mean: take("norm.x_mean")?, std: take("norm.x_std")? };
    let y = Statistics { mean: take("norm.y_mean")?, std: take("norm.y_std")? };
    extra.retain(|name, _| !name.starts_with("norm."));
    Some(Normaliser { x, y })
}
