//! From samples to centre, spread and interval, and from two samples to what differs between them.
//!
//! | units | interval |
//! |---|---|
//! | fewer than 20 traces | Student's t ([`t_mean`]; [`t_difference`], Welch's), on logarithms for ratios |
//! | 20 traces and more | BCa bootstrap ([`bca_mean`], [`bca_difference`]) |
//! | medians and percentiles | BCa bootstrap, from the number of units on that can give one |
//! | windows of one trace, 20 and more | moving-block bootstrap ([`block_mean`], [`block_difference`]) |
//! | the same windows before and after a change | the same, drawn together ([`block_change`]) |
//!
//! Percentiles interpolate linearly between order statistics (rank `p (n − 1)`), the standard
//! deviation divides by n − 1; a single sample has none. Random numbers come from a fixed seed
//! ([`SEED`]). How often each kind of interval holds the truth is simulated in the tests and written in
//! `docs/intervals.md`.

mod bca;
mod blocks;
mod compared;
mod drift;
mod effect;
mod estimate;
mod fisher;
mod integers;
mod lengths;
mod moments;
mod outliers;
mod random;
mod student;
mod summary;

pub use bca::{bca_difference, bca_mean, bca_quantile, percentile_difference, quantile_units};
pub use blocks::{
    Alike, LEAST as LEAST_WINDOWS, alike, autocorrelation, block_change, block_difference,
    block_interval, block_length, block_mean, block_ratio,
};
pub use compared::{Pairing, centre, difference, ratio};
pub use drift::{Drift, LEVEL as DRIFT_LEVEL, drift, steady_from};
pub use effect::hedges_g;
pub use estimate::{BOOTSTRAP_FROM, Estimated, RESAMPLES};
pub use fisher::f_99;
pub use integers::Integers;
pub use lengths::Lengths;
pub use moments::{mean, quantile, variance};
pub use outliers::outliers;
pub use random::{Random, SEED};
pub use student::{t_975, t_difference, t_mean};
pub use summary::{Summary, median, percentile, percentile_of};
