//! Real traces of other people, which stay outside the repository.
//!
//! The folder is `$NSYS_ATTRIB_SHARED`, else `../shared` beside the repository. Tests that use it skip,
//! loudly, when it is missing; where a continuous-integration run has the folder but not the file, that
//! is a failure.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

/// Says that something was not tested, past the harness that swallows what passing tests print.
pub fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}

/// The shared folder, if there is one.
pub fn shared_folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folder = std::env::var_os("NSYS_ATTRIB_SHARED").map_or(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// The trace of this stem (`resnet-…-nvtx`, without `.sqlite`), unpacked once per process if it is
/// compressed. None, with a line that says so, when it is not there.
pub fn shared_trace(name: &str) -> Option<PathBuf> {
    let Some(folder) = shared_folder() else {
        skipped(&format!("{name}: no folder of shared traces (set NSYS_ATTRIB_SHARED)"));
        return None;
    };
    let plain = folder.join("traces").join(format!("{name}.sqlite"));
    if plain.is_file() {
        return Some(plain);
    }
    let packed = plain.with_extension("sqlite.zst");
    if packed.is_file() {
        return Some(unpacked(name, &packed));
    }
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(!in_ci, "{} is missing although the shared folder exists", plain.display());
    skipped(&format!("{name}: not in {}", folder.display()));
    None
}

fn unpacked(name: &str, packed: &Path) -> PathBuf {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    static DONE: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut done = DONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().unwrap());
    done.entry(name.to_owned())
        .or_insert_with(|| {
            let path = folder.path().join(format!("{name}.sqlite"));
            let mut out = File::create(&path).unwrap();
            zstd::stream::copy_decode(File::open(packed).unwrap(), &mut out).unwrap();
            path
        })
        .clone()
}
