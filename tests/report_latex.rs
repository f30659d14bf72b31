//! The LaTeX of a report compiles with a plain pdflatex, each template and the hostile trace, without
//! an error and without a line that runs over the margin.
//!
//! Needs pdflatex (Debian: texlive-latex-base, texlive-latex-recommended, texlive-science); says
//! SKIPPED without.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::path::Path;
use std::process::{Command, Stdio};

use support::every_section::Sections;
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

/// A comparison with long paths and kernel names, limits and findings, in every template.
#[test]
fn a_comparison_fits_and_its_numbers_are_set_as_numbers() {
    if !has_latex() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("a_folder_with_a_long_name/and_another_one_for_these_traces");
    std::fs::create_dir_all(&long).unwrap();
    let copy = |from: &str, name: &str| -> String {
        let to = long.join(name);
        std::fs::copy(from, &to).unwrap();
        to.display().to_string()
    };
    let a = copy(EAGER, "request_without_grouped_convolutions_first.sqlite.zst");
    let b = copy(LOOPED, "request_with_looped_convolutions_second.sqlite.zst");
    let document = folder.path().join("c.json").display().to_string();
    let limits = ["--fail-on", "latency>+2%", "--fail-on", "share(dense-convolution)>=0.6"];
    let words = ["--no-project", "compare", &a, "--vs", &b, "-w", "latency", "--format", "json"];
    std::fs::write(&document, run(&[&words[..], &limits].concat()).out).unwrap();
    for template in ["paper", "notebook", "brief"] {
        let out = folder.path().join(template);
        let place = out.to_str().unwrap();
        let words = ["--no-project", "report", &document, "--format", "tex", "--out", place];
        let said = run(&[&words[..], &["--template", template]].concat());
        assert_eq!(said.code, 0, "{}", said.err);
        let log = compile(&out);
        assert_eq!(overfull(&log), [] as [&str; 0], "{template}");
        keep_pages(&out, &format!("compare-{template}"));
    }
    let table = |name: &str| {
        let path = folder.path().join(format!("paper/tables/compare-b-against-a-{name}.tex"));
        std::fs::read_to_string(path).unwrap()
    };
    for name in ["quantities", "quantities-shares", "quantities-counts", "by-class"] {
        let text = table(name);
        // The first column has names; every other one is siunitx's, with one unit in its heading.
        let columns = text.lines().skip_while(|line| !line.starts_with("\\begin{tabular}"));
        let columns: Vec<&str> =
            columns.skip(1).take_while(|line| !line.starts_with("@{}")).map(str::trim).collect();
        let last = columns.len() - usize::from(name == "by-class");
        assert!(columns[1..last].iter().all(|column| column.starts_with("S[")), "{columns:?}");
        assert!(!text.lines().any(|line| line.contains("~\\textmu{}s &")), "{text}");
    }
    assert!(
        table("quantities").contains("\\si{\\milli\\second}")
            && table("quantities").contains("-35.59")
    );
}

/// Predictions, power, energies, a run without a trace; and each figure's own caption, as a paper takes it in.
#[test]
fn predictions_power_and_energies_compile_with_their_captions() {
    if !has_latex() {
        return;
    }
    let sections = Sections::make();
    for (name, inputs) in
        [("power", sections.with_power()), ("documents", sections.without_trace())]
    {
        let out = sections.path(name);
        let mut words = vec!["--no-project", "report", "--template", "notebook", "--format", "tex"];
        words.extend(["--out", out.to_str().unwrap()]);
        words.extend(inputs.iter().map(String::as_str));
        let said = run(&words);
        assert_eq!(said.code, 0, "{}", said.err);
        let log = compile(&out);
        assert_eq!(overfull(&log), [] as [&str; 0], "{name}");
        assert!(!log.contains("LaTeX Warning: Reference") && !log.contains("undefined"), "{log}");
        keep_pages(&out, name);
    }
    let tex = |path: &str| std::fs::read_to_string(sections.path(path)).unwrap();
    let figures = tex("power/report.tex") + &tex("documents/report.tex");
    for shown in ["power", "what-if", "change", "energy"] {
        let drawn =
            figures.lines().any(|line| line.contains("includegraphics") && line.contains(shown));
        assert!(drawn, "{shown}: {figures}");
    }
    captions(&sections);
}

/// Figures of `plot` and `whatif --tornado` with the captions that lie beside them.
fn captions(sections: &Sections) {
    let folder = sections.path("captions");
    std::fs::create_dir_all(&folder).unwrap();
    let place = |name: &str| folder.join(name).display().to_string();
    let power = sections.with_power();
    let power: Vec<&str> = power.iter().map(String::as_str).collect();
    let run_folder = sections.path("untraced").display().to_string();
    let compared = sections.path("compare.json").display().to_string();
    let mut body = String::new();
    for (name, words) in [
        ("power", [&["plot", "power"][..], &power].concat()),
        ("untraced", vec!["plot", "power", &run_folder]),
        ("energy", vec!["plot", "energy", &run_folder]),
        ("compare", vec!["plot", "compare", &compared, "--by", "class"]),
    ] {
        let picture = place(&format!("{name}.pdf"));
        let said = run(&[&words[..], &["--no-project", "-o", &picture]].concat());
        assert_eq!(said.code, 0, "{name}: {}", said.err);
        body += &figure(name);
    }
    let tornado = place("tornado.pdf");
    let said = run(&["whatif", EAGER, "-w", "latency", "--no-project", "--tornado", &tornado]);
    assert_eq!(said.code, 0, "{}", said.err);
    body += &figure("tornado");
    let preamble = "\\documentclass{article}\n\\usepackage[utf8]{inputenc}\n\\usepackage[T1]{fontenc}\n\\usepackage{graphicx}\n\\usepackage[a4paper,margin=15mm]{geometry}\n";
    let text = format!("{preamble}\\begin{{document}}\n{body}\\end{{document}}\n");
    std::fs::write(folder.join("report.tex"), text).unwrap();
    let log = compile(&folder);
    assert_eq!(overfull(&log), [] as [&str; 0], "captions");
    keep_pages(&folder, "captions");
}

fn figure(name: &str) -> String {
    format!(
        "\\begin{{figure}}\\centering\\includegraphics{{{name}.pdf}}\n\\input{{{name}.tex}}\\end{{figure}}\n"
    )
}

/// Pictures of the pages, to look at: below the target folder, in `report-pages/`, where there is pdftoppm.
fn keep_pages(folder: &Path, name: &str) {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../report-pages");
    std::fs::create_dir_all(&kept).unwrap();
    let done = Command::new("pdftoppm")
        .args(["-r", "80", "-png"])
        .arg(folder.join("report.pdf"))
        .arg(kept.join(format!("latex-{name}")))
        .status();
    if !done.is_ok_and(|status| status.success()) {
        skipped("pictures of LaTeX pages: no pdftoppm on PATH");
    }
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
