//! The command line itself: help, slips, pipes, colours, definitions, completions, pages, project file.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

mod support;

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;

use support::words::{command, finish, golden, inert, repository, run, run_in};

const EAGER: &str = "fixtures/traces/wno-request/eager-450.sqlite.zst";
const SUBCOMMANDS: [&str; 20] = [
    "analyze",
    "compare",
    "energy",
    "info",
    "windows",
    "classes",
    "power",
    "plot",
    "export",
    "dataset",
    "profile",
    "sample",
    "doctor",
    "report",
    "whatif",
    "sensitivity",
    "scrub",
    "explain",
    "completions",
    "man",
];

#[test]
fn help_is_as_before_and_has_examples() {
    golden("help", &run(&["--help"]).out);
    for name in SUBCOMMANDS {
        let said = run(&[name, "--help"]);
        assert_eq!(said.code, 0, "{name}");
        assert!(
            said.out.contains("Examples:") && said.out.contains(&format!("nsys-attrib {name}")),
            "{name}"
        );
        golden(&format!("help-{name}"), &said.out);
    }
}

#[test]
fn help_of_dataset_is_the_same_in_every_build() {
    for name in ["add", "ls", "query", "check", "compact"] {
        let said = run(&["dataset", name, "--help"]);
        assert!(said.code == 0 && said.out.contains("Examples:"), "{name}");
        golden(&format!("help-dataset-{name}"), &said.out);
    }
}

#[test]
fn no_words_at_all_are_answered_with_help() {
    let said = run(&[]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.err.contains("Usage: nsys-attrib"), "{}", said.err);
}

#[test]
fn slips_are_told_the_right_word() {
    let cases: [(&[&str], &str); 4] = [
        (&["analise", "x"], "'analyze'"),
        (&["info", "--exat", "x"], "'--exact'"),
        (&["windows", "x", "--windw", "latency"], "'--window'"),
        (&["info", "x", "--format", "jsn"], "'json'"),
    ];
    for (words, meant) in cases {
        let said = run(words);
        assert_eq!(said.code, 2);
        assert!(said.err.contains(meant), "{words:?}: {}", said.err);
    }
    assert_eq!(run(&["--jobs", "0", "info", "x"]).code, 2);
    assert_eq!(run(&["info", EAGER, "--jobs", "2"]).code, 0, "global words go anywhere");
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let cases: [&[&str]; 7] = [
        &["info", EAGER],
        &["windows", EAGER, "--format", "json"],
        &["classes", "--rules"],
        &["analyze", EAGER, "--format", "json"],
        &["explain"],
        &["completions", "bash"],
        &["man"],
    ];
    for words in cases {
        let mut child = command(repository(), words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0];
        let mut out = child.stdout.take().unwrap();
        out.read_exact(&mut first).unwrap();
        drop(out);
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), err.as_str()), (Some(0), ""), "{words:?}");
    }
}

#[test]
fn colours_are_for_terminals_only() {
    for words in [&["info", EAGER][..], &["windows", EAGER], &["classes", EAGER], &["explain"]] {
        let plain = run(words);
        inert(&plain.out);
        let asked = finish(command(repository(), words).env("NO_COLOR", "1"));
        assert_eq!(asked, plain, "{words:?}");
    }
}

