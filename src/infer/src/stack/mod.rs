//! What does a network need from a tensor stack beyond burn's operations? Activations with exact
//! derivatives, the firing step with a surrogate derivative, and the per-position channel mixing of a
//! wavelet kernel. Each has a definition in burn's own operations, which every stack runs; the CPU stack
//! has single-pass kernels for them, because erf and one-row products dominate there.

mod autodiff;
mod choice;
mod generic;
mod ndarray;
mod pointwise;

use burn::prelude::{Backend, Tensor};

pub use choice::{Choice, Device, StackError, StackName};
pub(crate) use choice::{OnStack, on_stack};
pub use pointwise::{Pointwise, Surrogate};

/// A burn backend that can run the networks.
pub trait Stack: Backend {
    /// Name in the sidecar document.
    const NAME: &'static str;

    /// Whether kernel weights that are used again and again are laid out position by position, so that
    /// the batched product needs no copy; the stacks with strided tensors want that.
    const POSITION_MAJOR: bool = true;

    /// Applies `op` to each element.
    fn pointwise(op: Pointwise, x: Tensor<Self, 4>) -> Tensor<Self, 4> {
        generic::value(op, x)
    }

    /// `grad` times the derivative of `op` at `x` (for a firing step: its surrogate).
    fn pointwise_backward(
        op: Pointwise,
        x: Tensor<Self, 4>,
        grad: Tensor<Self, 4>,
    ) -> Tensor<Self, 4> {
        generic::slope(op, x) * grad
    }

    /// `out[b,o,x,y] = sum_i x[b,i,x,y] * w[i,o,x,y]`: channels mixed, position by position.
    fn mix(x: Tensor<Self, 4>, w: Tensor<Self, 4>) -> Tensor<Self, 4> {
        generic::mix(x, w)
    }

    /// [`Stack::mix`] where `x` holds the input channels numbered `active` only.
    fn mix_active(x: Tensor<Self, 4>, w: Tensor<Self, 4>, active: &[i64]) -> Tensor<Self, 4> {
        generic::mix_active(x, w, active)
    }
}

#[cfg(feature = "tch")]
impl Stack for burn::backend::LibTorch {
    const NAME: &'static str = "burn-tch";
}

#[cfg(feature = "cuda")]
impl Stack for burn::backend::Cuda {
    const NAME: &'static str = "burn-cuda";
}
