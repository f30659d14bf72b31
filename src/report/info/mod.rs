//! What a trace holds: the document `nsys-attrib/info/1`, and the page made from it.
//!
//! It is built from an outline of the trace and the inventory of its tables, so that it costs the same
//! for a trace of any size; see [`crate::trace::Outline`].

mod build;
mod capture;
mod document;
mod next;
mod recorded;
mod text;

pub use build::{Read, info};
pub use document::{
    CaptureOption, Info, Infos, ProcessInfo, RangeInfo, Recorded, SCHEMA, SCHEMA_MANY, State,
    TableInfo, ThreadInfo,
};
pub use text::write;
