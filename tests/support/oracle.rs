//! What an analysis must say, computed the dumb way from the description of the trace.
//!
//! ```text
//! window        [----------------------------)
//! GPU                 ####      ###
//! part          hhhhhh    qqqlll   tttttttttt     every instant asks: busy? if not, why not?
//! ```
//!
//! Sets are scanned, sums are loops, idleness is decided instant by instant. Everything is written
//! from the definitions (sections 1 to 5 and 7); no line is shared with the analyzer. Times in ns.

use std::collections::{BTreeMap, BTreeSet};

use super::spec::{TraceSpec, Work};

mod compare;
mod document;
mod idle;
mod selection;
mod world;

pub use compare::compare;
pub use document::document;
pub use idle::Parts;
pub use selection::Window;
use world::{CountedCall, CountedOp, World, clipped, intersects};

/// Which spans are measured.
#[derive(Clone, Debug, PartialEq)]
pub enum Which {
    /// NVTX ranges of exactly this name.
    Named(String),
    /// The same ranges, moved to the GPU work that they launched.
    Projected(String),
    /// Explicit spans that belong to every process.
    Spans(Vec<(i64, i64)>),
    /// The whole trace.
    All,
}

/// When an operation belongs to a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    Launched,
    Started,
    Overlap,
}

/// Whose calls and operations are attributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those of the window's owner; everybody's where there is none.
    Own,
    /// Those of this `globalPid`.
    Process(i64),
    Any,
}

/// A question as the command line would put it.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    pub which: Which,
    /// None: the default, `overlap` for the whole trace and `launched` otherwise.
    pub rule: Option<Rule>,
    /// Only instances of this `globalPid`.
    pub process: Option<i64>,
    /// Only instances of this `globalTid`.
    pub thread: Option<i64>,
    pub whose: Whose,
    pub skip: usize,
    pub take: Option<usize>,
    pub clip_unclosed: bool,
    pub own_thread: bool,
    /// Of the oracle only: really ask every nanosecond instead of every distinct instant.
    pub every_ns: bool,
}

impl Question {
    pub fn new(which: Which) -> Self {
        Self {
            which,
            rule: None,
            process: None,
            thread: None,
            whose: Whose::Own,
            skip: 0,
            take: None,
            clip_unclosed: false,
            own_thread: false,
            every_ns: false,
        }
    }

    pub fn named(name: &str) -> Self {
        Self::new(Which::Named(name.into()))
    }

    pub fn shown_rule(&self) -> Rule {
        self.rule.unwrap_or(if self.which == Which::All { Rule::Overlap } else { Rule::Launched })
    }
}

/// Calls of one API name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    pub calls: i64,
    pub started: i64,
    pub time_ns: i64,
    pub self_ns: i64,
}

/// Operations: how many and how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub count: i64,
    pub time_ns: i64,
    pub bytes: i64,
}

impl Tally {
    fn add(&mut self, time_ns: i64, bytes: i64) {
        self.count += 1;
        self.time_ns += time_ns;
        self.bytes += bytes;
    }
}

/// One window instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    pub start_ns: i64,
    pub end_ns: i64,
    pub calls: i64,
    pub api_ns: i64,
    pub launches: i64,
    pub launch_ns: i64,
    pub kernels: i64,
    pub kernel_ns: i64,
    pub busy_ns: i64,
    pub parts: Parts,
}

