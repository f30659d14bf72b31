//! Files that other programs wrote, read here; and the same files damaged.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use wno_infer::darcy::{Recipe, generate};
use wno_infer::dataset::Dataset;
use wno_infer::formats::{
    Container, Selection, container, read_dataset, read_dataset_pair, safetensors, torch,
    write_dataset,
};

const FIELDS: [&str; 8] = [
    "packed.npz",
    "fortran.npz",
    "v5.mat",
    "v5_packed.mat",
    "v5_narrow.mat",
    "v5_big_endian.mat",
    "v73.mat",
    "plain.h5",
];

const WEIGHTS: [&str; 4] = ["state_dict.pt", "checkpoint.pt", "module.pt", "views.pt"];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats").join(name)
}

/// The formula of the fixtures.
fn assert_fields(data: &Dataset, samples: &[usize], every: usize, name: &str) {
    let (rows, columns) = (6 / every + 1, 3 / every + 1);
    assert_eq!(data.coeff.shape, [samples.len(), rows, columns], "{name}");
    let mut at = 0;
    for &n in samples {
        for i in (0..7).step_by(every) {
            for j in (0..4).step_by(every) {
                let coeff = (100 * n + 10 * i + j) as f64;
                assert_eq!(f64::from(data.coeff.values[at]), coeff, "{name}: {n} {i} {j}");
                assert!(
                    (f64::from(data.sol.values[at]) - coeff / 1000.0 - 0.5).abs() < 1e-7,
                    "{name}"
                );
                at += 1;
            }
        }
    }
}

#[test]
fn every_container_holds_the_same_fields() {
    for name in FIELDS {
        let data = read_dataset(&fixture(name), &Selection::default()).unwrap();
        assert_fields(&data, &[0, 1, 2, 3, 4], 1, name);
        let some = Selection { first: 1, samples: Some(3), every: 3 };
        assert_fields(&read_dataset(&fixture(name), &some).unwrap(), &[1, 2, 3], 3, name);
    }
    let pair = read_dataset_pair(
        &fixture("coeff_big_endian.npy"),
        &fixture("sol.npy"),
        &Selection::default(),
    );
    assert_fields(&pair.unwrap(), &[0, 1, 2, 3, 4], 1, "pair of .npy");
}

#[test]
fn containers_are_told_by_their_bytes() {
    let kinds = [
        ("packed.npz", Container::Npz),
        ("sol.npy", Container::Npy),
        ("v5_packed.mat", Container::MatV5),
        ("v5_big_endian.mat", Container::MatV5),
        ("v73.mat", Container::Hdf5),
        ("plain.h5", Container::Hdf5),
        ("module.pt", Container::Torch),
        ("weights.safetensors", Container::Safetensors),
    ];
    for (name, kind) in kinds {
        assert_eq!(container(&fixture(name)).unwrap(), kind, "{name}");
    }
    let old = container(&fixture("before_1.6.pt")).unwrap_err().to_string();
    assert!(old.contains("state_dict()"), "{old}");
    assert!(container(&fixture("make.py")).unwrap_err().to_string().contains("known are .npy"));
}

#[test]
fn torch_files_hold_the_weights_of_the_safetensors_twin() {
    let twin = safetensors::read(&fixture("weights.safetensors")).unwrap().tensors;
    for (name, module, prefix) in [
        ("state_dict.pt", false, ""),
        ("checkpoint.pt", false, "model_state_dict"),
        ("module.pt", true, ""),
    ] {
        let file = torch::read(&fixture(name), None).unwrap();
        assert_eq!((file.module, file.prefix.as_str()), (module, prefix), "{name}");
        assert_eq!(file.tensors, twin, "{name}");
    }
    let two = torch::read(&fixture("two.pt"), None).unwrap_err().to_string();
    assert!(two.contains("model, ema") && two.contains("--key"), "{two}");
    let ema = torch::read(&fixture("two.pt"), Some("ema")).unwrap().tensors;
    assert_eq!(ema["fc0.bias"].values[1], 2.0 * twin["fc0.bias"].values[1]);
    let none = torch::read(&fixture("two.pt"), Some("best")).unwrap_err().to_string();
    assert!(none.contains("`best`") && none.contains("`ema`"), "{none}");
}

#[test]
fn views_and_types_of_torch_are_honoured() {
    let tensors = torch::read(&fixture("views.pt"), None).unwrap().tensors;
    let values = |name: &str| tensors[name].values.clone();
    assert_eq!(values("rows"), (4..12).map(f64::from).collect::<Vec<_>>());
    assert_eq!(tensors["turned"].shape, [4, 3]);
    assert_eq!(values("turned")[..4], [0.0, 4.0, 8.0, 1.0]);
    assert_eq!((values("half"), values("brain")), (vec![0.0, 1.0, 2.0], vec![0.0, 1.0, 2.0]));
    assert_eq!(values("double"), [0.0, 1.0 / 3.0]);
    assert_eq!(values("long"), [-5.0, (1_u64 << 40) as f64]);
    assert_eq!((values("bool"), values("scalar")), (vec![1.0, 0.0], vec![2.5]));
    assert_eq!(tensors["empty"].shape, [0, 2]);
    assert_eq!(
        (tensors["complex"].shape.clone(), values("complex")),
        (vec![1, 2, 2], vec![1.0, 2.0, 3.0, -4.0])
    );
    assert_eq!(values("parameter"), [2.0, 3.0]);
}

