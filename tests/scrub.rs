//! What `trace::scrub` takes out of a trace, and what it must leave alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)] // helpers of tests

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nsys_attrib::trace::scrub::{ScrubError, ScrubOptions, ScrubReport, scrub};
use nsys_attrib::trace::source::{OpenTrace, open};
use rusqlite::Connection;
use rusqlite::types::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const PROFILED: i64 = 0x0001_0000_2a00_0000;
const OTHER: i64 = 0x0001_0000_2b00_0000;

/// A trace with something private in every place where exports have it.
fn make_private(path: &Path) {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(&format!(
            "CREATE TABLE StringIds (id INTEGER PRIMARY KEY, value TEXT);
             CREATE TABLE NVTX_EVENTS (start INTEGER, \"end\" INTEGER, text TEXT, textId INTEGER, globalTid INTEGER);
             INSERT INTO NVTX_EVENTS VALUES (1, 9, 'request of ada@example.org', NULL, {tid}), (2, 3, NULL, 2, {tid}),
                                            (4, 5, NULL, 12, {tid});
             CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start INTEGER, \"end\" INTEGER, globalTid INTEGER, nameId INTEGER);
             INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (1, 2, {tid}, 3);
             CREATE TABLE OSRT_CALLCHAINS (id INTEGER, symbol INTEGER, module INTEGER);
             INSERT INTO OSRT_CALLCHAINS VALUES (0, 13, 10), (1, 13, 11);
             CREATE TABLE ProcessStreams (globalPid INTEGER, filenameId INTEGER, contentId INTEGER);
             INSERT INTO ProcessStreams VALUES ({PROFILED}, 8, 9);
             CREATE TABLE PROCESSES (globalPid INTEGER, pid INTEGER, name TEXT);
             INSERT INTO PROCESSES VALUES ({PROFILED}, 42, '/home/ada/bin/infer'), ({OTHER}, 43, 'secret-daemon');
             CREATE TABLE META_DATA_CAPTURE (name TEXT, value TEXT);
             INSERT INTO META_DATA_CAPTURE VALUES ('PROCESS_0:COMMAND', '/home/ada/bin/infer'), ('PROCESS_0:ARGUMENT_0', '--key'),
               ('PROCESS_0:ENVIRONMENT_VARIABLE', 'TOKEN=x'), ('RATE_HZ', '0'), ('DEVICE_DISPLAY_NAME', 'thinkstation-7'),
               ('PROCESS_0:WORKING_DIR', '/home/ada'), ('PROCESS_0:USER_NAME', 'ada');
             CREATE TABLE META_DATA_EXPORT (name TEXT, value TEXT);
             INSERT INTO META_DATA_EXPORT VALUES ('EXPORT_HOST', 'thinkstation-7'), ('EXPORT_USER', 'ada'),
               ('EXPORT_SCHEMA_VERSION', '3.16.1'), ('EXPORT_PARAM_INPUT_PATH_ABS', '/data/p/x.nsys-rep');
             CREATE TABLE TARGET_INFO_SYSTEM_ENV (devStateName TEXT, name TEXT, nameEnum INTEGER, value TEXT);
             INSERT INTO TARGET_INFO_SYSTEM_ENV VALUES ('Local (CLI)', 'Hostname', 619, 'thinkstation-7'),
               ('ada@10.0.0.7', 'CpuCores', 1, '32'), ('Local (CLI)', 'DeviceEnvironment', 610, 'A=b'),
               ('Local (CLI)', 'GpuInfo', 897, '{{\"Uuid\":\"106f19f8-5526-4fe7-7da5-575a754f9be9\"}}');
             CREATE TABLE TARGET_INFO_GPU (id INTEGER, name TEXT, uuid TEXT);
             INSERT INTO TARGET_INFO_GPU VALUES (0, 'NVIDIA RTX A4500', '106f19f8-5526-4fe7-7da5-575a754f9be9');
             CREATE TABLE TARGET_INFO_NIC_INFO (GUID INTEGER NOT NULL, stateName TEXT, name TEXT);
             INSERT INTO TARGET_INFO_NIC_INFO VALUES (4390146613896580688, 'Local (CLI)', 'mlx5_0');
             CREATE TABLE DIAGNOSTIC_EVENT (timestamp INTEGER, text TEXT);
             INSERT INTO DIAGNOSTIC_EVENT VALUES (1, 'cuDNN symbols found in /home/ada/x/libcudnn.so.9 symbol table.'),
               (2, 'CUDA injection initialized successfully.');
             CREATE TABLE SOMETHING_NEW (note TEXT, image BLOB);
             INSERT INTO SOMETHING_NEW VALUES ('password=hunter2 on thinkstation-7', x'00');
             CREATE TABLE ENUM_X (id INTEGER, label TEXT); INSERT INTO ENUM_X VALUES (1, 'token: kept');",
            tid = PROFILED + 7
        ))
        .unwrap();
    let strings = [
        (1, "PATH=/usr/bin\0SECRET=s3\0"),
        (2, "latency"),
        (3, "cudaLaunchKernel_v7000"),
        (4, "SSH_CONNECTION=10.0.0.1 22"),
        (5, "python /home/ada/train.py --token hf_abcdefghijklmnopqrst"),
        (6, "/home/ada/secret/run"),
        (7, "NVTX profiling started"),
        (8, "/tmp/nvidia/nsight_systems/streams/pid_42_stdout.log"),
        (9, "patient 7: positive"),
        (10, "/usr/lib/libm.so.6"),
        (11, "/home/ada/venv/libtorch.so"),
        (12, "load /home/ada/w.pt"),
        (13, "_RNvNtNtCsjrHSEGnQ3l9_3std6thread9functions5sleepABCabc1"),
    ];
    for (id, value) in strings {
        connection.execute("INSERT INTO StringIds VALUES (?1, ?2)", (id, value)).unwrap();
    }
}

struct Scrubbed {
    folder: TempDir,
    source: OpenTrace,
    out: PathBuf,
    report: ScrubReport,
}

fn scrubbed(options: &ScrubOptions) -> Scrubbed {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("trace.sqlite");
    make_private(&path);
    let source = open(&path).unwrap();
    let out = folder.path().join("out.sqlite");
    let report = scrub(&source, &out, options).unwrap();
    Scrubbed { folder, source, out, report }
}

fn column(trace: &Path, sql: &str) -> Vec<String> {
    let trace = open(trace).unwrap();
    let mut statement = trace.connection().prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn private_values_are_replaced_and_names_stay() {
    let Scrubbed { folder: _folder, out, .. } = scrubbed(&ScrubOptions::default());
    let strings = column(&out, "SELECT value FROM StringIds ORDER BY id");
    assert_eq!(
        strings,
        [
            "REDACTED",
            "latency",
            "cudaLaunchKernel_v7000",
            "REDACTED",
            "REDACTED",
            "REDACTED/run",
            "NVTX profiling started",
            "/tmp/nvidia/nsight_systems/streams/pid_42_stdout.log",
            "REDACTED",
            "/usr/lib/libm.so.6",
            "REDACTED/libtorch.so",
            "load /home/ada/w.pt",
            "_RNvNtNtCsjrHSEGnQ3l9_3std6thread9functions5sleepABCabc1",
        ]
    );
    assert_eq!(column(&out, "SELECT name FROM PROCESSES ORDER BY pid"), ["infer", "REDACTED"]);
    assert_eq!(
        column(&out, "SELECT value FROM META_DATA_CAPTURE WHERE value <> 'REDACTED'"),
        ["0"]
    );
    assert_eq!(
        column(&out, "SELECT value FROM META_DATA_EXPORT WHERE value <> 'REDACTED'"),
        ["3.16.1"]
    );
    assert_eq!(
        column(
            &out,
            "SELECT devStateName || '|' || value FROM TARGET_INFO_SYSTEM_ENV ORDER BY rowid"
        ),
        [
            "Local (CLI)|REDACTED",
            "REDACTED|32",
            "Local (CLI)|REDACTED",
            "Local (CLI)|{\"Uuid\":\"REDACTED\"}"
        ]
    );
    assert_eq!(
        column(&out, "SELECT name || uuid FROM TARGET_INFO_GPU"),
        ["NVIDIA RTX A4500REDACTED"]
    );
    assert_eq!(column(&out, "SELECT GUID || name FROM TARGET_INFO_NIC_INFO"), ["0REDACTED"]);
    assert_eq!(
        column(&out, "SELECT text FROM DIAGNOSTIC_EVENT ORDER BY timestamp"),
        [
            "cuDNN symbols found in REDACTED symbol table.",
            "CUDA injection initialized successfully."
        ]
    );
    assert_eq!(column(&out, "SELECT note FROM SOMETHING_NEW"), ["REDACTED on REDACTED"]);
    assert_eq!(column(&out, "SELECT label FROM ENUM_X"), ["token: kept"]);
    assert_eq!(column(&out, "SELECT text FROM NVTX_EVENTS WHERE text IS NOT NULL").len(), 1);
}

#[test]
fn the_bytes_are_gone_from_the_file_and_nothing_else_appears() {
    let Scrubbed { folder, out, .. } = scrubbed(&ScrubOptions::default());
    let bytes = fs::read(&out).unwrap();
    for secret in ["hunter2", "patient", "thinkstation", "SECRET", "secret-daemon", "106f19f8"] {
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret}");
    }
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["out.sqlite", "trace.sqlite"]);
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o644);
}

