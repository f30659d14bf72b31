//! What can go wrong while an export is read, each with the table and what to do about it.

use std::path::PathBuf;

/// A trace could not be read. Every variant says where, and what helps.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// SQLite itself failed on a statement over `table`.
    #[error(
        "{path}: table {table} cannot be read: {source}. If the file was copied while nsys was \
         still writing it, copy it again; else export it again with `nsys export --type sqlite`",
        path = path.display()
    )]
    Sqlite {
        /// The export.
        path: PathBuf,
        /// The table that was being read.
        table: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A table is there but lacks a column that every known schema has.
    #[error(
        "{path}: table {table} has no column {column} (it has: {present}). This is not a schema of \
         Nsight Systems that is known here; export the report again with `nsys export --type sqlite`",
        path = path.display()
    )]
    MissingColumn {
        /// The export.
        path: PathBuf,
        /// The table.
        table: String,
        /// The column that is missing.
        column: &'static str,
        /// The columns that are there, comma-separated.
        present: String,
    },
    /// A cell holds something that its column cannot hold.
    #[error(
        "{path}: table {table}, row {rowid}: column {column} holds {found}, expected {expected}. The \
         export is damaged or was edited; export the report again",
        path = path.display()
    )]
    Cell {
        /// The export.
        path: PathBuf,
        /// The table.
        table: String,
        /// SQLite's row id.
        rowid: i64,
        /// The column.
        column: &'static str,
        /// What the cell holds, in words.
        found: String,
        /// What was expected, in words.
        expected: &'static str,
    },
    /// More rows than the columns here can index.
    #[error(
        "{path}: table {table} has more than {limit} rows, which is more than this version handles; \
         cut the capture (`nsys export --times`) or split it",
        path = path.display()
    )]
    TooManyRows {
        /// The export.
        path: PathBuf,
        /// The table.
        table: String,
        /// The largest number of rows.
        limit: u32,
    },
}
