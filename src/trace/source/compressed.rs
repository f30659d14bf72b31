//! Unpacks a zstd or gzip stream into a temporary file, in constant memory.
//!
//! SQLite needs to seek, so a compressed export is unpacked as a whole: into `TMPDIR`, never beside
//! the trace. Several frames or members in one file follow each other, as `zstd -d` and `gzip -d`
//! read them.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::error::SourceError;
use super::recognise::Compression;

/// `zstd --long=31` packs with windows of 2 GiB; the decoder refuses them unless told.
const LARGEST_WINDOW_LOG: u32 = 31;

impl Compression {
    const fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }
}

/// Unpacks `file` and gives the folder to keep and the unpacked file in it. `path` is what the user
/// named, for messages.
pub(super) fn unpack(
    file: &Path,
    path: &Path,
    format: Compression,
) -> Result<(TempDir, PathBuf), SourceError> {
    let no_room = |source| SourceError::NoRoom {
        path: path.to_path_buf(),
        folder: std::env::temp_dir(),
        source,
    };
    let damaged = |source| SourceError::DamagedStream {
        path: path.to_path_buf(),
        format: format.name(),
        source,
    };
    let packed = File::open(file).map_err(|error| SourceError::from_io(path, error))?;
    let mut stream = decoder(packed, format).map_err(damaged)?;
    let folder = TempDir::with_prefix("nsys-attrib-").map_err(no_room)?;
    let unpacked = folder.path().join("unpacked");
    let mut out = File::create_new(&unpacked).map_err(no_room)?;
    let mut buffer = vec![0; 1 << 18];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok((folder, unpacked)),
            Ok(n) => out.write_all(&buffer[..n]).map_err(no_room)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(damaged(error)),
        }
    }
}

fn decoder(packed: File, format: Compression) -> io::Result<Box<dyn Read>> {
    Ok(match format {
        Compression::Zstd => {
            let mut stream = zstd::stream::read::Decoder::new(packed)?;
            stream.window_log_max(LARGEST_WINDOW_LOG)?;
            Box::new(stream)
        }
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::new(packed))),
    })
}
