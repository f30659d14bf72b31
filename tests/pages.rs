//! The page reader against SQLite: the same trace, bit for bit, and no slow road where none is needed.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::fs;
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nsys_attrib::trace::{ReadOptions, Reader, Trace, TraceError};
use rusqlite::{Connection, OpenFlags};
use support::schema::Generation;
use support::shared::{shared_folder, shared_trace};
use support::spec::{Text, TraceSpec, Work, process, thread};

const RUNTIME: &str = "CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start INTEGER NOT NULL, end INTEGER \
    NOT NULL, eventClass INTEGER, globalTid INTEGER, correlationId INTEGER, nameId INTEGER NOT NULL)";

fn read(path: &Path, reader: Reader, jobs: usize) -> Result<Trace, TraceError> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let how = ReadOptions { reader, jobs: NonZeroUsize::new(jobs) };
    Trace::read_with(path, &db, path, &how)
}

/// Both readers give the same trace, whatever the number of threads; answers why tables were read
/// the slow way.
#[track_caller]
fn same(path: &Path) -> Vec<String> {
    let expected = read(path, Reader::Sqlite, 1).unwrap();
    let mut notes = Vec::new();
    for jobs in [1, 2, 7] {
        let mut found = read(path, Reader::Pages, jobs).unwrap();
        let findings = std::mem::take(&mut found.read_notes);
        assert!(found == expected, "{}: {jobs} threads", path.display());
        notes = findings.into_iter().map(|finding| finding.message).collect();
    }
    notes
}

/// The same, and every table was read from its pages.
#[track_caller]
fn same_and_fast(path: &Path) {
    assert_eq!(same(path), Vec::<String>::new(), "{}", path.display());
}

/// The same, with every slow table for this reason.
#[track_caller]
fn same_and_slow(path: &Path, reason: &str) {
    let notes = same(path);
    assert!(!notes.is_empty(), "{reason}: read from its pages");
    assert!(notes.iter().all(|note| note.contains(reason)), "{notes:?}");
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.sqlite");
    (folder, path)
}

/// A few thousand rows in every event table, with NULLs and unclosed ranges.
fn busy(generation: Generation) -> TraceSpec {
    let mut spec = TraceSpec::new(generation);
    for i in 0..1_500_i64 {
        let (pid, tid) = (1 + i % 3, 1 + i % 5);
        let (p, t) = (process(pid), thread(pid, tid));
        let at = i * 1_000_003;
        let call = spec.call(
            t,
            ["cudaLaunchKernel_v7000", "cuMemFree_v2"][i as usize % 2],
            at,
            at + 700,
            i,
        );
        call.thread = call.thread.filter(|_| i % 97 != 0);
        call.correlation = call.correlation.filter(|_| i % 89 != 0);
        if i % 50 == 0 {
            spec.twin(spec.calls.len() - 1);
        }
        let op = match i % 4 {
            0 => Work::upload(i * i * 7_777),
            1 => Work::Memset { value: 1, bytes: i },
            _ => Work::kernel(["k<1>(int)", "ns::other(float)", "third"][i as usize % 3]),
        };
        let op = spec.op(p, op, at + 900, at + 900 + (i % 7) * 800_000_000, i);
        op.process = op.process.filter(|_| i % 83 != 0);
        op.stream = i % 4;
        let range = spec.range(t, &format!("layer{}", i % 11), at, at + 5_000_000_000 * (i % 2));
        range.end = range.end.filter(|_| i % 71 != 0);
        range.event_type = [59, 60, 34, 59][i as usize % 4];
        range.domain = i % 3;
        if i % 5 == 0 {
            range.text = Text::Registered("registered".into());
        }
    }
    spec.domain(thread(1, 1), 1, "one");
    spec.domain(thread(2, 1), 2, "two");
    spec.twin(3);
    spec
}

#[test]
fn every_generation_and_every_page_size() {
    let (_folder, path) = folder();
    for (generation, size) in
        Generation::ALL.into_iter().zip([9, 10, 11, 12, 13, 14, 15, 16, 9, 12])
    {
        let mut spec = busy(generation);
        spec.page_size = 1 << size;
        spec.write_sqlite(&path);
        same_and_fast(&path);
        spec.shuffled(7).write_sqlite(&path);
        same_and_fast(&path);
    }
}

