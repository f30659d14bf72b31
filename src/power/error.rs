//! What can go wrong with a power log, each with the file, the line and what to do about it.

use crate::units::plain;

/// A power log could not be used. Every variant says where, and what helps.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PowerError {
    /// No reader says that the log is its own.
    #[error(
        "{path}: this is no power log of a known format (its first line is `{first}`). {remedy}"
    )]
    Unrecognised {
        /// The log.
        path: String,
        /// Its first line, shortened.
        first: String,
        /// How to describe the columns by hand.
        remedy: String,
    },
    /// A line does not fit the format.
    #[error("{path}: line {line}: {problem}. {remedy}")]
    Line {
        /// The log.
        path: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        problem: String,
        /// What helps.
        remedy: String,
    },
    /// The log as a whole cannot be used.
    #[error("{path}: {problem}. {remedy}")]
    Log {
        /// The log.
        path: String,
        /// What is wrong.
        problem: String,
        /// What helps.
        remedy: String,
    },
    /// The rail that was asked for is not there, or must not be added up.
    #[error("{path}: rail `{rail}`: {problem}. {remedy}")]
    Rail {
        /// The log; empty until it is known.
        path: String,
        /// As it was asked for.
        rail: String,
        /// What is wrong.
        problem: String,
        /// What helps.
        remedy: String,
    },
}

impl PowerError {
    /// The same error, about the log that was read from `path`.
    #[must_use]
    pub(super) fn of_log(mut self, path: &str) -> Self {
        if let Self::Rail { path: at, .. } = &mut self {
            path.clone_into(at);
        }
        self
    }
}

/// What a reader reads: the text of a log, and its name for messages.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// As the user named it.
    pub path: &'a str,
    /// The decoded text.
    pub text: &'a str,
}

impl Source<'_> {
    /// A line that does not fit, counted from 1.
    pub(super) fn line(
        &self,
        line: usize,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> PowerError {
        PowerError::Line {
            path: self.path.to_owned(),
            line,
            problem: plain(&problem.into(), 400),
            remedy: remedy.into(),
        }
    }

    /// A log that cannot be used as a whole.
    pub(super) fn log(&self, problem: impl Into<String>, remedy: impl Into<String>) -> PowerError {
        PowerError::Log {
            path: self.path.to_owned(),
            problem: plain(&problem.into(), 400),
            remedy: remedy.into(),
        }
    }
}
