//! What calls cost by themselves, and how long an operation takes to start: medians over the whole trace.
//!
//! - own cost of a call that waits: the median of calls of the same function with nothing of its process under
//!   way (the least of all, where there is none); of a launch, the median of those that are at most ten times
//!   as long as a short launch of their process (its tenth percentile: most launches may have been held up);
//! - tail: from the end of what was waited for to the return, over calls that did wait;
//! - latency: from the return of a call to the start of its operation, where the stream was empty;
//! - lead: the same from the entry, for calls that wait for their own operation;
//! - gap: from the end of an operation to the start of the next on its stream, where that had been waiting and
//!   nothing else held its engine;
//! - queue depth: how many operations of its stream had not started when a launch that was held up returned;
//! - slots: how many kernels a device runs at a time. Time with more of them is under 1 % of its busy time.
//!
//! Latencies of copies differ by size: they are taken within powers of two of the bytes.

use std::collections::BTreeMap;

use super::program::{Gaps, OpKind, QueueDepth};
use super::record::{NONE, RecordedStep, Recording, Role, process_index};
use crate::trace::OpId;

/// A launch this many times longer than the usual one of its process was held up, or loaded a module.
const LONG: i64 = 10;
/// The gap of a stream where the trace has no two operations of which the second was waiting: what other traces
/// have (0.7 to 1.4 us on seven GPUs).
const USUAL_GAP_NS: i64 = 1_000;
/// An operation that was submitted so long before it could start was surely waiting.
const SURELY_WAITING_NS: i64 = 10_000;
/// A queue of fewer operations is no queue that fills up.
const SHALLOWEST: usize = 8;
/// Time with more kernels at once than the device has slots, in parts of its busy time.
const OVER_SLOTS: i64 = 100;
/// Fewer samples make no median; the operation's own latency stands then.
const FEW: usize = 3;

/// Function, kind of operation, size class.
pub(crate) type Key = (u32, OpKind, u8);

/// The costs of one trace.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    own: Vec<Option<i64>>,
    tail: Vec<Option<i64>>,
    latency: BTreeMap<Key, i64>,
    lead: BTreeMap<Key, i64>,
    copy_tail: BTreeMap<Key, i64>,
    latency_of_kind: [Option<i64>; OpKind::COUNT],
    pub(crate) gaps: Gaps,
    queues: Vec<Option<QueueDepth>>,
    launch_median: Vec<Option<i64>>,
    short_launch: Vec<Option<i64>>,
    pub(crate) gap_seen: bool,
    slots: BTreeMap<i64, u32>,
}

/// Samples on their way to a median.
#[derive(Default)]
struct Samples {
    idle: Vec<Vec<i64>>,
    least: Vec<Option<i64>>,
    tail: Vec<Vec<i64>>,
    latency: BTreeMap<Key, Vec<i64>>,
    lead: BTreeMap<Key, Vec<i64>>,
    copy_tail: BTreeMap<Key, Vec<i64>>,
    gap: BTreeMap<(OpKind, OpKind), Vec<i64>>,
    launch: Vec<Vec<i64>>,
}

impl Costs {
    /// Measures them.
    pub(crate) fn of(all: &Recording<'_>) -> Self {
        let functions = all.trace.calls.names().len();
        let processes = all.trace.identities.processes().len() + 1;
        let mut samples = Samples {
            idle: vec![Vec::new(); functions],
            least: vec![None; functions],
            tail: vec![Vec::new(); functions],
            launch: vec![Vec::new(); processes],
            ..Samples::default()
        };
        for thread in 0..all.lanes.len() {
            let process = process_index(all.process_of_lane(thread));
            for step in all.lane(thread) {
                samples.step(all, step, process);
            }
        }
        let short_launch: Vec<Option<i64>> =
            samples.launch.iter_mut().map(|launch| tenth(launch)).collect();
        samples.launches(all, &short_launch);
        let gap_seen = !samples.gap.is_empty();
        let gaps = samples.gaps(engine_gap(all));
        let mut costs = Self {
            own: samples
                .idle
                .iter_mut()
                .zip(&samples.least)
                .map(|(idle, least)| median(idle).or(*least))
                .collect(),
            tail: samples.tail.iter_mut().map(|tail| median(tail)).collect(),
            latency_of_kind: by_kind(&samples.latency),
            latency: medians(samples.latency),
            lead: medians(samples.lead),
            copy_tail: medians(samples.copy_tail),
            gaps,
            gap_seen,
            short_launch,
            launch_median: samples.launch.iter_mut().map(|launch| median(launch)).collect(),
            queues: Vec::new(),
            slots: slots(all),
        };
        costs.queues = queue_depths(all, &costs);
        costs
    }

