//! Which files belong together? A commit is one small JSON file, and the last that is written: before it,
//! its files do not count; after it, they all do. A compaction's commit names those that it replaces, so
//! that the change from many files to few is the appearance of one file, too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::document::{Commit, SCHEMA_COMMIT};
use super::error::DatasetError;
use super::parquet;

/// The folder of the commits.
pub(super) const COMMITS: &str = "_commits";

/// All commits of a dataset.
#[derive(Clone, Debug, Default)]
pub(super) struct Commits {
    /// Those that count, by id.
    pub(super) active: Vec<Commit>,
    /// Those that a compaction replaced and did not come to remove.
    pub(super) replaced: Vec<Commit>,
}

impl Commits {
    /// Reads the commits of a dataset.
    ///
    /// # Errors
    /// When one cannot be read or is damaged.
    pub(super) fn read(root: &Path) -> Result<Self, DatasetError> {
        let folder = root.join(COMMITS);
        let mut all = Vec::new();
        for name in parquet::names(&folder)?.iter().filter(|name| name.ends_with(".json")) {
            let path = folder.join(name);
            match fs::read(&path) {
                Ok(text) => all.push(parse(&path, &text)?),
                // A compaction has just removed it, and its own commit stands for it.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(DatasetError::file(&path)(error)),
            }
        }
        let gone: BTreeSet<String> =
            all.iter().flat_map(|commit| commit.replaces.clone()).collect();
        let (replaced, active) = all.into_iter().partition(|commit| gone.contains(&commit.id));
        Ok(Self { active, replaced })
    }

    /// The inputs that are in: status and tags by id.
    pub(super) fn inputs(&self) -> BTreeMap<String, (String, Vec<String>)> {
        let inputs = self.active.iter().flat_map(|commit| &commit.inputs);
        inputs
            .map(|input| (input.input_id.clone(), (input.status.clone(), input.tags.clone())))
            .collect()
    }
}

fn parse(path: &Path, text: &[u8]) -> Result<Commit, DatasetError> {
    let commit: Commit = serde_json::from_slice(text)
        .map_err(|source| DatasetError::Document { path: path.to_path_buf(), source })?;
    if commit.schema == SCHEMA_COMMIT {
        return Ok(commit);
    }
    let problem = format!("`schema` is {}, expected {SCHEMA_COMMIT}", commit.schema);
    Err(DatasetError::Parquet { path: path.to_path_buf(), problem })
}
