//! Where do the files of this machine lie? Under `/`, or under a folder that stands in for it.
//!
//! Everything that the driver learns from `/sys`, `/proc` and `/var` goes through here, so that a tree
//! of ordinary files can play a Jetson (`NSYS_ATTRIB_ROOT` on the command line).

use std::fs;
use std::path::{Path, PathBuf};

/// A machine, seen through its file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    root: PathBuf,
}

impl Host {
    /// The machine on which the program runs.
    pub fn this() -> Self {
        Self { root: PathBuf::from("/") }
    }

    /// A machine whose files lie under `root`.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The path of a file of the machine (`sys/class/thermal`).
    pub fn path(&self, below: &str) -> PathBuf {
        self.root.join(below.trim_start_matches('/'))
    }

    /// The text of a file of the machine, trimmed (device trees end texts in NUL).
    pub fn text(&self, below: &str) -> Option<String> {
        text(&self.path(below))
    }

    /// What lies in a folder of the machine, by name; nothing when there is none.
    pub fn list(&self, below: &str) -> Vec<PathBuf> {
        list(&self.path(below))
    }
}

/// The text of a small file, trimmed.
pub(crate) fn text(path: &Path) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    (!text.is_empty()).then(|| text.to_owned())
}

/// What lies in a folder, by name.
pub(crate) fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// The last part of a path, as text.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
