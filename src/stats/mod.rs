//! Centre and spread of samples.
//!
//! Percentiles interpolate linearly between order statistics (rank `p (n − 1)`), the standard
//! deviation divides by n − 1; a single sample has none.

mod student;
mod summary;

pub use student::t_975;
pub use summary::{Summary, median, percentile, percentile_of};
