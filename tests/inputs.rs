//! What `trace::source::open` makes of the things people name as a trace.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)] // helpers of tests

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nsys_attrib::trace::source::{Nsys, OpenTrace, SourceError, SourceKind, open, open_with};
use rusqlite::Connection;
use tempfile::TempDir;

/// A folder that vanishes, and an export of two strings in it.
fn room() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let trace = folder.path().join("trace.sqlite");
    make_export(&trace);
    (folder, trace)
}

fn make_export(path: &Path) {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE StringIds (id INTEGER PRIMARY KEY, value TEXT);
             INSERT INTO StringIds VALUES (1, 'latency'), (2, 'cudaLaunchKernel_v7000');
             CREATE TABLE NVTX_EVENTS (start INTEGER, \"end\" INTEGER, text TEXT);",
        )
        .unwrap();
}

fn written(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn strings(trace: &OpenTrace) -> i64 {
    let sql = "SELECT count(*) FROM StringIds";
    trace.connection().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// The refusal of `bytes` as a file called `name`; its sentence names the file and `words`.
#[track_caller]
fn refused(name: &str, bytes: &[u8], words: &[&str]) -> SourceError {
    let folder = TempDir::new().unwrap();
    let path = written(&folder, name, bytes);
    refused_path(&path, words)
}

#[track_caller]
fn refused_path(path: &Path, words: &[&str]) -> SourceError {
    let error = open(path).expect_err("must be refused");
    says(&error, path, words);
    error
}

#[track_caller]
fn says(error: &SourceError, path: &Path, words: &[&str]) {
    let sentence = error.to_string();
    assert!(sentence.contains(&path.display().to_string()), "no file name: {sentence}");
    for word in words {
        assert!(sentence.contains(word), "no `{word}` in: {sentence}");
    }
}

/// Names, sizes and modification times of a folder.
fn listing(folder: &Path) -> Vec<(PathBuf, u64, std::time::SystemTime)> {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let about = entry.metadata().unwrap();
            (entry.path(), about.len(), about.modified().unwrap())
        })
        .collect();
    entries.sort();
    entries
}