#[test]
fn suspicious_names_are_reported_and_go_on_request() {
    let kept = scrubbed(&ScrubOptions::default());
    let found: Vec<(&str, &str)> =
        kept.report.suspicious.iter().map(|s| (s.place.as_str(), s.kind)).collect();
    assert_eq!(
        found,
        [
            ("NVTX_EVENTS.text", "e-mail address"),
            ("StringIds.value (NVTX_EVENTS.textId)", "home folder")
        ]
    );
    assert_eq!(kept.report.replaced["PROCESSES.name"], 2);
    assert_eq!(kept.report.replaced["StringIds.value"], 6);
    assert!(serde_json::to_string(&kept.report).unwrap().contains("\"META_DATA_CAPTURE.value\":6"));

    let gone = scrubbed(&ScrubOptions { redact_nvtx: true, force: false });
    assert_eq!(gone.report.suspicious, []);
    let texts = column(&gone.out, "SELECT text FROM NVTX_EVENTS WHERE text IS NOT NULL");
    assert_eq!(texts, ["request of REDACTED"]);
    let registered = column(&gone.out, "SELECT value FROM StringIds WHERE id = 12");
    assert_eq!(registered, ["load /home/REDACTED/w.pt"]);
}

#[test]
fn an_existing_output_is_kept_unless_forced() {
    let Scrubbed { folder, source, out, .. } = scrubbed(&ScrubOptions::default());
    let first = fs::read(&out).unwrap();
    fs::write(&out, "precious").unwrap();
    let plain = ScrubOptions::default();
    let forced = ScrubOptions { force: true, ..plain };
    assert!(matches!(scrub(&source, &out, &plain), Err(ScrubError::Exists { .. })));
    assert_eq!(fs::read(&out).unwrap(), b"precious");
    scrub(&source, &out, &forced).unwrap();
    assert_eq!(fs::read(&out).unwrap(), first, "the same bytes twice");
    let itself = scrub(&source, source.path(), &forced).unwrap_err();
    assert!(matches!(itself, ScrubError::Itself { .. }));
    let nowhere = folder.path().join("none/out.sqlite");
    let error = scrub(&source, &nowhere, &plain).unwrap_err();
    assert!(error.to_string().contains("none: cannot be written"), "{error}");
}

