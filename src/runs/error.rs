//! What can go wrong with a run folder and its documents, each with the file and what to do about it.

use std::io;
use std::path::PathBuf;

/// A run folder or one of its documents could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The folder itself is missing or cannot be listed.
    #[error("{path}: the run folder cannot be read: {source}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder without anything that a run leaves.
    #[error(
        "{path}: no run folder: it holds no manifest.json, trace, sidecar.json or power log. Name the folder \
         of one run",
        path = path.display()
    )]
    NotARun {
        /// The folder.
        path: PathBuf,
    },
    /// A document cannot be read.
    #[error("{path}: cannot be read: {source}", path = path.display())]
    Unreadable {
        /// The document.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A document cannot be written.
    #[error("{path}: cannot be written: {source}", path = path.display())]
    Unwritable {
        /// The document.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Not JSON, or not of the form that the schema asks for.
    #[error("{path}: no {expected} document: {source}. {remedy}", path = path.display())]
    Form {
        /// The document.
        path: PathBuf,
        /// The schema id that was expected.
        expected: &'static str,
        /// Where and how it differs, with line and column.
        source: serde_json::Error,
        /// What helps.
        remedy: &'static str,
    },
    /// A document of another kind or version.
    #[error(
        "{path}: `schema` is {found}, expected {expected}. A document of a newer version needs a newer nsys-attrib",
        path = path.display()
    )]
    Schema {
        /// The document.
        path: PathBuf,
        /// The schema id that was expected.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// The form is right and the content contradicts itself.
    #[error("{path}: {at}: {problem}. {remedy}", path = path.display())]
    Content {
        /// The document.
        path: PathBuf,
        /// Which key.
        at: String,
        /// What is wrong.
        problem: String,
        /// What helps.
        remedy: &'static str,
    },
}
