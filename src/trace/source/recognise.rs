//! What kind of thing is this file? Answered by its first bytes, never by its name.
//!
//! Headers: SQLite's file format (100 bytes), zstd and gzip magic numbers, the first line of an nsys
//! report (`NVIDIA Tegra Profiler Report`, since 2014 and still), of a raw capture (four times 00 FF,
//! then `NVIDIA Nsight Systems Stream` and a version), Parquet, Arrow, HDF5 and common archives.
//! Text is told apart by a few words in its first 64 KiB; JSON of this program by its `schema` key.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::SourceError;
use super::top_level;

/// How much of a file is looked at: enough to reach `traceEvents` behind Kineto's device list.
const LOOK: u64 = 64 * 1024;

const REPORT: &[u8] = b"NVIDIA Tegra Profiler Report";
const RAW_CAPTURE: &[u8] = b"\x00\xff\x00\xff\x00\xff\x00\xffNVIDIA Nsight Systems Stream";

/// A compression that is read directly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Zstandard frames.
    Zstd,
    /// Gzip members.
    Gzip,
}

/// What an input is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// An SQLite database (not yet known to be an export).
    Database,
    /// A compressed file.
    Compressed(Compression),
    /// An nsys report.
    Report,
    /// A raw capture, with the version that made it.
    RawCapture(Option<String>),
    /// A run folder and its trace, if it has one.
    RunFolder {
        /// The trace inside it.
        trace: Option<PathBuf>,
    },
    /// A folder with Parquet files.
    ParquetFolder,
    /// Some other folder.
    Folder,
    /// A JSON document of this program, by its schema id.
    Document(String),
    /// A Chrome trace.
    ChromeTrace,
    /// Other JSON.
    Json,
    /// Arrow, Parquet, HDF5, by name.
    OtherExport(&'static str),
    /// An archive or other compression, with its article.
    Archive(&'static str),
    /// Encrypted: `true` when a header says so, `false` when the bytes look it.
    Encrypted(bool),
    /// Output of `nsys stats`.
    StatsText,
    /// Other text: what it is, and what to do.
    Text(&'static str, &'static str),
    /// Nothing known; its first bytes, printable.
    Unknown(String),
}

/// Tells what `path` is.
///
/// # Errors
/// When it is missing, empty, unreadable, or neither a file nor a folder.
pub fn recognise(path: &Path) -> Result<Content, SourceError> {
    let about = fs::metadata(path).map_err(|error| SourceError::from_io(path, error))?;
    if about.is_dir() {
        return folder(path);
    }
    if !about.is_file() {
        return Err(SourceError::NotAFile { path: path.to_path_buf() });
    }
    let mut start = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LOOK).read_to_end(&mut start))
        .map_err(|error| SourceError::from_io(path, error))?;
    if start.is_empty() {
        return Err(SourceError::Empty { path: path.to_path_buf() });
    }
    let whole = (start.len() as u64) < LOOK;
    match by_content(&start) {
        // The keys of a document may have been put into another order.
        Content::Json if !whole => {
            let file = File::open(path).map_err(|error| SourceError::from_io(path, error))?;
            let schema = top_level::schema(file);
            let schema = schema.map_err(|error| SourceError::from_io(path, error))?;
            Ok(schema.map_or(Content::Json, Content::Document))
        }
        content => Ok(content),
    }
}

impl Content {
    /// The sentence for an input `path` that is not a trace.
    pub(super) fn refusal(self, path: PathBuf) -> SourceError {
        match self {
            Self::RawCapture(version) => SourceError::RawCapture { path, version },
            Self::ParquetFolder => SourceError::ParquetFolder { path },
            Self::Folder => SourceError::Folder { path },
            Self::RunFolder { .. } => SourceError::RunWithoutTrace { path },
            Self::Document(schema) => SourceError::Document { path, schema },
            Self::ChromeTrace => SourceError::ChromeTrace { path },
            Self::Json => SourceError::Json { path },
            Self::OtherExport(format) => SourceError::OtherExport { path, format },
            Self::Archive(format) => SourceError::Archive { path, format },
            Self::Encrypted(certain) => SourceError::Encrypted { path, certain },
            Self::StatsText => SourceError::StatsText { path },
            Self::Text(what, remedy) => SourceError::Text { path, what, remedy },
            Self::Unknown(start) => SourceError::Unknown { path, start },
            Self::Database | Self::Compressed(_) | Self::Report => {
                SourceError::TooManyLayers { path }
            }
        }
    }
}

