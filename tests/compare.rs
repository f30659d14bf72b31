//! `compare` as a person and a build server meet it: real windows, an injected slow-down that must be
//! found and fail the gate, pairs, doubts, limits, and every format.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::schema::Generation;
use support::spec::{TraceSpec, process, thread};
use support::words::{Said, golden, inert, run};

const EAGER: &str = "fixtures/traces/wno-request/eager-450.sqlite.zst";
const HOSTILE: &str = "fixtures/traces/hostile-names/hostile-names.sqlite";
const CONV: &str = "void implicit_convolve_sgemm<float, float, (int)1024>(int)";
const ADD: &str = "void at::native::vectorized_elementwise_kernel<(int)4, \
    at::native::CUDAFunctor_add<float>, at::detail::Array<char *, (int)3>>(int, T2, T3)";

fn compare(words: &[&str]) -> Said {
    run(&[&["--no-project", "compare"], words].concat())
}

fn json(words: &[&str]) -> Value {
    let said = compare(&[words, &["--format", "json"]].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

/// A trace of `latency` windows: a launch, a convolution, a sum; synthetic. The convolution is `slower`
/// times as long; `seed` makes windows and runs differ a little.
fn trace(folder: &Path, name: &str, slower: f64, seed: i64) -> String {
    const P: i64 = process(77);
    const T: i64 = thread(77, 77);
    let mut spec = TraceSpec::new(Generation::V3_16_1);
    spec.processes.push((P, "program (synthetic)".into()));
    spec.threads.push((T, "main".into()));
    spec.duration = Some(100_000_000);
    for index in 0..8_i64 {
        let noise = (index * 7_919 + seed * 104_729) % 101 * 20;
        let (t, id) = (1_000_000 + index * 2_000_000, 10 * index + 1);
        let conv = ((400_000 + noise) as f64 * slower) as i64;
        let sum = t + 30_000 + conv + 5_000;
        spec.range(T, "latency", t, sum + 100_000 + 10_000);
        spec.call(T, "cudaLaunchKernel_v7000", t + 2_000, t + 12_000, id);
        spec.kernel(P, CONV, t + 30_000, t + 30_000 + conv, id);
        spec.call(T, "cudaLaunchKernel_v7000", t + 14_000, t + 20_000, id + 1);
        spec.kernel(P, ADD, sum, sum + 100_000, id + 1);
        spec.call(T, "cudaStreamSynchronize_v3020", t + 22_000, sum + 104_000, id + 2);
    }
    let path = folder.join(name);
    spec.write_sqlite(&path);
    path.display().to_string()
}

/// A document of some of the windows of a fixture.
fn part_of_eager(folder: &Path, name: &str, words: &[&str]) -> String {
    let base = ["analyze", EAGER, "-w", "latency", "--format", "json"];
    let file = folder.join(name);
    fs::write(&file, run(&[&base, words].concat()).out).unwrap();
    file.display().to_string()
}

fn ns(value: &Value) -> i64 {
    value.as_i64().unwrap()
}

/// Parts add up to the difference and to both sides, to the nanosecond.
#[track_caller]
fn adds_up(document: &Value) {
    let divisions = document["decompositions"].as_array().unwrap();
    assert!(!divisions.is_empty());
    for division in divisions {
        for key in ["a_ns", "b_ns", "delta_ns"] {
            let parts = division["parts"].as_array().unwrap();
            let sum: i64 = parts.iter().map(|part| ns(&part[key])).sum();
            assert_eq!(sum, ns(&division[key]), "{} {key}", division["by"]);
        }
    }
}

fn quantity<'a>(document: &'a Value, name: &str) -> &'a Value {
    let all = document["quantities"].as_array().unwrap();
    all.iter().find(|quantity| quantity["name"] == name).unwrap()
}

