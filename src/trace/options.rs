//! How much of an export is read, by what and by how many threads.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::path::Path;
use std::thread;

use rusqlite::Connection;

use super::pages::{PageFile, Unread};
use crate::finding::{Finding, Severity};

/// What reads the event tables. Both give the same trace, bit for bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reader {
    /// The pages of the file, decoded here by several threads; SQLite where they cannot be.
    #[default]
    Pages,
    /// SQLite alone: slow, and what the other is tested against.
    Sqlite,
}

/// How to read an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// How many threads read; as many as there are processors when not given. The trace does not
    /// depend on it.
    pub jobs: Option<NonZeroUsize>,
    /// What reads the event tables.
    pub reader: Reader,
}

/// What an export is read with, and what was noted on the way.
#[derive(Debug)]
pub(super) struct Reading {
    /// The file whose pages are read, when they can be.
    pub(super) pages: Option<PageFile>,
    /// How many threads read.
    pub(super) jobs: NonZeroUsize,
    notes: RefCell<Vec<Finding>>,
}

impl Reading {
    /// Prepares the reading of the database `file`, which is empty for one in memory.
    pub(super) fn new(file: &Path, connection: &Connection, how: &ReadOptions) -> Self {
        let jobs = how.jobs.or_else(|| thread::available_parallelism().ok());
        let jobs = jobs.unwrap_or(NonZeroUsize::MIN);
        let mut reading = Self { pages: None, jobs, notes: RefCell::default() };
        if how.reader == Reader::Pages && !file.as_os_str().is_empty() {
            match PageFile::open(file, connection) {
                Ok(pages) => reading.pages = Some(pages),
                Err(reason) => reading.note("the export", &reason),
            }
        }
        reading
    }

    /// Prepares the reading of the file behind a connection, with the default options.
    pub(super) fn of(connection: &Connection) -> Self {
        let file = connection.path().unwrap_or_default();
        Self::new(Path::new(file), connection, &ReadOptions::default())
    }

    /// Remembers that something has to be read the slow way.
    pub(super) fn note(&self, what: &str, reason: &Unread) {
        self.notes.borrow_mut().push(Finding::new(
            "slow-read",
            Severity::Info,
            format!("{what} was read through SQLite, which takes several times as long: {reason}"),
            "nothing to do; the numbers are the same",
        ));
    }

    /// What was noted.
    pub(super) fn into_notes(self) -> Vec<Finding> {
        self.notes.into_inner()
    }
}
