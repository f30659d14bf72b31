//! What does a pickle describe? The opcodes of Python's pickle protocols 0 to 5 are followed without ever
//! importing or calling anything: a class is its name, a call is the name of the function and its arguments.
//!
//! Nodes live in one arena and refer to each other by index, so that shared and circular references are
//! what they are. Every opcode makes at most a few nodes: memory is bounded by the length of the file.

use std::collections::BTreeMap;

/// Index of a node in its [`Pickle`].
pub(super) type Id = usize;

/// One object.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes,
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// A class or function: module and name.
    Global(String, String),
    /// A call or an instance.
    Object(Object),
    /// What the file keeps outside the pickle: torch's storages.
    Persistent(Id),
}

/// The result of calling `class` with `arguments`, and what was put into it afterwards.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Object {
    pub(super) class: Id,
    pub(super) arguments: Id,
    pub(super) state: Option<Id>,
    pub(super) items: Vec<(Id, Id)>,
}

/// All objects of a pickle.
#[derive(Debug)]
pub(super) struct Pickle {
    nodes: Vec<Node>,
    root: Id,
}

impl Pickle {
    /// Follows a pickle to its end.
    ///
    /// # Errors
    /// The byte at which it makes no sense, and why.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut machine = Machine {
            bytes,
            at: 0,
            nodes: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: BTreeMap::new(),
        };
        loop {
            let start = machine.at;
            match machine.step() {
                Ok(false) => {}
                Ok(true) => {
                    let root = machine.pop().map_err(|e| format!("byte {start}: {e}"))?;
                    return Ok(Self { nodes: machine.nodes, root });
                }
                Err(reason) => return Err(format!("byte {start}: {reason}")),
            }
        }
    }

    pub(super) fn root(&self) -> Id {
        self.root
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        self.nodes.get(id).unwrap_or(&Node::None)
    }

    pub(super) fn text(&self, id: Id) -> Option<&str> {
        if let Node::Text(text) = self.node(id) { Some(text) } else { None }
    }

    pub(super) fn int(&self, id: Id) -> Option<i64> {
        if let Node::Int(value) = self.node(id) { Some(*value) } else { None }
    }

    pub(super) fn tuple(&self, id: Id) -> Option<&[Id]> {
        if let Node::Tuple(items) = self.node(id) { Some(items) } else { None }
    }

    pub(super) fn global(&self, id: Id) -> Option<(&str, &str)> {
        if let Node::Global(module, name) = self.node(id) { Some((module, name)) } else { None }
    }

    /// Entries of a dictionary, of an OrderedDict too.
    pub(super) fn entries(&self, id: Id) -> Option<&[(Id, Id)]> {
        match self.node(id) {
            Node::Dict(items) => Some(items),
            Node::Object(object)
                if self.global(object.class) == Some(("collections", "OrderedDict")) =>
            {
                Some(&object.items)
            }
            _ => None,
        }
    }

    /// The value of a text key; the last one, as in Python.
    pub(super) fn get(&self, id: Id, key: &str) -> Option<Id> {
        self.entries(id)?.iter().rev().find(|(k, _)| self.text(*k) == Some(key)).map(|(_, v)| *v)
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    stack: Vec<Id>,
    /// Heights of the stack at the open marks.
    marks: Vec<usize>,
    memo: BTreeMap<u64, Id>,
}

type Step<T> = Result<T, String>;