fn codes(document: &Value) -> Vec<String> {
    let findings = document["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn early_and_late_windows_of_a_real_trace_differ_a_little_and_surely() {
    let Some(trace) = support::shared::shared_trace("resnet-pytorch-a4500-nsys2024.6-nvtx") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let analysis = |name: &str, words: &[&str]| -> PathBuf {
        let path = trace.to_str().unwrap();
        let base = ["analyze", path, "-w", "forward", "--format", "json"];
        let said = run(&[&base, words].concat());
        assert_eq!(said.code, 0, "{}", said.err);
        let file = folder.path().join(name);
        fs::write(&file, said.out).unwrap();
        file
    };
    let early = analysis("early.json", &["--take", "5"]);
    let late = analysis("late.json", &["--skip", "5"]);
    let words = [early.to_str().unwrap(), "--vs", late.to_str().unwrap()];
    let document = json(&words);
    let latency = quantity(&document, "latency");
    let difference = latency["difference"]["value"].as_f64().unwrap();
    assert!((difference - 105_763.6).abs() < 1.0, "{difference}");
    let ratio = latency["ratio"]["value"].as_f64().unwrap();
    assert!((ratio - 1.006_231).abs() < 1e-5, "{ratio}");
    let low = latency["difference"]["ci95"][0].as_f64().unwrap();
    assert!(low > 0.0, "clear of zero: {low}");
    // The plain bootstrap, as other programs have it: about 0.05 to 0.17 ms.
    let other = &latency["difference"]["also"][0]["ci95"];
    let (low, high) = (other[0].as_f64().unwrap(), other[1].as_f64().unwrap());
    assert!((low - 52_000.0).abs() < 4_000.0 && (high - 169_000.0).abs() < 4_000.0, "{other}");
    adds_up(&document);
    assert!(codes(&document).contains(&"windows-as-units".to_owned()));
    assert!(codes(&document).contains(&"same-trace-on-both-sides".to_owned()));
}

#[test]
fn an_injected_slow_down_is_found_attributed_and_fails_the_gate() {
    let folder = tempfile::tempdir().unwrap();
    let side = |name: &str, slower: f64| -> Vec<String> {
        (0..3).map(|i| trace(folder.path(), &format!("{name}{i}.sqlite"), slower, i)).collect()
    };
    let (before, after) = (side("before", 1.0), side("after", 1.05));
    let mut words: Vec<&str> = before.iter().map(String::as_str).collect();
    words.push("--vs");
    words.extend(after.iter().map(String::as_str));
    words.extend(["--pair-by", "order"]);
    let document = json(&words);
    adds_up(&document);
    let division = document["decompositions"].as_array().unwrap();
    let by_class = division.iter().find(|division| division["by"] == "class").unwrap();
    let first = &by_class["parts"][0];
    assert_eq!(first["name"], "conv/plain", "{by_class:#}");
    let share = first["of_delta"].as_f64().unwrap();
    assert!((share - 1.0).abs() < 1e-6, "all of the difference: {share}");
    assert!(ns(&first["delta_ci95_ns"][0]) > 0);
    let time = quantity(&document, "time(conv/plain)")["ratio"]["value"].as_f64().unwrap();
    assert!((time - 1.05).abs() < 1e-4, "{time}");

    let junit = folder.path().join("gate.xml");
    let gate = ["--fail-on", "latency>+2%", "--fail-on", "time(elementwise)>+2%", "--sure"];
    let told = ["--junit", junit.to_str().unwrap(), "--github"];
    let said = compare(&[words.as_slice(), &gate, &told].concat());
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.out.contains("FAILED   latency>+2%"), "{}", said.out);
    assert!(said.out.contains("passed   time(elementwise)>+2%"), "{}", said.out);
    assert!(said.err.contains("::error title=latency>+2%25::latency changed by"), "{}", said.err);
    let xml = fs::read_to_string(junit).unwrap();
    assert!(xml.contains("tests=\"2\" failures=\"1\" errors=\"0\""), "{xml}");
    assert!(xml.contains("<failure type=\"limit\""), "{xml}");

    let unchanged = compare(&[&before[0], "--vs", &before[1], "--fail-on", "latency>+2%"]);
    assert_eq!(unchanged.code, 0, "{}", unchanged.out);
}