#[test]
fn packed_in_and_packed_out() {
    let Scrubbed { folder, out, .. } = scrubbed(&ScrubOptions::default());
    let packed = folder.path().join("trace.zst");
    let plain = fs::read(folder.path().join("trace.sqlite")).unwrap();
    fs::write(&packed, zstd::encode_all(plain.as_slice(), 3).unwrap()).unwrap();
    let again = folder.path().join("again.sqlite.zst");
    scrub(&open(&packed).unwrap(), &again, &ScrubOptions::default()).unwrap();
    let unpacked = zstd::decode_all(fs::File::open(&again).unwrap()).unwrap();
    assert_eq!(unpacked, fs::read(&out).unwrap());
}

#[test]
fn a_scrubbed_copy_has_nothing_left_to_scrub() {
    let Scrubbed { folder, out, .. } = scrubbed(&ScrubOptions::default());
    let mut copies = vec![out];
    copies.extend(own_captures());
    for copy in copies {
        let again = folder.path().join("again.sqlite");
        let options = ScrubOptions { force: true, ..ScrubOptions::default() };
        let report = scrub(&open(&copy).unwrap(), &again, &options).unwrap();
        assert_eq!(report.replaced, BTreeMap::new(), "{}", copy.display());
    }
}

fn own_captures() -> [PathBuf; 2] {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/traces/own-captures");
    ["own-nvtx-cpu-nsys2022.4", "own-nvtx-domains-cpu-nsys2022.4"]
        .map(|name| folder.join(format!("{name}.sqlite.zst")))
}

