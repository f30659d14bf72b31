//! A training from its first epoch, or from where it stopped, to its last.

use std::path::Path;

use super::{EpochLog, Evaluation, Fields, Recipe, TrainError, Training, evaluate};
use crate::checkpoint::is_kernel;
use crate::model::weights::{Arrays, Weights};
use crate::model::{Dispatch, Network};
use crate::stack::{Choice, OnStack, Stack, on_stack};

/// Follows a training.
pub trait Watch {
    /// It begins, with `done` of `total` batches behind it and `epoch` epochs.
    ///
    /// # Errors
    /// When the log of the epochs behind it cannot be read; the training does not begin.
    fn begin(&mut self, epoch: usize, done: usize, total: usize) -> std::io::Result<()>;
    /// A batch is done.
    fn batch(&mut self);
    /// An epoch is done; its state is stored afterwards.
    ///
    /// # Errors
    /// When it cannot be logged; the training stops before that state is stored.
    fn epoch(&mut self, log: &EpochLog) -> std::io::Result<()>;
}

/// What a training leads to.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The weights; kernels rounded to half precision where asked.
    pub arrays: Arrays,
    /// What those weights reach on the test samples.
    pub reached: Evaluation,
    /// Stack it ran on.
    pub stack: &'static str,
}

/// How a training is carried out.
#[derive(Debug, Clone, Copy)]
pub struct Session<'a> {
    /// File of its state.
    pub state: &'a Path,
    /// Epochs between two tests.
    pub test_every: usize,
    /// Whether kernels are rounded to half precision at the end.
    pub half: bool,
}

/// Trains, from `session.state` on if there is one.
///
/// # Errors
/// When recipe and data do not fit, the state is of another training, or the loss diverges.
pub fn train(
    choice: Choice,
    recipe: &Recipe,
    fields: &Fields,
    session: Session<'_>,
    watch: &mut dyn Watch,
) -> Result<Trained, TrainError> {
    on_stack(choice, Job { recipe, fields, session, watch })
}

struct Job<'a> {
    recipe: &'a Recipe,
    fields: &'a Fields,
    session: Session<'a>,
    watch: &'a mut dyn Watch,
}

impl OnStack for Job<'_> {
    type Output = Result<Trained, TrainError>;

    fn run<B: Stack>(self, device: &B::Device) -> Self::Output {
        let Self { recipe, fields, session, watch } = self;
        let mut training = Training::<B>::new(recipe.clone(), fields.clone(), device.clone())?;
        if session.state.exists() {
            training = training.resume(session.state)?;
        }
        let batches = training.batches();
        let (epoch, total) = (training.epoch(), recipe.epochs * batches);
        watch.begin(epoch, epoch * batches, total).map_err(TrainError::Watch)?;
        while training.epoch() < recipe.epochs {
            let mut log = training.advance(&mut || watch.batch())?;
            if log.epoch.is_multiple_of(session.test_every) || log.epoch == recipe.epochs {
                log.test = Some(training.evaluate()?);
            }
            watch.epoch(&log).map_err(TrainError::Watch)?;
            training.store(session.state)?;
        }
        let mut arrays = training.weights().to_arrays(&recipe.config);
        if session.half {
            for (_, array) in arrays.iter_mut().filter(|(name, _)| is_kernel(name)) {
                array.values.iter_mut().for_each(|v| *v = half::f16::from_f32(*v).to_f32());
            }
        }
        let weights = Weights::<B>::from_arrays(&arrays, &recipe.config, device)?;
        let config = recipe.config.clone();
        let network = Network::new(config, weights, Dispatch::Fused, fields.size, device)?;
        let reached = evaluate(&network, fields, device);
        Ok(Trained { arrays, reached, stack: B::NAME })
    }
}
