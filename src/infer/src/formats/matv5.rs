//! MATLAB's MAT files of versions 5 to 7.2, as `save` and scipy.io.savemat write them.
//!
//! A 128-byte header, then elements: a tag (type, size) and a body; a variable is a matrix element (type 14)
//! or that deflated (type 15); inside it flags, extents, name, numbers. Numbers may be stored in a narrower
//! type than the variable's class and are in column-major order: (sample, height, width) has the sample
//! fastest. Variables that are not fields (structures, cells, text) are passed over unread.
//! Own reader: files of gigabytes are streamed, which no crate does.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::ZlibDecoder;

use super::Array;
use super::element::{Element, Endian, fits, product, stream};
use super::error::{FormatError, Origin};
use super::fields::{begin, pick};
use super::gather::Selection;

const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;
const LONGEST_NAME: usize = 4096;
const MOST_AXES: usize = 32;

/// A variable and where it is.
struct Variable {
    name: String,
    shape: Vec<u64>,
    /// Of numbers, and real.
    numeric: bool,
    /// Where its element begins.
    at: u64,
}

/// The start of an element.
struct Tag {
    kind: u32,
    size: u32,
    /// The body where it is packed into the tag.
    small: Option<[u8; 4]>,
}

struct Reader<'a> {
    origin: Origin<'a>,
    file: BufReader<File>,
    endian: Endian,
    length: u64,
}

/// Reads the first of the `wanted` variables, or the only numeric one.
pub(super) fn read_fields(
    path: &Path,
    wanted: &[&str],
    selection: &Selection,
) -> Result<Array<f32>, FormatError> {
    let mut reader = Reader::open(path)?;
    let all = reader.variables()?;
    let numeric: Vec<String> =
        all.iter().filter(|v| v.numeric && v.shape.len() > 2).map(|v| v.name.clone()).collect();
    let names: Vec<String> = all.iter().map(|v| v.name.clone()).collect();
    let name = pick(wanted, &numeric).ok_or_else(|| reader.origin.missing(wanted, &names))?;
    let variable = all.iter().find(|v| v.name == name && v.numeric);
    let variable = variable.ok_or_else(|| reader.origin.missing(wanted, &names))?;
    reader.numbers(variable, selection)
}

impl<'a> Reader<'a> {
    fn open(path: &'a Path) -> Result<Self, FormatError> {
        let origin = Origin(path);
        let file = File::open(path).map_err(|e| origin.io(e))?;
        let length = file.metadata().map_err(|e| origin.io(e))?.len();
        let mut file = BufReader::with_capacity(1 << 18, file);
        let mut header = [0; 128];
        file.read_exact(&mut header).map_err(|e| origin.reading("header", e))?;
        let endian = match &header[126..] {
            b"IM" => Endian::Little,
            b"MI" => Endian::Big,
            _ => return Err(origin.malformed("header", "has no byte-order mark")),
        };
        Ok(Self { origin, file, endian, length })
    }

    /// Passes over the file once and notes its variables.
    fn variables(&mut self) -> Result<Vec<Variable>, FormatError> {
        let mut found = Vec::new();
        let mut at = 128;
        while at + 8 <= self.length {
            let (tag, body) = self.element(at)?;
            if tag.kind == MATRIX || tag.kind == COMPRESSED {
                let (endian, origin, part) =
                    (self.endian, self.origin, format!("element at byte {at}"));
                let name =
                    self.with_body(&tag, |source| Matrix { source, endian, origin, part }.head())?;
                found.extend(name.map(|(name, shape, numeric)| Variable {
                    name,
                    shape,
                    numeric,
                    at,
                }));
            }
            // Deflated elements are not padded, the others to eight bytes.
            let size = u64::from(tag.size);
            at = body + if tag.kind == COMPRESSED { size } else { size.next_multiple_of(8) };
        }
        Ok(found)
    }

    /// The tag at a byte, and where its body begins; the file stands there afterwards.
    fn element(&mut self, at: u64) -> Result<(Tag, u64), FormatError> {
        let part = format!("element at byte {at}");
        self.file.seek(SeekFrom::Start(at)).map_err(|e| self.origin.io(e))?;
        let tag = tag(&mut self.file, self.endian).map_err(|e| self.origin.reading(&part, e))?;
        let body = at + if tag.small.is_some() { 4 } else { 8 };
        if body + u64::from(tag.size) > self.length {
            let reason = format!("claims {} bytes, more than the file has left", tag.size);
            return Err(self.origin.malformed(part, reason));
        }
        Ok((tag, body))
    }

    /// Gives the body of a matrix element to `read`, inflated if need be.
    fn with_body<T>(
        &mut self,
        outer: &Tag,
        read: impl FnOnce(&mut dyn Read) -> Result<T, FormatError>,
    ) -> Result<T, FormatError> {
        let body = (&mut self.file).take(u64::from(outer.size));
        if outer.kind == MATRIX {
            return read(&mut { body });
        }
        let mut inflated = ZlibDecoder::new(body);
        let part = "deflated element";
        let inner = tag(&mut inflated, self.endian).map_err(|e| self.origin.reading(part, e))?;
        if inner.kind != MATRIX {
            return Err(self.origin.malformed(
                part,
                format!("holds an element of type {}, not a matrix", inner.kind),
            ));
        }
        read(&mut inflated)
    }

