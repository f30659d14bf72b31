//! Relations that hold whatever the weights: between dispatches, thresholds, leaks, and the two networks.

#![allow(clippy::unwrap_used)] // helpers of tests, too, may

use proptest::prelude::*;
use wno_infer::formats::Array;
use wno_infer::model::config::{Activation, ModelConfig, Sites, Variant};
use wno_infer::model::weights::Arrays;
use wno_infer::model::{Dispatch, init};
use wno_infer::normaliser::{Statistics, relative_l2};
use wno_infer::paths::{Forwarded, forward};
use wno_infer::stack::Choice;
use wno_infer::wavelet::{Wavelet, fold, matrix};

fn tiny(variant: Variant) -> ModelConfig {
    let act = if variant == Variant::V1 { Activation::Gelu } else { Activation::Mish };
    ModelConfig {
        variant,
        wavelet: Wavelet::Db4,
        level: 2,
        width: 4,
        head: 6,
        act,
        size: [13, 15],
        omega: Some(4),
        ..ModelConfig::published(variant)
    }
}

fn run(config: &ModelConfig, arrays: &Arrays, dispatch: Dispatch) -> Forwarded {
    let x: Vec<f32> = (0..13 * 15).map(|i| ((i * 37 % 101) as f32 - 50.0) / 25.0).collect();
    forward(Choice::CPU, config, arrays, dispatch, &x, [13, 15]).unwrap()
}

fn thresholds(arrays: &mut Arrays, value: f32) {
    for (name, array) in arrays.iter_mut() {
        if name.ends_with("threshold") {
            array.values.fill(value);
        }
    }
}

