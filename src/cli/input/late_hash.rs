//! The hash of an input, found while other work goes on: it is wanted last.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::sha256;

/// A hash that may still be on its way.
pub(super) struct LateHash {
    path: PathBuf,
    found: Arc<OnceLock<Option<String>>>,
}

impl LateHash {
    /// Of a file, from [`LateHash::start`] on.
    pub(super) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), found: Arc::default() }
    }

    /// Of a file whose hash is known already.
    pub(super) fn known(path: &Path, sha256: &str) -> Self {
        let hash = Self::of(path);
        let _ = hash.found.set(Some(sha256.to_owned()));
        hash
    }

    /// Starts to hash the file, unless its hash is known: a task among those of the analysis.
    pub(super) fn start(&self) {
        let (path, found) = (self.path.clone(), Arc::clone(&self.found));
        rayon::spawn(move || {
            found.get_or_init(|| sha256(&path));
        });
    }

    /// SHA-256 in hex; nothing for a folder, or a file that is gone. Waits for it, or finds it here if
    /// no thread has begun to.
    pub(super) fn wait(&self) -> Option<String> {
        self.found.get_or_init(|| sha256(&self.path)).clone()
    }
}
