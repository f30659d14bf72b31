//! Files of other programs become data and checkpoints through the binary, and these are used: data are
//! generated, a network is trained on them, converted and run.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

use std::path::{Path, PathBuf};
use std::process::Output;

use wno_infer::checkpoint::Checkpoint;
use wno_infer::formats::{Selection, read_dataset};

fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name).display().to_string()
}

fn wno(folder: &Path, args: &[&str]) -> Output {
    assert_cmd::Command::cargo_bin("wno-infer")
        .unwrap()
        .current_dir(folder)
        .args(args)
        .output()
        .unwrap()
}

fn done(folder: &Path, args: &[&str]) -> String {
    let output = wno(folder, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn fails(folder: &Path, args: &[&str]) -> String {
    let output = wno(folder, args);
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn matlab_data_become_npz() {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("part.npz");
    for name in ["formats/v5_packed.mat", "formats/v73.mat"] {
        let input = fixture(name);
        let args = [
            "convert",
            "data",
            &input,
            "--first",
            "1",
            "--samples",
            "2",
            "--every",
            "3",
            "-o",
            "part.npz",
        ];
        assert!(done(folder.path(), &args).contains("2 samples of 3x2"));
        let data = read_dataset(&path, &Selection::default()).unwrap();
        assert_eq!(data.coeff.values[..6], [100.0, 103.0, 130.0, 133.0, 160.0, 163.0]);
    }
    let text = fails(
        folder.path(),
        &["convert", "data", &fixture("formats/sol.npy"), "--every", "0", "-o", "a.npz"],
    );
    assert!(text.contains("at least 1"), "{text}");
}

#[test]
fn torch_weights_become_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let twin = folder.path().join("twin.safetensors");
    let data = fixture("formats/v5.mat");
    // Haar with one level gives the fixture's 4x3 kernels on 7x5 points; other pairs do too.
    let open = fails(
        folder.path(),
        &[
            "convert",
            "weights",
            &fixture("formats/state_dict.pt"),
            "--size",
            "7x5",
            "-o",
            "a.safetensors",
        ],
    );
    assert!(open.contains("haar with 1 level"), "{open}");
    let known = ["--wavelet", "haar", "--level", "1", "--size", "7x5"];
    let weights = fixture("formats/weights.safetensors");
    let twin_args =
        [&["convert", "weights", &weights, "-o", "twin.safetensors"], &known[..]].concat();
    done(folder.path(), &twin_args);
    let expected = Checkpoint::read(&twin).unwrap();
    for name in ["formats/state_dict.pt", "formats/module.pt", "formats/checkpoint.pt"] {
        let input = fixture(name);
        let args = [&["convert", "weights", &input, "-o", "out.safetensors"], &known[..]].concat();
        let text = done(folder.path(), &args);
        assert!(text.contains("left out: table") && text.contains("no normaliser"), "{text}");
        let read = Checkpoint::read(&folder.path().join("out.safetensors")).unwrap();
        assert_eq!(
            (read.arrays, read.config),
            (expected.arrays.clone(), expected.config.clone()),
            "{name}"
        );
    }
    // The data are of 7x4 points: they cannot be what this network was trained on.
    let state = fixture("formats/state_dict.pt");
    let args =
        [&["convert", "weights", &state, "--train-data", &data, "-o", "b.safetensors"], &known[..]]
            .concat();
    let text = fails(folder.path(), &args);
    assert!(text.contains("[7, 4]") && text.contains("--every"), "{text}");
    assert!(!folder.path().join("b.safetensors").exists());
}

#[test]
fn the_golden_pair_survives_conversion() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["trained_dense", "trained_vs"] {
        let input = fixture(&format!("golden/{name}.safetensors"));
        done(folder.path(), &["convert", "weights", &input, "--half", "-o", "out.safetensors"]);
        let before = Checkpoint::read(Path::new(&input)).unwrap();
        let after = Checkpoint::read(&folder.path().join("out.safetensors")).unwrap();
        assert_eq!((after.arrays, after.config), (before.arrays, before.config), "{name}");
        assert_eq!(after.normaliser, before.normaliser);
    }
}

#[test]
fn from_nothing_to_a_sidecar() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (name, samples, seed) in [("train.npz", "8", "1"), ("test.safetensors", "3", "2")] {
        done(
            folder,
            &[
                "data",
                "--samples",
                samples,
                "--solve-at",
                "57",
                "--size",
                "29",
                "--seed",
                seed,
                "-o",
                name,
            ],
        );
    }
    let train =
        ["--train", "train.npz", "--test", "test.safetensors", "--epochs", "2", "--batch", "4"];
    done(folder, &[&["train", "--model", "vs", "--out", "vs.safetensors"], &train[..]].concat());
    done(folder, &["convert", "weights", "vs.safetensors", "-o", "again.safetensors"]);
    let run =
        ["run", "--model", "vs", "--checkpoint", "again.safetensors", "--data", "test.safetensors"];
    let request = ["--path", "request", "--warmup", "1", "--repeat", "4", "--json", "request.json"];
    done(folder, &[&run[..], &request].concat());
    done(folder, &[&run[..], &["--path", "reference", "--json", "reference.json"]].concat());
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
    };
    let request = read("request.json");
    assert_eq!(request["schema"], "nsys-attrib/sidecar/1");
    assert!(request.to_string().contains("spik"), "a spiking network says so");
    assert_eq!(read("reference.json")["schema"], "nsys-attrib/sidecar/1");
}
