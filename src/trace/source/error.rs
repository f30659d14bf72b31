//! Why an input cannot be read: one variant a reason, each with the file and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use thiserror::Error;

/// Why an input cannot be read as a trace.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Nothing has this name.
    #[error("{}: there is no such file{hint}", path.display())]
    Missing {
        /// What the user named.
        path: PathBuf,
        /// What is there instead, as the rest of the sentence.
        hint: String,
    },
    /// The file is there, and may not be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A pipe, a socket or a device.
    #[error("{}: is a pipe, socket or device, and a trace is read more than once; write it to a file first", path.display())]
    NotAFile {
        /// What the user named.
        path: PathBuf,
    },
    /// A file of zero bytes.
    #[error("{}: the file is empty; the export or the copy that should have filled it failed, repeat it", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A raw capture that was never imported.
    #[error(
        "{}: a raw capture of Nsight Systems{} that was never imported (`nsys profile` could not find its importer); \
         run `QdstrmImporter -i {}` of that version of Nsight Systems (it lies in its host-linux-x64 folder), \
         then give the .nsys-rep or .qdrep that it makes",
        path.display(), version.as_deref().map(|v| format!(" {v}")).unwrap_or_default(), quoted(path)
    )]
    RawCapture {
        /// The file.
        path: PathBuf,
        /// The version that captured, when the file says so.
        version: Option<String>,
    },
    /// A timeline of Chrome's format, as PyTorch's profiler writes it.
    #[error(
        "{}: a Chrome trace (PyTorch profiler, Kineto), not an Nsight Systems export; \
         capture the program with `nsys profile --trace=cuda,nvtx` and give that report", path.display()
    )]
    ChromeTrace {
        /// The file.
        path: PathBuf,
    },
    /// JSON of another kind.
    #[error("{}: a JSON file that is neither a trace nor a document of this program; give the .nsys-rep or the export made with `nsys export --type sqlite`", path.display())]
    Json {
        /// The file.
        path: PathBuf,
    },
    /// A document that this program wrote.
    #[error("{}: a `{schema}` document of this program, not a trace; {}", path.display(), taken_by(schema))]
    Document {
        /// The file.
        path: PathBuf,
        /// Its schema id, `nsys-attrib/analysis/1`.
        schema: String,
    },
    /// A folder of Parquet files.
    #[error("{}: a folder of Parquet files (`nsys export --type parquetdir`); export the same report again with `nsys export --type sqlite`", path.display())]
    ParquetFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A run folder of an untraced run.
    #[error("{}: a run folder without a trace (no trace.sqlite in it): the run was not traced, or the trace was not copied along", path.display())]
    RunWithoutTrace {
        /// The folder.
        path: PathBuf,
    },
    /// Some other folder.
    #[error("{}: a folder that is no run folder (it has no manifest.json and no trace.sqlite); name the trace inside it", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// Arrow, Parquet or HDF5.
    #[error("{}: {format} data, which is not read here; export the same report again with `nsys export --type sqlite`", path.display())]
    OtherExport {
        /// The file.
        path: PathBuf,
        /// The format's name.
        format: &'static str,
    },
    /// An archive or a compression that is not read.
    #[error("{}: {format}; unpack it first (zstd and gzip are read directly)", path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// The format, with its article.
        format: &'static str,
    },
    /// Tables that `nsys stats` printed.
    #[error(
        "{}: tables printed by `nsys stats`: sums of a whole trace, with no times of single calls, so they cannot be attributed to windows; \
         give the .nsys-rep or .sqlite that they were made from, or make a limited analysis with `nsys-attrib import-stats`", path.display()
    )]
    StatsText {
        /// The file.
        path: PathBuf,
    },
    /// Some other text.
    #[error("{}: {what}, not a trace; {remedy}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// What the text is, with its article.
        what: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// Encrypted, or bytes that no known format explains.
    #[error("{}: {}; decrypt it first", path.display(), if *certain { "is encrypted" } else { "has no known header and no order in its bytes, as an encrypted file (or database) has" })]
    Encrypted {
        /// The file.
        path: PathBuf,
        /// Whether a header says so.
        certain: bool,
    },
    /// A file of an unknown kind.
    #[error("{}: not an Nsight Systems export or report (it starts with {start})", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// Its first bytes, printable.
        start: String,
    },
    /// The file ends before its end.
    #[error("{}: the database is cut short: its header promises {expected} bytes and {actual} are there; copy or export it again (or wait until the export is finished)", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// The size that the header promises.
        expected: u64,
        /// The size on disk.
        actual: u64,
    },
    /// A database that SQLite cannot follow.
    #[error("{}: the database is damaged{}: {detail}; copy or export it again", path.display(), in_table(table))]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The table that was being read, empty for the schema.
        table: String,
        /// What SQLite said.
        detail: String,
    },
    /// Part of the database is still in another file.
    #[error(
        "{}: the last changes are still in {} beside it, and reading them would write; finish them first: `sqlite3 {} 'PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE'`",
        path.display(), sidecar.display(), quoted(path)
    )]
    Unfinished {
        /// The database.
        path: PathBuf,
        /// The write-ahead log or journal.
        sidecar: PathBuf,
    },
    /// A database of another program.
    #[error("{}: an SQLite database, but no Nsight Systems export; it has {}", path.display(), tables_text(tables))]
    NotAnExport {
        /// The file.
        path: PathBuf,
        /// The tables it has, by name.
        tables: Vec<String>,
    },
    /// A database of the older profiler nvprof.
    #[error("{}: a profile of nvprof or the Visual Profiler, which records no NVTX windows in a form read here; capture again with `nsys profile --trace=cuda,nvtx`", path.display())]
    Nvprof {
        /// The file.
        path: PathBuf,
    },
    /// A compressed file that cannot be unpacked.
    #[error("{}: the {format} stream is cut short or damaged ({source}); copy it again", path.display())]
    DamagedStream {
        /// The file.
        path: PathBuf,
        /// `zstd` or `gzip`.
        format: &'static str,
        /// What the decoder said.
        source: io::Error,
    },
    /// The temporary copy cannot be written.
    #[error("{}: needs a temporary file in {}, which cannot be written ({source}); set TMPDIR to a folder with room", path.display(), folder.display())]
    NoRoom {
        /// What the user named.
        path: PathBuf,
        /// The temporary folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Wrapped too often.
    #[error("{}: compressed more than {} times over; unpack it first", path.display(), super::MAX_LAYERS - 1)]
    TooManyLayers {
        /// What the user named.
        path: PathBuf,
    },
    /// A report, and no nsys to export it.
    #[error(
        "{}: an nsys report, and reading it needs nsys, which is not here ({looked}); on a machine that has it run\n    {command}\nand give trace.sqlite", path.display()
    )]
    NoNsys {
        /// The report.
        path: PathBuf,
        /// Where it was looked for.
        looked: String,
        /// The command to run elsewhere.
        command: String,
    },
    /// A report of a newer nsys than the one installed.
    #[error(
        "{}: written by nsys {needed}, which {} cannot read ({line}); install nsys {needed} or newer, or set NSYS_ATTRIB_NSYS to one, or on the machine that captured it run\n    {command}\nand give trace.sqlite",
        path.display(), installed.as_deref().map_or_else(|| "the nsys here".to_owned(), |v| format!("the installed nsys {v}"))
    )]
    NsysTooOld {
        /// The report.
        path: PathBuf,
        /// The version that wrote it, `2024.6`.
        needed: String,
        /// The version that is installed, when it could be asked.
        installed: Option<String>,
        /// The line in which nsys said so.
        line: String,
        /// The command to run elsewhere.
        command: String,
    },
    /// nsys made no usable export.
    #[error("{}: `{}` made no usable export: {line}", path.display(), nsys.display())]
    ExportFailed {
        /// The report.
        path: PathBuf,
        /// The program that was run.
        nsys: PathBuf,
        /// What went wrong, in nsys's words where it had any.
        line: String,
    },
    /// SQLite refused for another reason.
    #[error("{}: cannot be read{}", path.display(), in_table(table))]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// The table that was being read, empty for the schema.
        table: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl SourceError {
    /// The sentence for an error of SQLite while `table` was read (empty: while opening). Damage is
    /// found here and not in advance, since checking a large trace costs more than reading it.
    pub fn from_sqlite(path: &Path, table: &str, error: rusqlite::Error) -> Self {
        let path = path.to_path_buf();
        let table = table.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt { path, table, detail: error.to_string() }
            }
            _ => Self::Sqlite { path, table, source: error },
        }
    }

    /// The same about another name: what was unpacked to nothing is the named input.
    pub(super) fn about(self, named: &Path) -> Self {
        match self {
            Self::Empty { .. } => Self::Empty { path: named.to_path_buf() },
            other => other,
        }
    }

    /// The sentence for an error of the system while `path` was opened or read.
    pub(super) fn from_io(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path: path.to_path_buf(), hint: hint(path) },
            _ => Self::Unreadable { path: path.to_path_buf(), source },
        }
    }
}

