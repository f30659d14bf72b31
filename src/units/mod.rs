//! Quantities and how they print.
//!
//! A number that leaves this crate has a unit in its type: [`Nanos`] is a length of time,
//! [`TraceTime`] an instant on the trace's own clock, [`UnixTime`] an instant on the wall clock,
//! [`Share`] a part of a whole between 0 and 1, [`Milliwatts`] power, [`Millijoules`] energy. Instants of different clocks do not mix; [`clock`]
//! is the one place that converts them. All are plain numbers in JSON.

mod bytes;
pub mod clock;
mod distinct;
mod energy;
mod keys;
mod number;
mod plain;
mod share;
mod span;
mod time;

pub use bytes::Bytes;
pub use clock::SessionClock;
pub use distinct::{Distinct, Ruler, distinct};
pub use energy::{Millijoules, Milliwatts};
pub use keys::without_keys;
pub use number::{fixed, signed};
pub use plain::plain;
pub use share::Share;
pub use span::Span;
pub use time::{Nanos, TraceTime, UnixTime};
