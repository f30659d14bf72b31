//! Channel mixing of low Fourier modes (variant v3), as products with cosine and sine matrices: only the
//! kept modes are ever computed, so no transform of the whole field is needed.
//!
//! Kept are rows `0..e` and `-e..` and columns `0..e` of the real-to-complex transform; the inverse counts
//! every column but the constant one (and the one at half the width) twice, as for a real field.

use burn::prelude::Tensor;
use burn::tensor::TensorData;

use crate::stack::Stack;

/// Mixes the modes of `x` (batch, in, h, w) with `corners`: real and imaginary weights (in, out, e, e) of the
/// first rows, then of the last.
pub(super) fn mix<B: Stack>(x: Tensor<B, 4>, corners: &[Tensor<B, 4>]) -> Tensor<B, 4> {
    let [_, _, h, w] = x.dims();
    let e = corners[0].dims()[3];
    let modes = Modes { h, w, e };
    let device = x.device();
    let constant = |rows: usize, cols: usize, f: &dyn Fn(usize, usize) -> f64| {
        #[allow(clippy::cast_possible_truncation)]
        let values: Vec<f32> = (0..rows * cols).map(|i| f(i / cols, i % cols) as f32).collect();
        Tensor::<B, 4>::from_data(TensorData::new(values, [1, 1, rows, cols]), &device)
    };
    let column = |y: usize, c: usize| modes.angle(c, y, w);
    let row = |r: usize, x: usize| modes.angle(modes.row(r), x, h);
    // Forward: e^(-i angle) on both axes.
    let real = x.clone().matmul(constant(w, e, &|y, c| column(y, c).cos()));
    let imag = x.matmul(constant(w, e, &|y, c| -column(y, c).sin()));
    let cos = constant(2 * e, h, &|r, x| row(r, x).cos());
    let sin = constant(2 * e, h, &|r, x| -row(r, x).sin());
    let (real, imag) = rotate(&cos, &sin, real, imag);
    let weights_real = Tensor::cat(vec![corners[0].clone(), corners[2].clone()], 2);
    let weights_imag = Tensor::cat(vec![corners[1].clone(), corners[3].clone()], 2);
    let mixed_real =
        B::mix(real.clone(), weights_real.clone()) - B::mix(imag.clone(), weights_imag.clone());
    let mixed_imag = B::mix(real, weights_imag) + B::mix(imag, weights_real);
    // Back: e^(+i angle), scaled.
    let cos = constant(h, 2 * e, &|x, r| row(r, x).cos() / h as f64);
    let sin = constant(h, 2 * e, &|x, r| row(r, x).sin() / h as f64);
    let (real, imag) = rotate(&cos, &sin, mixed_real, mixed_imag);
    let cos = constant(e, w, &|c, y| modes.times(c) * column(y, c).cos() / w as f64);
    let sin = constant(e, w, &|c, y| modes.times(c) * column(y, c).sin() / w as f64);
    real.matmul(cos) - imag.matmul(sin)
}

/// `(cos + i sin)(real + i imag)`, matrices from the left.
fn rotate<B: Stack>(
    cos: &Tensor<B, 4>,
    sin: &Tensor<B, 4>,
    real: Tensor<B, 4>,
    imag: Tensor<B, 4>,
) -> (Tensor<B, 4>, Tensor<B, 4>) {
    let out_real = cos.clone().matmul(real.clone()) - sin.clone().matmul(imag.clone());
    let out_imag = cos.clone().matmul(imag) + sin.clone().matmul(real);
    (out_real, out_imag)
}

struct Modes {
    h: usize,
    w: usize,
    e: usize,
}

impl Modes {
    /// The frequency of kept row `r`: the first `e`, then the last `e`.
    fn row(&self, r: usize) -> usize {
        if r < self.e { r } else { self.h + r - 2 * self.e }
    }

    /// `2 pi k i / n`, reduced before it is scaled.
    fn angle(&self, k: usize, i: usize, n: usize) -> f64 {
        2.0 * std::f64::consts::PI * ((k * i) % n) as f64 / n as f64
    }

    /// How often column `c` counts in a real field.
    fn times(&self, c: usize) -> f64 {
        if c == 0 || 2 * c == self.w { 1.0 } else { 2.0 }
    }
}
