//! The folder of a dataset: how it is made, how something is put into it, and who may do what at once.
//!
//! Adding needs no lock: files have names made from their content and appear by renaming, the commit
//! last. A writer that was killed leaves files in `_staging`, which the next one removes (it holds a lock on
//! its own part as long as it lives), or files without a commit, which the same input overwrites.
//! Reading holds `_lock` shared, and only the end of a compaction, which removes files, takes it alone.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use polars::prelude::DataFrame;
use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

use super::columns_of_run;
use super::commit::{COMMITS, Commits};
use super::document::{Commit, CommittedFile, CommittedInput, DatasetAbout, SCHEMA, SCHEMA_COMMIT};
use super::error::DatasetError;
use super::layout::{LAYOUT, MONTH, TABLES, Table};
use super::tables::Filled;
use super::unit::{Content, Unit, started};
use super::{ABOUT, parquet};

/// Files before they are renamed.
pub(super) const STAGING: &str = "_staging";
/// Held by readers together, by the end of a compaction alone.
const LOCK: &str = "_lock";
/// A file without rows in every table, so that each has its columns from the beginning.
pub(super) const EMPTY: &str = "month=none/empty.parquet";

/// A dataset in a folder.
#[derive(Clone, Debug)]
pub struct Dataset {
    pub(super) root: PathBuf,
}

/// An input that is in a dataset already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Whether it could be analysed.
    pub ok: bool,
    /// Its tags, `key=value`.
    pub tags: Vec<String>,
}

impl Dataset {
    /// A dataset that is there.
    ///
    /// # Errors
    /// When the folder is no dataset, or one of another layout.
    pub fn open(root: &Path) -> Result<Self, DatasetError> {
        let path = root.join(ABOUT);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(DatasetError::NotOne { path: root.to_path_buf() });
            }
            Err(error) => return Err(DatasetError::file(&path)(error)),
        };
        let about: DatasetAbout = serde_json::from_slice(&text)
            .map_err(|source| DatasetError::Document { path, source })?;
        if about.layout != LAYOUT {
            let (path, found) = (root.to_path_buf(), about.layout);
            return Err(DatasetError::Layout { path, found, known: LAYOUT });
        }
        Ok(Self { root: root.to_path_buf() })
    }

    /// The dataset in a folder, which is made when it is not there yet. Several may do so at once.
    ///
    /// # Errors
    /// When the folder holds something else or cannot be written.
    pub fn create(root: &Path) -> Result<Self, DatasetError> {
        if super::is_one(root) {
            return Self::open(root);
        }
        fs::create_dir_all(root).map_err(DatasetError::file(root))?;
        let ours = |name: &String| {
            name.starts_with('_') || name == ABOUT || super::layout::table(name).is_some()
        };
        if !parquet::names(root)?.iter().all(ours) {
            return Err(DatasetError::Occupied { path: root.to_path_buf() });
        }
        let dataset = Self { root: root.to_path_buf() };
        let staging = dataset.staging()?;
        for table in &TABLES {
            staging.put(&format!("{}/{EMPTY}", table.name), &mut parquet::empty(table))?;
        }
        let about = DatasetAbout {
            schema: SCHEMA.to_owned(),
            layout: LAYOUT,
            tables: TABLES.iter().map(|table| table.name.to_owned()).collect(),
            partitioned_by: MONTH.to_owned(),
        };
        staging.put_json(ABOUT, &about)?;
        Ok(dataset)
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The inputs that are in, by id.
    ///
    /// # Errors
    /// When a commit cannot be read.
    pub fn inputs(&self) -> Result<BTreeMap<String, Known>, DatasetError> {
        let inputs = Commits::read(&self.root)?.inputs();
        let known =
            |(id, (status, tags)): (String, (String, _))| (id, Known { ok: status == "ok", tags });
        Ok(inputs.into_iter().map(known).collect())
    }

    /// Puts an input in; it is there whole or not at all.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn add(&self, unit: &Unit) -> Result<(), DatasetError> {
        let month = month(unit);
        let staging = self.staging()?;
        let mut files = Vec::new();
        for rows in Filled::of(unit)?.into_tables() {
            if rows.len() == 0 {
                continue;
            }
            let (table, count) = (rows.table(), rows.len());
            let path = format!("{}/{MONTH}={month}/{}.parquet", table.name, unit.id);
            let (bytes, sha256) = staging.put(&path, &mut rows.into_frame()?)?;
            let table = table.name.to_owned();
            files.push(CommittedFile { path, table, rows: count as u64, bytes, sha256 });
        }
        let input = CommittedInput {
            input_id: unit.id.clone(),
            status: if unit.outcome.is_ok() { "ok" } else { "failed" }.to_owned(),
            tags: unit.tags.iter().map(|(key, value)| format!("{key}={value}")).collect(),
        };
        let commit = Commit {
            schema: SCHEMA_COMMIT.to_owned(),
            id: unit.id.clone(),
            inputs: vec![input],
            replaces: Vec::new(),
            files,
        };
        staging.put_json(&commit_path(&commit.id), &commit)
    }

    /// A place for files that are not ready.
    pub(super) fn staging(&self) -> Result<Staging<'_>, DatasetError> {
        let parent = self.root.join(STAGING);
        fs::create_dir_all(&parent).map_err(DatasetError::file(&parent))?;
        let folder =
            TempDir::with_prefix_in("writer-", &parent).map_err(DatasetError::file(&parent))?;
        let path = folder.path().join(LOCK);
        let lock = File::create(&path).map_err(DatasetError::file(&path))?;
        flock(&lock, FlockOperation::LockExclusive)
            .map_err(|error| DatasetError::file(&path)(error.into()))?;
        Ok(Staging { dataset: self, folder, _lock: lock })
    }

    /// Removes what writers left that are no more; how many.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn tidy(&self) -> Result<usize, DatasetError> {
        let parent = self.root.join(STAGING);
        let mut removed = 0;
        for name in parquet::names(&parent)? {
            let folder = parent.join(name);
            // A writer that has not locked its part yet is as good as alive.
            let Ok(lock) = File::open(folder.join(LOCK)) else { continue };
            if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
                removed += usize::from(fs::remove_dir_all(&folder).is_ok());
            }
        }
        Ok(removed)
    }

    /// Keeps a compaction from removing files as long as the answer is held.
    ///
    /// # Errors
    /// When the lock cannot be opened; a dataset that may only be read needs none.
    pub(super) fn reading(&self) -> Result<Option<File>, DatasetError> {
        self.lock(FlockOperation::LockShared)
    }

    /// Waits until nobody reads, and keeps others from it.
    ///
    /// # Errors
    /// When the lock cannot be opened.
    pub(super) fn removing(&self) -> Result<Option<File>, DatasetError> {
        self.lock(FlockOperation::LockExclusive)
    }

    fn lock(&self, how: FlockOperation) -> Result<Option<File>, DatasetError> {
        let path = self.root.join(LOCK);
        let file = match File::options().create(true).append(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::ReadOnlyFilesystem => {
                return Ok(None);
            }
            Err(error) => return Err(DatasetError::file(&path)(error)),
        };
        flock(&file, how).map_err(|error| DatasetError::file(&path)(error.into()))?;
        Ok(Some(file))
    }

    /// The files of a table that count, below the folder, the empty one first.
    pub(super) fn files(&self, commits: &Commits, table: &Table) -> Vec<String> {
        let mut files = vec![format!("{}/{EMPTY}", table.name)];
        let counted = commits.active.iter().flat_map(|commit| &commit.files);
        files.extend(counted.filter(|file| file.table == table.name).map(|file| file.path.clone()));
        files
    }
}