#[test]
fn an_export_opens_and_leaves_no_trace() {
    let (folder, path) = room();
    let before = listing(folder.path());
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let trace = open(&path).unwrap();
    assert_eq!(strings(&trace), 2);
    assert_eq!(trace.kind(), SourceKind::Database);
    assert_eq!((trace.path(), trace.notes().len()), (path.as_path(), 0));
    assert_eq!(trace.database(), fs::canonicalize(&path).unwrap());
    assert!(trace.connection().execute("DELETE FROM StringIds", []).is_err());
    assert!(trace.connection().execute("CREATE TABLE t (a)", []).is_err());
    drop(trace);
    assert_eq!(listing(folder.path()), before);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_ending_of_the_name_means_nothing() {
    let (folder, path) = room();
    for name in ["trace.nsys-rep", "trace.json", "trace", "trace.zst"] {
        let other = folder.path().join(name);
        fs::copy(&path, &other).unwrap();
        assert_eq!(strings(&open(&other).unwrap()), 2, "{name}");
    }
}

#[test]
fn hostile_paths_open() {
    let (folder, path) = room();
    let names: [&[u8]; 10] = [
        b"with space.sqlite",
        b"what?mode=rw.sqlite",
        b"a#b.sqlite",
        b"100%41.sqlite",
        "W\u{e4}rmeleitung \u{6c34}.sqlite".as_bytes(),
        b"not-utf8-\xff\xfe.sqlite",
        b"-leading-dash.sqlite",
        b"it's \"quoted\".sqlite",
        b"back\\slash;drop.sqlite",
        b":memory:",
    ];
    for name in names {
        let other = folder.path().join(OsStr::from_bytes(name));
        fs::copy(&path, &other).unwrap();
        let trace = open(&other).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(strings(&trace), 2);
    }
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    assert_eq!(strings(&open(&link).unwrap()), 2);
    let doubled = PathBuf::from(format!("/{}", path.display()));
    assert_eq!(strings(&open(&doubled).unwrap()), 2);
}

#[test]
fn packed_exports_are_unpacked_elsewhere_and_cleaned_up() {
    let (folder, path) = room();
    let plain = fs::read(&path).unwrap();
    let zst = written(&folder, "trace.zst", &zstd::encode_all(plain.as_slice(), 3).unwrap());
    let gz = written(&folder, "trace.gz", &gzip(&plain));
    let both = written(&folder, "both", &gzip(&fs::read(&zst).unwrap()));
    let before = listing(folder.path());
    for packed in [zst, gz, both] {
        let trace = open(&packed).unwrap();
        assert_eq!(strings(&trace), 2);
        assert_eq!(trace.kind(), SourceKind::CompressedDatabase);
        assert_eq!(trace.path(), packed);
        let unpacked = trace.database().to_path_buf();
        assert!(unpacked.is_file() && !unpacked.starts_with(folder.path()));
        drop(trace);
        assert!(!unpacked.exists() && !unpacked.parent().unwrap().exists());
    }
    assert_eq!(listing(folder.path()), before);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

#[test]
fn a_zstd_stream_in_several_frames_is_one_file() {
    let (folder, path) = room();
    let plain = fs::read(&path).unwrap();
    let (head, tail) = plain.split_at(5000);
    let mut frames = zstd::encode_all(head, 3).unwrap();
    frames.extend(zstd::encode_all(tail, 3).unwrap());
    assert_eq!(strings(&open(&written(&folder, "frames", &frames)).unwrap()), 2);
}

#[test]
fn a_cut_or_damaged_stream_is_a_sentence() {
    let (folder, path) = room();
    let plain = fs::read(&path).unwrap();
    let zst = zstd::encode_all(plain.as_slice(), 3).unwrap();
    let gz = gzip(&plain);
    let cut_zst = written(&folder, "cut.zst", &zst[..zst.len() / 2]);
    refused_path(&cut_zst, &["zstd stream is cut short or damaged", "copy it again"]);
    let cut_gz = written(&folder, "cut.gz", &gz[..gz.len() - 9]);
    refused_path(&cut_gz, &["gzip stream is cut short or damaged"]);
    let mut broken = zst;
    let middle = broken.len() / 2;
    broken[middle..middle + 8].fill(0xff);
    let broken = written(&folder, "broken.zst", &broken);
    assert!(matches!(open(&broken), Err(SourceError::DamagedStream { .. })));
}

#[test]
fn a_missing_file_is_said_and_not_created() {
    let (folder, path) = room();
    let missing = folder.path().join("nothing.sqlite");
    assert!(matches!(refused_path(&missing, &["no such file"]), SourceError::Missing { .. }));
    assert!(!missing.exists());
    refused_path(&path.with_extension("nsys-rep"), &["did you mean", "trace.sqlite?"]);
    let link = folder.path().join("link");
    symlink(&missing, &link).unwrap();
    refused_path(&link, &["leads nowhere"]);
}

#[test]
fn an_unreadable_file_is_said() {
    let (_folder, path) = room();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&path).is_ok() {
        println!("SKIPPED: this user may read everything, so no file is unreadable");
        return;
    }
    assert!(matches!(refused_path(&path, &["cannot be read"]), SourceError::Unreadable { .. }));
}

#[test]
fn a_pipe_is_not_waited_for() {
    let folder = TempDir::new().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(matches!(refused_path(&pipe, &["write it to a file"]), SourceError::NotAFile { .. }));
}

#[test]
fn other_files_are_named_for_what_they_are() {
    let stream =
        b"\x00\xff\x00\xff\x00\xff\x00\xffNVIDIA Nsight Systems Stream 2019.6.1.85-1548171!\n";
    refused("a.qdstrm", stream, &["raw capture", "2019.6.1", "QdstrmImporter -i"]);
    refused("a.json", b"{\"traceEvents\": []}", &["Chrome trace", "nsys profile"]);
    let kineto = b"{\"schemaVersion\": 1, \"deviceProperties\": [], \"traceEvents\": []}";
    refused("k.json", kineto, &["Kineto"]);
    refused("b.json", b"[1, 2]", &["neither a trace nor a document"]);
    refused("a.parquet", b"PAR1....", &["Parquet", "--type sqlite"]);
    refused("a.arrow", b"ARROW1\0\0", &["Arrow"]);
    refused("a.h5", b"\x89HDF\r\n\x1a\n", &["HDF5"]);
    refused("a.zip", b"PK\x03\x04", &["zip archive", "unpack it first"]);
    refused("empty", b"", &["empty"]);
    refused("notes.txt", b"hello\n", &["a text file"]);
    refused("t.csv", b"a,b,c\n1,2,3\n", &["comma-separated"]);
    let tegrastats = b"RAM 2389/7772MB (lfb 1160x4MB) CPU [5%@1190,2%@1190]\n";
    refused("power.log", tegrastats, &["a tegrastats log"]);
    refused("lfs", b"version https://git-lfs.github.com/spec/v1\noid", &["git lfs pull"]);
    refused("x.gpg", b"-----BEGIN PGP MESSAGE-----\n", &["is encrypted", "decrypt it first"]);
    refused("odd", b"\x00\x01\x02\x03", &["not an Nsight Systems export", "\\x00\\x01"]);
    let stats = b"Time (%),Total Time (ns),Num Calls\n81.6,1,2\n";
    refused("s.csv", stats, &["nsys stats", "give the .nsys-rep or .sqlite"]);
    let zst = zstd::encode_all(&b"hello"[..], 3).unwrap();
    refused("text.zst", &zst, &["a text file"]);
    refused("empty.zst", &zstd::encode_all(&b""[..], 3).unwrap(), &["the file is empty"]);
}

#[test]
fn our_own_documents_are_told_from_traces() {
    let analysis = b"{\"schema\": \"nsys-attrib/analysis/1\"}";
    let error =
        refused("a.json", analysis, &["nsys-attrib/analysis/1", "the trace that it was made from"]);
    assert!(matches!(error, SourceError::Document { .. }));
    refused("s.json", b"{\"schema\":\"nsys-attrib/sidecar/1\"}", &["run folder"]);
    refused("n.json", b"{\"schema\":\"nsys-attrib/novel/9\"}", &["knows no command"]);
}

#[test]
fn folders_are_looked_into() {
    let (folder, path) = room();
    assert_eq!(strings(&open(folder.path()).unwrap()), 2, "a run folder's trace is opened");
    fs::write(&path, b"SQLite format 3\0").unwrap();
    refused_path(folder.path(), &["trace.sqlite: the database is cut short"]);
    fs::remove_file(&path).unwrap();
    refused_path(folder.path(), &["no run folder"]);
    written(&folder, "NVTX_EVENTS.parquet", b"PAR1");
    refused_path(folder.path(), &["parquetdir", "--type sqlite"]);
    written(&folder, "manifest.json", b"{}");
    refused_path(folder.path(), &["run folder without a trace"]);
}

#[test]
fn a_database_cut_short_is_said_with_both_sizes() {
    let (folder, path) = room();
    let bytes = fs::read(&path).unwrap();
    for length in [20, 60, 4096, bytes.len() - 1] {
        let cut = written(&folder, "cut", &bytes[..length]);
        let error = refused_path(&cut, &["cut short", &length.to_string()]);
        assert!(matches!(error, SourceError::Truncated { .. }), "{length}");
    }
}

#[test]
fn a_damaged_database_is_said() {
    let (folder, path) = room();
    let good = fs::read(&path).unwrap();
    let mut schema = good.clone();
    schema[100..4000].fill(0xee);
    let schema = written(&folder, "schema", &schema);
    assert!(matches!(refused_path(&schema, &["damaged"]), SourceError::Corrupt { .. }));
    let mut page_size = good.clone();
    page_size[16..18].copy_from_slice(&[0, 3]);
    refused_path(&written(&folder, "pages", &page_size), &["damaged", "page size of 3"]);
    // Damage behind the schema shows when the table is read.
    let mut table = good;
    table[4096..8192].fill(0xee);
    let table = written(&folder, "table", &table);
    let trace = open(&table).unwrap();
    let read = trace.connection().query_row("SELECT count(*) FROM StringIds", [], |_| Ok(()));
    let error = SourceError::from_sqlite(trace.path(), "StringIds", read.unwrap_err());
    says(&error, &table, &["damaged in table StringIds", "export it again"]);
}

#[test]
fn other_databases_are_told_by_their_tables() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("other.db");
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE songs (a); CREATE TABLE albums (b);").unwrap();
    refused_path(&path, &["no Nsight Systems export", "albums, songs"]);
    other
        .execute_batch("CREATE TABLE StringTable (a); CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (b);")
        .unwrap();
    refused_path(&path, &["nvprof"]);
}

