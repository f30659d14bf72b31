//! Kernels whose names agree for hundreds of characters stay apart in every format that shortens names.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use support::schema::Generation;
use support::spec::{TraceSpec, process, thread};
use support::words::run_in;

const T: i64 = thread(70, 71);
const P: i64 = process(70);
const KERNELS: usize = 25;

/// 25 kernels: the same 200 characters, an operation of its own, and the same 200 characters again.
fn trace(folder: &Path) {
    let mut spec = TraceSpec::new(Generation::V3_16_1);
    let same = "at::native::vectorized_elementwise_kernel<(int)4, ".repeat(4);
    for index in 0..KERNELS {
        let (t, id) = (1_000_000 + index as i64 * 10_000, 1 + index as i64);
        let name = format!(
            "void {}Operation{index:02}<float>, {}>(int)",
            &same[..195],
            "std::array<char *, (unsigned long)3> ".repeat(6)
        );
        spec.range(T, "latency", t, t + 9_000);
        spec.call(T, "cudaLaunchKernel_v7000", t + 100, t + 1_000, id);
        spec.kernel(P, &name, t + 2_000, t + 8_000 + id, id);
    }
    spec.write_sqlite(&folder.join("trace.sqlite"));
}

/// The operations that a text names, and whether it has the word for each kernel once at least.
fn named(text: &str) -> usize {
    (0..KERNELS).filter(|index| text.contains(&format!("Operation{index:02}"))).count()
}

#[test]
fn in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    trace(folder.path());
    let done = |words: &[&str]| {
        let said = run_in(folder.path(), words);
        assert_eq!(said.code, 0, "{words:?}: {}", said.err);
        said.out
    };
    let analyze = ["analyze", "trace.sqlite", "-w", "latency", "--top", "99"];
    for format in ["table", "md"] {
        let out = done(&[&analyze[..], &["--format", format]].concat());
        assert_eq!(named(&out), KERNELS, "{out}");
    }
    let out = done(&["classes", "trace.sqlite", "--top", "99"]);
    assert_eq!(named(&out), KERNELS, "{out}");

    done(&["report", "trace.sqlite", "-w", "latency", "--top", "99", "--out", "r"]);
    let read = |name: &str| fs::read_to_string(folder.path().join("r").join(name)).unwrap();
    assert_eq!(named(&read("report.md")), KERNELS);
    let tables = fs::read_dir(folder.path().join("r/tables")).unwrap();
    let kernels: Vec<_> = tables
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("kernels"))
        .collect();
    assert_eq!(kernels.len(), 1, "{kernels:?}");
    assert_eq!(named(&fs::read_to_string(&kernels[0]).unwrap()), KERNELS);

    for width in ["column", "text"] {
        let words = ["--top", "99", "--width", width, "-o", "k.svg"];
        done(&[&["plot", "kernels", "trace.sqlite", "-w", "latency"], &words[..]].concat());
        let svg = fs::read_to_string(folder.path().join("k.svg")).unwrap();
        assert_eq!(named(&svg), KERNELS, "{width}");
        let numbers: BTreeSet<&str> = svg.matches("…#").collect();
        assert!(numbers.is_empty(), "the difference has room");
    }
}
