//! Reads the rows of a table straight from the pages of the file, in parallel.
//!
//! SQLite hands out one cell at a time, which takes several times as long as reading the file. So
//! SQLite says what a table is ([`layout`]), and the leaves of its tree are decoded here: the tree is
//! walked from the root ([`tree`]), leaves are read in blocks ([`leaf`]), of each record only the
//! wanted columns are decoded ([`record`]), by several threads ([`parallel`]). The rules are those of
//! the SQLite file format, sections 1.3 to 2.1.
//!
//! ```text
//!   root ─> interior pages ─> leaf  leaf  leaf │ leaf  leaf  leaf │ …     one block, one thread
//!                             rows in the order of their row ids
//! ```
//!
//! Whatever is not exactly as expected is refused, and the table is then read through SQLite: a
//! refusal costs time, never a number. Bytes are not trusted: every length is checked against the
//! page, every page against the file, and no page of a tree is read twice.

mod file;
mod layout;
mod leaf;
mod parallel;
mod record;
#[cfg(test)]
mod tests;
mod tree;

use std::io;

use super::error::TraceError;

pub(crate) use file::PageFile;
pub(crate) use parallel::fold;
pub(crate) use record::{Int, Record};

/// Why a table was not read from its pages.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    /// The table or the file is of a kind that is not read here.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The pages are not what the file format says.
    #[error("its pages are damaged ({0})")]
    Damaged(&'static str),
    /// The file could not be read.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// SQLite could not say what the table is.
    #[error("its definition cannot be read: {0}")]
    Definition(#[from] rusqlite::Error),
    /// A row was refused by whoever asked for it.
    #[error("a row is refused: {0}")]
    Row(#[from] TraceError),
}