#[test]
fn the_committed_captures_are_what_scrub_makes_of_the_originals() {
    let originals = real_traces();
    for committed in own_captures() {
        let name = committed.file_stem().unwrap();
        let Some(original) = originals.iter().find(|path| path.file_name() == Some(name)) else {
            println!("SKIPPED: no original of {}", committed.display());
            continue;
        };
        let folder = TempDir::new().unwrap();
        let out = folder.path().join("out.sqlite");
        scrub(&open(original).unwrap(), &out, &ScrubOptions::default()).unwrap();
        // Not byte by byte: the header holds the version of SQLite.
        let (committed, made) = (open(&committed).unwrap(), open(&out).unwrap());
        assert_eq!(table_names(&committed), table_names(&made));
        for table in table_names(&made) {
            assert_eq!(table_hash(&committed, &table), table_hash(&made, &table), "{table}");
        }
    }
}

/// The real traces, or a loud reason to skip.
fn real_traces() -> Vec<PathBuf> {
    let shared = std::env::var_os("NSYS_ATTRIB_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let Ok(entries) = fs::read_dir(shared.join("traces")) else {
        println!("SKIPPED: no real traces under {} (set NSYS_ATTRIB_SHARED)", shared.display());
        return Vec::new();
    };
    let mut traces: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    traces.retain(|path| {
        let name = path.to_string_lossy();
        name.ends_with(".sqlite") || name.ends_with(".sqlite.zst")
    });
    traces.sort();
    traces
}

