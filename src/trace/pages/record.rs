//! Records: of a row, the cells that are wanted.
//!
//! ```text
//!   | header size | type of cell 0 | type of cell 1 | … || cell 0 | cell 1 | …
//! ```
//!
//! The types also say how long the cells are, so where a cell lies follows from the types before it.
//! Neighbouring rows mostly have the same header: what it says is remembered and only compared.

use rusqlite::types::ValueRef;

use super::Unread;
use super::layout::Wanted;

/// Stands for the type of a column that is the row id; no cell has so large a type.
const ROW_ID: u32 = u32::MAX;
/// How many headers are remembered.
const REMEMBERED: usize = 64;

/// Where a wanted cell lies in the record, and its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    at: u32,
    kind: u32,
    /// Where the eight bytes begin that end with the cell, if it is an integer behind so many bytes;
    /// otherwise `NO_WORD`.
    word: u32,
    /// How many bits of those eight bytes lie before the cell.
    before: u32,
}

/// Stands for the word of a cell that is read otherwise.
const NO_WORD: u32 = u32::MAX;

impl Default for Place {
    fn default() -> Self {
        Self { at: 0, kind: 0, word: NO_WORD, before: 0 }
    }
}

impl Place {
    fn new(at: u64, kind: u32, length: u64) -> Self {
        let word = match kind {
            1..=6 => (at + length).checked_sub(8),
            _ => None,
        };
        let word = word.and_then(|word| u32::try_from(word).ok()).unwrap_or(NO_WORD);
        Self { at: at as u32, kind, word, before: 64 - 8 * length.min(8) as u32 }
    }
}

/// A cell that should hold an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Int {
    /// It does.
    Value(i64),
    /// It is NULL.
    Null,
    /// It holds something else: ask for the value.
    Other,
}

/// What a header says about the wanted cells.
#[derive(Clone, Debug)]
pub(super) struct Shape<const N: usize> {
    /// The header as far as it was needed.
    header: Vec<u8>,
    places: [Place; N],
    /// Where the last cell that was looked at ends, and whether it is the last of the record.
    end: u64,
    ends: bool,
    /// How much of the record the wanted cells need.
    pub(super) needed: usize,
}

/// The wanted cells of one record.
#[derive(Clone, Copy)]
pub(crate) struct Record<'r, const N: usize> {
    body: &'r [u8],
    places: &'r [Place; N],
    row_id: i64,
}

impl<'r, const N: usize> Record<'r, N> {
    /// `body` holds at least what the shape needs.
    pub(super) fn new(body: &'r [u8], shape: &'r Shape<N>, row_id: i64) -> Self {
        Self { body, places: &shape.places, row_id }
    }

    /// The row id.
    pub(crate) const fn row_id(&self) -> i64 {
        self.row_id
    }

    /// The integer of wanted column `i`, in one load: the cell and what lies before it.
    #[inline(always)]
    pub(crate) fn int(&self, i: usize) -> Int {
        let place = self.places[i];
        if place.word != NO_WORD {
            let word = i64::from_be_bytes(self.bytes(place.word as usize));
            return Int::Value(word << place.before >> place.before);
        }
        match place.kind {
            0 => Int::Null,
            8 => Int::Value(0),
            9 => Int::Value(1),
            _ => match self.value(i) {
                ValueRef::Integer(value) => Int::Value(value),
                _ => Int::Other,
            },
        }
    }

    /// The cell of wanted column `i`.
    pub(crate) fn value(&self, i: usize) -> ValueRef<'r> {
        let Place { at, kind, .. } = self.places[i];
        let at = at as usize;
        let integer = match kind {
            0 => return ValueRef::Null,
            1 => i64::from(i8::from_be_bytes(self.bytes(at))),
            2 => i64::from(i16::from_be_bytes(self.bytes(at))),
            3 => {
                let [a, b, c] = self.bytes(at);
                i64::from(i32::from_be_bytes([a, b, c, 0]) >> 8)
            }
            4 => i64::from(i32::from_be_bytes(self.bytes(at))),
            5 => {
                let [a, b, c, d, e, f] = self.bytes(at);
                i64::from_be_bytes([a, b, c, d, e, f, 0, 0]) >> 16
            }
            6 => i64::from_be_bytes(self.bytes(at)),
            7 => return ValueRef::Real(f64::from_be_bytes(self.bytes(at))),
            8 => 0,
            9 => 1,
            ROW_ID => self.row_id,
            _ => {
                let cell = &self.body[at..at + (kind as usize - 12) / 2];
                return if kind % 2 == 0 { ValueRef::Blob(cell) } else { ValueRef::Text(cell) };
            }
        };
        ValueRef::Integer(integer)
    }

    #[inline(always)]
    fn bytes<const B: usize>(&self, at: usize) -> [u8; B] {
        // The record was checked to be long enough for its shape.
        self.body[at..].first_chunk().copied().unwrap_or([0; B])
    }
}

