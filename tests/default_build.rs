//! What a plain `cargo build` leaves out: the engine for datasets takes eight times the rest to build.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

mod support;

use std::process::Command;

/// Names of the packages that a build compiles.
fn packages(features: &[&str]) -> Vec<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let output = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args([
            "tree",
            "--locked",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .args(features)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn polars_is_built_only_when_it_is_asked_for() {
    let plain = packages(&[]);
    assert!(plain.iter().any(|name| name == "rusqlite"), "{plain:?}");
    assert!(!plain.iter().any(|name| name.starts_with("polars")), "{plain:?}");
    let full = packages(&["--features", "full"]);
    assert!(full.iter().any(|name| name == "polars"), "{full:?}");
}

#[cfg(not(feature = "dataset"))]
#[test]
fn a_build_without_the_engine_says_how_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("d")).unwrap();
    std::fs::write(folder.path().join("d/dataset.json"), "{}").unwrap();
    let words: [&[&str]; 3] =
        [&["dataset", "ls", "d"], &["analyze", "d@commit=abc"], &["compare", "d", "--vs", "d"]];
    for words in words {
        let said = support::words::run_in(folder.path(), words);
        assert_eq!(said.code, 2, "{words:?}");
        assert!(said.err.contains("--features dataset"), "{words:?}: {}", said.err);
    }
}