    /// The kept numbers of a variable.
    fn numbers(
        &mut self,
        variable: &Variable,
        selection: &Selection,
    ) -> Result<Array<f32>, FormatError> {
        let (outer, _) = self.element(variable.at)?;
        let (endian, origin, part) =
            (self.endian, self.origin, format!("variable `{}`", variable.name));
        let count = product(&variable.shape).unwrap_or(u64::MAX);
        let packed = outer.kind == COMPRESSED;
        if !fits(count, 1, u64::from(outer.size), packed) {
            let reason = format!("shape {:?} is larger than the file", variable.shape);
            return Err(origin.malformed(part, reason));
        }
        let mut gather = begin(origin, &part, &variable.shape, true, selection)?;
        self.with_body(&outer, |source| {
            let mut matrix = Matrix { source, endian, origin, part: part.clone() };
            matrix.head()?;
            let tag = tag(matrix.source, endian).map_err(|e| origin.reading(&part, e))?;
            let element = element(tag.kind).ok_or_else(|| {
                origin.malformed(&*part, format!("numbers of type {} are not known", tag.kind))
            })?;
            if u64::from(tag.size) != count * element.width() as u64 {
                let reason =
                    format!("{} bytes of numbers for shape {:?}", tag.size, variable.shape);
                return Err(origin.malformed(&*part, reason));
            }
            let mut small = tag.small.as_ref().map(|s| &s[..]);
            let source: &mut dyn Read = match &mut small {
                Some(bytes) => bytes,
                None => matrix.source,
            };
            stream(source, count, (element, endian), (origin, &part), &mut |n| gather.push(n))
        })?;
        Ok(gather.finish())
    }
}

/// The body of a matrix element.
struct Matrix<'a> {
    source: &'a mut dyn Read,
    endian: Endian,
    origin: Origin<'a>,
    part: String,
}

impl Matrix<'_> {
    /// Name, shape, and whether it holds real numbers; nothing for what has no such head.
    fn head(&mut self) -> Result<Option<(String, Vec<u64>, bool)>, FormatError> {
        let flags = self.small_element(64, "flags")?;
        let Some(&word) = flags.first_chunk() else {
            return Err(self.origin.malformed(&*self.part, "has no flags"));
        };
        let word = word_of(word, self.endian);
        let class = word & 0xff;
        // 1 cell, 2 structure, 3 object, 4 text, 5 sparse, 6 to 15 numbers; above that the layout differs.
        if !(1..=15).contains(&class) {
            return Ok(None);
        }
        let extents = self.small_element(4 * MOST_AXES, "extents")?;
        let shape =
            extents.as_chunks().0.iter().map(|&w| u64::from(word_of(w, self.endian))).collect();
        let name = self.small_element(LONGEST_NAME, "name")?;
        let complex = word & 0x0800 != 0;
        Ok(Some((
            String::from_utf8_lossy(&name).trim_end_matches('\0').to_owned(),
            shape,
            class >= 6 && !complex,
        )))
    }

    /// A short element, padding included in what is read.
    fn small_element(&mut self, most: usize, what: &str) -> Result<Vec<u8>, FormatError> {
        let error = |e| self.origin.reading(&format!("{}, {what}", self.part), e);
        let tag = tag(self.source, self.endian).map_err(error)?;
        if let Some(small) = tag.small {
            return Ok(small[..tag.size as usize].to_vec());
        }
        let size = tag.size as usize;
        if size > most {
            return Err(self
                .origin
                .malformed(&*self.part, format!("its {what} claim {size} bytes")));
        }
        let mut bytes = vec![0; size.next_multiple_of(8)];
        self.source.read_exact(&mut bytes).map_err(error)?;
        bytes.truncate(size);
        Ok(bytes)
    }
}

/// Type and size; up to four bytes of body may share the tag's eight.
fn tag(source: &mut dyn Read, endian: Endian) -> std::io::Result<Tag> {
    let mut word = [0; 4];
    source.read_exact(&mut word)?;
    let first = word_of(word, endian);
    let mut rest = [0; 4];
    source.read_exact(&mut rest)?;
    let small_size = first >> 16;
    if small_size == 0 {
        return Ok(Tag { kind: first, size: word_of(rest, endian), small: None });
    }
    if small_size > 4 {
        return Err(std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            format!("a tag claims {small_size} bytes within itself"),
        ));
    }
    Ok(Tag { kind: first & 0xffff, size: small_size, small: Some(rest) })
}

fn word_of(bytes: [u8; 4], endian: Endian) -> u32 {
    match endian {
        Endian::Little => u32::from_le_bytes(bytes),
        Endian::Big => u32::from_be_bytes(bytes),
    }
}

fn element(kind: u32) -> Option<Element> {
    Some(match kind {
        1 => Element::I8,
        2 => Element::U8,
        3 => Element::I16,
        4 => Element::U16,
        5 => Element::I32,
        6 => Element::U32,
        7 => Element::F32,
        9 => Element::F64,
        12 => Element::I64,
        13 => Element::U64,
        _ => return None,
    })
}
