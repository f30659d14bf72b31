//! A dataset as an input: `DIR`, or `DIR@key=value,key=value` for some of its analyses.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::attribution::Analysis;
use crate::dataset;

/// Part of a dataset.
pub(in crate::cli) struct Place {
    /// Its folder.
    pub(in crate::cli) folder: PathBuf,
    /// Which analyses, as typed; empty for all.
    #[cfg_attr(not(feature = "dataset"), allow(dead_code))]
    pub(in crate::cli) filter: String,
}

/// The part of a dataset that `path` names; nothing when it names something else.
pub(in crate::cli) fn place(path: &Path) -> Option<Place> {
    if dataset::is_one(path) {
        return Some(Place { folder: path.to_path_buf(), filter: String::new() });
    }
    let text = path.to_str().filter(|_| !path.exists())?;
    // A folder may have an `@` in its name, a filter after it may not be one.
    text.match_indices('@').map(|(at, _)| text.split_at(at)).find_map(|(folder, filter)| {
        let folder = PathBuf::from(folder);
        dataset::is_one(&folder).then(|| Place { folder, filter: filter[1..].to_owned() })
    })
}

/// The analyses in a part of a dataset.
///
/// # Errors
/// When it holds none, cannot be read, or this build cannot read it.
#[cfg(feature = "dataset")]
pub(in crate::cli) fn analyses(place: &Place) -> Result<Vec<Analysis>> {
    let filter = dataset::Filter::parse(&place.filter)?;
    Ok(dataset::Dataset::open(&place.folder)?.analyses(&filter)?)
}

/// The same in a build without the engine.
#[cfg(not(feature = "dataset"))]
pub(in crate::cli) fn analyses(place: &Place) -> Result<Vec<Analysis>> {
    anyhow::bail!("{} is a dataset: {}", place.folder.display(), crate::cli::dataset::NOT_BUILT)
}
