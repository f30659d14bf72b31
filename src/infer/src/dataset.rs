//! Pairs of coefficient and solution fields: what networks are trained and evaluated on.

use crate::formats::Array;

/// Fields of all samples, both of shape (samples, height, width), F32.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Coefficients a.
    pub coeff: Array<f32>,
    /// Solutions u.
    pub sol: Array<f32>,
}

impl Dataset {
    /// Number of samples.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.coeff.shape.first().copied().unwrap_or(0)
    }

    /// Height and width of a field.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        match self.coeff.shape[..] {
            [_, h, w] => [h, w],
            _ => [0, 0],
        }
    }
}
