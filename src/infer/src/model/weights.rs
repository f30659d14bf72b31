//! The parameters of a network and their names in a checkpoint.
//!
//! Kernel weights are (in, out, x, y): the input channel comes first, unlike in linear and convolution
//! weights. Complex kernels (v3) have a trailing axis of two in the file and are kept as a real and an
//! imaginary tensor. Leaks and thresholds may be a scalar, one value for each channel, or one for each
//! neuron.

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::prelude::{Backend, Tensor};
use burn::tensor::TensorData;

use super::config::{ModelConfig, Variant};
use crate::formats::Array;

/// Named arrays of a checkpoint, without the `param.` prefix.
pub type Arrays = BTreeMap<String, Array>;

/// Why named arrays are not the weights of a configuration.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WeightsError {
    /// A parameter is missing.
    #[error("no parameter `{0}`: the checkpoint does not belong to this configuration")]
    Missing(String),
    /// A parameter has a shape the configuration does not have.
    #[error("parameter `{name}` has shape {found:?}; the configuration says {expected}")]
    Shape {
        /// Parameter.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// What would fit.
        expected: String,
    },
    /// A graded spike factor other than 1.
    #[error("parameter `{0}` is not 1: scaled spikes are not supported")]
    Graded(String),
}

/// Weight and bias of a linear map or 1x1 convolution.
#[derive(Module, Debug)]
pub struct Linear<B: Backend> {
    /// (out, in).
    pub weight: Param<Tensor<B, 2>>,
    /// (out).
    pub bias: Param<Tensor<B, 1>>,
}

/// Weights of one wavelet kernel: four bands for v1 and v2; for v3 real and imaginary parts of two mode
/// corners of four bands.
#[derive(Module, Debug)]
pub struct Kernel<B: Backend> {
    /// (in, out, x, y) each.
    pub weights: Vec<Param<Tensor<B, 4>>>,
}

/// Leak and threshold of a neuron layer, in shapes that broadcast against (batch, channel, h, w).
#[derive(Module, Debug)]
pub struct Neuron<B: Backend> {
    /// Leak, clamped to 0..1 where it is used.
    pub beta: Param<Tensor<B, 4>>,
    /// Threshold.
    pub threshold: Param<Tensor<B, 4>>,
}

/// All parameters of a network.
#[derive(Module, Debug)]
pub struct Weights<B: Backend> {
    /// `fc0`.
    pub lift: Linear<B>,
    /// One kernel for each block.
    pub kernels: Vec<Kernel<B>>,
    /// One 1x1 convolution for each block.
    pub skips: Vec<Linear<B>>,
    /// `fc1`.
    pub head: Linear<B>,
    /// `fc2`.
    pub out: Linear<B>,
    /// Neuron layers; none in a dense network.
    pub neurons: Vec<Neuron<B>>,
}

/// Prefixes of block `i`'s kernel and 1x1 convolution.
#[must_use]
pub fn block_names(variant: Variant, i: usize) -> (String, String) {
    match variant {
        Variant::V1 => (format!("conv{i}."), format!("w{i}.")),
        Variant::V2 | Variant::V3 => (format!("conv.{i}."), format!("w.{i}.")),
    }
}

/// Names of a kernel's arrays, after the block's prefix.
#[must_use]
pub fn kernel_names(variant: Variant) -> &'static [&'static str] {
    match variant {
        Variant::V1 | Variant::V2 => &["weights1", "weights2", "weights3", "weights4"],
        Variant::V3 => &[
            "weights_a1",
            "weights_a2",
            "weights_h1",
            "weights_h2",
            "weights_v1",
            "weights_v2",
            "weights_d1",
            "weights_d2",
        ],
    }
}

/// Number of parameters of a configuration, complex ones counted twice.
#[must_use]
pub fn parameter_count(config: &ModelConfig) -> usize {
    let (c, m) = (config.width, config.head);
    let kernel: usize = match config.variant {
        Variant::V1 | Variant::V2 => 4 * c * c * config.kernel_size().iter().product::<usize>(),
        Variant::V3 => 16 * c * c * config.modes().pow(2),
    };
    let blocks = config.layers * (kernel + c * c + c);
    let neurons: usize = (0..config.spiking_layers())
        .map(|i| if config.head_site() == Some(i) { 2 * m } else { 2 * c })
        .sum();
    4 * c + blocks + (c + 1) * m + m + 1 + neurons
}

