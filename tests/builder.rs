//! The test support itself: exports of every generation are sound, and the oracle agrees with
//! pencil and paper.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use rusqlite::Connection;
use support::schema::Generation;
use support::spec::{TraceSpec, Work, process, thread};

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
