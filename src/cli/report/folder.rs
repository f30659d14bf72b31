//! A report's folder appears whole, in one step, and takes the place of nothing but a report.
//!
//! It is written beside its place under a temporary name. An older report is exchanged with it in one
//! call of the system; files that a person laid into it (a compiled PDF, say) move over. A folder that
//! holds anything but a report is refused, and so is a report whose files were changed by hand.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cli::{interrupt, output};
use crate::report::paper::{Provenance, ReportFile, SCHEMA, hash};
use crate::units::plain;

/// The document that makes a folder a report.
pub(in crate::cli) const PROVENANCE: &str = "provenance.json";
/// Files that a message names.
const NAMED: usize = 3;

/// The provenance of a report.
pub(in crate::cli) fn provenance(folder: &Path) -> Result<Provenance> {
    let path = folder.join(PROVENANCE);
    let text = fs::read_to_string(&path).with_context(|| {
        format!("{}: no report lies there ({PROVENANCE} cannot be read)", folder.display())
    })?;
    let found: Provenance = serde_json::from_str(&text)
        .with_context(|| format!("{}: not a whole `{SCHEMA}` document", path.display()))?;
    if found.schema != SCHEMA {
        bail!("{}: a `{}` document, not `{SCHEMA}`", path.display(), plain(&found.schema, 60));
    }
    Ok(found)
}

/// Files of a report that are missing or are not as they were written.
pub(in crate::cli) fn changed(folder: &Path, provenance: &Provenance) -> Vec<String> {
    let differs = |path: &str, sha256: &str| match fs::read(folder.join(path)) {
        Ok(bytes) => hash(&bytes) != sha256,
        Err(_) => true,
    };
    let files = provenance.files.iter().filter(|file| differs(&file.path, &file.sha256));
    files.map(|file| file.path.clone()).collect()
}

/// Whether the folder may be made or replaced.
///
/// # Errors
/// When it holds something else, or a report that was changed.
pub(in crate::cli) fn may_be_written(folder: &Path, force: bool) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", folder.display()));
        }
    };
    if entries.count() == 0 {
        return Ok(());
    }
    let Ok(known) = provenance(folder) else {
        bail!(
            "{}: holds something else than a report, and is left alone: name a new folder",
            folder.display()
        );
    };
    let present = |path: &String| folder.join(path).exists();
    let changed: Vec<String> = changed(folder, &known).into_iter().filter(present).collect();
    if !changed.is_empty() && !force {
        bail!(
            "{}: {} changed since the report was written ({}): --force replaces it",
            folder.display(),
            if changed.len() == 1 {
                "a file was".to_owned()
            } else {
                format!("{} files were", changed.len())
            },
            changed.iter().take(NAMED).map(|path| plain(path, 80)).collect::<Vec<_>>().join(", ")
        );
    }
    Ok(())
}

/// Writes the folder.
///
/// # Errors
/// See [`may_be_written`]; and when the disk refuses. The folder is then as it was.
pub(in crate::cli) fn write(folder: &Path, files: &[ReportFile], force: bool) -> Result<()> {
    may_be_written(folder, force)?;
    let old = folder.is_dir();
    let place = if old { fs::canonicalize(folder)? } else { folder.to_path_buf() };
    let attempt = || -> io::Result<()> {
        let parent = match place.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        fs::create_dir_all(&parent)?;
        interrupt::watch(&parent);
        let new = tempfile::Builder::new().prefix(interrupt::PREFIX).tempdir_in(&parent)?;
        for file in files {
            let path = new.path().join(&file.path);
            if let Some(inner) = path.parent() {
                fs::create_dir_all(inner)?;
            }
            fs::write(path, &file.bytes)?;
        }
        fs::set_permissions(new.path(), fs::Permissions::from_mode(0o755))?;
        if !old {
            return fs::rename(new.keep(), &place);
        }
        carry(&place, new.path(), files)?;
        exchange(new.path(), &place)
        // What was there is now under the temporary name, which vanishes.
    };
    attempt()
        .map_err(output::without_temporary)
        .with_context(|| format!("{} cannot be written", folder.display()))
}

/// Copies what no report wrote into the new folder.
fn carry(old: &Path, new: &Path, files: &[ReportFile]) -> io::Result<()> {
    let known = provenance(old).map(|known| known.files).unwrap_or_default();
    for path in inside(old, Path::new(""))? {
        let shown = path.to_string_lossy();
        let ours = shown == PROVENANCE
            || known.iter().any(|file| file.path == shown)
            || files.iter().any(|file| file.path == shown);
        if !ours {
            let target = new.join(&path);
            if let Some(inner) = target.parent() {
                fs::create_dir_all(inner)?;
            }
            fs::copy(old.join(&path), target)?;
        }
    }
    Ok(())
}

/// Every file of a folder, relative to it.
fn inside(folder: &Path, below: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            found.extend(inside(folder, &path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// Two folders take each other's place at once; in two steps where the file system cannot do that.
fn exchange(new: &Path, place: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    if renameat_with(CWD, new, CWD, place, RenameFlags::EXCHANGE).is_ok() {
        return Ok(());
    }
    // Not under a temporary name: that would be removed if the program were interrupted here.
    let mut aside = place.as_os_str().to_owned();
    aside.push(".before");
    let aside = PathBuf::from(aside);
    fs::rename(place, &aside)?;
    match fs::rename(new, place) {
        Ok(()) => fs::remove_dir_all(&aside),
        Err(error) => {
            fs::rename(&aside, place)?;
            Err(error)
        }
    }
}
