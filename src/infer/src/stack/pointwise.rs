//! The elementwise functions of the networks and their derivatives, on single f32 values.
//!
//! GELU is the exact (erf) form; Mish is `z tanh(ln(1 + e^z))`; a firing step is 1 where its argument is
//! positive (strictly: equality stays silent), with a surrogate for its derivative. erf is formula
//! 7.1.26 of Abramowitz and Stegun (absolute error below 1.5e-7); the exponential is a Taylor polynomial
//! after reduction to |r| <= ln(2)/2. Written without branches or library calls, so that a compiler can
//! run them on vectors.

/// An elementwise function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pointwise {
    /// `z/2 (1 + erf(z / sqrt 2))`.
    Gelu,
    /// `z tanh(ln(1 + e^z))`.
    Mish,
    /// 1 where positive, else 0.
    Fire(Surrogate),
}

/// The derivative that stands in for that of a step, `u` from the threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Surrogate {
    /// `1 / (1 + k |u|)^2`.
    FastSigmoid {
        /// Steepness.
        k: f32,
    },
    /// `1 / (pi (1 + (pi u)^2))`.
    Arctangent,
}

impl Default for Surrogate {
    fn default() -> Self {
        Self::FastSigmoid { k: 25.0 }
    }
}

impl Surrogate {
    /// The surrogate derivative at `u`.
    #[inline]
    #[must_use]
    pub fn slope(self, u: f32) -> f32 {
        match self {
            Self::FastSigmoid { k } => {
                let d = 1.0 + k * u.abs();
                1.0 / (d * d)
            }
            Self::Arctangent => {
                let v = std::f32::consts::PI * u;
                std::f32::consts::FRAC_1_PI / (1.0 + v * v)
            }
        }
    }
}

/// `e^x`, relative error below 1e-7; saturates outside [-87, 88].
#[inline]
pub(crate) fn exp(x: f32) -> f32 {
    // Adding 1.5 * 2^23 leaves the rounded integer in the low bits of the mantissa.
    const MAGIC: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + MAGIC;
    let n = shifted - MAGIC;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    let mut p = 1.0 / 5040.0;
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = p * r + c;
    }
    let scale = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    p * scale
}

/// The cumulative normal distribution at `x`, and `e^(-x^2/2)`.
#[inline]
fn normal(x: f32) -> (f32, f32) {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let e = exp(-z * z);
    let poly = t
        * (0.254_829_6
            + t * (-0.284_496_74 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4))));
    let upper = 0.5 * poly * e;
    (if x < 0.0 { upper } else { 1.0 - upper }, e)
}

/// GELU.
#[inline]
pub(crate) fn gelu(x: f32) -> f32 {
    x * normal(x).0
}

/// Derivative of GELU.
#[inline]
pub(crate) fn gelu_slope(x: f32) -> f32 {
    const FRAC_1_SQRT_2PI: f32 = 0.398_942_3;
    let (cdf, e) = normal(x);
    cdf + x * FRAC_1_SQRT_2PI * e
}

/// Mish: with `w = e^x`, `tanh(ln(1 + w)) = w (w + 2) / (w (w + 2) + 2)`.
#[inline]
pub(crate) fn mish(x: f32) -> f32 {
    let w = exp(x.min(20.0));
    let n = w * (w + 2.0);
    x * (n / (n + 2.0))
}

/// Derivative of Mish.
#[inline]
pub(crate) fn mish_slope(x: f32) -> f32 {
    let w = exp(x.min(20.0));
    let n = w * (w + 2.0);
    let t = n / (n + 2.0);
    t + x * (1.0 - t * t) * (w / (1.0 + w))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> impl Iterator<Item = f32> {
        (-3000..=3000).map(|i| i as f32 * 0.01)
    }

    #[test]
    fn exponential_is_accurate() {
        for x in samples() {
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 2e-7, "{x}");
        }
    }

    #[test]
    fn mish_agrees_with_its_definition_and_its_difference_quotient() {
        let exact = |x: f64| x * x.exp().ln_1p().tanh();
        for x in samples() {
            let z = f64::from(x);
            assert!((f64::from(mish(x)) - exact(z)).abs() < 1e-6 * (1.0 + z.abs()), "{x}");
            let quotient = (exact(z + 1e-5) - exact(z - 1e-5)) / 2e-5;
            assert!((f64::from(mish_slope(x)) - quotient).abs() < 2e-6, "{x}");
        }
    }

    #[test]
    fn gelu_slope_is_the_difference_quotient_of_an_integrated_density() {
        // The cumulative normal by the midpoint rule: nothing of erf's series is shared.
        let density = |z: f64| (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let cdf = |z: f64| {
            let h = z / 2000.0;
            0.5 + (0..2000).map(|i| density((f64::from(i) + 0.5) * h) * h).sum::<f64>()
        };
        for i in -60..=60 {
            let z = f64::from(i) * 0.1;
            assert!((f64::from(gelu(z as f32)) - z * cdf(z)).abs() < 1e-6, "{z}");
            let slope = cdf(z) + z * density(z);
            assert!((f64::from(gelu_slope(z as f32)) - slope).abs() < 1e-6, "{z}");
        }
    }

    #[test]
    fn surrogates_peak_at_the_threshold() {
        assert!((Surrogate::default().slope(0.0) - 1.0).abs() < 1e-7);
        assert!((Surrogate::default().slope(-0.04) - 0.25).abs() < 1e-6);
        assert!((Surrogate::Arctangent.slope(0.0) - std::f32::consts::FRAC_1_PI).abs() < 1e-7);
    }
}
