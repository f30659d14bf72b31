//! What would a path cost that really skips what is silent? The matrix form over active parts only: rows of
//! a field in which no neuron fired are left out of the first product, silent channels are left out of every
//! product that runs over channels. The activity is read back to the host for each layer, as any such path
//! must; that read belongs to the request.

use burn::prelude::{Backend, Int, Tensor};
use burn::tensor::TensorData;

use super::fused::{Constants, synthesise};
use super::network::Network;
use super::observer::{Observer, Part, Tap};
use super::weights::Linear;
use crate::stack::Stack;

/// Multiply-adds behind spiking layers: done, and what the same products take without skipping.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Done.
    pub done: u64,
    /// With nothing skipped.
    pub full: u64,
}

impl Work {
    fn products(done: [usize; 3], full: [usize; 3]) -> Self {
        let volume = |dims: [usize; 3]| dims.iter().product::<usize>() as u64;
        Self { done: volume(done), full: volume(full) }
    }
}

impl std::ops::AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        self.done += other.done;
        self.full += other.full;
    }
}

/// Which rows and channels of a field hold anything.
struct Activity {
    channels: Vec<i64>,
    /// Row numbers, counted over active channels: in the whole field, and among the active channels.
    rows: Vec<i64>,
    rows_among_active: Vec<i64>,
}

impl Activity {
    /// Of a field (1, channel, h, w).
    fn of<B: Backend>(v: &Tensor<B, 4>) -> Self {
        let [_, channels, h, _] = v.dims();
        let sums = v.clone().abs().sum_dim(3).into_data().convert::<f32>();
        let sums = sums.into_vec::<f32>().unwrap_or_else(|_| vec![1.0; channels * h]);
        let mut out = Self { channels: vec![], rows: vec![], rows_among_active: vec![] };
        for (c, rows) in sums.chunks_exact(h).enumerate() {
            if rows.iter().all(|&sum| sum == 0.0) {
                continue;
            }
            let before = out.channels.len();
            out.channels.push(c as i64);
            for (r, _) in rows.iter().enumerate().filter(|(_, sum)| **sum != 0.0) {
                out.rows.push((c * h + r) as i64);
                out.rows_among_active.push((before * h + r) as i64);
            }
        }
        out
    }
}

fn indices<B: Backend>(values: &[i64], device: &B::Device) -> Tensor<B, 1, Int> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}

/// Wavelet kernel plus 1x1 convolution over what is active in `v`.
pub(super) fn block<B: Stack>(
    network: &Network<B>,
    constants: &Constants<B>,
    v: Tensor<B, 4>,
    i: usize,
    observer: &mut dyn Observer<B>,
) -> Tensor<B, 4> {
    let [batch, channels, h, w] = v.dims();
    debug_assert_eq!(batch, 1, "activity is that of one field");
    let device = v.device();
    let (m_w, m_h) = (constants.analysis_w.dims()[3], constants.analysis_h.dims()[2]);
    observer.enter(Part::Dwt(i));
    let activity = Activity::of(&v);
    let active = activity.channels.len();
    let skip = &network.weights.skips[i];
    let bias = skip.bias.val().reshape([1, channels, 1, 1]);
    report(observer, &activity, [channels, h, w], [m_h, m_w]);
    if active == 0 {
        observer.leave();
        return bias.expand([1, channels, h, w]);
    }
    let picked = v.clone().reshape([channels * h, w]);
    let picked = picked.select(0, indices::<B>(&activity.rows, &device));
    let products = picked.matmul(constants.analysis_w.clone().reshape([w, m_w]));
    let columns = Tensor::<B, 2>::zeros([active * h, m_w], &device).select_assign(
        0,
        indices::<B>(&activity.rows_among_active, &device),
        products,
        burn::tensor::IndexingUpdateOp::Add,
    );
    let bands = constants.analysis_h.clone().matmul(columns.reshape([1, active, h, m_w]));
    observer.leave();
    observer.enter(Part::Mix(i));
    let mixed = B::mix_active(bands.clone(), network.mixers[i].clone(), &activity.channels);
    observer.leave();
    // Variant v1 takes the bands away again that pass on unchanged: silent channels have none.
    let bands = Tensor::<B, 4>::zeros([1, channels, m_h, m_w], &device).select_assign(
        1,
        indices::<B>(&activity.channels, &device),
        bands,
        burn::tensor::IndexingUpdateOp::Add,
    );
    let wave = synthesise(network, constants, &v, bands, mixed, i, observer);
    observer.tap(Tap::Wave(i), &wave);
    observer.enter(Part::Skip(i));
    let out = wave + channel_product(&skip.weight.val(), v, &activity.channels) + bias;
    observer.leave();
    out
}

/// A linear map of the channels at every point, over channels in which anything fired.
pub(super) fn pixelwise<B: Stack>(
    map: &Linear<B>,
    v: Tensor<B, 4>,
    observer: &mut dyn Observer<B>,
) -> Tensor<B, 4> {
    let [_, channels, h, w] = v.dims();
    let out = map.bias.dims()[0];
    let activity = Activity::of(&v);
    let active = activity.channels.len();
    observer.work(Work::products([out, active, h * w], [out, channels, h * w]));
    let bias = map.bias.val().reshape([1, out, 1, 1]);
    if active == 0 {
        return bias.expand([1, out, h, w]);
    }
    channel_product(&map.weight.val(), v, &activity.channels) + bias
}

fn channel_product<B: Stack>(
    weight: &Tensor<B, 2>,
    v: Tensor<B, 4>,
    channels: &[i64],
) -> Tensor<B, 4> {
    let device = v.device();
    let [_, all, h, w] = v.dims();
    let out = weight.dims()[0];
    let field = v.reshape([all, h * w]);
    let product = if channels.len() == all {
        weight.clone().matmul(field)
    } else {
        let at = indices::<B>(channels, &device);
        weight.clone().select(1, at.clone()).matmul(field.select(0, at))
    };
    product.reshape([1, out, h, w])
}

fn report<B: Stack>(
    observer: &mut dyn Observer<B>,
    activity: &Activity,
    [channels, h, w]: [usize; 3],
    [m_h, m_w]: [usize; 2],
) {
    let (active, rows) = (activity.channels.len(), activity.rows.len());
    observer.work(Work::products([rows, w, m_w], [channels * h, w, m_w]));
    observer.work(Work::products([active * m_h, h, m_w], [channels * m_h, h, m_w]));
    observer.work(Work::products([active, channels, m_h * m_w], [channels, channels, m_h * m_w]));
    observer.work(Work::products([active, channels, h * w], [channels, channels, h * w]));
}
