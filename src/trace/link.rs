//! Which API call caused which GPU operation.
//!
//! They share (process, correlationId); the correlation id alone collides between processes. When
//! two calls share the key, the outermost is the cause: it comes first in the order of [`Calls`]. An
//! operation that names no process is joined by its id alone, if a single process uses that id.
//! Ids are dense in real traces, so each process gets a plain table from id to call; a process whose
//! ids are scattered gets a sorted list instead.

use super::calls::{CallId, Calls};
use super::identity::{Identities, ProcessId};
use super::operations::{OpId, Operations};

/// Stands for "no call" in the columns here.
const NO_CALL: u32 = u32::MAX;
/// A table from id to call may be this many times longer than the number of calls.
const SPARSENESS: u64 = 8;

/// For each operation, the call that caused it.
#[derive(Clone, Debug, Default)]
pub struct Links {
    cause: Vec<u32>,
    colliding_ids: u64,
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

    /// How many correlation ids occur in the calls of more than one process.
    pub fn colliding_ids(&self) -> u64 {
        self.colliding_ids
    }

    /// Joins operations to calls.
    pub(super) fn join(calls: &Calls, operations: &Operations, identities: &Identities) -> Self {
        let count = identities.processes().len();
        let mut by_process: Vec<Vec<(u32, u32)>> = vec![Vec::new(); count];
        for call in calls.ids() {
            if let (Some(process), Some(id)) =
                (calls.process(call, identities), calls.correlation(call))
            {
                by_process[process.index()].push((id, call.0));
            }
        }
        let indexes: Vec<CallIndex> = by_process.into_iter().map(CallIndex::new).collect();
        let find = |process: ProcessId, id: u32| indexes[process.index()].get(id);
        let cause = operations
            .ids()
            .map(|op| {
                let Some(id) = operations.correlation(op) else { return NO_CALL };
                let call = match operations.queue(op).process {
                    Some(process) => find(process, id),
                    None => only_call(&indexes, id),
                };
                call.unwrap_or(NO_CALL)
            })
            .collect();
        Self { cause, colliding_ids: colliding(&indexes) }
    }
}

/// From correlation id to call, within one process.
enum CallIndex {
    Dense { first: u32, calls: Vec<u32> },
    Sorted(Vec<(u32, u32)>),
}

impl CallIndex {
    fn new(mut keys: Vec<(u32, u32)>) -> Self {
        let first = keys.iter().map(|key| key.0).min().unwrap_or(0);
        let last = keys.iter().map(|key| key.0).max().unwrap_or(0);
        let length = u64::from(last - first) + 1;
        if length > SPARSENESS * keys.len() as u64 + 1024 {
            keys.sort_unstable();
            keys.dedup_by_key(|key| key.0);
            return Self::Sorted(keys);
        }
        let mut calls = vec![NO_CALL; length as usize];
        for (id, call) in keys {
            let place = &mut calls[(id - first) as usize];
            if *place == NO_CALL {
                *place = call;
            }
        }
        Self::Dense { first, calls }
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

    fn ids(&self) -> Vec<u32> {
        match self {
            Self::Dense { first, calls } => (0..calls.len() as u32)
                .filter(|place| calls[*place as usize] != NO_CALL)
                .map(|place| first + place)
                .collect(),
            Self::Sorted(keys) => keys.iter().map(|key| key.0).collect(),
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
    let mut ids: Vec<u32> = indexes.iter().flat_map(CallIndex::ids).collect();
    ids.sort_unstable();
    ids.chunk_by(|a, b| a == b).filter(|same| same.len() > 1).count() as u64
}
