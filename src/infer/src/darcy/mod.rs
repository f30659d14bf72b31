//! Darcy flow on the unit square with a two-valued random coefficient: the data both networks learn.
//!
//! -div(a grad u) = 1 on (0,1)², u = 0 on the boundary; a = 12 where a centred Gaussian field is not
//! negative and 3 elsewhere. The field and its constants are those of the public Darcy data (tau = 3,
//! alpha = 2, zero-Neumann Laplacian, no constant mode); here it is evaluated at the nodes i/(s-1) of any
//! grid, so that the coefficient stays two-valued and no interpolation is needed.
//!
//! ```text
//! seed, sample ──> K×K normals ──field──> g ──sign──> a ──solve──> u ──every n-th node──> coeff, sol
//! ```

mod field;
mod generate;
mod sine;
mod solve;

pub use field::{NodeBasis, threshold};
pub use generate::{MODES, Recipe, generate, normals};
pub use solve::{Solution, Solver};

/// Coefficient where the Gaussian field is not negative.
pub const HIGH: f64 = 12.0;

/// Coefficient where the Gaussian field is negative.
pub const LOW: f64 = 3.0;

/// Why data could not be generated or an equation not be solved.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DarcyError {
    /// Fewer than three nodes in a direction leave no interior.
    #[error(
        "a grid of {0}x{0} nodes has no interior: at least 3x3 are needed, at most {MAX_SIZE}x{MAX_SIZE} are supported"
    )]
    Size(usize),
    /// Sub-sampling must keep both edges.
    #[error(
        "every {every}th node of {size} does not keep the last one: {size} - 1 must be a multiple of {every}"
    )]
    Every {
        /// Nodes of the solver's grid.
        size: usize,
        /// Step of the sub-sampling.
        every: usize,
    },
    /// No samples, no modes or too many of them.
    #[error("{what} must be between 1 and {most}, not {given}")]
    Count {
        /// What is counted.
        what: &'static str,
        /// The limit.
        most: usize,
        /// What was asked for.
        given: usize,
    },
    /// The coefficient must be positive and finite, with one value a node.
    #[error("the coefficient must have {0}x{0} positive, finite values")]
    Coefficient(usize),
    /// The conjugate gradients did not reach the tolerance.
    #[error(
        "no solution to a relative residual of {tolerance:e} within {iterations} iterations (reached {reached:e})"
    )]
    NotConverged {
        /// What was asked for.
        tolerance: f64,
        /// Steps taken.
        iterations: usize,
        /// Relative residual reached.
        reached: f64,
    },
    /// The samples do not fit in memory.
    #[error("{samples} samples of {size}x{size} do not fit in memory; ask for fewer at a time")]
    Memory {
        /// Samples asked for.
        samples: usize,
        /// Nodes in each direction.
        size: usize,
    },
    /// The worker threads could not be started.
    #[error("worker threads could not be started: {0}")]
    Threads(String),
}

/// Largest grid: the arrays of one solve stay below half a gigabyte.
pub const MAX_SIZE: usize = 4097;
