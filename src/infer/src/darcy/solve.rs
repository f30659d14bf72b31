//! Which u solves -div(a grad u) = f on the grid, with u = 0 on its edge?
//!
//! Five-point scheme on the interior nodes, h = 1/(s-1), conductance of a face = arithmetic mean of its two
//! nodes. Conjugate gradients, preconditioned by the same scheme with a = 1, which the sine transform
//! inverts: the condition number is at most max a / min a, so the number of steps does not grow with s.

use super::sine::{Scratch, SineTransform};
use super::{DarcyError, MAX_SIZE};

/// Steps after which something is wrong: contrast 4 takes 21 to 23 to a residual of 1e-10.
const MOST_ITERATIONS: usize = 2000;

/// A solver for one size of grid; shared by threads.
pub struct Solver {
    size: usize,
    sine: SineTransform,
    /// Eigenvalues of the one-dimensional second difference, without 1/h².
    eigenvalues: Vec<f64>,
}

/// A solution and what it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// u at all nodes, edge included, first axis x.
    pub values: Vec<f64>,
    /// Steps of the conjugate gradients.
    pub iterations: usize,
}

/// Conductances of the faces around the interior nodes.
struct Faces {
    /// Between (i, j+1) and (i+1, j+1): (s-1) rows of s-2.
    x: Vec<f64>,
    /// Between (i+1, j) and (i+1, j+1): (s-2) rows of s-1.
    y: Vec<f64>,
}

impl Solver {
    /// For grids of `size` × `size` nodes.
    ///
    /// # Errors
    /// When there is no interior, or the grid is too large.
    #[allow(clippy::cast_precision_loss)]
    pub fn new(size: usize) -> Result<Self, DarcyError> {
        if !(3..=MAX_SIZE).contains(&size) {
            return Err(DarcyError::Size(size));
        }
        let step = std::f64::consts::PI / (size - 1) as f64;
        let eigenvalues = (1..size - 1).map(|k| 2.0 - 2.0 * (step * k as f64).cos()).collect();
        Ok(Self { size, sine: SineTransform::new(size - 2), eigenvalues })
    }

    /// Solves with the right-hand side f = 1 to a relative residual of `tolerance`.
    ///
    /// # Errors
    /// When the coefficient does not fit or is not positive, or the tolerance is not reached.
    #[allow(clippy::cast_precision_loss)]
    pub fn solve(&self, coefficient: &[f64], tolerance: f64) -> Result<Solution, DarcyError> {
        let (s, n) = (self.size, self.size - 2);
        if coefficient.len() != s * s || !coefficient.iter().all(|a| *a > 0.0 && a.is_finite()) {
            return Err(DarcyError::Coefficient(s));
        }
        let faces = Faces::of(coefficient, s);
        let mut scratch = self.sine.scratch();
        // Everything is scaled by h²: the matrix has plain differences, the right-hand side is h².
        let h2 = ((s - 1) as f64).powi(-2);
        let mut u = vec![0.0; n * n];
        let mut residual = vec![h2; n * n];
        let target = tolerance * norm(&residual);
        let mut z = residual.clone();
        self.precondition(&mut z, &mut scratch);
        let mut direction = z.clone();
        let mut image = vec![0.0; n * n];
        let mut rz = dot(&residual, &z);
        let mut iterations = 0;
        while norm(&residual) > target {
            if iterations == MOST_ITERATIONS {
                let reached = norm(&residual) / target * tolerance;
                return Err(DarcyError::NotConverged { tolerance, iterations, reached });
            }
            faces.apply(&direction, &mut image, n);
            let step = rz / dot(&direction, &image);
            add_scaled(&mut u, step, &direction);
            add_scaled(&mut residual, -step, &image);
            z.copy_from_slice(&residual);
            self.precondition(&mut z, &mut scratch);
            let next = dot(&residual, &z);
            let keep = next / rz;
            direction.iter_mut().zip(&z).for_each(|(d, z)| *d = z + keep * *d);
            rz = next;
            iterations += 1;
        }
        Ok(Solution { values: with_edge(&u, s), iterations })
    }

    /// The inverse of the scheme with a = 1: divide by the eigenvalues in the sine basis.
    #[allow(clippy::cast_precision_loss)]
    fn precondition(&self, field: &mut [f64], scratch: &mut Scratch) {
        let n = self.size - 2;
        self.sine.square(field, scratch);
        let norm = (2.0 / (n + 1) as f64).powi(2);
        for (row, ek) in field.chunks_exact_mut(n).zip(&self.eigenvalues) {
            for (value, el) in row.iter_mut().zip(&self.eigenvalues) {
                *value *= norm / (ek + el);
            }
        }
        self.sine.square(field, scratch);
    }
}

impl Faces {
    fn of(a: &[f64], s: usize) -> Self {
        let n = s - 2;
        let mean = |i: usize, j: usize| f64::midpoint(a[i], a[j]);
        let x =
            (0..(s - 1) * n).map(|k| (k / n) * s + k % n + 1).map(|at| mean(at, at + s)).collect();
        let y = (0..n * (s - 1))
            .map(|k| (k / (s - 1) + 1) * s + k % (s - 1))
            .map(|at| mean(at, at + 1));
        Self { x, y: y.collect() }
    }

    /// `image` = matrix times `u`, both n×n interior values.
    fn apply(&self, u: &[f64], image: &mut [f64], n: usize) {
        let edge = vec![0.0; n];
        for (i, out) in image.chunks_exact_mut(n).enumerate() {
            let here = &u[i * n..][..n];
            let above = if i == 0 { &edge[..] } else { &u[(i - 1) * n..][..n] };
            let below = if i + 1 == n { &edge[..] } else { &u[(i + 1) * n..][..n] };
            let (west, east) = (&self.x[i * n..][..n], &self.x[(i + 1) * n..][..n]);
            let along = &self.y[i * (n + 1)..][..=n];
            for j in 0..n {
                let left = if j == 0 { 0.0 } else { here[j - 1] };
                let right = if j + 1 == n { 0.0 } else { here[j + 1] };
                out[j] = west[j] * (here[j] - above[j])
                    + east[j] * (here[j] - below[j])
                    + along[j] * (here[j] - left)
                    + along[j + 1] * (here[j] - right);
            }
        }
    }
}

/// The interior inside an edge of zeros.
fn with_edge(interior: &[f64], s: usize) -> Vec<f64> {
    let mut all = vec![0.0; s * s];
    for (row, from) in all.chunks_exact_mut(s).skip(1).zip(interior.chunks_exact(s - 2)) {
        row[1..s - 1].copy_from_slice(from);
    }
    all
}

/// Eight running sums: the order of additions is fixed, whatever the compiler makes of it.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (x, y) in a8.iter().zip(b8) {
        for k in 0..8 {
            sums[k] += x[k] * y[k];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

fn add_scaled(a: &mut [f64], factor: f64, b: &[f64]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += factor * b);
}
