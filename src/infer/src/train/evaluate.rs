//! What does a network reach on the test samples?

use burn::prelude::Tensor;
use burn::tensor::TensorData;

use super::Fields;
use crate::model::Network;
use crate::normaliser::relative_l2;
use crate::paths::Counts;
use crate::stack::Stack;

/// Mean over the test samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Relative L2 error.
    pub error: f64,
    /// Spike rate of each layer; empty for a dense network.
    pub rates: Vec<f64>,
}

/// Runs the test samples one by one.
pub(super) fn evaluate<B: Stack>(
    network: &Network<B>,
    fields: &Fields,
    device: &B::Device,
) -> Evaluation {
    let [h, w] = fields.size;
    let mut counts = Counts::default();
    let mut errors = Vec::new();
    for (x, exact) in fields.test() {
        let x = Tensor::from_data(TensorData::new(x.to_vec(), [1, h, w, 1]), device);
        let y = network.forward(x, &mut counts).into_data().convert::<f32>();
        let predicted = fields.normaliser.y.decode(&y.into_vec::<f32>().unwrap_or_default());
        errors.push(relative_l2(&predicted, exact));
    }
    Evaluation { error: errors.iter().sum::<f64>() / errors.len() as f64, rates: counts.rates() }
}