impl<'a> Machine<'a> {
    fn take(&mut self, count: usize) -> Step<&'a [u8]> {
        let end = self.at.checked_add(count).filter(|&e| e <= self.bytes.len());
        let taken = &self.bytes[self.at..end.ok_or("the pickle ends here")?];
        self.at += count;
        Ok(taken)
    }

    fn byte(&mut self) -> Step<u8> {
        Ok(self.take(1)?[0])
    }

    /// A little-endian number of up to eight bytes.
    fn number(&mut self, width: usize) -> Step<u64> {
        Ok(self.take(width)?.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)))
    }

    /// Bytes whose length stands before them.
    fn counted(&mut self, width: usize) -> Step<&'a [u8]> {
        let length = self.number(width)?;
        self.take(usize::try_from(length).map_err(|e| e.to_string())?)
    }

    fn line(&mut self) -> Step<&'a str> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|&b| b == b'\n').ok_or("a line does not end")?;
        self.at += end + 1;
        std::str::from_utf8(&rest[..end]).map_err(|e| e.to_string())
    }

    fn push(&mut self, node: Node) {
        self.nodes.push(node);
        self.stack.push(self.nodes.len() - 1);
    }

    fn text(&mut self, bytes: &[u8]) {
        self.push(Node::Text(String::from_utf8_lossy(bytes).into_owned()));
    }

    fn pop(&mut self) -> Step<Id> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err("nothing to take from the stack".to_owned());
        }
        self.stack.pop().ok_or_else(|| "the stack is empty".to_owned())
    }

    fn top(&self) -> Step<Id> {
        self.stack.last().copied().ok_or_else(|| "the stack is empty".to_owned())
    }

    fn since_mark(&mut self) -> Step<Vec<Id>> {
        let mark = self.marks.pop().ok_or("no mark")?;
        if mark > self.stack.len() {
            return Err("a mark above the stack".to_owned());
        }
        Ok(self.stack.split_off(mark))
    }

    fn remember(&mut self, key: u64) -> Step<()> {
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, key: u64) -> Step<()> {
        let id = *self.memo.get(&key).ok_or_else(|| format!("memo {key} was never set"))?;
        self.stack.push(id);
        Ok(())
    }

    /// One opcode; `true` at the end.
    fn step(&mut self) -> Step<bool> {
        let opcode = self.byte()?;
        match opcode {
            b'.' => return Ok(true),
            0x80 => drop(self.take(1)?),
            0x95 => drop(self.take(8)?),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.since_mark()?),
            b'2' => self.stack.push(self.top()?),
            b'q' | b'r' | b'p' | 0x94 | b'h' | b'j' | b'g' => self.memo(opcode)?,
            b'N' | 0x88 | 0x89 | b'K' | b'M' | b'J' | 0x8a | 0x8b | b'I' | b'L' | b'F' | b'G' => {
                let value = self.scalar(opcode)?;
                self.push(value);
            }
            b'X' | 0x8c | 0x8d | b'V' | b'S' | b'U' | b'T' | b'B' | b'C' | 0x8e | 0x96 => {
                self.string(opcode)?;
            }
            b')' | b't' | 0x85..=0x87 | b']' | b'l' | b'}' | b'd' | 0x8f | 0x91 => {
                self.collection(opcode)?;
            }
            b'a' | b'e' | b's' | b'u' | 0x90 => self.fill(opcode)?,
            b'c' | 0x93 | b'R' | 0x81 | 0x92 | b'o' | b'i' | b'b' | b'Q' | b'P' => {
                self.object(opcode)?;
            }
            other => return Err(format!("opcode {other:#04x} is not known")),
        }
        Ok(false)
    }

    fn memo(&mut self, opcode: u8) -> Step<()> {
        match opcode {
            b'q' => self.byte().and_then(|k| self.remember(u64::from(k))),
            b'r' => self.number(4).and_then(|k| self.remember(k)),
            b'p' => self.index().and_then(|k| self.remember(k)),
            b'h' => self.byte().and_then(|k| self.recall(u64::from(k))),
            b'j' => self.number(4).and_then(|k| self.recall(k)),
            b'g' => self.index().and_then(|k| self.recall(k)),
            _ => self.remember(self.memo.len() as u64),
        }
    }

    fn index(&mut self) -> Step<u64> {
        self.line()?.parse().map_err(|_| "a memo index is not a number".to_owned())
    }

    #[allow(clippy::cast_possible_truncation)]
    fn scalar(&mut self, opcode: u8) -> Step<Node> {
        Ok(match opcode {
            b'N' => Node::None,
            0x88 => Node::Bool(true),
            0x89 => Node::Bool(false),
            b'K' => Node::Int(i64::from(self.byte()?)),
            b'M' => Node::Int(self.number(2)?.cast_signed()),
            b'J' => Node::Int(i64::from((self.number(4)? as u32).cast_signed())),
            0x8a => long(self.counted(1)?),
            0x8b => long(self.counted(4)?),
            b'I' => match self.line()? {
                "00" => Node::Bool(false),
                "01" => Node::Bool(true),
                text => Node::Int(text.trim().parse().map_err(|_| "not an integer")?),
            },
            b'L' => {
                Node::Int(self.line()?.trim_end_matches('L').parse().map_err(|_| "not an integer")?)
            }
            b'F' => Node::Float(self.line()?.trim().parse().map_err(|_| "not a number")?),
            _ => Node::Float(f64::from_bits(self.number(8)?.swap_bytes())),
        })
    }

    fn string(&mut self, opcode: u8) -> Step<()> {
        match opcode {
            b'X' => self.counted(4).map(|b| self.text(b)),
            0x8c => self.counted(1).map(|b| self.text(b)),
            0x8d => self.counted(8).map(|b| self.text(b)),
            b'V' => self.line().map(|t| self.text(t.as_bytes())),
            b'S' => self.line().map(|t| self.text(t.trim_matches(['\'', '"']).as_bytes())),
            b'U' => self.counted(1).map(|b| self.text(b)),
            b'T' => self.counted(4).map(|b| self.text(b)),
            b'C' => self.counted(1).map(|_| self.push(Node::Bytes)),
            b'B' => self.counted(4).map(|_| self.push(Node::Bytes)),
            _ => self.counted(8).map(|_| self.push(Node::Bytes)),
        }
    }

    fn collection(&mut self, opcode: u8) -> Step<()> {
        let node = match opcode {
            b')' => Node::Tuple(Vec::new()),
            b't' => Node::Tuple(self.since_mark()?),
            0x85..=0x87 => {
                let mut items = (0x84..opcode).map(|_| self.pop()).collect::<Step<Vec<Id>>>()?;
                items.reverse();
                Node::Tuple(items)
            }
            b'}' => Node::Dict(Vec::new()),
            b'd' => {
                let items = self.since_mark()?;
                Node::Dict(items.as_chunks().0.iter().map(|&[k, v]| (k, v)).collect())
            }
            b']' | 0x8f => Node::List(Vec::new()),
            _ => Node::List(self.since_mark()?), // list, frozen set
        };
        self.push(node);
        Ok(())
    }

    /// Puts what is on the stack into the object below it.
    fn fill(&mut self, opcode: u8) -> Step<()> {
        let values = match opcode {
            b'a' => vec![self.pop()?],
            b's' => {
                let value = self.pop()?;
                vec![self.pop()?, value]
            }
            _ => self.since_mark()?,
        };
        let target = self.top()?;
        let pairs = || values.as_chunks().0.iter().map(|&[k, v]| (k, v));
        match &mut self.nodes[target] {
            Node::List(items) => items.extend(&values),
            Node::Dict(items) => items.extend(pairs()),
            Node::Object(object) if opcode == b's' || opcode == b'u' => {
                object.items.extend(pairs());
            }
            Node::Object(_) => {} // elements of a subclass of list or set: nothing here needs them
            _ => return Err("values are put into what takes none".to_owned()),
        }
        Ok(())
    }

    fn object(&mut self, opcode: u8) -> Step<()> {
        match opcode {
            b'c' => {
                let (module, name) = (self.line()?.to_owned(), self.line()?.to_owned());
                self.push(Node::Global(module, name));
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let word = |id: Id| {
                    if let Node::Text(t) = &self.nodes[id] { Some(t.clone()) } else { None }
                };
                let global = word(module).zip(word(name)).ok_or("a class without a name")?;
                self.push(Node::Global(global.0, global.1));
            }
            b'R' | 0x81 => {
                let (arguments, class) = (self.pop()?, self.pop()?);
                self.push(Node::Object(Object {
                    class,
                    arguments,
                    state: None,
                    items: Vec::new(),
                }));
            }
            0x92 => {
                let (_, arguments, class) = (self.pop()?, self.pop()?, self.pop()?);
                self.push(Node::Object(Object {
                    class,
                    arguments,
                    state: None,
                    items: Vec::new(),
                }));
            }
            b'o' | b'i' => self.old_instance(opcode)?,
            b'b' => {
                let state = self.pop()?;
                let target = self.top()?;
                if let Node::Object(object) = &mut self.nodes[target] {
                    object.state = Some(state);
                }
            }
            b'Q' => {
                let id = self.pop()?;
                self.push(Node::Persistent(id));
            }
            _ => {
                let text = self.line()?;
                self.nodes.push(Node::Text(text.to_owned()));
                let id = self.nodes.len() - 1;
                self.push(Node::Persistent(id));
            }
        }
        Ok(())
    }

    /// Instances of protocol 0 and 1: class and arguments after a mark.
    fn old_instance(&mut self, opcode: u8) -> Step<()> {
        let mut items = self.since_mark()?;
        let class = if opcode == b'i' {
            let (module, name) = (self.line()?.to_owned(), self.line()?.to_owned());
            self.nodes.push(Node::Global(module, name));
            self.nodes.len() - 1
        } else if items.is_empty() {
            return Err("an instance without a class".to_owned());
        } else {
            items.remove(0)
        };
        self.nodes.push(Node::Tuple(items));
        let arguments = self.nodes.len() - 1;
        self.push(Node::Object(Object { class, arguments, state: None, items: Vec::new() }));
        Ok(())
    }
}

