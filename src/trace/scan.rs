//! One pass over a table, with the columns asked for by name.
//!
//! A column that this generation of the schema does not have reads as missing, unless it is
//! declared required. Cells keep NULL apart from 0, and a cell of the wrong type is an error that
//! names its row: a sum over silently skipped rows would be a wrong sum.
//!
//! Tables are read from the pages of the file by several threads (see [`super::pages`]); what that
//! does not handle is read through SQLite, with a note. Both give the same rows in the same order.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::error::TraceError;
use super::options::Reading;
use super::pages::{self, Int, Record};
use super::schema::Table;

/// A column to read: its name, and whether the table is useless without it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    name: &'static str,
    required: bool,
}

/// A column that every known schema has.
pub(crate) const fn required(name: &'static str) -> Column {
    Column { name, required: true }
}

/// A column that some generations lack; it then reads as missing.
pub(crate) const fn optional(name: &'static str) -> Column {
    Column { name, required: false }
}

/// Where rows come from: an open export.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// The export, for messages.
    pub(crate) path: &'a Path,
    /// The open database.
    pub(crate) connection: &'a Connection,
    /// What it is read with.
    pub(crate) reading: &'a Reading,
}

/// One row, its cells in the order of the columns asked for.
pub(crate) struct Row<'r, const N: usize> {
    cells: Cells<'r, N>,
    columns: &'r [Column; N],
    rowid: i64,
    path: &'r Path,
    table: &'r str,
}

/// The cells of a row: handed out by SQLite, or decoded when they are asked for.
enum Cells<'r, const N: usize> {
    Values([ValueRef<'r>; N]),
    Record(Record<'r, N>),
}

impl<'r, const N: usize> Row<'r, N> {
    fn value(&self, i: usize) -> ValueRef<'r> {
        match &self.cells {
            Cells::Record(record) => record.value(i),
            Cells::Values(values) => values[i],
        }
    }

    /// The integer in cell `i`, or `None` when it is NULL or the column is absent.
    #[inline(always)]
    pub(crate) fn int(&self, i: usize) -> Result<Option<i64>, TraceError> {
        if let Cells::Record(record) = &self.cells {
            match record.int(i) {
                Int::Value(value) => return Ok(Some(value)),
                Int::Null => return Ok(None),
                Int::Other => {}
            }
        }
        match self.value(i) {
            ValueRef::Integer(value) => Ok(Some(value)),
            ValueRef::Null => Ok(None),
            other => Err(self.wrong(i, &other, "an integer")),
        }
    }

    /// The integer in cell `i`, which must be there.
    #[inline(always)]
    pub(crate) fn some_int(&self, i: usize) -> Result<i64, TraceError> {
        match self.int(i)? {
            Some(value) => Ok(value),
            None => Err(self.wrong(i, &ValueRef::Null, "an integer")),
        }
    }

    /// The text in cell `i`; bytes that are no UTF-8 are replaced, embedded NULs are kept.
    pub(crate) fn text(&self, i: usize) -> Result<Option<std::borrow::Cow<'r, str>>, TraceError> {
        match self.value(i) {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                Ok(Some(String::from_utf8_lossy(bytes)))
            }
            ValueRef::Null => Ok(None),
            other @ (ValueRef::Integer(_) | ValueRef::Real(_)) => {
                Err(self.wrong(i, &other, "text"))
            }
        }
    }

    /// The correlation id in cell `i`: CUPTI's 32 bits, `None` for NULL or CUPTI's "no id", 0.
    #[inline(always)]
    pub(crate) fn correlation(&self, i: usize) -> Result<Option<u32>, TraceError> {
        match self.int(i)? {
            None | Some(0) => Ok(None),
            Some(value) => u32::try_from(value)
                .map(Some)
                .map_err(|_| self.wrong(i, &ValueRef::Integer(value), "a 32-bit correlation id")),
        }
    }

    #[cold]
    fn wrong(&self, i: usize, found: &ValueRef<'_>, expected: &'static str) -> TraceError {
        let found = match found {
            ValueRef::Null => "NULL".to_owned(),
            ValueRef::Integer(value) => value.to_string(),
            ValueRef::Real(value) => format!("the real number {value}"),
            ValueRef::Text(_) => "text".to_owned(),
            ValueRef::Blob(_) => "a blob".to_owned(),
        };
        TraceError::Cell {
            path: self.path.to_owned(),
            table: self.table.to_owned(),
            rowid: self.rowid,
            column: self.columns[i].name,
            found,
            expected,
        }
    }
}

