//! Which operation a waiting call waited for, and which streams wait for which.
//!
//! Rows of the export say so where they are there ([`crate::trace::Synchronization`]). Where they are not, the
//! record decides which it *was*, never how long it took: a call that waited for an event or for an unnamed
//! stream waited for the operation, submitted before it, that ended last of those that ended before it
//! returned. `cudaStreamWaitEvent` without rows joins the stream of the operation before the last
//! `cudaEventRecord` to the stream of the thread's next operation; a join that the record contradicts (the
//! second operation starts before the first has ended) is dropped and counted. In a CUDA graph that was traced
//! by node, a node waits for the node that ended last before it began.

use std::collections::BTreeMap;

use super::record::{RecordedStep, Recording, Role, Target};
use crate::trace::{ProcessId, WaitKind};

/// Operations that wait for operations of other streams.
#[derive(Debug, Default)]
pub(crate) struct Edges {
    /// (operation, what it waits for), in order.
    pub(crate) edges: Vec<(u32, u32)>,
    /// Joins that the record contradicts.
    pub(crate) contradicted: u64,
}

impl Edges {
    /// What an operation waits for.
    pub(crate) fn of(&self, place: u32) -> impl Iterator<Item = u32> + '_ {
        let from = self.edges.partition_point(|(op, _)| *op < place);
        self.edges[from..].iter().take_while(move |(op, _)| *op == place).map(|(_, before)| *before)
    }

    /// Finds them.
    pub(crate) fn find(all: &Recording<'_>) -> Self {
        let mut found = Self::default();
        found.events(all);
        found.graphs(all);
        found.edges.sort_unstable();
        found.edges.dedup();
        found
    }

    fn add(&mut self, all: &Recording<'_>, op: u32, before: u32) {
        if op == before || all.queue_of(op) == all.queue_of(before) {
            return;
        }
        if all.start_of(op) < all.end_of(before) {
            self.contradicted += 1;
        } else {
            self.edges.push((op, before));
        }
    }

    /// Waits of streams for events, in the order of the calls.
    fn events(&mut self, all: &Recording<'_>) {
        let trace = all.trace;
        let records: Vec<bool> = names(all, "EventRecord");
        let waits: Vec<bool> = names(all, "StreamWaitEvent");
        if !waits.contains(&true) {
            return;
        }
        let mut by_time: Vec<(i64, u32)> = (0..all.steps.len() as u32)
            .filter(|at| {
                let step = &all.steps[*at as usize];
                records[step.function as usize]
                    || waits[step.function as usize]
                    || step.ops.1 > step.ops.0
            })
            .map(|at| (all.steps[at as usize].start, at))
            .collect();
        by_time.sort_unstable();
        let mut walk = Walk::default();
        for (_, at) in by_time {
            let step = &all.steps[at as usize];
            let thread = trace.calls.thread(step.call).index();
            if records[step.function as usize] {
                walk.record(all, step, thread);
            } else if waits[step.function as usize] {
                walk.wait(all, step, thread);
            } else {
                walk.submit(all, step, thread, self);
            }
        }
    }

    /// Nodes of one graph launch, when the graph spans several streams.
    fn graphs(&mut self, all: &Recording<'_>) {
        for step in all.steps.iter().filter(|step| step.launches && step.ops.1 - step.ops.0 > 1) {
            let mut ops = all.ops_of(step).to_vec();
            let first = all.queue_of(ops[0]);
            if ops.iter().all(|op| all.queue_of(*op) == first) {
                continue;
            }
            ops.sort_by_key(|op| (all.end_of(*op), *op));
            for op in all.ops_of(step) {
                let ended = ops.partition_point(|other| all.end_of(*other) <= all.start_of(*op));
                if let Some(before) = ops[..ended].iter().rev().find(|before| *before != op) {
                    self.add(all, *op, *before);
                }
            }
        }
    }
}