fn table_names(trace: &OpenTrace) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut statement = trace.connection().prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn columns(trace: &OpenTrace, table: &str) -> Vec<String> {
    let mut statement =
        trace.connection().prepare("SELECT name FROM pragma_table_info(?1)").unwrap();
    statement.query_map([table], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// A hash over every value of every row, in row order.
fn table_hash(trace: &OpenTrace, table: &str) -> String {
    let sql = format!("SELECT * FROM \"{table}\" ORDER BY rowid");
    let mut statement = trace.connection().prepare(&sql).unwrap();
    let width = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut hash = Sha256::new();
    while let Some(row) = rows.next().unwrap() {
        for index in 0..width {
            hash.update(format!("{:?}|", row.get::<_, Value>(index).unwrap()));
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn strings(trace: &OpenTrace) -> BTreeMap<i64, String> {
    let mut statement = trace.connection().prepare("SELECT id, value FROM StringIds").unwrap();
    statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// The ids that event tables and thread names refer to by name.
fn named_ids(trace: &OpenTrace) -> BTreeSet<i64> {
    const NAMES: [&str; 7] =
        ["nameId", "textId", "shortName", "demangledName", "mangledName", "symbol", "jsonTextId"];
    let mut ids = BTreeSet::new();
    for table in table_names(trace).iter().filter(|table| *table != "TARGET_INFO_PROCESS") {
        for column in columns(trace, table).iter().filter(|c| NAMES.contains(&c.as_str())) {
            let sql =
                format!("SELECT DISTINCT {column} FROM \"{table}\" WHERE {column} IS NOT NULL");
            let mut statement = trace.connection().prepare(&sql).unwrap();
            ids.extend(
                statement.query_map([], |row| row.get::<_, i64>(0)).unwrap().map(Result::unwrap),
            );
        }
    }
    ids
}

/// Every text outside event tables and outside strings that are names.
fn free_texts(trace: &OpenTrace) -> Vec<(String, String)> {
    let named = named_ids(trace);
    let mut texts: Vec<(String, String)> = strings(trace)
        .into_iter()
        .filter(|(id, _)| !named.contains(id))
        .map(|(_, text)| ("StringIds".to_owned(), text))
        .collect();
    for table in table_names(trace) {
        let columns = columns(trace, &table);
        let is_event = columns.iter().any(|column| column == "start");
        if is_event || table == "StringIds" || table.starts_with("ENUM_") {
            continue;
        }
        for column in columns {
            let sql = format!("SELECT {column} FROM \"{table}\" WHERE typeof({column}) = 'text'");
            let mut statement = trace.connection().prepare(&sql).unwrap();
            let mut rows = statement.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let text = String::from_utf8_lossy(row.get_ref(0).unwrap().as_bytes().unwrap());
                texts.push((format!("{table}.{column}"), text.into_owned()));
            }
        }
    }
    texts
}

fn secrets(trace: &OpenTrace) -> Vec<String> {
    let mut secrets = Vec::new();
    for table in
        ["TARGET_INFO_SYSTEM_ENV", "META_DATA_EXPORT", "EXPORT_META_DATA", "META_DATA_CAPTURE"]
    {
        let sql = format!(
            "SELECT value FROM {table} WHERE upper(name) IN
               ('HOSTNAME', 'EXPORT_HOST', 'EXPORT_USER', 'DEVICE_DISPLAY_NAME') AND length(value) > 3"
        );
        if let Ok(mut statement) = trace.connection().prepare(&sql) {
            secrets.extend(
                statement.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap),
            );
        }
    }
    if let Ok(mut statement) =
        trace.connection().prepare("SELECT uuid FROM TARGET_INFO_GPU WHERE length(uuid) > 8")
    {
        secrets.extend(
            statement.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap),
        );
    }
    secrets
        .retain(|secret| !["REDACTED", "UNKNOWN", "root", "localhost"].contains(&secret.as_str()));
    secrets
}

#[test]
fn real_traces_keep_every_event_and_every_name_and_lose_their_owner() {
    for path in real_traces() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let folder = TempDir::new().unwrap();
        let source = open(&path).unwrap();
        let out = folder.path().join("out.sqlite");
        let report = scrub(&source, &out, &ScrubOptions::default()).unwrap();
        let copy = open(&out).unwrap();

        let check = "PRAGMA integrity_check";
        let verdict: String = copy.connection().query_row(check, [], |row| row.get(0)).unwrap();
        assert_eq!(verdict, "ok", "{name}");
        let tables = table_names(&source);
        assert_eq!(tables, table_names(&copy), "{name}");
        for table in &tables {
            let columns = columns(&source, table);
            if table.starts_with("ENUM_") || columns.iter().any(|column| column == "start") {
                assert_eq!(table_hash(&source, table), table_hash(&copy, table), "{name}: {table}");
            }
        }

        let (before, after) = (strings(&source), strings(&copy));
        assert!(before.keys().eq(after.keys()), "{name}: ids");
        assert!(after.values().all(|text| !text.contains('\0')), "{name}: NUL");
        for id in named_ids(&source) {
            let text = before.get(&id);
            if text.is_none_or(|text| !text.contains('\0')) {
                assert_eq!(text, after.get(&id), "{name}: string {id} is a name");
            }
        }

        let secrets = secrets(&source);
        for (place, text) in free_texts(&copy) {
            for secret in &secrets {
                assert!(!text.contains(secret), "{name}: {place} still holds `{secret}`: {text}");
            }
            for home in ["/home/", "/Users/"] {
                for (at, _) in text.match_indices(home) {
                    assert!(
                        text[at + home.len()..].starts_with("REDACTED"),
                        "{name}: {place}: {text}"
                    );
                }
            }
        }
        println!("{name}: {:?} suspicious {:?}", report.replaced, report.suspicious);
    }
}
