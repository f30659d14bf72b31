//! The sine transform that diagonalises the five-point Laplacian on the interior nodes (DST-I), through a
//! complex FFT of twice the length: two real lines travel as the real and the imaginary part.
//!
//! The FFT is the scalar one, not the one chosen by the processor's vector width: the same data come out
//! on every machine of one kind of arithmetic.

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlannerScalar};

/// The transform of n interior values a line; applied twice it multiplies by (n+1)/2.
pub(super) struct SineTransform {
    n: usize,
    fft: Arc<dyn Fft<f64>>,
}

/// Work space of one thread.
pub(super) struct Scratch {
    line: Vec<Complex<f64>>,
    fft: Vec<Complex<f64>>,
}

impl SineTransform {
    pub(super) fn new(n: usize) -> Self {
        Self { n, fft: FftPlannerScalar::new().plan_fft_forward(2 * (n + 1)) }
    }

    pub(super) fn scratch(&self) -> Scratch {
        let zero = Complex::new(0.0, 0.0);
        Scratch {
            line: vec![zero; 2 * (self.n + 1)],
            fft: vec![zero; self.fft.get_inplace_scratch_len()],
        }
    }

    /// Transforms an n×n field along both axes, in place.
    pub(super) fn square(&self, field: &mut [f64], scratch: &mut Scratch) {
        self.lines(field, self.n, 1, scratch);
        self.lines(field, 1, self.n, scratch);
    }

    /// Transforms all lines, two at a time; `line` is the distance from one line to the next, `item` from
    /// one value of a line to the next.
    fn lines(&self, field: &mut [f64], line: usize, item: usize, scratch: &mut Scratch) {
        for first in (0..self.n).step_by(2) {
            let second = (first + 1 < self.n).then_some((first + 1) * line);
            self.pair(field, first * line, second, item, scratch);
        }
    }

    /// The odd extension (0, x, 0, -x reversed) of real x has the transform -2i sum x_j sin(pi (j+1) k / (n+1)).
    fn pair(
        &self,
        field: &mut [f64],
        a: usize,
        b: Option<usize>,
        item: usize,
        scratch: &mut Scratch,
    ) {
        let n = self.n;
        let buffer = &mut scratch.line;
        buffer[0] = Complex::new(0.0, 0.0);
        buffer[n + 1] = Complex::new(0.0, 0.0);
        for j in 0..n {
            let value = Complex::new(field[a + j * item], b.map_or(0.0, |b| field[b + j * item]));
            buffer[j + 1] = value;
            buffer[2 * n + 1 - j] = -value;
        }
        self.fft.process_with_scratch(buffer, &mut scratch.fft);
        for j in 0..n {
            field[a + j * item] = -0.5 * buffer[j + 1].im;
            if let Some(b) = b {
                field[b + j * item] = 0.5 * buffer[j + 1].re;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SineTransform;

    #[test]
    #[allow(clippy::cast_precision_loss)]
    fn the_transform_is_the_double_sine_sum() {
        for n in [1_usize, 2, 5, 8] {
            let field: Vec<f64> = (0..n * n).map(|i| ((i * i + 3 * i) % 17) as f64 - 6.0).collect();
            let sine = |j: usize, k: usize| {
                (std::f64::consts::PI * ((j + 1) * (k + 1)) as f64 / (n + 1) as f64).sin()
            };
            let mut fast = field.clone();
            let transform = SineTransform::new(n);
            transform.square(&mut fast, &mut transform.scratch());
            for k in 0..n {
                for l in 0..n {
                    let sum: f64 =
                        (0..n * n).map(|i| field[i] * sine(i / n, k) * sine(i % n, l)).sum();
                    assert!((fast[k * n + l] - sum).abs() < 1e-12, "n {n}, {k} {l}");
                }
            }
        }
    }
}
