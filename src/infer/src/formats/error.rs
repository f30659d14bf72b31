//! Why a file could not be read or written: always with the file, the part of it, and what to do.

use std::path::{Path, PathBuf};

/// An error of any reader or writer of this room.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The bytes contradict the format.
    #[error("{}: {part}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where in it.
        part: String,
        /// What is wrong there.
        reason: String,
    },
    /// The bytes are in order, but this is not read here; the text says what to do instead.
    #[error("{}: {part}: {advice}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// Where in it.
        part: String,
        /// What it is, and what to do.
        advice: String,
    },
    /// A variable that is needed is not there.
    #[error("{}: none of {wanted} in it; it holds {found}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The names that would do.
        wanted: String,
        /// The names that are there.
        found: String,
    },
    /// The native container.
    #[error(transparent)]
    Safetensors(#[from] super::safetensors::SafetensorsError),
}

/// The file that is being read, for errors.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a>(pub(super) &'a Path);

impl Origin<'_> {
    pub(super) fn io(self, source: std::io::Error) -> FormatError {
        FormatError::Io { path: self.0.into(), source }
    }

    pub(super) fn malformed(
        self,
        part: impl Into<String>,
        reason: impl Into<String>,
    ) -> FormatError {
        FormatError::Malformed { path: self.0.into(), part: part.into(), reason: reason.into() }
    }

    pub(super) fn unsupported(
        self,
        part: impl Into<String>,
        advice: impl Into<String>,
    ) -> FormatError {
        FormatError::Unsupported { path: self.0.into(), part: part.into(), advice: advice.into() }
    }

    pub(super) fn missing(self, wanted: &[&str], found: &[String]) -> FormatError {
        let wanted = wanted.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
        let shown = found.iter().take(20).map(|f| format!("`{f}`")).collect::<Vec<_>>().join(", ");
        let found = match found.len() {
            0 => "nothing".to_owned(),
            n if n > 20 => format!("{shown} and {} more", n - 20),
            _ => shown,
        };
        FormatError::Missing { path: self.0.into(), wanted, found }
    }

    /// A read that ended early is the file's fault, any other failure the system's.
    pub(super) fn reading(self, part: &str, source: std::io::Error) -> FormatError {
        match source.kind() {
            std::io::ErrorKind::UnexpectedEof => self.malformed(part, "the file ends inside it"),
            std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput => {
                self.malformed(part, source.to_string())
            }
            _ => self.io(source),
        }
    }
}
