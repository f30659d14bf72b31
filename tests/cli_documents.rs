//! Documents as inputs: what was written as JSON is shown again, and options that cannot apply to it
//! any more are refused with a word about what it holds.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

mod support;

use std::fs;
use std::path::PathBuf;

use support::words::run;

const EAGER: &str = "fixtures/traces/wno-request/eager-450.sqlite.zst";

/// The document that `analyze` writes with these words.
fn document(folder: &tempfile::TempDir, name: &str, words: &[&str]) -> PathBuf {
    let said = run(&[&["analyze", EAGER, "--format", "json"], words].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    let path = folder.path().join(name);
    fs::write(&path, said.out).unwrap();
    path
}

#[test]
fn a_document_is_shown_as_the_trace_was() {
    let folder = tempfile::tempdir().unwrap();
    // No name says what it is.
    let path = document(&folder, "result", &["-w", "latency"]);
    for format in ["table", "md", "csv", "json"] {
        let from_trace = run(&["analyze", EAGER, "-w", "latency", "--format", format]);
        let again = run(&["analyze", path.to_str().unwrap(), "--format", format]);
        assert_eq!((again.code, again.out), (0, from_trace.out), "{format}");
    }
}

#[test]
fn options_that_do_not_match_a_document_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = document(&folder, "a.json", &["-w", "latency", "--skip", "1"]);
    let path = path.to_str().unwrap();
    for (words, told) in [
        (&["-w", "forward"][..], "this document was made for `latency`"),
        (&["--skip", "2"], "--skip applies where a trace is read"),
        (&["--take", "1"], "--take applies"),
        (&["--attribute", "overlap"], "made with another one (launched)"),
        (&["--own-thread"], "--own-thread applies"),
        (&["--process", "x"], "--process applies"),
        (&["--classes", "templates/kernel-classes.toml"], ""),
        (&["--power", "x.csv"], "--power needs the trace"),
    ] {
        let said = run(&[&["analyze", path], words].concat());
        let expected = if told.is_empty() { 0 } else { 2 };
        assert_eq!(said.code, expected, "{words:?}: {}", said.err);
        assert!(said.err.contains(told), "{words:?}: {}", said.err);
    }
    let same = run(&["analyze", path, "-w", "latency", "--skip", "1"]);
    assert_eq!(same.code, 0, "{}", same.err);
}

#[test]
fn a_document_of_several_windows_is_searched_for_the_one_typed() {
    let folder = tempfile::tempdir().unwrap();
    let path = document(&folder, "both.json", &["-w", "latency", "-w", "all"]);
    let said = run(&["analyze", path.to_str().unwrap(), "-w", "all", "--format", "csv"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.lines().skip(1).all(|line| line.contains(",all,")), "{}", said.out);
}

/// The keys of every object in the order of the alphabet, as `jq -S` writes them.
fn sorted(path: &std::path::Path) {
    let text = fs::read_to_string(path).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    fn sort(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Object(map) => {
                let sorted: std::collections::BTreeMap<_, _> =
                    map.into_iter().map(|(key, value)| (key, sort(value))).collect();
                sorted.into_iter().collect::<serde_json::Map<_, _>>().into()
            }
            serde_json::Value::Array(list) => list.into_iter().map(sort).collect(),
            other => other,
        }
    }
    // Far from the beginning, as in a large document.
    let text = serde_json::to_string(&sort(value)).unwrap();
    fs::write(path, text.replacen('{', &format!("{{{}", " ".repeat(100_000)), 1)).unwrap();
}

#[test]
fn documents_whose_keys_were_sorted_are_the_same_documents() {
    let folder = tempfile::tempdir().unwrap();
    for (name, words) in
        [("one.json", &["-w", "latency"][..]), ("two.json", &["-w", "latency", "-w", "all"])]
    {
        let path = document(&folder, name, words);
        let path = path.to_str().unwrap();
        let before = run(&["analyze", path, "--format", "csv"]);
        assert_eq!(before.code, 0, "{}", before.err);
        sorted(std::path::Path::new(path));
        let text = fs::read_to_string(path).unwrap();
        assert!(text.find("\"schema\"").unwrap() > 100_000);
        assert_eq!(run(&["analyze", path, "--format", "csv"]), before, "{name}");
    }
}

#[test]
fn damaged_documents_and_other_kinds_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = document(&folder, "a.json", &["-w", "latency"]);
    let text = fs::read_to_string(&path).unwrap();
    let cut = folder.path().join("cut.json");
    fs::write(&cut, &text[..text.len() / 2]).unwrap();
    let said = run(&["analyze", cut.to_str().unwrap()]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("not a whole `nsys-attrib/analysis/1` document"), "{}", said.err);
    assert!(said.err.contains("line "), "{}", said.err);

    let other = folder.path().join("plan.json");
    fs::write(&other, "{\"schema\": \"nsys-attrib/study/1\"}").unwrap();
    let said = run(&["analyze", other.to_str().unwrap()]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("a `nsys-attrib/study/1` document"), "{}", said.err);

    let said = run(&["energy", path.to_str().unwrap()]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("an analysis without energy"), "{}", said.err);
}