#[test]
fn what_is_written_is_read_back_and_is_the_same_bytes_twice() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = Recipe { samples: 3, solve_at: 9, every: 2, seed: 1 };
    let data = generate(&recipe, Some(1), &|| ()).unwrap();
    for name in ["a.npz", "a.safetensors"] {
        let (path, again) = (folder.path().join(name), folder.path().join(format!("again-{name}")));
        let about = [("recipe", "a \"quoted\" line\n".to_owned()), ("format", "x".to_owned())];
        write_dataset(&path, &data, &about).unwrap();
        write_dataset(&again, &data, &about).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(&again).unwrap());
        assert_eq!(read_dataset(&path, &Selection::default()).unwrap(), data);
    }
    let header = safetensors::read(&folder.path().join("a.safetensors")).unwrap().metadata;
    assert_eq!(header["recipe"], "a \"quoted\" line\n");
    let other = write_dataset(&folder.path().join("a.mat"), &data, &[]).unwrap_err().to_string();
    assert!(other.contains(".npz or .safetensors"), "{other}");
    let gone = write_dataset(&folder.path().join("no/such/a.npz"), &data, &[]);
    assert!(gone.unwrap_err().to_string().contains("no/such/a.npz"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
}

#[test]
fn errors_name_the_file_and_the_part() {
    let folder = tempfile::tempdir().unwrap();
    let fails = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let text = read_dataset(&path, &Selection::default()).unwrap_err().to_string();
        assert!(text.contains(name), "{text}");
        text
    };
    let read = |name: &str| std::fs::read(fixture(name)).unwrap();
    assert!(fails("empty.npz", b"").contains("no known container"));
    let v5 = read("v5.mat");
    assert!(fails("short.mat", &v5[..v5.len() - 600]).contains("more than the file has left"));
    let packed = read("packed.npz");
    assert!(fails("short.npz", &packed[..packed.len() / 2]).contains("archive"));
    let hdf5 = read("v73.mat");
    fails("short73.mat", &hdf5[..4000]);
    let huge = b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (100000, 100000, 100000), }                                            \n";
    assert!(fails("huge.npy", huge).contains("larger than the file"));
    let long = b"\x93NUMPY\x02\x00\xff\xff\xff\xff{";
    assert!(fails("long.npy", long).contains("claims 4294967295 bytes"));
    assert!(fails("weights.pt", &read("state_dict.pt")).contains("holds weights"));
    let absent = read_dataset(&fixture("weights.safetensors"), &Selection::default())
        .unwrap_err()
        .to_string();
    assert!(absent.contains("`coeff`, `x`") && absent.contains("`fc0.bias`"), "{absent}");
    let beyond = Selection { first: 4, samples: Some(2), every: 1 };
    let text = read_dataset(&fixture("v73.mat"), &beyond).unwrap_err().to_string();
    assert!(text.contains("samples 4 to 5 are asked for, 5 are there"), "{text}");
}

/// Reads a damaged file with every reader; only the absence of a panic is asked for.
fn read_anyhow(bytes: &[u8]) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let _ = read_dataset(file.path(), &Selection::default());
    let _ = torch::read(file.path(), None);
    let _ = safetensors::read(file.path());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damaged_files_are_errors_not_panics(
        which in 0..FIELDS.len() + WEIGHTS.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let name = FIELDS.iter().chain(&WEIGHTS).nth(which).unwrap();
        let mut bytes = std::fs::read(fixture(name)).unwrap();
        for (at, value) in edits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        read_anyhow(&bytes);
    }

    /// Extents and lengths are what a reader allocates by: the first kilobyte holds most of them.
    #[test]
    fn large_numbers_in_headers_are_not_allocated(
        which in 0..FIELDS.len() + WEIGHTS.len(),
        at in 0_usize..4000, width in prop::sample::select(vec![2_usize, 4, 8]),
        value in prop::sample::select(vec![u64::MAX, i64::MAX as u64, 1 << 40, 1 << 31, u64::from(u32::MAX) - 7]),
    ) {
        let name = FIELDS.iter().chain(&WEIGHTS).nth(which).unwrap();
        let mut bytes = std::fs::read(fixture(name)).unwrap();
        let at = at % (bytes.len() - 8);
        bytes[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
        read_anyhow(&bytes);
    }
}