/// The expectation, in the keys of analysis/1 (integer ns; ratios as numerator and denominator).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expected {
    pub instances: Vec<Instance>,
    pub total_ns: i64,
    pub union_ns: i64,
    /// Launched operation time inside its own window, over all of it.
    pub contained: (i64, i64),
    pub api: BTreeMap<String, Calls>,
    pub launch_names: BTreeSet<String>,
    /// Union of the thread's calls (of all calls without an owner) over the windows.
    pub cover_ns: i64,
    /// Total length of the windows on the CPU: the same as `total_ns` unless projected.
    pub cover_of_ns: i64,
    pub blocked_ns: i64,
    pub first_use_ns: i64,
    /// Kernels by rule: launched, started, overlap.
    pub rules: [Tally; 3],
    pub kernels: Tally,
    pub kernels_by_name: BTreeMap<String, Tally>,
    /// Copies and memsets together, by the shown rule.
    pub copies: Tally,
    pub graphs: Tally,
    /// Kernels without an API row: those that overlap the windows, and those of the whole trace.
    pub orphans: (i64, i64),
    /// Launch delays of the kernels of the windows, in order.
    pub delays: Vec<i64>,
    /// Streams used by kernels, and by any operation.
    pub streams: (i64, i64),
    pub busy_ns: i64,
    pub foreign_busy_ns: i64,
    pub busy_by_device: BTreeMap<i64, i64>,
    pub parts: Parts,
    /// Whether the trace has any call, any kernel, any operation: blocks without are null.
    pub has: [bool; 3],
}

impl Expected {
    pub fn api_total(&self) -> Calls {
        let mut sum = Calls::default();
        for calls in self.api.values() {
            sum.calls += calls.calls;
            sum.started += calls.started;
            sum.time_ns += calls.time_ns;
            sum.self_ns += calls.self_ns;
        }
        sum
    }

    pub fn launch_total(&self) -> Calls {
        let mut sum = Calls::default();
        for (_, calls) in self.api.iter().filter(|(name, _)| self.launch_names.contains(*name)) {
            sum.calls += calls.calls;
            sum.started += calls.started;
            sum.time_ns += calls.time_ns;
        }
        sum
    }

    pub fn tklqt(&self) -> i64 {
        self.delays.iter().sum()
    }
}

/// The answer to a question about a trace; None where no instance remains.
pub fn expected(spec: &TraceSpec, question: &Question) -> Option<Expected> {
    let spec = &spec.visible();
    let world = World::of(spec);
    let windows = selection::windows(spec, &world, question);
    if windows.is_empty() {
        return None;
    }
    let mut sum = Expected {
        has: [
            !spec.calls.is_empty(),
            spec.ops.iter().any(|op| matches!(op.work, Work::Kernel { .. })),
            !spec.ops.is_empty(),
        ],
        ..Expected::default()
    };
    let mut streams = (BTreeSet::new(), BTreeSet::new());
    for window in &windows {
        let mut instance =
            Instance { start_ns: window.start, end_ns: window.end, ..Instance::default() };
        count_calls(&world, question, window, &mut instance, &mut sum);
        count_ops(&world, question, window, &mut instance, &mut sum, &mut streams);
        idle::explain(&world, question, window, &mut instance, &mut sum);
        sum.total_ns += window.end - window.start;
        sum.cover_of_ns += window.cpu_end - window.cpu_start;
        sum.parts.add(&instance.parts);
        sum.busy_ns += instance.busy_ns;
        sum.instances.push(instance);
    }
    sum.union_ns = union(&windows.iter().map(|w| (w.start, w.end)).collect::<Vec<_>>());
    sum.delays.sort_unstable();
    sum.streams = (streams.0.len() as i64, streams.1.len() as i64);
    sum.orphans.1 =
        world.ops.iter().filter(|op| op.is_kernel() && world.is_orphan(op)).count() as i64;
    Some(sum)
}

