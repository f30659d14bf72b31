//! GPU operations: kernels, copies, memsets and whole-graph rows, as sorted columns.
//!
//! Tables `CUPTI_ACTIVITY_KIND_{KERNEL,MEMCPY,MEMSET,GRAPH_TRACE}`. Each operation has a queue
//! (process, device, context, stream), the correlation id of the API call that caused it, and a
//! label that says what it is. Order: start, end, queue, correlation id.

use std::cmp::Ordering;

use super::error::TraceError;
use super::identity::{Identities, ProcessId, process_bits};
use super::order;
use super::scan::{Column, Row, Rows, optional, required};
use super::schema::Table;
use super::spans::Spans;
use super::strings::{Interner, StringTable, append_renumbered, canonical_order, distinct};
use crate::units::{Bytes, Span, TraceTime};

/// A GPU operation, by its place in [`Operations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(pub(crate) u32);

impl OpId {
    /// The place in the columns.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What an operation is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// A kernel, with both of its names.
    Kernel {
        /// The name with template arguments and parameters.
        demangled: String,
        /// The name of the function alone.
        short: String,
    },
    /// A copy, with CUPTI's copyKind.
    Copy {
        /// 1 host-to-device, 2 device-to-host, 8 device-to-device, …
        kind: i64,
    },
    /// A memset.
    Memset,
    /// A whole CUDA graph, traced as one row.
    Graph,
}

impl Label {
    /// Whether it is a kernel.
    pub const fn is_kernel(&self) -> bool {
        matches!(self, Self::Kernel { .. })
    }

    /// Whether it is a copy or a memset.
    pub const fn moves_memory(&self) -> bool {
        matches!(self, Self::Copy { .. } | Self::Memset)
    }

    /// Whether the driver moves pages of unified memory on its own account (copyKind 11 to 13).
    pub const fn is_unified_memory(&self) -> bool {
        matches!(self, Self::Copy { kind: 11..=13 })
    }

    /// The kind of a copy or memset as nsys labels it; `None` for kernels.
    pub fn memory_kind(&self) -> Option<String> {
        let text = match self {
            Self::Memset => "Memset",
            Self::Copy { kind } => match kind {
                1 => "Host-to-Device",
                2 => "Device-to-Host",
                3 => "Host-to-Array",
                4 => "Array-to-Host",
                5 => "Array-to-Array",
                6 => "Array-to-Device",
                7 => "Device-to-Array",
                8 => "Device-to-Device",
                9 => "Host-to-Host",
                10 => "Peer-to-Peer",
                11 => "Unified Host-to-Device",
                12 => "Unified Device-to-Host",
                13 => "Unified Device-to-Device",
                _ => return Some(format!("copyKind {kind}")),
            },
            Self::Kernel { .. } | Self::Graph => return None,
        };
        Some(text.to_owned())
    }
}

/// Where operations queue up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Queue {
    /// The process, when the row names one.
    pub process: Option<ProcessId>,
    /// CUDA's device number.
    pub device: i64,
    /// The CUDA context.
    pub context: i64,
    /// The stream within the context.
    pub stream: i64,
}

/// Grid of a kernel launch, in blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grid {
    /// Blocks along x, y and z.
    pub blocks: (u32, u32, u32),
}

/// What operations of the same kind at the same place have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OperationSort {
    /// Where it was queued, as an index into [`Operations::queues`].
    pub(crate) queue: u32,
    /// What it is, as an index into [`Operations::labels`].
    pub(crate) label: u32,
    /// Bytes of a copy or memset, or the packed grid of a kernel.
    payload: u64,
}

/// All GPU operations, sorted by start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    spans: Spans,
    /// 0 where the export has none.
    correlation: Vec<u32>,
    /// Everything else, which takes few values: an index into `sorts`.
    sort: Vec<u32>,
    /// Every sort that occurs, in order.
    sorts: Vec<OperationSort>,
    queues: Vec<Queue>,
    labels: Vec<Label>,
}

/// What was read beside the operations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationCensus {
    /// Rows that end before they start, or lie at 0..0.
    pub bad_times: u64,
    /// Kernels and copies that belong to a node of a CUDA graph.
    pub graph_nodes: u64,
    /// Rows that name no process.
    pub without_process: u64,
}

