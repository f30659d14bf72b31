//! From the root of a table to its leaves, in the order of the row ids.
//!
//! All leaves of a tree lie at the same depth, so the tree is read level by level: the first page of
//! a level says what the level is. Page numbers are the only thing that grows here, and no page can
//! occur twice, so memory is bounded by the size of the file.

use super::Unread;
use super::file::PageFile;

/// The first byte of an interior page of a table.
const INTERIOR: u8 = 5;
/// The first byte of a leaf page of a table.
pub(super) const LEAF: u8 = 13;
/// SQLite itself gives up at this depth.
const DEEPEST: usize = 20;

/// The leaves of the tree below `root`.
pub(super) fn leaves(file: &PageFile, root: u32) -> Result<Vec<u32>, Unread> {
    let mut seen = Seen::new(file.pages());
    seen.add(root)?;
    let mut level = vec![root];
    let mut page = vec![0; file.page_size()];
    for _ in 0..DEEPEST {
        file.read(level[0], &mut page)?;
        if page[0] == LEAF {
            return Ok(level);
        }
        let mut below = Vec::new();
        for number in &level {
            file.read(*number, &mut page)?;
            children(&page[..file.usable()], &mut seen, &mut below)?;
        }
        level = below;
    }
    Err(Unread::Damaged("a tree is too deep"))
}

/// Adds the children of an interior page.
fn children(page: &[u8], seen: &mut Seen, below: &mut Vec<u32>) -> Result<(), Unread> {
    if page[0] != INTERIOR {
        return Err(Unread::Damaged("an interior page of a table is something else"));
    }
    let word = |at: usize| {
        let bytes: Option<&[u8; 4]> = page.get(at..).and_then(<[u8]>::first_chunk);
        bytes.map(|bytes| u32::from_be_bytes(*bytes))
    };
    let pointers = cell_pointers(page, 12)?;
    if pointers.is_empty() {
        return Err(Unread::Damaged("an interior page has no cells"));
    }
    let cells = pointers.iter().map(|pointer| usize::from(u16::from_be_bytes(*pointer)));
    for at in cells.chain([8]) {
        let child = word(at).ok_or(Unread::Damaged("a cell lies outside its page"))?;
        seen.add(child)?;
        below.push(child);
    }
    Ok(())
}

/// Whether the children of a damaged interior page can be told.
#[cfg(test)]
pub(super) fn fuzz_children(page: &[u8], pages: u32) -> bool {
    children(page, &mut Seen::new(pages), &mut Vec::new()).is_ok()
}

/// The cell pointers of a page, behind its header. A cell takes no less than four bytes, and two for
/// its pointer.
pub(super) fn cell_pointers(page: &[u8], header: usize) -> Result<&[[u8; 2]], Unread> {
    let count = usize::from(u16::from_be_bytes([page[3], page[4]]));
    let pointers = page.get(header..header + 2 * count);
    match pointers.filter(|_| count <= (page.len() - 8) / 6) {
        Some(pointers) => Ok(pointers.as_chunks::<2>().0),
        None => Err(Unread::Damaged("a page has more cells than fit")),
    }
}

/// The pages that a tree has used so far.
struct Seen {
    bits: Vec<u64>,
    pages: u32,
}

impl Seen {
    fn new(pages: u32) -> Self {
        Self { bits: vec![0; pages as usize / 64 + 1], pages }
    }

    fn add(&mut self, page: u32) -> Result<(), Unread> {
        if page < 2 || page > self.pages {
            return Err(Unread::Damaged("a page lies outside the file"));
        }
        let (word, bit) = (&mut self.bits[page as usize / 64], 1 << (page % 64));
        if *word & bit != 0 {
            return Err(Unread::Damaged("a page occurs twice in a tree"));
        }
        *word |= bit;
        Ok(())
    }
}
