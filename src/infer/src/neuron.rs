//! When does a variable spiking neuron fire, and what does it send? (arXiv 2603.21674, equations 10 and 11.)
//!
//! ```text
//! m_t = beta m_{t-1} + z_t        s_t = 1 if m_t > Th        y_t = phi(z_t s_t)        m_t = 0 where s_t = 1
//! ```
//!
//! A silent neuron sends exactly 0; a firing one sends its own input, not its membrane and not 1. Equality
//! with the threshold stays silent. With one time step the leak plays no part.

use burn::prelude::Tensor;
use burn::tensor::activation::relu;

use crate::model::config::Activation;
use crate::model::weights::Neuron;
use crate::stack::{Pointwise, Stack, Surrogate};

/// `f` on each element.
pub fn activate<B: Stack>(f: Activation, z: Tensor<B, 4>) -> Tensor<B, 4> {
    match f {
        Activation::Identity => z,
        Activation::Relu => relu(z),
        Activation::Gelu => B::pointwise(Pointwise::Gelu, z),
        Activation::Mish => B::pointwise(Pointwise::Mish, z),
    }
}

/// What a neuron layer sends at one time step.
pub struct Firing<B: Stack> {
    /// `phi(z s)`.
    pub output: Tensor<B, 4>,
    /// 1 where it fired.
    pub spikes: Tensor<B, 4>,
}

/// A neuron layer over the time steps of one forward pass.
pub struct Layer<'a, B: Stack> {
    neuron: &'a Neuron<B>,
    phi: Activation,
    surrogate: Surrogate,
    membrane: Option<Tensor<B, 4>>,
}

impl<'a, B: Stack> Layer<'a, B> {
    /// A layer at rest.
    pub fn new(neuron: &'a Neuron<B>, phi: Activation, surrogate: Surrogate) -> Self {
        Self { neuron, phi, surrogate, membrane: None }
    }

    /// One time step. Where `last` holds, the membrane is not updated any more.
    pub fn step(&mut self, z: Tensor<B, 4>, last: bool) -> Firing<B> {
        let membrane = match self.membrane.take() {
            None => z.clone(),
            Some(m) => self.neuron.beta.val().clamp(0.0, 1.0) * m + z.clone(),
        };
        let above = membrane.clone() - self.neuron.threshold.val();
        let spikes = B::pointwise(Pointwise::Fire(self.surrogate), above);
        if !last {
            // The reset is not differentiated: the next step sees a membrane of 0 as a fact.
            self.membrane = Some(membrane * (spikes.clone().detach() * -1.0 + 1.0));
        }
        Firing { output: activate(self.phi, z * spikes.clone()), spikes }
    }

    /// The same with every operation of the published programs, needed or not: leak, reset and membrane
    /// are computed for a single step, too. What an eager request pays for.
    pub fn step_in_full(&mut self, z: Tensor<B, 4>) -> Firing<B> {
        let rest = self.membrane.take().unwrap_or_else(|| z.zeros_like());
        self.membrane = Some(rest);
        self.step(z, false)
    }

    /// The membrane after the reset of the last step; none at rest.
    #[must_use]
    pub fn membrane(&self) -> Option<&Tensor<B, 4>> {
        self.membrane.as_ref()
    }
}