/// Two's complement of any length; what no i64 holds becomes a float, as nothing here needs it exactly.
#[allow(clippy::cast_precision_loss)]
fn long(bytes: &[u8]) -> Node {
    let negative = bytes.last().is_some_and(|b| b & 0x80 != 0);
    if bytes.len() > 8 {
        return Node::Float(if negative { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    let start = if negative { u64::MAX } else { 0 };
    Node::Int(bytes.iter().rev().fold(start, |n, &b| n << 8 | u64::from(b)).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::{Node, Pickle};
    use proptest::prelude::*;

    /// `pickle.dumps({"a": (1, -2, 2.5), "b": [None, True]}, protocol)` of Python 3.11.
    #[test]
    fn protocols_describe_the_same() {
        let zero = b"(dp0\nVa\np1\n(I1\nI-2\nF2.5\ntp2\nsVb\np3\n(lp4\nNaI01\nas.";
        let two = b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01K\x01J\xfe\xff\xff\xffG@\x04\x00\x00\x00\x00\x00\x00\x87q\x02X\x01\x00\x00\x00bq\x03]q\x04(N\x88eu.";
        let four = b"\x80\x04\x95(\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94K\x01J\xfe\xff\xff\xffG@\x04\x00\x00\x00\x00\x00\x00\x87\x94\x8c\x01b\x94]\x94(N\x88eu.";
        for bytes in [&zero[..], two, four] {
            let pickle = Pickle::parse(bytes).unwrap();
            let a = pickle.tuple(pickle.get(pickle.root(), "a").unwrap()).unwrap();
            assert_eq!((pickle.int(a[0]), pickle.int(a[1])), (Some(1), Some(-2)));
            assert_eq!(pickle.node(a[2]), &Node::Float(2.5));
            let Node::List(b) = pickle.node(pickle.get(pickle.root(), "b").unwrap()) else {
                panic!()
            };
            assert_eq!((pickle.node(b[0]), pickle.node(b[1])), (&Node::None, &Node::Bool(true)));
        }
    }

    #[test]
    fn nonsense_says_where() {
        assert_eq!(Pickle::parse(b"").unwrap_err(), "byte 0: the pickle ends here");
        assert!(Pickle::parse(b"\x80\x02t.").unwrap_err().starts_with("byte 2: no mark"));
        assert!(Pickle::parse(b"X\xff\xff\xff\xff.").unwrap_err().contains("ends here"));
        assert!(Pickle::parse(b"h\x07.").unwrap_err().contains("memo 7"));
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_a_tree_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Pickle::parse(&bytes);
        }
    }
}