fn by_content(start: &[u8]) -> Content {
    binary(start).or_else(|| text(start)).unwrap_or_else(|| {
        if looks_random(start) {
            Content::Encrypted(false)
        } else {
            Content::Unknown(printable(&start[..start.len().min(16)]))
        }
    })
}

fn binary(start: &[u8]) -> Option<Content> {
    use Content as C;
    let is = |magic: &[u8]| start.starts_with(magic);
    let known: [(&[u8], C); 17] = [
        (b"SQLite format 3\0", C::Database),
        (b"\x28\xb5\x2f\xfd", C::Compressed(Compression::Zstd)),
        (b"\x1f\x8b", C::Compressed(Compression::Gzip)),
        (REPORT, C::Report),
        (b"PAR1", C::OtherExport("Parquet")),
        (b"ARROW1", C::OtherExport("Arrow")),
        (b"\xff\xff\xff\xff", C::OtherExport("Arrow stream")),
        (b"\x89HDF\r\n\x1a\n", C::OtherExport("HDF5")),
        (b"PK\x03\x04", C::Archive("a zip archive")),
        (b"\xfd7zXZ\0", C::Archive("an xz-compressed file")),
        (b"BZh", C::Archive("a bzip2-compressed file")),
        (b"7z\xbc\xaf\x27\x1c", C::Archive("a 7z archive")),
        (b"\x04\x22\x4d\x18", C::Archive("an lz4-compressed file")),
        (b"Salted__", C::Encrypted(true)),
        (b"age-encryption.org/", C::Encrypted(true)),
        (b"-----BEGIN PGP MESSAGE", C::Encrypted(true)),
        (b"-----BEGIN AGE ENCRYPTED", C::Encrypted(true)),
    ];
    if is(RAW_CAPTURE) {
        return Some(C::RawCapture(capture_version(&start[RAW_CAPTURE.len()..])));
    }
    if is(b"\x00\xff\x00\xff\x00\xff\x00\xff") {
        return Some(C::RawCapture(None));
    }
    // pzstd writes a skippable frame first.
    if start.len() > 3 && start[0] & 0xf0 == 0x50 && start[1..4] == *b"\x2a\x4d\x18" {
        return Some(C::Compressed(Compression::Zstd));
    }
    if start.get(257..262) == Some(b"ustar") {
        return Some(C::Archive("a tar archive"));
    }
    known.into_iter().find_map(|(magic, content)| is(magic).then_some(content))
}

/// ` 2019.6.1.85-1548171!` → `2019.6.1`.
fn capture_version(rest: &[u8]) -> Option<String> {
    let text: String =
        rest.iter().skip(1).map(|&b| char::from(b)).take_while(|c| !"-!\n".contains(*c)).collect();
    let parts: Vec<&str> = text.split('.').take(3).collect();
    let numeric = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    (parts.len() >= 2 && parts.iter().all(numeric)).then(|| parts.join("."))
}

fn text(start: &[u8]) -> Option<Content> {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        // The look may end inside a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&start[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    if text.contains('\0') {
        return None;
    }
    let body = text.trim_start();
    let has = |word: &str| text.contains(word);
    Some(if body.starts_with('{') || body.starts_with('[') {
        json(body)
    } else if body.starts_with("version https://git-lfs") {
        Content::Text("a Git LFS pointer", "fetch the file itself with `git lfs pull`")
    } else if body.starts_with("<!DOCTYPE") || body.starts_with("<html") {
        Content::Text("a web page", "the download gave a page in place of the file; repeat it")
    } else if ["Total Time (ns)", "CUDA API Statistics", "CUDA API Summary", "Duration (ns)"]
        .iter()
        .any(|heading| has(heading))
    {
        Content::StatsText
    } else if has("RAM ") && has("MB (lfb ") {
        Content::Text("a tegrastats log", "it says what power was drawn; give a trace beside it")
    } else if text.lines().next().is_some_and(|line| line.matches(',').count() >= 2) {
        Content::Text("a table of comma-separated values", "give the .nsys-rep or .sqlite file")
    } else {
        Content::Text("a text file", "give the .nsys-rep or .sqlite file")
    })
}

