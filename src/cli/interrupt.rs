//! Ctrl-C leaves nothing half-written.
//!
//! Results appear by renaming a finished temporary file, so an interrupted program leaves no half
//! result; what it could leave is temporary files. All of them lie either in one folder that belongs
//! to this run, or beside a result under a name that starts with [`PREFIX`]; both are removed when the
//! program is interrupted or asked to end. Commands that run other programs pass the signal on instead
//! ([`forward`]) and end when those have ended.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

use crate::collect::Stop;

/// How temporary files beside results are called.
pub(super) const PREFIX: &str = ".nsys-attrib-";
/// What shells expect of a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// Folders in which results appear, with what was there before.
static RESULTS: Mutex<Vec<(PathBuf, BTreeSet<OsString>)>> = Mutex::new(Vec::new());

/// Held while a signal is answered, up to the end of the program.
static ENDING: Mutex<()> = Mutex::new(());

/// The run's own folder for temporary files; removed at the end, however it comes.
pub(super) struct Session {
    _folder: Option<TempDir>,
}

impl Session {
    /// Makes the folder and listens for signals, unless the command does so itself. Without a folder, or
    /// without a handler, the program works all the same.
    pub(super) fn start(command_listens: bool) -> Self {
        let folder = TempDir::with_prefix("nsys-attrib-").ok();
        let path = folder.as_ref().map(|folder| folder.path().to_path_buf());
        if let Some(path) = &path {
            // An earlier run in the same process has set it already; its folder serves as well.
            let _ = tempfile::env::override_temp_dir(path);
        }
        if !command_listens {
            let _ = ctrlc::set_handler(move || end(path.as_deref()));
        }
        Self { _folder: folder }
    }
}

/// Hands every signal that asks to end to `stop`, from a thread of its own.
pub(super) fn forward(stop: &Stop) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM]) else {
        return;
    };
    let stop = stop.clone();
    std::thread::spawn(move || {
        for signal in signals.forever() {
            stop.request(signal);
        }
    });
}

/// Call before the outcome of a command is told: while a signal is answered, files vanish under the command,
/// and what it then says about them is not the reason why it ends. Does not return in that case.
pub(super) fn wait_if_ending() {
    drop(ENDING.lock().unwrap_or_else(PoisonError::into_inner));
}

/// Remembers that results will appear in `folder`.
pub(super) fn watch(folder: &Path) {
    let before = temporary_files(folder).into_iter().collect();
    RESULTS.lock().unwrap_or_else(PoisonError::into_inner).push((folder.to_path_buf(), before));
}

#[allow(clippy::exit, reason = "the answer to a signal")]
fn end(folder: Option<&Path>) {
    let _ending = ENDING.lock().unwrap_or_else(PoisonError::into_inner);
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
