//! Ctrl-C leaves nothing half-written.
//!
//! Results appear by renaming a finished temporary file, so an interrupted program leaves no half
//! result; what it could leave is temporary files. All of them lie either in one folder that belongs
//! to this run, or beside a result under a name that starts with [`PREFIX`]; both are removed when the
//! program is interrupted or asked to end.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

/// How temporary files beside results are called.
pub(super) const PREFIX: &str = ".nsys-attrib-";
/// What shells expect of a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// Folders in which results appear, with what was there before.
static RESULTS: Mutex<Vec<(PathBuf, BTreeSet<OsString>)>> = Mutex::new(Vec::new());

/// The run's own folder for temporary files; removed at the end, however it comes.
pub(super) struct Session {
    _folder: Option<TempDir>,
}

impl Session {
    /// Makes the folder and listens for signals. Without a folder, or without a handler, the program
    /// works all the same.
    pub(super) fn start() -> Self {
        let folder = TempDir::with_prefix("nsys-attrib-").ok();
        let path = folder.as_ref().map(|folder| folder.path().to_path_buf());
        if let Some(path) = &path {
            // An earlier run in the same process has set it already; its folder serves as well.
            let _ = tempfile::env::override_temp_dir(path);
        }
        let _ = ctrlc::set_handler(move || end(path.as_deref()));
        Self { _folder: folder }
    }
}

/// Remembers that results will appear in `folder`.
pub(super) fn watch(folder: &Path) {
    let before = temporary_files(folder).into_iter().collect();
    RESULTS.lock().unwrap_or_else(PoisonError::into_inner).push((folder.to_path_buf(), before));
}

#[allow(clippy::exit, reason = "the answer to a signal")]
fn end(folder: Option<&Path>) {
    if let Some(folder) = folder {
        let _ = fs::remove_dir_all(folder);
    }
    for (folder, before) in RESULTS.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        for name in temporary_files(folder) {
            if !before.contains(&name) {
                let path = folder.join(name);
                // A file, or the folder of a report.
                let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
            }
        }
    }
    std::process::exit(INTERRUPTED);
}

fn temporary_files(folder: &Path) -> Vec<OsString> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name())
        .filter(|name| name.to_string_lossy().starts_with(PREFIX))
        .collect()
}