#[test]
fn formats_are_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let analysis = |name: &str, words: &[&str]| part_of_eager(folder.path(), name, words);
    let (a, b) = (analysis("a", &["--take", "10"]), analysis("b", &["--skip", "10"]));
    let sides = [a.as_str(), "--vs", b.as_str()];
    for (name, words) in [
        ("compare", &["--by", "class", "--by", "api"][..]),
        ("compare-kernel", &["--by", "kernel", "--top", "5"]),
        ("compare-md", &["--format", "md", "--top", "4"]),
        ("compare-csv", &["--format", "csv"]),
    ] {
        let said = compare(&[&sides, words].concat());
        assert_eq!(said.code, 0, "{}", said.err);
        inert(&said.out);
        golden(name, &said.out);
    }
    let document = json(&sides);
    adds_up(&document);
    let schema = fs::read_to_string("docs/schema/comparison-1.json").unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&document).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn what_cannot_be_compared_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let a = trace(folder.path(), "a.sqlite", 1.0, 0);
    let b = trace(folder.path(), "b.sqlite", 1.0, 1);
    for (words, told) in [
        (&[a.as_str(), "--vs", &b, "--pair-by", "order"][..], "pairs need at least two inputs"),
        (&[&a, &b, "--vs", EAGER, "--pair-by", "order"], "there are 2 and 1"),
        (&[&a, &b, "--vs", &a, &b, "--pair-by", "checkpoint"], "which checkpoint it ran"),
        (&[&a, "--vs", &b, "--fail-on", "latensy>+2%"], "did you mean `latency`"),
        (&[&a, "--vs", &b, "--fail-on", "latency>2%"], "write +2%"),
        (&[&a, "--vs", &b, "--fail-on", "latency"], "no > or <"),
        (&[&a, "--vs", &b, "--fail-on", "share(launch)>60"], "write 60% or 0.6"),
        (&[&a, "--vs", &b, "--fail-on", "share(launch)>+2"], "write +2pp"),
        (&[&a, "--vs", &b, "--fail-on", "latency=>+2%"], "the signs are >, <, >= and <="),
        (&[&a, &a, "--vs", &b, "--fail-on", "latency>+2%"], "name each input once"),
        (&[&a, &a, "--vs", &b], &format!("side A holds the same windows of {a} twice")),
        (&[&a, "--vs", &b, &b, "--format", "json"], "side B holds the same windows"),
        (&[&a, "--vs", &a, "--fail-on", "latency>+2%"], "both sides hold the same time"),
        (&[&a, "--vs", &b, "--names", "x"], "two different names"),
        (&[&a, "--vs", &b, "--names", ",y"], "two different names"),
        (&[&a, "--vs", &b, "--vs", EAGER], "cannot be used multiple times"),
        (&[&a, "--vs", &b, "--fail-on", "latency>+1e999%"], "too large"),
        (&[&a, "--vs", &b, "--fail-on", "latency>+2"], "write +2% or a unit, as in +0.5ms"),
        (&[&a, "--vs", &b, "-w", "latency", "-w", "all"], "choose one with --window"),
        (&[&a, "--vs", "no-such-file"], "no-such-file"),
        (&[&a], "--vs"),
    ] {
        let said = compare(words);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{words:?}");
        assert!(said.err.contains(told), "{words:?}: {}", said.err);
    }
}

#[test]
fn hidden_rows_are_counted_and_top_0_shows_them() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (trace(folder.path(), "a", 1.0, 0), trace(folder.path(), "b", 1.3, 1));
    let sides = [a.as_str(), "--vs", &b];
    let rows = json(&sides)["quantities"].as_array().unwrap().len();
    let quantities = |words: &[&str]| -> (usize, String) {
        let out = compare(&[&sides, words].concat()).out;
        let table = out.split("What moved (per window)\n").nth(1).unwrap();
        let table = table.split("\n\n").next().unwrap();
        let (notes, rows): (Vec<&str>, Vec<&str>) =
            table.lines().skip(1).partition(|line| line.starts_with("  …"));
        (rows.len(), notes.join("\n"))
    };
    let (shown, note) = quantities(&[]);
    assert!(shown > 3 && shown < rows, "{shown}");
    assert!(note.contains(&format!("{} more rows that do not clearly", rows - shown)), "{note}");
    assert!(note.contains("--top 0 shows all"), "{note}");
    let (shown, note) = quantities(&["--top", "3"]);
    assert!(shown == 3 && note.contains(&format!("{} more rows,", rows - 3)), "{note}");
    assert_eq!(quantities(&["--top", "0"]), (rows, String::new()));
    let md = compare(&[&sides[..], &["--format", "md", "--top", "3"]].concat()).out;
    assert!(md.contains(&format!("*{} more rows: --top 0 shows all", rows - 3)), "{md}");
}

#[test]
fn parts_of_one_trace_are_no_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let part = |skip: &str| -> String {
        let base = ["analyze", EAGER, "-w", "latency", "--format", "json", "--take", "5"];
        let file = folder.path().join(skip);
        fs::write(&file, run(&[&base[..], &["--skip", skip]].concat()).out).unwrap();
        file.display().to_string()
    };
    let (first, second, third) = (part("0"), part("5"), part("10"));
    let document = json(&[&first, &second, "--vs", &third]);
    let code = "units-of-one-trace".to_owned();
    assert!(codes(&document).contains(&code), "{:?}", codes(&document));
    assert!(!codes(&json(&[&first, "--vs", &third])).contains(&code));
}

