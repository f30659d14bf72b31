//! What is said with a range or a mark: a text, and perhaps a number, a category, a colour.
//!
//! The layout of the attributes is that of NVTX's `nvtxEventAttributes_v2` (48 bytes).

use std::ffi::{CStr, c_char, c_void};
use std::mem::size_of;

use crate::domain::Name;

/// Texts up to this length are terminated on the stack.
const SHORT: usize = 128;

/// A range's or a mark's text, with an optional payload, category and colour.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Event<'e> {
    text: Text<'e>,
    payload: Option<Payload>,
    category: u32,
    color: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
enum Text<'e> {
    Plain(&'e str),
    Terminated(&'e CStr),
    Registered(Name),
}

/// A number that goes with an event.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Payload {
    /// An unsigned integer.
    U64(u64),
    /// A signed integer.
    I64(i64),
    /// A floating-point number.
    F64(f64),
}

/// `nvtxEventAttributes_v2`.
#[repr(C)]
pub(crate) struct Attributes {
    version: u16,
    size: u16,
    category: u32,
    color_type: i32,
    color: u32,
    payload_type: i32,
    reserved: i32,
    payload: u64,
    message_type: i32,
    message: *const c_void,
}

const VERSION: u16 = 2;
const COLOR_ARGB: i32 = 1;
const PAYLOAD_U64: i32 = 1;
const PAYLOAD_I64: i32 = 2;
const PAYLOAD_F64: i32 = 3;
const MESSAGE_ASCII: i32 = 1;
const MESSAGE_REGISTERED: i32 = 3;

impl<'e> Event<'e> {
    /// An event with this text: a `&str` (cut at a NUL, if it holds one), a `&CStr` or a [`Name`].
    pub fn new(text: impl Into<Event<'e>>) -> Self {
        text.into()
    }

    /// The same with a number.
    pub fn payload(self, payload: impl Into<Payload>) -> Self {
        Self { payload: Some(payload.into()), ..self }
    }

    /// The same in a category; 0 is none.
    pub const fn category(self, category: u32) -> Self {
        Self { category, ..self }
    }

    /// The same with a colour, `0xAARRGGBB`.
    pub const fn color(self, argb: u32) -> Self {
        Self { color: Some(argb), ..self }
    }

    const fn of(text: Text<'e>) -> Self {
        Self { text, payload: None, category: 0, color: None }
    }

    /// Calls `call` with the attributes as NVTX wants them.
    pub(crate) fn with_attributes<R>(&self, call: impl FnOnce(*const Attributes) -> R) -> R {
        match self.text {
            Text::Registered(name) => call(&self.attributes(MESSAGE_REGISTERED, name.handle())),
            Text::Terminated(text) => call(&self.attributes(MESSAGE_ASCII, text.as_ptr().cast())),
            Text::Plain(text) => {
                terminated(text, |text| call(&self.attributes(MESSAGE_ASCII, text.cast())))
            }
        }
    }

    fn attributes(&self, message_type: i32, message: *const c_void) -> Attributes {
        let (payload_type, payload) = match self.payload {
            None => (0, 0),
            Some(Payload::U64(value)) => (PAYLOAD_U64, value),
            Some(Payload::I64(value)) => (PAYLOAD_I64, value.cast_unsigned()),
            Some(Payload::F64(value)) => (PAYLOAD_F64, value.to_bits()),
        };
        Attributes {
            version: VERSION,
            size: size_of::<Attributes>() as u16,
            category: self.category,
            color_type: if self.color.is_some() { COLOR_ARGB } else { 0 },
            color: self.color.unwrap_or(0),
            payload_type,
            reserved: 0,
            payload,
            // A name that was registered without a profiler has no handle; it has no text either.
            message_type: if message.is_null() { 0 } else { message_type },
            message,
        }
    }
}

/// Calls `call` with the text followed by a NUL; what follows a NUL inside the text is left out.
pub(crate) fn terminated<R>(text: &str, call: impl FnOnce(*const c_char) -> R) -> R {
    let bytes = text.split('\0').next().unwrap_or_default().as_bytes();
    if bytes.len() < SHORT {
        let mut short = [0_u8; SHORT];
        short[..bytes.len()].copy_from_slice(bytes);
        call(short.as_ptr().cast())
    } else {
        let long = [bytes, &[0]].concat();
        call(long.as_ptr().cast())
    }
}

impl<'e> From<&'e str> for Event<'e> {
    #[inline]
    fn from(text: &'e str) -> Self {
        Self::of(Text::Plain(text))
    }
}

impl<'e> From<&'e String> for Event<'e> {
    #[inline]
    fn from(text: &'e String) -> Self {
        Self::of(Text::Plain(text))
    }
}

impl<'e> From<&'e CStr> for Event<'e> {
    #[inline]
    fn from(text: &'e CStr) -> Self {
        Self::of(Text::Terminated(text))
    }
}

impl From<Name> for Event<'_> {
    #[inline]
    fn from(name: Name) -> Self {
        Self::of(Text::Registered(name))
    }
}

impl From<u64> for Payload {
    fn from(value: u64) -> Self {
        Self::U64(value)
    }
}

impl From<u32> for Payload {
    fn from(value: u32) -> Self {
        Self::U64(value.into())
    }
}

impl From<usize> for Payload {
    fn from(value: usize) -> Self {
        Self::U64(value as u64)
    }
}

impl From<i64> for Payload {
    fn from(value: i64) -> Self {
        Self::I64(value)
    }
}

impl From<i32> for Payload {
    fn from(value: i32) -> Self {
        Self::I64(value.into())
    }
}

impl From<f64> for Payload {
    fn from(value: f64) -> Self {
        Self::F64(value)
    }
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;

    #[test]
    fn the_layout_is_that_of_nvtx() {
        assert_eq!(size_of::<Attributes>(), 48);
        assert_eq!(offset_of!(Attributes, payload), 24);
        assert_eq!(offset_of!(Attributes, message_type), 32);
        assert_eq!(offset_of!(Attributes, message), 40);
    }

    #[test]
    fn texts_end_in_nul_and_are_cut_at_one() {
        let read = |text: &str| {
            terminated(text, |text| {
                // SAFETY: `terminated` promises a terminated text that lives for this call.
                unsafe { CStr::from_ptr(text) }.to_bytes().to_vec()
            })
        };
        assert_eq!(read("latency"), b"latency");
        assert_eq!(read(""), b"");
        assert_eq!(read("a\0b"), b"a");
        for length in [SHORT - 1, SHORT, 5 * SHORT] {
            assert_eq!(read(&"x".repeat(length)), vec![b'x'; length]);
        }
    }
}
