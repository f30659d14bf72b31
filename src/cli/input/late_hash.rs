//! The hash of an input, found while other work goes on: it is wanted last.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use super::sha256;

/// A hash that may still be on its way.
pub(super) struct LateHash {
    path: PathBuf,
    work: Mutex<Option<JoinHandle<Option<String>>>>,
    found: OnceLock<Option<String>>,
}

impl LateHash {
    /// Of a file, from [`LateHash::start`] on.
    pub(super) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), work: Mutex::new(None), found: OnceLock::new() }
    }

    /// Of a file whose hash is known already.
    pub(super) fn known(path: &Path, sha256: &str) -> Self {
        let hash = Self::of(path);
        let _ = hash.found.set(Some(sha256.to_owned()));
        hash
    }

    /// Starts to hash the file, unless its hash is known.
    pub(super) fn start(&self) {
        if self.found.get().is_some() {
            return;
        }
        let path = self.path.clone();
        let work = thread::spawn(move || sha256(&path));
        *self.work.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
    }

    /// SHA-256 in hex; nothing for a folder, or a file that is gone.
    pub(super) fn wait(&self) -> Option<String> {
        let find = || {
            let work = self.work.lock().unwrap_or_else(PoisonError::into_inner).take();
            work.map_or_else(|| sha256(&self.path), |work| work.join().ok().flatten())
        };
        self.found.get_or_init(find).clone()
    }
}
