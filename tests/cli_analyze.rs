//! `analyze` as a person meets it: the bundled traces through the built binary.
//!
//! `BLESS=1 cargo test --test cli_analyze` writes the golden outputs anew; read the difference
//! before committing it.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const EAGER: &str = "fixtures/traces/wno-request/eager-450.sqlite.zst";
const LOOPED: &str = "fixtures/traces/wno-request/looped-1860.sqlite.zst";
const ISSUES_ONLY: &str = "fixtures/traces/windows/issues-only.sqlite";
const NO_CUDA: &str = "fixtures/traces/own-captures/own-nvtx-cpu-nsys2022.4.sqlite.zst";
const DOMAINS: &str = "fixtures/traces/own-captures/own-nvtx-domains-cpu-nsys2022.4.sqlite.zst";
const HOSTILE: &str = "fixtures/traces/hostile-names/hostile-names.sqlite";

fn run(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nsys-attrib"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("COLUMNS", "110")
        .arg("--no-project")
        .arg("analyze")
        .args(words)
        .output()
        .unwrap()
}

fn stdout(words: &[&str]) -> String {
    let output = run(words);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

fn refusal(words: &[&str]) -> String {
    let output = run(words);
    assert_eq!(output.status.code(), Some(2), "{words:?}");
    assert!(output.stdout.is_empty(), "{words:?} printed a result");
    String::from_utf8(output.stderr).unwrap()
}

fn golden(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, found).unwrap();
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    assert!(known == found, "{} differs:\n{found}", path.display());
}

#[test]
fn a_launch_bound_request() {
    golden("analyze-eager.txt", &stdout(&[EAGER, "--window", "latency"]));
    golden("analyze-eager.md", &stdout(&[EAGER, "-w", "latency", "--format", "md", "--top", "3"]));
}

#[test]
fn a_looped_request() {
    golden("analyze-looped.txt", &stdout(&[LOOPED, "--window", "latency"]));
}

#[test]
fn windows_that_issue_only() {
    golden("analyze-issues-only.txt", &stdout(&[ISSUES_ONLY, "-w", "forward", "--per-window"]));
    golden("analyze-issues-only-gpu.txt", &stdout(&[ISSUES_ONLY, "-w", "gpu:forward"]));
}

#[test]
fn a_trace_without_cuda_still_gives_its_windows() {
    let text = stdout(&[NO_CUDA, "--window", "latency"]);
    assert!(text.contains("20 instances"), "{text}");
    assert!(text.contains("no table of CUDA API calls"), "{text}");
    assert!(text.contains("no-api-table"), "{text}");
    let said = refusal(&[NO_CUDA, "--window", "all"]);
    assert!(said.contains("no CUDA API call and no GPU operation"), "{said}");
}

#[test]
fn names_are_found_in_text_and_in_registered_strings() {
    let count = |spec: &str| {
        let json: serde_json::Value =
            serde_json::from_str(&stdout(&[DOMAINS, "-w", spec, "--format", "json"])).unwrap();
        json["windows"]["count"].as_u64().unwrap()
    };
    assert_eq!(count("latency@wno"), 20, "registered strings, start/end");
    assert_eq!(count("nvtx:/^lat/@wno"), 20);
    assert_eq!(count("nvtx:/^latency$/"), 20);
    // Domains do not separate a bare name: each range of the domain encloses one of the default
    // domain on the same thread, which is dropped and said.
    assert_eq!(count("latency"), 20);
    assert!(stdout(&[DOMAINS, "-w", "latency"]).contains("nested-instances-collapsed"));
}

#[test]
fn latency_is_the_default_window_and_its_absence_is_said() {
    assert_eq!(stdout(&[EAGER]), stdout(&[EAGER, "--window", "latency"]));
    let output = run(&[ISSUES_ONLY]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("taking `all`") && said.contains("`forward`"), "{said}");
}

