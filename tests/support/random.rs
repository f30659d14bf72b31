//! Small random traces in which edges coincide often.
//!
//! A trace is a function of a seed and a size, so a property test shrinks the size and prints both.
//! Within a thread calls nest properly, as they do on a real stack, and no two of one thread have the
//! same span unless it is empty; an operation never starts before its call. Everything else goes:
//! touching, zero-length and unsorted rows, orphans, migrations, twins, collisions of correlation ids
//! between processes, foreign work, nested, overlapping, empty and unclosed windows.

use super::oracle::{Question, Rule, Which, Whose};
use super::schema::Generation;
use super::spec::{Op, Text, TraceSpec, Work, process, process_of, thread};

/// The name of the windows that are asked about.
pub const WINDOW: &str = "w";

/// splitmix64: a few lines, and the same numbers everywhere.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// `0..n`
    pub fn below(&mut self, n: i64) -> i64 {
        (self.next() % n.max(1) as u64) as i64
    }

    /// Once in `n`.
    pub fn once_in(&mut self, n: i64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as i64) as usize].clone()
    }
}

const NAMES: [&str; 12] = [
    "cudaLaunchKernel_v7000",
    "cudaLaunchKernel_v7000",
    "cudaLaunchKernel_v7000",
    "cudaLaunchKernelExC_v11060",
    "cuLaunchKernel",
    "cudaGraphLaunch_v10000",
    "cudaMemcpyAsync_v3020",
    "cudaMemcpy_v3020",
    "cudaMemsetAsync_v3020",
    "cudaStreamSynchronize_v3020",
    "cuMemFree_v2",
    "cudaLaunchHostFunc_v10000",
];

const KERNELS: [&str; 4] = [
    "void at::native::vectorized_elementwise_kernel<4, at::native::AddFunctor<float>>(int)",
    "ampere_sgemm_128x32_tn",
    "void cudnn::cnn::dgrad2d_grouped_direct_kernel<float, int>(float)",
    "k",
];

/// A trace of about `size` calls on each thread.
pub fn trace(seed: u64, size: usize) -> TraceSpec {
    let mut dice = Dice::new(seed);
    let generation = dice.pick(&Generation::ALL);
    let mut maker = Maker { spec: TraceSpec::new(generation), ids: [0; 3], dice };
    let processes = 1 + maker.dice.below(2);
    for pid in 1..=processes {
        maker.spec.processes.push((process(pid), format!("program{pid}")));
        for tid in 1..=(1 + maker.dice.below(2)) {
            maker.spec.threads.push((thread(pid, tid), format!("thread{tid}")));
            let until = 40 * size as i64;
            maker.calls(pid, thread(pid, tid), 0, until, 0);
        }
        maker.strays(pid, size);
    }
    maker.oddities(processes);
    maker.windows(size);
    // At 50 us a unit, 20 units are exactly the millisecond that divides dispatch from host.
    let scale = maker.dice.pick(&[1, 1, 32, 50_000]);
    maker.finish(scale)
}

/// A question that fits the traces above; `whose` and the filters name processes that exist.
pub fn question(seed: u64, spec: &TraceSpec) -> Question {
    let mut dice = Dice::new(seed ^ 0x5eed);
    let which = match dice.below(8) {
        0 => Which::All,
        1 => Which::Projected(WINDOW.into()),
        2 => Which::Spans(spans(&mut dice, spec)),
        _ => Which::Named(WINDOW.into()),
    };
    let mut question = Question::new(which);
    question.rule =
        dice.pick(&[None, Some(Rule::Launched), Some(Rule::Started), Some(Rule::Overlap)]);
    if matches!(question.which, Which::Named(_)) {
        let (owner, _) = spec.threads[dice.below(spec.threads.len() as i64) as usize];
        question.process = dice.once_in(6).then(|| process_of(owner));
        question.thread = dice.once_in(6).then_some(owner);
        let (other, _) = spec.processes[dice.below(spec.processes.len() as i64) as usize];
        question.whose = match dice.below(6) {
            0 => Whose::Any,
            1 => Whose::Process(other),
            _ => Whose::Own,
        };
        question.skip = if dice.once_in(4) { dice.below(3) as usize } else { 0 };
        question.take = dice.once_in(4).then(|| 1 + dice.below(3) as usize);
        question.clip_unclosed = dice.once_in(3);
        question.own_thread = dice.once_in(4);
    }
    question
}

/// Explicit spans: overlapping perhaps, but none inside another.
fn spans(dice: &mut Dice, spec: &TraceSpec) -> Vec<(i64, i64)> {
    let last = spec.calls.iter().map(|c| c.end).max().unwrap_or(100).max(8);
    let mut start = dice.below(last / 2);
    let mut end = start;
    (0..=dice.below(3))
        .map(|_| {
            start += 1 + dice.below(last / 4);
            end = end.max(start) + 1 + dice.below(last / 4);
            (start, end)
        })
        .collect()
}

struct Maker {
    spec: TraceSpec,
    /// Correlation ids are counted per process, so they collide.
    ids: [i64; 3],
    dice: Dice,
}

