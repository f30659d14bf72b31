//! GPU operations: kernels, copies, memsets and whole-graph rows, as sorted columns.
//!
//! Tables `CUPTI_ACTIVITY_KIND_{KERNEL,MEMCPY,MEMSET,GRAPH_TRACE}`. Each operation has a queue
//! (process, device, context, stream), the correlation id of the API call that caused it, and a
//! label that says what it is. Order: start, end, queue, correlation id.

use super::error::TraceError;
use super::identity::{Identities, ProcessId, process_bits};
use super::order;
use super::scan::{Rows, optional, required};
use super::schema::Table;
use super::strings::{Interner, StringTable, canonical_order};
use crate::units::{Bytes, Span};

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

/// All GPU operations, sorted by start.
#[derive(Clone, Debug, Default)]
pub struct Operations {
    start: Vec<i64>,
    end: Vec<i64>,
    /// 0 where the export has none.
    correlation: Vec<u32>,
    queue: Vec<u32>,
    label: Vec<u32>,
    /// Bytes of a copy or memset; the packed grid of a kernel.
    payload: Vec<u64>,
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
        self.start.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.start.is_empty()
    }

    /// Every operation, by start.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = OpId> + use<> {
        (0..self.start.len() as u32).map(OpId)
    }

    /// Every operation from `first` on.
    pub fn ids_from(&self, first: OpId) -> impl Iterator<Item = OpId> + use<> {
        (first.0..self.start.len() as u32).map(OpId)
    }

    /// The first operation that starts at `instant` or later; one past the last when there is none.
    pub fn first_starting_from(&self, instant: crate::units::TraceTime) -> OpId {
        OpId(self.start.partition_point(|start| *start < instant.as_ns()) as u32)
    }

    /// From start to end on the GPU.
    pub fn span(&self, op: OpId) -> Span {
        Span::from_ns(self.start[op.index()], self.end[op.index()])
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
        self.queue[op.index()] as usize
    }

    /// What it is.
    pub fn label(&self, op: OpId) -> &Label {
        &self.labels[self.label_index(op)]
    }

    /// What it is, as an index into [`Operations::labels`].
    pub fn label_index(&self, op: OpId) -> usize {
        self.label[op.index()] as usize
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
        self.label(op).moves_memory().then(|| Bytes::new(self.payload[op.index()]))
    }

    /// The grid of a kernel; `None` for everything else.
    pub fn grid(&self, op: OpId) -> Option<Grid> {
        self.label(op).is_kernel().then(|| {
            let packed = self.payload[op.index()];
            Grid {
                blocks: (
                    (packed >> 32) as u32,
                    (packed >> 16) as u32 & 0xffff,
                    packed as u32 & 0xffff,
                ),
            }
        })
    }

    fn sort(&mut self) {
        let key = |i: usize| {
            (
                self.start[i],
                self.end[i],
                self.queue[i],
                self.correlation[i],
                self.label[i],
                self.payload[i],
            )
        };
        if let Some(order) = order::sorting(self.len(), key) {
            order::apply(&mut self.start, &order);
            order::apply(&mut self.end, &order);
            order::apply(&mut self.correlation, &order);
            order::apply(&mut self.queue, &order);
            order::apply(&mut self.label, &order);
            order::apply(&mut self.payload, &order);
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

/// Columns as they are stored, before identities are known.
pub(super) struct RawOperations {
    columns: Operations,
    queues: Interner<(Option<i64>, i64, i64, i64)>,
    labels: Interner<RawLabel>,
    pub(super) census: OperationCensus,
}

/// The columns that all GPU tables share.
const SHARED: [super::scan::Column; 8] = [
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
            columns: Operations::default(),
            queues: Interner::new(),
            labels: Interner::new(),
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
        rows.each::<13>(table, with_shared(own), |row| {
            let short = row.some_int(9)?;
            let label = RawLabel::Kernel { demangled: row.int(8)?.unwrap_or(short), short };
            let blocks = |i: usize| row.int(i).map(|n| n.unwrap_or(0).unsigned_abs());
            let grid = blocks(10)? << 32 | (blocks(11)? & 0xffff) << 16 | (blocks(12)? & 0xffff);
            self.push(row, label, grid)
        })?;
        order::check_count(rows, table, self.columns.len())
    }

    pub(super) fn read_copies(&mut self, rows: Rows<'_>, table: &Table) -> Result<(), TraceError> {
        rows.each::<10>(table, with_shared([optional("bytes"), optional("copyKind")]), |row| {
            let label = RawLabel::Copy { kind: row.int(9)?.unwrap_or(0) };
            self.push(row, label, row.int(8)?.unwrap_or(0).unsigned_abs())
        })?;
        order::check_count(rows, table, self.columns.len())
    }

    pub(super) fn read_memsets(&mut self, rows: Rows<'_>, table: &Table) -> Result<(), TraceError> {
        rows.each::<9>(table, with_shared([optional("bytes")]), |row| {
            self.push(row, RawLabel::Memset, row.int(8)?.unwrap_or(0).unsigned_abs())
        })?;
        order::check_count(rows, table, self.columns.len())
    }

    pub(super) fn read_graphs(&mut self, rows: Rows<'_>, table: &Table) -> Result<(), TraceError> {
        rows.each::<8>(table, with_shared([]), |row| self.push(row, RawLabel::Graph, 0))?;
        order::check_count(rows, table, self.columns.len())
    }

    fn push<const N: usize>(
        &mut self,
        row: &super::scan::Row<'_, N>,
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
        self.columns.start.push(start);
        self.columns.end.push(end);
        self.columns.correlation.push(row.correlation(2)?.unwrap_or(0));
        self.columns.queue.push(self.queues.id(queue));
        self.columns.label.push(self.labels.id(label));
        self.columns.payload.push(payload);
        Ok(())
    }

    /// Names resolved, identities numbered, rows in order.
    pub(super) fn finish(
        self,
        identities: &Identities,
        strings: &StringTable<'_>,
    ) -> rusqlite::Result<(Operations, OperationCensus)> {
        let mut labels: Interner<Label> = Interner::new();
        let mut label_of = Vec::with_capacity(self.labels.keys().len());
        for raw in self.labels.keys() {
            label_of.push(labels.id(match *raw {
                RawLabel::Kernel { demangled, short } => {
                    Label::Kernel { demangled: strings.get(demangled)?, short: strings.get(short)? }
                }
                RawLabel::Copy { kind } => Label::Copy { kind },
                RawLabel::Memset => Label::Memset,
                RawLabel::Graph => Label::Graph,
            }));
        }
        let (label_order, label_place) = canonical_order(labels.keys());
        let queues: Vec<Queue> = self
            .queues
            .keys()
            .iter()
            .map(|(process, device, context, stream)| Queue {
                process: process
                    .and_then(|global| identities.process_of_global(process_bits(global))),
                device: *device,
                context: *context,
                stream: *stream,
            })
            .collect();
        let (queue_order, queue_place) = canonical_order(&queues);
        let mut operations = self.columns;
        for label in &mut operations.label {
            *label = label_place[label_of[*label as usize] as usize];
        }
        for queue in &mut operations.queue {
            *queue = queue_place[*queue as usize];
        }
        operations.labels =
            label_order.iter().map(|old| labels.keys()[*old as usize].clone()).collect();
        operations.queues = queue_order.iter().map(|old| queues[*old as usize]).collect();
        operations.sort();
        Ok((operations, self.census))
    }
}

/// The shared columns followed by a table's own.
fn with_shared<const A: usize, const N: usize>(
    own: [super::scan::Column; A],
) -> [super::scan::Column; N] {
    std::array::from_fn(|i| if i < SHARED.len() { SHARED[i] } else { own[i - SHARED.len()] })
}
