//! The whole multi-level transform of one axis as matrices, in f64: analysis to the deepest
//! approximation and detail, and synthesis from those two with every finer detail zero.
//!
//! The level loops, the extension and the crops on the way back are all linear, so the kernel of a block
//! becomes two products on each axis. Rows of the analysis: the m low-pass rows, then the m high-pass rows
//! (high-pass at the last level only). Columns of the synthesis in the same order.

use super::{Wavelet, fold};

/// A dense matrix, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// Elements, row by row.
    pub values: Vec<f64>,
}

impl Matrix {
    fn zeros(rows: usize, cols: usize) -> Self {
        Self { rows, cols, values: vec![0.0; rows * cols] }
    }

    fn identity(n: usize) -> Self {
        let mut out = Self::zeros(n, n);
        for i in 0..n {
            out.values[i * n + i] = 1.0;
        }
        out
    }

    fn times(&self, other: &Self) -> Self {
        let mut out = Self::zeros(self.rows, other.cols);
        for r in 0..self.rows {
            for k in 0..self.cols {
                let factor = self.values[r * self.cols + k];
                let source = &other.values[k * other.cols..(k + 1) * other.cols];
                for (o, s) in out.values[r * other.cols..].iter_mut().zip(source) {
                    *o += factor * s;
                }
            }
        }
        out
    }

    fn top(mut self, rows: usize) -> Self {
        self.values.truncate(rows * self.cols);
        self.rows = rows;
        self
    }

    /// The transposed matrix.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let mut out = Self::zeros(self.cols, self.rows);
        for r in 0..self.rows {
            for c in 0..self.cols {
                out.values[c * self.rows + r] = self.values[r * self.cols + c];
            }
        }
        out
    }
}

fn analysis_level(filter: &[f64], n: usize) -> Matrix {
    let m = usize::midpoint(n, filter.len() - 1);
    let mut out = Matrix::zeros(m, n);
    for k in 0..m {
        for (j, tap) in filter.iter().enumerate() {
            let at = fold((2 * k + 1).cast_signed() - j.cast_signed(), n);
            out.values[k * n + at] += tap;
        }
    }
    out
}

fn synthesis_level(filter: &[f64], m: usize) -> Matrix {
    let taps = filter.len();
    let n = 2 * m + 2 - taps;
    let mut out = Matrix::zeros(n, m);
    for t in 0..n {
        for k in 0..m {
            if let Some(tap) = (t + taps - 2).checked_sub(2 * k).and_then(|j| filter.get(j)) {
                out.values[t * m + k] = *tap;
            }
        }
    }
    out
}

/// Analysis of `n` samples through `levels` levels: (2m x n), low-pass rows first.
#[must_use]
pub fn analysis(wavelet: Wavelet, levels: usize, n: usize) -> Matrix {
    let mut low = Matrix::identity(n);
    let mut high = Matrix::zeros(0, n);
    for _ in 0..levels {
        let size = low.rows;
        high = analysis_level(&wavelet.dec_hi(), size).times(&low);
        low = analysis_level(wavelet.dec_lo(), size).times(&low);
    }
    let mut values = low.values;
    values.extend(high.values);
    Matrix { rows: low.rows + high.rows, cols: n, values }
}

/// Synthesis of the axis from its deepest approximation and detail: (n' x 2m), where n' is n, or n + 1
/// where n is odd.
#[must_use]
pub fn synthesis(wavelet: Wavelet, levels: usize, n: usize) -> Matrix {
    let sizes = wavelet.lengths(n, levels);
    let m = sizes[levels];
    let columns = [wavelet.rec_lo(), wavelet.rec_hi()].map(|deepest| {
        let mut out = synthesis_level(&deepest, m);
        for &size in sizes[1..levels].iter().rev() {
            out = synthesis_level(&wavelet.rec_lo(), size).times(&out.top(size));
        }
        out
    });
    let [low, high] = columns;
    let mut values = Vec::with_capacity(low.values.len() * 2);
    for (l, h) in low.values.chunks_exact(m).zip(high.values.chunks_exact(m)) {
        values.extend(l.iter().chain(h));
    }
    Matrix { rows: low.rows, cols: 2 * m, values }
}
