//! `nsys-attrib classes`: each kernel, its class, the rule that caught it.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

mod support;

use serde_json::Value;
use support::words::{bundled, golden, inert, real_traces, repository, run, run_in};

const LOOPED: &str = "fixtures/traces/wno-request/looped-1860.sqlite.zst";
const COLLIDING: &str = "fixtures/traces/multi-process/colliding-ids.sqlite";
const HOSTILE: &str = "fixtures/traces/hostile-names/hostile-names.sqlite";

fn document(words: &[&str]) -> Value {
    let said = run(words);
    assert_eq!(said.code, 0, "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

#[test]
fn pages_are_as_before() {
    let cases: [(&str, &[&str]); 6] = [
        ("classes-looped", &["classes", LOOPED, "--top", "8"]),
        (
            "classes-looped-window-md",
            &["classes", LOOPED, "-w", "latency", "--format", "md", "--top", "4"],
        ),
        ("classes-colliding", &["classes", COLLIDING]),
        ("classes-colliding-csv", &["classes", COLLIDING, "--format", "csv"]),
        ("classes-hostile", &["classes", HOSTILE]),
        ("classes-rules", &["classes", "--rules"]),
    ];
    for (name, words) in cases {
        let said = run(words);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{name}");
        if !name.ends_with("csv") {
            inert(&said.out);
        }
        golden(name, &said.out);
        assert_eq!(run(words), said, "the same bytes twice");
    }
}

#[test]
fn sums_are_those_of_analyze_and_every_class_has_a_reason() {
    let classes = document(&["classes", LOOPED, "-w", "latency", "--format", "json"]);
    let analysis = document(&["analyze", LOOPED, "-w", "latency", "--format", "json"]);
    assert_eq!(classes["schema"], "nsys-attrib/classes/1");
    assert_eq!(classes["total_ns"], analysis["kernels"]["total_ns"]);
    assert_eq!(classes["classes"], analysis["kernels"]["by_class"]);
    assert_eq!(classes["groups"], analysis["kernels"]["groups"]);
    for kernel in classes["kernels"].as_array().unwrap() {
        let known = kernel["class"] != "unclassified";
        assert_eq!(kernel["by"].is_object(), known, "{kernel}");
    }
}

#[test]
fn the_unclassified_come_first() {
    let said = document(&["classes", COLLIDING, "--format", "json"]);
    let known: Vec<bool> = said["kernels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kernel| kernel["class"] != "unclassified")
        .collect();
    assert!(known.is_sorted() && known.contains(&false) && known.contains(&true), "{known:?}");
}

#[test]
fn the_stub_is_a_rules_file_that_leaves_nothing_unclassified() {
    for trace in [COLLIDING, HOSTILE] {
        let said = run(&["classes", trace]);
        let from = said.out.find("extends = \"default\"").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let rules = folder.path().join("rules.toml");
        std::fs::write(&rules, &said.out[from..]).unwrap();
        let rules = rules.display().to_string();
        let said = document(&["classes", trace, "--classes", &rules, "--format", "json"]);
        assert_eq!(said["unclassified_ns"], 0, "{trace}");
        let users = said["kernels"].as_array().unwrap().iter();
        assert!(users.clone().any(|kernel| kernel["by"]["shipped"] == false));
    }
}

#[test]
fn broken_examples_are_warned_about() {
    let folder = tempfile::tempdir().unwrap();
    let text = "extends = 'default'\n[[rule]]\nclass = 'a'\npattern = 'other'\nreason = 'x'\n\
                examples = ['not this one']\n";
    std::fs::write(folder.path().join("rules.toml"), text).unwrap();
    let trace = repository().join(COLLIDING).display().to_string();
    let said = run_in(folder.path(), &["classes", &trace, "--classes", "rules.toml"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.err.contains("the example `not this one` of rule 1 (a) is caught by no rule"),
        "{}",
        said.err
    );
}

#[test]
fn a_trace_without_kernels_is_refused_in_words() {
    let said = run(&["classes", "fixtures/traces/no-gpu-work/api-only.sqlite"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(
        said.err.contains("no table of kernels") && said.err.contains("--trace=cuda"),
        "{}",
        said.err
    );
    let said = run(&["classes"]);
    assert_eq!(said.code, 2);
}

#[test]
fn real_and_bundled_traces_give_classes_or_a_sentence() {
    let mut all = bundled();
    all.extend(real_traces().iter().map(|path| path.display().to_string()));
    for path in all {
        for words in [&["classes", &path][..], &["analyze", &path, "--window", "all"]] {
            let said = run(words);
            assert!(said.code == 0 || said.code == 2, "{words:?}: {} {}", said.code, said.err);
            assert!(
                !said.err.contains("panicked") && !said.err.contains("no such table"),
                "{}",
                said.err
            );
            if said.code == 2 {
                assert!(said.out.is_empty() && said.err.len() > 60, "{words:?}: {}", said.err);
            }
            inert(&said.out);
        }
    }
}
