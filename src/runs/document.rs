//! How is a document of a run read and written? Whole, or not at all.
//!
//! Read: JSON, then the schema id, then the types, then what the types cannot say. Written: into a
//! temporary file beside it, which is then renamed, so that a reader never meets half a document.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::RunError;

/// A document that a run folder may hold.
pub trait Document: Serialize + DeserializeOwned {
    /// Its schema id.
    const SCHEMA: &'static str;
    /// What helps when the file is not in order.
    const REMEDY: &'static str;

    /// What the types cannot say: the key and the problem of the first contradiction.
    fn contradiction(&self) -> Option<(String, String)>;
}

/// Reads and validates a document.
///
/// # Errors
/// [`RunError`] when the file cannot be read, is of another kind or version, or contradicts itself.
pub fn read_document<D: Document>(path: &Path) -> Result<D, RunError> {
    let text = fs::read(path)
        .map_err(|source| RunError::Unreadable { path: path.to_path_buf(), source })?;
    let form = |source| RunError::Form {
        path: path.to_path_buf(),
        expected: D::SCHEMA,
        source,
        remedy: D::REMEDY,
    };
    let value: Value = serde_json::from_slice(&text).map_err(form)?;
    let found = value.get("schema").and_then(Value::as_str);
    if found != Some(D::SCHEMA) {
        return Err(RunError::Schema {
            path: path.to_path_buf(),
            expected: D::SCHEMA,
            found: found.map_or_else(|| "missing".to_owned(), |id| format!("`{id}`")),
        });
    }
    // From the text, not from the value: only so does an error carry line and column.
    let document: D = serde_json::from_slice(&text).map_err(form)?;
    match document.contradiction() {
        None => Ok(document),
        Some((at, problem)) => {
            Err(RunError::Content { path: path.to_path_buf(), at, problem, remedy: D::REMEDY })
        }
    }
}

/// Writes a document so that it is there whole or not at all.
///
/// # Errors
/// [`RunError::Unwritable`] when the folder cannot take it; what was there before stays.
pub fn write_document<D: Document>(path: &Path, document: &D) -> Result<(), RunError> {
    write(path, document)
        .map_err(|source| RunError::Unwritable { path: path.to_path_buf(), source })
}

fn write(path: &Path, document: &impl Serialize) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::Builder::new()
        .prefix(".nsys-attrib-")
        .tempfile_in(folder.unwrap_or(Path::new(".")))?;
    let mut text = serde_json::to_vec_pretty(document).map_err(io::Error::from)?;
    text.push(b'\n');
    file.write_all(&text)?;
    // A full disk may say so only now.
    file.as_file().sync_all()?;
    // Temporary files are private; results are not.
    fs::set_permissions(file.path(), Permissions::from_mode(0o644))?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
