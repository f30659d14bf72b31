//! Which API call caused which GPU operation.
//!
//! They share (process, correlationId); the correlation id alone collides between processes. When
//! two calls share the key, the outermost is the cause: it comes first in the order of [`Calls`]. An
//! operation that names no process is joined by its id alone, if a single process uses that id.
//! Ids are dense in real traces, so each process gets a plain table from id to call; a process whose
//! ids are scattered gets a sorted list instead.

use super::calls::{CallId, Calls};
use super::identity::Identities;
use super::operations::{OpId, Operations};

/// Stands for "no call" in the columns here.
const NO_CALL: u32 = u32::MAX;
/// A table from id to call may be this many times longer than the number of calls.
const SPARSENESS: u64 = 8;

/// For each operation, the call that caused it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    cause: Vec<u32>,
    colliding_ids: u64,
    without_cause: usize,
}

impl Links {
    /// The call that caused the operation, when the export has it.
    pub fn cause(&self, op: OpId) -> Option<CallId> {
        Some(self.cause[op.index()]).filter(|call| *call != NO_CALL).map(CallId)
    }

    /// Whether the call that caused the operation should be there but is not. Pages of unified
    /// memory that the driver moves on its own account have no call and are no orphans.
    pub fn is_orphan(&self, op: OpId, operations: &Operations) -> bool {
        self.cause(op).is_none() && !operations.label(op).is_unified_memory()
    }

    /// How many operations have no call in the export, orphans and the driver's own alike.
    pub const fn without_cause(&self) -> usize {
        self.without_cause
    }

    /// How many correlation ids occur in the calls of more than one process.
    pub fn colliding_ids(&self) -> u64 {
        self.colliding_ids
    }

    /// Joins operations to calls.
    pub(super) fn join(calls: &Calls, operations: &Operations, identities: &Identities) -> Self {
        let processes = calls.processes_by_maker(identities);
        let process_of = |call: CallId| processes[calls.maker_index(call)];
        let mut by_maker = vec![Extent::default(); processes.len()];
        for call in calls.ids() {
            if let Some(id) = calls.correlation(call) {
                by_maker[calls.maker_index(call)].add(id);
            }
        }
        let mut extents = vec![Extent::default(); identities.processes().len()];
        for (process, extent) in processes.iter().zip(&by_maker) {
            if let Some(process) = process {
                extents[process.index()].join(extent);
            }
        }
        let mut indexes: Vec<CallIndex> = extents.iter().map(CallIndex::new).collect();
        for call in calls.ids() {
            if let (Some(process), Some(id)) = (process_of(call), calls.correlation(call)) {
                indexes[process.index()].add(id, call.0);
            }
        }
        indexes.iter_mut().for_each(CallIndex::finish);
        let callers = operations.processes_by_sort();
        let mut without_cause = 0;
        let mut cause = Vec::with_capacity(operations.len());
        for op in operations.ids() {
            let call = match (operations.correlation(op), callers[operations.sort_index(op)]) {
                (None, _) => None,
                (Some(id), Some(process)) => indexes[process.index()].get(id),
                (Some(id), None) => only_call(&indexes, id),
            };
            without_cause += usize::from(call.is_none());
            cause.push(call.unwrap_or(NO_CALL));
        }
        Self { cause, colliding_ids: colliding(&indexes), without_cause }
    }
}

/// The ids of one process.
#[derive(Clone, Copy, Debug)]
struct Extent {
    first: u32,
    last: u32,
    count: u64,
}

impl Default for Extent {
    fn default() -> Self {
        Self { first: u32::MAX, last: 0, count: 0 }
    }
}

impl Extent {
    fn add(&mut self, id: u32) {
        self.join(&Self { first: id, last: id, count: 1 });
    }

    fn join(&mut self, other: &Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.count += other.count;
    }
}

/// From correlation id to call, within one process.
enum CallIndex {
    Dense { first: u32, calls: Vec<u32> },
    Sorted(Vec<(u32, u32)>),
}

impl CallIndex {
    fn new(extent: &Extent) -> Self {
        let Extent { first, last, .. } = *extent;
        if extent.count == 0 {
            return Self::Sorted(Vec::new());
        }
        let length = u64::from(last - first) + 1;
        if length > SPARSENESS * extent.count + 1024 {
            return Self::Sorted(Vec::new());
        }
        Self::Dense { first, calls: vec![NO_CALL; length as usize] }
    }

    /// Adds a call; calls come in their order, and the first of an id counts.
    fn add(&mut self, id: u32, call: u32) {
        match self {
            Self::Dense { first, calls } => {
                let place = &mut calls[(id - *first) as usize];
                *place = (*place).min(call);
            }
            Self::Sorted(keys) => keys.push((id, call)),
        }
    }

    fn finish(&mut self) {
        if let Self::Sorted(keys) = self {
            keys.sort_unstable();
            keys.dedup_by_key(|key| key.0);
        }
    }

    fn get(&self, id: u32) -> Option<u32> {
        match self {
            Self::Dense { first, calls } => {
                let place = id.checked_sub(*first)?;
                calls.get(place as usize).copied().filter(|call| *call != NO_CALL)
            }
            Self::Sorted(keys) => {
                let at = keys.binary_search_by_key(&id, |key| key.0).ok()?;
                Some(keys[at].1)
            }
        }
    }

    /// The ids in order.
    fn ids(&self, into: &mut Vec<u32>) {
        match self {
            Self::Dense { first, calls } => {
                let used = (0..calls.len()).filter(|place| calls[*place] != NO_CALL);
                into.extend(used.map(|place| first + place as u32));
            }
            Self::Sorted(keys) => into.extend(keys.iter().map(|key| key.0)),
        }
    }
}

/// The call of an operation that names no process: there is one only when a single process uses
/// the id.
fn only_call(indexes: &[CallIndex], id: u32) -> Option<u32> {
    let mut found = indexes.iter().filter_map(|index| index.get(id));
    let call = found.next()?;
    found.next().is_none().then_some(call)
}

/// Ids that more than one process uses.
fn colliding(indexes: &[CallIndex]) -> u64 {
    if indexes.len() < 2 {
        return 0;
    }
    let mut ids: Vec<u32> = Vec::new();
    indexes.iter().for_each(|index| index.ids(&mut ids));
    // Stable, because that merges runs that are in order already.
    ids.sort();
    ids.chunk_by(|a, b| a == b).filter(|same| same.len() > 1).count() as u64
}
