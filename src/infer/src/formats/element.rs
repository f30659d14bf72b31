//! Numbers as containers store them: type, width, byte order; decoded to f64, which holds every float type
//! exactly.

use std::io::Read;

use super::error::{FormatError, Origin};

/// Type of a stored number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F16,
    Bf16,
    F32,
    F64,
}

/// Byte order of stored numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endian {
    Little,
    Big,
}

/// How many numbers are decoded at a time: what a reader holds besides what it keeps.
const CHUNK: usize = 1 << 15;

impl Element {
    /// Bytes of one number.
    pub(super) const fn width(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 | Self::F16 | Self::Bf16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// Appends the numbers in `bytes` (a multiple of the width) to `out`.
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn decode(self, bytes: &[u8], endian: Endian, out: &mut Vec<f64>) {
        match self {
            Self::U8 => out.extend(bytes.iter().map(|&b| f64::from(b))),
            Self::I8 => out.extend(bytes.iter().map(|&b| f64::from(b.cast_signed()))),
            Self::U16 => each(bytes, endian, out, |b| f64::from(u16::from_le_bytes(b))),
            Self::I16 => each(bytes, endian, out, |b| f64::from(i16::from_le_bytes(b))),
            Self::F16 => each(bytes, endian, out, |b| half::f16::from_le_bytes(b).to_f64()),
            Self::Bf16 => each(bytes, endian, out, |b| half::bf16::from_le_bytes(b).to_f64()),
            Self::U32 => each(bytes, endian, out, |b| f64::from(u32::from_le_bytes(b))),
            Self::I32 => each(bytes, endian, out, |b| f64::from(i32::from_le_bytes(b))),
            Self::F32 => each(bytes, endian, out, |b| f64::from(f32::from_le_bytes(b))),
            Self::U64 => each(bytes, endian, out, |b| u64::from_le_bytes(b) as f64),
            Self::I64 => each(bytes, endian, out, |b| i64::from_le_bytes(b) as f64),
            Self::F64 => each(bytes, endian, out, f64::from_le_bytes),
        }
    }
}

fn each<const N: usize>(
    bytes: &[u8],
    endian: Endian,
    out: &mut Vec<f64>,
    read: impl Fn([u8; N]) -> f64,
) {
    let words = bytes.as_chunks::<N>().0.iter();
    match endian {
        Endian::Little => out.extend(words.map(|&w| read(w))),
        Endian::Big => out.extend(words.map(|&w| {
            let mut turned = w;
            turned.reverse();
            read(turned)
        })),
    }
}

/// Where decoded numbers go; `true` while more are wanted.
pub(super) type Sink<'a> = &'a mut dyn FnMut(&[f64]) -> bool;

/// Decodes `count` numbers from a stream, a chunk at a time, until the sink has enough.
pub(super) fn stream(
    source: &mut dyn Read,
    count: u64,
    (element, endian): (Element, Endian),
    (origin, part): (Origin<'_>, &str),
    sink: Sink<'_>,
) -> Result<(), FormatError> {
    let mut bytes = vec![0; CHUNK * element.width()];
    let mut values = Vec::with_capacity(CHUNK);
    let mut left = count;
    while left > 0 {
        let now = usize::try_from(left).map_or(CHUNK, |l| l.min(CHUNK));
        let bytes = &mut bytes[..now * element.width()];
        source.read_exact(bytes).map_err(|e| origin.reading(part, e))?;
        values.clear();
        element.decode(bytes, endian, &mut values);
        if !sink(&values) {
            return Ok(());
        }
        left -= now as u64;
    }
    Ok(())
}

/// Whether `count` numbers of `width` bytes can be in a file of `length` bytes; `packed` where they are
/// deflated, which shrinks to a 1032nd at the most.
pub(super) fn fits(count: u64, width: usize, length: u64, packed: bool) -> bool {
    let room = if packed { length.saturating_mul(1032) } else { length };
    count.checked_mul(width as u64).is_some_and(|bytes| bytes <= room)
}

/// The product of extents, if it does not overflow.
pub(super) fn product(extents: &[u64]) -> Option<u64> {
    extents.iter().try_fold(1_u64, |product, &extent| product.checked_mul(extent))
}
