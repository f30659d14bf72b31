//! A trained pair on recorded fields: encode, forward, decode, error, spike rates; through the reference path.

use super::network::dispatches;
use super::{Check, Gather, Job, VerifyError};
use crate::checkpoint::Checkpoint;
use crate::dataset::Dataset;
use crate::formats::Array;
use crate::model::Dispatch;
use crate::paths::reference;
use crate::stack::Stack;

/// Share of spikes that may differ.
const ALLOWED: f64 = 1e-3;

pub(super) fn all<B: Stack>(job: &Job<'_>, device: &B::Device) -> Result<Vec<Check>, VerifyError> {
    let mut checks = Vec::new();
    for name in ["trained_dense", "trained_vs"] {
        let checkpoint = Checkpoint::read(&job.path(name))?;
        for dispatch in dispatches(&checkpoint) {
            checks.push(one::<B>(job, name, &checkpoint, dispatch, device)?);
        }
    }
    Ok(checks)
}

fn one<B: Stack>(
    job: &Job<'_>,
    name: &str,
    file: &Checkpoint,
    dispatch: Dispatch,
    device: &B::Device,
) -> Result<Check, VerifyError> {
    let recorded = |tensor: &str| {
        file.extra
            .get(tensor)
            .ok_or_else(|| VerifyError::Missing { path: job.path(name), tensor: tensor.into() })
    };
    #[allow(clippy::cast_possible_truncation)]
    let field = |tensor: &str| {
        let array = recorded(tensor)?;
        let values = array.values.iter().map(|&v| v as f32).collect();
        Ok::<_, VerifyError>(Array { shape: array.shape.clone(), values })
    };
    let data = Dataset { coeff: field("test.coeff")?, sol: field("test.sol")? };
    let run = reference::run_on::<B>(file, dispatch, &data, 2, device)?;
    let mut gather = Gather::new(format!("{name} {}", dispatch.name()), job.tolerance);
    gather.tensor("expect.pred", &run.predictions, &recorded("expect.pred")?.values);
    #[allow(clippy::cast_possible_truncation)]
    let errors: Vec<f32> = run.errors.iter().map(|&e| e as f32).collect();
    gather.tensor("expect.rel_l2", &errors, &recorded("expect.rel_l2")?.values);
    if file.config.spiking {
        let expected = &recorded("expect.spike_rate")?.values;
        for (layer, rate) in run.counts.layers.iter().zip(expected) {
            let off = (layer.rate().unwrap_or(f64::NAN) - rate).abs();
            gather.check.passed &= off <= ALLOWED;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let flipped = (off * layer.elements as f64).round() as usize;
            gather.check.flipped += flipped;
            gather.check.spikes += usize::try_from(layer.elements).unwrap_or(usize::MAX);
        }
        gather.check.passed &= run.counts.layers.len() == expected.len();
    }
    Ok(gather.check)
}
