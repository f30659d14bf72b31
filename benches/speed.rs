//! How long the parts of an analysis take: reading, sweeping, classifying, all of it.
//!
//! `cargo bench` takes 10^4 and 10^6 events (calls and operations together); with
//! `NSYS_ATTRIB_BENCH_LARGE=1` also 10^7. Compare the lines of one run with each other: absolute times
//! depend on the machine.
#![allow(clippy::unwrap_used, reason = "a benchmark may fail")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use divan::Bencher;
use divan::counter::ItemsCount;
use nsys_attrib::attribution::{Analyzer, Options};
use nsys_attrib::classify::Classifier;
use nsys_attrib::trace::{ReadOptions, Reader, Trace, source};
use nsys_attrib::windows::intervals::Sweep;
use nsys_attrib::windows::{Selection, Surroundings, WindowSet, WindowSpec, select};
use support::scale::Scale;

fn main() {
    divan::main();
}

/// The numbers of events to measure.
fn sizes() -> Vec<i64> {
    let mut sizes = vec![10_000, 1_000_000];
    if std::env::var_os("NSYS_ATTRIB_BENCH_LARGE").is_some() {
        sizes.push(10_000_000);
    }
    sizes
}

/// An export of that many events, made once.
fn export(events: i64) -> PathBuf {
    static MADE: Mutex<BTreeMap<i64, PathBuf>> = Mutex::new(BTreeMap::new());
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().unwrap());
    let mut made = MADE.lock().unwrap();
    made.entry(events)
        .or_insert_with(|| {
            let path = folder.path().join(format!("{events}.sqlite"));
            Scale::of_events(events).write(&path);
            path
        })
        .clone()
}

fn read(events: i64, reader: Reader, jobs: Option<usize>) -> Trace {
    let open = source::open(&export(events)).unwrap();
    let jobs = jobs.and_then(NonZeroUsize::new);
    let how = ReadOptions { reader, jobs };
    Trace::read_with(open.path(), open.connection(), open.database(), &how).unwrap()
}

fn windows(trace: &Trace) -> WindowSet {
    let around = Surroundings {
        messages: trace.ranges.texts(),
        read_file: &|path| std::fs::read_to_string(path),
    };
    let spec = WindowSpec::parse("latency", &around).unwrap();
    select(trace, "latency", &spec, &Selection::default()).unwrap()
}

#[divan::bench(args = sizes())]
fn read_pages(bencher: Bencher<'_, '_>, events: i64) {
    export(events);
    let bencher = bencher.counter(ItemsCount::new(events as u64));
    bencher.bench_local(|| read(events, Reader::Pages, None));
}

#[divan::bench(args = sizes())]
fn read_pages_one_thread(bencher: Bencher<'_, '_>, events: i64) {
    export(events);
    let bencher = bencher.counter(ItemsCount::new(events as u64));
    bencher.bench_local(|| read(events, Reader::Pages, Some(1)));
}

#[divan::bench(args = sizes(), sample_count = 10)]
fn read_sqlite(bencher: Bencher<'_, '_>, events: i64) {
    export(events);
    let bencher = bencher.counter(ItemsCount::new(events as u64));
    bencher.bench_local(|| read(events, Reader::Sqlite, Some(1)));
}

#[divan::bench(args = sizes())]
fn sweep(bencher: Bencher<'_, '_>, events: i64) {
    let trace = read(events, Reader::Pages, None);
    let spans: Vec<_> = windows(&trace).windows.iter().map(|window| window.span).collect();
    bencher.counter(ItemsCount::new(trace.calls.len())).bench_local(|| {
        let mut pairs = 0_u64;
        let calls = trace.calls.ids().map(|call| (call, trace.calls.span(call)));
        Sweep::over(&spans).meeting(calls, |_, _| pairs += 1);
        pairs
    });
}

/// Classes of all kernels, in their context, and the long launches.
#[divan::bench(args = sizes())]
fn classify(bencher: Bencher<'_, '_>, events: i64) {
    let trace = read(events, Reader::Pages, None);
    let rules = Classifier::shipped().unwrap();
    let bencher = bencher.counter(ItemsCount::new(trace.operations.len()));
    bencher.bench_local(|| drop(Analyzer::new(&trace, &rules)));
}

/// Everything between a trace in memory and its document.
#[divan::bench(args = sizes())]
fn attribute(bencher: Bencher<'_, '_>, events: i64) {
    let trace = read(events, Reader::Pages, None);
    let rules = Classifier::shipped().unwrap();
    let analyzer = Analyzer::new(&trace, &rules);
    let set = windows(&trace);
    let bencher = bencher.counter(ItemsCount::new(events as u64));
    bencher.bench_local(|| analyzer.analyze(&set, &Options::default()));
}

#[divan::bench(args = sizes())]
fn whole_analysis(bencher: Bencher<'_, '_>, events: i64) {
    export(events);
    let rules = Classifier::shipped().unwrap();
    let bencher = bencher.counter(ItemsCount::new(events as u64));
    bencher.bench_local(|| {
        let trace = read(events, Reader::Pages, None);
        let set = windows(&trace);
        Analyzer::new(&trace, &rules).analyze(&set, &Options::default())
    });
}
