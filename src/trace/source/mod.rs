//! What did the user name, and how does it become a readable database?
//!
//! An input is recognised by its first bytes, never by its name: an SQLite export of Nsight
//! Systems, the same packed with zstd or gzip, a report (`.nsys-rep`, `.qdrep`) that an installed
//! `nsys` exports, or a run folder that holds one of them. Everything else is refused with the file,
//! what it is, and what to do instead.
//!
//! ```text
//! folder ─> trace.sqlite ┐
//! zstd, gzip ─> unpacked ┼─> SQLite header, tables ─> OpenTrace
//! report ─> nsys export ─┘   (temporary files live as long as the OpenTrace)
//! ```
//!
//! The database is opened immutable and query-only: nothing is ever written into a trace or beside it.

mod compressed;
mod database;
mod error;
mod recognise;
mod report;
mod top_level;

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::finding::Finding;

pub use error::SourceError;
pub use recognise::{Content, recognise};
pub use report::Nsys;

/// How many wrappings (a compressed, compressed report …) are followed before giving up.
const MAX_LAYERS: usize = 4;

/// In what form the trace came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// An SQLite export.
    Database,
    /// An SQLite export packed with zstd or gzip.
    CompressedDatabase,
    /// An nsys report, exported for this reading.
    Report,
    /// An nsys report packed with zstd or gzip.
    CompressedReport,
}

impl SourceKind {
    const fn packed(self) -> Self {
        match self {
            Self::Database | Self::CompressedDatabase => Self::CompressedDatabase,
            Self::Report | Self::CompressedReport => Self::CompressedReport,
        }
    }
}

/// A trace that can be read. Temporary files made for it vanish when it is dropped.
#[derive(Debug)]
pub struct OpenTrace {
    // Before the folder: fields are dropped in this order.
    connection: Connection,
    path: PathBuf,
    database: PathBuf,
    kind: SourceKind,
    notes: Vec<Finding>,
    _keep: Vec<tempfile::TempDir>,
}

impl OpenTrace {
    /// The read-only connection.
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// What the user named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The SQLite file that is read; a temporary one unless the user named a database.
    pub fn database(&self) -> &Path {
        &self.database
    }

    /// In what form the trace came.
    pub const fn kind(&self) -> SourceKind {
        self.kind
    }

    /// What is worth knowing about how the trace was opened.
    pub fn notes(&self) -> &[Finding] {
        &self.notes
    }
}

/// Opens an export, a compressed export, a report or a run folder, with the `nsys` that
/// `NSYS_ATTRIB_NSYS` names or the one on `PATH` should one be needed.
///
/// # Errors
/// When the input is not a trace, is damaged, or cannot be exported; see [`SourceError`].
pub fn open(path: &Path) -> Result<OpenTrace, SourceError> {
    open_with(path, &Nsys::from_env())
}

/// Opens an input as [`open`] does, with this `nsys`.
///
/// # Errors
/// As [`open`].
pub fn open_with(path: &Path, nsys: &Nsys) -> Result<OpenTrace, SourceError> {
    let mut file = path.to_path_buf();
    // What messages name: the input, or the trace found in a run folder, never a temporary file.
    let mut named = path.to_path_buf();
    let mut kind = SourceKind::Database;
    let mut packed = false;
    let mut notes = Vec::new();
    let mut keep = Vec::new();
    for _ in 0..MAX_LAYERS {
        file = match recognise(&file).map_err(|error| error.about(&named))? {
            Content::Database => {
                let kind = if packed { kind.packed() } else { kind };
                let (connection, database) = database::open(&file, &named)?;
                return Ok(OpenTrace {
                    connection,
                    path: path.to_path_buf(),
                    database,
                    kind,
                    notes,
                    _keep: keep,
                });
            }
            Content::Compressed(format) => {
                let (folder, unpacked) = compressed::unpack(&file, &named, format)?;
                packed = true;
                keep.push(folder);
                unpacked
            }
            Content::Report => {
                let export = report::export(&file, &named, nsys)?;
                kind = SourceKind::Report;
                notes.extend(export.notes);
                keep.push(export.folder);
                export.database
            }
            Content::RunFolder { trace: Some(trace) } => {
                named.clone_from(&trace);
                trace
            }
            refused => return Err(refused.refusal(named)),
        };
    }
    Err(SourceError::TooManyLayers { path: path.to_path_buf() })
}