    /// A call's own cost, for calls whose duration is thrown away.
    pub(crate) fn own(&self, step: &RecordedStep) -> i64 {
        self.own[step.function as usize].map_or(step.length(), |own| own.min(step.length()))
    }

    /// The own cost of a function by its index.
    pub(crate) fn own_of(&self, function: u32) -> Option<i64> {
        self.own[function as usize]
    }

    /// From the end of what was waited for to the return.
    pub(crate) fn tail(&self, step: &RecordedStep) -> i64 {
        let own = self.own(step);
        self.tail[step.function as usize].unwrap_or(own)
    }

    /// From the return to the start of an operation; `recorded` stands where there are too few like it.
    pub(crate) fn latency(&self, key: Key, recorded: Option<i64>) -> i64 {
        let known = self.latency.get(&key).copied();
        known.or(recorded).or(self.latency_of_kind[key.1 as usize]).unwrap_or(0)
    }

    /// The same, where the trace has enough of them.
    pub(crate) fn known_latency(&self, key: Key) -> Option<i64> {
        self.latency.get(&key).copied().or(self.latency_of_kind[key.1 as usize])
    }

    /// From the entry to the start of an operation, for a call that waits for it; where the trace does not show
    /// it, what a launch takes, `recorded` at most.
    pub(crate) fn lead(&self, key: Key, process: usize, recorded: i64) -> i64 {
        let known = self.lead.get(&key).copied();
        known.or(self.launch_median(process)).unwrap_or(0).min(recorded)
    }

    /// From the end of the operation of a waiting copy to the return; `recorded` stands where there are too few.
    pub(crate) fn copy_tail(&self, key: Key, recorded: i64) -> i64 {
        self.copy_tail.get(&key).copied().unwrap_or(recorded)
    }

    /// The launch queue of a process, when it was seen full.
    pub(crate) fn queue(&self, process: usize) -> Option<QueueDepth> {
        self.queues.get(process).copied().flatten()
    }

    /// The median launch of a process.
    pub(crate) fn launch_median(&self, process: usize) -> Option<i64> {
        self.launch_median.get(process).copied().flatten()
    }

    /// Kernels that a device runs at a time.
    pub(crate) fn slots(&self, device: i64) -> u32 {
        self.slots.get(&device).copied().unwrap_or(1)
    }

    /// Whether a launch loads its module: long, with nothing under way.
    pub(crate) fn is_first_use(&self, step: &RecordedStep, process: usize) -> bool {
        step.launches
            && step.idle
            && self.launch_median(process).is_some_and(|median| step.length() > LONG * median)
    }
}

impl Samples {
    fn step(&mut self, all: &Recording<'_>, step: &RecordedStep, process: usize) {
        let function = step.function as usize;
        let length = step.length();
        if step.idle && !step.launches {
            self.idle[function].push(length);
        }
        self.least[function] = Some(self.least[function].map_or(length, |least| least.min(length)));
        if step.launches {
            self.launch[process].push(length);
        }
        match step.role {
            Role::Wait => {
                if let Some(end) = recorded_target_end(all, step).filter(|end| *end > step.start) {
                    self.tail[function].push(step.end - end);
                }
            }
            Role::Copy => {
                if let Some(last) = all.ops_of(step).last() {
                    let key = key(all, step, *last);
                    self.copy_tail.entry(key).or_default().push(step.end - all.end_of(*last));
                }
            }
            Role::Call | Role::Submit => {}
        }
        for (i, op) in all.ops_of(step).iter().enumerate() {
            self.operation(all, step, *op, i == 0);
        }
    }

