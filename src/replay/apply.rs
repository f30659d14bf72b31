//! What a change does to a program.
//!
//! Only costs, durations and what is submitted change; who waits for whom stays, unless the change says
//! otherwise (`graph`, `overlap-copies`). What was submitted before the window and has not ended is changed like
//! the rest: a change of the program would have met it, too.

use super::change::{Change, Cost, Select, What};
use super::program::{Action, Awaited, End, Op, OpKind, Program, Step};
use crate::trace::{CallId, Trace};

/// Kernels that take longer are not small: nothing is gained by fusing them.
const SMALL_NS: i64 = 50_000;

/// What a change needs to know of the trace.
pub(crate) struct Around<'a> {
    pub(crate) trace: &'a Trace,
    /// What launching a graph costs: the median of graph launches, else of launches.
    pub(crate) graph_launch: i64,
    /// From the return of a launch to the start of its kernel.
    pub(crate) launch_latency: i64,
    /// The share of their time that kernels launched by a call keep under `spikes`; `None` outside every layer.
    pub(crate) rate_of: &'a dyn Fn(CallId) -> Option<f64>,
}

/// Makes a change.
pub(crate) fn apply(program: &mut Program, change: &Change, around: &Around<'_>) {
    match &change.what {
        What::Scale(select, factor) => {
            scale(program, around, *factor, |op, trace| accepts(select, op, trace));
        }
        What::GpuClock(factor) => {
            scale(program, around, 1.0 / factor, |op, _| op.kind == OpKind::Kernel);
        }
        What::Remove(select) => remove(program, around.trace, select),
        What::LaunchCost(cost) => launch_cost(program, *cost),
        What::Host(factor) => host(program, *factor),
        What::Graph => graph(program, around),
        What::Fuse(select) => fuse(program, around.trace, select),
        What::OverlapCopies => overlap_copies(program),
        What::Spikes => spikes(program, around),
    }
}

fn accepts(select: &Select, op: &Op, trace: &Trace) -> bool {
    select.accepts(op.class, &trace.operations.labels()[op.label as usize])
}

/// Rounds to the nearest nanosecond.
fn times(length: i64, factor: f64) -> i64 {
    (length as f64 * factor).round() as i64
}

/// What is left of a running operation takes so many times as long.
fn shorten(op: &mut Op, factor: f64) {
    let elapsed = op.fixed.map_or(0, |start| (-start).clamp(0, op.duration));
    op.duration = elapsed + times(op.duration - elapsed, factor);
}

fn scale(
    program: &mut Program,
    around: &Around<'_>,
    factor: f64,
    meant: impl Fn(&Op, &Trace) -> bool,
) {
    for op in program.ops.iter_mut().filter(|op| meant(op, around.trace)) {
        shorten(op, factor);
    }
}

fn remove(program: &mut Program, trace: &Trace, select: &Select) {
    for op in program.ops.iter_mut().filter(|op| accepts(select, op, trace)) {
        op.removed = true;
    }
    for at in 0..program.steps.len() {
        let ops = program.ops_of(at as u32);
        let gone = !ops.is_empty() && ops.clone().all(|op| program.ops[op as usize].removed);
        if gone && program.steps[at].action == Action::Submit {
            take_out(&mut program.steps[at]);
        }
    }
}

/// Takes a call out, with the dispatch that led to it.
fn take_out(step: &mut Step) {
    step.removed = true;
    if step.dispatch {
        step.gap = 0;
    }
}

fn launch_cost(program: &mut Program, cost: Cost) {
    for step in program.steps.iter_mut().filter(|step| step.launches && !step.first_use) {
        step.cost = match cost {
            Cost::Absolute(time) => time.as_ns(),
            Cost::Times(factor) => times(step.cost, factor),
        };
    }
}

fn host(program: &mut Program, factor: f64) {
    for step in &mut program.steps {
        step.gap = times(step.gap, factor);
    }
    if let End::AfterStep(_, offset) = &mut program.end
        && *offset > 0
    {
        *offset = times(*offset, factor);
    }
}

/// Each thread that launches becomes: its host work, one graph launch, one wait if it ever waited.
fn graph(program: &mut Program, around: &Around<'_>) {
    program.queue = None;
    let old = std::mem::take(&mut program.steps);
    let mut lanes = program.lanes.clone();
    for lane in &mut lanes {
        let steps = &old[lane.steps.0 as usize..lane.steps.1 as usize];
        let first = program.steps.len() as u32;
        let ends_here = matches!(program.end, End::AfterStep(step, _) if lane.steps.0 <= step && step < lane.steps.1);
        let ops = (steps[0].ops.0, steps[steps.len() - 1].ops.1);
        if ops.0 == ops.1 {
            program.steps.extend_from_slice(steps);
        } else {
            one_launch(program, steps, ops, around);
        }
        lane.steps = (first, program.steps.len() as u32);
        if let (true, End::AfterStep(step, offset)) = (ends_here, &mut program.end) {
            (*step, *offset) = (lane.steps.1 - 1, (*offset).max(0));
        }
    }
    program.lanes = lanes;
}