#[test]
fn a_mistyped_window_names_the_nearest_ranges() {
    let said = refusal(&[EAGER, "--window", "latncy"]);
    assert!(said.contains("nearest first: `latency` (20x)"), "{said}");
    let said = refusal(&[EAGER, "--window", "nvtx:/(/"]);
    assert!(said.contains("regex parse error"), "{said}");
    let said = refusal(&[EAGER, "--window", "latency", "--process", "999"]);
    assert!(said.contains("no process `999`"), "{said}");
    let said = refusal(&[EAGER, "--window", "latency", "--skip", "50"]);
    assert!(said.contains("there are 20, all left out by --skip 50"), "{said}");
    assert!(!said.contains("nearest"), "the name is right: {said}");
    let said = refusal(&[EAGER, "--window", "gpu:gpu:latency"]);
    assert!(said.contains("write `gpu:latency`"), "{said}");
    let said = refusal(&[EAGER, "--window", "latency", "--skip", "-1"]);
    assert!(said.contains("'-1' for '--skip <N>'") && !said.contains("-- -1"), "{said}");
}

#[test]
fn what_failed_and_what_counts_once_is_said() {
    let twice = run(&[EAGER, "-w", "latency", "-w", "latency", "--format", "csv"]);
    assert_eq!(twice.stdout, run(&[EAGER, "-w", "latency", "--format", "csv"]).stdout);
    let said = String::from_utf8_lossy(&twice.stderr);
    assert!(said.contains("`latency` was given more than once; it counts once"), "{said}");

    let some = run(&[EAGER, "no-such.sqlite", "-w", "latency"]);
    assert_eq!(some.status.code(), Some(2));
    let said = String::from_utf8_lossy(&some.stderr);
    assert!(said.contains("1 of 2 inputs could not be analysed"), "{said}");

    // A file stands where a folder should.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let out = file.join("a.perfetto-trace");
    let export = Command::new(env!("CARGO_BIN_EXE_nsys-attrib"))
        .args(["--no-project", "export", EAGER, "-w", "latency", "--to", "perfetto", "-o"])
        .arg(&out)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&export.stderr);
    assert!(said.contains("cannot be written: ") && !said.contains(".nsys-attrib-"), "{said}");
}

#[test]
fn api_numbers_of_moved_windows_are_of_their_cpu_spans() {
    let moved = stdout(&[EAGER, "-w", "gpu:latency"]);
    assert!(moved.contains("CUDA API time in the CPU spans of the moved windows: "), "{moved}");
    assert!(moved.split_whitespace().collect::<Vec<_>>().join(" ").contains("% of the CPU spans"));
    let plain = stdout(&[EAGER, "-w", "latency"]);
    assert!(plain.contains("CUDA API time inside the windows: "), "{plain}");
    assert!(!plain.contains("CPU span"), "{plain}");
}

#[test]
fn words_about_an_idle_gpu_name_the_process() {
    const SHARED: &str = "fixtures/traces/multi-process/colliding-ids.sqlite";
    let said = stdout(&[SHARED, "-w", "latency"]);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("while the GPU is idle for this process alone: others keep it busy"),
        "{said}"
    );
    assert!(said.contains("other processes keep the GPU busy for"), "{said}");
    let alone = stdout(&[EAGER, "-w", "latency"]);
    assert!(!alone.contains("other processes"), "{alone}");
}

#[test]
fn runs_of_kernels_have_no_verdict_by_construction() {
    let said = stdout(&[EAGER, "-w", "kernels:/conv_depthwise/"]);
    assert!(said.contains("verdict  none: ") && !said.contains("gpu-bound:"), "{said}");
    let found: serde_json::Value =
        serde_json::from_str(&stdout(&[EAGER, "-w", "kernels:/./", "--format", "json"])).unwrap();
    assert!(found["verdict"].is_null() || found["verdict"]["kind"] != "gpu-bound");
}

#[test]
fn the_same_command_gives_the_same_bytes() {
    for format in ["table", "json", "csv", "md"] {
        let words = [EAGER, "-w", "latency", "--format", format];
        assert_eq!(stdout(&words), stdout(&words), "{format}");
    }
}