    fn operation(&mut self, all: &Recording<'_>, step: &RecordedStep, op: u32, first: bool) {
        let key = key(all, step, op);
        let start = all.start_of(op);
        let held = all.engine_before[op as usize];
        let held_until = if held == NONE { i64::MIN } else { all.end_of(held) };
        if !all.was_queued(op, step) {
            if first && !all.was_held(op, step) {
                if step.role == Role::Copy {
                    self.lead.entry(key).or_default().push(start - step.start);
                } else {
                    self.latency.entry(key).or_default().push(start - step.end);
                }
            }
            return;
        }
        let before = all.before[op as usize];
        let ended = all.end_of(before);
        let submitted = if step.role == Role::Copy { step.start } else { step.end };
        let waited = ended > submitted + SURELY_WAITING_NS;
        if waited && held_until <= ended && all.edges.of(op).next().is_none() {
            let kinds = (all.kind_of(before), all.kind_of(op));
            self.gap.entry(kinds).or_default().push(start - ended);
        }
    }

    /// Launches cost what they cost when neither a full queue nor a module holds them up.
    fn launches(&mut self, all: &Recording<'_>, short: &[Option<i64>]) {
        for thread in 0..all.lanes.len() {
            let process = process_index(all.process_of_lane(thread));
            let Some(short) = short[process] else { continue };
            for step in all.lane(thread).iter().filter(|step| step.launches) {
                if step.length() <= LONG * short {
                    self.idle[step.function as usize].push(step.length());
                }
            }
        }
    }

    /// Medians of the gaps; a pair that was not seen has that of all.
    fn gaps(&mut self, engine: i64) -> Gaps {
        let mut every: Vec<i64> = self.gap.values().flatten().copied().collect();
        let usual = median(&mut every).unwrap_or(USUAL_GAP_NS);
        let mut gaps = Gaps { between: [[usual; OpKind::COUNT]; OpKind::COUNT], engine };
        for ((before, next), samples) in &mut self.gap {
            if let Some(gap) = median(samples) {
                gaps.between[*before as usize][*next as usize] = gap;
            }
        }
        gaps
    }
}

/// Function, kind and size class of an operation.
pub(crate) fn key(all: &Recording<'_>, step: &RecordedStep, op: u32) -> Key {
    let id: OpId = all.order[op as usize];
    let bytes = all.trace.operations.bytes(id).map_or(0, crate::units::Bytes::count);
    (step.function, all.kind_of(op), (u64::BITS - bytes.leading_zeros()) as u8)
}

/// The end of what a waiting step waited for, as recorded.
pub(crate) fn recorded_target_end(all: &Recording<'_>, step: &RecordedStep) -> Option<i64> {
    use super::record::Target;
    let last = |queue: usize| {
        let places = &all.by_queue[queue];
        let submitted = places.partition_point(|place| {
            all.steps[all.step_of[*place as usize] as usize].start < step.start
        });
        submitted.checked_sub(1).map(|at| all.end_of(places[at]))
    };
    match step.target {
        Target::Nothing => None,
        Target::Operation(place) => Some(all.end_of(place)),
        Target::Queue(queue) => last(queue as usize),
        Target::Everything => {
            let process = all.trace.calls.process(step.call, &all.trace.identities);
            (0..all.by_queue.len())
                .filter(|queue| {
                    let of = all.trace.operations.queues()[*queue].process;
                    of.is_none() || of == process
                })
                .filter_map(last)
                .max()
        }
    }
}

/// Between copies of different streams on one engine, where the later had been waiting.
fn engine_gap(all: &Recording<'_>) -> i64 {
    let mut gaps = Vec::new();
    for op in 0..all.order.len() as u32 {
        let held = all.engine_before[op as usize];
        if held == NONE || all.queue_of(held) == all.queue_of(op) {
            continue;
        }
        let step = &all.steps[all.step_of[op as usize] as usize];
        let (ended, start) = (all.end_of(held), all.start_of(op));
        let before = all.before[op as usize];
        let free = before == NONE || all.end_of(before) + SURELY_WAITING_NS / 2 < ended;
        if free && ended > step.end + SURELY_WAITING_NS && start >= ended {
            gaps.push(start - ended);
        }
    }
    median(&mut gaps).unwrap_or(0)
}

