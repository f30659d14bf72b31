//! What a synchronising call waited for, where the export says so.
//!
//! Tables `CUPTI_ACTIVITY_KIND_SYNCHRONIZATION` (stream, event or context of a waiting call; also of
//! `cudaStreamWaitEvent`, whose wait is on the GPU) and `CUPTI_ACTIVITY_KIND_CUDA_EVENT` (the stream on
//! which an event was recorded, newest exporters only). Both are optional, and their rows name the call by
//! (process, correlationId). Older exporters write 0xffffffff where they do not know a stream or an event.

use super::error::TraceError;
use super::identity::{Identities, ProcessId, process_bits};
use super::scan::{Row, Rows, optional};
use super::schema::{Schema, Table};

const SYNCHRONIZATION: &str = "CUPTI_ACTIVITY_KIND_SYNCHRONIZATION";
const CUDA_EVENT: &str = "CUPTI_ACTIVITY_KIND_CUDA_EVENT";
/// CUPTI's "no such stream or event".
const NONE: i64 = 0xffff_ffff;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaitKind {
    /// The calling thread waits for an event (syncType 1).
    Event,
    /// A stream waits for an event; the call itself does not (syncType 2).
    StreamForEvent,
    /// The calling thread waits for a stream (syncType 3).
    Stream,
    /// The calling thread waits for a context (syncType 4).
    Context,
}

/// A row about a call that waits, or lets a stream wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wait {
    /// The process, when the row names one.
    pub process: Option<ProcessId>,
    /// The correlation id of the call.
    pub correlation: u32,
    /// What is waited for.
    pub kind: WaitKind,
    /// The CUDA context.
    pub context: i64,
    /// The stream, when the row names one.
    pub stream: Option<i64>,
    /// The event, when the row names one.
    pub event: Option<i64>,
}

/// A row about a call that recorded an event on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventRecord {
    /// The process, when the row names one.
    pub process: Option<ProcessId>,
    /// The correlation id of the call.
    pub correlation: u32,
    /// The CUDA context.
    pub context: i64,
    /// The stream.
    pub stream: i64,
    /// The event.
    pub event: i64,
}

/// Both tables, in the order of (process, correlation id).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Synchronization {
    /// Calls that wait.
    pub waits: Vec<Wait>,
    /// Calls that record an event.
    pub records: Vec<EventRecord>,
}

impl Synchronization {
    /// The wait of a call.
    pub fn wait_of(&self, process: Option<ProcessId>, correlation: u32) -> Option<&Wait> {
        let key = (process, correlation);
        let at = self.waits.partition_point(|wait| (wait.process, wait.correlation) < key);
        self.waits.get(at).filter(|wait| (wait.process, wait.correlation) == key)
    }

    /// The event that a call recorded.
    pub fn record_of(&self, process: Option<ProcessId>, correlation: u32) -> Option<&EventRecord> {
        let key = (process, correlation);
        let at = self.records.partition_point(|record| (record.process, record.correlation) < key);
        self.records.get(at).filter(|record| (record.process, record.correlation) == key)
    }
}

/// Reads both tables, as far as they are there.
pub(super) fn read(
    rows: Rows<'_>,
    schema: &Schema,
    identities: &Identities,
) -> Result<Synchronization, TraceError> {
    let process = |global: Option<i64>| {
        global.and_then(|global| identities.process_of_global(process_bits(global)))
    };
    let mut found = Synchronization::default();
    if let Some(table) = schema.table(SYNCHRONIZATION) {
        let rows = gather(rows, table, "syncType")?;
        found.waits = rows
            .into_iter()
            .filter_map(|row| {
                let kind = match row.kind? {
                    1 => WaitKind::Event,
                    2 => WaitKind::StreamForEvent,
                    3 => WaitKind::Stream,
                    4 => WaitKind::Context,
                    _ => return None,
                };
                Some(Wait {
                    process: process(row.process),
                    correlation: row.correlation?,
                    kind,
                    context: row.context.unwrap_or(0),
                    stream: row.stream.filter(|stream| *stream != NONE),
                    event: row.event.filter(|event| *event != NONE),
                })
            })
            .collect();
        found.waits.sort_unstable();
    }
    if let Some(table) = schema.table(CUDA_EVENT) {
        let rows = gather(rows, table, "eventId")?;
        found.records = rows
            .into_iter()
            .filter_map(|row| {
                Some(EventRecord {
                    process: process(row.process),
                    correlation: row.correlation?,
                    context: row.context.unwrap_or(0),
                    stream: row.stream.filter(|stream| *stream != NONE)?,
                    event: row.event?,
                })
            })
            .collect();
        found.records.sort_unstable();
    }
    Ok(found)
}

/// The columns that both tables share.
struct SyncRow {
    process: Option<i64>,
    correlation: Option<u32>,
    context: Option<i64>,
    stream: Option<i64>,
    event: Option<i64>,
    kind: Option<i64>,
}

fn gather(rows: Rows<'_>, table: &Table, kind: &'static str) -> Result<Vec<SyncRow>, TraceError> {
    let columns = [
        optional("globalPid"),
        optional("correlationId"),
        optional("contextId"),
        optional("streamId"),
        optional("eventId"),
        optional(kind),
    ];
    let visit = |found: &mut Vec<SyncRow>, row: &Row<'_, 6>| {
        found.push(SyncRow {
            process: row.int(0)?,
            correlation: row.correlation(1)?,
            context: row.int(2)?,
            stream: row.int(3)?,
            event: row.int(4)?,
            kind: row.int(5)?,
        });
        Ok(())
    };
    rows.fold(table, columns, Vec::new, visit, Vec::append)
}