#[test]
fn an_unfinished_database_is_refused_and_untouched() {
    let (folder, path) = room();
    let writer = Connection::open(&path).unwrap();
    writer.pragma_update(None, "journal_mode", "wal").unwrap();
    writer.execute("INSERT INTO StringIds VALUES (3, 'c')", []).unwrap();
    let before = listing(folder.path());
    refused_path(&path, &["-wal beside it", "wal_checkpoint(TRUNCATE)"]);
    assert_eq!(listing(folder.path()), before);
    // Checkpointed and closed, the same file opens, although its header still says WAL.
    drop(writer);
    assert_eq!(strings(&open(&path).unwrap()), 3);
    let mut journal = path.clone().into_os_string();
    journal.push("-journal");
    fs::write(&journal, b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7").unwrap();
    refused_path(&path, &["-journal beside it"]);
    fs::write(&journal, [0; 28]).unwrap();
    assert_eq!(strings(&open(&path).unwrap()), 3);
}

const REPORT: &[u8] = b"NVIDIA Tegra Profiler Report 1.\n\x0bLocal (CLI)";

/// An `nsys` that answers as `script` says; `$out` is the database asked for, `$made` a good one.
/// Written by a shell, so that this process never holds it open for writing while it is executed.
fn fake_nsys(folder: &TempDir, script: &str) -> Nsys {
    let made = folder.path().join("made.sqlite");
    if !made.exists() {
        make_export(&made);
    }
    let program = folder.path().join("nsys");
    let text = format!(
        "#!/bin/sh\nmade='{}'\n[ \"$1\" = --version ] && echo 'NVIDIA Nsight Systems version 2022.4.2.1-df9881f' && exit 0\n\
         [ \"$1 $2 $3 $4 $5\" = 'export --type sqlite --force-overwrite=true -o' ] || exit 99\nout=$6\n{script}\n",
        made.display()
    );
    let mut shell = Command::new("sh")
        .args(["-c", "cat > \"$0\" && chmod +x \"$0\""])
        .arg(&program)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success());
    Nsys::at(program)
}