impl Maker {
    fn id(&mut self, pid: i64) -> i64 {
        self.ids[pid as usize] += 1;
        self.ids[pid as usize]
    }

    /// Calls one after the other in `from..until`, some with calls inside.
    fn calls(&mut self, pid: i64, thread: i64, from: i64, until: i64, depth: u32) {
        let mut t = from + self.dice.below(10);
        while t <= until {
            let longest = (until - t).min(if self.dice.once_in(15) { 400 } else { 40 });
            let length = if self.dice.once_in(8) { 0 } else { self.dice.below(longest + 1) };
            let whole_parent = depth > 0 && t == from && t + length == until;
            if !whole_parent {
                self.one_call(pid, thread, t, t + length, depth);
            }
            t += length + if self.dice.once_in(3) { 0 } else { 1 + self.dice.below(40) };
            if depth > 0 && self.dice.once_in(2) {
                return;
            }
            // A second empty call at the same instant, or a step on.
            t += i64::from(length == 0 && self.dice.once_in(2));
        }
    }

    fn one_call(&mut self, pid: i64, thread: i64, start: i64, end: i64, depth: u32) {
        let name = self.dice.pick(&NAMES);
        let id = self.id(pid);
        self.spec.call(thread, name, start, end, id);
        let index = self.spec.calls.len() - 1;
        if self.dice.once_in(12) {
            self.spec.twin(index);
            let twin = self.spec.calls.last_mut().unwrap();
            twin.start = twin.start.max(0);
        }
        self.work(pid, name, start, end, id);
        if end - start > 2 && self.dice.once_in(5) && depth < 2 {
            if self.dice.once_in(3) {
                // The driver call under a runtime call, with the same key: the outermost is the cause.
                self.spec.call(thread, "cuLaunchKernel", start + 1, end - 1, id);
            } else {
                self.calls(pid, thread, start, end, depth + 1);
            }
        }
    }

    /// What a call sends to the GPU, if anything.
    fn work(&mut self, pid: i64, name: &str, start: i64, end: i64, id: i64) {
        if self.dice.once_in(10) {
            return;
        }
        let bytes = 1 + self.dice.below(1000);
        if name.contains("GraphLaunch") {
            let first = start + self.dice.below(60);
            if self.spec.generation >= Generation::V3_0_0 && self.dice.once_in(2) {
                let length = self.dice.below(80);
                self.add(pid, Work::Graph { graph: 1, exec: 2 }, first, first + length, id);
            } else {
                for node in 0..3 {
                    let at = first + self.dice.below(50);
                    let length = self.dice.below(20);
                    let mut work = Work::kernel(self.dice.pick(&KERNELS));
                    if let Work::Kernel { node: slot, .. } = &mut work {
                        *slot = Some(node);
                    }
                    self.add(pid, work, at, at + length, id);
                }
            }
        } else if name.contains("Launch") && !name.contains("HostFunc") {
            let (first, length) = self.when(start, end);
            let work = Work::kernel(self.dice.pick(&KERNELS));
            self.add(pid, work, first, first + length, id);
        } else if name.contains("Memcpy") {
            let (first, length) = self.when(start, end);
            let kind = self.dice.pick(&[1, 2, 8]);
            self.add(pid, Work::Copy { kind, bytes }, first, first + length, id);
        } else if name.contains("Memset") {
            let (first, length) = self.when(start, end);
            self.add(pid, Work::Memset { value: 0, bytes }, first, first + length, id);
        }
    }

    /// Start and length of an operation: with its call, at its end, inside it, or later.
    fn when(&mut self, start: i64, end: i64) -> (i64, i64) {
        let first = match self.dice.below(6) {
            0 => start,
            1 => end,
            2 => start + self.dice.below(end - start + 1),
            3 => end + self.dice.below(200),
            _ => end + self.dice.below(20),
        };
        let length = match self.dice.below(10) {
            0 => 0,
            1 => self.dice.below(300),
            _ => 1 + self.dice.below(40),
        };
        (first, length)
    }

    fn add(&mut self, pid: i64, work: Work, start: i64, end: i64, id: i64) -> &mut Op {
        let device = i64::from(self.dice.once_in(5));
        let stream = self.dice.pick(&[7, 7, 8, 13]);
        let op = self.spec.op(process(pid), work, start, end, id);
        (op.device, op.stream) = (device, stream);
        op
    }

    /// GPU rows without a call: orphans and migrations.
    fn strays(&mut self, pid: i64, size: usize) {
        for index in 0..self.dice.below(4) {
            let start = self.dice.below(40 * size as i64 + 1);
            let end = start + self.dice.below(50);
            match self.dice.below(4) {
                0 => self.add(pid, Work::kernel("k"), start, end, 9_000 + index),
                1 => {
                    let op = self.add(pid, Work::kernel("k"), start, end, 0);
                    op.correlation = None;
                    op
                }
                _ => {
                    let kind = 11 + self.dice.below(2);
                    let id = self.dice.once_in(2).then_some(0);
                    let op = self.add(pid, Work::Copy { kind, bytes: 4096 }, start, end, 0);
                    op.correlation = id;
                    op
                }
            };
        }
    }

