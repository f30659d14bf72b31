//! How many rows each table of an export has, without reading them.
//!
//! SQLite finds the first and the last `rowid` of a table in a few page reads, and nsys numbers rows
//! from 1 without gaps, so `last - first + 1` is the number of rows unless somebody deleted some: an
//! upper bound, marked `~`. Small tables, tables without a rowid and, on request, all tables are
//! counted. Views are queries that somebody added; they are counted on request only.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;

use super::error::TraceError;
use super::options::Reading;
use super::scan::{Rows, quoted};
use super::schema::{Schema, Table};

/// A table whose row numbers span no more than this is counted anyway.
const SMALL: u64 = 10_000;

/// One table or view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRows {
    /// The name as the database spells it.
    pub name: String,
    /// Whether it is a view that somebody added.
    pub is_view: bool,
    /// How many rows; `None` for a view that was not, or cannot be, counted.
    pub rows: Option<u64>,
    /// Whether the rows were counted; otherwise `rows` is the span of their numbers.
    pub exact: bool,
}

/// All tables and views of an export, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    tables: Vec<TableRows>,
}

impl Inventory {
    /// Lists the tables; counts every row when `exact`.
    ///
    /// # Errors
    /// [`TraceError`] when SQLite cannot read a table.
    pub fn read(path: &Path, connection: &Connection, exact: bool) -> Result<Self, TraceError> {
        let reading = Reading::of(connection);
        let rows = Rows { path, connection, reading: &reading };
        let schema = Schema::read(connection)
            .map_err(|source| rows.sqlite_error("sqlite_schema", source))?;
        let without_rowid = without_rowid(connection)
            .map_err(|source| rows.sqlite_error("sqlite_schema", source))?;
        let mut tables = Vec::new();
        for table in schema.tables() {
            let must_count = exact || without_rowid.contains(&table.name);
            let found = if table.is_view {
                Ok(view(connection, table, exact))
            } else {
                size(connection, table, must_count)
            };
            tables.push(found.map_err(|source| rows.sqlite_error(&table.name, source))?);
        }
        Ok(Self { tables })
    }

    /// All of them, by name.
    pub fn tables(&self) -> &[TableRows] {
        &self.tables
    }

    /// The table or view of that name.
    pub fn table(&self, name: &str) -> Option<&TableRows> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// Whether that table is there and not known to be empty.
    pub fn has_rows(&self, name: &str) -> bool {
        self.table(name).is_some_and(|table| table.rows != Some(0))
    }
}

fn without_rowid(connection: &Connection) -> rusqlite::Result<BTreeSet<String>> {
    let mut statement =
        connection.prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND wr")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

fn size(connection: &Connection, table: &Table, count_it: bool) -> rusqlite::Result<TableRows> {
    let known = |rows, exact| TableRows {
        name: table.name.clone(),
        is_view: false,
        rows: Some(rows),
        exact,
    };
    if count_it {
        return Ok(known(count(connection, table)?, true));
    }
    // Two queries in one statement: min and max together would scan the table.
    let name = quoted(&table.name);
    let sql = format!("SELECT (SELECT min(rowid) FROM {name}), (SELECT max(rowid) FROM {name})");
    let ends: (Option<i64>, Option<i64>) =
        connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(first), Some(last)) = ends else { return Ok(known(0, true)) };
    let span = first.abs_diff(last).saturating_add(1);
    if span <= SMALL {
        return Ok(known(count(connection, table)?, true));
    }
    Ok(known(span, false))
}

fn view(connection: &Connection, table: &Table, exact: bool) -> TableRows {
    let rows = if exact { count(connection, table).ok() } else { None };
    TableRows { name: table.name.clone(), is_view: true, rows, exact: rows.is_some() }
}

fn count(connection: &Connection, table: &Table) -> rusqlite::Result<u64> {
    let sql = format!("SELECT count(*) FROM {}", quoted(&table.name));
    let rows: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
    Ok(rows.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(exact: bool) -> Vec<(String, Option<u64>, bool)> {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE big (x); CREATE TABLE empty (x);
                 CREATE TABLE flat (x PRIMARY KEY) WITHOUT ROWID;
                 CREATE TABLE small (id INTEGER PRIMARY KEY);
                 CREATE VIEW seen AS SELECT x FROM flat;
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
                   INSERT INTO big SELECT i FROM n;
                 DELETE FROM big WHERE rowid = 7;
                 INSERT INTO flat VALUES (1), (2), (3);
                 INSERT INTO small VALUES (0), (5);",
            )
            .unwrap();
        let inventory = Inventory::read(Path::new("t"), &connection, exact).unwrap();
        assert!(inventory.has_rows("big") && !inventory.has_rows("empty"));
        assert!(!inventory.has_rows("absent"));
        inventory.tables.into_iter().map(|table| (table.name, table.rows, table.exact)).collect()
    }

    #[test]
    fn row_numbers_bound_the_rows_of_large_tables() {
        let expected = [
            ("big", Some(20_000), false),
            ("empty", Some(0), true),
            ("flat", Some(3), true),
            ("seen", None, false),
            ("small", Some(2), true),
        ];
        assert_eq!(sizes(false), expected.map(|(name, rows, exact)| (name.into(), rows, exact)));
    }

    #[test]
    fn counting_is_exact_and_reaches_views() {
        let expected = [("big", 19_999), ("empty", 0), ("flat", 3), ("seen", 3), ("small", 2)];
        assert_eq!(sizes(true), expected.map(|(name, rows)| (name.into(), Some(rows), true)));
    }
}
