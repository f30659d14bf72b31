//! Who watches a forward pass, and what may they see? Parts begin and end (NVTX ranges), tensors pass by
//! (checks against recorded vectors), spikes are counted. A pass that is timed has nobody watching.

use std::fmt;

use burn::prelude::{Backend, Tensor};

use super::sparse::Work;

/// A part of a forward pass, named as its NVTX range is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Appending the grid, lifting, padding.
    Lift,
    /// Analysis of a block.
    Dwt(usize),
    /// Mixing of a block's coefficients.
    Mix(usize),
    /// Synthesis of a block.
    Idwt(usize),
    /// The 1x1 convolution of a block and the sum.
    Skip(usize),
    /// Activation or neuron of a block.
    Act(usize),
    /// Crop and head.
    Head,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lift => f.write_str("lift"),
            Self::Dwt(i) => write!(f, "block{i}.dwt"),
            Self::Mix(i) => write!(f, "block{i}.mix"),
            Self::Idwt(i) => write!(f, "block{i}.idwt"),
            Self::Skip(i) => write!(f, "block{i}.skip"),
            Self::Act(i) => write!(f, "block{i}.act"),
            Self::Head => f.write_str("head"),
        }
    }
}

/// A tensor of a forward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tap {
    /// Coefficient and grid, before the lift: (batch, 3, h, w).
    LiftIn,
    /// After the lift, before padding: (batch, C, h, w).
    Lift,
    /// Output of a block's wavelet kernel: (batch, C, h+P, w+P), like the two below.
    Wave(usize),
    /// Kernel plus skip.
    Pre(usize),
    /// After the activation or neuron.
    Out(usize),
    /// In the head before its activation or neuron: (batch, M, h, w).
    HeadPre,
    /// After it.
    HeadOut,
}

/// Watches a forward pass. Every method may be left out.
pub trait Observer<B: Backend> {
    /// A part begins.
    fn enter(&mut self, _part: Part) {}

    /// The part that began last ends.
    fn leave(&mut self) {}

    /// A tensor passes.
    fn tap(&mut self, _tap: Tap, _value: &Tensor<B, 4>) {}

    /// Spikes (0 or 1 for each element) of a neuron layer at a spike time step.
    fn spikes(&mut self, _layer: usize, _step: usize, _spikes: &Tensor<B, 4>) {}

    /// Multiply-adds of a sparse path.
    fn work(&mut self, _work: Work) {}
}

/// Nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl<B: Backend> Observer<B> for Silent {}