impl Operations {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Every operation, by start.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = OpId> + Clone + use<> {
        (0..self.spans.len() as u32).map(OpId)
    }

    /// Every operation from `first` on.
    pub fn ids_from(&self, first: OpId) -> impl Iterator<Item = OpId> + use<> {
        (first.0..self.spans.len() as u32).map(OpId)
    }

    /// The first operation that starts at `instant` or later; one past the last when there is none.
    /// `near` is a guess at its place, and costs little when it is only a little too early.
    pub fn first_starting_from(&self, instant: TraceTime, near: usize) -> OpId {
        OpId(self.spans.starting_before(instant.as_ns(), near) as u32)
    }

    /// From start to end on the GPU.
    pub fn span(&self, op: OpId) -> Span {
        Span::from_ns(self.spans.start(op.index()), self.spans.end(op.index()))
    }

    /// The id of the API call that caused it, unique within a process.
    pub fn correlation(&self, op: OpId) -> Option<u32> {
        Some(self.correlation[op.index()]).filter(|id| *id != 0)
    }

    /// Where it was queued.
    pub fn queue(&self, op: OpId) -> &Queue {
        &self.queues[self.queue_index(op)]
    }

    /// Where it was queued, as an index into [`Operations::queues`].
    pub fn queue_index(&self, op: OpId) -> usize {
        self.sort_of(op).queue as usize
    }

    /// What it is.
    pub fn label(&self, op: OpId) -> &Label {
        &self.labels[self.label_index(op)]
    }

    /// What it is, as an index into [`Operations::labels`].
    pub fn label_index(&self, op: OpId) -> usize {
        self.sort_of(op).label as usize
    }

    fn sort_of(&self, op: OpId) -> &OperationSort {
        &self.sorts[self.sort_index(op)]
    }

    /// What it has in common with others, as an index into [`Operations::sorts`].
    pub(crate) fn sort_index(&self, op: OpId) -> usize {
        self.sort[op.index()] as usize
    }

    /// Every sort that occurs.
    pub(crate) fn sorts(&self) -> &[OperationSort] {
        &self.sorts
    }

    /// The process of each sort.
    pub(crate) fn processes_by_sort(&self) -> Vec<Option<ProcessId>> {
        self.sorts.iter().map(|sort| self.queues[sort.queue as usize].process).collect()
    }

    /// Every queue that occurs, in order.
    pub fn queues(&self) -> &[Queue] {
        &self.queues
    }

    /// Every label that occurs, in order.
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// The bytes that a copy or memset moved; `None` for kernels and graphs.
    pub fn bytes(&self, op: OpId) -> Option<Bytes> {
        self.label(op).moves_memory().then(|| Bytes::new(self.sort_of(op).payload))
    }

    /// The grid of a kernel; `None` for everything else.
    pub fn grid(&self, op: OpId) -> Option<Grid> {
        self.label(op).is_kernel().then(|| {
            let packed = self.sort_of(op).payload;
            Grid {
                blocks: (
                    (packed >> 32) as u32,
                    (packed >> 16) as u32 & 0xffff,
                    packed as u32 & 0xffff,
                ),
            }
        })
    }

    /// Puts the rows into order.
    pub(super) fn sort(&mut self) {
        let compare = |a: usize, b: usize| -> Ordering {
            (self.spans.start(a).cmp(&self.spans.start(b)))
                .then_with(|| self.spans.end(a).cmp(&self.spans.end(b)))
                .then_with(|| {
                    let key = |row: usize| {
                        let sort = &self.sorts[self.sort[row] as usize];
                        (sort.queue, self.correlation[row], sort.label, sort.payload)
                    };
                    key(a).cmp(&key(b))
                })
        };
        if let Some(order) = order::sorting(self.len(), compare) {
            self.spans.apply(&order);
            order::apply(&mut self.correlation, &order);
            order::apply(&mut self.sort, &order);
        }
    }
}

/// A label before its names are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum RawLabel {
    Kernel { demangled: i64, short: i64 },
    Copy { kind: i64 },
    Memset,
    Graph,
}

