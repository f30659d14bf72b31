//! Opens an SQLite export for reading only, after checking that it is whole and an export.
//!
//! Rules: the URI flags `immutable=1&mode=ro` (no lock, no journal, nothing written beside the
//! trace), `query_only`, the file mapped into memory. The header (file format, section 1.3) tells a
//! file that was cut short; `PRAGMA quick_check` would read a large trace twice and is left out. An
//! immutable opening does not see a write-ahead log, so a database with one is refused.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::error::SourceError;

/// The largest mapping that the bundled SQLite accepts.
const LARGEST_MAPPING: u64 = 0x7fff_0000;

const HEADER: usize = 100;

/// Opens `file` and gives its real path beside the connection. `path` is what the user named, for
/// messages.
pub(super) fn open(file: &Path, path: &Path) -> Result<(Connection, PathBuf), SourceError> {
    let file = fs::canonicalize(file).map_err(|error| SourceError::from_io(path, error))?;
    let size = check_header(&file, path)?;
    let failed = |error| SourceError::from_sqlite(path, "", error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri(&file), flags).map_err(failed)?;
    let mapping = i64::try_from(size.min(LARGEST_MAPPING)).unwrap_or(0);
    connection.pragma_update(None, "mmap_size", mapping).map_err(failed)?;
    connection.pragma_update(None, "query_only", true).map_err(failed)?;
    let tables = tables(&connection).map_err(failed)?;
    check_tables(tables, path)?;
    Ok((connection, file))
}

/// The file as SQLite's URI. Every byte outside a small safe set is escaped, so that `?`, `#`, `%`,
/// spaces and names that are not UTF-8 reach the file system unchanged.
fn uri(file: &Path) -> String {
    let mut uri = String::from("file:");
    for &byte in file.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri.push_str("?immutable=1&mode=ro");
    uri
}

/// Refuses a database that is cut short or not finished; gives its size.
fn check_header(file: &Path, path: &Path) -> Result<u64, SourceError> {
    let read = |error| SourceError::from_io(path, error);
    let mut start = Vec::with_capacity(HEADER);
    let opened = File::open(file).map_err(read)?;
    let actual = opened.metadata().map_err(read)?.len();
    opened.take(HEADER as u64).read_to_end(&mut start).map_err(read)?;
    let Ok(header) = <[u8; HEADER]>::try_from(start) else {
        let expected = HEADER as u64;
        return Err(SourceError::Truncated { path: path.to_path_buf(), expected, actual });
    };
    let page = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        size if size >= 512 && size.is_power_of_two() => u64::from(size),
        size => {
            let detail = format!("its header gives a page size of {size} bytes");
            return Err(SourceError::Corrupt {
                path: path.to_path_buf(),
                table: String::new(),
                detail,
            });
        }
    };
    // The page count is only meant when the two change counters agree.
    let pages = if header[24..28] == header[92..96] {
        u64::from(u32::from_be_bytes([header[28], header[29], header[30], header[31]]))
    } else {
        0
    };
    let expected = (pages * page).max(actual.next_multiple_of(page));
    if expected > actual {
        return Err(SourceError::Truncated { path: path.to_path_buf(), expected, actual });
    }
    let write_ahead = header[18] == 2 || header[19] == 2;
    check_sidecars(file, path, write_ahead)?;
    Ok(actual)
}

fn check_sidecars(file: &Path, path: &Path, write_ahead: bool) -> Result<(), SourceError> {
    let beside = |ending: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(OsStr::new(ending));
        PathBuf::from(name)
    };
    let filled = |file: &Path| {
        let mut first = [0];
        File::open(file).and_then(|mut file| file.read_exact(&mut first)).is_ok() && first[0] != 0
    };
    let log = beside("-wal");
    let journal = beside("-journal");
    // A journal that was only zeroed (journal_mode=PERSIST) belongs to a finished transaction.
    let sidecar = if write_ahead && filled(&log) {
        log
    } else if filled(&journal) {
        journal
    } else {
        return Ok(());
    };
    Err(SourceError::Unfinished { path: path.to_path_buf(), sidecar })
}

fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?
        .query_map([], |row| row.get(0))?
        .collect()
}

fn check_tables(tables: Vec<String>, path: &Path) -> Result<(), SourceError> {
    const KNOWN: [&str; 11] = [
        "StringIds",
        "NVTX_EVENTS",
        "OSRT_API",
        "ANALYSIS_DETAILS",
        "META_DATA_EXPORT",
        "META_DATA_CAPTURE",
        "EXPORT_META_DATA",
        "ProcessStreams",
        "ThreadNames",
        "PROFILER_OVERHEAD",
        "SCHED_EVENTS",
    ];
    let has = |name: &str| tables.iter().any(|table| table.eq_ignore_ascii_case(name));
    let path = path.to_path_buf();
    if !has("StringIds") && has("StringTable") {
        return Err(SourceError::Nvprof { path });
    }
    let of_nsys = |table: &String| {
        KNOWN.iter().any(|known| table.eq_ignore_ascii_case(known))
            || table.starts_with("CUPTI_ACTIVITY_KIND_")
            || table.starts_with("TARGET_INFO_")
    };
    if tables.iter().any(of_nsys) { Ok(()) } else { Err(SourceError::NotAnExport { path, tables }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hostile_byte_of_a_path_is_escaped() {
        assert_eq!(
            uri(Path::new("/data/a b?c#d%e/ä.sqlite")),
            "file:/data/a%20b%3Fc%23d%25e/%C3%A4.sqlite?immutable=1&mode=ro"
        );
        let raw = Path::new(OsStr::from_bytes(b"/data/\xff"));
        assert_eq!(uri(raw), "file:/data/%FF?immutable=1&mode=ro");
    }
}
