//! Datasets, as a user makes them: interrupted and resumed, added twice, by several writers, compacted,
//! damaged; and what the tables say beside what `analyze` says. Sixty small traces; two thousand are in
//! `.ci/long dataset`.
#![cfg(feature = "dataset")]
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::many::{self, Traces};
use support::untraced_run::{TRUTH_MJ, untraced};
use support::words::{Said, command, run_in};

const SMALL: usize = 60;

/// Every file of a dataset but the locks: path below it and bytes.
fn tree(dataset: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![dataset.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(dataset).unwrap().display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else if !name.ends_with("_lock") && name != "_compacting" {
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    files
}

#[track_caller]
fn same(a: &Path, b: &Path) {
    let (a, b) = (tree(a), tree(b));
    let other: Vec<&String> = a
        .keys()
        .filter(|name| !b.contains_key(*name))
        .chain(b.keys().filter(|name| !a.contains_key(*name)))
        .collect();
    assert!(other.is_empty(), "only in one of them: {other:?}");
    for (name, bytes) in &a {
        assert!(bytes == &b[name], "{name} differs");
    }
}

/// The words that add every trace of a folder.
fn add<'a>(traces: &'a Traces, dataset: &'a str) -> Vec<&'a str> {
    let list = traces.list.to_str().unwrap();
    let mut words = vec!["dataset", "add", dataset, "--list", list, "--jobs", "2"];
    words.extend(["--tag", "commit=abc", "--window", many::WINDOW]);
    words
}

fn said(folder: &Path, words: &[&str]) -> Said {
    run_in(folder, words)
}

/// The rows of a query, as JSON.
#[track_caller]
fn rows(folder: &Path, words: &[&str]) -> Vec<Vec<Value>> {
    let words: Vec<&str> = [&["dataset", "query"], words, &["--format", "json"]].concat();
    let said = said(folder, &words);
    assert_eq!(said.code, 0, "{words:?}: {}", said.err);
    let document: Value = serde_json::from_str(&said.out).unwrap();
    serde_json::from_value(document["rows"].clone()).unwrap()
}

#[test]
fn killed_and_resumed_is_the_same_as_in_one_go_and_twice_is_once() {
    killed_and_resumed(SMALL);
}

/// `.ci/long dataset`
#[test]
#[ignore = "takes minutes"]
fn two_thousand_are_killed_and_resumed() {
    killed_and_resumed(2_000);
}

/// Writes traces for `.ci/long dataset-cluster`: `NSYS_ATTRIB_TRACES=FOLDER=COUNT`.
#[test]
#[ignore = "writes where it is told to"]
fn write_traces() {
    let told = std::env::var("NSYS_ATTRIB_TRACES").expect("NSYS_ATTRIB_TRACES=FOLDER=COUNT");
    let (folder, count) = told.rsplit_once('=').unwrap();
    many::write(Path::new(folder), count.parse().unwrap());
}

fn killed_and_resumed(count: usize) {
    let traces = Traces::make(count);
    let folder = traces.folder.path();
    let whole = said(folder, &add(&traces, "whole"));
    assert_eq!(whole.code, 1, "one trace is corrupt: {}", whole.err);
    let expected = format!("{count} added, 0 there already; 1 of them");
    assert!(whole.out.contains(&expected), "{}", whole.out);
    assert!(whole.err.contains("corrupt.sqlite"), "{}", whole.err);

    let half = interrupted(&traces, "resumed");
    assert!((1..count).contains(&half), "killed with {half} of {count} inputs in");
    let check = said(folder, &["dataset", "check", "resumed"]);
    assert!(!check.out.contains("error ["), "nothing is damaged: {}", check.out);
    let resumed = said(folder, &add(&traces, "resumed"));
    let expected = format!("{} added, {half} there already", count - half);
    assert!(resumed.out.contains(&expected), "{} {}", resumed.out, resumed.err);
    same(&folder.join("whole"), &folder.join("resumed"));

    let twice = said(folder, &add(&traces, "whole"));
    let expected = format!("0 added, {count} there already; 1 of them");
    assert!(twice.out.contains(&expected), "{}", twice.out);
    same(&folder.join("whole"), &folder.join("resumed"));
    assert_eq!(said(folder, &["dataset", "check", "whole"]).code, 0);

    let failed =
        rows(folder, &["whole", "select input_path, error from runs where status = 'failed'"]);
    assert_eq!(failed.len(), 1);
    assert!(failed[0][0].as_str().unwrap().ends_with("corrupt.sqlite"), "{failed:?}");
    let blind = "select count(*) as runs from runs where status = 'ok' and api_ns is null and kernel_ns is null";
    assert_eq!(
        rows(folder, &["whole", blind]),
        [[Value::from(1)]],
        "the trace without CUDA is there"
    );
}

/// Starts to add, kills it when some inputs are in; how many are.
fn interrupted(traces: &Traces, dataset: &str) -> usize {
    let folder = traces.folder.path();
    let mut child = command(folder, &add(traces, dataset))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let commits = folder.join(dataset).join("_commits");
    let count = || fs::read_dir(&commits).map_or(0, Iterator::count);
    let begun = Instant::now();
    while count() < traces.paths.len() / 3 && begun.elapsed() < Duration::from_secs(600) {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    count()
}

#[test]
fn tables_say_what_the_analysis_says() {
    let folder = tempfile::tempdir().unwrap();
    let trace =
        support::words::repository().join("fixtures/traces/wno-request/eager-450.sqlite.zst");
    let trace = trace.to_str().unwrap();
    let words = ["analyze", trace, "--window", "latency", "--format", "json"];
    let analysis: Value = serde_json::from_str(&said(folder.path(), &words).out).unwrap();
    assert_eq!(said(folder.path(), &["dataset", "add", "d", trace, "--window", "latency"]).code, 0);

    let one = |sql: &str| rows(folder.path(), &["d", sql]);
    let sums = one(
        "select count(*) as n, sum(length_ns) as l, sum(api_ns) as a, sum(kernel_ns) as k, sum(busy_ns) as b, sum(idle_ns) as i from windows",
    );
    let of = |pointer: &str| analysis.pointer(pointer).unwrap().clone();
    let expected = [
        "/windows/count",
        "/windows/total_ns",
        "/api/total_ns",
        "/kernels/total_ns",
        "/gpu/busy_ns",
        "/gpu/idle_ns",
    ];
    assert_eq!(sums[0], expected.map(of));

    let by_name = |table: &str, columns: &str| -> BTreeMap<String, Vec<Value>> {
        let sql = format!("select name, {columns} from {table} group by name");
        one(&sql)
            .into_iter()
            .map(|row| (row[0].as_str().unwrap().to_owned(), row[1..].to_vec()))
            .collect()
    };
    let api =
        by_name("api", "sum(calls) as calls, sum(time_ns) as time_ns, sum(self_ns) as self_ns");
    for function in of("/api/by_name").as_array().unwrap() {
        let found = &api[function["name"].as_str().unwrap()];
        assert_eq!(*found, ["calls", "time_ns", "self_ns"].map(|key| function[key].clone()));
    }
    let kernels = by_name("kernels", "sum(count) as count, sum(time_ns) as time_ns");
    for kernel in of("/kernels/by_name").as_array().unwrap() {
        let found = &kernels[kernel["name"].as_str().unwrap()];
        assert_eq!(*found, ["count", "time_ns"].map(|key| kernel[key].clone()), "{kernel}");
    }
    let copies = one(
        "select kind, sum(count) as c, sum(time_ns) as t, sum(moved_bytes) as b from copies group by kind order by t desc",
    );
    let known = of("/copies");
    let known = known.as_array().unwrap();
    assert_eq!(copies.len(), known.len());
    for (found, known) in copies.iter().zip(known) {
        assert_eq!(*found, ["kind", "count", "time_ns", "bytes"].map(|key| known[key].clone()));
    }
    let wall = one("select sum(busy_ns) as b from busy")[0][0].as_i64().unwrap()
        + one("select sum(idle_ns) as i from idle")[0][0].as_i64().unwrap();
    assert_eq!(Value::from(wall), of("/windows/total_ns"), "busy and idle are the windows");
}

#[test]
fn a_document_gives_sums_where_the_trace_gives_windows() {
    let folder = tempfile::tempdir().unwrap();
    let trace =
        support::words::repository().join("fixtures/traces/wno-request/looped-1860.sqlite.zst");
    let trace = trace.to_str().unwrap();
    let analysis =
        said(folder.path(), &["analyze", trace, "-w", "latency", "--format", "json"]).out;
    fs::write(folder.path().join("a.json"), analysis).unwrap();
    let add = said(folder.path(), &["dataset", "add", "d", trace, "a.json", "-w", "latency"]);
    assert_eq!(add.code, 0, "{}", add.err);
    let sql = "select count(distinct run_id) as runs, count(*) as n from kernels where window_index is null";
    assert_eq!(rows(folder.path(), &["d", sql])[0][0], Value::from(1));
    let sql =
        "select run_id, sum(count) as count, sum(time_ns) as time_ns from kernels group by run_id";
    let sums = rows(folder.path(), &["d", sql]);
    assert_eq!(sums[0][1..], sums[1][1..], "the same either way");
    let check = said(folder.path(), &["dataset", "check", "d"]);
    assert_eq!(check.code, 1);
    assert!(check.out.contains("dataset-trace-twice"), "{}", check.out);
}

#[test]
fn compacting_changes_no_answer_and_survives_its_own_death() {
    let traces = Traces::make(SMALL);
    let folder = traces.folder.path();
    said(folder, &add(&traces, "d"));
    let ask = |query: &[&str]| rows(folder, &[&["d"], query].concat());
    let queries: [&[&str]; 4] = [
        &["--named", "shares-by-tag", "--set", "tag=commit"],
        &["--named", "kernels-by-tag", "--set", "tag=commit"],
        &["--named", "slowest-windows"],
        &["select * from findings order by run_id, code, message"],
    ];
    let before = queries.map(ask);
    let files = tree(&folder.join("d"));

    let compact = said(folder, &["dataset", "compact", "d"]);
    assert_eq!(compact.code, 0, "{}", compact.err);
    assert_eq!(queries.map(ask), before);
    assert_eq!(said(folder, &["dataset", "check", "d"]).code, 0);
    assert!(tree(&folder.join("d")).len() < files.len() / 5, "{}", compact.out);
    let again = said(folder, &add(&traces, "d"));
    assert!(again.out.contains("0 added, 60 there already"), "{}", again.out);

    // As if it had been killed between its commit and the removal of what it replaced.
    for (name, bytes) in &files {
        let path = folder.join("d").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(queries.map(ask), before, "replaced files do not count");
    let check = said(folder, &["dataset", "check", "d"]);
    assert!(check.code == 1 && check.out.contains("dataset-half-compacted"), "{}", check.out);
    said(folder, &["dataset", "compact", "d"]);
    assert_eq!(said(folder, &["dataset", "check", "d"]).code, 0);
    assert_eq!(queries.map(ask), before);
}

#[test]
fn a_check_names_what_is_wrong() {
    let traces = Traces::make(4);
    let folder = traces.folder.path();
    said(folder, &add(&traces, "d"));
    let files: Vec<String> = tree(&folder.join("d")).into_keys().collect();
    let of = |table: &str| {
        let start = format!("{table}/month=2");
        folder.join("d").join(files.iter().find(|file| file.starts_with(&start)).unwrap())
    };
    let mut bytes = fs::read(of("windows")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(of("windows"), bytes).unwrap();
    fs::copy(of("idle"), of("idle").with_file_name("stray.parquet")).unwrap();
    fs::remove_file(of("api")).unwrap();
    let check = said(folder, &["dataset", "check", "d"]);
    assert_eq!(check.code, 1);
    for code in ["dataset-file-changed", "dataset-file-missing", "dataset-orphan"] {
        assert!(check.out.contains(code), "{code}: {}", check.out);
    }
    let none = said(folder, &["dataset", "check", "."]);
    assert_eq!(none.code, 2);
    assert!(none.err.contains("no dataset"), "{}", none.err);
}

#[test]
fn several_writers_and_shards_make_what_one_makes() {
    let traces = Traces::make(24);
    let folder = traces.folder.path();
    said(folder, &add(&traces, "one"));
    // Two shards, and a third writer that adds everything at the same time.
    let shards = [["--shard", "1/2"], ["--shard", "2/2"], ["--jobs", "1"]];
    let writers = shards.map(|extra| {
        let words = match extra[0] {
            "--jobs" => add(&traces, "many"),
            _ => [add(&traces, "many"), extra.to_vec()].concat(),
        };
        command(folder, &words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    });
    for mut writer in writers {
        writer.wait().unwrap();
    }
    same(&folder.join("one"), &folder.join("many"));
    for part in ["1/2", "2/2"] {
        said(folder, &[add(&traces, "shards"), vec!["--shard", part]].concat());
    }
    same(&folder.join("one"), &folder.join("shards"));
}

#[test]
fn compare_and_report_take_a_part_of_a_dataset() {
    let traces = Traces::make(8);
    let folder = traces.folder.path();
    let path = |at: usize| traces.paths[at].to_str().unwrap();
    for (at, commit) in [(0, "a"), (1, "a"), (2, "b"), (3, "b")] {
        let tag = format!("commit={commit}");
        let words = ["dataset", "add", "d=1/x@y", path(at), "--tag", &tag, "-w", many::WINDOW];
        assert_eq!(said(folder, &words).code, 0);
    }
    let how = ["--format", "json", "-w", many::WINDOW];
    let by_name = [&["compare", path(0), path(1), "--vs", path(2), path(3)], &how[..]].concat();
    let by_tag = [&["compare", "d=1/x@y@commit=a", "--vs", "d=1/x@y@commit=b"], &how[..]].concat();
    let (by_name, by_tag) = (said(folder, &by_name), said(folder, &by_tag));
    assert_eq!((by_tag.code, &by_tag.out), (by_name.code, &by_name.out), "{}", by_tag.err);

    let none = said(folder, &["compare", "d=1/x@y@commit=c", "--vs", "d=1/x@y"]);
    assert_eq!(none.code, 2);
    assert!(none.err.contains("no analysis") && none.err.contains("dataset ls"), "{}", none.err);
    let unknown = said(folder, &["analyze", "d=1/x@y@colour=red"]);
    assert!(unknown.err.contains("no tag `colour`"), "{}", unknown.err);

    let report =
        said(folder, &["report", "d=1/x@y@commit=a", "--out", "report", "-w", many::WINDOW]);
    assert_eq!(report.code, 0, "{}", report.err);
    let check = said(folder, &["report", "--check", "report"]);
    assert_eq!(check.code, 0, "{} {}", check.out, check.err);
}

#[test]
fn answers_come_in_every_format_and_slips_are_told() {
    let traces = Traces::make(4);
    let folder = traces.folder.path();
    said(folder, &add(&traces, "d"));
    let sql = "select window_spec, count(*) as runs, sum(total_ns) as total_ns from runs where status = 'ok' group by window_spec";
    let answer =
        |format: &str| said(folder, &["dataset", "query", "d", sql, "--format", format]).out;
    assert!(answer("csv").starts_with("window_spec,runs,total_ns\n"), "{}", answer("csv"));
    assert!(answer("md").contains("| window spec | runs | total |"), "{}", answer("md"));
    assert!(answer("table").contains("window spec"), "{}", answer("table"));
    assert!(answer("json").contains("nsys-attrib/query/1"));
    let slips: [(&[&str], &str); 6] = [
        (&["dataset", "query", "d", "select nothing from runs"], "nothing"),
        (&["dataset", "query", "d", "selec"], "Tables are windows"),
        (&["dataset", "query", "d", "--named", "shares"], "shipped are api-by-tag"),
        (&["dataset", "query", "d", "--named", "shares-by-tag"], "needs `tag`"),
        (&["dataset", "add", "traces", "x"], "not empty and no dataset"),
        (&["dataset", "add", "d", "no-such-file"], "no-such-file"),
    ];
    for (words, told) in slips {
        let said = said(folder, words);
        assert_eq!(said.code, 2, "{words:?}");
        assert!(said.err.contains(told), "{words:?}: {}", said.err);
    }
    let listed = said(folder, &["dataset", "query", "d", "--named"]);
    assert!(
        listed.out.contains("regressions") && listed.out.contains("before_value"),
        "{}",
        listed.out
    );
    let tags = said(
        folder,
        &["dataset", "add", "d", traces.paths[0].to_str().unwrap(), "-w", many::WINDOW],
    );
    assert!(tags.err.contains("in with other tags"), "{}", tags.err);
}

#[test]
fn a_library_user_gets_frames() {
    use nsys_attrib::dataset::{Dataset, Parameters, layout};
    let traces = Traces::make(4);
    let folder = traces.folder.path();
    said(folder, &add(&traces, "d"));
    let dataset = Dataset::open(&folder.join("d")).unwrap();
    let frame = dataset.query("select * from windows", &Parameters::new()).unwrap();
    let lazy = dataset.scan(&layout::WINDOWS).unwrap().collect().unwrap();
    assert_eq!(frame.shape(), lazy.shape());
    assert_eq!(frame.width(), layout::WINDOWS.columns.len() + 1, "and the month");
}

/// DuckDB and pandas read the files without this program, and every shipped query says the same there.
#[test]
fn duckdb_and_pandas_say_the_same() {
    let Some(python) = python_with("duckdb, pandas, pyarrow") else {
        support::shared::skipped(
            "no Python with duckdb, pandas and pyarrow (set NSYS_ATTRIB_PYTHON)",
        );
        return;
    };
    let traces = Traces::make(SMALL);
    let folder = traces.folder.path();
    for (at, path) in traces.paths.iter().enumerate() {
        let tags = [
            format!("commit={}", ["a", "b"][at % 2]),
            format!("job={}", at % 3),
            format!("rank={at}"),
        ];
        let mut words = vec!["dataset", "add", "d", path.to_str().unwrap(), "-w", many::WINDOW];
        words.extend(tags.iter().flat_map(|tag| ["--tag", tag.as_str()]));
        said(folder, &words);
    }
    let script = support::words::repository().join("templates/cluster/queries_elsewhere.py");
    let output = std::process::Command::new(python)
        .arg(script)
        .args(["d", "--engine", "duckdb", "--pandas", "--check", env!("CARGO_BIN_EXE_nsys-attrib")])
        .args(["--set", "tag=commit", "--set", "before_value=a", "--set", "after_value=b"])
        .current_dir(folder)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert_eq!(text.matches(", the same").count(), 9, "eight queries, and pandas: {text}");
}

fn python_with(modules: &str) -> Option<PathBuf> {
    let python = std::env::var_os("NSYS_ATTRIB_PYTHON").map_or("python3".into(), PathBuf::from);
    let found =
        std::process::Command::new(&python).args(["-c", &format!("import {modules}")]).output();
    found.is_ok_and(|output| output.status.success()).then_some(python)
}

/// The columns of one row, as JSON.
#[track_caller]
fn row(folder: &Path, sql: &str) -> Vec<Value> {
    let mut found = rows(folder, &["d", sql]);
    assert_eq!(found.len(), 1, "{sql}: {found:?}");
    found.remove(0)
}

#[test]
fn run_folders_without_a_trace_are_analyses_of_their_requests() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let mut lengths = BTreeMap::new();
    for (model, seed) in [("dense", 0), ("dense", 1), ("vs", 0), ("vs", 1)] {
        lengths.insert((model, seed), untraced(&folder.join("runs"), model, seed, "VDD_IN"));
    }
    let add = ["dataset", "add", "d", "runs/dense-0-untraced", "runs/dense-1-untraced"];
    let add = [&add[..], &["runs/vs-0-untraced", "runs/vs-1-untraced", "--tag", "day=1"]].concat();
    let added = said(folder, &add);
    assert_eq!(added.code, 0, "{}", added.err);
    let again = said(folder, &add);
    assert!(again.out.contains("0 added, 4 there already"), "{}", again.out);

    let sql = "select input_kind, program, device, windows, total_ns, p50_ns, trace_path, api_ns, month from runs \
               where model = 'vs' and checkpoint = 'seed-1'";
    let mut of = lengths[&("vs", 1)].clone();
    let total: i64 = of.iter().sum();
    of.sort_unstable();
    let median = f64::midpoint(of[199] as f64, of[200] as f64).round() as i64;
    let expected = serde_json::json!([
        "run",
        "synthetic",
        "cuda:0",
        400,
        total,
        median,
        null,
        null,
        "2025-11"
    ]);
    assert_eq!(Value::from(row(folder, sql)), expected);

    // Requests lie on unix time: there is no trace time to say.
    let sql = "select count(*) as n, sum(w.length_ns) as l, min(w.start_unix_ns) - max(r.captured_unix_ns) as apart, \
               count(w.start_ns) as on_trace_time, count(w.calls) as with_calls from windows w join runs r \
               on w.run_id = r.run_id where r.model = 'dense' and r.checkpoint = 'seed-0'";
    let total: i64 = lengths[&("dense", 0)].iter().sum();
    assert_eq!(Value::from(row(folder, sql)), serde_json::json!([400, total, 0, 0, 0]));

    // The energy table says what `energy` says of the folder, and that is near the truth.
    let sql = "select e.rail, e.traced, e.windows_used, e.total_mj, e.dynamic_mj, e.dynamic_low_mj, e.dynamic_high_mj \
               from energy e join runs r on e.run_id = r.run_id where r.model = 'vs' and r.checkpoint = 'seed-0'";
    let found = row(folder, sql);
    let document = said(folder, &["energy", "runs/vs-0-untraced", "--format", "json"]);
    let document: Value = serde_json::from_str(&document.out).unwrap();
    let known = &document["sets"][0]["energy"][0];
    let expected =
        ["rail", "run", "windows_used", "total_mj", "dynamic_mj"].map(|key| known[key].clone());
    assert_eq!(found[..5], expected);
    assert_eq!(found[5..], known["dynamic_ci95_mj"].as_array().unwrap()[..]);
    assert!((found[4].as_f64().unwrap() / TRUTH_MJ - 1.0).abs() < 0.03, "{found:?}");

    let listed = said(folder, &["dataset", "ls", "d", "--format", "csv"]);
    assert_eq!(listed.out.matches("-untraced").count(), 4, "{}", listed.out);
    assert_eq!(said(folder, &["dataset", "check", "d"]).code, 0);
    let words = ["compare", "d@model=dense", "--vs", "d@model=vs", "--pair-by", "checkpoint"];
    let from_dataset = said(folder, &[&words[..], &["--format", "json"]].concat());
    assert_eq!(from_dataset.code, 0, "{}", from_dataset.err);
    let found: Value = serde_json::from_str(&from_dataset.out).unwrap();
    let words = ["compare", "runs/dense-0-untraced", "runs/dense-1-untraced", "--vs"];
    let words = [&words[..], &["runs/vs-0-untraced", "runs/vs-1-untraced"]].concat();
    let from_runs =
        said(folder, &[&words[..], &["--pair-by", "checkpoint", "--format", "json"]].concat());
    let known: Value = serde_json::from_str(&from_runs.out).unwrap();
    assert_eq!(found["quantities"], known["quantities"]);
    assert_eq!(found["energy"], known["energy"]);
}

#[test]
fn a_window_that_needs_a_trace_is_recorded_as_the_reason() {
    let place = tempfile::tempdir().unwrap();
    untraced(place.path(), "dense", 0, "VDD_IN");
    let add = ["dataset", "add", "d", "dense-0-untraced", "--window", "gpu:latency"];
    assert_eq!(said(place.path(), &add).code, 1);
    let found = row(place.path(), "select status, error from runs");
    assert_eq!(found[0], "failed");
    assert!(found[1].as_str().unwrap().contains("gpu:latency"), "{found:?}");
}

#[test]
fn energy_documents_have_energies_and_no_windows() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    untraced(folder, "dense", 0, "VDD_IN");
    let document = said(folder, &["energy", "dense-0-untraced", "--format", "json"]).out;
    fs::write(folder.join("energy.json"), &document).unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let add = said(folder, &["dataset", "add", "d", "energy.json", "dense-0-untraced"]);
    assert_eq!(add.code, 0, "{}", add.err);
    let sql = "select r.windows, r.mean_ns, r.model, e.total_mj, e.refused from runs r join energy e \
               on r.run_id = e.run_id where r.input_kind = 'energy'";
    let set = &document["sets"][0];
    let total = &set["energy"][0]["total_mj"];
    let expected = serde_json::json!([400, set["mean_ns"], null, total, null]);
    assert_eq!(Value::from(row(folder, sql)), expected);
    let sql = "select count(*) as n from windows w join runs r on w.run_id = r.run_id where r.input_kind = 'energy'";
    assert_eq!(row(folder, sql), [Value::from(0)]);
    // It is no analysis: what compares and reports passes it over.
    let report = said(folder, &["analyze", "d", "--format", "json"]);
    assert_eq!(report.code, 0, "{}", report.err);
    assert_eq!(report.out.matches("\"nsys-attrib/analysis/1\"").count(), 1, "{}", report.err);
    assert!(said(folder, &["dataset", "ls", "d"]).out.contains("energy.json"));
}