/// The file of a commit, below the folder.
pub(super) fn commit_path(id: &str) -> String {
    format!("{COMMITS}/{id}.json")
}

/// The part of the folders' name for an input: that of its first analysis.
fn month(unit: &Unit) -> String {
    let first = unit.outcome.as_ref().ok().and_then(|contents| contents.first());
    let start = match first {
        Some(Content::Analysis(analysis, _)) => started(analysis),
        Some(Content::Energy { trace, .. }) => {
            trace.as_ref().and_then(|trace| trace.session_start_unix_ns)
        }
        None => None,
    };
    columns_of_run::month(start)
}

/// A folder of files that are not ready; what is left of it goes with it.
pub(super) struct Staging<'a> {
    dataset: &'a Dataset,
    folder: TempDir,
    _lock: File,
}

impl Staging<'_> {
    /// Writes a table and puts it in its place; its length and hash.
    pub(super) fn put(
        &self,
        path: &str,
        frame: &mut DataFrame,
    ) -> Result<(u64, String), DatasetError> {
        let file = self.folder.path().join("table.parquet");
        parquet::write(&file, frame)?;
        let about = parquet::hash(&file)?;
        self.place(&file, path)?;
        Ok(about)
    }

    /// Writes a document and puts it in its place.
    pub(super) fn put_json(
        &self,
        path: &str,
        document: &impl serde::Serialize,
    ) -> Result<(), DatasetError> {
        let file = self.folder.path().join("document.json");
        let failed = |source| DatasetError::Document { path: file.clone(), source };
        let mut text = serde_json::to_vec_pretty(document).map_err(failed)?;
        text.push(b'\n');
        fs::write(&file, text).map_err(DatasetError::file(&file))?;
        File::open(&file).and_then(|file| file.sync_data()).map_err(DatasetError::file(&file))?;
        self.place(&file, path)
    }

    /// Renames a finished file into the dataset.
    pub(super) fn place(&self, file: &Path, path: &str) -> Result<(), DatasetError> {
        let place = self.dataset.root.join(path);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder).map_err(DatasetError::file(folder))?;
            fs::rename(file, &place).map_err(DatasetError::file(&place))?;
            parquet::settle(folder)?;
        }
        Ok(())
    }

    /// Where a file may be written before [`Staging::place`].
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
