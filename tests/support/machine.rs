//! A CPU and a GPU of our own: the truth for predictions.
//!
//! A program is a list of what one thread does, every cost written into it, so that the same program can be run
//! before and after a change. The machine knows one rule for each thing and looks ahead nowhere: whenever the
//! thread has to know when something ended, the GPU works off, one at a time, the operation that can start
//! first. Shares no code and no data structure with the replay.

use std::collections::BTreeMap;

use super::random::Dice;
use super::schema::Generation;
use super::spec::{EventRow, Gpu, SyncRow, TraceSpec, Work, process, thread};

pub const PROCESS: i64 = process(4711);
pub const THREAD: i64 = thread(4711, 4711);
/// The range around each request.
pub const WINDOW: &str = "latency";

/// What one thread does.
#[derive(Clone, Debug, PartialEq)]
pub enum Do {
    /// Computes on the host.
    Host(i64),
    /// A call that the GPU does not see.
    Call { name: &'static str, cost: i64 },
    /// Launches a kernel.
    Launch { name: String, stream: i64, cost: i64, gpu: i64 },
    /// Copies and returns.
    CopyAsync { up: bool, stream: i64, cost: i64, gpu: i64 },
    /// Copies and waits for it; `lead` passes before the copy may start.
    Copy { up: bool, stream: i64, lead: i64, gpu: i64, tail: i64 },
    /// Waits for a stream.
    SyncStream { stream: i64, cost: i64 },
    /// Waits for everything.
    SyncDevice { cost: i64 },
    /// Records an event.
    Record { stream: i64, event: i64, cost: i64 },
    /// Lets a stream wait for an event.
    Wait { stream: i64, event: i64, cost: i64 },
    /// Waits for an event.
    SyncEvent { event: i64, cost: i64 },
    /// Launches a graph: (stream, time, copy direction if any) of each node, in order.
    Graph { nodes: Vec<Node>, cost: i64 },
}

/// A node of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub name: String,
    pub stream: i64,
    pub gpu: i64,
    pub copy: Option<bool>,
    /// Nodes of the same graph that must have ended.
    pub after: Vec<usize>,
}

/// The constants of the machine, in ns.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// From the return of a launch or an asynchronous copy to the earliest start.
    pub latency: i64,
    /// Between two operations of a stream.
    pub gap: i64,
    /// Operations of a stream that may not have started when a launch returns.
    pub queue: usize,
    /// From the start of what makes room to the return.
    pub queue_tail: i64,
    /// Kernels at a time.
    pub slots: usize,
    /// Whether the export has rows about synchronisation and events.
    pub rows: bool,
    /// Whether a graph is traced as one row.
    pub whole_graphs: bool,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            latency: 2_000,
            gap: 800,
            queue: 1_000,
            queue_tail: 1_500,
            slots: 1,
            rows: true,
            whole_graphs: false,
        }
    }
}

/// An operation on the GPU.
#[derive(Clone, Debug)]
struct Op {
    name: String,
    stream: i64,
    copy: Option<bool>,
    gpu: i64,
    /// Not before that.
    earliest: i64,
    /// Not before these have ended.
    after: Vec<usize>,
    correlation: i64,
    start: Option<i64>,
    graph: bool,
}

/// A machine at work.
pub struct Worker {
    machine: Machine,
    now: i64,
    ops: Vec<Op>,
    /// Per stream, operations in order.
    streams: BTreeMap<i64, Vec<usize>>,
    events: BTreeMap<i64, Vec<usize>>,
    /// What the next operation of a stream waits for.
    pending: BTreeMap<i64, Vec<usize>>,
    correlation: i64,
    spec: TraceSpec,
    /// Length of each request, and the end of its last operation.
    pub lengths: Vec<i64>,
}

impl Worker {
    pub fn new(machine: Machine) -> Self {
        let mut spec =
            TraceSpec::new(if machine.rows { Generation::V3_25_0 } else { Generation::V3_13_2 });
        spec.gpus = vec![Gpu { id: 0, name: "Simulated".into(), discrete: true }];
        spec.processes.push((PROCESS, "simulated".into()));
        Self {
            machine,
            now: 1_000_000,
            ops: Vec::new(),
            streams: BTreeMap::new(),
            events: BTreeMap::new(),
            pending: BTreeMap::new(),
            correlation: 100,
            spec,
            lengths: Vec::new(),
        }
    }

    /// Runs a request inside a range.
    pub fn request(&mut self, program: &[Do]) {
        let start = self.now;
        for what in program {
            self.step(what);
        }
        self.lengths.push(self.now - start);
        self.spec.range(THREAD, WINDOW, start, self.now);
        self.now += 50_000;
    }

    /// Runs something outside any range.
    pub fn between(&mut self, program: &[Do]) {
        for what in program {
            self.step(what);
        }
    }