#[test]
fn automatic_vacuum_moves_pages_and_not_rows() {
    let (_folder, path) = folder();
    for mode in ["FULL", "INCREMENTAL"] {
        busy(Generation::V3_24_0).write_sqlite(&path);
        let db = Connection::open(&path).unwrap();
        db.execute_batch(&format!(
            "PRAGMA auto_vacuum = {mode}; PRAGMA page_size = 1024; VACUUM;
             CREATE TABLE gone AS SELECT * FROM NVTX_EVENTS; DROP TABLE gone;
             DELETE FROM CUPTI_ACTIVITY_KIND_RUNTIME WHERE rowid % 3 = 0;
             INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME SELECT * FROM CUPTI_ACTIVITY_KIND_RUNTIME;"
        ))
        .unwrap();
        db.close().unwrap();
        same_and_fast(&path);
    }
}

#[test]
fn integers_of_every_width() {
    let (_folder, path) = folder();
    let db = Connection::open(&path).unwrap();
    db.execute_batch(RUNTIME).unwrap();
    let mut insert = db
        .prepare("INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (?1, ?1, ?2, ?3, ?4, ?3)")
        .unwrap();
    for bits in [0, 1, 7, 8, 15, 16, 23, 24, 31, 32, 39, 40, 47, 48, 55, 56, 62] {
        for value in
            [(1_i64 << bits) - 1, 1 << bits, -(1 << bits), -(1 << bits) - 1, i64::MAX, i64::MIN]
        {
            let class = [Some(0), Some(1), None, Some(value)][bits % 4];
            insert.execute((value, class, value, value & 0xffff_ffff)).unwrap();
        }
    }
    drop(insert);
    same_and_fast(&path);
}

#[test]
fn a_row_id_by_another_name() {
    let (_folder, path) = folder();
    let db = Connection::open(&path).unwrap();
    for key in [
        "INTEGER PRIMARY KEY",
        "INTEGER PRIMARY KEY DESC",
        "INT PRIMARY KEY",
        "integer primary key",
    ] {
        let sql = RUNTIME.replace("start INTEGER NOT NULL", &format!("start {key}"));
        db.execute_batch(&format!(
            "DROP TABLE IF EXISTS CUPTI_ACTIVITY_KIND_RUNTIME; {sql};
             INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (500, 600, 0, 1, 2, 3), (-7, 9, 0, 1, 3, 3);"
        ))
        .unwrap();
        same_and_fast(&path);
    }
}

#[test]
fn columns_added_after_rows_were_written() {
    let (_folder, path) = folder();
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start INTEGER, end INTEGER, nameId INTEGER);
         INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (1, 2, 3), (4, 5, 6);
         ALTER TABLE CUPTI_ACTIVITY_KIND_RUNTIME ADD COLUMN correlationId INTEGER;
         INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (7, 8, 9, 10);",
    )
    .unwrap();
    same_and_fast(&path);
    db.execute_batch(
        "ALTER TABLE CUPTI_ACTIVITY_KIND_RUNTIME ADD COLUMN globalTid INTEGER DEFAULT 16777217",
    )
    .unwrap();
    same_and_slow(&path, "a column with a default");
}

#[test]
fn texts_that_overflow_their_page() {
    let (_folder, path) = folder();
    for page_size in [512, 4096, 65_536] {
        let mut spec = busy(Generation::V3_16_1);
        spec.page_size = page_size;
        for length in [300, 480, 1_000, 4_050, 4_060, 4_070, 5_000, 70_000, 200_000] {
            spec.range(thread(1, 1), &"ä\0x".repeat(length / 4), length as i64, 1 << 40);
        }
        spec.write_sqlite(&path);
        same_and_fast(&path);
    }
}

/// Extensions may reserve bytes at the end of each page.
#[test]
fn reserved_bytes_are_no_part_of_a_page() {
    let (folder, path) = folder();
    let source = folder.path().join("source.sqlite");
    busy(Generation::V3_0_0).write_sqlite(&source);
    Connection::open(&path).unwrap().execute_batch("PRAGMA page_size = 1024; VACUUM;").unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.write_all_at(&[40], 20).unwrap();
    file.write_all_at(&(1024_u16 - 40).to_be_bytes(), 105).unwrap();
    drop(file);
    let db = Connection::open(&path).unwrap();
    db.execute("ATTACH ?1 AS source", [source.to_str().unwrap()]).unwrap();
    let tables: Vec<(String, String)> = db
        .prepare("SELECT name, sql FROM source.sqlite_schema WHERE type = 'table'")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for (name, sql) in tables {
        db.execute_batch(&format!("{sql}; INSERT INTO main.{name} SELECT * FROM source.{name}"))
            .unwrap();
    }
    db.close().unwrap();
    assert_eq!(fs::read(&path).unwrap()[20], 40);
    same_and_fast(&path);
}