#[test]
fn a_report_is_exported_by_nsys() {
    let folder = TempDir::new().unwrap();
    let nsys = fake_nsys(&folder, "cp \"$made\" \"$out\"; echo 'WARNING: some events' >&2");
    let report = written(&folder, "it's a report", REPORT);
    let before = listing(folder.path());
    let trace = open_with(&report, &nsys).unwrap();
    assert_eq!((strings(&trace), trace.kind()), (2, SourceKind::Report));
    assert_eq!(trace.notes()[0].code, "nsys-export-warning");
    let database = trace.database().to_path_buf();
    drop(trace);
    assert!(!database.exists());
    let packed = written(&folder, "r.zst", &zstd::encode_all(REPORT, 3).unwrap());
    assert_eq!(open_with(&packed, &nsys).unwrap().kind(), SourceKind::CompressedReport);
    fs::remove_file(packed).unwrap();
    assert_eq!(listing(folder.path()), before);
}

#[test]
fn nsys_is_not_believed_without_a_file() {
    let folder = TempDir::new().unwrap();
    let report = written(&folder, "r.nsys-rep", REPORT);
    let nothing = fake_nsys(&folder, "exit 0");
    says(&open_with(&report, &nothing).unwrap_err(), &report, &["wrote no file"]);
    let empty = fake_nsys(&folder, ": > \"$out\"");
    says(&open_with(&report, &empty).unwrap_err(), &report, &["wrote no file"]);
    let half = fake_nsys(
        &folder,
        "cp \"$made\" \"$out\"; echo 'std::exception::what: ProtobufParseException' >&2; exit 1",
    );
    says(&open_with(&report, &half).unwrap_err(), &report, &["ProtobufParseException"]);
    let silent = fake_nsys(&folder, "exit 1");
    let error = open_with(&report, &silent).unwrap_err();
    says(&error, &report, &["exit status: 1", "said nothing"]);
    let cut = fake_nsys(&folder, "head -c 5000 \"$made\" > \"$out\"");
    assert!(matches!(open_with(&report, &cut), Err(SourceError::Truncated { .. })));
}

#[test]
fn a_report_of_a_newer_nsys_names_the_version_needed() {
    let folder = TempDir::new().unwrap();
    let report = written(&folder, "r.nsys-rep", REPORT);
    let refuses = fake_nsys(
        &folder,
        "echo 'Exportation error: Version number is invalid: 2024@6@2@225' >&2; exit 1",
    );
    let error = open_with(&report, &refuses).unwrap_err();
    assert!(matches!(error, SourceError::NsysTooOld { .. }));
    let command = "nsys export --type sqlite --force-overwrite=true -o trace.sqlite";
    says(&error, &report, &["written by nsys 2024.6", "installed nsys 2022.4", command]);
    // Some newer reports are not refused: nsys dies on them, and the report says who wrote it.
    let dies = fake_nsys(&folder, "echo 'std::exception::what: X' >&2; exit 1");
    let newer = [REPORT, b"\0..2023.3.1.92-233133147223v0\x01"].concat();
    let newer = written(&folder, "n.nsys-rep", &newer);
    let error = open_with(&newer, &dies).unwrap_err();
    says(&error, &newer, &["written by nsys 2023.3", "std::exception::what: X"]);
}

