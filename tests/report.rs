//! `report` as a person meets it: the folder, its files in every format, its provenance, and the check.
//!
//! `BLESS=1 cargo test --test report` writes the golden files anew; read the difference before
//! committing it.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::words::{Said, golden, repository, run, run_in};

const EAGER: &str = "fixtures/traces/wno-request/eager-450.sqlite.zst";
const ISSUES_ONLY: &str = "fixtures/traces/windows/issues-only.sqlite";
const TWINS: &str = "fixtures/traces/backtrace-twins/twins.sqlite";
const NO_CUDA: &str = "fixtures/traces/own-captures/own-nvtx-cpu-nsys2022.4.sqlite.zst";
const HOSTILE: &str = "fixtures/traces/hostile-names/hostile-names.sqlite";

/// A folder with some traces, so that every path is relative and the same on every machine.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn with(traces: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for trace in traces {
            let name = Path::new(trace).file_name().unwrap();
            fs::copy(repository().join(trace), folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    fn say(&self, words: &[&str]) -> Said {
        let mut all = vec!["--no-project", "report"];
        all.extend(words);
        run_in(self.folder.path(), &all)
    }

    #[track_caller]
    fn done(&self, words: &[&str]) -> String {
        let said = self.say(words);
        assert_eq!(said.code, 0, "{words:?}: {}", said.err);
        said.out
    }

    fn text(&self, inside: &str) -> String {
        fs::read_to_string(self.path(inside)).unwrap()
    }

    fn json(&self, inside: &str) -> Value {
        serde_json::from_str(&self.text(inside)).unwrap()
    }

    /// Every file below a folder, by its path in it.
    fn files(&self, inside: &str) -> BTreeMap<String, Vec<u8>> {
        let root = self.path(inside);
        let mut found = BTreeMap::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&root).unwrap().display().to_string();
                    found.insert(name, fs::read(path).unwrap());
                }
            }
        }
        found
    }
}

/// The page without its looks and its script, which are files of their own.
fn bare(page: &str) -> String {
    let mut bare = page.to_owned();
    for (from, to) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let start = bare.rfind(from).unwrap() + from.len();
        let end = start + bare[start..].find(to).unwrap();
        bare.replace_range(start..end, "…");
    }
    let start = bare.find("script-src '").unwrap() + "script-src '".len();
    let end = start + bare[start..].find('\'').unwrap();
    bare.replace_range(start..end, "…");
    bare
}

#[test]
fn every_format_is_as_before() {
    let desk = Desk::with(&[ISSUES_ONLY]);
    desk.done(&["issues-only.sqlite", "-w", "gpu:forward", "--out", "r"]);
    let id = "issues-only-gpu-forward";
    golden("report-md", &desk.text("r/report.md"));
    golden("report-tex", &desk.text("r/report.tex"));
    golden("report-table-tex", &desk.text(&format!("r/tables/{id}-kernels.tex")));
    golden("report-table-csv", &desk.text(&format!("r/csv/{id}-idle.csv")));
    golden("report-html", &bare(&desk.text("r/report.html")));
    golden("report-provenance", &{
        // Hashes of files change with every letter of a template: names and lengths stay out.
        let mut provenance = desk.json("r/provenance.json");
        for file in provenance["files"].as_array_mut().unwrap() {
            file["sha256"] = json!("…");
            file["bytes"] = json!(0);
        }
        provenance["classes"]["sha256"] = json!("…");
        serde_json::to_string_pretty(&provenance).unwrap() + "\n"
    });
    desk.done(&["issues-only.sqlite", "-w", "gpu:forward", "--template", "brief", "--out", "b"]);
    golden("report-brief-md", &desk.text("b/report.md"));
    golden("report-brief-tex", &desk.text("b/report.tex"));
    desk.done(&["issues-only.sqlite", "-w", "gpu:forward", "--template", "notebook", "--out", "n"]);
    golden("report-notebook-md", &desk.text("n/report.md"));
    let document = desk.json(&format!("r/documents/{id}.json"));
    assert_eq!(document["schema"], "nsys-attrib/analysis/1");
}

