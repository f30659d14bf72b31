//! The CPU stack: single passes over memory where burn's own operations would take several.

use burn::backend::NdArray;
use burn::prelude::Tensor;
use burn::tensor::{TensorData, TensorPrimitive};
use burn_ndarray::NdArrayTensor;

use super::pointwise::{gelu, gelu_slope, mish, mish_slope};
use super::{Pointwise, Stack, generic};

impl Stack for NdArray {
    const NAME: &'static str = "burn-ndarray";
    const POSITION_MAJOR: bool = false;

    fn pointwise(op: Pointwise, x: Tensor<Self, 4>) -> Tensor<Self, 4> {
        match op {
            Pointwise::Gelu => map(x, gelu),
            Pointwise::Mish => map(x, mish),
            Pointwise::Fire(_) => map(x, |u| if u > 0.0 { 1.0 } else { 0.0 }),
        }
    }

    fn pointwise_backward(
        op: Pointwise,
        x: Tensor<Self, 4>,
        grad: Tensor<Self, 4>,
    ) -> Tensor<Self, 4> {
        let slope = match op {
            Pointwise::Gelu => map(x, gelu_slope),
            Pointwise::Mish => map(x, mish_slope),
            Pointwise::Fire(surrogate) => map(x, move |u| surrogate.slope(u)),
        };
        slope * grad
    }

    fn mix(x: Tensor<Self, 4>, w: Tensor<Self, 4>) -> Tensor<Self, 4> {
        let all: Vec<i64> = (0..w.dims()[0] as i64).collect();
        Self::mix_active(x, w, &all)
    }

    fn mix_active(x: Tensor<Self, 4>, w: Tensor<Self, 4>, active: &[i64]) -> Tensor<Self, 4> {
        let device = x.device();
        let [batch, _, h, v] = x.dims();
        let outputs = w.dims()[1];
        let (x, w) = (primitive(x), primitive(w));
        let (NdArrayTensor::F32(xs), NdArrayTensor::F32(ws)) = (&x, &w) else {
            return generic::mix_active(tensor(x), tensor(w), active);
        };
        let (xv, wv) = (xs.view(), ws.view());
        let (xc, wc) = (xv.as_standard_layout(), wv.as_standard_layout());
        let (Some(xa), Some(wa)) = (xc.as_slice(), wc.as_slice()) else {
            return generic::mix_active(tensor(x.clone()), tensor(w.clone()), active);
        };
        let out = mix_rows(xa, wa, active, [batch, outputs, h * v]);
        Tensor::from_data(TensorData::new(out, [batch, outputs, h, v]), &device)
    }
}

/// Positions lie along rows in the published layout (in, out, x, y), so that the product is a sum of
/// rows times rows and every weight is read once for each field, in the order of memory; weights of
/// channels that are not active are never read.
fn mix_rows(
    x: &[f32],
    w: &[f32],
    active: &[i64],
    [batch, outputs, positions]: [usize; 3],
) -> Vec<f32> {
    let mut out = vec![0.0f32; batch * outputs * positions];
    let per_input = outputs * positions;
    for (x, out) in x.chunks_exact(active.len() * positions).zip(out.chunks_exact_mut(per_input)) {
        for (x, &input) in x.chunks_exact(positions).zip(active) {
            let from = input.cast_unsigned() as usize * per_input;
            let w = &w[from..from + per_input];
            for (w, out) in w.chunks_exact(positions).zip(out.chunks_exact_mut(positions)) {
                for ((out, x), w) in out.iter_mut().zip(x).zip(w) {
                    *out += x * w;
                }
            }
        }
    }
    out
}

fn primitive(x: Tensor<NdArray, 4>) -> NdArrayTensor {
    x.into_primitive().tensor()
}

fn tensor(x: NdArrayTensor) -> Tensor<NdArray, 4> {
    Tensor::from_primitive(TensorPrimitive::Float(x))
}

/// One pass; in place where nobody else holds the tensor.
fn map(x: Tensor<NdArray, 4>, f: impl Fn(f32) -> f32) -> Tensor<NdArray, 4> {
    match primitive(x) {
        NdArrayTensor::F32(storage) => {
            let mut array = storage.into_owned();
            match array.as_slice_memory_order_mut() {
                Some(values) => values.iter_mut().for_each(|v| *v = f(*v)),
                None => array.mapv_inplace(f),
            }
            tensor(array.into())
        }
        other => tensor(other),
    }
}
