//! Where a table lies and in which order its columns are stored, as SQLite tells.
//!
//! Refused: views, virtual tables, tables without row ids, tables with generated columns (their
//! records hold fewer cells than the table has columns), and wanted columns of type REAL, in which
//! SQLite stores some numbers as integers.

use rusqlite::{Connection, OptionalExtension};

use super::Unread;

/// Where to find a wanted column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The table has no such column.
    Absent,
    /// It is another name for the row id.
    RowId,
    /// The cell at this place of the record. A record that was written before the column was added
    /// lacks the cell: then it is NULL, or the column's default.
    Cell {
        /// The place, from 0.
        place: usize,
        /// Whether the column has a default, which is not evaluated here.
        has_default: bool,
    },
}

/// A table that can be read from its pages.
#[derive(Debug)]
pub(super) struct Layout<const N: usize> {
    /// The root of its tree.
    pub(super) root: u32,
    /// The wanted columns.
    pub(super) wanted: [Wanted; N],
}

/// A column as `PRAGMA table_xinfo` lists it.
struct Stored {
    name: String,
    declared: String,
    has_default: bool,
    in_key: bool,
}

impl<const N: usize> Layout<N> {
    /// Asks SQLite about `table`.
    pub(super) fn read(
        connection: &Connection,
        table: &str,
        columns: [&str; N],
    ) -> Result<Self, Unread> {
        check_kind(connection, table)?;
        let stored = stored_columns(connection, table)?;
        let row_id = row_id_column(connection, table, &stored)?;
        let mut wanted = [Wanted::Absent; N];
        for (wanted, name) in wanted.iter_mut().zip(columns) {
            let same = |column: &Stored| column.name.eq_ignore_ascii_case(name);
            let Some(place) = stored.iter().position(same) else { continue };
            if is_real(&stored[place].declared) {
                return Err(Unread::Unsupported("a column that should hold integers is REAL"));
            }
            *wanted = if row_id == Some(place) {
                Wanted::RowId
            } else {
                Wanted::Cell { place, has_default: stored[place].has_default }
            };
        }
        let root: Option<u32> = connection
            .query_row(
                "SELECT rootpage FROM main.sqlite_schema WHERE type = 'table' AND name = ?1",
                [table],
                |row| row.get(0),
            )
            .optional()?;
        match root {
            Some(root) if root >= 2 => Ok(Self { root, wanted }),
            _ => Err(Unread::Unsupported("it has no pages of its own")),
        }
    }
}

fn check_kind(connection: &Connection, table: &str) -> Result<(), Unread> {
    let found: Option<(String, bool)> = connection
        .query_row(
            "SELECT type, wr FROM pragma_table_list(?1) WHERE schema = 'main'",
            [table],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    match found {
        Some((kind, false)) if kind == "table" => Ok(()),
        Some((kind, _)) if kind == "view" => Err(Unread::Unsupported("it is a view")),
        Some((kind, true)) if kind == "table" => {
            Err(Unread::Unsupported("it is a table WITHOUT ROWID"))
        }
        _ => Err(Unread::Unsupported("it is no ordinary table")),
    }
}

fn stored_columns(connection: &Connection, table: &str) -> Result<Vec<Stored>, Unread> {
    let mut statement = connection.prepare_cached(
        "SELECT name, type, dflt_value IS NOT NULL, pk > 0, hidden FROM pragma_table_xinfo(?1) \
         ORDER BY cid",
    )?;
    let mut rows = statement.query([table])?;
    let mut columns = Vec::new();
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(4)? != 0 {
            return Err(Unread::Unsupported("it has generated columns"));
        }
        columns.push(Stored {
            name: row.get(0)?,
            declared: row.get(1)?,
            has_default: row.get(2)?,
            in_key: row.get(3)?,
        });
    }
    Ok(columns)
}

/// The column that is another name for the row id: the whole key, declared INTEGER, and, unlike
/// `INTEGER PRIMARY KEY DESC`, without an index of its own.
fn row_id_column(
    connection: &Connection,
    table: &str,
    columns: &[Stored],
) -> Result<Option<usize>, Unread> {
    let keys: Vec<usize> = (0..columns.len()).filter(|place| columns[*place].in_key).collect();
    let [place] = keys[..] else { return Ok(None) };
    if !columns[place].declared.eq_ignore_ascii_case("INTEGER") {
        return Ok(None);
    }
    let indexed: bool = connection.query_row(
        "SELECT count(*) > 0 FROM pragma_index_list(?1) WHERE origin = 'pk'",
        [table],
        |row| row.get(0),
    )?;
    Ok((!indexed).then_some(place))
}

/// Whether a declared type has REAL affinity (SQLite, "Datatypes", section 3.1).
fn is_real(declared: &str) -> bool {
    let declared = declared.to_ascii_uppercase();
    let names = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    !names(&["INT", "CHAR", "CLOB", "TEXT", "BLOB"]) && names(&["REAL", "FLOA", "DOUB"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(definition: &str) -> Result<Layout<2>, Unread> {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(definition).unwrap();
        Layout::read(&db, "t", ["a", "b"])
    }

    fn wanted(definition: &str) -> [Wanted; 2] {
        layout(definition).unwrap().wanted
    }

    const fn cell(place: usize) -> Wanted {
        Wanted::Cell { place, has_default: false }
    }

    #[test]
    fn columns_are_found_by_name_in_any_case() {
        assert_eq!(wanted("CREATE TABLE t (x, B, A)"), [cell(2), cell(1)]);
        assert_eq!(wanted("CREATE TABLE t (a)"), [cell(0), Wanted::Absent]);
    }

    #[test]
    fn only_a_true_integer_key_is_the_row_id() {
        assert_eq!(wanted("CREATE TABLE t (b, a INTEGER PRIMARY KEY)"), [Wanted::RowId, cell(0)]);
        assert_eq!(wanted("CREATE TABLE t (a INTEGER PRIMARY KEY DESC)")[0], cell(0));
        assert_eq!(wanted("CREATE TABLE t (a INT PRIMARY KEY)")[0], cell(0));
        assert_eq!(wanted("CREATE TABLE t (a INTEGER, b, PRIMARY KEY (a, b))")[0], cell(0));
    }

    #[test]
    fn what_is_stored_otherwise_is_refused() {
        for definition in [
            "CREATE TABLE t (a PRIMARY KEY, b) WITHOUT ROWID",
            "CREATE TABLE s (a); CREATE VIEW t AS SELECT a FROM s",
            "CREATE TABLE t (x, y AS (x + 1), a, b)",
            "CREATE TABLE t (a DOUBLE, b)",
        ] {
            assert!(layout(definition).is_err(), "{definition}");
        }
        assert!(layout("CREATE TABLE t (a REAL_INT, b TEXT)").is_ok());
    }
}
