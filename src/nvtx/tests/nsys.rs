//! A real nsys sees what was said. Skips, loudly, where there is none.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::io::Write;
use std::path::Path;
use std::process::Command;

const RANGES: usize = 50;

#[test]
#[ignore = "run under nsys by the test below"]
fn child_under_nsys() {
    assert!(nvtx::is_active(), "nsys was not found through NVTX_INJECTION64_PATH");
    let layers = nvtx::Domain::new("layers");
    let name = layers.register("registered-layer");
    for index in 0..RANGES {
        let _latency = nvtx::range(nvtx::Event::new("latency-of-test").payload(index));
        let _layer = layers.range(name);
    }
    let span = nvtx::start("over-threads");
    std::thread::spawn(move || drop(span)).join().unwrap();
    nvtx::mark("mark-of-test");
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[test]
fn a_real_nsys_records_ranges_domains_and_marks() {
    let nsys = std::env::var_os("NSYS_ATTRIB_NSYS").unwrap_or_else(|| "nsys".into());
    if Command::new(&nsys).arg("--version").output().is_err() {
        // Past the harness, which swallows what passing tests print.
        let _ = writeln!(std::io::stderr(), "SKIPPED: NVTX under nsys: no nsys on PATH");
        return;
    }
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("nsys-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let report = folder.join("trace.nsys-rep");
    run(Command::new(&nsys)
        .args([
            "profile",
            "--trace=nvtx",
            "--sample=none",
            "--cpuctxsw=none",
            "--force-overwrite=true",
            "-o",
        ])
        .arg(folder.join("trace"))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "child_under_nsys", "--ignored", "--test-threads=1"]));
    assert!(report.is_file(), "nsys made no report: is its importer missing? (see .ci/setup-nsys)");
    let json = folder.join("trace.json");
    run(Command::new(&nsys).args(["export", "--type=json", "-o"]).arg(&json).arg(&report));
    let json = std::fs::read_to_string(json).unwrap();
    let count = |text: &str| json.matches(text).count();
    assert_eq!(count("\"latency-of-test\""), RANGES);
    assert!(count("\"registered-layer\"") >= 1, "the registered text is in the string table");
    assert_eq!(count("\"over-threads\""), 1);
    assert_eq!(count("\"mark-of-test\""), 1);
    assert_eq!(count("\"layers\""), 1, "the domain has its name");
    std::fs::remove_dir_all(folder).unwrap();
}
