//! A database file, for positional reads of whole pages.
//!
//! Refused: a file that is not in the plain format (text other than UTF-8, encrypted), one with a
//! write-ahead log or a journal beside it, one whose size is not what the open connection believes,
//! and a connection that is in the middle of a transaction.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::Unread;

/// The first bytes of every SQLite database.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The smallest part of a page that the format leaves for use.
const LEAST_USABLE: usize = 480;

/// An open database file.
#[derive(Debug)]
pub(crate) struct PageFile {
    file: File,
    page_size: usize,
    usable: usize,
    pages: u32,
}

impl PageFile {
    /// Opens the file behind a connection.
    pub(crate) fn open(path: &Path, connection: &Connection) -> Result<Self, Unread> {
        if !connection.is_autocommit() {
            return Err(Unread::Unsupported("the connection is inside a transaction"));
        }
        let file = File::open(path)?;
        let mut header = [0; 100];
        file.read_exact_at(&mut header, 0)?;
        let (page_size, usable) = sizes(&header)?;
        let length = file.metadata()?.len();
        let pages = u32::try_from(length / page_size as u64)
            .map_err(|_| Unread::Unsupported("the file has more pages than the format allows"))?;
        let expected: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        if length % page_size as u64 != 0 || i64::from(pages) != expected {
            return Err(Unread::Unsupported("the file is not as long as its header says"));
        }
        check_sidecars(path, header[18] != 1 || header[19] != 1)?;
        Ok(Self { file, page_size, usable, pages })
    }

    /// Bytes of a page.
    pub(super) const fn page_size(&self) -> usize {
        self.page_size
    }

    /// Bytes of a page that hold data; the rest is reserved for extensions.
    pub(super) const fn usable(&self) -> usize {
        self.usable
    }

    /// How many pages there are; the first is page 1.
    pub(super) const fn pages(&self) -> u32 {
        self.pages
    }

    /// Bytes of the whole file.
    pub(super) const fn size(&self) -> u64 {
        self.pages as u64 * self.page_size as u64
    }

    /// Fills `buffer`, which holds whole pages, from page `first` on.
    pub(super) fn read(&self, first: u32, buffer: &mut [u8]) -> Result<(), Unread> {
        let count = (buffer.len() / self.page_size) as u64;
        if first == 0 || u64::from(first) + count > u64::from(self.pages) + 1 {
            return Err(Unread::Damaged("a page lies outside the file"));
        }
        self.file.read_exact_at(buffer, u64::from(first - 1) * self.page_size as u64)?;
        Ok(())
    }
}

/// Page size and usable size, once the header is known to be plain.
fn sizes(header: &[u8; 100]) -> Result<(usize, usize), Unread> {
    if &header[..16] != MAGIC || header[21..24] != [64, 32, 32] {
        return Err(Unread::Unsupported("the header of the file is not a plain one"));
    }
    let page_size = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        size if size >= 512 && size.is_power_of_two() => usize::from(size),
        _ => return Err(Unread::Unsupported("the header of the file is not a plain one")),
    };
    let usable = page_size - usize::from(header[20]);
    if usable < LEAST_USABLE {
        return Err(Unread::Unsupported("too much of each page is reserved"));
    }
    if header[56..60] != [0, 0, 0, 1] {
        return Err(Unread::Unsupported("its text is not UTF-8"));
    }
    Ok((page_size, usable))
}

/// Changes that are not in the file yet, or must be taken back first.
fn check_sidecars(path: &Path, write_ahead: bool) -> Result<(), Unread> {
    let filled = |ending: &str| -> io::Result<bool> {
        let mut name = path.as_os_str().to_owned();
        name.push(OsStr::new(ending));
        match std::fs::metadata(PathBuf::from(name)) {
            Ok(beside) => Ok(beside.len() > 0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    };
    if write_ahead && filled("-wal")? {
        return Err(Unread::Unsupported("the database has a write-ahead log"));
    }
    if filled("-journal")? {
        return Err(Unread::Unsupported("the database has a journal"));
    }
    Ok(())
}