/// Finds the wanted cells of records.
#[derive(Clone, Debug)]
pub(super) struct Decoder<const N: usize> {
    wanted: [Wanted; N],
    /// How many cells of a record have to be looked at.
    cells: usize,
    /// By a hash of the header, the shape that was last seen with it.
    shapes: Vec<Shape<N>>,
    /// The place of the shape of the row before.
    last: usize,
    /// By the place of a shape, that of the one which came next.
    then: [u8; REMEMBERED],
}

impl<const N: usize> Decoder<N> {
    pub(super) fn new(wanted: [Wanted; N]) -> Self {
        let cells = wanted
            .iter()
            .filter_map(|wanted| match wanted {
                Wanted::Cell { place, .. } => Some(place + 1),
                _ => None,
            })
            .max();
        let nothing = Shape {
            header: Vec::new(),
            places: [Place::default(); N],
            end: 0,
            ends: false,
            needed: 0,
        };
        Self {
            wanted,
            cells: cells.unwrap_or(0),
            shapes: vec![nothing; REMEMBERED],
            last: 0,
            then: [0; REMEMBERED],
        }
    }

    /// The shape of the record whose first bytes are given; `length` is that of the whole record.
    #[inline]
    pub(super) fn shape(&mut self, start: &[u8], length: u64) -> Result<&Shape<N>, Unread> {
        let expected = usize::from(self.then[self.last]);
        if matches(&self.shapes[expected], start, length) {
            self.last = expected;
        } else {
            self.recall(start, length)?;
        }
        Ok(&self.shapes[self.last])
    }

    /// Makes the shape of this record the last one.
    fn recall(&mut self, start: &[u8], length: u64) -> Result<(), Unread> {
        let slot = self.slot(start);
        self.then[self.last] = slot as u8;
        self.last = slot;
        if !matches(&self.shapes[slot], start, length) {
            self.parse(start, slot)?;
            if !matches(&self.shapes[slot], start, length) {
                return Err(Unread::Damaged("a record is not as long as its cells"));
            }
        }
        Ok(())
    }

    /// A slot for a header, from the types of the first cells.
    fn slot(&self, start: &[u8]) -> usize {
        let header = &start[..start.len().min(self.cells + 1)];
        let (words, rest) = header.as_chunks::<8>();
        let mut tail = [0; 8];
        tail[..rest.len()].copy_from_slice(rest);
        let mut hash = 0_u64;
        for word in words.iter().chain([&tail]) {
            hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            hash ^= hash >> 32;
        }
        hash as usize % REMEMBERED
    }

    fn parse(&mut self, start: &[u8], slot: usize) -> Result<(), Unread> {
        let short = Unread::Damaged("the header of a record is cut off");
        let Some((size, mut at)) = varint(start, 0) else { return Err(short) };
        let header = usize::try_from(size).ok().and_then(|size| start.get(..size));
        let Some(header) = header.filter(|header| header.len() >= at) else { return Err(short) };
        let shape = &mut self.shapes[slot];
        shape.header.clear();
        shape.places = [Place::default(); N];
        shape.needed = header.len();
        let mut body = header.len() as u64;
        let mut cell = 0;
        while cell < self.cells && at < header.len() {
            let Some((kind, next)) = varint(header, at) else { return Err(short) };
            let (kind, length) = cell_length(kind)?;
            for (wanted, place) in self.wanted.iter().zip(&mut shape.places) {
                if matches!(wanted, Wanted::Cell { place, .. } if *place == cell) {
                    *place = Place::new(body, kind, length);
                    shape.needed = (body + length) as usize;
                }
            }
            body += length;
            if body > u64::from(u32::MAX) {
                return Err(Unread::Damaged("a record is longer than the format allows"));
            }
            at = next;
            cell += 1;
        }
        for (wanted, place) in self.wanted.iter().zip(&mut shape.places) {
            match wanted {
                Wanted::RowId => place.kind = ROW_ID,
                Wanted::Cell { place, has_default: true } if *place >= cell => {
                    return Err(Unread::Unsupported(
                        "a column with a default was added after rows had been written",
                    ));
                }
                _ => {}
            }
        }
        (shape.end, shape.ends) = (body, at == header.len());
        shape.header.extend_from_slice(&header[..at]);
        Ok(())
    }
}