    /// The trace.
    pub fn finish(mut self) -> TraceSpec {
        self.drain(i64::MAX, None);
        for op in &self.ops {
            let start = op.start.unwrap();
            let work = match op.copy {
                None if op.graph && self.machine.whole_graphs => Work::Graph { graph: 1, exec: 1 },
                None => Work::kernel(&op.name),
                Some(true) => Work::upload(4_096),
                Some(false) => Work::download(4_096),
            };
            self.spec.op(PROCESS, work, start, start + op.gpu, op.correlation).stream = op.stream;
        }
        self.spec.duration = Some(self.now + 100_000_000);
        self.spec
    }

    fn call(&mut self, name: &str, end: i64) -> i64 {
        self.correlation += 1;
        self.spec.call(THREAD, name, self.now, end, self.correlation);
        self.now = end;
        self.correlation
    }

    fn step(&mut self, what: &Do) {
        match what {
            Do::Host(time) => self.now += time,
            Do::Call { name, cost } => {
                self.call(name, self.now + cost);
            }
            Do::Launch { name, stream, cost, gpu } => {
                let free = self.room(*stream);
                let end = (self.now + cost).max(free);
                let id = self.call("cudaLaunchKernel_v7000", end);
                self.push(name, *stream, None, *gpu, end + self.machine.latency, id);
            }
            Do::CopyAsync { up, stream, cost, gpu } => {
                let end = self.now + cost;
                let id = self.call("cudaMemcpyAsync_v3020", end);
                self.push("copy", *stream, Some(*up), *gpu, end + self.machine.latency, id);
            }
            Do::Copy { up, stream, lead, gpu, tail } => {
                let op = self.push(
                    "copy",
                    *stream,
                    Some(*up),
                    *gpu,
                    self.now + lead,
                    self.correlation + 1,
                );
                let end = self.end_of(op) + tail;
                self.call("cudaMemcpy_v3020", end);
            }
            Do::SyncStream { stream, cost } => {
                let last = self.last(*stream);
                self.wait("cudaStreamSynchronize_v3020", last, *cost, (3, Some(*stream), None));
            }
            Do::SyncDevice { cost } => {
                let streams: Vec<i64> = self.streams.keys().copied().collect();
                let last = streams.iter().flat_map(|stream| self.last(*stream)).collect();
                self.wait("cudaDeviceSynchronize_v3020", last, *cost, (4, None, None));
            }
            Do::Record { stream, event, cost } => {
                let id = self.call("cudaEventRecord_v3020", self.now + cost);
                // What the stream was told to wait for lies before the event, too.
                let mut behind = self.last(*stream);
                behind.extend(self.pending.get(stream).into_iter().flatten());
                self.events.insert(*event, behind);
                if self.machine.rows {
                    let row = EventRow {
                        correlation: id,
                        process: PROCESS,
                        stream: *stream,
                        event: *event,
                    };
                    self.spec.events.push(row);
                }
            }
            Do::Wait { stream, event, cost } => {
                let id = self.call("cudaStreamWaitEvent_v3020", self.now + cost);
                let behind = self.events.get(event).cloned().unwrap_or_default();
                self.pending.entry(*stream).or_default().extend(behind);
                self.row(id, (2, Some(*stream), Some(*event)));
            }
            Do::SyncEvent { event, cost } => {
                let behind = self.events.get(event).cloned().unwrap_or_default();
                self.wait("cudaEventSynchronize_v3020", behind, *cost, (1, None, Some(*event)));
            }
            Do::Graph { nodes, cost } => {
                let end = self.now + cost;
                let id = self.call("cudaGraphLaunch_v10000", end);
                let earliest = end + self.machine.latency;
                let first = self.ops.len();
                for node in nodes {
                    let op = self.push(&node.name, node.stream, node.copy, node.gpu, earliest, id);
                    self.ops[op].graph = true;
                    self.ops[op].after.extend(node.after.iter().map(|before| first + before));
                }
            }
        }
    }

    fn row(&mut self, correlation: i64, (kind, stream, event): (i64, Option<i64>, Option<i64>)) {
        if self.machine.rows {
            self.spec.syncs.push(SyncRow { correlation, process: PROCESS, kind, stream, event });
        }
    }

    fn wait(
        &mut self,
        name: &str,
        ops: Vec<usize>,
        cost: i64,
        row: (i64, Option<i64>, Option<i64>),
    ) {
        let done = ops.into_iter().map(|op| self.end_of(op)).max().unwrap_or(0);
        let id = self.call(name, self.now.max(done) + cost);
        self.row(id, row);
    }

    fn last(&self, stream: i64) -> Vec<usize> {
        self.streams.get(&stream).and_then(|ops| ops.last()).copied().into_iter().collect()
    }

    fn push(
        &mut self,
        name: &str,
        stream: i64,
        copy: Option<bool>,
        gpu: i64,
        earliest: i64,
        correlation: i64,
    ) -> usize {
        let after = self.pending.remove(&stream).unwrap_or_default();
        self.ops.push(Op {
            name: name.to_owned(),
            stream,
            copy,
            gpu,
            earliest,
            after,
            correlation,
            start: None,
            graph: false,
        });
        self.streams.entry(stream).or_default().push(self.ops.len() - 1);
        self.ops.len() - 1
    }

