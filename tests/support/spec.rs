//! A trace described in memory: rows of the tables that attribution reads, nothing more.
//!
//! Times are nanoseconds of trace time. A process is a `globalPid`, a thread a `globalTid`; the pid
//! part of a thread is the thread with its low 24 bits cleared.

use super::schema::Generation;

/// `globalPid` of a process id.
pub const fn process(pid: i64) -> i64 {
    (1 << 48) | (pid << 24)
}

/// `globalTid` of a thread of a process.
pub const fn thread(pid: i64, tid: i64) -> i64 {
    process(pid) | tid
}

/// The process of a thread.
pub const fn process_of(thread: i64) -> i64 {
    thread & !0xff_ffff
}

/// A row of CUPTI_ACTIVITY_KIND_RUNTIME.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub start: i64,
    pub end: i64,
    /// 0 runtime, 1 driver, 67 backtrace twin, anything else is foreign.
    pub class: i64,
    pub thread: Option<i64>,
    pub correlation: Option<i64>,
    pub name: String,
    pub return_value: i64,
}

/// What a GPU operation is, and so in which table it lies.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    Kernel { name: String, short: String, grid: [i64; 3], block: [i64; 3], node: Option<i64> },
    Copy { kind: i64, bytes: i64 },
    Memset { value: i64, bytes: i64 },
    Graph { graph: i64, exec: i64 },
}

/// A GPU operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Op {
    pub start: i64,
    pub end: i64,
    pub device: i64,
    pub context: i64,
    pub stream: i64,
    pub correlation: Option<i64>,
    pub process: Option<i64>,
    pub work: Work,
}

/// The text of an NVTX event: pushed with it, registered beforehand, or absent.
#[derive(Clone, Debug, PartialEq)]
pub enum Text {
    Inline(String),
    Registered(String),
    Missing,
}

/// A row of NVTX_EVENTS.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    pub start: i64,
    pub end: Option<i64>,
    /// 59 push/pop, 60 start/end, 34 mark, 75 domain create.
    pub event_type: i64,
    pub text: Text,
    pub thread: Option<i64>,
    pub end_thread: Option<i64>,
    pub domain: i64,
}

/// A row of TARGET_INFO_GPU.
#[derive(Clone, Debug, PartialEq)]
pub struct Gpu {
    pub id: i64,
    pub name: String,
    pub discrete: bool,
}

/// A row of DIAGNOSTIC_EVENT.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    pub timestamp: i64,
    pub severity: i64,
    pub text: String,
    pub process: Option<i64>,
}

/// A row of PROFILER_OVERHEAD, and of CUPTI_ACTIVITY_KIND_OVERHEAD where that exists.
#[derive(Clone, Debug, PartialEq)]
pub struct Overhead {
    pub start: i64,
    pub end: i64,
    pub thread: Option<i64>,
    pub name: String,
}

/// A row of CUPTI_ACTIVITY_KIND_SYNCHRONIZATION.
#[derive(Clone, Debug, PartialEq)]
pub struct SyncRow {
    pub correlation: i64,
    pub process: i64,
    /// 1 event, 2 stream waits for event, 3 stream, 4 context.
    pub kind: i64,
    pub stream: Option<i64>,
    pub event: Option<i64>,
}

/// A row of CUPTI_ACTIVITY_KIND_CUDA_EVENT.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow {
    pub correlation: i64,
    pub process: i64,
    pub stream: i64,
    pub event: i64,
}

/// A whole trace, and how to write it.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSpec {
    pub generation: Generation,
    pub page_size: u32,
    pub calls: Vec<Call>,
    pub ops: Vec<Op>,
    pub ranges: Vec<Range>,
    /// (globalPid, name).
    pub processes: Vec<(i64, String)>,
    /// (globalTid, name).
    pub threads: Vec<(i64, String)>,
    pub gpus: Vec<Gpu>,
    /// `utcEpochNs` of t = 0.
    pub session_start: Option<i64>,
    /// `ANALYSIS_DETAILS.duration`.
    pub duration: Option<i64>,
    pub diagnostics: Vec<Diagnostic>,
    pub overheads: Vec<Overhead>,
    pub syncs: Vec<SyncRow>,
    pub events: Vec<EventRow>,
    /// Tables left out although they have rows.
    pub absent: Vec<&'static str>,
    /// Tables created although they have no rows.
    pub empty: Vec<&'static str>,
    /// Rows of the event tables in an order drawn from this seed instead of the one above.
    pub shuffle: Option<u64>,
    /// Run VACUUM and fix the header, so that the same description gives the same bytes.
    pub compact: bool,
}

