//! A small simulator of an inference program: one thread issues CUDA calls, one GPU works them off.
//!
//! ```text
//! thread    |host| launch |host| launch |host| copy |  synchronize  |host
//! stream           \______ kernel           \____ kernel \__ copy __/
//! ```
//! A call costs time, an operation starts after a latency when its stream and one of the GPU's slots
//! are free, a launch into a full queue waits. All times lie on the 32 ns grid of Jetson boards.
//! Everything is synthetic and a function of the seed: no number here was measured.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::random::Dice;
use super::schema::Generation;
use super::spec::{Gpu, TraceSpec, Work, process, thread};

/// The tick of the timestamps.
pub const GRID_NS: i64 = 32;
/// The one process.
pub const PROCESS: i64 = process(2210);
/// Its launching thread.
pub const THREAD: i64 = thread(2210, 2210);
/// The stream of everything that is not forked off.
pub const MAIN_STREAM: i64 = 7;

/// What things cost, in ns, on average.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    /// A kernel launch call.
    pub launch: i64,
    /// The host between two launches.
    pub dispatch: i64,
    /// The first launch of a kernel, which loads its module.
    pub first_use: i64,
    /// From the end of a call to the start of its work.
    pub latency: i64,
    /// Operations that run at the same time.
    pub slots: usize,
    /// Operations that may wait before a launch blocks.
    pub queue: usize,
    /// Kernels take so many times as long as their launches say.
    pub slowness: i64,
}

/// The program and its GPU.
pub struct Program {
    pub spec: TraceSpec,
    costs: Costs,
    dice: Dice,
    now: i64,
    id: i64,
    streams: BTreeMap<i64, i64>,
    slots: Vec<i64>,
    waiting: VecDeque<i64>,
    loaded: BTreeSet<String>,
}

impl Program {
    pub fn new(costs: Costs, seed: u64) -> Self {
        let mut spec = TraceSpec::new(Generation::V3_13_2);
        spec.gpus = vec![Gpu { id: 0, name: "Orin (synthetic)".into(), discrete: false }];
        spec.processes.push((PROCESS, "python3 (synthetic)".into()));
        spec.threads.push((THREAD, "python3".into()));
        spec.compact = true;
        Self {
            spec,
            costs,
            dice: Dice::new(seed),
            now: grid(2_000_000_000),
            id: 100,
            streams: BTreeMap::new(),
            slots: vec![0; costs.slots],
            waiting: VecDeque::new(),
            loaded: BTreeSet::new(),
        }
    }

    pub fn now(&self) -> i64 {
        self.now
    }

    /// Does something inside an NVTX range.
    pub fn within(&mut self, name: &str, body: impl FnOnce(&mut Self)) {
        self.host(1_000);
        let (start, row) = (self.now, self.spec.ranges.len());
        // Ranges are listed in the order of their starts: the row is made before its inner ones.
        self.spec.range(THREAD, name, start, start);
        self.host(600);
        body(self);
        self.host(600);
        self.spec.ranges[row].end = Some(self.now);
    }

    /// The thread computes for about this long, now and then much longer.
    pub fn host(&mut self, about: i64) {
        let time = self.about(about);
        self.now = grid(self.now + time);
    }

    /// Launches a kernel that runs for about `gpu` ns.
    pub fn launch(&mut self, name: &str, gpu: i64, stream: i64) {
        self.host(self.costs.dispatch);
        while self.waiting.front().is_some_and(|end| *end <= self.now) {
            self.waiting.pop_front();
        }
        let mut cost = self.about(self.costs.launch);
        if self.loaded.insert(name.to_owned()) {
            cost += self.about(self.costs.first_use);
        }
        if self.waiting.len() >= self.costs.queue {
            cost += self.waiting.pop_front().map_or(0, |end| end - self.now);
        }
        let id = self.call("cudaLaunchKernel_v7000", cost);
        let time = self.about(gpu * self.costs.slowness);
        let (start, end) = self.run(stream, time);
        let blocks = 1 + gpu / 500;
        let mut work = Work::kernel(name);
        if let Work::Kernel { grid, .. } = &mut work {
            grid[0] = blocks;
        }
        self.spec.op(PROCESS, work, start, end, id).stream = stream;
        self.waiting.push_back(end);
    }

    /// A small call that sends nothing to the GPU.
    pub fn call(&mut self, name: &str, cost: i64) -> i64 {
        let start = self.now;
        self.id += 1;
        self.now = grid(start + cost.max(GRID_NS));
        self.spec.call(THREAD, name, start, self.now, self.id);
        self.id
    }

    /// Copies on the main stream and waits for it, as a pageable `tensor.to(device)` does.
    pub fn copy_and_wait(&mut self, work: Work, gpu: i64) {
        self.host(self.costs.dispatch / 2);
        let cost = self.about(21_000);
        let id = self.call("cudaMemcpyAsync_v3020", cost);
        let time = self.about(gpu);
        let (start, end) = self.run(MAIN_STREAM, time);
        self.spec.op(PROCESS, work, start, end, id).stream = MAIN_STREAM;
        self.host(2_000);
        self.synchronize();
    }

    /// cudaStreamSynchronize on the main stream.
    pub fn synchronize(&mut self) {
        let free = self.streams.values().copied().max().unwrap_or(0);
        let wait = (free - self.now).max(0) + self.about(15_000);
        self.call("cudaStreamSynchronize_v3020", wait);
    }

    /// A stream that waits for an event of the main stream, or the other way round.
    pub fn join(&mut self, from: i64, to: i64) {
        let at = self.streams.get(&from).copied().unwrap_or(0);
        let stream = self.streams.entry(to).or_default();
        *stream = at.max(*stream);
    }

    pub fn finish(mut self) -> TraceSpec {
        self.host(5_000_000);
        self.spec.duration = Some(grid(self.now + 300_000_000));
        self.spec
    }

    /// When an operation issued just now runs.
    fn run(&mut self, stream: i64, time: i64) -> (i64, i64) {
        let ready = self.now + self.about(self.costs.latency);
        let slot = (0..self.slots.len()).min_by_key(|i| self.slots[*i]).unwrap();
        let free = self.streams.get(&stream).copied().unwrap_or(0).max(self.slots[slot]);
        let start = grid(ready.max(free + 1_000));
        let end = grid(start + time.max(GRID_NS));
        self.streams.insert(stream, end);
        self.slots[slot] = end;
        (start, end)
    }

    /// Mostly 0.75 to 1.25 of it, once in 300 times three to five of it.
    fn about(&mut self, mean: i64) -> i64 {
        let jitter = mean * (750 + self.dice.below(250) + self.dice.below(251)) / 1000;
        if self.dice.once_in(300) { jitter * (3 + self.dice.below(3)) } else { jitter }
    }
}

fn grid(t: i64) -> i64 {
    t / GRID_NS * GRID_NS
}
