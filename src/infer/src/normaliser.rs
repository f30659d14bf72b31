//! How are fields scaled before and after a network? Each grid point by the mean and the unbiased standard
//! deviation over the training set, as the published programs do:
//!
//! ```text
//! encode: (x - mean) / (std + 1e-5)        decode: y (std + 1e-5) + mean
//! ```
//!
//! Coefficients are always encoded with the statistics of the training set. On the boundary solutions do not
//! vary: there a decoded value is 1e-5 times the network's.

use crate::formats::Array;

/// Added to every standard deviation.
pub const EPSILON: f32 = 1e-5;

/// Mean and standard deviation of every grid point.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// Mean (h, w).
    pub mean: Array,
    /// Unbiased standard deviation (h, w).
    pub std: Array,
}

impl Statistics {
    /// Over the samples of fields (sample, h, w); missing where there are fewer than two samples.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn of(fields: &Array) -> Option<Self> {
        let [samples, h, w] = fields.shape[..] else { return None };
        if samples < 2 || h * w == 0 {
            return None;
        }
        let points = h * w;
        let mut mean = vec![0.0f64; points];
        for field in fields.values.chunks_exact(points) {
            mean.iter_mut().zip(field).for_each(|(m, &v)| *m += f64::from(v) / samples as f64);
        }
        let mut square = vec![0.0f64; points];
        for field in fields.values.chunks_exact(points) {
            for ((s, &v), m) in square.iter_mut().zip(field).zip(&mean) {
                *s += (f64::from(v) - m).powi(2);
            }
        }
        let std = square.iter().map(|s| (s / (samples - 1) as f64).sqrt() as f32).collect();
        let mean = mean.iter().map(|&m| m as f32).collect();
        let shape = vec![h, w];
        Some(Self {
            mean: Array { shape: shape.clone(), values: mean },
            std: Array { shape, values: std },
        })
    }

    /// Scales one field, or several one after the other.
    #[must_use]
    pub fn encode(&self, fields: &[f32]) -> Vec<f32> {
        let scale = self.mean.values.iter().zip(&self.std.values).cycle();
        fields.iter().zip(scale).map(|(x, (mean, std))| (x - mean) / (std + EPSILON)).collect()
    }

    /// Undoes [`Statistics::encode`].
    #[must_use]
    pub fn decode(&self, fields: &[f32]) -> Vec<f32> {
        let scale = self.mean.values.iter().zip(&self.std.values).cycle();
        fields.iter().zip(scale).map(|(y, (mean, std))| y * (std + EPSILON) + mean).collect()
    }
}

/// Statistics of coefficients and solutions.
#[derive(Debug, Clone, PartialEq)]
pub struct Normaliser {
    /// Of the coefficients.
    pub x: Statistics,
    /// Of the solutions.
    pub y: Statistics,
}

/// `||predicted - exact||_2 / ||exact||_2` over all grid points of one sample.
#[must_use]
pub fn relative_l2(predicted: &[f32], exact: &[f32]) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let pairs = predicted.iter().zip(exact);
    let difference = norm(&mut pairs.map(|(p, e)| f64::from(*p) - f64::from(*e)));
    difference / norm(&mut exact.iter().map(|&v| f64::from(v)))
}
