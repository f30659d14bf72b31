//! The transform level by level, as the published programs run it: an index gather for the extension and a
//! grouped strided convolution for each axis and level; grouped transposed convolutions on the way back.
//! Filters and indices are made on the host and uploaded on every call, as there: that is what a request
//! of the study pays for, so nothing is kept between calls.
//!
//! Fields are (batch, channel, height, width). A level analyses the width, then the height; details of a
//! level are `[high H, high W, high both]`.

use burn::prelude::{Backend, Int, Tensor};
use burn::tensor::TensorData;
use burn::tensor::module::{conv_transpose2d, conv2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};

use super::{Wavelet, fold};

/// A field (batch, channel, height, width).
type Field<B> = Tensor<B, 4>;

/// The transform of a field: the deepest approximation and the details of each level, finest first.
#[derive(Debug, Clone)]
pub struct Pyramid<B: Backend> {
    /// Deepest approximation.
    pub approx: Field<B>,
    /// Details, finest level first: high along the height, along the width, along both.
    pub details: Vec<[Field<B>; 3]>,
}

/// Axis of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Height = 2,
    Width = 3,
}

impl Axis {
    /// A pair (height, width) with `value` on this axis and `other` on the other.
    fn pair(self, value: usize, other: usize) -> [usize; 2] {
        if self == Self::Height { [value, other] } else { [other, value] }
    }
}

/// Analyses a field through `levels` levels.
pub fn analyse<B: Backend>(x: Field<B>, wavelet: Wavelet, levels: usize) -> Pyramid<B> {
    let mut approx = x;
    let mut details = Vec::with_capacity(levels);
    for _ in 0..levels {
        let [low, high] = analyse_axis(approx, wavelet, Axis::Width);
        let [low_low, low_high] = analyse_axis(low, wavelet, Axis::Height);
        let [high_low, high_high] = analyse_axis(high, wavelet, Axis::Height);
        details.push([low_high, high_low, high_high]);
        approx = low_low;
    }
    Pyramid { approx, details }
}

/// Synthesises a field from its transform.
pub fn synthesise<B: Backend>(pyramid: Pyramid<B>, wavelet: Wavelet) -> Field<B> {
    let mut approx = pyramid.approx;
    for [high_h, high_w, high_both] in pyramid.details.into_iter().rev() {
        let [b, c, h, w] = high_h.dims();
        // An odd size came back one longer: its surplus row or column goes.
        if approx.dims() != [b, c, h, w] {
            approx = approx.slice([0..b, 0..c, 0..h, 0..w]);
        }
        let low = synthesise_axis(approx, high_h, wavelet, Axis::Height);
        let high = synthesise_axis(high_w, high_both, wavelet, Axis::Height);
        approx = synthesise_axis(low, high, wavelet, Axis::Width);
    }
    approx
}

fn analyse_axis<B: Backend>(x: Field<B>, wavelet: Wavelet, axis: Axis) -> [Field<B>; 2] {
    let device = x.device();
    let [batch, channels, ..] = x.dims();
    let n = x.dims()[axis as usize];
    let (taps, m) = (wavelet.taps(), wavelet.analysed(n));
    // Window k of the extension holds samples 2k + 2 - L ..= 2k + 1.
    let reach = taps.cast_signed() - 2;
    let indices: Vec<i64> = (-reach..2 * m.cast_signed()).map(|i| fold(i, n) as i64).collect();
    let count = indices.len();
    let indices = Tensor::<B, 1, Int>::from_data(TensorData::new(indices, [count]), &device);
    let extended = x.select(axis as usize, indices);
    let low = upload(wavelet.dec_lo().iter().rev(), axis, &device);
    let high = upload(wavelet.dec_hi().iter().rev(), axis, &device);
    let filters = Tensor::cat(vec![low, high], 0).repeat_dim(0, channels);
    let options = ConvOptions::new(axis.pair(2, 1), [0, 0], [1, 1], channels);
    let both = conv2d(extended, filters, None, options);
    let [_, _, h, w] = both.dims();
    let both = both.reshape([batch, channels, 2, h * w]);
    [0, 1].map(|band| both.clone().narrow(2, band, 1).reshape([batch, channels, h, w]))
}

fn synthesise_axis<B: Backend>(
    low: Field<B>,
    high: Field<B>,
    wavelet: Wavelet,
    axis: Axis,
) -> Field<B> {
    let device = low.device();
    let channels = low.dims()[1];
    let [low, high] = [(low, wavelet.rec_lo()), (high, wavelet.rec_hi())].map(|(band, filter)| {
        let filters = upload(filter.iter(), axis, &device).repeat_dim(0, channels);
        let options = ConvTransposeOptions::new(
            axis.pair(2, 1),
            axis.pair(wavelet.taps() - 2, 0),
            [0, 0],
            [1, 1],
            channels,
        );
        conv_transpose2d(band, filters, None, options)
    });
    low + high
}

#[allow(clippy::cast_possible_truncation)]
fn upload<'a, B: Backend>(
    taps: impl Iterator<Item = &'a f64>,
    axis: Axis,
    device: &B::Device,
) -> Tensor<B, 4> {
    let values: Vec<f32> = taps.map(|&v| v as f32).collect();
    let [h, w] = axis.pair(values.len(), 1);
    Tensor::from_data(TensorData::new(values, [1, 1, h, w]), device)
}
