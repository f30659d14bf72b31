//! What do the tables of `nsys stats` say when the trace itself is gone?
//!
//! Text tables, boxed tables and CSV (one report a file, or several in one text) of nsys 2022 to 2026,
//! under the older report names (`cudaapisum`, `gpukernsum`) and the newer (`cuda_api_sum`,
//! `cuda_gpu_kern_sum`), become a *limited* [`Analysis`]: sums of a whole capture by CUDA function, by
//! kernel, class and group, and by kind of copy. It has no windows, no idle time and no verdict, since
//! no table holds the time of a single event; findings say what is missing and what else to doubt.
//!
//! ```text
//!   scan     lines of the files  -> reports with tables of cells
//!   tabular  a table             -> rows with numbers in ns
//!   choose   reports             -> the API, kernel and copy rows to add up
//!   build    rows, class rules   -> the document; doubts: its findings
//! ```

mod build;
mod choose;
mod doubts;
mod error;
mod number;
mod report;
mod scan;
mod tabular;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::attribution::Analysis;
use crate::attribution::imported::ImportedFile;
use crate::attribution::provenance::ClassFile;
use crate::classify::Classifier;

pub use error::StatsError;

/// A file with tables of `nsys stats`, in memory.
#[derive(Clone, Debug)]
pub struct StatsFile {
    /// As messages and the document name it; of a CSV file the name says which report it holds.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Reads files that `nsys stats` printed of one capture, and makes the analysis.
///
/// # Errors
/// When a file cannot be read, is not output of `nsys stats`, or the files do not belong together: see
/// [`StatsError`], which names the file and the line.
pub fn read(
    paths: &[PathBuf],
    rules: &Classifier,
    classes: ClassFile,
) -> Result<Analysis, StatsError> {
    let open = |path: &PathBuf| {
        let bytes =
            std::fs::read(path).map_err(|source| StatsError::Read { path: shown(path), source })?;
        Ok(StatsFile { path: shown(path), bytes })
    };
    let files: Vec<StatsFile> = paths.iter().map(open).collect::<Result<_, StatsError>>()?;
    import(&files, rules, classes)
}

/// Makes the analysis of files in memory; all must be of one capture.
///
/// # Errors
/// As for [`read`].
pub fn import(
    files: &[StatsFile],
    rules: &Classifier,
    classes: ClassFile,
) -> Result<Analysis, StatsError> {
    let mut printed = scan::Printed::default();
    for file in files {
        printed.add(file)?;
    }
    let chosen = choose::choose(&printed)?;
    let about: Vec<ImportedFile> = files
        .iter()
        .map(|file| ImportedFile { path: file.path.clone(), sha256: sha256(&file.bytes) })
        .collect();
    Ok(build::analysis(&printed, &chosen, about, rules, classes))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
