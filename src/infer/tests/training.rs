//! Does a training learn, go on where it stopped, and repeat itself? On a few generated fields, in seconds.

#![allow(clippy::unwrap_used)] // helpers of tests, too, may

use std::path::Path;

use wno_infer::darcy::{self, Recipe as DataRecipe};
use wno_infer::model::config::ModelConfig;
use wno_infer::stack::Choice;
use wno_infer::train::{EpochLog, Fields, Recipe, Session, Trained, Watch, train};
use wno_infer::wavelet::Wavelet;

fn fields() -> Fields {
    let generate = |samples, seed| {
        darcy::generate(&DataRecipe { samples, solve_at: 17, every: 2, seed }, Some(1), &|| ())
            .unwrap()
    };
    Fields::new(&generate(24, 1), &generate(6, 2)).unwrap()
}

fn recipe(spiking: bool, epochs: usize) -> Recipe {
    let config = ModelConfig {
        wavelet: Wavelet::Db2,
        level: 2,
        width: 4,
        head: 8,
        size: [9, 9],
        spiking,
        ..ModelConfig::small()
    };
    Recipe { epochs, batch: 6, rate: 1e-2, ..Recipe::small(config, 3) }
}

/// Stops a training after an epoch, as a kill would between log and state.
#[derive(Default)]
struct Follow {
    errors: Vec<f64>,
    began_at: usize,
    stop_after: Option<usize>,
}

impl Watch for Follow {
    fn begin(&mut self, epoch: usize, _done: usize, _total: usize) -> std::io::Result<()> {
        self.began_at = epoch;
        Ok(())
    }

    fn batch(&mut self) {}

    fn epoch(&mut self, log: &EpochLog) -> std::io::Result<()> {
        self.errors.push(log.train_error);
        match self.stop_after {
            Some(stop) if log.epoch > stop => Err(std::io::Error::other("stopped")),
            _ => Ok(()),
        }
    }
}

fn run(recipe: &Recipe, state: &Path, follow: &mut Follow) -> Result<Trained, String> {
    let session = Session { state, test_every: 100, half: true };
    train(Choice::CPU, recipe, &fields(), session, follow).map_err(|e| e.to_string())
}

#[test]
fn errors_fall_and_a_seed_repeats_itself() {
    let folder = tempfile::tempdir().unwrap();
    for spiking in [false, true] {
        let recipe = recipe(spiking, 40);
        let path = |name: &str| folder.path().join(format!("{name}{spiking}"));
        let mut follow = Follow::default();
        let first = run(&recipe, &path("a"), &mut follow).unwrap();
        let (start, end) = (follow.errors[0], follow.errors[39]);
        assert!(end < 0.5 * start, "{start} to {end}");
        let again = run(&recipe, &path("b"), &mut Follow::default()).unwrap();
        assert_eq!(first.arrays, again.arrays);
        assert_eq!(first.reached.rates.len(), if spiking { 4 } else { 0 });
    }
}

#[test]
fn a_stopped_training_goes_on_as_if_it_had_not_been() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = recipe(true, 5);
    let whole = run(&recipe, &folder.path().join("whole"), &mut Follow::default()).unwrap();
    let state = folder.path().join("parts");
    let mut stopped = Follow { stop_after: Some(2), ..Follow::default() };
    assert!(run(&recipe, &state, &mut stopped).unwrap_err().contains("stopped"));
    let mut rest = Follow::default();
    let parts = run(&recipe, &state, &mut rest).unwrap();
    assert_eq!(rest.began_at, 2);
    assert_eq!(parts.arrays, whole.arrays);
    let other = Recipe { seed: 4, ..recipe };
    assert!(run(&other, &state, &mut rest).unwrap_err().contains("another recipe"));
}

#[test]
fn a_rate_loss_quietens_the_layers() {
    let folder = tempfile::tempdir().unwrap();
    let free = recipe(true, 10);
    let quiet = Recipe { rate_weights: vec![0.0, 0.0, 0.0, 20.0], ..free.clone() };
    let [free, quiet] = [(free, "free"), (quiet, "quiet")].map(|(recipe, name)| {
        run(&recipe, &folder.path().join(name), &mut Follow::default()).unwrap()
    });
    let (before, after) = (free.reached.rates[3], quiet.reached.rates[3]);
    assert!(after < 0.8 * before, "{before} to {after}");
    let two = Recipe { rate_weights: vec![1.0, 2.0], ..recipe(true, 1) };
    assert!(run(&two, &folder.path().join("two"), &mut Follow::default()).is_err());
}

#[test]
fn a_damaged_state_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::write(&state, b"wnotrain but not really").unwrap();
    let e = run(&recipe(false, 1), &state, &mut Follow::default()).unwrap_err();
    assert!(e.contains("damaged"), "{e}");
}
