//! The samples of a training: encoded coefficients, solutions as they are, and the normaliser of the
//! training part.

use crate::dataset::Dataset;
use crate::normaliser::{EPSILON, Normaliser, Statistics};

/// Training and test samples.
#[derive(Debug, Clone)]
pub struct Fields {
    /// Points (height, width).
    pub size: [usize; 2],
    /// Number of training samples.
    pub train: usize,
    /// Statistics of the training samples.
    pub normaliser: Normaliser,
    x: Vec<f32>,
    y: Vec<f32>,
    test_x: Vec<f32>,
    test_y: Vec<f32>,
}

impl Fields {
    /// From a training set and a test set; missing where there are fewer than two training samples, no test
    /// sample, or the sizes differ.
    #[must_use]
    pub fn new(train: &Dataset, test: &Dataset) -> Option<Self> {
        let normaliser =
            Normaliser { x: Statistics::of(&train.coeff)?, y: Statistics::of(&train.sol)? };
        if train.size() != test.size() || test.samples() == 0 {
            return None;
        }
        Some(Self {
            size: train.size(),
            train: train.samples(),
            x: normaliser.x.encode(&train.coeff.values),
            y: train.sol.values.clone(),
            test_x: normaliser.x.encode(&test.coeff.values),
            test_y: test.sol.values.clone(),
            normaliser,
        })
    }

    /// Grid points.
    #[must_use]
    pub fn points(&self) -> usize {
        self.size[0] * self.size[1]
    }

    pub(super) fn gather_x(&self, samples: &[usize]) -> Vec<f32> {
        self.gather(&self.x, samples)
    }

    pub(super) fn gather_y(&self, samples: &[usize]) -> Vec<f32> {
        self.gather(&self.y, samples)
    }

    fn gather(&self, from: &[f32], samples: &[usize]) -> Vec<f32> {
        let points = self.points();
        samples.iter().flat_map(|&s| &from[s * points..(s + 1) * points]).copied().collect()
    }

    /// Encoded coefficient and solution of each test sample.
    pub(super) fn test(&self) -> impl Iterator<Item = (&[f32], &[f32])> {
        let points = self.points();
        self.test_x.chunks_exact(points).zip(self.test_y.chunks_exact(points))
    }

    pub(super) fn y_scale(&self) -> Vec<f32> {
        self.normaliser.y.std.values.iter().map(|s| s + EPSILON).collect()
    }

    pub(super) fn y_mean(&self) -> Vec<f32> {
        self.normaliser.y.mean.values.clone()
    }
}
