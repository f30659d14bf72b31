//! What an export holds, without its calls and operations: for `info` on traces of any size.
//!
//! Read are the tables about the machine and the session, and NVTX_EVENTS. The threads that call CUDA
//! are taken from a bounded number of blocks of rows, spread evenly over the API table, and the
//! processes from such blocks of the GPU tables; tables shorter than the blocks together are seen whole.
//!
//! ```text
//!   rows   [####......####......####......####]    # read
//! ```

use std::path::Path;

use rusqlite::Connection;

use super::about::{self, About};
use super::error::TraceError;
use super::identity::Identities;
use super::options::Reading;
use super::ranges::{Ranges, RawRanges};
use super::scan::{Rows, quoted};
use super::schema::{Schema, Table};
use super::strings::StringTable;
use super::{GRAPH_TRACE, KERNEL, MEMCPY, MEMSET, NVTX, Present, RUNTIME, Trace};

/// How many blocks of rows are looked at.
const BLOCKS: i64 = 64;
/// How many row numbers a block spans.
const BLOCK_ROWS: i64 = 512;

/// An export without its calls and operations.
#[derive(Debug)]
pub struct Outline {
    /// Everything but calls, operations and what is joined to them.
    pub trace: Trace,
    /// Whether every row was looked at for its process and thread.
    pub identities_complete: bool,
    /// Tables that could not be read; what they would hold is missing from the trace.
    pub unreadable: Vec<TraceError>,
}

impl Trace {
    /// Reads what the export says about itself and its NVTX ranges; `path` is for messages. A table
    /// of events that cannot be read is reported in the outline, not refused.
    ///
    /// # Errors
    /// [`TraceError`] when SQLite cannot read the tables about the session.
    pub fn outline(path: &Path, connection: &Connection) -> Result<Outline, TraceError> {
        let reading = Reading::of(connection);
        let rows = Rows { path, connection, reading: &reading };
        let fail = |table: &'static str| move |source| rows.sqlite_error(table, source);
        let schema = Schema::read(connection).map_err(fail("sqlite_schema"))?;
        let about = About::read(connection, &schema).map_err(fail("TARGET_INFO_*, META_DATA_*"))?;
        let strings = StringTable::new(connection, schema.table("StringIds").is_some());
        let mut unreadable = Vec::new();
        let raw = match schema.table(NVTX).map(|table| RawRanges::read(rows, table)) {
            Some(Ok(raw)) => raw,
            Some(Err(error)) => {
                unreadable.push(error);
                RawRanges::none()
            }
            None => RawRanges::none(),
        };
        let mut seen = Sampled::default();
        for (name, column) in [
            (RUNTIME, "globalTid"),
            (KERNEL, "globalPid"),
            (MEMCPY, "globalPid"),
            (MEMSET, "globalPid"),
            (GRAPH_TRACE, "globalPid"),
        ] {
            if let Some(table) = schema.table(name) {
                seen.look(connection, table, column);
            }
        }
        seen.threads.extend(raw.threads());
        let mut identities = Identities::from_globals(&seen.threads, &seen.processes);
        about::name_identities(connection, &schema, &strings, &mut identities)
            .map_err(fail("PROCESSES, ThreadNames"))?;
        let ranges: Ranges = raw.finish(&identities, &strings).map_err(fail("StringIds"))?;
        let present = Present::of(&schema);
        let read_notes = reading.into_notes();
        Ok(Outline {
            trace: Self { about, identities, ranges, present, read_notes, ..Self::default() },
            identities_complete: !seen.partial,
            unreadable,
        })
    }
}

/// Threads and processes of the rows that were looked at.
#[derive(Default)]
struct Sampled {
    threads: Vec<Option<i64>>,
    processes: Vec<Option<i64>>,
    partial: bool,
}

impl Sampled {
    /// Looks at the blocks of one table. What cannot be sampled (a table without row numbers) is left
    /// to a whole reading.
    fn look(&mut self, connection: &Connection, table: &Table, column: &str) {
        let found = if table.is_view || !table.has(column) {
            None
        } else {
            sample(connection, table, column).ok()
        };
        let Some((ids, partial)) = found else {
            self.partial = true;
            return;
        };
        self.partial |= partial;
        let into = if column == "globalTid" { &mut self.threads } else { &mut self.processes };
        into.extend(ids.into_iter().map(Some));
    }
}

/// The distinct ids in the blocks, and whether rows lie outside them.
fn sample(
    connection: &Connection,
    table: &Table,
    column: &str,
) -> rusqlite::Result<(Vec<i64>, bool)> {
    let (name, column) = (quoted(&table.name), quoted(column));
    let ends = format!("SELECT (SELECT min(rowid) FROM {name}), (SELECT max(rowid) FROM {name})");
    let (first, last): (Option<i64>, Option<i64>) =
        connection.query_row(&ends, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some((first, last)) = first.zip(last) else { return Ok((Vec::new(), false)) };
    let length = last.saturating_sub(first).saturating_add(1);
    let partial = length > BLOCKS * BLOCK_ROWS;
    let step = if partial { (length - BLOCK_ROWS) / (BLOCKS - 1) } else { BLOCK_ROWS };
    let sql = format!(
        "SELECT DISTINCT {column} FROM {name} \
         WHERE rowid BETWEEN ?1 AND ?2 AND typeof({column}) = 'integer'"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut ids = Vec::new();
    for block in 0..BLOCKS {
        let from = first.saturating_add(block.saturating_mul(step));
        if from > last {
            break;
        }
        let found = statement
            .query_map([from, from.saturating_add(BLOCK_ROWS - 1)], |row| row.get::<_, i64>(0))?;
        for id in found {
            ids.push(id?);
        }
    }
    ids.sort_unstable();
    ids.dedup();
    Ok((ids, partial))
}