/// Which functions contain a word.
fn names(all: &Recording<'_>, word: &str) -> Vec<bool> {
    all.trace.calls.names().iter().map(|name| name.text.contains(word)).collect()
}

/// What has been submitted, recorded and waited for so far.
#[derive(Default)]
struct Walk {
    /// The last operation of each queue.
    last: BTreeMap<usize, u32>,
    /// The queue of the last operation of each thread.
    queue: BTreeMap<usize, usize>,
    /// What the last record of each thread stands behind: an operation, and what its stream was told to wait for.
    recorded: BTreeMap<usize, Vec<u32>>,
    /// The same for events that rows name.
    events: BTreeMap<(Option<ProcessId>, i64), Vec<u32>>,
    /// Waits that the next operation of a thread (or of a named stream) takes over.
    /// By thread, stream where it is known, and the queue waited for: only its latest operation counts.
    open: BTreeMap<(usize, Option<i64>, usize), u32>,
}

impl Walk {
    fn record(&mut self, all: &Recording<'_>, step: &RecordedStep, thread: usize) {
        let trace = all.trace;
        let process = trace.calls.process(step.call, &trace.identities);
        let row = trace
            .calls
            .correlation(step.call)
            .and_then(|id| trace.synchronization.record_of(process, id));
        let queues = trace.operations.queues();
        let queue = match row {
            Some(row) => queues.iter().position(|queue| {
                queue.process == process
                    && queue.context == row.context
                    && queue.stream == row.stream
            }),
            None => self.queue.get(&thread).copied(),
        };
        let stream = row.map(|row| row.stream).or(queue.map(|queue| queues[queue].stream));
        let last = queue.and_then(|queue| self.last.get(&queue)).copied();
        let told = self
            .open
            .iter()
            .filter(|((of, wanted, _), _)| {
                *of == thread && wanted.is_none_or(|wanted| Some(wanted) == stream)
            })
            .map(|(_, before)| *before);
        let behind: Vec<u32> = last.into_iter().chain(told).collect();
        if behind.is_empty() {
            return;
        }
        if let Some(row) = row {
            self.events.insert((process, row.event), behind.clone());
        }
        self.recorded.insert(thread, behind);
    }

    fn wait(&mut self, all: &Recording<'_>, step: &RecordedStep, thread: usize) {
        let trace = all.trace;
        let process = trace.calls.process(step.call, &trace.identities);
        let row = trace
            .calls
            .correlation(step.call)
            .and_then(|id| trace.synchronization.wait_of(process, id))
            .filter(|row| row.kind == WaitKind::StreamForEvent);
        let by_row =
            row.and_then(|row| row.event).and_then(|event| self.events.get(&(process, event)));
        let behind = by_row.or_else(|| self.recorded.get(&thread));
        let stream = row.and_then(|row| row.stream);
        let behind: Vec<u32> = behind.cloned().unwrap_or_default();
        for before in behind {
            let latest = self.open.entry((thread, stream, all.queue_of(before))).or_insert(before);
            *latest = before.max(*latest);
        }
    }

    fn submit(
        &mut self,
        all: &Recording<'_>,
        step: &RecordedStep,
        thread: usize,
        found: &mut Edges,
    ) {
        let ops = all.ops_of(step);
        let Some(first) = ops.first().copied() else { return };
        let stream = all.trace.operations.queues()[all.queue_of(first)].stream;
        self.open.retain(|(of, wanted, _), behind| {
            let taken = *of == thread && wanted.is_none_or(|wanted| wanted == stream);
            if taken {
                found.add(all, first, *behind);
            }
            !taken
        });
        for op in ops {
            self.last.insert(all.queue_of(*op), *op);
            self.queue.insert(thread, all.queue_of(*op));
        }
    }
}