    /// Rows that must not count, and work of a process that makes no call.
    fn oddities(&mut self, processes: i64) {
        let first = self.spec.threads[0].0;
        if self.dice.once_in(4) {
            self.spec.call(first, "cudaFree_v3020", 50, 20, 8_000);
            self.spec.call(first, "cudaFree_v3020", 0, 0, 8_001);
            self.spec.kernel(process(1), "k", 70, 60, 1);
            self.spec.kernel(process(1), "k", 0, 0, 1);
        }
        if self.dice.once_in(4) {
            self.spec.call(first, "eglStreamConsumer", 5, 500, 8_002).class = 13;
        }
        if self.dice.once_in(4) {
            let start = self.dice.below(300);
            self.spec.kernel(process(9), "k", start, start + 100, 1);
        }
        if processes == 1 && self.dice.once_in(6) {
            self.spec.ops.retain(|op| op.process == Some(process(1)));
            self.spec.ops.iter_mut().for_each(|op| op.process = None);
        }
        self.spec.gpus.push(super::spec::Gpu {
            id: 1,
            name: "Synthetic GPU".into(),
            discrete: true,
        });
    }

    /// An instant at which something happens, or any.
    fn instant(&mut self, last: i64) -> i64 {
        if self.dice.once_in(2) || self.spec.calls.is_empty() {
            return self.dice.below(last + 1);
        }
        if self.dice.once_in(2) && !self.spec.ops.is_empty() {
            let op = self.dice.pick(&self.spec.ops);
            return if self.dice.once_in(2) { op.start } else { op.end };
        }
        let call = self.dice.pick(&self.spec.calls);
        (if self.dice.once_in(2) { call.start } else { call.end }).max(0)
    }

    fn windows(&mut self, size: usize) {
        let last = 40 * size as i64 + 60;
        let threads: Vec<i64> = self.spec.threads.iter().map(|t| t.0).collect();
        for thread in threads {
            for _ in 0..self.dice.below(5) {
                let (a, b) = (self.instant(last), self.instant(last));
                let event_type = 59 + i64::from(self.dice.once_in(2));
                let name = if self.dice.once_in(5) { "other" } else { WINDOW };
                let (start, end) =
                    (a.min(b), if self.dice.once_in(10) { a.min(b) } else { a.max(b) });
                let unclosed = self.dice.once_in(12);
                let registered = self.dice.once_in(2);
                let domain = self.dice.below(2);
                let range = self.spec.range(thread, name, start, end);
                range.event_type = event_type;
                range.domain = domain;
                if registered {
                    range.text = Text::Registered(name.into());
                }
                if unclosed {
                    range.end = None;
                }
            }
            self.spec.domain(thread, 1, "domain");
        }
        let ends = self.spec.ranges.iter().filter_map(|r| r.end);
        let latest = ends.chain(self.spec.ops.iter().map(|op| op.end)).max().unwrap_or(0).max(last);
        self.spec.duration = match self.dice.below(4) {
            0 => None,
            1 => self.spec.ranges.iter().filter_map(|r| r.end).max(),
            _ => Some(latest + 100),
        };
        if self.spec.generation.version().is_none() {
            self.spec.duration = None;
        }
    }

    /// Stretches time, mixes the rows and hands the trace out.
    fn finish(mut self, scale: i64) -> TraceSpec {
        for call in &mut self.spec.calls {
            (call.start, call.end) = (call.start * scale, call.end * scale);
        }
        for op in &mut self.spec.ops {
            (op.start, op.end) = (op.start * scale, op.end * scale);
        }
        for range in &mut self.spec.ranges {
            range.start *= scale;
            range.end = range.end.map(|end| end * scale);
        }
        self.spec.duration = self.spec.duration.map(|d| d * scale);
        self.spec.shuffle = Some(self.dice.next());
        self.spec
    }
}

/// A trace in which every window holds all of its work and nothing else happens: the three rules
/// must agree.
pub fn contained_trace(seed: u64, requests: usize) -> TraceSpec {
    let mut dice = Dice::new(seed);
    let mut spec = TraceSpec::new(dice.pick(&Generation::ALL));
    let thread = thread(1, 1);
    let (mut t, mut id) = (dice.below(50), 0);
    for _ in 0..requests {
        let begin = t;
        for _ in 0..=dice.below(4) {
            id += 1;
            let end = t + 1 + dice.below(20);
            spec.call(thread, "cudaLaunchKernel_v7000", t, end, id);
            let start = end + dice.below(10);
            let stop = start + 1 + dice.below(20);
            spec.kernel(process(1), dice.pick(&KERNELS), start, stop, id);
            t = stop + dice.below(10);
        }
        spec.range(thread, WINDOW, begin, t);
        t += dice.below(30);
    }
    spec.shuffle = Some(dice.next());
    spec
}