impl TraceSpec {
    /// A trace without events on one GPU.
    pub fn new(generation: Generation) -> Self {
        Self {
            generation,
            page_size: 4096,
            calls: vec![],
            ops: vec![],
            ranges: vec![],
            processes: vec![],
            threads: vec![],
            gpus: vec![Gpu { id: 0, name: "Synthetic GPU".into(), discrete: true }],
            session_start: Some(1_750_000_000_000_000_000),
            duration: None,
            diagnostics: vec![],
            overheads: vec![],
            syncs: vec![],
            events: vec![],
            absent: vec![],
            empty: vec![],
            shuffle: None,
            compact: false,
        }
    }

    /// Adds a runtime call; returns it for further changes.
    pub fn call(&mut self, thread: i64, name: &str, start: i64, end: i64, id: i64) -> &mut Call {
        self.calls.push(Call {
            start,
            end,
            class: i64::from(name.starts_with("cu") && !name.starts_with("cuda")),
            thread: Some(thread),
            correlation: Some(id),
            name: name.into(),
            return_value: 0,
        });
        self.calls.last_mut().unwrap()
    }

    /// Adds a GPU operation on device 0, stream 7.
    pub fn op(&mut self, process: i64, work: Work, start: i64, end: i64, id: i64) -> &mut Op {
        self.ops.push(Op {
            start,
            end,
            device: 0,
            context: 1,
            stream: 7,
            correlation: Some(id),
            process: Some(process),
            work,
        });
        self.ops.last_mut().unwrap()
    }

    /// Adds a kernel.
    pub fn kernel(&mut self, process: i64, name: &str, start: i64, end: i64, id: i64) -> &mut Op {
        self.op(process, Work::kernel(name), start, end, id)
    }

    /// Adds a push/pop range with pushed text.
    pub fn range(&mut self, thread: i64, name: &str, start: i64, end: i64) -> &mut Range {
        self.ranges.push(Range {
            start,
            end: Some(end),
            event_type: 59,
            text: Text::Inline(name.into()),
            thread: Some(thread),
            end_thread: None,
            domain: 0,
        });
        self.ranges.last_mut().unwrap()
    }

    /// Names a domain of a process, as nvtxDomainCreate does.
    pub fn domain(&mut self, thread: i64, id: i64, name: &str) {
        let row = self.range(thread, name, 0, 0);
        (row.end, row.event_type, row.domain) = (None, 75, id);
    }

    /// What a reader of the file can see: without the rows of absent tables.
    pub fn visible(&self) -> Self {
        let has = |table| !self.absent.contains(&table) && self.generation.columns(table).is_some();
        let mut seen = self.clone();
        seen.calls.retain(|_| has("CUPTI_ACTIVITY_KIND_RUNTIME"));
        seen.ops.retain(|op| has(op.work.table()));
        seen.ranges.retain(|_| has("NVTX_EVENTS"));
        seen.duration = self.duration.filter(|_| has("ANALYSIS_DETAILS"));
        seen
    }

    /// Lies the backtrace twin (class 67) of the call at `index` around it.
    pub fn twin(&mut self, index: usize) {
        let real = self.calls[index].clone();
        let name = bare_name(&real.name).to_owned();
        let (start, end) = (real.start - 1, real.end + 1);
        self.calls.push(Call { start, end, class: 67, name, ..real });
    }
}

impl Work {
    /// A kernel by its demangled name; the short name is what remains without template arguments,
    /// parameters and scopes.
    pub fn kernel(name: &str) -> Self {
        let (grid, block) = ([1, 1, 1], [256, 1, 1]);
        Self::Kernel { name: name.into(), short: short_name(name), grid, block, node: None }
    }

    /// The table that holds such operations.
    pub fn table(&self) -> &'static str {
        match self {
            Self::Kernel { .. } => "CUPTI_ACTIVITY_KIND_KERNEL",
            Self::Copy { .. } => "CUPTI_ACTIVITY_KIND_MEMCPY",
            Self::Memset { .. } => "CUPTI_ACTIVITY_KIND_MEMSET",
            Self::Graph { .. } => "CUPTI_ACTIVITY_KIND_GRAPH_TRACE",
        }
    }

    /// A host-to-device copy.
    pub fn upload(bytes: i64) -> Self {
        Self::Copy { kind: 1, bytes }
    }

    /// A device-to-host copy.
    pub fn download(bytes: i64) -> Self {
        Self::Copy { kind: 2, bytes }
    }
}

/// `cuda*` names without their `_v` + 4 or 5 digits.
pub fn bare_name(name: &str) -> &str {
    if let Some((head, tail)) = name.rsplit_once("_v")
        && name.starts_with("cuda")
        && (4..=5).contains(&tail.len())
        && tail.bytes().all(|b| b.is_ascii_digit())
    {
        return head;
    }
    name
}

fn short_name(name: &str) -> String {
    let mut depth = 0_i32;
    let mut plain = String::new();
    for c in name.chars() {
        match c {
            '<' => depth += 1,
            '>' => depth -= 1,
            '(' if depth == 0 => break,
            _ if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    let last = plain.trim().rsplit(' ').next().unwrap_or("");
    last.rsplit("::").next().unwrap_or(last).to_owned()
}
