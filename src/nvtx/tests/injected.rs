//! What arrives at a profiler: a stand-in that writes down every call, loaded as a real one is.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The stand-in, built once.
fn fake() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libfake_profiler.so");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/profiler/fake.rs");
        let status = Command::new(rustc)
            .args(["--crate-type=cdylib", "--edition=2024", "-o"])
            .arg(&library)
            .arg(source)
            .status()
            .unwrap();
        assert!(status.success());
        library
    })
}

/// Runs `child` of this file in a process of its own and returns what the stand-in wrote.
fn calls(child: &str, library: &Path, refuses: bool) -> (Output, String) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let log = folder.join(format!("{child}-{refuses}-{}.log", std::process::id()));
    let _ = fs::remove_file(&log);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", child, "--ignored", "--nocapture", "--test-threads=1"]);
    command.env("NVTX_INJECTION64_PATH", library).env("NVTX_FAKE_LOG", &log);
    if refuses {
        command.env("NVTX_FAKE_REFUSES", "1");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let text = fs::read_to_string(&log).unwrap_or_default();
    let _ = fs::remove_file(&log);
    (output, text)
}

fn everything() {
    {
        let _outer = nvtx::range("latency");
        let _inner = nvtx::range(nvtx::Event::new(c"inner").payload(-3_i64));
        nvtx::mark(nvtx::Event::new("half").payload(0.5).category(9).color(0xff00_00ff));
    }
    nvtx::push(&format!("request {}", 1));
    nvtx::pop();
    let span = nvtx::start("copy");
    std::thread::spawn(move || drop(span)).join().unwrap();
    nvtx::name_thread("server");

    let layers = nvtx::Domain::new("layers");
    let name = layers.register("spectral");
    layers.push(nvtx::Event::new(name).payload(7_u64));
    layers.pop();
    layers.mark("m");
    drop(layers.start("s"));
    drop(layers.range("r"));
}

#[test]
#[ignore = "run by the tests of this file in a process of its own"]
fn child_calls() {
    assert!(nvtx::is_active());
    everything();
}

#[test]
#[ignore = "run by the tests of this file in a process of its own"]
fn child_alone() {
    assert!(!nvtx::is_active());
    everything();
}

#[test]
fn every_call_arrives_as_it_was_made() {
    let (_, log) = calls("child_calls", fake(), false);
    let expected = "push latency\npush inner i64=-3\nmark half f64=0.5 category=9 color=ff0000ff\npop\npop\n\
        push request 1\npop\nstart copy\nend 77\nthread server\n\
        create layers\n3 register spectral\n3 push #5 kind1=7\n3 pop\n3 mark m\n3 start s\n3 end 88\n3 push r\n3 pop\n";
    assert_eq!(log, expected);
}

#[test]
fn a_profiler_that_refuses_or_is_none_changes_nothing() {
    let (_, log) = calls("child_alone", fake(), true);
    assert_eq!(log, "", "it refused, so nothing may arrive");
    for library in ["/no/such/library.so", "", "libc.so.6"] {
        let (output, log) = calls("child_alone", Path::new(library), false);
        assert_eq!(log, "");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{library}");
    }
}
