//! What was run, when, and what did it leave?
//!
//! A **run folder** holds one run of one program: what `profile` writes and people copy around.
//!
//! ```text
//! run/ manifest.json   what was run, on what, when, how it ended        nsys-attrib/manifest/1
//!      trace.sqlite    the export of a traced run (trace.nsys-rep beside it)
//!      sidecar.json    what the program says of itself: requests, errors, spikes   nsys-attrib/sidecar/1
//!      power-*.csv     power logs of samplers that ran beside it
//!      stdout.txt, stderr.txt
//! ```
//! Every part but the folder is optional: a folder with a trace and a power log that a person put
//! together is a run as well. Times are integer nanoseconds, since 1970 unless the name says `mono`;
//! missing is null.

mod document;
mod error;
mod folder;
pub mod manifest;
pub mod sidecar;

pub use document::{Document, read_document, write_document};
pub use error::RunError;
pub use folder::{MANIFEST, PowerFile, REPORT, RunFolder, SIDECAR, TRACE};
pub use manifest::Manifest;
pub use sidecar::Sidecar;

/// The environment variable that tells a program where to write its sidecar.
pub const SIDECAR_VARIABLE: &str = "NSYS_ATTRIB_SIDECAR";
