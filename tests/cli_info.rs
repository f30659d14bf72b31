//! `nsys-attrib info` on the bundled traces, on damaged and odd ones, and on real ones.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

mod support;

use rusqlite::Connection;
use serde_json::Value;
use support::words::{bundled, finish, fits, golden, inert, real_traces, run, run_in};

const EAGER: &str = "fixtures/traces/wno-request/eager-450.sqlite.zst";
const API_ONLY: &str = "fixtures/traces/no-gpu-work/api-only.sqlite";

fn document(words: &[&str]) -> Value {
    let said = run(words);
    assert_eq!(said.code, 0, "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

fn recorded<'a>(info: &'a Value, kind: &str) -> &'a Value {
    let all = info["recorded"].as_array().unwrap();
    all.iter().find(|found| found["kind"] == kind).unwrap()
}

#[test]
fn bundled_traces_are_described_as_before() {
    for path in bundled() {
        let said = run(&["info", &path]);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{path}");
        inert(&said.out);
        let name = path.rsplit('/').next().unwrap().split('.').next().unwrap();
        golden(&format!("info-{name}"), &said.out);
    }
}

#[test]
fn exact_reading_agrees_and_adds_findings() {
    let quick = document(&["info", EAGER, "--format", "json"]);
    let exact = document(&["info", EAGER, "--exact", "--format", "json"]);
    assert_eq!(quick["schema"], "nsys-attrib/info/1");
    assert_eq!((&quick["exact"], &exact["exact"]), (&Value::Bool(false), &Value::Bool(true)));
    assert_eq!(recorded(&quick, "kernels")["exact"], false);
    assert_eq!(recorded(&exact, "kernels")["exact"], true);
    assert_eq!(recorded(&quick, "kernels")["rows"], recorded(&exact, "kernels")["rows"]);
    assert_eq!((&quick["ranges"], &quick["processes"]), (&exact["ranges"], &exact["processes"]));
    assert!(quick["trace"]["sha256"].is_null() && exact["trace"]["sha256"].is_string());

    let twins = "fixtures/traces/backtrace-twins/twins.sqlite";
    let codes = |info: &Value| -> Vec<String> {
        let all = info["findings"].as_array().unwrap();
        all.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
    };
    let twin = "backtrace-twins-dropped".to_owned();
    assert!(!codes(&document(&["info", twins, "--format", "json"])).contains(&twin));
    assert!(codes(&document(&["info", twins, "--exact", "--format", "json"])).contains(&twin));
}

#[test]
fn absent_and_empty_tables_are_told_apart() {
    let info = document(&["info", API_ONLY, "--format", "json"]);
    assert_eq!(recorded(&info, "cuda-api")["state"], "recorded");
    assert_eq!(recorded(&info, "kernels")["state"], "absent");
    assert!(recorded(&info, "kernels")["rows"].is_null(), "missing is null, never 0");
    let remedy = recorded(&info, "kernels")["remedy"].as_str().unwrap();
    assert!(remedy.contains("nsys profile --trace=cuda"), "{remedy}");
    let info =
        document(&["info", "fixtures/traces/backtrace-twins/twins.sqlite", "--format", "json"]);
    assert_eq!(recorded(&info, "copies")["state"], "empty");
    assert_eq!(recorded(&info, "copies")["rows"], 0);
}

#[test]
fn the_suggested_commands_run() {
    for path in bundled() {
        let info = document(&["info", &path, "--format", "json"]);
        for command in info["next"].as_array().unwrap() {
            let words: Vec<&str> = command.as_str().unwrap().split(' ').collect();
            if words[0] == "nsys-attrib" {
                let said = run(&words[1..]);
                assert_eq!(said.code, 0, "{command}\n{}", said.err);
            }
        }
    }
}

#[test]
fn several_traces_are_one_document_and_a_bad_one_hides_none() {
    let infos = document(&["info", EAGER, API_ONLY, "--format", "json"]);
    assert_eq!(infos["schema"], "nsys-attrib/infos/1");
    assert_eq!(infos["infos"].as_array().unwrap().len(), 2);
    let said = run(&["info", "README-that-is-not-there", API_ONLY]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("README-that-is-not-there"), "{}", said.err);
    assert!(said.out.contains("api-only.sqlite"), "{}", said.out);
}

#[test]
fn a_table_that_cannot_be_read_is_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd.sqlite");
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "CREATE TABLE StringIds (id INTEGER PRIMARY KEY, value TEXT);
             CREATE TABLE NVTX_EVENTS (start INTEGER, \"end\" INTEGER, text TEXT);
             CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start PRIMARY KEY, globalTid) WITHOUT ROWID;
             CREATE VIEW broken AS SELECT * FROM nowhere;
             CREATE VIEW seen AS SELECT * FROM StringIds;",
        )
        .unwrap();
    for words in [&["info", "odd.sqlite"][..], &["info", "odd.sqlite", "--exact"]] {
        let said = run_in(folder.path(), words);
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(said.out.contains("table-unreadable"), "{}", said.out);
        assert!(!said.out.contains("no such table"), "{}", said.out);
    }
}

#[test]
fn sampled_processes_are_found_in_long_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.sqlite");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "CREATE TABLE StringIds (id INTEGER PRIMARY KEY, value TEXT);
         CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start INT, \"end\" INT, eventClass INT, globalTid INT,
           correlationId INT, nameId INT);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
           INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME
           SELECT i, i + 1, 0, ((7 + (i > 60000)) << 24) | 9, i, 1 FROM n;",
    )
    .unwrap();
    drop(db);
    let said = run_in(folder.path(), &["info", "long.sqlite", "--format", "json"]);
    let info: Value = serde_json::from_str(&said.out).unwrap();
    let pids: Vec<i64> = info["processes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["pid"].as_i64().unwrap())
        .collect();
    assert_eq!(pids, [7, 8]);
    assert_eq!(info["processes_complete"], false);
    assert_eq!(
        (&recorded(&info, "cuda-api")["rows"], &recorded(&info, "cuda-api")["exact"]),
        (&100_000.into(), &false.into())
    );
}

#[test]
fn narrow_terminals_and_files_get_plain_text() {
    for path in bundled() {
        let mut command = support::words::command(support::words::repository(), &["info", &path]);
        let said = finish(command.env("COLUMNS", "60"));
        // Commands to type and paths are never broken.
        let breakable: Vec<&str> = said
            .out
            .lines()
            .filter(|line| !line.contains("fixtures/") && !line.contains("nsys "))
            .collect();
        fits(&breakable.join("\n"), 66);
    }
}

#[test]
fn every_real_trace_is_described() {
    for path in real_traces() {
        let path = path.display().to_string();
        for words in [&["info", &path][..], &["info", "--exact", &path]] {
            let said = run(words);
            assert_eq!(said.code, 0, "{path}: {}", said.err);
            assert!(said.out.contains("\nNext\n"), "{}", said.out);
            assert!(!said.out.contains("no such table"), "{}", said.out);
            inert(&said.out);
            assert_eq!(run(words), said, "the same bytes twice");
        }
        let info = document(&["info", &path, "--format", "json"]);
        let text = info.to_string();
        assert!(!text.contains("ENVIRONMENT"), "{path}: environments are private");
    }
}
