//! The parts of a pass in matrix form: everything that depends only on sizes or weights is computed once.
//!
//! The multi-level transform of an axis is one matrix (see [`crate::wavelet::matrix`]), so that all four
//! deepest bands of a block are the quadrants of `Q = A_h v A_w^T`:
//!
//! ```text
//!          lo W        hi W
//! lo H   approx      detail 1            out = S_h mix(Q) S_w^T                 (v2: finer details are zero)
//! hi H   detail 0    detail 2            out = v + S_h (mix(Q) - Q) S_w^T       (v1: they pass unchanged)
//! ```
//!
//! The second line holds because the transform is linear and inverted exactly: only the deepest bands change.

use burn::prelude::{Backend, Tensor};
use burn::tensor::TensorData;

use super::config::{ModelConfig, Variant};
use super::eager::coordinates;
use super::network::Network;
use super::observer::{Observer, Part, Tap};
use super::weights::{Linear, Weights};
use crate::stack::Stack;
use crate::wavelet::matrix::{Matrix, analysis, synthesis};

/// What depends on sizes alone.
#[derive(Debug, Clone)]
pub(super) struct Constants<B: Backend> {
    /// (1, 1, 2 m_h, h).
    pub(super) analysis_h: Tensor<B, 4>,
    /// (1, 1, w, 2 m_w).
    pub(super) analysis_w: Tensor<B, 4>,
    /// (1, 1, h, 2 m_h).
    pub(super) synthesis_h: Tensor<B, 4>,
    /// (1, 1, 2 m_w, w).
    pub(super) synthesis_w: Tensor<B, 4>,
    /// (1, 2, h, w) without padding.
    grid: Tensor<B, 4>,
}

impl<B: Backend> Constants<B> {
    pub(super) fn new(
        config: &ModelConfig,
        levels: usize,
        field: [usize; 2],
        device: &B::Device,
    ) -> Self {
        let [h, w] = field.map(|n| n + config.padding);
        let wavelet = config.wavelet;
        let [x, y] = [0, 1].map(|axis| coordinates(config.grid_range[axis], field[axis]));
        let mut grid: Vec<f32> = x.iter().flat_map(|&x| std::iter::repeat_n(x, y.len())).collect();
        for _ in &x {
            grid.extend(&y);
        }
        Self {
            analysis_h: constant(&analysis(wavelet, levels, h), device),
            analysis_w: constant(&analysis(wavelet, levels, w).transposed(), device),
            synthesis_h: constant(&synthesis(wavelet, levels, h), device),
            synthesis_w: constant(&synthesis(wavelet, levels, w).transposed(), device),
            grid: Tensor::from_data(TensorData::new(grid, [1, 2, field[0], field[1]]), device),
        }
    }
}

#[allow(clippy::cast_possible_truncation)]
fn constant<B: Backend>(matrix: &Matrix, device: &B::Device) -> Tensor<B, 4> {
    let values: Vec<f32> = matrix.values.iter().map(|&v| v as f32).collect();
    Tensor::from_data(TensorData::new(values, [1, 1, matrix.rows, matrix.cols]), device)
}

/// The kernels' weights with their bands arranged as quadrants: (in, out, 2 m_h, 2 m_w).
pub(super) fn mixers<B: Stack>(weights: &Weights<B>) -> Vec<Tensor<B, 4>> {
    weights
        .kernels
        .iter()
        .map(|kernel| {
            let band = |k: usize| kernel.weights[k].val();
            let low = Tensor::cat(vec![band(0), band(2)], 3);
            let high = Tensor::cat(vec![band(1), band(3)], 3);
            let all = Tensor::cat(vec![low, high], 2);
            if B::POSITION_MAJOR { position_major(all) } else { all }
        })
        .collect()
}

/// The same tensor, laid out in memory position by position.
fn position_major<B: Backend>(w: Tensor<B, 4>) -> Tensor<B, 4> {
    let device = w.device();
    let data = w.permute([2, 3, 0, 1]).into_data();
    Tensor::<B, 4>::from_data(data, &device).permute([2, 3, 0, 1])
}

/// A linear map of the channels at every point.
pub(super) fn pixelwise<B: Stack>(map: &Linear<B>, v: Tensor<B, 4>) -> Tensor<B, 4> {
    let [batch, channels, h, w] = v.dims();
    let out = map.bias.dims()[0];
    let product = map.weight.val().unsqueeze::<3>().matmul(v.reshape([batch, channels, h * w]));
    let sum = product + map.bias.val().reshape([1, out, 1]);
    sum.reshape([batch, out, h, w])
}

/// Grid, lift, padding.
pub(super) fn lift<B: Stack>(
    network: &Network<B>,
    constants: &Constants<B>,
    x: Tensor<B, 4>,
    observer: &mut dyn Observer<B>,
) -> Tensor<B, 4> {
    let [batch, _, h, w] = x.dims();
    let input = Tensor::cat(vec![x, constants.grid.clone().expand([batch, 2, h, w])], 1);
    observer.tap(Tap::LiftIn, &input);
    let v = pixelwise(&network.weights.lift, input);
    observer.tap(Tap::Lift, &v);
    let padding = network.config.padding;
    if padding == 0 { v } else { v.pad((0, padding, 0, padding), 0.0) }
}

/// `v` (batch, channel, h, n) times a constant (1, 1, n, m), as one product over all rows.
pub(super) fn times_rows<B: Stack>(v: Tensor<B, 4>, matrix: &Tensor<B, 4>) -> Tensor<B, 4> {
    let [batch, channels, h, n] = v.dims();
    let m = matrix.dims()[3];
    let rows = v.reshape([batch * channels * h, n]);
    rows.matmul(matrix.clone().reshape([n, m])).reshape([batch, channels, h, m])
}

/// Wavelet kernel plus 1x1 convolution.
pub(super) fn block<B: Stack>(
    network: &Network<B>,
    constants: &Constants<B>,
    v: Tensor<B, 4>,
    i: usize,
    observer: &mut dyn Observer<B>,
) -> Tensor<B, 4> {
    observer.enter(Part::Dwt(i));
    let bands = constants.analysis_h.clone().matmul(times_rows(v.clone(), &constants.analysis_w));
    observer.leave();
    observer.enter(Part::Mix(i));
    let mixed = B::mix(bands.clone(), network.mixers[i].clone());
    observer.leave();
    let wave = synthesise(network, constants, &v, bands, mixed, i, observer);
    observer.tap(Tap::Wave(i), &wave);
    observer.enter(Part::Skip(i));
    let out = wave + pixelwise(&network.weights.skips[i], v);
    observer.leave();
    out
}

/// The way back from mixed bands.
pub(super) fn synthesise<B: Stack>(
    network: &Network<B>,
    constants: &Constants<B>,
    v: &Tensor<B, 4>,
    bands: Tensor<B, 4>,
    mixed: Tensor<B, 4>,
    i: usize,
    observer: &mut dyn Observer<B>,
) -> Tensor<B, 4> {
    observer.enter(Part::Idwt(i));
    let keeps_finer = network.config.variant == Variant::V1;
    let inner = if keeps_finer { mixed - bands } else { mixed };
    let columns = constants.synthesis_h.clone().matmul(inner);
    let mut wave = times_rows(columns, &constants.synthesis_w);
    if keeps_finer {
        wave = wave + v.clone();
    }
    observer.leave();
    wave
}