#[test]
fn a_report_without_nsys_gives_the_command_to_run_elsewhere() {
    let folder = TempDir::new().unwrap();
    let report = written(&folder, "my report.nsys-rep", REPORT);
    let error = open_with(&report, &Nsys::at("/nowhere/nsys")).unwrap_err();
    let command = format!("-o trace.sqlite '{}'", report.display());
    says(&error, &report, &["/nowhere/nsys cannot be run", &command]);
}

/// What the next test runs in a process with another environment; by itself it does nothing.
#[test]
fn child_opens_the_named_input() {
    let Some(input) = std::env::var_os("NSYS_ATTRIB_TEST_INPUT") else { return };
    match open(Path::new(&input)) {
        Ok(trace) => println!("opened {}", strings(&trace)),
        Err(error) => println!("refused {error}"),
    }
}

#[test]
fn the_environment_chooses_nsys() {
    let folder = TempDir::new().unwrap();
    let report = written(&folder, "r.nsys-rep", REPORT);
    fake_nsys(&folder, "cp \"$made\" \"$out\"");
    let child = |settings: &[(&str, &str)]| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_opens_the_named_input", "--nocapture"])
            .env("NSYS_ATTRIB_TEST_INPUT", &report)
            .env_remove("NSYS_ATTRIB_NSYS")
            .envs(settings.iter().copied())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let here = folder.path().to_str().unwrap();
    let system = std::env::var("PATH").unwrap();
    let named = format!("{here}/nsys");
    assert!(child(&[("NSYS_ATTRIB_NSYS", &named)]).contains("opened 2"));
    assert!(child(&[("PATH", &format!("{here}:{system}"))]).contains("opened 2"));
    let none = child(&[("PATH", "/nowhere")]);
    assert!(none.contains("not on PATH, and NSYS_ATTRIB_NSYS is not set"), "{none}");
}

/// The folder beside the project that holds real reports, or a loud reason to skip.
fn shared() -> Option<PathBuf> {
    let shared = std::env::var_os("NSYS_ATTRIB_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let found = shared.join("traces/reports").is_dir();
    if !found {
        println!("SKIPPED: no real reports under {} (set NSYS_ATTRIB_SHARED)", shared.display());
    }
    found.then_some(shared)
}

/// The version of the real nsys on `PATH`, or a loud reason to skip.
fn real_nsys() -> Option<String> {
    let output = Command::new("nsys").arg("--version").output();
    let version = output.ok().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    if version.is_none() {
        println!("SKIPPED: no nsys on PATH, real reports are not exported");
    }
    version
}

#[test]
fn real_reports_are_exported_by_the_real_nsys() {
    let (Some(shared), Some(version)) = (shared(), real_nsys()) else { return };
    let reports = shared.join("traces/reports");
    let before = listing(&reports);
    for name in ["vecadd-streams-t4-2022.4.nsys-rep", "rtx2070-2022-report1.qdrep"] {
        let trace = open(&reports.join(name)).unwrap_or_else(|error| panic!("{error}"));
        assert!(strings(&trace) > 50, "{name}");
        assert_eq!(trace.kind(), SourceKind::Report);
    }
    let newer = reports.join("openmp-heat-t4-2023.3.nsys-rep");
    if version.contains("2022.4") {
        let words = ["written by nsys 2023.3", "installed nsys 2022.4", "ProtobufParseException"];
        refused_path(&newer, &words);
    } else {
        println!("SKIPPED: a report newer than this nsys ({})", version.trim());
    }
    assert_eq!(listing(&reports), before);
}

#[test]
fn a_real_raw_capture_is_refused_with_its_version() {
    let Some(shared) = shared() else { return };
    let capture = shared.join("traces/reports/tiny-2020.qdstrm");
    refused_path(&capture, &["raw capture", "2019.6.1"]);
}

#[test]
fn every_real_trace_opens() {
    let Some(shared) = shared() else { return };
    let mut opened = 0;
    for entry in fs::read_dir(shared.join("traces")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy().into_owned();
        if name.ends_with(".sqlite") || name.ends_with(".sqlite.zst") {
            let trace = open(&path).unwrap_or_else(|error| panic!("{error}"));
            assert!(strings(&trace) > 0, "{name}");
            opened += 1;
        }
    }
    assert!(opened >= 20, "only {opened} traces found");
    let stats = shared.join("traces/nsys-stats");
    for name in [
        "wno-darcy141-orinnano-nsys2024.5.stats.txt",
        "resnet-pytorch-a4500.cuda_gpu_trace_base.csv",
    ] {
        refused_path(&stats.join(name), &["nsys stats"]);
    }
}
