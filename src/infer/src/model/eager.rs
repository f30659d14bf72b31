//! The parts of a pass as the published programs carry them out: one operation, one launch; coordinates,
//! filters and indices made on the host and uploaded on every call.

use burn::module::Param;
use burn::prelude::Tensor;
use burn::tensor::TensorData;
use burn::tensor::module::{conv2d, linear};
use burn::tensor::ops::ConvOptions;

use super::config::Variant;
use super::network::Network;
use super::observer::{Observer, Part, Tap};
use super::spectral;
use super::weights::Linear;
use crate::stack::Stack;
use crate::wavelet::levels::{Pyramid, analyse, synthesise};

/// `n` coordinates from 0 to `range`, computed in f64.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn coordinates(range: f64, n: usize) -> Vec<f32> {
    let step = range / (n.max(2) - 1) as f64;
    (0..n).map(|i| if i + 1 == n { range } else { i as f64 * step } as f32).collect()
}

/// A linear map of the channels at every point, channels last for the product.
pub(super) fn pixelwise<B: Stack>(map: &Linear<B>, v: Tensor<B, 4>) -> Tensor<B, 4> {
    let last = v.permute([0, 2, 3, 1]);
    let out = linear(last, map.weight.val().transpose(), Some(map.bias.val()));
    out.permute([0, 3, 1, 2])
}

/// Grid, lift, padding.
pub(super) fn lift<B: Stack>(
    network: &Network<B>,
    x: Tensor<B, 4>,
    observer: &mut dyn Observer<B>,
) -> Tensor<B, 4> {
    let device = x.device();
    let [batch, _, h, w] = x.dims();
    let [rx, ry] = network.config.grid_range;
    let gx = TensorData::new(coordinates(rx, h), [1, 1, h, 1]);
    let gy = TensorData::new(coordinates(ry, w), [1, 1, 1, w]);
    let [gx, gy] =
        [gx, gy].map(|data| Tensor::<B, 4>::from_data(data, &device).expand([batch, 1, h, w]));
    let input = Tensor::cat(vec![x, gx, gy], 1);
    observer.tap(Tap::LiftIn, &input);
    let v = pixelwise(&network.weights.lift, input);
    observer.tap(Tap::Lift, &v);
    let padding = network.config.padding;
    if padding == 0 { v } else { v.pad((0, padding, 0, padding), 0.0) }
}

/// Wavelet kernel plus 1x1 convolution.
pub(super) fn block<B: Stack>(
    network: &Network<B>,
    v: Tensor<B, 4>,
    i: usize,
    observer: &mut dyn Observer<B>,
) -> Tensor<B, 4> {
    let wave = kernel(network, v.clone(), i, observer);
    observer.tap(Tap::Wave(i), &wave);
    observer.enter(Part::Skip(i));
    let skip = &network.weights.skips[i];
    let weight = skip.weight.val().unsqueeze_dims::<4>(&[2, 3]);
    let options = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
    let out = wave + conv2d(v, weight, Some(skip.bias.val()), options);
    observer.leave();
    out
}

fn kernel<B: Stack>(
    network: &Network<B>,
    v: Tensor<B, 4>,
    i: usize,
    observer: &mut dyn Observer<B>,
) -> Tensor<B, 4> {
    let config = &network.config;
    observer.enter(Part::Dwt(i));
    let Pyramid { approx, mut details } = analyse(v, config.wavelet, network.levels);
    observer.leave();
    observer.enter(Part::Mix(i));
    let weights: Vec<Tensor<B, 4>> =
        network.weights.kernels[i].weights.iter().map(Param::val).collect();
    let per_band = weights.len() / 4;
    let mix = |band: Tensor<B, 4>, k: usize| match &weights[k * per_band..(k + 1) * per_band] {
        [w] => B::mix(band, w.clone()),
        corners => spectral::mix(band, corners),
    };
    let approx = mix(approx, 0);
    let deepest = details.len().saturating_sub(1);
    for (level, bands) in details.iter_mut().enumerate() {
        let [high_h, high_w, both] = bands.clone();
        if level == deepest {
            *bands = [mix(high_h, 1), mix(high_w, 2), mix(both, 3)];
        } else if config.variant != Variant::V1 {
            *bands = [high_h, high_w, both].map(|band| band.zeros_like());
        }
    }
    observer.leave();
    observer.enter(Part::Idwt(i));
    let out = synthesise(Pyramid { approx, details }, config.wavelet);
    observer.leave();
    out
}