impl<B: Backend> Weights<B> {
    /// Reads the weights of `config` from named arrays.
    ///
    /// # Errors
    /// When a parameter is missing or has another shape.
    pub fn from_arrays(
        arrays: &Arrays,
        config: &ModelConfig,
        device: &B::Device,
    ) -> Result<Self, WeightsError> {
        let source = Source { arrays, config, device };
        let (c, m) = (config.width, config.head);
        let mut kernels = Vec::new();
        let mut skips = Vec::new();
        for i in 0..config.layers {
            let (kernel, skip) = block_names(config.variant, i);
            kernels.push(source.kernel(&kernel)?);
            skips.push(source.linear(&skip, c, c)?);
        }
        let neurons = (0..config.spiking_layers())
            .map(|i| {
                let in_head = config.head_site() == Some(i);
                source.neuron(&format!("vsn.{i}."), if in_head { m } else { c }, in_head)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            lift: source.linear("fc0.", c, 3)?,
            kernels,
            skips,
            head: source.linear("fc1.", m, c)?,
            out: source.linear("fc2.", 1, m)?,
            neurons,
        })
    }

    /// The weights as named arrays, in the published shapes.
    #[must_use]
    pub fn to_arrays(&self, config: &ModelConfig) -> Arrays {
        let mut out = Arrays::new();
        put_linear(&mut out, "fc0.", &self.lift, &[]);
        put_linear(&mut out, "fc1.", &self.head, &[]);
        put_linear(&mut out, "fc2.", &self.out, &[]);
        for (i, (kernel, skip)) in self.kernels.iter().zip(&self.skips).enumerate() {
            let (kernel_prefix, skip_prefix) = block_names(config.variant, i);
            put_linear(&mut out, &skip_prefix, skip, &[1, 1]);
            put_kernel(&mut out, &kernel_prefix, kernel, config.variant);
        }
        for (i, neuron) in self.neurons.iter().enumerate() {
            for (name, param) in [("beta", &neuron.beta), ("threshold", &neuron.threshold)] {
                let mut array = read(param.val());
                if array.shape[2..] == [1, 1] {
                    array.shape = vec![array.values.len()];
                }
                out.insert(format!("vsn.{i}.{name}"), array);
            }
        }
        out
    }
}

struct Source<'a, B: Backend> {
    arrays: &'a Arrays,
    config: &'a ModelConfig,
    device: &'a B::Device,
}