#[test]
fn empty_tables_have_no_rows() {
    let (_folder, path) = folder();
    TraceSpec::new(Generation::V2_9_1).write_sqlite(&path);
    same_and_fast(&path);
}

#[test]
fn what_is_stored_otherwise_is_read_through_sqlite() {
    let (_folder, path) = folder();
    let row = "INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME (start, end, nameId) VALUES (1, 2, 3)";
    for (sql, reason) in [
        ("CREATE TABLE rows AS SELECT 1 AS start, 2 AS end, 3 AS nameId;
          CREATE VIEW CUPTI_ACTIVITY_KIND_RUNTIME AS SELECT * FROM rows".to_owned(), "is a view"),
        (format!("CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start INTEGER PRIMARY KEY, end, nameId)
            WITHOUT ROWID; {row}"), "WITHOUT ROWID"),
        (format!("CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (length AS (end - start), start, end, nameId);
            {row}"), "generated columns"),
        (format!("CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start, end, nameId, correlationId REAL);
            {row}"), "is REAL"),
        (format!("PRAGMA encoding = 'UTF-16'; {RUNTIME}; {row}"), "UTF-8"),
    ] {
        let _ = fs::remove_file(&path);
        let db = Connection::open(&path).unwrap();
        db.execute_batch(&sql).unwrap();
        db.close().unwrap();
        same_and_slow(&path, reason);
    }
}

#[test]
fn a_write_ahead_log_is_seen() {
    let (_folder, path) = folder();
    let db = Connection::open(&path).unwrap();
    db.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; {RUNTIME};
        INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (1, 2, 0, 1, 1, 1)"
    ))
    .unwrap();
    let notes = same(&path);
    assert!(notes.len() == 1, "{notes:?}");
    assert_eq!(read(&path, Reader::Pages, 1).unwrap().calls.len(), 1);
}

#[test]
fn a_transaction_sees_its_own_rows() {
    let (_folder, path) = folder();
    let db = Connection::open(&path).unwrap();
    db.execute_batch(&format!(
        "{RUNTIME}; BEGIN;
        INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (1, 2, 0, 1, 1, 1)"
    ))
    .unwrap();
    assert_eq!(Trace::read(&path, &db).unwrap().calls.len(), 1);
    let memory = Connection::open_in_memory().unwrap();
    memory.execute_batch(RUNTIME).unwrap();
    let trace = Trace::read(&path, &memory).unwrap();
    assert!(trace.present.api && trace.read_notes.is_empty());
}

/// A wrong cell is an error that names the row, from both readers.
#[test]
fn a_cell_of_the_wrong_type_is_the_same_error() {
    let (_folder, path) = folder();
    let db = Connection::open(&path).unwrap();
    db.execute_batch(&format!(
        "{RUNTIME};
        INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (1, 2, 0, 1, 1, 1), (1, 'soon', 0, 1, 1, 1)"
    ))
    .unwrap();
    let message = |reader| read(&path, reader, 2).unwrap_err().to_string();
    assert_eq!(message(Reader::Pages), message(Reader::Sqlite));
    assert!(message(Reader::Pages).contains("row 2"), "{}", message(Reader::Pages));
}

#[test]
fn ranges_alone_are_the_same_ranges() {
    let (_folder, path) = folder();
    busy(Generation::V3_24_0).write_sqlite(&path);
    let db = Connection::open(&path).unwrap();
    let outline = Trace::outline(&path, &db).unwrap();
    let ranges = outline.trace;
    assert!(ranges.read_notes.is_empty());
    let whole = Trace::read(&path, &db).unwrap();
    assert!(ranges.calls.is_empty() && ranges.operations.is_empty());
    assert_eq!(ranges.present, whole.present);
    let texts = |trace: &Trace| -> Vec<String> {
        trace.ranges.ids().map(|range| trace.ranges.text(range).to_owned()).collect()
    };
    assert_eq!(texts(&ranges), texts(&whole));
}

#[test]
fn every_real_trace() {
    let Some(folder) = shared_folder() else {
        support::shared::skipped("page reader against SQLite: no real traces");
        return;
    };
    let mut names: Vec<String> = fs::read_dir(folder.join("traces"))
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().ok()?;
            Some(name.strip_suffix(".zst").unwrap_or(&name).strip_suffix(".sqlite")?.to_owned())
        })
        .collect();
    names.sort();
    for name in names {
        same_and_fast(&shared_trace(&name).unwrap());
    }
}