#[test]
fn the_same_command_gives_the_same_bytes() {
    let desk = Desk::with(&[EAGER]);
    let words = ["eager-450.sqlite.zst", "-w", "latency", "--out", "r"];
    desk.done(&words);
    let first = desk.files("r");
    desk.done(&words);
    assert!(first == desk.files("r"), "the second run differs");
    fs::remove_dir_all(desk.path("r")).unwrap();
    desk.done(&words);
    assert!(first == desk.files("r"), "a fresh run differs");
    assert!(
        !desk.text("r/report.md").contains("20")
            || !desk.text("r/provenance.json").contains("\"date\": \"")
    );
}

#[test]
fn only_a_stamp_adds_a_date() {
    let desk = Desk::with(&[ISSUES_ONLY]);
    desk.done(&["issues-only.sqlite", "-w", "forward", "--out", "r"]);
    assert!(desk.json("r/provenance.json")["date"].is_null());
    desk.done(&["issues-only.sqlite", "-w", "forward", "--out", "r", "--stamp"]);
    let date = desk.json("r/provenance.json")["date"].as_str().unwrap().to_owned();
    assert_eq!(date.len(), 10);
    for page in ["r/report.md", "r/report.tex", "r/report.html"] {
        assert!(
            desk.text(page).contains(&date) || desk.text(page).contains(&date.replace('-', "-{}")),
            "{page}"
        );
    }
}

