//! Transforms and the neuron, on their own.

use burn::module::Param;
use burn::prelude::Tensor;
use burn::tensor::TensorData;

use super::{Check, Gather, Job, VerifyError};
use crate::formats::Array;
use crate::formats::safetensors::{self, SafetensorsFile};
use crate::model::config::Activation;
use crate::model::weights::Neuron;
use crate::neuron::Layer;
use crate::stack::{Stack, Surrogate};
use crate::wavelet::Wavelet;
use crate::wavelet::levels::{Pyramid, analyse, synthesise};

struct Source<'a> {
    file: SafetensorsFile,
    job: &'a Job<'a>,
    name: &'static str,
}

impl<'a> Source<'a> {
    fn open(job: &'a Job<'a>, name: &'static str) -> Result<Self, VerifyError> {
        Ok(Self { file: safetensors::read(&job.path(name))?, job, name })
    }

    fn get(&self, tensor: &str) -> Result<&Array<f64>, VerifyError> {
        self.file.tensors.get(tensor).ok_or_else(|| VerifyError::Missing {
            path: self.job.path(self.name),
            tensor: tensor.into(),
        })
    }
}

#[allow(clippy::cast_possible_truncation)]
fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&v| v as f32).collect()
}

fn values<B: Stack>(tensor: Tensor<B, 4>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().into_vec().unwrap_or_default()
}

/// Each wavelet at an odd and an even size: analysis, synthesis with and without details.
pub(super) fn transforms<B: Stack>(
    job: &Job<'_>,
    device: &B::Device,
) -> Result<Vec<Check>, VerifyError> {
    let source = Source::open(job, "dwt")?;
    let mut checks = Vec::new();
    for wavelet in Wavelet::ALL {
        let mut gather = Gather::new(format!("dwt {}", wavelet.name()), job.tolerance);
        for size in ["21x23", "22x18"] {
            let key = format!("{}.{size}", wavelet.name());
            let x = source.get(&format!("{key}.x"))?;
            let shape: [usize; 4] = x.shape.as_slice().try_into().map_err(|_| {
                VerifyError::Missing { path: job.path("dwt"), tensor: format!("{key}.x") }
            })?;
            let field =
                Tensor::<B, 4>::from_data(TensorData::new(narrow(&x.values), shape), device);
            let pyramid = analyse(field, wavelet, 3);
            let expected = source.get(&format!("{key}.approx"))?;
            gather.tensor("approx", &values(pyramid.approx.clone()), &expected.values);
            for (level, bands) in pyramid.details.iter().enumerate() {
                let name = format!("detail{}", level + 1);
                let all: Vec<f32> = bands.iter().cloned().flat_map(values).collect();
                gather.tensor(&name, &all, &source.get(&format!("{key}.{name}"))?.values);
            }
            let zeroed = |bands: &[Tensor<B, 4>; 3]| bands.clone().map(|band| band.zeros_like());
            let silent = Pyramid {
                approx: pyramid.approx.clone(),
                details: pyramid.details.iter().map(zeroed).collect(),
            };
            for (name, pyramid) in [("back", pyramid), ("approx_only_back", silent)] {
                let expected = source.get(&format!("{key}.{name}"))?;
                gather.tensor(name, &values(synthesise(pyramid, wavelet)), &expected.values);
            }
        }
        checks.push(gather.check);
    }
    Ok(checks)
}

/// Six time steps of a neuron layer.
pub(super) fn neuron<B: Stack>(job: &Job<'_>, device: &B::Device) -> Result<Check, VerifyError> {
    let source = Source::open(job, "vsn_neuron")?;
    let mut gather = Gather::new("vsn_neuron".into(), job.tolerance);
    let z = source.get("z")?;
    let [steps, rows, features] = z.shape[..] else {
        return Err(VerifyError::Missing { path: job.path("vsn_neuron"), tensor: "z".into() });
    };
    let tensor = |values: &[f64], rows: usize| {
        Tensor::<B, 4>::from_data(TensorData::new(narrow(values), [1, 1, rows, features]), device)
    };
    let neuron = Neuron::<B> {
        beta: Param::from_tensor(tensor(&source.get("beta")?.values, 1)),
        threshold: Param::from_tensor(tensor(&source.get("threshold")?.values, 1)),
    };
    let step_size = rows * features;
    for (phi, recorded) in [(Activation::Identity, "y_identity"), (Activation::Gelu, "y_gelu")] {
        let mut layer = Layer::new(&neuron, phi, Surrogate::default());
        for step in 0..steps {
            let at = step * step_size..(step + 1) * step_size;
            let firing = layer.step(tensor(&z.values[at.clone()], rows), false);
            gather.spikes(&values(firing.spikes), &source.get("spikes")?.values[at.clone()], 0.0);
            gather.tensor(
                recorded,
                &values(firing.output),
                &source.get(recorded)?.values[at.clone()],
            );
            let membrane = layer.membrane().cloned().map(values).unwrap_or_default();
            let expected = &source.get("mem_after_reset")?.values[at];
            gather.tensor("mem_after_reset", &membrane, expected);
        }
    }
    Ok(gather.check)
}
