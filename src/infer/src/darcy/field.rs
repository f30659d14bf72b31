//! Which Gaussian field do K×K standard normals give at the nodes of a grid?
//!
//! g(x, y) = sum over p, q < K of n_p n_q c_pq xi_pq cos(pi p x) cos(pi q y), with n_0 = 1, n_p = sqrt 2
//! and c_pq = tau^(alpha-1) (pi² (p² + q²) + tau²)^(-alpha/2), c_00 = 0: the cosine series of a field with
//! covariance tau^(2 alpha - 2) (-Laplace + tau²)^(-alpha). The same normals give the same function on
//! every grid.

use std::f64::consts::{PI, SQRT_2};

use super::{DarcyError, HIGH, LOW, MAX_SIZE};

const TAU: f64 = 3.0;
const ALPHA: f64 = 2.0;

/// Most modes in a direction; the published data use as many as nodes.
const MAX_MODES: usize = 1024;

/// The cosines of a grid and the scale of each mode.
#[derive(Debug, Clone)]
pub struct NodeBasis {
    modes: usize,
    size: usize,
    /// n_p cos(pi p x_i), mode by mode.
    cosines: Vec<f64>,
    /// c_pq, row by row.
    scale: Vec<f64>,
}

impl NodeBasis {
    /// For `modes` modes in each direction on `size` nodes in each direction.
    ///
    /// # Errors
    /// When `size` or `modes` is out of range.
    pub fn new(modes: usize, size: usize) -> Result<Self, DarcyError> {
        if !(3..=MAX_SIZE).contains(&size) {
            return Err(DarcyError::Size(size));
        }
        if !(1..=MAX_MODES).contains(&modes) {
            return Err(DarcyError::Count { what: "modes", most: MAX_MODES, given: modes });
        }
        Ok(Self { modes, size, cosines: cosines(modes, size), scale: mode_scale(modes) })
    }

    /// The field at all nodes, first axis x, of `modes`² standard normals.
    ///
    /// # Errors
    /// When the number of normals does not fit.
    pub fn field(&self, normals: &[f64]) -> Result<Vec<f64>, DarcyError> {
        let (k, s) = (self.modes, self.size);
        if normals.len() != k * k {
            return Err(DarcyError::Count { what: "normals", most: k * k, given: normals.len() });
        }
        // First along y for each mode in x, then along x: two products instead of a double sum a node.
        let mut along_y = vec![0.0; k * s];
        let scaled = normals.iter().zip(&self.scale).map(|(xi, c)| xi * c).collect::<Vec<_>>();
        for (row, weights) in along_y.chunks_exact_mut(s).zip(scaled.chunks_exact(k)) {
            accumulate(row, weights.iter().copied(), &self.cosines);
        }
        let mut field = vec![0.0; s * s];
        for (i, row) in field.chunks_exact_mut(s).enumerate() {
            let weights = self.cosines.iter().skip(i).step_by(s).copied();
            accumulate(row, weights, &along_y);
        }
        Ok(field)
    }
}

/// `row += sum of weight times line`, one line of `lines` a weight.
fn accumulate(row: &mut [f64], weights: impl Iterator<Item = f64>, lines: &[f64]) {
    for (weight, line) in weights.zip(lines.chunks_exact(row.len())) {
        for (r, l) in row.iter_mut().zip(line) {
            *r += weight * l;
        }
    }
}

/// The angle is reduced to one turn in integers, so that high modes lose no digits.
#[allow(clippy::cast_precision_loss)]
fn cosines(modes: usize, size: usize) -> Vec<f64> {
    let turn = 2 * (size - 1);
    let table: Vec<f64> = (0..turn).map(|m| (2.0 * PI * m as f64 / turn as f64).cos()).collect();
    let norm = |p| if p == 0 { 1.0 } else { SQRT_2 };
    (0..modes)
        .flat_map(|p| (0..size).map(move |i| (p, i)))
        .map(|(p, i)| norm(p) * table[p * i % turn])
        .collect()
}

#[allow(clippy::cast_precision_loss)]
fn mode_scale(modes: usize) -> Vec<f64> {
    let scale = |p: usize, q: usize| {
        let squares = (p * p + q * q) as f64;
        TAU.powf(ALPHA - 1.0) * (PI * PI * squares + TAU * TAU).powf(-ALPHA / 2.0)
    };
    let mut all: Vec<f64> = (0..modes)
        .flat_map(|p| (0..modes).map(move |q| (p, q)))
        .map(|(p, q)| scale(p, q))
        .collect();
    all[0] = 0.0;
    all
}

/// The two-valued coefficient of a field.
#[must_use]
pub fn threshold(field: &[f64]) -> Vec<f64> {
    field.iter().map(|&g| if g >= 0.0 { HIGH } else { LOW }).collect()
}