/// Finds what every waiting step waited for.
pub(crate) fn find_targets(all: &mut Recording<'_>) {
    let queues = all.trace.operations.queues().len();
    for thread in 0..all.lanes.len() {
        let process = all.process_of_lane(thread);
        let own: Vec<usize> = (0..queues)
            .filter(|queue| {
                let of = all.trace.operations.queues()[*queue].process;
                of.is_none() || of == process
            })
            .collect();
        let (from, to) = all.lanes[thread];
        for at in from..to {
            let step = all.steps[at as usize];
            if step.role == Role::Wait {
                all.steps[at as usize].target = target(all, &step, process, &own);
            }
        }
    }
    find_freeing(all);
}

/// What one waiting step waited for.
fn target(
    all: &Recording<'_>,
    step: &RecordedStep,
    process: Option<ProcessId>,
    own: &[usize],
) -> Target {
    let trace = all.trace;
    let Some(call) = step.synchronises else { return Target::Nothing };
    let name = &trace.calls.name(call).text;
    if own.is_empty() {
        return Target::Nothing;
    }
    if name.contains("Device") || name.contains("Ctx") {
        return Target::Everything;
    }
    let row =
        trace.calls.correlation(call).and_then(|id| trace.synchronization.wait_of(process, id));
    let named = row.filter(|row| row.kind == WaitKind::Stream).and_then(|row| {
        own.iter().copied().find(|queue| {
            let queue = &trace.operations.queues()[*queue];
            Some(queue.stream) == row.stream && queue.context == row.context
        })
    });
    if let Some(queue) = named {
        return Target::Queue(queue as u32);
    }
    if row.is_some_and(|row| row.kind == WaitKind::Stream && row.stream.is_some()) {
        // A stream that was never given anything.
        return Target::Nothing;
    }
    let by_end = own
        .iter()
        .filter_map(|queue| last_ended(all, *queue, step))
        .max_by_key(|place| (all.end_of(*place), *place));
    match by_end {
        None => Target::Nothing,
        Some(place) => {
            let queue = &all.by_queue[all.queue_of(place)];
            let next = queue.get(all.in_queue[place as usize] as usize + 1);
            let is_last = next.is_none_or(|next| {
                all.steps[all.step_of[*next as usize] as usize].start >= step.start
            });
            // A stream's last operation stands for the stream, whatever a change adds or removes.
            if is_last && name.contains("Stream") {
                Target::Queue(all.queue_of(place) as u32)
            } else {
                Target::Operation(place)
            }
        }
    }
}

/// The last operation of a queue that was submitted before a step and ended before it returned.
fn last_ended(all: &Recording<'_>, queue: usize, step: &RecordedStep) -> Option<u32> {
    let places = &all.by_queue[queue];
    let submitted = places.partition_point(|place| {
        all.steps[all.step_of[*place as usize] as usize].start < step.start
    });
    places[..submitted].iter().rev().copied().find(|place| all.end_of(*place) <= step.end)
}

/// Freeing memory waits for the device; whether it did is measured.
fn find_freeing(all: &mut Recording<'_>) {
    let frees: Vec<bool> = all
        .trace
        .calls
        .names()
        .iter()
        .map(|name| {
            matches!(
                name.text.as_str(),
                "cudaFree" | "cudaFreeHost" | "cuMemFree" | "cuMemFree_v2" | "cuMemFreeHost"
            )
        })
        .collect();
    if !frees.contains(&true) {
        return;
    }
    for at in 0..all.steps.len() {
        let step = all.steps[at];
        if !frees[step.function as usize] || step.idle || step.role != Role::Call {
            continue;
        }
        let process = all.trace.calls.process(step.call, &all.trace.identities);
        let open = (0..all.by_queue.len()).any(|queue| {
            if all.trace.operations.queues()[queue].process != process {
                return false;
            }
            let places = &all.by_queue[queue];
            let submitted = places.partition_point(|place| {
                all.steps[all.step_of[*place as usize] as usize].start < step.start
            });
            submitted > 0 && all.end_of(places[submitted - 1]) > step.end
        });
        if !open {
            (all.steps[at].role, all.steps[at].target) = (Role::Wait, Target::Everything);
        }
    }
}
