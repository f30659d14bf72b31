//! What does a forward pass do, in which order? One skeleton for both networks and all dispatches: the
//! parts differ in how they are carried out, not in what they compute.

use burn::prelude::Tensor;

use super::config::{ModelConfig, Variant};
use super::fused::Constants;
use super::observer::{Observer, Part, Tap};
use super::weights::Weights;
use super::{eager, fused, sparse};
use crate::neuron::{Firing, Layer, activate};
use crate::stack::{Stack, Surrogate};

/// How a forward pass is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dispatch {
    /// One launch for each elementary operation, filters and indices uploaded on every call, as the
    /// published programs do.
    Eager,
    /// Matrix form: constants computed once, two products on each axis of a block.
    Fused,
    /// The matrix form, skipping silent rows and channels.
    Sparse,
}

impl Dispatch {
    /// Name on the command line and in the sidecar document.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Eager => "eager",
            Self::Fused => "fused",
            Self::Sparse => "sparse",
        }
    }
}

/// Why a network cannot run on fields of a size or under a dispatch.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PlanError {
    /// The deepest coefficients do not have the size of the kernel weights.
    #[error(
        "fields of {field:?} points have {coefficients:?} deepest coefficients, the kernel weights are for {weights:?}: \
         use fields of the size the network was trained for"
    )]
    Size {
        /// Points of the field.
        field: [usize; 2],
        /// Deepest coefficients of such a field.
        coefficients: [usize; 2],
        /// Those of the weights.
        weights: [usize; 2],
    },
    /// An odd padded size: synthesis returns one more than went in.
    #[error(
        "fields of {0:?} points with this padding have an odd extent, which the transform cannot return to"
    )]
    Odd([usize; 2]),
    /// No matrix form.
    #[error("variant v3 has no {0} form: use --dispatch eager")]
    NoMatrixForm(&'static str),
    /// Nothing to skip.
    #[error("a dense network is never silent: --dispatch sparse is for spiking networks")]
    NothingSilent,
}

/// A network ready to run on fields of one size.
#[derive(Debug, Clone)]
pub struct Network<B: Stack> {
    pub(super) config: ModelConfig,
    pub(super) weights: Weights<B>,
    pub(super) levels: usize,
    pub(super) constants: Option<Constants<B>>,
    pub(super) mixers: Vec<Tensor<B, 4>>,
    dispatch: Dispatch,
    surrogate: Surrogate,
}

/// The levels of the transform for fields of `field` points, which differ from the configured ones where
/// a field is at least twice as large or as small as the configured size (super-resolution).
fn levels_for(config: &ModelConfig, field: usize) -> usize {
    let (size, n) = (config.size[0], field + config.padding);
    if n >= size {
        config.level + (n / size).ilog2() as usize
    } else {
        config.level.saturating_sub((size / n).ilog2() as usize).max(1)
    }
}

impl<B: Stack> Network<B> {
    /// A network over `weights` for fields of `field` (height, width) points.
    ///
    /// # Errors
    /// When the field size does not fit the weights, or the dispatch does not fit the network.
    pub fn new(
        config: ModelConfig,
        weights: Weights<B>,
        dispatch: Dispatch,
        field: [usize; 2],
        device: &B::Device,
    ) -> Result<Self, PlanError> {
        let levels = levels_for(&config, field[0]);
        let padded = field.map(|n| n + config.padding);
        let coefficients = padded.map(|n| *config.wavelet.lengths(n, levels).last().unwrap_or(&n));
        let weights_for = config.kernel_size();
        if coefficients != weights_for {
            return Err(PlanError::Size { field, coefficients, weights: weights_for });
        }
        let first = padded.map(|n| config.wavelet.synthesised(config.wavelet.analysed(n)));
        if first != padded {
            return Err(PlanError::Odd(field));
        }
        let mut network = Self {
            config,
            weights,
            levels,
            constants: None,
            mixers: Vec::new(),
            dispatch,
            surrogate: Surrogate::default(),
        };
        if dispatch != Dispatch::Eager {
            if network.config.variant == Variant::V3 {
                return Err(PlanError::NoMatrixForm(dispatch.name()));
            }
            if dispatch == Dispatch::Sparse && !network.config.spiking {
                return Err(PlanError::NothingSilent);
            }
            network.constants = Some(Constants::new(&network.config, levels, field, device));
            network.mixers = fused::mixers(&network.weights);
        }
        Ok(network)
    }

    /// The same network with other weights: what one step of training leads to.
    #[must_use]
    pub fn with_weights(&self, weights: Weights<B>) -> Self {
        let mixers = if self.constants.is_some() { fused::mixers(&weights) } else { Vec::new() };
        Self { weights, mixers, ..self.clone() }
    }

