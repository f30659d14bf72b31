//! The document `nsys-attrib/info/1`: one trace, and what can be asked of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attribution::document::{Tool, TraceAbout};
use crate::finding::Finding;
use crate::units::Nanos;

/// The id of this version of the document.
pub const SCHEMA: &str = "nsys-attrib/info/1";
/// The id of the document that holds several.
pub const SCHEMA_MANY: &str = "nsys-attrib/infos/1";

/// Several traces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Infos {
    /// Always `nsys-attrib/infos/1`.
    pub schema: String,
    /// In the order in which they were named.
    pub infos: Vec<Info>,
}

/// What a trace holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Info {
    /// Always `nsys-attrib/info/1`.
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// Exporter, schema, session, devices.
    pub trace: TraceAbout,
    /// Whether every row was read and counted.
    pub exact: bool,
    /// The machine's local time minus UTC at the start, in seconds.
    pub utc_offset_s: Option<i64>,
    /// Processes with CUDA calls, GPU operations or NVTX ranges.
    pub processes: Vec<ProcessInfo>,
    /// Whether every row was looked at for its process and thread; large tables are sampled.
    pub processes_complete: bool,
    /// How the trace was captured, as far as that matters to its numbers.
    pub capture: Vec<CaptureOption>,
    /// Kinds of event, and whether they are there.
    pub recorded: Vec<Recorded>,
    /// NVTX ranges by message, the longest summed time first; null when their table cannot be read.
    pub ranges: Option<Vec<RangeInfo>>,
    /// Tables and views, by name.
    pub tables: Vec<TableInfo>,
    /// Commands to type next.
    pub next: Vec<String>,
    /// Doubts, the most severe first. Those that need every row are there when `exact`.
    pub findings: Vec<Finding>,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessInfo {
    /// The operating system's process id.
    pub pid: i64,
    /// Its name, when the export has one.
    pub name: Option<String>,
    /// Its threads that made CUDA calls or NVTX ranges.
    pub threads: Vec<ThreadInfo>,
}

/// A thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ThreadInfo {
    /// The operating system's thread id.
    pub tid: i64,
    /// Its name, when the export has one.
    pub name: Option<String>,
}

/// An option of the capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaptureOption {
    /// As META_DATA_CAPTURE spells it.
    pub name: String,
    /// Its values, comma-separated.
    pub value: String,
    /// What it means, in a sentence.
    pub meaning: String,
}

/// Whether a kind of event is in the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// There are rows.
    Recorded,
    /// There is a table without rows.
    Empty,
    /// There is no table.
    Absent,
}

/// A kind of event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recorded {
    /// Stable name: `cuda-api`.
    pub kind: String,
    /// In words: `CUDA API calls`.
    pub what: String,
    /// Whether it is there.
    pub state: State,
    /// How many rows; null without a table.
    pub rows: Option<u64>,
    /// Whether they were counted; otherwise `rows` comes from row numbers.
    pub exact: bool,
    /// What can be asked of it here.
    pub gives: String,
    /// How it is recorded, when it is missing or could say more.
    pub remedy: Option<String>,
}

/// NVTX ranges of one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RangeInfo {
    /// The message.
    pub name: String,
    /// The domains it occurs in; empty for the default domain alone.
    pub domains: Vec<String>,
    /// How many ranges, closed or not.
    pub count: u64,
    /// How many of them were never closed.
    pub unclosed: u64,
    /// Mean length of the closed ones.
    pub mean_ns: Option<Nanos>,
    /// Their summed length; nested ranges of one name count each.
    pub total_ns: Option<Nanos>,
}

/// A table or view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableInfo {
    /// As the database spells it.
    pub name: String,
    /// Whether it is a view that somebody added.
    pub is_view: bool,
    /// How many rows; null for views unless counted.
    pub rows: Option<u64>,
    /// Whether they were counted; otherwise `rows` comes from row numbers.
    pub exact: bool,
}
