//! Many small traces, all synthetic: random ones with the same windows, one that is corrupt, one without CUDA.

use std::fs;
use std::path::{Path, PathBuf};

use super::random;
use super::schema::Generation;
use super::spec::{TraceSpec, thread};

/// The windows of all of them.
pub const WINDOW: &str = random::WINDOW;

/// Traces in a folder.
pub struct Traces {
    pub folder: tempfile::TempDir,
    /// In the folder `traces`.
    pub paths: Vec<PathBuf>,
    /// A file with one of them a line.
    pub list: PathBuf,
}

impl Traces {
    /// So many, of which the last two are the corrupt one and the one without CUDA.
    pub fn make(count: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let paths = write(folder.path(), count);
        let list = folder.path().join("list.txt");
        Self { folder, paths, list }
    }
}

/// Writes them into `traces`, and their list.
pub fn write(folder: &Path, count: usize) -> Vec<PathBuf> {
    let traces = folder.join("traces");
    fs::create_dir_all(&traces).unwrap();
    let mut paths: Vec<PathBuf> = (0..count.saturating_sub(2))
        .map(|seed| {
            let path = traces.join(format!("trace-{seed:05}.sqlite"));
            let mut spec = random::trace(seed as u64, 12);
            // At least one window in each, and no two files with the same bytes.
            let owner = spec.threads[0].0;
            spec.range(owner, WINDOW, 1, 40 + seed as i64);
            spec.duration = Some(1_000_000 + seed as i64);
            spec.write_sqlite(&path);
            path
        })
        .collect();
    let corrupt = traces.join("corrupt.sqlite");
    let mut bytes = fs::read(&paths[0]).unwrap();
    bytes.truncate(bytes.len() / 2);
    bytes[100..].fill(0xa5);
    fs::write(&corrupt, bytes).unwrap();
    let blind = traces.join("without-cuda.sqlite");
    let mut spec = TraceSpec::new(Generation::V3_0_0);
    spec.range(thread(7, 7), WINDOW, 1_000, 2_000);
    spec.write_sqlite(&blind);
    paths.extend([corrupt, blind]);
    let lines: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    fs::write(folder.join("list.txt"), lines.join("\n") + "\n").unwrap();
    paths
}
