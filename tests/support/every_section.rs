//! What a report can show beside plain analyses, as files in one folder: a power log beside a trace, predictions of
//! `whatif`, a comparison, energies, and the folder of a run without a trace. Power and the run are synthetic.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::simulated_run;
use super::words::run;

const EAGER: &str = "fixtures/traces/wno-request/eager-450.sqlite.zst";
const LOOPED: &str = "fixtures/traces/wno-request/looped-1860.sqlite.zst";

pub struct Sections {
    folder: tempfile::TempDir,
}

impl Sections {
    pub fn make() -> Self {
        let sections = Self { folder: tempfile::tempdir().unwrap() };
        let analysis = document(&["analyze", EAGER, "-w", "latency"]);
        let analysis = serde_json::from_str(&analysis).unwrap();
        fs::write(sections.path("power.csv"), log_beside(&analysis)).unwrap();
        let log = sections.text("power.csv");
        let changes = ["--change", "launch-cost x0.5", "--change", "host x0.5"];
        let predict = [&["whatif", EAGER, "-w", "latency"][..], &changes].concat();
        let compare = ["compare", EAGER, "--vs", LOOPED, "-w", "latency"];
        let energy = ["energy", EAGER, "-w", "latency", "--power", &log, "--untraced"];
        for (name, words) in
            [("whatif.json", &predict[..]), ("compare.json", &compare), ("energy.json", &energy)]
        {
            fs::write(sections.path(name), document(words)).unwrap();
        }
        simulated_run::write(&sections.path("untraced"), false, 0);
        sections
    }

    pub fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    fn text(&self, inside: &str) -> String {
        self.path(inside).display().to_string()
    }

    /// Inputs of a report: a trace with power beside it.
    pub fn with_power(&self) -> Vec<String> {
        let words = [EAGER, "-w", "latency", "--untraced", "--power"];
        words.iter().map(|word| (*word).to_owned()).chain([self.text("power.csv")]).collect()
    }

    /// Inputs of a report: everything that needs no trace.
    pub fn without_trace(&self) -> Vec<String> {
        ["whatif.json", "compare.json", "energy.json", "untraced"]
            .map(|name| self.text(name))
            .into()
    }
}

fn document(words: &[&str]) -> String {
    let said = run(&[words, &["--format", "json", "--no-project"]].concat());
    assert_eq!(said.code, 0, "{words:?}: {}", said.err);
    said.out
}

/// A log on the trace's clock, a reading each 10 ms: 12 W from the first to the last window, 4 W around.
fn log_beside(analysis: &Value) -> String {
    let zero = analysis["trace"]["session_start_unix_ns"].as_i64().unwrap();
    let windows = analysis["windows"]["instances"].as_array().unwrap();
    let first = windows[0]["start_ns"].as_i64().unwrap();
    let last = windows[windows.len() - 1]["end_ns"].as_i64().unwrap();
    let mut log =
        "# schema=nsys-attrib-power/1\nmono_ns,real_ns,dur_ns,rail,mv,ma,mw,energy_uj\n".to_owned();
    let readings = (last + 2_000_000_000) / 10_000_000;
    for n in 0..readings {
        let at = n * 10_000_000 - 1_000_000_000;
        let power = if (first..last).contains(&at) { 12_000 } else { 4_000 } + n * 37 % 110;
        log += &format!("{},{},0,VDD_IN,,,{power},\n", at + 5_000_000_000, zero + at);
    }
    log
}
