//! A copy of a trace that can be published.
//!
//! An export holds the environment block of every process that ran on the machine (`StringIds`
//! values with embedded NUL), command lines, captured output, host and user names, serial numbers.
//! The copy holds `REDACTED` in their place; `rules` says what is replaced where, `patterns` what
//! a secret looks like. Every row of an event table, and every string that one of them refers to,
//! stays as it is, so that each number made from the copy equals the one made from the original.
//! Names that look like secrets are therefore reported, not replaced.
//!
//! ```text
//! trace ─> working copy in TMPDIR ─> rules ─> VACUUM INTO beside OUT ─> rename to OUT
//! ```
//!
//! Packing with VACUUM is what really removes the old bytes: a replaced value stays in the free
//! pages of a database until then.

mod database;
mod patterns;
mod rules;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde::Serialize;
use tempfile::{NamedTempFile, TempDir};
use thiserror::Error;

use super::source::{OpenTrace, SourceError};

/// How an output called `….zst` is packed: small files matter more than seconds here.
const ZSTD_LEVEL: i32 = 19;

/// What may differ from one scrub to the next.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScrubOptions {
    /// Also replace what looks like a secret inside NVTX names (changes names, never times).
    pub redact_nvtx: bool,
    /// Replace an output that exists.
    pub force: bool,
}

/// What was replaced, and what a reader should still look at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ScrubReport {
    /// Values replaced or shortened, by `table.column`.
    pub replaced: BTreeMap<String, u64>,
    /// Names that were kept and look as if they held something private.
    pub suspicious: Vec<Suspicious>,
}

/// A name that was kept and looks private.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Suspicious {
    /// Where the name stands: `NVTX_EVENTS.text`, or `StringIds.value` and who refers to it.
    pub place: String,
    /// What it looks like: `e-mail address`, `token`, `home folder`, `host or user name`.
    pub kind: &'static str,
    /// The name.
    pub text: String,
    /// How many rows of that place hold it.
    pub rows: u64,
}

/// Why no copy was made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScrubError {
    /// The output exists.
    #[error("{}: exists already; name another output, or replace it with --force", path.display())]
    Exists {
        /// The output.
        path: PathBuf,
    },
    /// The output is the trace itself.
    #[error("{}: is the trace itself; a scrubbed copy needs a name of its own", path.display())]
    Itself {
        /// The output.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The trace cannot be read or changed.
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// Writes a scrubbed copy of `source` to `out`; packed with zstd when `out` ends in `.zst`. Either the
/// whole copy appears or nothing does.
///
/// # Errors
/// When `out` exists (unless forced), is the trace itself, or when reading or writing fails.
pub fn scrub(
    source: &OpenTrace,
    out: &Path,
    options: &ScrubOptions,
) -> Result<ScrubReport, ScrubError> {
    check_output(source, out, options)?;
    let cannot = |path: &Path| {
        let path = path.to_path_buf();
        |source| ScrubError::Write { path, source }
    };
    let temporary = std::env::temp_dir();
    let folder = TempDir::with_prefix("nsys-attrib-").map_err(cannot(&temporary))?;
    let work = folder.path().join("work.sqlite");
    fs::copy(source.database(), &work).map_err(cannot(&work))?;
    // The copy inherits the permissions of the trace, which may be read-only.
    fs::set_permissions(&work, fs::Permissions::from_mode(0o600)).map_err(cannot(&work))?;

    let failed = |table: &str| {
        let table = table.to_owned();
        move |error| SourceError::from_sqlite(source.path(), &table, error)
    };
    let connection = Connection::open(&work).map_err(failed(""))?;
    let report = database::redact(&connection, options)
        .map_err(|(table, error)| SourceError::from_sqlite(source.path(), &table, error))?;

    let beside = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let new = || NamedTempFile::with_prefix_in(".nsys-attrib-", beside).map_err(cannot(beside));
    let mut packed = new()?;
    connection
        .execute("VACUUM INTO ?1", [packed.path().to_string_lossy()])
        .map_err(failed("VACUUM"))?;
    if out.extension().is_some_and(|ending| ending == "zst") {
        let compressed = new()?;
        let plain = File::open(packed.path()).map_err(cannot(out))?;
        zstd::stream::copy_encode(plain, compressed.as_file(), ZSTD_LEVEL).map_err(cannot(out))?;
        packed = compressed;
    }
    publish(packed, out, options.force)?;
    Ok(report)
}

fn check_output(source: &OpenTrace, out: &Path, options: &ScrubOptions) -> Result<(), ScrubError> {
    let Ok(existing) = fs::canonicalize(out) else { return Ok(()) };
    let itself = [source.path(), source.database()]
        .iter()
        .any(|path| fs::canonicalize(path).is_ok_and(|path| path == existing));
    if itself {
        return Err(ScrubError::Itself { path: out.to_path_buf() });
    }
    if options.force && existing.is_file() {
        return Ok(());
    }
    Err(ScrubError::Exists { path: out.to_path_buf() })
}

fn publish(file: NamedTempFile, out: &Path, force: bool) -> Result<(), ScrubError> {
    let cannot = |source| ScrubError::Write { path: out.to_path_buf(), source };
    // Temporary files are private; a copy made to be published is not.
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).map_err(cannot)?;
    let kept = if force { file.persist(out) } else { file.persist_noclobber(out) };
    match kept {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(ScrubError::Exists { path: out.to_path_buf() })
        }
        Err(error) => Err(cannot(error.error)),
    }
}