#[test]
fn the_provenance_names_what_went_in() {
    let desk = Desk::with(&[TWINS]);
    let rules =
        "extends = \"default\"\n[[rule]]\nclass = 'mine'\npattern = 'nothing'\nreason = 'x'\n";
    fs::write(desk.path("rules.toml"), rules).unwrap();
    desk.done(&["twins.sqlite", "-w", "latency", "--classes", "rules.toml", "--out", "r"]);
    let known = desk.json("r/provenance.json");
    assert_eq!(known["inputs"][0]["path"], "twins.sqlite");
    assert_eq!(
        known["inputs"][0]["sha256"],
        desk.json("r/documents/twins-latency.json")["trace"]["sha256"]
    );
    assert_eq!(known["classes"]["path"], "rules.toml");
    assert_eq!(known["command"][0], "nsys-attrib");
    assert_eq!(known["command"][2], "report");
    assert_eq!(known["windows"], json!(["latency"]));
    let files = desk.files("r");
    let listed: Vec<&str> = known["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["path"].as_str().unwrap())
        .collect();
    let present: Vec<&str> =
        files.keys().map(String::as_str).filter(|path| *path != "provenance.json").collect();
    assert_eq!(listed, present);
}

#[test]
fn the_check_tells_a_changed_number_from_a_moved_file() {
    let desk = Desk::with(&[EAGER, ISSUES_ONLY]);
    desk.done(&["eager-450.sqlite.zst", "-w", "latency", "--out", "r"]);
    let said = desk.say(&["--check", "r"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.contains("still give the same numbers"), "{}", said.out);

    // The same trace, unpacked: another file, the same numbers.
    let packed = fs::read(desk.path("eager-450.sqlite.zst")).unwrap();
    fs::write(desk.path("eager-450.sqlite.zst"), zstd::decode_all(packed.as_slice()).unwrap())
        .unwrap();
    let said = desk.say(&["--check", "r"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.contains("the file is another one than it was"), "{}", said.out);

    // Another trace under the name.
    let looped = repository().join("fixtures/traces/wno-request/looped-1860.sqlite.zst");
    fs::copy(looped, desk.path("eager-450.sqlite.zst")).unwrap();
    let said = desk.say(&["--check", "r"]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert!(said.out.contains("api.calls was 11640, is"), "{}", said.out);

    fs::remove_file(desk.path("eager-450.sqlite.zst")).unwrap();
    let said = desk.say(&["--check", "r"]);
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    assert!(said.err.contains("eager-450.sqlite.zst is not there"), "{}", said.err);
    let said = desk.say(&["--check", "nowhere"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("no report lies there"), "{}", said.err);
}

#[test]
fn the_check_sees_a_table_that_was_retouched() {
    let desk = Desk::with(&[ISSUES_ONLY]);
    desk.done(&["issues-only.sqlite", "-w", "forward", "--out", "r"]);
    let table = "r/tables/issues-only-forward-api.tex";
    fs::write(desk.path(table), desk.text(table).replace('1', "2")).unwrap();
    let said = desk.say(&["--check", "r"]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("api.tex: not as it was written"), "{}", said.out);
    // Neither is it overwritten in silence.
    let words = ["issues-only.sqlite", "-w", "forward", "--out", "r"];
    let said = desk.say(&words);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("--force replaces it"), "{}", said.err);
    desk.done(&[&words[..], &["--force"]].concat());
    assert_eq!(desk.say(&["--check", "r"]).code, 0);
}

#[test]
fn the_windows_of_a_project_file_are_those_of_the_check() {
    let desk = Desk::with(&[ISSUES_ONLY]);
    fs::write(desk.path("nsys-attrib.toml"), "window = 'forward'\n").unwrap();
    let said = run_in(desk.folder.path(), &["report", "issues-only.sqlite", "--out", "r"]);
    assert_eq!(said.code, 0, "{}", said.err);
    fs::write(desk.path("nsys-attrib.toml"), "window = 'all'\n").unwrap();
    let said = run_in(desk.folder.path(), &["report", "--check", "r"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
}

#[test]
fn nothing_but_a_report_is_replaced() {
    let desk = Desk::with(&[ISSUES_ONLY]);
    let words = ["issues-only.sqlite", "-w", "forward", "--format", "md", "--out", "mine"];
    fs::create_dir(desk.path("mine")).unwrap();
    fs::write(desk.path("mine/thesis.txt"), "years").unwrap();
    for force in [&[][..], &["--force"]] {
        let said = desk.say(&[&words[..], force].concat());
        assert_eq!(said.code, 2);
        assert!(said.err.contains("left alone"), "{}", said.err);
        assert_eq!(desk.files("mine").len(), 1);
    }
    fs::remove_file(desk.path("mine/thesis.txt")).unwrap();
    desk.done(&words);
    // What a person laid beside it stays; what is no longer made goes.
    fs::create_dir(desk.path("mine/notes")).unwrap();
    fs::write(desk.path("mine/notes/read.txt"), "me").unwrap();
    desk.done(&["issues-only.sqlite", "-w", "forward", "--format", "csv", "--out", "mine"]);
    assert_eq!(desk.text("mine/notes/read.txt"), "me");
    assert!(!desk.path("mine/report.md").exists());
    let left: Vec<String> = fs::read_dir(desk.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert_eq!(left, [] as [String; 0], "nothing temporary is left");
    fs::write(desk.path("file"), "").unwrap();
    assert_eq!(desk.say(&["issues-only.sqlite", "-w", "forward", "--out", "file"]).code, 2);
}

#[test]
fn hostile_names_are_inert_in_every_format() {
    let desk = Desk::with(&[HOSTILE]);
    desk.done(&["hostile-names.sqlite", "-w", "latency", "--template", "notebook", "--out", "r"]);
    for (path, bytes) in desk.files("r") {
        if path.ends_with(".pdf") {
            // A drawing: letters by their place in the font, no text of a trace and no action.
            let action = |name: &[u8]| bytes.windows(name.len()).any(|part| part == name);
            assert!(!action(b"/JavaScript") && !action(b"/URI") && !action(b"/Launch"), "{path}");
            continue;
        }
        let text = String::from_utf8(bytes).unwrap();
        let command = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        // A document and a CSV file keep names as they are, in the quotes of their format.
        if !path.ends_with(".csv") && !path.ends_with(".json") {
            assert!(!text.chars().any(command), "{path}: a control character got through");
            let longest = text
                .lines()
                .filter(|line| !line.starts_with("<script") && !line.contains("@font-face"))
                .map(str::len)
                .max();
            assert!(longest.unwrap_or(0) < 20_000, "{path}: a line of {longest:?} bytes");
        }
        if path.ends_with(".html") {
            assert_eq!(text.matches("<script").count(), 2, "{path}: the data and the page's own");
            assert!(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{path}");
        }
        if path.ends_with(".md") {
            assert!(!text.contains("<script"), "{path}");
            let rows = text.lines().filter(|line| line.starts_with('|'));
            let columns = |row: &str| row.replace("\\|", "").matches('|').count();
            let wide: Vec<&str> = rows.filter(|row| columns(row) > 14).collect();
            assert_eq!(wide, [] as [&str; 0], "a name became a cell");
        }
        if path.ends_with(".tex") {
            let inputs =
                text.lines().filter(|line| line.contains("\\input{") && !line.starts_with('%'));
            let foreign: Vec<&str> =
                inputs.filter(|line| !line.trim().starts_with("\\input{tables/")).collect();
            assert_eq!(foreign, [] as [&str; 0], "{path}");
            assert!(!text.contains("^^"), "{path}");
        }
        if path.ends_with(".csv") {
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            for field in reader
                .records()
                .flat_map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>())
            {
                let formula = field.starts_with(['=', '+', '@', '\t', '\r'])
                    || (field.starts_with('-') && field.parse::<f64>().is_err());
                assert!(!formula, "{path}: {field}");
            }
        }
        if path.ends_with(".json") {
            serde_json::from_str::<Value>(&text).unwrap();
        }
    }
    assert!(desk.text("r/csv/hostile-names-latency-kernels.csv").contains("'=cmd|"));
    // And so they are where a template of the user prints them without a thought.
    fs::write(
        desk.path("own.txt"),
        "{% for f in report.sections[0].tables[1].rows %}{{ f[0].text }}\n{% endfor %}",
    )
    .unwrap();
    desk.done(&[
        "hostile-names.sqlite",
        "-w",
        "latency",
        "--template",
        "own.txt",
        "--format",
        "csv",
        "--out",
        "t",
    ]);
    assert!(!desk.text("t/report.txt").contains('\u{1b}'));
}

#[test]
fn templates_of_the_user_make_one_page() {
    let desk = Desk::with(&[ISSUES_ONLY]);
    let template = "{% import 'macros.md' as m %}{% set s = report.sections[0] %}# {{ s.title }}\n\
                    {{ s.tables | selectattr('name', 'equalto', 'api') | first | markdown_table(3) }}{{ m.facts(s) }}\n";
    fs::write(desk.path("mine.md.j2"), template).unwrap();
    let words = [
        "issues-only.sqlite",
        "-w",
        "forward",
        "--template",
        "mine.md.j2",
        "--format",
        "csv",
        "--out",
        "r",
    ];
    desk.done(&words);
    let page = desk.text("r/report.md");
    assert!(page.starts_with("# forward in issues-only\n| CUDA API | calls |"), "{page}");
    assert!(page.contains("- **launch share**: "), "{page}");
    assert_eq!(desk.json("r/provenance.json")["template"]["path"], "mine.md.j2");
    assert_eq!(desk.say(&["--check", "r"]).code, 0);

    fs::write(desk.path("mine.md.j2"), "line one\n{{ report.titel }}\n").unwrap();
    let said = desk.say(&words);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("template mine.md.j2:2:"), "{}", said.err);
    fs::write(
        desk.path("own.html"),
        "{% extends 'page.html' %}{% block body %}<p>{{ report.title }}</p>{% endblock %}",
    )
    .unwrap();
    desk.done(&["issues-only.sqlite", "-w", "forward", "--template", "own.html", "--out", "h"]);
    assert!(desk.text("h/report.html").contains("<p>forward in issues-only</p>"));
    let said =
        desk.say(&["issues-only.sqlite", "-w", "forward", "--template", "papr", "--out", "x"]);
    assert!(said.code == 2 && said.err.contains("paper, notebook, brief"), "{}", said.err);
}

#[test]
fn documents_and_traces_give_the_same_tables() {
    let desk = Desk::with(&[EAGER]);
    let said = run_in(
        desk.folder.path(),
        &["--no-project", "analyze", "eager-450.sqlite.zst", "-w", "latency", "--format", "json"],
    );
    fs::write(desk.path("a.json"), &said.out).unwrap();
    desk.done(&["a.json", "--out", "d", "--format", "tex"]);
    desk.done(&["eager-450.sqlite.zst", "-w", "latency", "--out", "t", "--format", "tex"]);
    let (from_document, from_trace) = (desk.files("d"), desk.files("t"));
    let tables = |files: &BTreeMap<String, Vec<u8>>| -> Vec<(String, Vec<u8>)> {
        files
            .iter()
            .filter(|(path, _)| path.starts_with("tables/"))
            .map(|(p, b)| (p.clone(), b.clone()))
            .collect()
    };
    assert_eq!(tables(&from_document), tables(&from_trace));
    assert_eq!(desk.say(&["--check", "d"]).code, 0);
}

/// A log of 12 W while the windows run and 4 W around them, 10 ms apart; synthetic.
fn power_log(desk: &Desk, trace: &str) {
    let words = ["--no-project", "analyze", trace, "-w", "latency", "--format", "json"];
    let said = run_in(desk.folder.path(), &words);
    let analysis: Value = serde_json::from_str(&said.out).unwrap();
    let zero = analysis["trace"]["session_start_unix_ns"].as_i64().unwrap();
    let windows = analysis["windows"]["instances"].as_array().unwrap();
    let first = windows[0]["start_ns"].as_i64().unwrap();
    let last = windows[windows.len() - 1]["end_ns"].as_i64().unwrap();
    let mut log =
        "# schema=nsys-attrib-power/1\nmono_ns,real_ns,dur_ns,rail,mv,ma,mw,energy_uj\n".to_owned();
    let mut at = -1_000_000_000;
    while at < last + 1_000_000_000 {
        let power = if (first..last).contains(&at) { 12_000 } else { 4_000 };
        log += &format!("{},{},0,VDD_IN,,,{power},\n", at + 5_000_000_000, zero + at);
        at += 10_000_000;
    }
    fs::write(desk.path("power.csv"), log).unwrap();
}

#[test]
fn power_stands_in_the_tables_and_below_the_timeline() {
    let desk = Desk::with(&[EAGER]);
    power_log(&desk, "eager-450.sqlite.zst");
    desk.done(&[
        "eager-450.sqlite.zst",
        "-w",
        "latency",
        "--power",
        "power.csv",
        "--untraced",
        "--out",
        "r",
    ]);
    let energy = desk.text("r/csv/eager-450-latency-energy.csv");
    assert!(energy.lines().nth(1).unwrap().starts_with("VDD_IN,"), "{energy}");
    let page = desk.text("r/report.html");
    let start = page.find("id=\"report-data\">").unwrap() + "id=\"report-data\">".len();
    let end = start + page[start..].find("</script>").unwrap();
    let data: Value = serde_json::from_str(&page[start..end]).unwrap();
    let power = &data["timelines"]["eager-450-latency"]["windows"][0]["power"];
    assert_eq!(power["high"], json!(12_000.0));
    assert!(power["t"].as_array().unwrap().len() > 4, "{power}");
    assert_eq!(desk.json("r/provenance.json")["power"][0]["path"], "power.csv");
    assert_eq!(desk.say(&["--check", "r"]).code, 0);
    let said = run_in(
        desk.folder.path(),
        &[
            "energy",
            "eager-450.sqlite.zst",
            "-w",
            "latency",
            "--power",
            "power.csv",
            "--format",
            "json",
        ],
    );
    fs::write(desk.path("energy.json"), said.out).unwrap();
    desk.done(&["energy.json", "--out", "e"]);
    assert!(desk.text("e/report.md").contains("| VDD\\_IN |"), "{}", desk.text("e/report.md"));
    let said = desk.say(&["energy.json", "--power", "power.csv", "--out", "x"]);
    assert!(said.code == 2 && said.err.contains("--power needs the trace"), "{}", said.err);
}

#[test]
fn a_comparison_is_a_section_with_its_interval_and_seed() {
    let desk = Desk::with(&[EAGER]);
    let words =
        ["--no-project", "compare", "eager-450.sqlite.zst", "-w", "latency", "--take", "10"];
    let first = run_in(
        desk.folder.path(),
        &[
            "--no-project",
            "analyze",
            "eager-450.sqlite.zst",
            "-w",
            "latency",
            "--take",
            "10",
            "--format",
            "json",
        ],
    );
    let second = run_in(
        desk.folder.path(),
        &[
            "--no-project",
            "analyze",
            "eager-450.sqlite.zst",
            "-w",
            "latency",
            "--skip",
            "10",
            "--format",
            "json",
        ],
    );
    fs::write(desk.path("a.json"), first.out).unwrap();
    fs::write(desk.path("b.json"), second.out).unwrap();
    let said = run_in(
        desk.folder.path(),
        &[words[0], words[1], "a.json", "--vs", "b.json", "--format", "json"],
    );
    assert_eq!(said.code, 0, "{}", said.err);
    let comparison: Value = serde_json::from_str(&said.out).unwrap();
    fs::write(desk.path("c.json"), &said.out).unwrap();
    desk.done(&["c.json", "--out", "r"]);
    let page = desk.text("r/report.md");
    assert!(page.contains("**latency**") && page.contains("95 % from"), "{page}");
    let seeds = &desk.json("r/provenance.json")["seeds"];
    assert_eq!(seeds.as_object().unwrap().values().next().unwrap(), &comparison["seed"]);
    // The parts of the difference add up in the CSV as in the document.
    let csv =
        desk.files("r").into_iter().find(|(path, _)| path.ends_with("by-class.csv")).unwrap().1;
    let mut reader = csv::Reader::from_reader(csv.as_slice());
    let at = reader.headers().unwrap().iter().position(|key| key == "delta_ns").unwrap();
    let deltas: Vec<i64> = reader.records().map(|row| row.unwrap()[at].parse().unwrap()).collect();
    assert_eq!(deltas[0], deltas[1..].iter().sum::<i64>());
    assert_eq!(desk.say(&["--check", "r"]).code, 0);
}

#[test]
fn several_inputs_stand_side_by_side() {
    let desk = Desk::with(&[EAGER, ISSUES_ONLY]);
    desk.done(&["eager-450.sqlite.zst", "issues-only.sqlite", "-w", "all", "--out", "r"]);
    let page = desk.text("r/report.md");
    assert!(page.contains("## All analyses") && page.contains("| eager-450 | all |"), "{page}");
    assert!(desk.path("r/tables/all-overview.tex").exists());
}

#[test]
fn a_trace_without_cuda_makes_a_report_and_slips_are_told() {
    let desk = Desk::with(&[NO_CUDA]);
    let trace = "own-nvtx-cpu-nsys2022.4.sqlite.zst";
    desk.done(&[trace, "-w", "latency", "--out", "r"]);
    assert!(desk.text("r/report.md").contains("no-api-table"));
    for (words, told) in [
        (&["--out", "x"][..], "<INPUT>"),
        (&[trace], "--out"),
        (&[trace, "--out", "x", "-w", "latency", "--timeline", "some"], "--timeline some"),
        (&[trace, "--out", "x", "-w", "latency", "--timeline", "99"], "no instance of that number"),
        (&[trace, "--out", "x", "-w", "latncy"], "nearest first: `latency`"),
        (&["nothing.sqlite", "--out", "x"], "nothing.sqlite"),
    ] {
        let said = desk.say(words);
        assert_eq!(said.code, 2, "{words:?}");
        assert!(said.err.contains(told), "{words:?}: {}", said.err);
        assert!(!desk.path("x").exists(), "{words:?}: a folder was made");
    }
    assert_eq!(run(&["report", "--help"]).code, 0);
}