impl<B: Backend> Source<'_, B> {
    fn get(&self, name: &str) -> Result<&Array, WeightsError> {
        self.arrays.get(name).ok_or_else(|| WeightsError::Missing(name.into()))
    }

    fn shaped<const D: usize>(
        &self,
        name: &str,
        accepted: &[&[usize]],
        shape: [usize; D],
    ) -> Result<Param<Tensor<B, D>>, WeightsError> {
        let array = self.get(name)?;
        if !accepted.contains(&array.shape.as_slice()) {
            return Err(WeightsError::Shape {
                name: name.into(),
                found: array.shape.clone(),
                expected: format!("{:?}", accepted[0]),
            });
        }
        Ok(self.param(array.values.clone(), shape))
    }

    fn param<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Param<Tensor<B, D>> {
        Param::from_data(TensorData::new(values, shape), self.device)
    }

    fn linear(&self, prefix: &str, out: usize, inputs: usize) -> Result<Linear<B>, WeightsError> {
        let weight = format!("{prefix}weight");
        let shapes: [&[usize]; 2] = [&[out, inputs], &[out, inputs, 1, 1]];
        Ok(Linear {
            weight: self.shaped(&weight, &shapes, [out, inputs])?,
            bias: self.shaped(&format!("{prefix}bias"), &[&[out]], [out])?,
        })
    }

    fn kernel(&self, prefix: &str) -> Result<Kernel<B>, WeightsError> {
        let c = self.config.width;
        let [x, y] = self.config.kernel_size();
        let e = self.config.modes();
        let mut weights = Vec::new();
        for name in kernel_names(self.config.variant) {
            let name = format!("{prefix}{name}");
            if self.config.variant != Variant::V3 {
                weights.push(self.shaped(&name, &[&[c, c, x, y]], [c, c, x, y])?);
                continue;
            }
            let _: Param<Tensor<B, 5>> =
                self.shaped(&name, &[&[c, c, e, e, 2]], [c, c, e, e, 2])?;
            let pairs = self.get(&name)?.values.as_chunks::<2>().0;
            for part in 0..2 {
                let values = pairs.iter().map(|pair| pair[part]).collect();
                weights.push(self.param(values, [c, c, e, e]));
            }
        }
        Ok(Kernel { weights })
    }

    fn neuron(
        &self,
        prefix: &str,
        features: usize,
        in_head: bool,
    ) -> Result<Neuron<B>, WeightsError> {
        let factor = format!("{prefix}graded_spikes_factor");
        if self.arrays.get(&factor).is_some_and(|a| a.values.iter().any(|&v| v != 1.0)) {
            return Err(WeightsError::Graded(factor));
        }
        Ok(Neuron {
            beta: self.per_neuron(&format!("{prefix}beta"), features, in_head)?,
            threshold: self.per_neuron(&format!("{prefix}threshold"), features, in_head)?,
        })
    }

    /// Accepts a scalar, (1), (F), (F,1,1), (1,F,1,1) and one value for each neuron: (F,h,w), or (h,w,F)
    /// in the head, whose fields have their channels last in the published layout.
    fn per_neuron(
        &self,
        name: &str,
        features: usize,
        in_head: bool,
    ) -> Result<Param<Tensor<B, 4>>, WeightsError> {
        let array = self.get(name)?;
        let padding = if in_head { 0 } else { self.config.padding };
        let [h, w] = self.config.size.map(|n| n + padding);
        let values = array.values.clone();
        match array.shape.as_slice() {
            [] | [1] => Ok(self.param(values, [1, 1, 1, 1])),
            s if s == [features] || s == [features, 1, 1] || s == [1, features, 1, 1] => {
                Ok(self.param(values, [1, features, 1, 1]))
            }
            s if !in_head && s == [features, h, w] => Ok(self.param(values, [1, features, h, w])),
            s if in_head && s == [h, w, features] => {
                let last = Tensor::<B, 4>::from_data(
                    TensorData::new(values, [1, h, w, features]),
                    self.device,
                );
                Ok(Param::from_tensor(last.permute([0, 3, 1, 2])))
            }
            found => Err(WeightsError::Shape {
                name: name.into(),
                found: found.to_vec(),
                expected: format!("a scalar, [{features}] or one value for each neuron"),
            }),
        }
    }
}

fn read<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Array {
    let shape = tensor.dims().to_vec();
    // Every stack of this package computes in f32; the conversion only widens what it can.
    let values = tensor.into_data().convert::<f32>().into_vec().unwrap_or_default();
    Array { shape, values }
}

fn put_linear<B: Backend>(out: &mut Arrays, prefix: &str, linear: &Linear<B>, more: &[usize]) {
    let mut weight = read(linear.weight.val());
    if prefix.starts_with('w') {
        weight.shape.extend(more);
    }
    out.insert(format!("{prefix}weight"), weight);
    out.insert(format!("{prefix}bias"), read(linear.bias.val()));
}

fn put_kernel<B: Backend>(out: &mut Arrays, prefix: &str, kernel: &Kernel<B>, variant: Variant) {
    let names = kernel_names(variant);
    let parts = kernel.weights.len() / names.len();
    for (name, parameters) in names.iter().zip(kernel.weights.chunks(parts)) {
        let arrays: Vec<Array> = parameters.iter().map(|p| read(p.val())).collect();
        let array = match arrays.as_slice() {
            [re, im] => {
                let values = re.values.iter().zip(&im.values).flat_map(|(&r, &i)| [r, i]);
                let mut shape = re.shape.clone();
                shape.push(2);
                Array { shape, values: values.collect() }
            }
            _ => arrays.into_iter().next().unwrap_or(Array { shape: vec![0], values: vec![] }),
        };
        out.insert(format!("{prefix}{name}"), array);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_parameter_counts() {
        let count = |v| parameter_count(&ModelConfig::published(v));
        assert_eq!(count(Variant::V1), 7_959_425);
        assert_eq!(count(Variant::V2), 14_770_945);
        assert_eq!(count(Variant::V3), 3_698_497);
        let spiking = ModelConfig::published(Variant::V2).spiking();
        assert_eq!(parameter_count(&spiking), 14_771_585);
    }
}
