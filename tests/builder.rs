//! The test support itself: exports of every generation are sound, and the oracle agrees with
//! pencil and paper.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use rusqlite::Connection;
use support::fixtures::{bytes, fixtures, stored};
use support::schema::Generation;
use support::spec::{Text, TraceSpec, Work, bare_name, process, thread};
use support::wno::{Shape, wno_request};

/// One of everything.
fn everything(generation: Generation) -> TraceSpec {
    let (p, t) = (process(42), thread(42, 43));
    let mut spec = TraceSpec::new(generation);
    spec.call(t, "cudaLaunchKernel_v7000", 10, 20, 1);
    spec.call(t, "cudaGraphLaunch_v10000", 30, 40, 2);
    spec.twin(0);
    spec.kernel(p, "void scale<float>(float*)", 15, 25, 1);
    spec.op(p, Work::Graph { graph: 1, exec: 2 }, 35, 45, 2);
    spec.op(p, Work::upload(64), 46, 50, 3);
    spec.op(p, Work::Memset { value: 0, bytes: 4 }, 51, 52, 4);
    spec.range(t, "latency", 5, 60);
    spec.processes.push((p, "program".into()));
    spec.threads.push((t, "main".into()));
    spec.duration = Some(100);
    spec
}

fn count(db: &Connection, sql: &str) -> i64 {
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn every_generation_writes_a_sound_file_with_its_own_tables() {
    let folder = tempfile::tempdir().unwrap();
    for generation in Generation::ALL {
        let path = folder.path().join("trace.sqlite");
        everything(generation).write_sqlite(&path);
        let db = Connection::open(&path).unwrap();
        let verdict: String = db.query_row("PRAGMA integrity_check", [], |r| r.get(0)).unwrap();
        assert_eq!(verdict, "ok", "{generation:?}");
        for table in generation.tables() {
            let found =
                count(&db, &format!("SELECT count(*) FROM sqlite_master WHERE name = '{table}'"));
            let has_rows = found == 1 && count(&db, &format!("SELECT count(*) FROM {table}")) > 0;
            assert!(has_rows || found == 0 || !generation.lazy(), "{generation:?} {table}");
            assert!(found == 1 || generation.lazy(), "{generation:?} {table}");
            let columns = generation.columns(table).unwrap();
            if found == 1 {
                let sql = format!("SELECT count(*) FROM pragma_table_info('{table}')");
                assert_eq!(count(&db, &sql), columns.len() as i64, "{generation:?} {table}");
            }
        }
        assert_eq!(count(&db, "SELECT count(*) FROM CUPTI_ACTIVITY_KIND_KERNEL"), 1);
        let twins = "SELECT count(*) FROM CUPTI_ACTIVITY_KIND_RUNTIME WHERE eventClass = 67";
        assert_eq!(count(&db, twins), 1);
    }
}

#[test]
fn a_page_size_an_absent_table_and_an_order_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.sqlite");
    let mut spec = everything(Generation::V3_13_2).shuffled(3);
    spec.page_size = 512;
    spec.absent.push("NVTX_EVENTS");
    spec.write_sqlite(&path);
    let db = Connection::open(&path).unwrap();
    assert_eq!(count(&db, "PRAGMA page_size"), 512);
    assert_eq!(count(&db, "SELECT count(*) FROM sqlite_master WHERE name = 'NVTX_EVENTS'"), 0);
    assert_eq!(count(&db, "SELECT count(*) FROM CUPTI_ACTIVITY_KIND_RUNTIME"), 3);
}

#[test]
fn the_same_description_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let path = folder.path().join(name);
        let mut spec = everything(Generation::V3_25_0);
        spec.compact = true;
        spec.write_sqlite(&path);
        std::fs::read(path).unwrap()
    };
    assert_eq!(write("a"), write("b"));
}

#[test]
fn bundled_fixtures_are_what_their_sources_make() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/traces");
    for (name, spec) in fixtures() {
        let found = stored(&folder.join(name)).unwrap();
        assert!(found == bytes(&spec), "{name}: run `cargo run --example build_fixtures`");
    }
}

/// (milliseconds, launches, uploads and downloads, share of API time in launches) of the last request.
fn request_facts(spec: &TraceSpec) -> (f64, usize, usize, f64) {
    let latency = Text::Inline("latency".into());
    let last = spec.ranges.iter().rfind(|range| range.text == latency).unwrap();
    let end = last.end.unwrap();
    let calls: Vec<_> =
        spec.calls.iter().filter(|c| last.start <= c.start && c.start < end).collect();
    let time = |name: &str| -> i64 {
        calls.iter().filter(|c| c.name.contains(name)).map(|c| c.end - c.start).sum()
    };
    let count = |name: &str| calls.iter().filter(|c| bare_name(&c.name) == name).count();
    (
        (end - last.start) as f64 / 1e6,
        count("cudaLaunchKernel"),
        count("cudaMemcpyAsync"),
        time("LaunchKernel") as f64 / time("") as f64,
    )
}

/// The simulated requests have the shape that they are named after, and hold all of their work.
#[test]
fn simulated_requests_have_the_shapes_they_are_named_after() {
    let (ms, launches, copies, share) = request_facts(&wno_request(Shape::Eager450, 1, 1, 1));
    assert!((51.0..56.0).contains(&ms), "{ms} ms");
    assert_eq!((launches, copies), (450, 66));
    assert!((0.75..0.9).contains(&share), "{share}");
    let (ms, launches, _, share) = request_facts(&wno_request(Shape::Looped1860, 1, 1, 1));
    assert!((45.0..65.0).contains(&ms), "{ms} ms");
    assert!((1_850..1_870).contains(&launches), "{launches}");
    assert!((0.6..0.9).contains(&share), "{share}");
    let spec = wno_request(Shape::Looped1860, 1, 1, 1);
    let end = spec.ranges.iter().filter_map(|range| range.end).max().unwrap();
    assert!(spec.ops.iter().all(|op| op.end <= end));
    let times = spec.calls.iter().flat_map(|call| [call.start, call.end]);
    assert!(times.chain(spec.ops.iter().flat_map(|op| [op.start, op.end])).all(|t| t % 32 == 0));
}
