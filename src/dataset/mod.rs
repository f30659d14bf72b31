//! Thousands of traces as one table: many analyses as a dataset, and questions over it.
//!
//! ```text
//! DIR/ dataset.json                       which layout                     nsys-attrib/dataset/1
//!      windows/month=2026-11/ID.parquet   one file for each input, or several inputs after `compact`
//!      api/… kernels/… busy/… idle/… copies/… energy/… findings/… tags/… documents/… runs/…
//!      _commits/ID.json                   which files belong together, with hashes   nsys-attrib/dataset-commit/1
//!      _staging/                          files before they are renamed into place
//! ```
//! A file of `_commits` is the last thing that is written: an input is in the dataset when its commit is.
//! Writers need no lock against each other, since what an input gives has a name made from its content.
//! The tables are plain hive-partitioned Parquet for every engine ([`layout`], `docs/dataset.md`); the one
//! inside is polars, behind the cargo feature `dataset`, because it costs eight times the rest to build.

pub mod document;
pub mod layout;

#[cfg(feature = "dataset")]
mod check;
#[cfg(feature = "dataset")]
mod columns_of_run;
#[cfg(feature = "dataset")]
mod commit;
#[cfg(feature = "dataset")]
mod compact;
#[cfg(feature = "dataset")]
mod error;
#[cfg(feature = "dataset")]
mod filter;
#[cfg(feature = "dataset")]
mod folder;
#[cfg(feature = "dataset")]
mod parquet;
#[cfg(feature = "dataset")]
mod query;
#[cfg(feature = "dataset")]
mod rows;
#[cfg(feature = "dataset")]
mod tables;
#[cfg(feature = "dataset")]
mod unit;

#[cfg(feature = "dataset")]
pub use check::Checked;
#[cfg(feature = "dataset")]
pub use compact::Compacted;
#[cfg(feature = "dataset")]
pub use error::DatasetError;
#[cfg(feature = "dataset")]
pub use filter::Filter;
#[cfg(feature = "dataset")]
pub use folder::{Dataset, Known};
#[cfg(feature = "dataset")]
pub use query::{NAMED, Named, Parameter, Parameters, document as query_document};
#[cfg(feature = "dataset")]
pub use unit::{Content, Unit, identity};

use std::path::Path;

/// The snippet of `docs/dataset.md`, which the tests of documentation compile.
#[cfg(all(doctest, feature = "dataset"))]
#[doc = include_str!("../../docs/dataset.md")]
struct Snippets;

/// The file that makes a folder a dataset.
pub const ABOUT: &str = "dataset.json";

/// Whether `path` is the folder of a dataset.
pub fn is_one(path: &Path) -> bool {
    path.join(ABOUT).is_file()
}
