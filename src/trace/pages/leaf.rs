//! The rows of a leaf page.
//!
//! ```text
//!   | header | cell pointers … |      free      | cell | cell | …        | reserved |
//!                                               | record length | row id | record… |
//! ```
//!
//! A record that does not fit into its page goes on in a chain of overflow pages, which is followed
//! no further than the wanted cells need, and by all rows together over no more pages than the file
//! has. Row ids must rise from row to row: pages in a wrong order are noticed.

use std::sync::atomic::{AtomicU32, Ordering};

use super::Unread;
use super::file::PageFile;
use super::record::{Decoder, Record, varint};
use super::tree::{LEAF, cell_pointers};
use crate::trace::error::TraceError;

/// Bytes that the length of a record can take: records are shorter than 2 GiB.
const LONGEST_LENGTH: usize = 5;

/// Reads leaves, one after the other.
pub(super) struct LeafReader<'f, const N: usize> {
    file: &'f PageFile,
    decoder: Decoder<N>,
    spill: Spill<'f>,
    /// Only the one leaf of an empty table has no rows.
    may_be_empty: bool,
    ids: Option<(i64, i64)>,
}

impl<'f, const N: usize> LeafReader<'f, N> {
    /// `overflow` is how many overflow pages may still be read for the whole table, `may_be_empty`
    /// whether the table has but one leaf.
    pub(super) fn new(
        file: &'f PageFile,
        decoder: Decoder<N>,
        overflow: &'f AtomicU32,
        may_be_empty: bool,
    ) -> Self {
        let spill = Spill { file, left: overflow, record: Vec::new(), page: Vec::new() };
        Self { file, decoder, spill, may_be_empty, ids: None }
    }

    /// The first and the last row id since this was asked last.
    pub(super) fn take_ids(&mut self) -> Option<(i64, i64)> {
        self.ids.take()
    }

    /// Visits the rows of one page.
    pub(super) fn read(
        &mut self,
        page: &[u8],
        mut visit: impl FnMut(Record<'_, N>) -> Result<(), TraceError>,
    ) -> Result<(), Unread> {
        let page = &page[..self.file.usable()];
        if page[0] != LEAF {
            return Err(Unread::Damaged("a leaf of a table is something else"));
        }
        let pointers = cell_pointers(page, 8)?;
        if pointers.is_empty() && !self.may_be_empty {
            return Err(Unread::Damaged("a leaf of a table is empty"));
        }
        for pointer in pointers {
            let cell = usize::from(u16::from_be_bytes(*pointer));
            let outside = || Unread::Damaged("a cell lies outside its page");
            let (length, at) = varint(page, cell).ok_or_else(outside)?;
            if at - cell > LONGEST_LENGTH || length > self.file.size() {
                return Err(Unread::Damaged("a record is longer than the file"));
            }
            let (row_id, at) = varint(page, at).ok_or_else(outside)?;
            let row_id = row_id.cast_signed();
            self.check_order(row_id)?;
            let local = local_length(length, page.len());
            let body = page.get(at..at + local).ok_or_else(outside)?;
            let shape = self.decoder.shape(body, length)?;
            let body = if shape.needed <= local {
                body
            } else {
                let chain = page.get(at + local..).and_then(<[u8]>::first_chunk);
                self.spill.record(body, chain, shape.needed)?
            };
            visit(Record::new(body, shape, row_id))?;
        }
        Ok(())
    }

    #[inline]
    fn check_order(&mut self, row_id: i64) -> Result<(), Unread> {
        let first = match self.ids {
            Some((_, last)) if last >= row_id => {
                return Err(Unread::Damaged("the row ids of a table are not in order"));
            }
            Some((first, _)) => first,
            None => row_id,
        };
        self.ids = Some((first, row_id));
        Ok(())
    }
}

/// How much of a record of `length` bytes lies in its leaf page (file format, section 1.6).
fn local_length(length: u64, usable: usize) -> usize {
    let most = usable - 35;
    let Some(length) = usize::try_from(length).ok().filter(|length| *length > most) else {
        return if length > most as u64 { most } else { length as usize };
    };
    let least = (usable - 12) * 32 / 255 - 23;
    let fitting = least + (length - least) % (usable - 4);
    if fitting <= most { fitting } else { least }
}

/// Puts records together that lie on several pages.
struct Spill<'f> {
    file: &'f PageFile,
    left: &'f AtomicU32,
    record: Vec<u8>,
    page: Vec<u8>,
}

impl Spill<'_> {
    /// The first `needed` bytes of the record that begins with `local` and goes on at page `chain`.
    fn record(
        &mut self,
        local: &[u8],
        chain: Option<&[u8; 4]>,
        needed: usize,
    ) -> Result<&[u8], Unread> {
        self.record.clear();
        self.record.extend_from_slice(local);
        self.page.resize(self.file.page_size(), 0);
        let mut next = chain.map_or(0, |bytes| u32::from_be_bytes(*bytes));
        while self.record.len() < needed {
            let take = |left: u32| left.checked_sub(1);
            if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
                return Err(Unread::Damaged("a chain of overflow pages does not end"));
            }
            self.file.read(next, &mut self.page)?;
            let (link, rest) = self.page[..self.file.usable()].split_at(4);
            next = u32::from_be_bytes([link[0], link[1], link[2], link[3]]);
            self.record.extend_from_slice(rest);
        }
        Ok(&self.record)
    }
}

#[cfg(test)]
mod tests {
    use super::local_length;

    /// The numbers of the file format's own example of a 4096-byte page.
    #[test]
    fn long_records_leave_a_part_in_the_leaf() {
        assert_eq!(local_length(4061, 4096), 4061);
        assert_eq!(local_length(4062, 4096), 489);
        assert_eq!(local_length(4092 + 489, 4096), 489);
        assert_eq!(local_length(4092 + 4061, 4096), 4061);
        assert_eq!(local_length(4092 + 4062, 4096), 489);
    }
}