impl Rows<'_> {
    /// Gathers every row of `table`, in the order in which it is stored: `new` makes an empty
    /// accumulator, `visit` adds a row to it, `merge` moves those of a later part
    /// of the table behind those before and leaves an empty accumulator.
    pub(crate) fn fold<A: Send, const N: usize>(
        &self,
        table: &Table,
        columns: [Column; N],
        new: impl Fn() -> A + Sync,
        visit: impl Fn(&mut A, &Row<'_, N>) -> Result<(), TraceError> + Sync,
        merge: impl Fn(&mut A, &mut A) + Sync,
    ) -> Result<A, TraceError> {
        let sql = self.select(table, &columns)?;
        if let Some(file) = &self.reading.pages {
            let (path, name) = (self.path, table.name.as_str());
            let visit = |rows: &mut A, record: Record<'_, N>| {
                let rowid = record.row_id();
                let cells = Cells::Record(record);
                visit(rows, &Row { cells, columns: &columns, rowid, path, table: name })
            };
            let names = columns.map(|column| column.name);
            let workers = (self.connection, self.reading.jobs);
            match pages::fold(file, workers, (name, names), &new, visit, merge) {
                Ok(rows) => return Ok(rows),
                Err(reason) => self.reading.note(&format!("table {name}"), &reason),
            }
        }
        let mut rows = new();
        self.select_each(table, &columns, &sql, |row| visit(&mut rows, row))?;
        Ok(rows)
    }

    /// Visits every row of `table` through SQLite, in the order in which it is stored.
    fn select_each<const N: usize>(
        &self,
        table: &Table,
        columns: &[Column; N],
        sql: &str,
        mut visit: impl FnMut(&Row<'_, N>) -> Result<(), TraceError>,
    ) -> Result<(), TraceError> {
        let fail = |source| self.sqlite_error(&table.name, source);
        let mut statement = self.connection.prepare(sql).map_err(fail)?;
        let mut rows = statement.query([]).map_err(fail)?;
        let mut rowid = 0;
        while let Some(row) = rows.next().map_err(fail)? {
            rowid += 1;
            let mut cells = [ValueRef::Null; N];
            for (i, cell) in cells.iter_mut().enumerate() {
                *cell = row.get_ref(i).map_err(fail)?;
            }
            let cells = Cells::Values(cells);
            visit(&Row { cells, columns, rowid, path: self.path, table: &table.name })?;
        }
        Ok(())
    }

    /// An error of SQLite, with the file and the table.
    pub(crate) fn sqlite_error(&self, table: &str, source: rusqlite::Error) -> TraceError {
        TraceError::Sqlite { path: self.path.to_owned(), table: table.to_owned(), source }
    }

    fn select<const N: usize>(
        &self,
        table: &Table,
        columns: &[Column; N],
    ) -> Result<String, TraceError> {
        let mut list = Vec::with_capacity(N);
        for column in columns {
            if table.has(column.name) {
                list.push(quoted(column.name));
            } else if column.required {
                return Err(TraceError::MissingColumn {
                    path: self.path.to_owned(),
                    table: table.name.clone(),
                    column: column.name,
                    present: table.columns().join(", "),
                });
            } else {
                list.push("NULL".to_owned());
            }
        }
        Ok(format!("SELECT {} FROM {}", list.join(", "), quoted(&table.name)))
    }
}

/// An identifier as SQL wants it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