impl RawLabel {
    fn named(self, strings: &StringTable<'_>) -> rusqlite::Result<Label> {
        Ok(match self {
            Self::Kernel { demangled, short } => {
                Label::Kernel { demangled: strings.get(demangled)?, short: strings.get(short)? }
            }
            Self::Copy { kind } => Label::Copy { kind },
            Self::Memset => Label::Memset,
            Self::Graph => Label::Graph,
        })
    }
}

/// Queue as a row names it: `globalPid`, device, context, stream.
type RawQueue = (Option<i64>, i64, i64, i64);

/// Columns as they are stored, before identities are known.
pub(super) struct RawOperations {
    spans: Spans,
    correlation: Vec<u32>,
    sort: Vec<u32>,
    queues: Interner<RawQueue>,
    /// Queue, by its number, label and payload.
    sorts: Interner<(u32, RawLabel, u64)>,
    census: OperationCensus,
}

/// The columns that all GPU tables share.
const SHARED: [Column; 8] = [
    required("start"),
    required("end"),
    optional("correlationId"),
    optional("globalPid"),
    required("deviceId"),
    optional("contextId"),
    optional("streamId"),
    optional("graphNodeId"),
];

impl RawOperations {
    pub(super) fn none() -> Self {
        Self {
            spans: Spans::default(),
            correlation: Vec::new(),
            sort: Vec::new(),
            queues: Interner::new(),
            sorts: Interner::new(),
            census: OperationCensus::default(),
        }
    }

    /// Every `globalPid` that occurs.
    pub(super) fn processes(&self) -> Vec<Option<i64>> {
        self.queues.keys().iter().map(|key| key.0).collect()
    }

    pub(super) fn read_kernels(&mut self, rows: Rows<'_>, table: &Table) -> Result<(), TraceError> {
        let own = [
            optional("demangledName"),
            required("shortName"),
            optional("gridX"),
            optional("gridY"),
            optional("gridZ"),
        ];
        self.gather(rows, table, with_shared::<5, 13>(own), |row| {
            let short = row.some_int(9)?;
            let label = RawLabel::Kernel { demangled: row.int(8)?.unwrap_or(short), short };
            let blocks = |i: usize| row.int(i).map(|n| n.unwrap_or(0).unsigned_abs());
            let grid = blocks(10)? << 32 | (blocks(11)? & 0xffff) << 16 | (blocks(12)? & 0xffff);
            Ok((label, grid))
        })
    }

    pub(super) fn read_copies(&mut self, rows: Rows<'_>, table: &Table) -> Result<(), TraceError> {
        let columns = with_shared::<2, 10>([optional("bytes"), optional("copyKind")]);
        self.gather(rows, table, columns, |row| {
            let label = RawLabel::Copy { kind: row.int(9)?.unwrap_or(0) };
            Ok((label, row.int(8)?.unwrap_or(0).unsigned_abs()))
        })
    }

    pub(super) fn read_memsets(&mut self, rows: Rows<'_>, table: &Table) -> Result<(), TraceError> {
        self.gather(rows, table, with_shared::<1, 9>([optional("bytes")]), |row| {
            Ok((RawLabel::Memset, row.int(8)?.unwrap_or(0).unsigned_abs()))
        })
    }

    pub(super) fn read_graphs(&mut self, rows: Rows<'_>, table: &Table) -> Result<(), TraceError> {
        self.gather(rows, table, with_shared::<0, 8>([]), |_| Ok((RawLabel::Graph, 0)))
    }

    /// Adds the rows of a table; `what` gives the label and the payload of a row.
    fn gather<const N: usize>(
        &mut self,
        rows: Rows<'_>,
        table: &Table,
        columns: [Column; N],
        what: impl Fn(&Row<'_, N>) -> Result<(RawLabel, u64), TraceError> + Sync,
    ) -> Result<(), TraceError> {
        let visit = |part: &mut Self, row: &Row<'_, N>| {
            let (label, payload) = what(row)?;
            part.push(row, label, payload)
        };
        let mut read = rows.fold(table, columns, Self::none, visit, Self::append)?;
        if self.spans.is_empty() {
            let census = self.census.clone();
            *self = read;
            self.census.add(&census);
        } else {
            self.append(&mut read);
        }
        order::check_count(rows, table, self.spans.len())
    }

