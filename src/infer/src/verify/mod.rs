//! Does this stack compute what was recorded? The golden vectors, through the same code that runs requests: for
//! every dispatch, tensors within a tolerance and spikes equal.
//!
//! 1e-5 holds for float32; a GPU that multiplies in TF32 needs about 1e-2. In the trained spiking network some
//! membranes lie within 4e-6 of the threshold, so up to 0.1 % of its spikes may differ.

mod network;
mod primitives;
mod trained;

use std::path::{Path, PathBuf};

use crate::checkpoint::CheckpointError;
use crate::formats::safetensors::SafetensorsError;
use crate::paths::PathError;
use crate::stack::{Choice, OnStack, Stack, on_stack};

/// Tolerance of float32 on every tensor.
pub const TOLERANCE: f64 = 1e-5;

/// One comparison with recorded values.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// File and dispatch.
    pub name: String,
    /// Tensor that was farthest off.
    pub tensor: String,
    /// Largest absolute difference.
    pub worst: f64,
    /// Values compared.
    pub values: usize,
    /// Spikes that differ.
    pub flipped: usize,
    /// Spikes compared.
    pub spikes: usize,
    /// Whether it is within the tolerance.
    pub passed: bool,
}

/// Why nothing could be compared.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A file is missing or unreadable.
    #[error(transparent)]
    File(#[from] SafetensorsError),
    /// A file is no checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A file is not what was recorded.
    #[error("{}: no tensor `{tensor}` of the expected shape: not a golden file", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// What is missing.
        tensor: String,
    },
    /// A network does not run.
    #[error(transparent)]
    Path(#[from] PathError),
}

/// Compares everything in `folder`.
///
/// # Errors
/// When a file is missing or is not what was recorded.
pub fn run(choice: Choice, folder: &Path, tolerance: f64) -> Result<Vec<Check>, VerifyError> {
    on_stack(choice, Job { folder, tolerance })
}

struct Job<'a> {
    folder: &'a Path,
    tolerance: f64,
}

impl OnStack for Job<'_> {
    type Output = Result<Vec<Check>, VerifyError>;

    fn run<B: Stack>(self, device: &B::Device) -> Self::Output {
        let mut checks = primitives::transforms::<B>(&self, device)?;
        checks.push(primitives::neuron::<B>(&self, device)?);
        checks.extend(network::all::<B>(&self, device)?);
        checks.extend(trained::all::<B>(&self, device)?);
        Ok(checks)
    }
}

impl Job<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.safetensors"))
    }
}

/// Differences gathered under one name.
struct Gather {
    check: Check,
    tolerance: f64,
}

impl Gather {
    fn new(name: String, tolerance: f64) -> Self {
        let check = Check {
            name,
            tensor: String::new(),
            worst: 0.0,
            values: 0,
            flipped: 0,
            spikes: 0,
            passed: true,
        };
        Self { check, tolerance }
    }

    /// Values that must agree within the tolerance; another number of them never does.
    fn tensor(&mut self, name: &str, found: &[f32], expected: &[f64]) {
        let pairs = found.iter().zip(expected);
        let worst = pairs
            .map(|(f, e)| (f64::from(*f) - e).abs())
            .fold(0.0, |a, b| if b.is_nan() { f64::INFINITY } else { f64::max(a, b) });
        self.check.values += expected.len();
        self.check.passed &= found.len() == expected.len() && worst <= self.tolerance;
        if worst >= self.check.worst {
            self.check.worst = worst;
            name.clone_into(&mut self.check.tensor);
        }
    }

    /// Spikes of which a share of `allowed` may differ.
    fn spikes(&mut self, found: &[f32], expected: &[f64], allowed: f64) {
        let differ = |(f, e): &(&f32, &f64)| f64::from(**f) != **e;
        let flipped = found.iter().zip(expected).filter(differ).count();
        self.check.flipped += flipped;
        self.check.spikes += expected.len();
        self.check.passed &=
            found.len() == expected.len() && flipped as f64 <= allowed * expected.len() as f64;
    }
}