#[test]
fn files_are_written_whole_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("results");
    let listed = stdout(&[EAGER, "-w", "latency", "--out", out.to_str().unwrap()]);
    let mut files: Vec<PathBuf> =
        fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(listed.lines().count(), files.len());
    let names: Vec<String> =
        files.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    for ending in ["json", "md", "api.csv", "kernels.csv", "idle.csv", "instances.csv"] {
        assert!(names.contains(&format!("eager-450.latency.{ending}")), "{names:?}");
    }
    let api = fs::read_to_string(out.join("eager-450.latency.api.csv")).unwrap();
    assert!(
        api.starts_with("name,calls,time_ns,mean_ns,share_pct\ncudaLaunchKernel,9000,"),
        "{api}"
    );
}

#[test]
fn the_tidy_stream_has_one_value_a_row() {
    let text = stdout(&[EAGER, "-w", "latency", "--format", "csv"]);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("trace,window,table,item,quantity,value"));
    assert!(text.contains(&format!("{EAGER},latency,api,cudaLaunchKernel,calls,9000")), "{text}");
}

#[test]
fn hostile_names_are_inert() {
    for format in ["table", "md"] {
        let text = stdout(&[HOSTILE, "-w", "all", "--format", format, "--top", "100"]);
        assert!(!text.contains('\u{1b}'), "{format}: an escape sequence got through");
        assert!(format != "md" || !text.contains("<script"), "markup got through");
        assert!(
            text.lines().all(|line| line.chars().count() < 2_000),
            "{format}: a line is too long"
        );
    }
    let csv = stdout(&[HOSTILE, "-w", "all", "--format", "csv"]);
    assert!(!csv.lines().any(|line| line.contains(",=cmd")), "a formula got through");
}

#[test]
fn windows_from_a_file_and_from_times() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("windows.csv");
    fs::write(&path, "start_ns,end_ns,label\n200000000,300000000,first\n").unwrap();
    let json = |spec: &str| -> serde_json::Value {
        serde_json::from_str(&stdout(&[EAGER, "-w", spec, "--format", "json"])).unwrap()
    };
    let (from_file, from_time) =
        (json(&format!("file:{}", path.display())), json("time:200ms..0.3s"));
    assert_eq!(from_file["windows"]["instances"][0]["label"], "first");
    assert_eq!(from_file["api"], from_time["api"]);
    assert_eq!(from_file["idle"], from_time["idle"]);
    let start = from_file["trace"]["session_start_unix_ns"].as_i64().unwrap();
    let wall =
        format!("start_unix_ns,end_unix_ns\n{},{}\n", start + 200_000_000, start + 300_000_000);
    fs::write(&path, wall).unwrap();
    assert_eq!(json(&format!("file:{}", path.display()))["api"], from_time["api"]);
}

#[test]
fn calls_and_kernels_can_be_windows() {
    let json = |spec: &str| -> serde_json::Value {
        serde_json::from_str(&stdout(&[EAGER, "-w", spec, "--format", "json"])).unwrap()
    };
    let calls = json("api:cudaStreamSynchronize");
    assert_eq!(calls["api"]["by_name"][0]["name"], "cudaStreamSynchronize");
    assert_eq!(calls["api"]["total_ns"], calls["windows"]["total_ns"]);
    let runs = json("kernels:/implicit_convolve/");
    assert!(runs["windows"]["count"].as_u64().unwrap() > 0);
    assert_eq!(runs["gpu"]["busy_ns"], runs["windows"]["total_ns"]);
}

#[test]
fn several_windows_and_explanations() {
    let text = stdout(&[EAGER, "-w", "latency", "-w", "warmup", "--explain"]);
    assert!(text.contains("`latency`") && text.contains("`warmup`"), "{text}");
    assert!(text.contains("What each number means") && text.contains("kernels.tklqt_ns"), "{text}");
}