/// `file` as a shell would need it.
pub(super) fn quoted(file: &Path) -> String {
    let text = file.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@=".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn in_table(table: &str) -> String {
    if table.is_empty() { String::new() } else { format!(" in table {table}") }
}

fn tables_text(tables: &[String]) -> String {
    const SHOWN: usize = 12;
    match tables.len() {
        0 => "no tables at all".to_owned(),
        n if n <= SHOWN => format!("the tables {}", tables.join(", ")),
        n => format!("the tables {} and {} more", tables[..SHOWN].join(", "), n - SHOWN),
    }
}

fn taken_by(schema: &str) -> &'static str {
    match schema.split('/').nth(1).unwrap_or_default() {
        "analysis" | "analyses" => "it is a result already; give the trace that it was made from",
        "energy" | "comparison" | "replay" => {
            "it is a result already; give the trace or the power log that it was made from"
        }
        "manifest" | "sidecar" => "give the run folder that it lies in",
        "study" => "give the traces of its runs",
        _ => "this version knows no command for it",
    }
}

/// A missing file is often a near miss: a link to nothing, or the same name with another ending.
fn hint(path: &Path) -> String {
    if path.symlink_metadata().is_ok() {
        return " (it is a link that leads nowhere)".to_owned();
    }
    let mut candidates: Vec<PathBuf> =
        ["sqlite", "nsys-rep", "qdrep"].iter().map(|ending| path.with_extension(ending)).collect();
    for ending in [".zst", ".gz", ".sqlite", ".nsys-rep"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        candidates.push(name.into());
    }
    candidates
        .iter()
        .find(|candidate| candidate.as_path() != path && candidate.is_file())
        .map(|candidate| format!("; did you mean {}?", candidate.display()))
        .unwrap_or_default()
}
