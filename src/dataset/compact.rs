//! Many small files become few large ones.
//!
//! ```text
//! a.parquet b.parquet c.parquet     written beside them: C-….parquet
//!                                   then appears the commit of C, which says "I stand for a, b, c"
//!                                   then a, b and c go
//! ```
//! Killed anywhere, the dataset holds what it held: before C's commit, C's files are nobody's; after it, a, b
//! and c are, and the next compaction removes them. Inputs that failed stay as they are, so that they can be
//! tried again. Memory: one row group of one table.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufWriter;

use polars::prelude::{DataFrame, ParquetCompression, ParquetWriter};
use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};

use super::commit::Commits;
use super::document::{Commit, CommittedFile, SCHEMA_COMMIT};
use super::error::DatasetError;
use super::folder::{Dataset, Staging, commit_path};
use super::layout::{MONTH, TABLES, Table};
use super::parquet::{self, ROW_GROUP};
use super::query::month_of;
use super::rows;

/// A commit with this many rows is large enough to be left alone.
const LARGE: u64 = 1 << 24;
/// Held by the one compaction that may run.
const RUNNING: &str = "_compacting";

/// What a compaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Inputs whose files were joined.
    pub inputs: usize,
    /// Files before.
    pub files_before: usize,
    /// Files after.
    pub files_after: usize,
    /// Files that an interrupted compaction had left and that were removed.
    pub left: usize,
}

impl Dataset {
    /// Joins the files of inputs of the same month. Nothing that a query sees changes.
    ///
    /// # Errors
    /// When another compaction is running, or a file cannot be read or written.
    pub fn compact(&self) -> Result<Compacted, DatasetError> {
        let path = self.root.join(RUNNING);
        let alone = File::create(&path).map_err(DatasetError::file(&path))?;
        flock(&alone, FlockOperation::NonBlockingLockExclusive)
            .map_err(|error| DatasetError::file(&path)(error.into()))?;
        let mut done = Compacted { left: self.remove_replaced()?, ..Compacted::default() };
        let commits = Commits::read(&self.root)?;
        done.files_before = commits.active.iter().map(|commit| commit.files.len()).sum();
        done.files_after = done.files_before;
        let mut months: BTreeMap<&str, Vec<&Commit>> = BTreeMap::new();
        for commit in commits.active.iter().filter(|commit| may_be_joined(commit)) {
            if let Some(file) = commit.files.first() {
                months.entry(month_of(&file.path)).or_default().push(commit);
            }
        }
        for (month, members) in months {
            if members.len() > 1 {
                let files = self.join(month, &members)?;
                let before: usize = members.iter().map(|commit| commit.files.len()).sum();
                done.inputs += members.iter().map(|commit| commit.inputs.len()).sum::<usize>();
                done.files_after = done.files_after + files - before;
            }
        }
        Ok(done)
    }

    /// Writes the commit that stands for others, then removes those; how many files it has.
    fn join(&self, month: &str, members: &[&Commit]) -> Result<usize, DatasetError> {
        let id = id_of(members);
        let staging = self.staging()?;
        let mut files = Vec::new();
        for table in &TABLES {
            let parts: Vec<&CommittedFile> = members
                .iter()
                .flat_map(|commit| &commit.files)
                .filter(|file| file.table == table.name)
                .collect();
            if !parts.is_empty() {
                let path = format!("{}/{MONTH}={month}/{id}.parquet", table.name);
                files.push(self.write_joined(&staging, table, path, &parts)?);
            }
        }
        let mut inputs: Vec<_> = members.iter().flat_map(|commit| commit.inputs.clone()).collect();
        inputs.sort_by(|a, b| a.input_id.cmp(&b.input_id));
        let count = files.len();
        let commit = Commit {
            schema: SCHEMA_COMMIT.to_owned(),
            id: id.clone(),
            inputs,
            replaces: members.iter().map(|commit| commit.id.clone()).collect(),
            files,
        };
        staging.put_json(&commit_path(&id), &commit)?;
        self.remove_replaced()?;
        Ok(count)
    }

    fn write_joined(
        &self,
        staging: &Staging<'_>,
        table: &Table,
        path: String,
        parts: &[&CommittedFile],
    ) -> Result<CommittedFile, DatasetError> {
        let file = staging.file("joined.parquet");
        let out = BufWriter::new(File::create(&file).map_err(DatasetError::file(&file))?);
        let failed = || DatasetError::parquet(&file);
        let schema = rows::schema(table);
        let mut writer = ParquetWriter::new(out)
            .with_compression(ParquetCompression::Zstd(None))
            .with_row_group_size(Some(ROW_GROUP))
            .set_parallel(false)
            .batched(&schema)
            .map_err(failed())?;
        let mut waiting: Option<DataFrame> = None;
        let mut rows = 0;
        for part in parts {
            let mut frame = parquet::read(&self.root.join(&part.path))?;
            rows += frame.height() as u64;
            if let Some(before) = waiting.take() {
                frame = before.vstack(&frame)?;
            }
            while frame.height() >= ROW_GROUP {
                let group = frame.slice(0, ROW_GROUP);
                writer.write_batch(&whole(group)).map_err(failed())?;
                frame = frame.slice(ROW_GROUP as i64, usize::MAX);
            }
            waiting = Some(frame);
        }
        if let Some(rest) = waiting.filter(|rest| rest.height() > 0) {
            writer.write_batch(&whole(rest)).map_err(failed())?;
        }
        writer.finish().map_err(failed())?;
        drop(writer);
        parquet::settle(&file)?;
        let (bytes, sha256) = parquet::hash(&file)?;
        staging.place(&file, &path)?;
        Ok(CommittedFile { path, table: table.name.to_owned(), rows, bytes, sha256 })
    }

    /// Removes the files of commits that others stand for, once nobody reads; how many.
    fn remove_replaced(&self) -> Result<usize, DatasetError> {
        let replaced = Commits::read(&self.root)?.replaced;
        if replaced.is_empty() {
            return Ok(0);
        }
        let _alone = self.removing()?;
        let mut removed = 0;
        for commit in &replaced {
            for file in &commit.files {
                removed += usize::from(remove(&self.root.join(&file.path))?);
            }
            remove(&self.root.join(commit_path(&commit.id)))?;
        }
        Ok(removed)
    }
}

/// In one piece, so that a row group is one.
fn whole(mut frame: DataFrame) -> DataFrame {
    frame.rechunk_mut();
    frame
}

/// Inputs that failed may be tried again; what is large stays.
fn may_be_joined(commit: &Commit) -> bool {
    let rows: u64 = commit.files.iter().map(|file| file.rows).sum();
    rows < LARGE && commit.inputs.iter().all(|input| input.status == "ok")
}

/// A name made from those that are joined.
fn id_of(members: &[&Commit]) -> String {
    let mut hash = Sha256::new();
    for commit in members {
        hash.update(commit.id.as_bytes());
        hash.update([0]);
    }
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("c-{}", &hex[..24])
}

fn remove(path: &std::path::Path) -> Result<bool, DatasetError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(DatasetError::file(path)(error)),
    }
}