/// Uneven numbers of windows, so that means have fractions of a nanosecond.
#[test]
fn a_number_is_the_same_wherever_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let analysis = |name: &str, words: &[&str]| part_of_eager(folder.path(), name, words);
    for (take, skip) in [("3", "3"), ("7", "7"), ("11", "13")] {
        let a = analysis("a", &["--take", take]);
        let b = analysis("b", &["--skip", skip]);
        let document = json(&[&a, "--vs", &b]);
        adds_up(&document);
        let mut same = 0;
        for division in document["decompositions"].as_array().unwrap() {
            let of = |name: &str, part: &Value| {
                let quantity = quantity(&document, name);
                let whole = |value: &Value| value.as_f64().unwrap();
                for (x, y) in [
                    (&quantity["a"], &part["a_ns"]),
                    (&quantity["b"], &part["b_ns"]),
                    (&quantity["difference"]["value"], &part["delta_ns"]),
                ] {
                    assert_eq!(whole(x), whole(y), "{name} by {}", division["by"]);
                }
            };
            of("latency", division);
            for part in division["parts"].as_array().unwrap() {
                let name = part["name"].as_str().unwrap();
                match part["of"].as_str().unwrap() {
                    "gpu" if name == "busy" => of("busy", part),
                    "idle" => of(&format!("idle({name})"), part),
                    _ => continue,
                }
                same += 1;
            }
        }
        assert!(same > 15, "{same}");
        // A part of the host's time is never more than that.
        for side in ["a", "b"] {
            let of = |name: &str| quantity(&document, name)[side].as_f64().unwrap();
            assert!(of("idle(dispatch)") <= of("idle(host)"), "{side}");
        }
        assert!(!document.to_string().contains("-0.0,") && !document.to_string().contains("-0.0]"));
        for quantity in document["quantities"].as_array().unwrap() {
            let time = |value: &Value| value.as_f64().unwrap();
            if quantity["unit"] == "ns" {
                let sum = time(&quantity["a"]) + time(&quantity["difference"]["value"]);
                assert_eq!(sum, time(&quantity["b"]), "{quantity}");
            }
        }
    }
}

#[test]
fn texts_are_plain() {
    let folder = tempfile::tempdir().unwrap();
    let analysis = |name: &str, words: &[&str]| part_of_eager(folder.path(), name, words);
    let (a, b) = (analysis("a", &["--take", "10"]), analysis("b", &["--skip", "10"]));
    for format in ["table", "md"] {
        let said = compare(&[&a, "--vs", &b, "--top", "0", "--format", format]).out;
        let words: Vec<&str> = said.split_whitespace().collect();
        assert!(words.join(" ").contains("A has `--take 10`, B has `--skip 10`"), "{said}");
        for zero in ["-0 ", "-0.0 %", "-0.00 %", "-0.00 pp", "+0.00 pp", "450.000", "-0.000"] {
            assert!(!said.contains(zero), "{zero}: {said}");
        }
    }
}

#[test]
fn a_limit_that_is_met_exactly_fails_only_with_an_equals_sign() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (trace(folder.path(), "a", 1.0, 0), trace(folder.path(), "b", 1.0, 1));
    for (limit, code) in [
        ("launches>2", 0),
        ("launches>=2", 1),
        ("launches<2", 0),
        ("launches<=2", 1),
        ("launches>=+0", 1),
        ("launches>+0", 0),
    ] {
        let said = compare(&[&a, "--vs", &b, "--fail-on", limit]);
        assert_eq!(said.code, code, "{limit}: {}", said.out);
    }
    // A value of B has no interval: whether it is surely beyond cannot be said, and a gate does not guess.
    let said = compare(&[&a, "--vs", &b, "--fail-on", "launches>=2", "--sure"]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("unknown  launches>=2"), "{}", said.out);
    assert!(said.out.contains("--sure"), "{}", said.out);
    let said = compare(&[&a, "--vs", &b, "--fail-on", "launches>2", "--sure"]);
    assert_eq!(said.code, 0, "{}", said.out);
    let said = compare(&[&a, "--vs", &b, "--fail-on", "launches>=2"]);
    assert!(said.out.contains("launches of B is 2, at or above 2"), "{}", said.out);
}

#[test]
fn doubts_say_what_makes_groups_hard_to_compare() {
    let folder = tempfile::tempdir().unwrap();
    let a = trace(folder.path(), "a.sqlite", 1.0, 0);
    let same = json(&[&a, "--vs", &a]);
    assert!(codes(&same).contains(&"same-windows-on-both-sides".to_owned()), "{same:#}");
    assert_eq!(quantity(&same, "latency")["difference"]["value"], 0.0);
    let other = json(&[&a, "--vs", EAGER]);
    for code in ["nsys-differs", "gpu-differs", "one-trace-a-side"] {
        let known = codes(&other);
        // The small trace does not say which GPU it ran on; what is not recorded is not compared.
        assert!(known.contains(&code.to_owned()) || code == "gpu-differs", "{code}: {known:?}");
    }
    adds_up(&other);
    let said = compare(&[&a, "--vs", &a, "--format", "csv"]);
    assert!(said.err.contains("same-windows-on-both-sides"), "{}", said.err);
}

