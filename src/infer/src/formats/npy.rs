//! NumPy's .npy: a magic, a Python dictionary of three keys, then the numbers.
//!
//! Own reader, because the header's length and the product of the shape come from the file and must not be
//! trusted: both are bounded here before anything is allocated. Format: numpy.lib.format, versions 1 to 3.

use std::io::{Read, Write};

use super::Array;
use super::element::{Element, Endian, fits, product};
use super::error::{FormatError, Origin};

/// First bytes of every .npy file.
pub(super) const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// Headers are a hundred bytes; a megabyte is no header.
const LONGEST_HEADER: usize = 1 << 20;

/// What stands before the numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) element: Element,
    pub(super) endian: Endian,
    /// Column-major instead of row-major.
    pub(super) fortran: bool,
    pub(super) shape: Vec<u64>,
    /// Product of the shape.
    pub(super) count: u64,
}

/// Reads the header; `length` is what the container holds, `packed` whether deflated.
pub(super) fn header(
    source: &mut dyn Read,
    (origin, part): (Origin<'_>, &str),
    length: u64,
    packed: bool,
) -> Result<Header, FormatError> {
    let mut start = [0; 8];
    source.read_exact(&mut start).map_err(|e| origin.reading(part, e))?;
    if &start[..6] != MAGIC {
        return Err(origin.malformed(part, "does not begin like a .npy file"));
    }
    let size = match start[6] {
        1 => read_array::<2>(source).map(|b| usize::from(u16::from_le_bytes(b))),
        2 | 3 => read_array::<4>(source).map(|b| u32::from_le_bytes(b) as usize),
        other => {
            return Err(origin.unsupported(part, format!("version {other} of .npy is not known")));
        }
    };
    let size = size.map_err(|e| origin.reading(part, e))?;
    if size > LONGEST_HEADER {
        return Err(origin.malformed(part, format!("its header claims {size} bytes")));
    }
    let mut text = vec![0; size];
    source.read_exact(&mut text).map_err(|e| origin.reading(part, e))?;
    let text = String::from_utf8_lossy(&text);
    let header = parse(&text).map_err(|reason| origin.malformed(part, reason))?;
    if !fits(header.count, header.element.width(), length, packed) {
        return Err(
            origin.malformed(part, format!("shape {:?} is larger than the file", header.shape))
        );
    }
    Ok(header)
}

fn read_array<const N: usize>(source: &mut dyn Read) -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    source.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`
fn parse(text: &str) -> Result<Header, String> {
    let value = |key: &str| {
        let at = [format!("'{key}'"), format!("\"{key}\"")]
            .iter()
            .find_map(|k| Some(text.find(k.as_str())? + k.len()));
        let rest = text[at.ok_or_else(|| format!("its header has no `{key}`"))?..].trim_start();
        Ok::<_, String>(
            rest.strip_prefix(':').ok_or_else(|| format!("`{key}` has no value"))?.trim_start(),
        )
    };
    let (element, endian) = descr(value("descr")?)?;
    let order = value("fortran_order")?;
    let fortran = order.starts_with("True");
    if !fortran && !order.starts_with("False") {
        return Err("`fortran_order` is neither True nor False".to_owned());
    }
    let shape = shape(value("shape")?)?;
    let count = product(&shape).ok_or_else(|| format!("shape {shape:?} is too large"))?;
    Ok(Header { element, endian, fortran, shape, count })
}

fn descr(text: &str) -> Result<(Element, Endian), String> {
    let quote = text.chars().next().filter(|c| *c == '\'' || *c == '"');
    let name = quote.and_then(|q| text[1..].split(q).next());
    let name = name.ok_or("its elements are records; only plain numbers are read")?;
    let (endian, kind) = match name.as_bytes().first() {
        Some(b'>') => (Endian::Big, &name[1..]),
        Some(b'<' | b'=' | b'|') => (Endian::Little, &name[1..]),
        _ => (Endian::Little, name),
    };
    let element = match kind {
        "f2" => Element::F16,
        "f4" => Element::F32,
        "f8" => Element::F64,
        "i1" => Element::I8,
        "i2" => Element::I16,
        "i4" => Element::I32,
        "i8" => Element::I64,
        "u1" | "b1" => Element::U8,
        "u2" => Element::U16,
        "u4" => Element::U32,
        "u8" => Element::U64,
        _ => return Err(format!("elements of type `{name}` are not read; save them as float32")),
    };
    Ok((element, endian))
}

fn shape(text: &str) -> Result<Vec<u64>, String> {
    let inside = text.strip_prefix('(').and_then(|t| t.split_once(')'));
    let (inside, _) = inside.ok_or("`shape` is not a tuple")?;
    let extents = inside.split(',').map(str::trim).filter(|t| !t.is_empty());
    let shape: Vec<u64> = extents
        .map(|t| {
            t.trim_end_matches('L')
                .parse()
                .map_err(|_| format!("extent `{t}` in `shape` is not a number"))
        })
        .collect::<Result<_, _>>()?;
    if shape.len() > 32 {
        return Err(format!("it has {} axes", shape.len()));
    }
    Ok(shape)
}

/// Writes an array as version 1.0, little-endian F32.
pub(super) fn write(target: &mut dyn Write, array: &Array<f32>) -> std::io::Result<()> {
    let extents: Vec<String> = array.shape.iter().map(|e| format!("{e},")).collect();
    let shape = format!(
        "({})",
        extents.join(" ").trim_end_matches(if extents.len() > 1 { "," } else { "" })
    );
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    // The numbers begin at a multiple of 64.
    while !(MAGIC.len() + 4 + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let size = u16::try_from(header.len()).map_err(|_| std::io::Error::other("too many axes"))?;
    target.write_all(MAGIC)?;
    target.write_all(&[1, 0])?;
    target.write_all(&size.to_le_bytes())?;
    target.write_all(header.as_bytes())?;
    for block in array.values.chunks(1 << 14) {
        let bytes: Vec<u8> = block.iter().flat_map(|v| v.to_le_bytes()).collect();
        target.write_all(&bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Element, Endian, header, parse, write};
    use crate::formats::Array;
    use crate::formats::error::Origin;
    use std::path::Path;

    #[test]
    fn headers_of_numpy_are_read() {
        let h = parse("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4, 5), }").unwrap();
        assert_eq!((h.element, h.fortran, h.shape), (Element::F64, false, vec![3, 4, 5]));
        let h = parse("{'descr': '>f4', 'fortran_order': True, 'shape': (7,), }").unwrap();
        assert_eq!((h.endian, h.fortran, h.count), (Endian::Big, true, 7));
        assert_eq!(
            parse("{'descr': '|u1', 'fortran_order': False, 'shape': ()}").unwrap().count,
            1
        );
        let record = parse("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}");
        assert!(record.unwrap_err().contains("records"));
        assert!(
            parse("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}")
                .is_err()
        );
        assert!(parse("{}").unwrap_err().contains("no `descr`"));
    }

    #[test]
    fn what_is_written_has_its_own_shape_and_starts_aligned() {
        for shape in [vec![], vec![3], vec![2, 3]] {
            let count = shape.iter().product();
            let array = Array { shape, values: vec![1.5; count] };
            let mut bytes = Vec::new();
            write(&mut bytes, &array).unwrap();
            assert!((bytes.len() - 4 * count).is_multiple_of(64));
            let read =
                header(&mut &bytes[..], (Origin(Path::new("x")), "x"), bytes.len() as u64, false)
                    .unwrap();
            assert_eq!(read.shape, array.shape.iter().map(|&e| e as u64).collect::<Vec<_>>());
        }
    }
}