/// The launch queue of each process.
fn queue_depths(all: &Recording<'_>, costs: &Costs) -> Vec<Option<QueueDepth>> {
    let processes = all.trace.identities.processes().len() + 1;
    let mut seen: Vec<Vec<(usize, i64)>> = vec![Vec::new(); processes];
    for thread in 0..all.lanes.len() {
        let process = process_index(all.process_of_lane(thread));
        let Some(short) = costs.short_launch[process] else { continue };
        for step in all.lane(thread) {
            if step.launches && !step.idle && step.length() > LONG * short {
                seen[process].extend(depth_at_return(all, step));
            }
        }
    }
    seen.into_iter().map(|seen| depth(&seen)).collect()
}

/// Operations of the stream that had not started when the launch returned, and how long ago the last did.
fn depth_at_return(all: &Recording<'_>, step: &RecordedStep) -> Option<(usize, i64)> {
    let op = all.ops_of(step).last().copied()?;
    let queue = &all.by_queue[all.queue_of(op)];
    let own = all.in_queue[op as usize] as usize;
    let started = queue[..=own].partition_point(|place| all.start_of(*place) <= step.end);
    let last = started.checked_sub(1)?;
    Some((own - last, step.end - all.start_of(queue[last])))
}

/// The depth that most of them agree on.
fn depth(seen: &[(usize, i64)]) -> Option<QueueDepth> {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for (depth, _) in seen.iter().filter(|(depth, _)| *depth >= SHALLOWEST) {
        *counts.entry(*depth).or_default() += 1;
    }
    let (depth, count) =
        counts.into_iter().max_by_key(|(depth, count)| (*count, usize::MAX - depth))?;
    if count < FEW || 5 * count < seen.len() {
        return None;
    }
    let mut tails: Vec<i64> =
        seen.iter().filter(|(of, _)| *of == depth).map(|(_, tail)| *tail).collect();
    Some(QueueDepth { depth, tail: median(&mut tails)? })
}

/// How many kernels each device runs at a time.
fn slots(all: &Recording<'_>) -> BTreeMap<i64, u32> {
    let mut edges: BTreeMap<i64, Vec<(i64, i32)>> = BTreeMap::new();
    for op in 0..all.order.len() as u32 {
        if all.kind_of(op) == OpKind::Kernel {
            let device = all.trace.operations.queue(all.order[op as usize]).device;
            let edges = edges.entry(device).or_default();
            edges.push((all.start_of(op), 1));
            edges.push((all.end_of(op), -1));
        }
    }
    edges.into_iter().map(|(device, edges)| (device, at_once(edges))).collect()
}

/// The least number that is exceeded for under a hundredth of the busy time.
fn at_once(mut edges: Vec<(i64, i32)>) -> u32 {
    edges.sort_unstable();
    let mut time: BTreeMap<i32, i64> = BTreeMap::new();
    let (mut running, mut since) = (0, 0);
    for (at, change) in edges {
        if running > 0 {
            *time.entry(running).or_default() += at - since;
        }
        (running, since) = (running + change, at);
    }
    let busy: i64 = time.values().sum();
    let mut over = busy;
    for (running, of) in time {
        over -= of;
        if OVER_SLOTS * over <= busy {
            return running.unsigned_abs().max(1);
        }
    }
    1
}

fn by_kind(samples: &BTreeMap<Key, Vec<i64>>) -> [Option<i64>; OpKind::COUNT] {
    let mut all: [Vec<i64>; OpKind::COUNT] = Default::default();
    for ((_, kind, _), samples) in samples {
        all[*kind as usize].extend(samples);
    }
    all.map(|mut samples| median(&mut samples))
}

fn medians(samples: BTreeMap<Key, Vec<i64>>) -> BTreeMap<Key, i64> {
    samples
        .into_iter()
        .filter(|(_, samples)| samples.len() >= FEW)
        .filter_map(|(key, mut samples)| Some((key, median(&mut samples)?)))
        .collect()
}

/// The tenth percentile.
fn tenth(samples: &mut [i64]) -> Option<i64> {
    let place = samples.len().checked_sub(1)? / 10;
    Some(*samples.select_nth_unstable(place).1)
}

/// The middle one (the lower of two); `None` for none.
pub(crate) fn median(samples: &mut [i64]) -> Option<i64> {
    let middle = samples.len().checked_sub(1)? / 2;
    Some(*samples.select_nth_unstable(middle).1)
}