    /// When a launch to a stream finds room in its queue.
    fn room(&mut self, stream: i64) -> i64 {
        let Some(ops) = self.streams.get(&stream) else { return 0 };
        let Some(at) = ops.len().checked_sub(self.machine.queue) else { return 0 };
        let op = ops[at];
        self.drain(i64::MAX, Some(op));
        self.ops[op].start.unwrap() + self.machine.queue_tail
    }

    fn end_of(&mut self, op: usize) -> i64 {
        self.drain(i64::MAX, Some(op));
        self.ops[op].start.unwrap() + self.ops[op].gpu
    }

    /// Works off operations in the order of their possible starts, until one is known (or all are).
    fn drain(&mut self, until: i64, wanted: Option<usize>) {
        while wanted.is_none_or(|op| self.ops[op].start.is_none()) {
            let heads = self
                .streams
                .values()
                .filter_map(|ops| ops.iter().copied().find(|op| self.ops[*op].start.is_none()));
            let possible = heads.filter_map(|op| Some((self.possible(op)?, op))).min();
            match possible {
                Some((start, op)) if start <= until => self.ops[op].start = Some(start),
                _ => return,
            }
        }
    }

    /// When an operation at the head of its stream can start; `None` while that is not known.
    fn possible(&self, op: usize) -> Option<i64> {
        let found = &self.ops[op];
        let mut start = found.earliest;
        for before in &found.after {
            let before = &self.ops[*before];
            start = start.max(before.start? + before.gpu);
        }
        let stream = &self.streams[&found.stream];
        let place = stream.iter().position(|known| *known == op).unwrap();
        if place > 0 {
            let before = &self.ops[stream[place - 1]];
            start = start.max(before.start? + before.gpu + self.machine.gap);
        }
        let same = |other: &&Op| other.copy == found.copy && other.start.is_some();
        let mut ends: Vec<i64> =
            self.ops.iter().filter(same).map(|other| other.start.unwrap() + other.gpu).collect();
        let slots = if found.copy.is_some() { 1 } else { self.machine.slots };
        if ends.len() >= slots {
            ends.sort_unstable();
            start = start.max(ends[ends.len() - slots]);
        }
        Some(start)
    }
}

/// Runs requests, with a pause of the GPU before each; answers their lengths and the trace.
pub fn run(machine: Machine, requests: &[Vec<Do>]) -> (Vec<i64>, TraceSpec) {
    let mut worker = Worker::new(machine);
    for request in requests {
        worker.request(request);
    }
    let lengths = worker.lengths.clone();
    (lengths, worker.finish())
}

/// Kernel names of three classes.
pub const KERNELS: [&str; 3] = [
    "void implicit_convolve_sgemm<float, float, (int)1024, (int)5>(int)",
    "ampere_sgemm_128x32_tn",
    "void at::native::vectorized_elementwise_kernel<(int)4, at::native::CUDAFunctor_add<float>>(int)",
];

/// A random request: uploads, launches, calls, now and then a wait, a download and a wait at the end.
pub fn random_request(dice: &mut Dice, launches: i64, gpu: i64, side_streams: i64) -> Vec<Do> {
    let about = |dice: &mut Dice, mean: i64| mean * (900 + dice.below(201)) / 1000;
    let mut all = vec![Do::Host(about(dice, 20_000))];
    all.push(Do::CopyAsync { up: true, stream: 7, cost: 6_000, gpu: about(dice, 5_000) });
    for at in 0..launches {
        all.push(Do::Host(about(dice, 4_000)));
        if dice.once_in(9) {
            all.push(Do::Call { name: "cudaGetDevice", cost: 400 });
        }
        let stream =
            if side_streams > 0 && dice.once_in(3) { 13 + dice.below(side_streams) } else { 7 };
        if stream != 7 {
            all.push(Do::Record { stream: 7, event: at, cost: 900 });
            all.push(Do::Wait { stream, event: at, cost: 700 });
        }
        let name = dice.pick(&KERNELS).to_owned();
        all.push(Do::Launch { name, stream, cost: about(dice, 5_000), gpu: about(dice, gpu) });
        if stream != 7 {
            all.push(Do::Record { stream, event: 1_000 + at, cost: 900 });
            all.push(Do::Wait { stream: 7, event: 1_000 + at, cost: 700 });
        }
        if dice.once_in(12) {
            all.push(Do::Copy {
                up: true,
                stream: 7,
                lead: 5_000,
                gpu: about(dice, 9_000),
                tail: 3_000,
            });
        }
        if dice.once_in(15) {
            all.push(Do::SyncStream { stream: 7, cost: 4_000 });
        }
    }
    all.push(Do::Host(about(dice, 4_000)));
    all.push(Do::CopyAsync { up: false, stream: 7, cost: 6_000, gpu: about(dice, 5_000) });
    all.push(Do::Host(1_000));
    all.push(Do::SyncStream { stream: 7, cost: 4_000 });
    all.push(Do::Host(about(dice, 10_000)));
    all
}
