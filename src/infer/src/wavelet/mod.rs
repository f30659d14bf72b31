//! Which wavelet transform do the networks use? Daubechies filters with half-sample symmetric extension
//! (the edge sample is repeated), analysed and synthesised level by level.
//!
//! One level of one axis, filter length L, n samples in, `m = floor((n + L - 1) / 2)` out:
//!
//! ```text
//! lo[k] = sum_j dec_lo[j] xe[2k + 1 - j]          x[t] = sum_k lo[k] rec_lo[t + L - 2 - 2k] + hi[k] rec_hi[..]
//! ```
//!
//! `xe` folds any index into 0..n periodically with period 2n: at deep levels L - 2 exceeds n.

pub mod levels;
pub mod matrix;

use serde::{Deserialize, Serialize};

/// A wavelet of the Daubechies family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wavelet {
    /// Two taps.
    Haar,
    /// Four taps.
    Db2,
    /// Eight taps.
    Db4,
    /// Twelve taps.
    Db6,
}

const HAAR: [f64; 2] = [std::f64::consts::FRAC_1_SQRT_2, std::f64::consts::FRAC_1_SQRT_2];
const DB2: [f64; 4] =
    [-0.12940952255126037, 0.2241438680420134, 0.8365163037378079, 0.48296291314453416];
const DB4: [f64; 8] = [
    -0.010597401785069032,
    0.0328830116668852,
    0.030841381835560764,
    -0.18703481171909309,
    -0.027983769416859854,
    0.6308807679298589,
    0.7148465705529157,
    0.2303778133088965,
];
const DB6: [f64; 12] = [
    -0.0010773010853084796,
    0.004777257510945511,
    0.0005538422011614961,
    -0.03158203931748603,
    0.027522865530305727,
    0.09750160558732304,
    -0.12976686756726194,
    -0.22626469396543983,
    0.31525035170919763,
    0.7511339080210954,
    0.49462389039845306,
    0.11154074335010947,
];

impl Wavelet {
    /// All wavelets, by rising length.
    pub const ALL: [Self; 4] = [Self::Haar, Self::Db2, Self::Db4, Self::Db6];

    /// Name in configurations.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Haar => "haar",
            Self::Db2 => "db2",
            Self::Db4 => "db4",
            Self::Db6 => "db6",
        }
    }

    /// Low-pass analysis filter.
    #[must_use]
    pub fn dec_lo(self) -> &'static [f64] {
        match self {
            Self::Haar => &HAAR,
            Self::Db2 => &DB2,
            Self::Db4 => &DB4,
            Self::Db6 => &DB6,
        }
    }

    /// High-pass analysis filter: `dec_hi[j] = (-1)^(j+1) rec_lo[j]`.
    #[must_use]
    pub fn dec_hi(self) -> Vec<f64> {
        let signs = [-1.0, 1.0].into_iter().cycle();
        self.rec_lo().into_iter().zip(signs).map(|(v, s)| s * v).collect()
    }

    /// Low-pass synthesis filter: the analysis filter reversed.
    #[must_use]
    pub fn rec_lo(self) -> Vec<f64> {
        self.dec_lo().iter().rev().copied().collect()
    }

    /// High-pass synthesis filter.
    #[must_use]
    pub fn rec_hi(self) -> Vec<f64> {
        self.dec_hi().into_iter().rev().collect()
    }

    /// Number of taps L.
    #[must_use]
    pub fn taps(self) -> usize {
        self.dec_lo().len()
    }

    /// Coefficients that one level makes of `n` samples.
    #[must_use]
    pub fn analysed(self, n: usize) -> usize {
        usize::midpoint(n, self.taps() - 1)
    }

    /// Samples that one level makes of `m` coefficients.
    #[must_use]
    pub fn synthesised(self, m: usize) -> usize {
        2 * m + 2 - self.taps()
    }

    /// Lengths from `n` down through `levels` levels: `levels + 1` numbers.
    #[must_use]
    pub fn lengths(self, n: usize, levels: usize) -> Vec<usize> {
        std::iter::successors(Some(n), |&n| Some(self.analysed(n))).take(levels + 1).collect()
    }
}

/// The sample that index `i` of the symmetric extension of `n` samples repeats.
#[must_use]
pub fn fold(i: isize, n: usize) -> usize {
    let period = 2 * n.cast_signed();
    let r = i.rem_euclid(period).cast_unsigned();
    if r < n { r } else { 2 * n - 1 - r }
}
