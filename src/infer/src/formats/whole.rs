//! Files that appear whole or not at all: written beside the target under another name, then renamed.

use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

use super::error::{FormatError, Origin};

/// What a container is written into.
pub(super) trait Target: Write + Seek {}

impl<T: Write + Seek> Target for T {}

/// Writes `path` with what `write` puts out; nothing is left behind when that fails.
///
/// # Errors
/// When the folder does not take a new file, or `write` fails.
pub(super) fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut dyn Target) -> io::Result<()>,
) -> Result<(), FormatError> {
    let cannot = |e| Origin(path).io(e);
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".wno-infer-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666)); // less the umask, as for any file
    }
    let mut file = builder.tempfile_in(folder).map_err(cannot)?;
    let mut buffered = BufWriter::with_capacity(1 << 20, file.as_file_mut());
    write(&mut buffered).and_then(|()| buffered.flush()).map_err(cannot)?;
    drop(buffered);
    file.persist(path).map_err(|e| cannot(e.error))?;
    Ok(())
}