fn one_launch(program: &mut Program, steps: &[Step], ops: (u32, u32), around: &Around<'_>) {
    let kept = steps.iter().enumerate();
    // Work of the program itself stays; what the framework did between calls is in the graph.
    let gap = kept.filter(|(i, step)| *i == 0 || !step.dispatch).map(|(_, step)| step.gap).sum();
    for op in ops.0..ops.1 {
        program.ops[op as usize].latency = around.launch_latency;
    }
    let launch = Step {
        gap,
        dispatch: false,
        cost: around.graph_launch,
        action: Action::Submit,
        launches: true,
        first_use: false,
        ops,
        awaited: (0, 0),
        waited: false,
        removed: false,
        ..steps.iter().find(|step| step.launches).unwrap_or(&steps[0]).clone()
    };
    program.steps.push(launch);
    let waits = |step: &&Step| matches!(step.action, Action::Wait | Action::Copy);
    let Some(last) = steps.iter().rev().find(waits) else { return };
    let from = program.awaited.len() as u32;
    program.awaited.push(Awaited::Everything);
    program.steps.push(Step {
        gap: 0,
        dispatch: true,
        cost: if last.action == Action::Wait { last.cost } else { 0 },
        action: Action::Wait,
        launches: false,
        ops: (ops.1, ops.1),
        awaited: (from, from + 1),
        tail: last.tail.max(0),
        ..last.clone()
    });
}

/// Runs of selected small kernels on one stream, launched one after the other.
fn fuse(program: &mut Program, trace: &Trace, select: &Select) {
    for lane in program.lanes.clone() {
        let mut run: Option<u32> = None;
        for at in lane.steps.0..lane.steps.1 {
            let step = &program.steps[at as usize];
            if step.removed || step.action == Action::Call {
                continue;
            }
            let mut ops = program.ops_of(at).filter(|op| !program.ops[*op as usize].removed);
            let single = ops.next().filter(|_| ops.next().is_none() && step.launches);
            let single = single.filter(|op| {
                let op = &program.ops[*op as usize];
                op.duration <= SMALL_NS && op.fixed.is_none() && accepts(select, op, trace)
            });
            let (Some(op), Some(first)) = (single, run) else {
                run = single;
                continue;
            };
            if program.ops[first as usize].stream != program.ops[op as usize].stream {
                run = single;
                continue;
            }
            let more = program.ops[op as usize].duration;
            program.ops[first as usize].duration += more;
            program.ops[op as usize].removed = true;
            take_out(&mut program.steps[at as usize]);
        }
    }
}

/// Uploads were made ahead, downloads run beside what comes after them; the window's last wait is for all.
fn overlap_copies(program: &mut Program) {
    let aside = program.streams as u32;
    program.streams += 2;
    for lane in program.lanes.clone() {
        let waits =
            |at: &u32| matches!(program.steps[*at as usize].action, Action::Wait | Action::Copy);
        let last_wait = (lane.steps.0..lane.steps.1).rev().find(waits);
        let mut last_on: Vec<Option<u32>> = vec![None; program.streams];
        let mut last_op: Option<u32> = None;
        for at in lane.steps.0..lane.steps.1 {
            for op in program.ops_of(at) {
                let stream = program.ops[op as usize].stream as usize;
                if program.ops[op as usize].kind.crosses() {
                    put_aside(program, op, aside, last_on[stream]);
                } else {
                    last_on[stream] = Some(op);
                }
                last_op = Some(op);
            }
            let copied = last_op.is_some_and(|op| program.ops[op as usize].kind.crosses());
            let step = &mut program.steps[at as usize];
            match step.action {
                Action::Copy if Some(at) != last_wait && copied => {
                    step.action = Action::Submit;
                    step.cost = step.lead.max(0);
                }
                Action::Wait if Some(at) == last_wait => {
                    let from = program.awaited.len() as u32;
                    program.awaited.push(Awaited::Everything);
                    step.awaited = (from, from + 1);
                }
                Action::Wait if copied => step.awaited = (0, 0),
                _ => {}
            }
        }
    }
}

/// Moves a copy to a stream of its direction; a download still follows what it downloads.
fn put_aside(program: &mut Program, op: u32, aside: u32, before: Option<u32>) {
    let at = op as usize;
    let download = program.ops[at].kind == OpKind::Download;
    program.ops[at].stream = aside + u32::from(download);
    let Some(before) = before.filter(|_| download) else { return };
    let (from, to) = program.ops[at].after;
    let kept: Vec<u32> = program.after[from as usize..to as usize].to_vec();
    let from = program.after.len() as u32;
    program.after.extend(kept);
    program.after.push(before);
    program.ops[at].after = (from, program.after.len() as u32);
}

/// Kernels launched inside a layer's range keep the layer's rate of their time.
fn spikes(program: &mut Program, around: &Around<'_>) {
    for at in 0..program.steps.len() as u32 {
        let Some(rate) = (around.rate_of)(program.steps[at as usize].call) else { continue };
        for op in program.ops_of(at) {
            let op = &mut program.ops[op as usize];
            if op.kind == OpKind::Kernel {
                shorten(op, rate);
            }
        }
    }
}

/// The window if the CPU took no time at all: what the GPU needs.
pub(crate) fn without_cpu(program: &mut Program) {
    host(program, 0.0);
    program.queue = None;
    for step in &mut program.steps {
        (step.cost, step.lead, step.tail) = (0, 0, 0);
    }
    for op in &mut program.ops {
        op.latency = 0;
    }
}

/// The window if the GPU took no time at all: what the CPU needs.
pub(crate) fn without_gpu(program: &mut Program) {
    program.gaps = super::program::Gaps::default();
    for op in &mut program.ops {
        op.duration = 0;
        op.latency = 0;
        op.fixed = op.fixed.map(|start| start.min(0));
    }
    for step in &mut program.steps {
        // What a wait costs when there is nothing to wait for is in its cost.
        if step.action == Action::Wait {
            step.tail = 0;
        }
    }
}