fn worst(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn the_matrix_form_is_the_level_form() {
    for variant in [Variant::V1, Variant::V2] {
        for wavelet in Wavelet::ALL {
            let config = ModelConfig { wavelet, ..tiny(variant) };
            let arrays = init::arrays(&config, 5, 0.1);
            let [eager, fused] =
                [Dispatch::Eager, Dispatch::Fused].map(|d| run(&config, &arrays, d));
            assert!(worst(&eager.y, &fused.y) < 1e-5, "{variant:?} {wavelet:?}");
        }
    }
}

#[test]
fn skipping_what_is_silent_changes_nothing_and_saves_work() {
    for sites in [Sites::Activations, Sites::Blocks] {
        let config = ModelConfig { sites, ..tiny(Variant::V2).spiking() };
        let mut arrays = init::arrays(&config, 6, 0.1);
        // One layer's first two channels never fire.
        arrays.get_mut("vsn.0.threshold").unwrap().values[..2].fill(1e30);
        let [fused, sparse] = [Dispatch::Fused, Dispatch::Sparse].map(|d| run(&config, &arrays, d));
        assert!(worst(&fused.y, &sparse.y) < 1e-5, "{sites:?}");
        assert_eq!(fused.counts.layers, sparse.counts.layers);
        let work = sparse.counts.work;
        assert!(work.done < work.full && fused.counts.work.full == 0, "{work:?}");
    }
}

#[test]
fn a_batch_is_its_fields_one_by_one() {
    let config = tiny(Variant::V2).spiking();
    let arrays = init::arrays(&config, 11, 0.1);
    let x: Vec<f32> = (0..3 * 195).map(|i| ((i * 53 % 211) as f32 - 105.0) / 50.0).collect();
    for dispatch in [Dispatch::Eager, Dispatch::Fused, Dispatch::Sparse] {
        let of =
            |x: &[f32]| forward(Choice::CPU, &config, &arrays, dispatch, x, [13, 15]).unwrap().y;
        let singly: Vec<f32> = x.chunks(195).flat_map(of).collect();
        assert!(worst(&of(&x), &singly) < 1e-5, "{dispatch:?}");
    }
}

#[test]
fn with_one_time_step_the_leak_plays_no_part() {
    let one = tiny(Variant::V2).spiking();
    let four = ModelConfig { steps: 4, ..one.clone() };
    let arrays = init::arrays(&one, 7, 0.1);
    let mut other = arrays.clone();
    for (_, array) in other.iter_mut().filter(|(name, _)| name.ends_with("beta")) {
        array.values.iter_mut().for_each(|v| *v = 1.0 - *v);
    }
    let eager = |config, arrays| run(config, arrays, Dispatch::Eager);
    assert_eq!(eager(&one, &arrays), eager(&one, &other));
    assert_ne!(
        eager(&four, &arrays).counts,
        eager(&four, &other).counts,
        "with four steps it does"
    );
}

#[test]
fn a_threshold_nobody_misses_is_the_dense_network() {
    // v1 has GELU at all four sites.
    let dense = tiny(Variant::V1);
    let spiking = ModelConfig { phi: Activation::Gelu, ..dense.clone().spiking() };
    let mut arrays = init::arrays(&spiking, 8, 0.1);
    thresholds(&mut arrays, -1e30);
    for dispatch in [Dispatch::Eager, Dispatch::Fused] {
        let all = run(&spiking, &arrays, dispatch);
        assert_eq!(all.counts.rates(), [1.0; 4]);
        assert_eq!(all.y, run(&dense, &arrays, dispatch).y);
    }
}

#[test]
fn a_threshold_nobody_reaches_is_silence() {
    let config = tiny(Variant::V2).spiking();
    let mut arrays = init::arrays(&config, 9, 0.1);
    thresholds(&mut arrays, 1e30);
    let bias = arrays["fc2.bias"].values[0];
    for dispatch in [Dispatch::Eager, Dispatch::Fused, Dispatch::Sparse] {
        let none = run(&config, &arrays, dispatch);
        assert_eq!(none.counts.rates(), [0.0; 4]);
        assert!(none.y.iter().all(|&y| y == bias), "{dispatch:?}");
    }
}

#[test]
fn thresholds_of_every_accepted_shape_mean_the_same() {
    let config = tiny(Variant::V2).spiking();
    let mut arrays = init::arrays(&config, 10, 0.1);
    thresholds(&mut arrays, 0.03);
    let expected = run(&config, &arrays, Dispatch::Eager);
    let shapes: [&[usize]; 6] = [&[], &[1], &[4], &[4, 1, 1], &[1, 4, 1, 1], &[4, 14, 16]];
    for shape in shapes {
        let values = vec![0.03; shape.iter().product()];
        arrays.insert("vsn.1.threshold".into(), Array { shape: shape.to_vec(), values });
        assert_eq!(expected, run(&config, &arrays, Dispatch::Eager), "{shape:?}");
    }
    let full = Array { shape: vec![13, 15, 6], values: vec![0.03; 13 * 15 * 6] };
    arrays.insert("vsn.3.threshold".into(), full);
    let found = run(&config, &arrays, Dispatch::Fused);
    assert!(worst(&found.y, &expected.y) < 1e-5);
    assert_eq!(found.counts.layers, expected.counts.layers);
}

#[test]
fn wrong_sizes_and_missing_weights_are_named() {
    let config = tiny(Variant::V2);
    let mut arrays = init::arrays(&config, 1, 0.1);
    let x = vec![0.0; 31 * 31];
    let e = forward(Choice::CPU, &config, &arrays, Dispatch::Eager, &x, [31, 31]).unwrap_err();
    assert!(e.to_string().contains("[31, 31]"), "{e}");
    let e =
        forward(Choice::CPU, &config, &arrays, Dispatch::Sparse, &x[..195], [13, 15]).unwrap_err();
    assert!(e.to_string().contains("never silent"), "{e}");
    arrays.remove("w.2.bias");
    let e =
        forward(Choice::CPU, &config, &arrays, Dispatch::Eager, &x[..195], [13, 15]).unwrap_err();
    assert!(e.to_string().contains("w.2.bias"), "{e}");
}

proptest! {
    #[test]
    fn extension_repeats_the_edge(n in 1usize..40, i in 0isize..40) {
        let size = n.cast_signed();
        prop_assume!(i < size);
        prop_assert_eq!(fold(-1 - i, n), fold(i, n));
        prop_assert_eq!(fold(size + i, n), fold(size - 1 - i, n));
        prop_assert_eq!(fold(i + 2 * size, n), i.cast_unsigned());
    }

    /// Of one level: synthesis of what analysis gave. Even sizes come back as they were, odd ones one longer.
    #[test]
    fn a_level_is_inverted_exactly(n in 2usize..60, which in 0usize..4, seed in 0u64..1000) {
        let wavelet = Wavelet::ALL[which];
        let (a, s) = (matrix::analysis(wavelet, 1, n), matrix::synthesis(wavelet, 1, n));
        prop_assert_eq!(s.rows, n + n % 2);
        let x: Vec<f64> = (0..n as u64).map(|i| ((i * i * 31 + seed * 17) % 97) as f64 / 50.0 - 1.0).collect();
        let q: Vec<f64> = a.values.chunks(n).map(|row| row.iter().zip(&x).map(|(a, x)| a * x).sum()).collect();
        let back = s.values.chunks(s.cols).map(|row| row.iter().zip(&q).map(|(s, q)| s * q).sum::<f64>());
        for (found, expected) in back.zip(&x) {
            prop_assert!((found - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn decoding_undoes_encoding(values in prop::collection::vec(-5f32..5.0, 24)) {
        let fields = Array::new(vec![4, 2, 3], values).unwrap();
        let statistics = Statistics::of(&fields).unwrap();
        let back = statistics.decode(&statistics.encode(&fields.values));
        prop_assert!(worst(&back, &fields.values) < 1e-4);
        prop_assert_eq!(relative_l2(&fields.values, &fields.values), 0.0);
    }
}