fn json(body: &str) -> Content {
    if let Ok(Some(schema)) = top_level::schema(body.as_bytes()) {
        return Content::Document(schema);
    }
    let event = body.starts_with('[') && body.contains("\"ph\"") && body.contains("\"ts\"");
    if event || body.contains("\"traceEvents\"") { Content::ChromeTrace } else { Content::Json }
}

/// Whether the bytes use the whole alphabet evenly, as ciphertext does. Needs a few KiB to say so.
fn looks_random(bytes: &[u8]) -> bool {
    let mut counts = [0usize; 256];
    for &byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    let total = bytes.len() as f64;
    let bits: f64 = counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| -(count as f64 / total) * (count as f64 / total).log2())
        .sum();
    bytes.len() >= 2048 && bits > 7.8
}

fn printable(bytes: &[u8]) -> String {
    format!("\"{}\"", bytes.escape_ascii())
}

fn folder(path: &Path) -> Result<Content, SourceError> {
    let mut parquet = false;
    let entries = fs::read_dir(path).map_err(|error| SourceError::from_io(path, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| SourceError::from_io(path, error))?;
        parquet |= Path::new(&entry.file_name()).extension().is_some_and(|e| e == "parquet");
    }
    let trace = ["trace.sqlite", "trace.sqlite.zst", "trace.sqlite.gz", "trace.nsys-rep"]
        .iter()
        .map(|name| path.join(name))
        .find(|trace| trace.is_file());
    Ok(if trace.is_some() || path.join("manifest.json").is_file() {
        Content::RunFolder { trace }
    } else if parquet {
        Content::ParquetFolder
    } else {
        Content::Folder
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_capture_says_its_version() {
        let start = b"\x00\xff\x00\xff\x00\xff\x00\xffNVIDIA Nsight Systems Stream 2019.6.1.85-1548171!\n\xfa";
        assert_eq!(by_content(start), Content::RawCapture(Some("2019.6.1".into())));
        let old = b"\x00\xff\x00\xff\x00\xff\x00\xffQuadD something";
        assert_eq!(by_content(old), Content::RawCapture(None));
    }

    #[test]
    fn json_is_told_apart() {
        assert_eq!(
            by_content(b"\n{ \"schema\" : \"nsys-attrib/analysis/1\", \"tool\": {}}"),
            Content::Document("nsys-attrib/analysis/1".into())
        );
        assert_eq!(by_content(b"{\"schemaVersion\": 1, \"traceEvents\": ["), Content::ChromeTrace);
        assert_eq!(by_content(b"[{\"ph\": \"X\", \"ts\": 1}]"), Content::ChromeTrace);
        assert_eq!(by_content(b"{\"schema\": \"other/1\"}"), Content::Json);
        assert_eq!(by_content(b"{}"), Content::Json);
    }

    #[test]
    fn text_cut_inside_a_character_is_text() {
        assert!(matches!(by_content(b"W\xc3\xa4rme \xc3"), Content::Text("a text file", _)));
    }

    #[test]
    fn short_or_orderly_bytes_are_unknown_and_even_ones_look_encrypted() {
        assert_eq!(by_content(b"\x00\x01\x02"), Content::Unknown("\"\\x00\\x01\\x02\"".into()));
        let mut state = 1u64;
        let noise: Vec<u8> = (0..8192)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        assert_eq!(by_content(&noise), Content::Encrypted(false));
    }
}
