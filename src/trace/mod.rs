//! Reads an export of Nsight Systems into plain sorted columns.
//!
//! This is the only room that knows SQL and the generations of the schema. [`Trace::read`] takes an
//! open database and answers calls, GPU operations, NVTX ranges and what the export says about
//! itself; everything after that is arithmetic on columns. Names, threads and queues are small
//! numbers in the order of what they stand for, so that nothing depends on the order of the rows.

mod about;
mod api_name;
mod beside;
mod calls;
mod counters;
mod error;
mod fast_map;
mod identity;
mod inventory;
mod link;
mod operations;
mod options;
mod order;
mod outline;
mod pages;
mod ranges;
mod scan;
mod schema;
pub mod scrub;
pub mod source;
mod spans;
mod strings;
mod synchronization;

use std::path::Path;

use rusqlite::Connection;

pub use about::{About, Device, Diagnostic};
pub use api_name::ApiName;
pub use beside::{ConvolutionCall, Overhead};
pub use calls::{CallCensus, CallId, Calls};
pub use counters::PowerCounter;
pub use error::TraceError;
pub use identity::{Identities, Process, ProcessId, Thread, ThreadId};
pub use inventory::{Inventory, TableRows};
pub use link::Links;
pub(crate) use operations::OperationSort;
pub use operations::{Grid, Label, OpId, OperationCensus, Operations, Queue};
pub use options::{ReadOptions, Reader};
pub use outline::Outline;
pub use ranges::{Mark, RangeId, RangeStyle, Ranges};
pub use synchronization::{EventRecord, Synchronization, Wait, WaitKind};

use crate::finding::Finding;
use calls::RawCalls;
use operations::RawOperations;
use options::Reading;
use ranges::RawRanges;
use scan::Rows;
use schema::Schema;
use strings::StringTable;

/// Table of CUDA API calls, runtime and driver.
const RUNTIME: &str = "CUPTI_ACTIVITY_KIND_RUNTIME";
/// Table of kernels.
const KERNEL: &str = "CUPTI_ACTIVITY_KIND_KERNEL";
/// Table of copies.
const MEMCPY: &str = "CUPTI_ACTIVITY_KIND_MEMCPY";
/// Table of memsets.
const MEMSET: &str = "CUPTI_ACTIVITY_KIND_MEMSET";
/// Table of CUDA graphs that were traced whole.
const GRAPH_TRACE: &str = "CUPTI_ACTIVITY_KIND_GRAPH_TRACE";
/// Table of NVTX events.
const NVTX: &str = "NVTX_EVENTS";

/// Which kinds of event the export has a table for. An absent table is not an empty one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Present {
    /// CUDA API calls.
    pub api: bool,
    /// Kernels.
    pub kernels: bool,
    /// Copies or memsets.
    pub copies: bool,
    /// Whole-graph rows.
    pub graphs: bool,
    /// NVTX events.
    pub nvtx: bool,
}

impl Present {
    /// Whether any GPU operation can be there.
    pub const fn operations(self) -> bool {
        self.kernels || self.copies || self.graphs
    }

    fn of(schema: &Schema) -> Self {
        let has = |name| schema.table(name).is_some();
        Self {
            api: has(RUNTIME),
            kernels: has(KERNEL),
            copies: has(MEMCPY) || has(MEMSET),
            graphs: has(GRAPH_TRACE),
            nvtx: has(NVTX),
        }
    }
}

/// An export in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// What the export says about itself.
    pub about: About,
    /// Processes and threads.
    pub identities: Identities,
    /// CUDA API calls.
    pub calls: Calls,
    /// GPU operations.
    pub operations: Operations,
    /// Which call caused which operation.
    pub links: Links,
    /// NVTX ranges and marks.
    pub ranges: Ranges,
    /// Convolution calls of cuDNN, by start.
    pub convolution_calls: Vec<ConvolutionCall>,
    /// The profiler's own work, by start.
    pub overheads: Vec<Overhead>,
    /// What synchronising calls waited for, where the export says so.
    pub synchronization: Synchronization,
    /// Powers that were sampled into the trace.
    pub power_counters: Vec<PowerCounter>,
    /// Which tables were there.
    pub present: Present,
    /// Rows of the API table that are no calls.
    pub call_census: CallCensus,
    /// Rows of the GPU tables that need a word.
    pub operation_census: OperationCensus,
    /// Tables that had to be read the slow way, and why (`slow-read`).
    pub read_notes: Vec<Finding>,
}