    /// Replaces the derivative that stands in for that of a firing step.
    #[must_use]
    pub fn with_surrogate(mut self, surrogate: Surrogate) -> Self {
        self.surrogate = surrogate;
        self
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The dispatch.
    #[must_use]
    pub fn dispatch(&self) -> Dispatch {
        self.dispatch
    }

    /// The parameters.
    #[must_use]
    pub fn weights(&self) -> &Weights<B> {
        &self.weights
    }

    /// Normalised coefficients (batch, h, w, 1) to normalised solutions of the same shape: the mean over
    /// the spike time steps.
    pub fn forward(&self, x: Tensor<B, 4>, observer: &mut dyn Observer<B>) -> Tensor<B, 4> {
        let [batch, h, w, _] = x.dims();
        if self.dispatch == Dispatch::Sparse && batch > 1 {
            // What is silent differs from field to field.
            let one = |i| self.forward(x.clone().narrow(0, i, 1), &mut *observer);
            return Tensor::cat((0..batch).map(one).collect(), 0);
        }
        let x = x.reshape([batch, 1, h, w]);
        let mut layers: Vec<Layer<'_, B>> = self
            .weights
            .neurons
            .iter()
            .map(|neuron| Layer::new(neuron, self.config.phi, self.surrogate))
            .collect();
        let mut total = self.pass(x.clone(), &mut layers, 0, observer);
        for step in 1..self.config.steps {
            total = total + self.pass(x.clone(), &mut layers, step, observer);
        }
        if self.config.steps > 1 {
            total = total / self.config.steps as f64;
        }
        total.reshape([batch, h, w, 1])
    }

    fn pass(
        &self,
        x: Tensor<B, 4>,
        layers: &mut [Layer<'_, B>],
        step: usize,
        observer: &mut dyn Observer<B>,
    ) -> Tensor<B, 4> {
        let [_, _, h, w] = x.dims();
        observer.enter(Part::Lift);
        let mut v = match &self.constants {
            None => eager::lift(self, x, observer),
            Some(constants) => fused::lift(self, constants, x, observer),
        };
        observer.leave();
        for i in 0..self.config.layers {
            v = self.block(v, i, layers, step, observer);
        }
        observer.enter(Part::Head);
        let [batch, channels, ..] = v.dims();
        let v = v.slice([0..batch, 0..channels, 0..h, 0..w]);
        let y = self.head(v, layers, step, observer);
        observer.leave();
        y
    }

    fn block(
        &self,
        v: Tensor<B, 4>,
        i: usize,
        layers: &mut [Layer<'_, B>],
        step: usize,
        observer: &mut dyn Observer<B>,
    ) -> Tensor<B, 4> {
        // Behind the lift nothing is silent.
        let spiking_input = i > 0 && self.config.block_site(i - 1).is_some();
        let pre = match (&self.constants, self.dispatch) {
            (Some(constants), Dispatch::Sparse) if spiking_input => {
                sparse::block(self, constants, v, i, observer)
            }
            (Some(constants), _) => fused::block(self, constants, v, i, observer),
            (None, _) => eager::block(self, v, i, observer),
        };
        observer.tap(Tap::Pre(i), &pre);
        observer.enter(Part::Act(i));
        let out = match self.config.block_site(i) {
            Some(site) => self.fire(pre, site, layers, step, observer),
            None if i + 1 < self.config.layers => activate(self.config.act, pre),
            None => pre,
        };
        observer.leave();
        observer.tap(Tap::Out(i), &out);
        out
    }

    fn head(
        &self,
        v: Tensor<B, 4>,
        layers: &mut [Layer<'_, B>],
        step: usize,
        observer: &mut dyn Observer<B>,
    ) -> Tensor<B, 4> {
        let linear = &self.weights.head;
        let pre = if self.constants.is_some() {
            fused::pixelwise(linear, v)
        } else {
            eager::pixelwise(linear, v)
        };
        observer.tap(Tap::HeadPre, &pre);
        let site = self.config.head_site();
        let out = match site {
            Some(site) => self.fire(pre, site, layers, step, observer),
            None => activate(self.config.head_act, pre),
        };
        observer.tap(Tap::HeadOut, &out);
        match (self.dispatch, site) {
            (Dispatch::Eager, _) => eager::pixelwise(&self.weights.out, out),
            (Dispatch::Sparse, Some(_)) => sparse::pixelwise(&self.weights.out, out, observer),
            _ => fused::pixelwise(&self.weights.out, out),
        }
    }

    fn fire(
        &self,
        z: Tensor<B, 4>,
        site: usize,
        layers: &mut [Layer<'_, B>],
        step: usize,
        observer: &mut dyn Observer<B>,
    ) -> Tensor<B, 4> {
        let layer = &mut layers[site];
        let Firing { output, spikes } = match self.dispatch {
            Dispatch::Eager => layer.step_in_full(z),
            _ => layer.step(z, step + 1 == self.config.steps),
        };
        observer.spikes(site, step, &spikes);
        output
    }
}