fn count_calls(
    world: &World,
    question: &Question,
    window: &Window,
    instance: &mut Instance,
    sum: &mut Expected,
) {
    let span = (window.cpu_start, window.cpu_end);
    let counted = |call: &&CountedCall| {
        window.whose(question).holds(call.process)
            && (!question.own_thread || window.owner.is_none_or(|(_, t)| t == call.thread))
    };
    for call in world.calls.iter().filter(counted) {
        if !intersects((call.start, call.end), span) {
            continue;
        }
        let time = clipped((call.start, call.end), span);
        let nested: Vec<_> = world
            .calls
            .iter()
            .filter(|c| c.row != call.row && c.thread == call.thread)
            .filter(|c| call.start <= c.start && c.end <= call.end)
            .map(|c| (c.start.max(span.0), c.end.min(span.1)))
            .collect();
        let entry = sum.api.entry(call.name.clone()).or_default();
        entry.calls += 1;
        entry.started += i64::from(span.0 <= call.start && call.start < span.1);
        entry.time_ns += time;
        entry.self_ns += time - union(&nested);
        instance.calls += 1;
        instance.api_ns += time;
        if call.is_launch {
            sum.launch_names.insert(call.name.clone());
            instance.launches += 1;
            instance.launch_ns += time;
            match world.long_launch(call) {
                Some(true) => sum.blocked_ns += time,
                Some(false) => sum.first_use_ns += time,
                None => {}
            }
        }
    }
    let covering = world.calls.iter().filter(|c| window.owner.is_none_or(|(_, t)| t == c.thread));
    sum.cover_ns +=
        union(&covering.map(|c| (c.start.max(span.0), c.end.min(span.1))).collect::<Vec<_>>());
}

type Streams = BTreeSet<(Option<i64>, i64, i64, i64)>;

fn count_ops(
    world: &World,
    question: &Question,
    window: &Window,
    instance: &mut Instance,
    sum: &mut Expected,
    streams: &mut (Streams, Streams),
) {
    let whose = window.whose(question);
    for op in &world.ops {
        for (index, rule) in [Rule::Launched, Rule::Started, Rule::Overlap].into_iter().enumerate()
        {
            let Some(time) = belongs(world, op, rule, window, question) else { continue };
            if op.is_kernel() {
                sum.rules[index].add(time, 0);
            }
            if rule == question.shown_rule() {
                tally(op, time, instance, sum);
                streams.1.insert(op.stream);
                if op.is_kernel() {
                    streams.0.insert(op.stream);
                    if let Some(call) = world.cause(op, whose) {
                        sum.delays.push(op.start - call.start);
                    }
                }
            }
            if rule == Rule::Launched {
                sum.contained.0 += clipped((op.start, op.end), (window.start, window.end));
                sum.contained.1 += op.end - op.start;
            }
            if rule == Rule::Overlap && op.is_kernel() && world.is_orphan(op) {
                sum.orphans.0 += 1;
            }
        }
    }
}

/// The time that counts when the operation belongs to the window.
fn belongs(
    world: &World,
    op: &CountedOp,
    rule: Rule,
    window: &Window,
    question: &Question,
) -> Option<i64> {
    let whose = window.whose(question);
    let whole = op.end - op.start;
    let span = (window.start, window.end);
    match rule {
        Rule::Launched => {
            let call = world.cause(op, whose)?;
            let inside = window.cpu_start <= call.start && call.start < window.cpu_end;
            (whose.holds(call.process) && inside).then_some(whole)
        }
        Rule::Started => {
            (whose.holds_op(op) && span.0 <= op.start && op.start < span.1).then_some(whole)
        }
        Rule::Overlap => (whose.holds_op(op) && intersects((op.start, op.end), span))
            .then(|| clipped((op.start, op.end), span)),
    }
}

fn tally(op: &CountedOp, time: i64, instance: &mut Instance, sum: &mut Expected) {
    match &op.work {
        Work::Kernel { name, .. } => {
            sum.kernels.add(time, 0);
            sum.kernels_by_name.entry(name.clone()).or_default().add(time, 0);
            instance.kernels += 1;
            instance.kernel_ns += time;
        }
        Work::Copy { bytes, .. } | Work::Memset { bytes, .. } => sum.copies.add(time, *bytes),
        Work::Graph { .. } => sum.graphs.add(time, 0),
    }
}

/// Length of the union of spans: every elementary piece is looked up in every span.
pub fn union(spans: &[(i64, i64)]) -> i64 {
    let cuts: BTreeSet<i64> = spans.iter().flat_map(|s| [s.0, s.1]).collect();
    let cuts: Vec<i64> = cuts.into_iter().collect();
    let covered = |t: i64| spans.iter().any(|s| s.0 <= t && t < s.1);
    cuts.windows(2).filter(|cut| covered(cut[0])).map(|cut| cut[1] - cut[0]).sum()
}