#[test]
fn hostile_names_are_inert() {
    for words in [&["--by", "kernel"][..], &["--format", "md", "--by", "kernel"]] {
        let said = compare(&[&[HOSTILE, "--vs", HOSTILE], words].concat());
        assert_eq!(said.code, 0, "{}", said.err);
        inert(&said.out);
        assert!(words.contains(&"md") != said.out.contains("<script>"), "{}", said.out);
    }
}

#[test]
fn a_trace_without_cuda_still_has_a_latency() {
    const NO_CUDA: &str = "fixtures/traces/own-captures/own-nvtx-cpu-nsys2022.4.sqlite.zst";
    let said = compare(&[NO_CUDA, "--vs", NO_CUDA, "-w", "latency", "--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let document: Value = serde_json::from_str(&said.out).unwrap();
    assert!(quantity(&document, "latency")["a"].is_number());
    assert!(document["decompositions"].as_array().unwrap().is_empty());
}

#[test]
fn windows_that_nobody_named_are_not_compared_when_they_differ() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = TraceSpec::new(Generation::V3_16_1);
    spec.processes.push((process(77), "program (synthetic)".into()));
    spec.range(thread(77, 77), "step", 1_000, 9_000);
    spec.call(thread(77, 77), "cudaLaunchKernel_v7000", 2_000, 3_000, 1);
    spec.kernel(process(77), CONV, 4_000, 8_000, 1);
    let nameless = folder.path().join("nameless.sqlite");
    spec.write_sqlite(&nameless);
    let said = compare(&[nameless.to_str().unwrap(), "--vs", EAGER]);
    assert_eq!(said.code, 2, "{}", said.out);
    for part in
        ["no --window was given", "`all` before --vs, `latency` after", "choose with --window"]
    {
        assert!(said.err.contains(part), "{}", said.err);
    }
    // Windows that somebody named may differ, but a whole trace does not spread like requests.
    let whole = folder.path().join("whole");
    fs::write(&whole, run(&["analyze", EAGER, "-w", "all", "--format", "json"]).out).unwrap();
    let some = part_of_eager(folder.path(), "some", &["--take", "19"]);
    let document = json(&[&some, "--vs", whole.to_str().unwrap()]);
    let latency = quantity(&document, "latency");
    assert!(latency["difference"]["ci95"].is_null(), "{latency}");
    assert!(latency["ratio"]["ci95"].is_null(), "{latency}");
    let method = latency["difference"]["method"].as_str().unwrap();
    assert!(method.contains("one side is a single unit"), "{method}");
}

#[test]
fn windows_that_issue_only_say_where_not_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let make = |name: &str, shift: i64| {
        const P: i64 = process(77);
        const T: i64 = thread(77, 77);
        let mut spec = TraceSpec::new(Generation::V3_16_1);
        spec.processes.push((P, "program (synthetic)".into()));
        spec.threads.push((T, "main".into()));
        for index in 0..4_i64 {
            let (t, id) = (1_000_000 + index * 2_000_000, index + 1);
            spec.range(T, "latency", t, t + 100_000 + index * 10 + shift);
            spec.call(T, "cudaLaunchKernel_v7000", t + 2_000, t + 12_000, id);
            // The work runs in the next window's time, none of it in its own.
            spec.kernel(P, CONV, t + 1_990_000, t + 2_060_000 + 3 * index + shift, id);
        }
        let file = path.join(name);
        spec.write_sqlite(&file);
        file.display().to_string()
    };
    let (a, b) = (make("a.sqlite", 0), make("b.sqlite", 7_000));
    let junit = path.join("junit.xml");
    let words = ["--fail-on", "latency>+50%", "--junit", junit.to_str().unwrap()];
    let said = compare(&[&[a.as_str(), "--vs", &b][..], &words].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("\nbut ") && said.out.contains("\nwhere "), "{}", said.out);
    assert!(!said.out.contains("\nwhy "), "{}", said.out);
    let xml = fs::read_to_string(junit).unwrap();
    assert!(xml.contains("<system-err>") && xml.contains("[no-verdict]"), "{xml}");
}
