//! Whose window it is, and whose work counts in it.
//!
//! An NVTX instance belongs to the process and thread of its range; windows given as times own every
//! process. `--process` and `--thread` narrow the instances, `--attribute-process` says whose calls
//! and operations are attributed.

use super::error::WindowError;
use crate::trace::{Identities, ProcessId, ThreadId, Trace};

/// The process and thread that a window belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The process.
    pub process: ProcessId,
    /// The thread; `None` when the window is no thread's (runs of kernels).
    pub thread: Option<ThreadId>,
}

/// Whose calls and operations count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attributed {
    /// Those of every process.
    Any,
    /// Those of one process.
    Only(ProcessId),
}

impl Attributed {
    /// Whether a call of `process` counts.
    pub fn calls_of(self, process: Option<ProcessId>) -> bool {
        match self {
            Self::Any => true,
            Self::Only(own) => process == Some(own),
        }
    }

    /// Whether an operation of `process` counts: one that names no process counts for every one.
    pub fn operations_of(self, process: Option<ProcessId>) -> bool {
        match self {
            Self::Any => true,
            Self::Only(own) => process.is_none_or(|process| process == own),
        }
    }
}

/// The process with that pid or name.
pub(super) fn find_process(wanted: &str, trace: &Trace) -> Result<ProcessId, WindowError> {
    let identities = &trace.identities;
    let matches = |id: &ProcessId| {
        let process = identities.process(*id);
        process.pid.to_string() == wanted
            || process.name.as_deref().is_some_and(|name| same_program(name, wanted))
    };
    let found: Vec<ProcessId> = identities.process_ids().filter(matches).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        _ => Err(WindowError::NoSuchOwner {
            kind: if found.is_empty() { "process" } else { "single process" },
            wanted: wanted.to_owned(),
            present: list(identities.process_ids().map(|id| identities.describe(id))),
        }),
    }
}

/// The threads with that tid or name (a name may stand for several).
pub(super) fn find_threads(
    wanted: &str,
    identities: &Identities,
) -> Result<Vec<ThreadId>, WindowError> {
    let threads = identities.threads();
    let found: Vec<ThreadId> = threads
        .iter()
        .enumerate()
        .filter(|(_, thread)| {
            thread.tid.is_some_and(|tid| tid.to_string() == wanted)
                || thread.name.as_deref() == Some(wanted)
        })
        .map(|(index, _)| ThreadId(index as u32))
        .collect();
    if found.is_empty() {
        let present = threads.iter().filter_map(|thread| {
            let tid = thread.tid?;
            Some(
                thread
                    .name
                    .as_ref()
                    .map_or_else(|| tid.to_string(), |name| format!("{name} ({tid})")),
            )
        });
        return Err(WindowError::NoSuchOwner {
            kind: "thread",
            wanted: wanted.to_owned(),
            present: list(present),
        });
    }
    Ok(found)
}

fn same_program(name: &str, wanted: &str) -> bool {
    name == wanted || name.rsplit('/').next() == Some(wanted)
}

fn list(names: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = names.collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}