impl Trace {
    /// Reads the export behind an open connection, with the default options; `path` is for messages.
    ///
    /// # Errors
    /// [`TraceError`] when SQLite fails, a needed column is missing or a cell holds nonsense.
    pub fn read(path: &Path, connection: &Connection) -> Result<Self, TraceError> {
        read_trace(path, connection, Reading::of(connection), &|| ())
    }

    /// Reads the export behind an open connection; `file` is the database that it has open, `path`
    /// what the user named.
    ///
    /// # Errors
    /// As [`Trace::read`].
    pub fn read_with(
        path: &Path,
        connection: &Connection,
        file: &Path,
        how: &ReadOptions,
    ) -> Result<Self, TraceError> {
        Self::read_then(path, connection, file, how, &|| ())
    }

    /// As [`Trace::read_with`]; tells when calls and operations have been read: a good moment to begin
    /// other work on the file, since sorting and joining leave processors free.
    ///
    /// # Errors
    /// As [`Trace::read`].
    pub fn read_then(
        path: &Path,
        connection: &Connection,
        file: &Path,
        how: &ReadOptions,
        operations_read: &dyn Fn(),
    ) -> Result<Self, TraceError> {
        read_trace(path, connection, Reading::new(file, connection, how), operations_read)
    }
}

fn read_trace(
    path: &Path,
    connection: &Connection,
    reading: Reading,
    operations_read: &dyn Fn(),
) -> Result<Trace, TraceError> {
    let rows = Rows { path, connection, reading: &reading };
    let fail = |table: &'static str| move |source| rows.sqlite_error(table, source);
    let schema = Schema::read(connection).map_err(fail("sqlite_schema"))?;
    let about = About::read(connection, &schema).map_err(fail("TARGET_INFO_*, META_DATA_*"))?;
    let strings = StringTable::new(connection, schema.table("StringIds").is_some());

    let calls = read_calls(rows, &schema)?;
    let operations = read_operations(rows, &schema)?;
    operations_read();
    let ranges = match schema.table(NVTX) {
        Some(table) => RawRanges::read(rows, table)?,
        None => RawRanges::none(),
    };

    let threads: Vec<Option<i64>> = calls.threads().chain(ranges.threads()).collect();
    let mut identities = Identities::from_globals(&threads, &operations.processes());
    about::name_identities(connection, &schema, &strings, &mut identities)
        .map_err(fail("PROCESSES, ThreadNames"))?;

    let convolution_calls = beside::convolution_calls(rows, &schema, &strings, &identities)?;
    let overheads = beside::overheads(rows, &schema, &identities)?;
    let synchronization = synchronization::read(rows, &schema, &identities)?;
    let (mut calls, mut call_census) =
        calls.finish(&identities, &strings).map_err(fail("StringIds"))?;
    let (mut operations, operation_census) =
        operations.finish(&identities, &strings).map_err(fail("StringIds"))?;
    let ranges = rayon::in_place_scope(|tasks| {
        tasks.spawn(|_| operations.sort());
        calls.sort();
        ranges.finish(&identities, &strings).map_err(fail("StringIds"))
    })?;
    call_census.class_labels =
        about::event_classes(connection, &schema).map_err(fail("ENUM_NSYS_EVENT_CLASS"))?;
    let power_counters =
        counters::power_counters(connection, &schema).map_err(fail("GPU_METRICS, counters"))?;
    let links = Links::join(&calls, &operations, &identities);
    Ok(Trace {
        about,
        identities,
        calls,
        operations,
        links,
        ranges,
        convolution_calls,
        overheads,
        synchronization,
        power_counters,
        present: Present::of(&schema),
        call_census,
        operation_census,
        read_notes: reading.into_notes(),
    })
}

fn read_calls(rows: Rows<'_>, schema: &Schema) -> Result<RawCalls, TraceError> {
    schema.table(RUNTIME).map_or_else(|| Ok(RawCalls::none()), |table| RawCalls::read(rows, table))
}

fn read_operations(rows: Rows<'_>, schema: &Schema) -> Result<RawOperations, TraceError> {
    let mut operations = RawOperations::none();
    if let Some(table) = schema.table(KERNEL) {
        operations.read_kernels(rows, table)?;
    }
    if let Some(table) = schema.table(MEMCPY) {
        operations.read_copies(rows, table)?;
    }
    if let Some(table) = schema.table(MEMSET) {
        operations.read_memsets(rows, table)?;
    }
    if let Some(table) = schema.table(GRAPH_TRACE) {
        operations.read_graphs(rows, table)?;
    }
    Ok(operations)
}
