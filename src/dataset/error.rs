//! What can go wrong with a dataset, each with the file and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use polars::prelude::PolarsError;

/// A dataset could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A folder without `dataset.json`.
    #[error("{path}: no dataset: it has no dataset.json. `nsys-attrib dataset add {path} INPUT…` makes one", path = path.display())]
    NotOne {
        /// The folder.
        path: PathBuf,
    },
    /// A folder that holds something else.
    #[error("{path}: not empty and no dataset: name a new folder, or one that `dataset add` made", path = path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// Another version.
    #[error("{path}: layout {found}, and this program knows {known}: use the nsys-attrib that made it, or add its inputs to a new dataset", path = path.display())]
    Layout {
        /// The folder.
        path: PathBuf,
        /// What it states.
        found: u32,
        /// What is known.
        known: u32,
    },
    /// A file cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A document is damaged.
    #[error("{path}: damaged: {source}. `nsys-attrib dataset check` says what else is", path = path.display())]
    Document {
        /// The document.
        path: PathBuf,
        /// Where and how.
        source: serde_json::Error,
    },
    /// A Parquet file is damaged, or not of the layout.
    #[error("{path}: {problem}. `nsys-attrib dataset check` says what else is wrong", path = path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A row that does not fit; a fault of this program.
    #[error(
        "a row of `{table}` does not fit its column {column}: a fault of nsys-attrib, please report it"
    )]
    Row {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// A query that cannot be run.
    #[error("{problem}. {remedy}")]
    Query {
        /// What polars said.
        problem: String,
        /// What helps.
        remedy: String,
    },
    /// A filter that cannot be understood, or names what there is not.
    #[error("filter `{text}`: {problem}")]
    Filter {
        /// As typed.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
    /// What polars said of frames in memory.
    #[error("{0}")]
    Polars(#[from] PolarsError),
}

impl DatasetError {
    /// What the system said of a file.
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::File { path, source }
    }

    /// What is wrong with a Parquet file.
    pub(super) fn parquet(path: &Path) -> impl FnOnce(PolarsError) -> Self {
        let path = path.to_path_buf();
        move |problem| Self::Parquet { path, problem: problem.to_string() }
    }
}
