//! The LaTeX of a report compiles with a plain pdflatex, each template and the hostile trace, without
//! an error and without a line that runs over the margin.
//!
//! Needs pdflatex (Debian: texlive-latex-base, texlive-latex-recommended, texlive-science); says
//! SKIPPED without.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::path::Path;
use std::process::{Command, Stdio};

use support::shared::skipped;
use support::words::run;

const EAGER: &str = "fixtures/traces/wno-request/eager-450.sqlite.zst";
const LOOPED: &str = "fixtures/traces/wno-request/looped-1860.sqlite.zst";
const HOSTILE: &str = "fixtures/traces/hostile-names/hostile-names.sqlite";

/// How far a line may run over, in points: the thickness of a letter's edge.
const TOLERATED_PT: f64 = 1.0;

fn has_latex() -> bool {
    let found = Command::new("pdflatex").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !found {
        skipped("LaTeX of reports: no pdflatex on PATH");
    }
    found
}

fn compile(folder: &Path) -> String {
    let output = Command::new("pdflatex")
        .args(["-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "report.tex"])
        .env("max_print_line", "2000")
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{log}");
    assert!(folder.join("report.pdf").exists());
    log
}

fn overfull(log: &str) -> Vec<&str> {
    let width = |line: &str| -> f64 {
        let rest = line.split('(').nth(1).unwrap_or("");
        rest.split("pt").next().and_then(|width| width.parse().ok()).unwrap_or(0.0)
    };
    log.lines()
        .filter(|line| line.starts_with("Overfull \\hbox") && width(line) > TOLERATED_PT)
        .collect()
}

#[test]
fn every_template_compiles() {
    if !has_latex() {
        return;
    }
    for template in ["paper", "notebook", "brief"] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("report");
        let said = run(&[
            "--no-project",
            "report",
            EAGER,
            LOOPED,
            "-w",
            "latency",
            "--format",
            "tex",
            "--template",
            template,
            "--out",
            out.to_str().unwrap(),
        ]);
        assert_eq!(said.code, 0, "{}", said.err);
        let log = compile(&out);
        assert_eq!(overfull(&log), [] as [&str; 0], "{template}");
    }
}

#[test]
fn the_wide_tables_of_a_comparison_fit() {
    if !has_latex() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (document, out) = (folder.path().join("c.json"), folder.path().join("report"));
    let said = run(&[
        "--no-project",
        "compare",
        EAGER,
        "--vs",
        LOOPED,
        "-w",
        "latency",
        "--format",
        "json",
    ]);
    std::fs::write(&document, said.out).unwrap();
    let (document, folder) = (document.to_str().unwrap(), out.to_str().unwrap());
    let words = ["--no-project", "report", document, "--format", "tex", "--template", "notebook"];
    let said = run(&[&words[..], &["--out", folder]].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    let log = compile(&out);
    assert_eq!(overfull(&log), [] as [&str; 0]);
}

#[test]
fn hostile_names_are_typeset_and_not_run() {
    if !has_latex() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("report");
    let said = run(&[
        "--no-project",
        "report",
        HOSTILE,
        "-w",
        "latency",
        "--format",
        "tex",
        "--template",
        "notebook",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_eq!(said.code, 0, "{}", said.err);
    // What the name asks for lies there, and must not be read.
    std::fs::write(out.join("secret.tex"), "\\errmessage{read}").unwrap();
    let log = compile(&out);
    assert!(!log.contains("secret.tex"), "{log}");
    assert_eq!(overfull(&log), [] as [&str; 0]);
}
