//! Busy or idle, and why, one instant after the other (sections 5 and 7).
//!
//! Instants between which nothing starts or ends cannot differ, so they are asked once. The instant
//! of an event itself is asked alone: `next` looks at starts `>= t`.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{CountedCall, CountedOp, World, intersects};
use super::{Expected, Instance, Question, Which, Window};

/// A host gap of this length or more is not dispatch.
const DISPATCH_BELOW_NS: i64 = 1_000_000;

/// Idle time by cause.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// none, head, tail, launch, queue, api, sync, host, unknown.
    pub by_kind: BTreeMap<&'static str, i64>,
    pub head_by: BTreeMap<&'static str, i64>,
    pub tail_by: BTreeMap<&'static str, i64>,
    /// Part of `host` between two close calls; the second number adds head and tail.
    pub dispatch: (i64, i64),
}

impl Parts {
    pub fn get(&self, kind: &str) -> i64 {
        self.by_kind.get(kind).copied().unwrap_or(0)
    }

    pub fn total(&self) -> i64 {
        self.by_kind.values().sum()
    }

    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.by_kind, &other.by_kind),
            (&mut self.head_by, &other.head_by),
            (&mut self.tail_by, &other.tail_by),
        ] {
            for (kind, time) in theirs {
                *mine.entry(kind).or_default() += time;
            }
        }
        self.dispatch.0 += other.dispatch.0;
        self.dispatch.1 += other.dispatch.1;
    }
}

pub fn explain(
    world: &World,
    question: &Question,
    window: &Window,
    instance: &mut Instance,
    sum: &mut Expected,
) {
    let scene = Scene::of(world, question, window);
    let instants = if question.every_ns {
        (window.start..window.end).map(|t| (t, 1)).collect()
    } else {
        scene.instants()
    };
    for (t, length) in instants {
        let busy: BTreeSet<i64> =
            scene.mine.iter().filter(|op| covers(op, t)).map(|op| op.device).collect();
        for device in &busy {
            *sum.busy_by_device.entry(*device).or_default() += length;
        }
        if scene.foreign.iter().any(|op| covers(op, t)) {
            sum.foreign_busy_ns += length;
        }
        if busy.is_empty() {
            scene.idle(t, length, &mut instance.parts);
        } else {
            instance.busy_ns += length;
        }
    }
}

fn covers(op: &CountedOp, t: i64) -> bool {
    op.start <= t && t < op.end
}

/// What matters for one window.
struct Scene<'a> {
    world: &'a World,
    window: &'a Window,
    whose: super::Whose,
    /// Operations of the attributed process on the devices that it used in the window, whenever.
    mine: Vec<&'a CountedOp>,
    /// Operations of others on those devices.
    foreign: Vec<&'a CountedOp>,
    /// First start and last end of the operations of `mine` that meet the window.
    active: Option<(i64, i64)>,
    /// `all` has neither head nor tail.
    edges: bool,
}

impl<'a> Scene<'a> {
    fn of(world: &'a World, question: &Question, window: &'a Window) -> Self {
        let whose = window.whose(question);
        let span = (window.start, window.end);
        let here: Vec<_> = world
            .ops
            .iter()
            .filter(|op| whose.holds_op(op) && intersects((op.start, op.end), span))
            .collect();
        let devices: BTreeSet<i64> = here.iter().map(|op| op.device).collect();
        let on_them = world.ops.iter().filter(|op| devices.contains(&op.device));
        let (mine, foreign) = on_them.partition(|op| whose.holds_op(op));
        let first = here.iter().map(|op| op.start).min();
        let active = first.zip(here.iter().map(|op| op.end).max());
        let edges = question.which != Which::All;
        Self { world, window, whose, mine, foreign, active, edges }
    }

    /// (instant, how many in a row are like it).
    fn instants(&self) -> Vec<(i64, i64)> {
        let (start, end) = (self.window.start, self.window.end);
        let ops = self.mine.iter().chain(&self.foreign).flat_map(|op| [op.start, op.end]);
        let calls = self.world.calls.iter().flat_map(|c| [c.start, c.end]);
        let mut cuts: BTreeSet<i64> = ops.chain(calls).flat_map(|t| [t, t + 1]).collect();
        cuts.retain(|t| start < *t && *t < end);
        cuts.extend([start, end]);
        let cuts: Vec<i64> = cuts.into_iter().collect();
        cuts.windows(2).map(|pair| (pair[0], pair[1] - pair[0])).collect()
    }

    fn idle(&self, t: i64, length: i64, parts: &mut Parts) {
        let Some((first, last)) = self.active else {
            *parts.by_kind.entry("none").or_default() += length;
            return;
        };
        let (kind, dispatch) = self.kind(t);
        let place = match t {
            _ if !self.edges => kind,
            t if t < first => "head",
            t if t >= last => "tail",
            _ => kind,
        };
        *parts.by_kind.entry(place).or_default() += length;
        match place {
            "head" => *parts.head_by.entry(kind).or_default() += length,
            "tail" => *parts.tail_by.entry(kind).or_default() += length,
            _ if dispatch => parts.dispatch.0 += length,
            _ => {}
        }
        if dispatch {
            parts.dispatch.1 += length;
        }
    }

    /// The first reason that fits, and whether it is dispatch.
    fn kind(&self, t: i64) -> (&'static str, bool) {
        let later = self.mine.iter().filter(|op| op.start >= t);
        let next = later.min_by_key(|op| {
            (op.start, op.correlation.is_none(), op.correlation, op.process.is_none(), op.process)
        });
        let Some(next) = next else {
            return self
                .window
                .owner
                .map_or(("unknown", false), |(_, thread)| self.inside(thread, t));
        };
        let Some(call) = self.world.cause(next, self.whose).filter(|_| !next.is_migration()) else {
            return ("unknown", false);
        };
        if t >= call.end {
            ("queue", false)
        } else if call.start <= t {
            (if call.is_launch { "launch" } else { "api" }, false)
        } else {
            self.inside(call.thread, t)
        }
    }

    /// What a thread does at an instant.
    fn inside(&self, thread: i64, t: i64) -> (&'static str, bool) {
        let own: Vec<&CountedCall> =
            self.world.calls.iter().filter(|c| c.thread == thread).collect();
        let around: Vec<_> = own.iter().filter(|c| c.start <= t && t < c.end).collect();
        if around.iter().any(|c| c.is_sync) {
            return ("sync", false);
        }
        if around.iter().any(|c| c.is_launch) {
            return ("launch", false);
        }
        if !around.is_empty() {
            return ("api", false);
        }
        let before = own.iter().filter(|c| c.start <= t).map(|c| c.end).max();
        let after = own.iter().filter(|c| c.start > t).map(|c| c.start).min();
        let gap = before.zip(after).map(|(b, a)| a - b);
        ("host", gap.is_some_and(|gap| gap < DISPATCH_BELOW_NS))
    }
}
