//! The definitions in burn's own operations, for every stack without kernels of its own.

use burn::prelude::{Backend, Int, Tensor};
use burn::tensor::{TensorData, activation};

use super::{Pointwise, Surrogate};

/// `op` on each element.
pub(super) fn value<B: Backend>(op: Pointwise, x: Tensor<B, 4>) -> Tensor<B, 4> {
    match op {
        Pointwise::Gelu => activation::gelu(x),
        Pointwise::Mish => x.clone() * softplus(x).tanh(),
        Pointwise::Fire(_) => x.greater_elem(0.0).float(),
    }
}

/// The derivative of `op` at each element.
pub(super) fn slope<B: Backend>(op: Pointwise, x: Tensor<B, 4>) -> Tensor<B, 4> {
    match op {
        Pointwise::Gelu => {
            let density = (x.clone().powi_scalar(2) * -0.5).exp() * 0.398_942_280_401_432_7;
            let cdf = (x.clone() * std::f64::consts::FRAC_1_SQRT_2).erf() * 0.5 + 0.5;
            cdf + x * density
        }
        Pointwise::Mish => {
            let t = softplus(x.clone()).tanh();
            let sigmoid = activation::sigmoid(x.clone());
            let inner = (t.clone().powi_scalar(2) * -1.0 + 1.0) * sigmoid;
            t + x * inner
        }
        Pointwise::Fire(Surrogate::FastSigmoid { k }) => (x.abs() * k + 1.0).powi_scalar(2).recip(),
        Pointwise::Fire(Surrogate::Arctangent) => {
            let pi = std::f64::consts::PI;
            ((x * pi).powi_scalar(2) + 1.0).recip() / pi
        }
    }
}

/// `ln(1 + e^x)`, which is `x` itself in single precision from 20 on.
fn softplus<B: Backend>(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let large = x.clone().greater_elem(20.0);
    let soft = x.clone().clamp_max(20.0).exp().log1p();
    soft.mask_where(large, x)
}

/// One (batch x in)(in x out) product for each position.
pub(super) fn mix<B: Backend>(x: Tensor<B, 4>, w: Tensor<B, 4>) -> Tensor<B, 4> {
    let [batch, inputs, h, v] = x.dims();
    let outputs = w.dims()[1];
    let x = x.permute([2, 3, 0, 1]).reshape([h * v, batch, inputs]);
    let w = w.permute([2, 3, 0, 1]).reshape([h * v, inputs, outputs]);
    x.matmul(w).reshape([h, v, batch, outputs]).permute([2, 3, 0, 1])
}

/// The same over the input channels numbered `active`, which are all that `x` holds.
pub(super) fn mix_active<B: Backend>(
    x: Tensor<B, 4>,
    w: Tensor<B, 4>,
    active: &[i64],
) -> Tensor<B, 4> {
    if active.len() == w.dims()[0] {
        return mix(x, w);
    }
    let at = TensorData::new(active.to_vec(), [active.len()]);
    let at = Tensor::<B, 1, Int>::from_data(at, &x.device());
    mix(x, w.select(0, at))
}
