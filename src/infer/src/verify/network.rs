//! Whole networks with random weights: every recorded intermediate tensor, every spike.

use std::collections::BTreeMap;

use burn::prelude::Tensor;
use burn::tensor::TensorData;

use super::{Check, Gather, Job, VerifyError};
use crate::checkpoint::Checkpoint;
use crate::model::config::Variant;
use crate::model::{Dispatch, Network, Observer, Tap, Weights};
use crate::paths::PathError;
use crate::stack::Stack;

const FILES: [&str; 6] =
    ["dense_v1", "dense_v2", "dense_v3", "vswno_t1", "vswno_t1_blocks_gelu", "vswno_t4"];

/// The dispatches under which a network runs.
pub(super) fn dispatches(checkpoint: &Checkpoint) -> Vec<Dispatch> {
    let mut out = vec![Dispatch::Eager];
    if checkpoint.config.variant != Variant::V3 {
        out.push(Dispatch::Fused);
    }
    if checkpoint.config.spiking {
        out.push(Dispatch::Sparse);
    }
    out
}

pub(super) fn all<B: Stack>(job: &Job<'_>, device: &B::Device) -> Result<Vec<Check>, VerifyError> {
    let mut checks = Vec::new();
    for name in FILES {
        let checkpoint = Checkpoint::read(&job.path(name))?;
        for dispatch in dispatches(&checkpoint) {
            checks.push(one::<B>(job, name, &checkpoint, dispatch, device)?);
        }
    }
    Ok(checks)
}

/// Everything that passes, by its recorded name and in its recorded layout.
#[derive(Default)]
struct Record {
    taps: BTreeMap<String, Vec<f32>>,
    spikes: BTreeMap<usize, Vec<f32>>,
    head_site: Option<usize>,
}

fn values<B: Stack>(tensor: Tensor<B, 4>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().into_vec().unwrap_or_default()
}

impl<B: Stack> Observer<B> for Record {
    fn tap(&mut self, tap: Tap, value: &Tensor<B, 4>) {
        let last = || value.clone().permute([0, 2, 3, 1]);
        let (name, value) = match tap {
            Tap::LiftIn => ("act.lift_in".into(), last()),
            Tap::Lift => ("act.lift".into(), value.clone()),
            Tap::Wave(i) => (format!("act.block{i}.wave"), value.clone()),
            Tap::Pre(i) => (format!("act.block{i}.pre"), value.clone()),
            Tap::Out(i) => (format!("act.block{i}.out"), value.clone()),
            Tap::HeadPre => ("act.head.pre".into(), last()),
            Tap::HeadOut => ("act.head.out".into(), last()),
        };
        self.taps.insert(name, values(value));
    }

    fn spikes(&mut self, layer: usize, _step: usize, spikes: &Tensor<B, 4>) {
        let spikes = spikes.clone();
        let spikes =
            if self.head_site == Some(layer) { spikes.permute([0, 2, 3, 1]) } else { spikes };
        self.spikes.entry(layer).or_default().extend(values(spikes));
    }
}

fn one<B: Stack>(
    job: &Job<'_>,
    name: &str,
    file: &Checkpoint,
    dispatch: Dispatch,
    device: &B::Device,
) -> Result<Check, VerifyError> {
    let missing =
        |tensor: &str| VerifyError::Missing { path: job.path(name), tensor: tensor.into() };
    let recorded = |tensor: &str| file.extra.get(tensor).ok_or_else(|| missing(tensor));
    let x = recorded("in.x")?;
    let shape: [usize; 4] = x.shape.as_slice().try_into().map_err(|_| missing("in.x"))?;
    #[allow(clippy::cast_possible_truncation)]
    let input: Vec<f32> = x.values.iter().map(|&v| v as f32).collect();
    let weights =
        Weights::<B>::from_arrays(&file.arrays, &file.config, device).map_err(PathError::from)?;
    let network =
        Network::new(file.config.clone(), weights, dispatch, [shape[1], shape[2]], device)
            .map_err(PathError::from)?;
    let mut record = Record { head_site: file.config.head_site(), ..Record::default() };
    let y = network.forward(Tensor::from_data(TensorData::new(input, shape), device), &mut record);
    let mut gather = Gather::new(format!("{name} {}", dispatch.name()), job.tolerance);
    gather.tensor("out.y", &values(y), &recorded("out.y")?.values);
    for (tap, expected) in file.extra.iter().filter(|(tap, _)| tap.starts_with("act.")) {
        let found = record.taps.get(tap).ok_or_else(|| missing(tap))?;
        gather.tensor(tap, found, &expected.values);
    }
    for layer in 0..file.config.spiking_layers() {
        let found = record.spikes.get(&layer).map(Vec::as_slice).unwrap_or_default();
        gather.spikes(found, &recorded(&format!("out.spikes.{layer}"))?.values, 0.0);
    }
    Ok(gather.check)
}
