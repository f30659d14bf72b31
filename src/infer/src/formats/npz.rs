//! NumPy's .npz: a zip archive with one .npy a variable, stored or deflated.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::Array;
use super::error::{FormatError, Origin};
use super::npy::{self, Header};
use crate::whole::write_whole;

/// An open archive.
pub(super) struct Npz<'a> {
    origin: Origin<'a>,
    archive: ZipArchive<BufReader<File>>,
}

impl<'a> Npz<'a> {
    pub(super) fn open(path: &'a Path) -> Result<Self, FormatError> {
        let origin = Origin(path);
        let file = File::open(path).map_err(|e| origin.io(e))?;
        let archive =
            ZipArchive::new(BufReader::new(file)).map_err(|e| zip_error(origin, "archive", e))?;
        Ok(Self { origin, archive })
    }

    /// Names of the entries of the archive.
    pub(super) fn entries(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.archive.file_names().flatten().map(std::borrow::Cow::into_owned).collect();
        names.sort();
        names
    }

    /// Names of the variables.
    pub(super) fn names(&self) -> Vec<String> {
        self.entries().iter().filter_map(|n| n.strip_suffix(".npy")).map(str::to_owned).collect()
    }

    /// A variable: its header, and a stream of its numbers.
    pub(super) fn variable(&mut self, name: &str) -> Result<(Header, impl Read + '_), FormatError> {
        let part = format!("variable `{name}`");
        let origin = self.origin;
        let entry = self.archive.by_name(&format!("{name}.npy"));
        let mut entry = entry.map_err(|e| zip_error(origin, &part, e))?;
        let packed = entry.compression() != CompressionMethod::Stored;
        let length = entry.compressed_size();
        let header = npy::header(&mut entry, (origin, &part), length, packed)?;
        Ok((header, entry))
    }
}

/// What the archive reader says, as an error of the file.
pub(super) fn zip_error(
    origin: Origin<'_>,
    part: &str,
    error: zip::result::ZipError,
) -> FormatError {
    match error {
        zip::result::ZipError::Io(e) => origin.reading(part, e),
        other => origin.malformed(part, other.to_string()),
    }
}

/// Writes variables: deflated where that pays, which it does for a coefficient of two values and hardly for
/// a solution's mantissas.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(path: &Path, variables: &[(&str, &Array<f32>)]) -> Result<(), FormatError> {
    write_whole(path, |target| {
        let mut archive = ZipWriter::new(target);
        for (name, array) in variables {
            let method = if few_values(&array.values) {
                CompressionMethod::Deflated
            } else {
                CompressionMethod::Stored
            };
            let large = array.values.len() >= 1 << 29;
            let options = SimpleFileOptions::default().compression_method(method).large_file(large);
            archive.start_file(format!("{name}.npy"), options).map_err(io::Error::other)?;
            npy::write(&mut archive, array)?;
        }
        archive.finish().map_err(io::Error::other)?;
        Ok(())
    })
    .map_err(|error| Origin(path).io(error))
}

/// Whether the first thousand numbers are of at most sixteen values.
fn few_values(values: &[f32]) -> bool {
    let mut seen: Vec<u32> = values.iter().take(1000).map(|v| v.to_bits()).collect();
    seen.sort_unstable();
    seen.dedup();
    seen.len() <= 16
}
