//! Samples of coefficient and solution for a seed: the same for any number of threads, and the first N of a
//! longer set are the same N.
//!
//! Each sample has its own random stream (ChaCha8, key = seed, stream = sample), so that nothing depends on
//! the order in which samples are computed. Fields are drawn with a fixed number of modes, so that one seed
//! gives the same random functions at every resolution.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::{DarcyError, MAX_SIZE, NodeBasis, Solver, threshold};
use crate::dataset::Dataset;
use crate::formats::Array;

/// Cosine modes in each direction.
pub const MODES: usize = 128;

/// Relative residual of each solve; far below what F32 resolves.
const TOLERANCE: f64 = 1e-10;

/// Most samples in one call.
const MAX_SAMPLES: usize = 10_000_000;

/// What to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Recipe {
    /// Number of pairs of coefficient and solution.
    pub samples: usize,
    /// Nodes in each direction of the grid on which the equation is solved.
    pub solve_at: usize,
    /// Of those nodes every n-th is kept, both edges included.
    pub every: usize,
    /// Which random functions.
    pub seed: u64,
}

impl Recipe {
    /// Nodes in each direction that are kept.
    #[must_use]
    pub fn size(&self) -> usize {
        (self.solve_at.saturating_sub(1)) / self.every.max(1) + 1
    }

    /// Whether the recipe can be followed.
    ///
    /// # Errors
    /// When it cannot, and what is wrong with it.
    pub fn check(&self) -> Result<(), DarcyError> {
        if !(3..=MAX_SIZE).contains(&self.solve_at) {
            return Err(DarcyError::Size(self.solve_at));
        }
        if !(1..=MAX_SAMPLES).contains(&self.samples) {
            return Err(DarcyError::Count {
                what: "samples",
                most: MAX_SAMPLES,
                given: self.samples,
            });
        }
        if self.every == 0 || !(self.solve_at - 1).is_multiple_of(self.every) {
            return Err(DarcyError::Every { size: self.solve_at, every: self.every });
        }
        if self.size() < 3 {
            return Err(DarcyError::Size(self.size()));
        }
        Ok(())
    }
}

/// The standard normals of one sample.
#[must_use]
pub fn normals(seed: u64, sample: usize) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(sample as u64);
    (0..MODES * MODES).map(|_| StandardNormal.sample(&mut random)).collect()
}

/// Generates the samples on `threads` threads (all processors if absent); `done` is called after each one,
/// from any thread.
///
/// # Errors
/// When the recipe cannot be followed or an equation not be solved.
pub fn generate(
    recipe: &Recipe,
    threads: Option<usize>,
    done: &(dyn Fn() + Sync),
) -> Result<Dataset, DarcyError> {
    recipe.check()?;
    let size = recipe.size();
    let basis = NodeBasis::new(MODES, recipe.solve_at)?;
    let solver = Solver::new(recipe.solve_at)?;
    let mut coeff = reserve(recipe)?;
    let mut sol = reserve(recipe)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0)).build();
    pool.map_err(|e| DarcyError::Threads(e.to_string()))?.install(|| {
        let pairs = coeff.par_chunks_mut(size * size).zip(sol.par_chunks_mut(size * size));
        pairs.enumerate().try_for_each(|(sample, (a, u))| {
            let field = basis.field(&normals(recipe.seed, sample))?;
            let coefficient = threshold(&field);
            let solution = solver.solve(&coefficient, TOLERANCE)?;
            keep_every(&coefficient, recipe, a);
            keep_every(&solution.values, recipe, u);
            done();
            Ok(())
        })
    })?;
    let shape = vec![recipe.samples, size, size];
    Ok(Dataset {
        coeff: Array { shape: shape.clone(), values: coeff },
        sol: Array { shape, values: sol },
    })
}

fn reserve(recipe: &Recipe) -> Result<Vec<f32>, DarcyError> {
    let (samples, size) = (recipe.samples, recipe.size());
    let mut values = Vec::new();
    values
        .try_reserve_exact(samples * size * size)
        .map_err(|_| DarcyError::Memory { samples, size })?;
    values.resize(samples * size * size, 0.0);
    Ok(values)
}

#[allow(clippy::cast_possible_truncation)]
fn keep_every(all: &[f64], recipe: &Recipe, kept: &mut [f32]) {
    let rows = all.chunks_exact(recipe.solve_at).step_by(recipe.every);
    for (to, from) in kept.chunks_exact_mut(recipe.size()).zip(rows) {
        for (t, f) in to.iter_mut().zip(from.iter().step_by(recipe.every)) {
            *t = *f as f32;
        }
    }
}