/// Whether a record that starts so has this shape.
#[inline]
fn matches<const N: usize>(shape: &Shape<N>, start: &[u8], length: u64) -> bool {
    let known = shape.header.as_slice();
    !known.is_empty()
        && start.get(..known.len()).is_some_and(|start| is_same(start, known))
        && (if shape.ends { shape.end == length } else { shape.end <= length })
}

/// Whether two short slices of one length are equal: faster than a call that compares long ones.
#[inline]
fn is_same(a: &[u8], b: &[u8]) -> bool {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    a.iter().zip(b).all(|(a, b)| u64::from_ne_bytes(*a) == u64::from_ne_bytes(*b))
        && a_rest.iter().zip(b_rest).all(|(a, b)| a == b)
}

/// A cell's type, once it is known to fit, and how many bytes the cell takes.
fn cell_length(kind: u64) -> Result<(u32, u64), Unread> {
    const FIXED: [u64; 10] = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];
    let fits = u32::try_from(kind).ok().filter(|kind| *kind < ROW_ID);
    let kind = fits.ok_or(Unread::Damaged("a cell is longer than the format allows"))?;
    match kind {
        0..=9 => Ok((kind, FIXED[kind as usize])),
        10 | 11 => Err(Unread::Damaged("a cell has a type that does not exist")),
        _ => Ok((kind, u64::from(kind - 12) / 2)),
    }
}

/// The variable-length integer at `at`, and where the next thing starts.
#[inline]
pub(super) fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let first = *bytes.get(at)?;
    if first < 0x80 {
        return Some((u64::from(first), at + 1));
    }
    // Row ids of large tables take three or four bytes.
    if let Some([a, b, c, d]) = bytes.get(at..).and_then(<[u8]>::first_chunk).copied()
        && b >= 0x80
    {
        let three = u64::from(a & 0x7f) << 14 | u64::from(b & 0x7f) << 7 | u64::from(c & 0x7f);
        if c < 0x80 {
            return Some((three, at + 3));
        }
        if d < 0x80 {
            return Some((three << 7 | u64::from(d), at + 4));
        }
    }
    long_varint(bytes, at)
}

#[cold]
fn long_varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0;
    for (i, byte) in bytes.get(at..)?.iter().take(9).enumerate() {
        if i == 8 {
            return Some((value << 8 | u64::from(*byte), at + 9));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if *byte < 0x80 {
            return Some((value, at + i + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_take_one_to_nine_bytes() {
        assert_eq!(varint(&[0x7f], 0), Some((127, 1)));
        assert_eq!(varint(&[9, 0x81, 0x00], 1), Some((128, 3)));
        assert_eq!(varint(&[0x81, 0x80, 0x01, 9], 0), Some(((1 << 14) + 1, 3)));
        assert_eq!(varint(&[0x81, 0x80, 0x01], 0), Some(((1 << 14) + 1, 3)));
        assert_eq!(varint(&[0x81, 0x05, 0x83, 0x84], 0), Some(((1 << 7) + 5, 2)));
        assert_eq!(varint(&[0x83, 0x80, 0x81, 0x02, 9], 0), Some(((3 << 21) + (1 << 7) + 2, 4)));
        assert_eq!(varint(&[0x83, 0x80, 0x81, 0x82], 0), None);
        assert_eq!(varint(&[0xff; 9], 0), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0xff; 8], 0), None);
        assert_eq!(varint(&[0x80], 0), None);
        assert_eq!(varint(&[], 0), None);
    }

    #[test]
    fn a_header_that_matches_and_lies_about_the_length_is_refused() {
        let mut decoder = Decoder::new([Wanted::Cell { place: 0, has_default: false }]);
        let record = [2, 6, 0, 0, 0, 0, 0, 0, 0, 5];
        let shape = decoder.shape(&record, 10).unwrap();
        assert_eq!(Record::new(&record, shape, 1).value(0), ValueRef::Integer(5));
        assert!(decoder.shape(&record[..9], 9).is_err());
        assert!(decoder.shape(&record[..2], 2).is_err());
        assert!(decoder.shape(&record, 10).is_ok());
    }
}