    #[inline]
    fn push<const N: usize>(
        &mut self,
        row: &Row<'_, N>,
        label: RawLabel,
        payload: u64,
    ) -> Result<(), TraceError> {
        let (start, end) = (row.some_int(0)?, row.some_int(1)?);
        if order::is_bad_time(start, end) {
            self.census.bad_times += 1;
            return Ok(());
        }
        let process = row.int(3)?;
        let queue = (process, row.some_int(4)?, row.int(5)?.unwrap_or(0), row.int(6)?.unwrap_or(0));
        self.census.without_process += u64::from(process.is_none());
        self.census.graph_nodes += u64::from(row.int(7)?.is_some_and(|node| node != 0));
        self.correlation.push(row.correlation(2)?.unwrap_or(0));
        self.spans.push(start, end);
        let queue = self.queues.id(queue);
        self.sort.push(self.sorts.id((queue, label, payload)));
        Ok(())
    }

    fn append(&mut self, later: &mut Self) {
        let queue = self.queues.adopt(&mut later.queues);
        let sorts = later.sorts.drain();
        let sort: Vec<u32> = sorts
            .map(|(old, label, payload)| self.sorts.id((queue[old as usize], label, payload)))
            .collect();
        append_renumbered(&mut self.sort, &mut later.sort, &sort);
        self.spans.append(&mut later.spans);
        self.correlation.append(&mut later.correlation);
        self.census.add(&std::mem::take(&mut later.census));
    }

    /// Names resolved, identities numbered; the rows are still to be sorted.
    pub(super) fn finish(
        self,
        identities: &Identities,
        strings: &StringTable<'_>,
    ) -> rusqlite::Result<(Operations, OperationCensus)> {
        let mut labels: Interner<Label> = Interner::new();
        // Of each kernel many sorts may be there, one for each grid: its names are looked up once.
        let mut raw_labels: Interner<RawLabel> = Interner::new();
        let mut label_of_raw: Vec<u32> = Vec::new();
        let mut sorts = Vec::with_capacity(self.sorts.keys().len());
        for (queue, raw, payload) in self.sorts.keys() {
            let number = raw_labels.id(*raw) as usize;
            if number == label_of_raw.len() {
                label_of_raw.push(labels.id(raw.named(strings)?));
            }
            let label = label_of_raw[number];
            sorts.push(OperationSort { queue: *queue, label, payload: *payload });
        }
        let (label_order, label_place) = canonical_order(labels.keys());
        let queues: Vec<Queue> =
            self.queues.keys().iter().map(|queue| named_queue(*queue, identities)).collect();
        let (queues, queue_place) = distinct(&queues);
        for OperationSort { queue, label, .. } in &mut sorts {
            *queue = queue_place[*queue as usize];
            *label = label_place[*label as usize];
        }
        let (sorts, sort_place) = distinct(&sorts);
        let mut operations = Operations {
            spans: self.spans,
            correlation: self.correlation,
            sort: self.sort,
            sorts,
            queues,
            labels: label_order.iter().map(|old| labels.keys()[*old as usize].clone()).collect(),
        };
        for sort in &mut operations.sort {
            *sort = sort_place[*sort as usize];
        }
        Ok((operations, self.census))
    }
}

fn named_queue((process, device, context, stream): RawQueue, identities: &Identities) -> Queue {
    let process = process.and_then(|global| identities.process_of_global(process_bits(global)));
    Queue { process, device, context, stream }
}

impl OperationCensus {
    fn add(&mut self, other: &Self) {
        self.bad_times += other.bad_times;
        self.graph_nodes += other.graph_nodes;
        self.without_process += other.without_process;
    }
}

/// The shared columns followed by a table's own.
fn with_shared<const A: usize, const N: usize>(own: [Column; A]) -> [Column; N] {
    std::array::from_fn(|i| if i < SHARED.len() { SHARED[i] } else { own[i - SHARED.len()] })
}
