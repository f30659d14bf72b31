//! The committed JSON Schema is that of the types, and real documents obey it.
//!
//! `BLESS=1 cargo test --test schema` writes the schema anew.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::PathBuf;
use std::process::Command;

use nsys_attrib::attribution::document::{Analyses, Analysis};
use nsys_attrib::attribution::{KernelSamples, Lanes};
use nsys_attrib::compare::Comparison;
use nsys_attrib::dataset::document::{Commit, DatasetAbout, QueryDocument};
use nsys_attrib::dataset::layout;
use nsys_attrib::power::curve::PowerCurve;
use nsys_attrib::power::describe::PowerDocument;
use nsys_attrib::power::document::{DecompositionDocument, EnergyDocument};
use nsys_attrib::replay::document::Replay;
use nsys_attrib::replay::sensitivity_document::Sensitivity;
use nsys_attrib::report::paper::Provenance;
use nsys_attrib::runs::{Manifest, Sidecar};
use nsys_attrib::study::Study;
use serde_json::Value;

fn committed(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/schema").join(name)
}

fn check(name: &str, generated: &schemars::Schema) {
    let text = serde_json::to_string_pretty(generated).unwrap() + "\n";
    let path = committed(name);
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    if std::env::var_os("BLESS").is_some() && known != text {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(known == text, "{} is not the schema of the types: run with BLESS=1", path.display());
}

fn document(words: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_nsys-attrib"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("analyze")
        .args(words)
        .args(["--format", "json"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn validate(schema: &str, document: &Value) {
    let schema: Value = serde_json::from_slice(&std::fs::read(committed(schema)).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

const EAGER: &str = "fixtures/traces/wno-request/eager-450.sqlite.zst";
const NO_CUDA: &str = "fixtures/traces/own-captures/own-nvtx-cpu-nsys2022.4.sqlite.zst";

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    check("analysis-1.json", &schemars::schema_for!(Analysis));
    check("analyses-1.json", &schemars::schema_for!(Analyses));
    check("kernel-samples-1.json", &schemars::schema_for!(KernelSamples));
    check("power-curve-1.json", &schemars::schema_for!(PowerCurve));
    check("lanes-1.json", &schemars::schema_for!(Lanes));
    check("comparison-1.json", &schemars::schema_for!(Comparison));
    check("energy-1.json", &schemars::schema_for!(EnergyDocument));
    check("decomposition-1.json", &schemars::schema_for!(DecompositionDocument));
    check("replay-1.json", &schemars::schema_for!(Replay));
    check("sensitivity-1.json", &schemars::schema_for!(Sensitivity));
    check("power-1.json", &schemars::schema_for!(PowerDocument));
    check("report-1.json", &schemars::schema_for!(Provenance));
    check("manifest-1.json", &schemars::schema_for!(Manifest));
    check("sidecar-1.json", &schemars::schema_for!(Sidecar));
    check("study-1.json", &schemars::schema_for!(Study));
    check("dataset-1.json", &schemars::schema_for!(DatasetAbout));
    check("dataset-commit-1.json", &schemars::schema_for!(Commit));
    check("query-1.json", &schemars::schema_for!(QueryDocument));
}

/// The tables of a dataset as `docs/dataset.md` prints them.
fn tables() -> String {
    let mut text = String::new();
    for table in layout::TABLES {
        text += &format!("\n### `{}`\n\nA row is {}.\n\n", table.name, table.row);
        text += "| column | type | what it is |\n|---|---|---|\n";
        for column in table.columns {
            text += &format!("| `{}` | {} | {} |\n", column.name, column.kind.sql(), column.what);
        }
    }
    text + "\n"
}

#[test]
fn the_documented_tables_are_those_of_the_layout() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/dataset.md");
    let known = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = known.split_once("<!-- tables -->\n").unwrap();
    let (said, after) = rest.split_once("<!-- /tables -->").unwrap();
    if std::env::var_os("BLESS").is_some() {
        let text = format!("{before}<!-- tables -->\n{}<!-- /tables -->{after}", tables());
        std::fs::write(&path, text).unwrap();
        return;
    }
    assert!(said == tables(), "docs/dataset.md: the tables are others: run with BLESS=1");
}

#[test]
fn documents_obey_the_schema_and_read_back_the_same() {
    for words in [[EAGER, "-w", "latency"], [NO_CUDA, "-w", "latency"], [EAGER, "-w", "all"]] {
        let document = document(&words);
        validate("analysis-1.json", &document);
        let read: Analysis = serde_json::from_value(document.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), document);
    }
}

#[test]
fn a_replay_obeys_its_schema_and_reads_back_the_same() {
    let output = Command::new(env!("CARGO_BIN_EXE_nsys-attrib"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["whatif", EAGER, "-w", "latency", "--change", "host x0.5", "--format", "json"])
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    validate("replay-1.json", &document);
    let read: Replay = serde_json::from_value(document.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), document);
}

#[test]
fn several_analyses_make_one_document() {
    let document = document(&[EAGER, NO_CUDA, "-w", "latency"]);
    assert_eq!(document["schema"], "nsys-attrib/analyses/1");
    validate("analyses-1.json", &document);
}
