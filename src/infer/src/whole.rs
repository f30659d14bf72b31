//! Files that appear whole or not at all: written beside the target under another name, then renamed.

use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

/// What a file is written into.
pub trait Target: Write + Seek {}

impl<T: Write + Seek> Target for T {}

/// Makes the folder in which `path` lies, where it is missing.
///
/// # Errors
/// When it cannot be made.
pub fn make_folder_of(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder_of(path))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes `path` with what `write` puts out; nothing is left behind when that fails.
///
/// # Errors
/// When the folder does not take a new file, or `write` fails.
pub fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut dyn Target) -> io::Result<()>,
) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".wno-infer-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666)); // less the umask, as for any file
    }
    let mut file = builder.tempfile_in(folder_of(path))?;
    let mut buffered = BufWriter::with_capacity(1 << 20, file.as_file_mut());
    write(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    file.persist(path)?;
    Ok(())
}