#[test]
fn definitions_are_found_by_key_part_and_word() {
    assert!(run(&["explain"]).out.contains("\nverdict\n"));
    let said = run(&["explain", "gpu.busy_ns"]);
    assert!(said.out.starts_with("gpu.busy_ns\n") && !said.out.contains("\n\n"), "{}", said.out);
    assert!(run(&["explain", "launch"]).out.contains("api.launch.share"));
    let said = run(&["explain", "containd_share"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("windows.contained_share"), "{}", said.err);
}

#[test]
fn completions_and_pages_name_every_subcommand() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let said = run(&["completions", shell]);
        assert_eq!(said.code, 0);
        for name in SUBCOMMANDS {
            assert!(said.out.contains(name), "{shell} {name}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let said = run_in(folder.path(), &["man", "--out", "pages"]);
    assert_eq!(said.code, 0, "{}", said.err);
    for name in SUBCOMMANDS {
        let page =
            fs::read_to_string(folder.path().join(format!("pages/nsys-attrib-{name}.1"))).unwrap();
        assert!(page.contains(".TH nsys-attrib-") || page.contains(".TH \"nsys-attrib"), "{page}");
    }
    assert_eq!(
        run(&["man"]).out,
        fs::read_to_string(folder.path().join("pages/nsys-attrib.1")).unwrap()
    );
}

/// A folder with a trace, a project file of this text, and a folder `sub/deeper` in it.
fn project(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let trace = repository().join("fixtures/traces/windows/issues-only.sqlite");
    fs::create_dir_all(folder.path().join("sub/deeper")).unwrap();
    fs::copy(&trace, folder.path().join("trace.sqlite")).unwrap();
    fs::copy(&trace, folder.path().join("sub/deeper/trace.sqlite")).unwrap();
    fs::write(folder.path().join("nsys-attrib.toml"), text).unwrap();
    folder
}

fn window_of(folder: &Path, words: &[&str]) -> (String, String) {
    let mut all = vec!["analyze", "trace.sqlite", "--format", "json"];
    all.extend(words);
    let said = run_in(folder, &all);
    assert_eq!(said.code, 0, "{}", said.err);
    let document: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let first = if document["analyses"].is_array() { &document["analyses"][0] } else { &document };
    (first["windows"]["spec"].as_str().unwrap().to_owned(), said.err)
}

#[test]
fn the_project_file_speaks_where_nothing_was_typed() {
    let folder = project("window = 'forward'\nrail = 'VDD_IN'\n");
    let (window, said) = window_of(folder.path(), &[]);
    assert_eq!(window, "forward");
    assert!(said.contains("using window forward from nsys-attrib.toml"), "{said}");
    let (window, said) = window_of(folder.path(), &["-w", "time:0s..1s"]);
    assert_eq!(window, "time:0s..1s");
    assert!(!said.contains("using"), "{said}");
    assert_eq!(window_of(folder.path(), &["--no-project"]).0, "all");
}

#[test]
fn the_project_file_is_found_above_up_to_the_repository() {
    let folder = project("window = ['forward', 'all']\nclasses = 'rules.toml'\n");
    let rule = "[[rule]]\nclass = 'mine'\npattern = '.'\nreason = 'x'\n";
    fs::write(folder.path().join("rules.toml"), rule).unwrap();
    let deeper = folder.path().join("sub/deeper");
    let (window, said) = window_of(&deeper, &[]);
    assert_eq!(window, "forward");
    assert!(said.contains("using window forward, all from ../../nsys-attrib.toml"), "{said}");
    assert!(said.contains("using classes rules.toml from ../../nsys-attrib.toml"), "{said}");
    let said = run_in(&deeper, &["classes", "trace.sqlite", "-w", "all"]);
    assert!(said.out.contains("mine"), "the rules lie beside the file: {}", said.err);
    fs::create_dir(folder.path().join("sub/.git")).unwrap();
    assert_eq!(window_of(&deeper, &[]).0, "all", "a repository is a border");
}

#[test]
fn a_bad_project_file_is_refused_with_its_line() {
    let folder = project("# words\nwindows = 'forward'\n");
    let said = run_in(folder.path(), &["analyze", "trace.sqlite"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    let expected = "nsys-attrib: nsys-attrib.toml:2: unknown field `windows`";
    assert!(
        said.err.starts_with(expected) && said.err.contains("window, classes, rail"),
        "{}",
        said.err
    );
    assert_eq!(run_in(folder.path(), &["info", "trace.sqlite"]).code, 0, "info needs no project");
}
