//! Which document of this program is this JSON? Answered by the `schema` key of the outermost object.
//!
//! Keys may stand in any order (other programs sort them) and the same key may stand deeper inside, as in a
//! list of analyses; so the text is walked with its depth, but nothing is built of it. The walk ends at the
//! key, at one that only other programs write (`traceEvents`), or after [`MOST`] bytes.

use std::io::{self, Read};

/// Bytes after which no `schema` is expected any more: what is larger cannot be read whole anyway.
const MOST: u64 = 1 << 30;
/// Bytes of a key or an id that are kept.
const KEPT: usize = 80;
/// A key of Chrome traces, which may be of any size.
const OTHERS: &[u8] = b"traceEvents";

/// The id behind the outermost `schema` key, if it is one of this program.
///
/// # Errors
/// When the text cannot be read.
pub(super) fn schema(text: impl Read) -> io::Result<Option<String>> {
    let mut text = text.take(MOST);
    let mut walk = Walk::default();
    let mut block = vec![0; 1 << 18];
    loop {
        let count = match text.read(&mut block) {
            Ok(0) => return Ok(None),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        for byte in &block[..count] {
            if let Some(found) = walk.step(*byte) {
                return Ok(found);
            }
        }
    }
}

/// Where the walk is.
#[derive(Default)]
struct Walk {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// Whether the next string of the outermost object is a value.
    in_value: bool,
    /// The string that is being read there, as far as it matters.
    string: Vec<u8>,
    /// Whether the value of `schema` follows.
    wanted: bool,
}

impl Walk {
    /// Takes a byte; something when the answer is known.
    fn step(&mut self, byte: u8) -> Option<Option<String>> {
        if self.in_string {
            return self.step_in_string(byte);
        }
        match byte {
            b'"' => {
                self.in_string = true;
                self.string.clear();
            }
            // A list is nothing of this program.
            b'[' if self.depth == 0 => return Some(None),
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    return Some(None);
                }
            }
            b':' if self.depth == 1 => self.in_value = true,
            b',' if self.depth == 1 => (self.in_value, self.wanted) = (false, false),
            _ => {}
        }
        None
    }

    fn step_in_string(&mut self, byte: u8) -> Option<Option<String>> {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => {
                self.in_string = false;
                return if self.depth == 1 { self.outermost() } else { None };
            }
            _ => {}
        }
        if self.depth == 1 && self.string.len() < KEPT {
            self.string.push(byte);
        }
        None
    }

    /// A string of the outermost object has ended.
    fn outermost(&mut self) -> Option<Option<String>> {
        if !self.in_value {
            self.wanted = self.string == b"schema";
            return (self.string == OTHERS).then_some(None);
        }
        if !self.wanted {
            return None;
        }
        let id = String::from_utf8_lossy(&self.string).into_owned();
        Some(id.starts_with("nsys-attrib/").then_some(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<String> {
        schema(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_outermost_key_counts_wherever_it_stands() {
        let id = Some("nsys-attrib/analyses/1".to_owned());
        assert_eq!(found(r#"{"schema": "nsys-attrib/analyses/1", "x": 1}"#), id);
        let inner = r#"{"schema": "nsys-attrib/analysis/1", "name": "a\"}]{:,schema"}"#;
        assert_eq!(
            found(&format!(r#"{{"analyses":[{inner}],"schema":"nsys-attrib/analyses/1"}}"#)),
            id
        );
        let far = "0,".repeat(1 << 20);
        assert_eq!(found(&format!(r#"{{"a":[{far}0],"schema" : "nsys-attrib/analyses/1"}}"#)), id);
    }

    #[test]
    fn others_are_not_ours_and_are_not_read_to_their_end() {
        assert_eq!(found(r#"{"schema": "other/1"}"#), None);
        assert_eq!(found(r#"{"a": "schema", "b": "nsys-attrib/analysis/1"}"#), None);
        assert_eq!(found(r#"{"a": {"schema": "nsys-attrib/analysis/1"}}"#), None);
        assert_eq!(found("{"), None);
        // It would never end.
        let chrome =
            br#"{"displayTimeUnit":"ns","traceEvents":["#.as_slice().chain(io::repeat(b'0'));
        assert_eq!(schema(chrome).unwrap(), None);
    }
}
