//! Which instances a question selects (section 3).

use std::collections::BTreeSet;

use super::super::spec::{Range, Text, TraceSpec, process_of};
use super::world::{World, intersects};
use super::{Question, Rule, Which, Whose, belongs};

/// One instance. The two spans differ only for projected windows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    pub start: i64,
    pub end: i64,
    pub cpu_start: i64,
    pub cpu_end: i64,
    /// (process, thread) of the range.
    pub owner: Option<(i64, i64)>,
}

impl Window {
    fn new(start: i64, end: i64, owner: Option<(i64, i64)>) -> Self {
        Self { start, end, cpu_start: start, cpu_end: end, owner }
    }

    /// Whose calls and operations count here.
    pub fn whose(&self, question: &Question) -> Whose {
        match (question.whose, self.owner) {
            (Whose::Own, Some((process, _))) => Whose::Process(process),
            (Whose::Own, None) => Whose::Any,
            (other, _) => other,
        }
    }
}

pub fn windows(spec: &TraceSpec, world: &World, question: &Question) -> Vec<Window> {
    let mut found = match &question.which {
        Which::Named(name) | Which::Projected(name) => ranges(spec, world, question, name),
        Which::Spans(spans) => spans.iter().map(|s| Window::new(s.0, s.1, None)).collect(),
        Which::All => whole(world),
    };
    found.retain(|w| {
        let (process, thread) = w.owner.map_or((None, None), |(p, t)| (Some(p), Some(t)));
        (question.process.is_none() || question.process == process)
            && (question.thread.is_none() || question.thread == thread)
    });
    found.sort_by_key(|w| (w.start, w.end, w.owner));
    let take = question.take.unwrap_or(usize::MAX);
    let mut found: Vec<_> = found.into_iter().skip(question.skip).take(take).collect();
    if matches!(question.which, Which::Projected(_)) {
        found = found.iter().filter_map(|w| projected(world, question, w)).collect();
    }
    found
}

/// From the first start to the last end of the operations that the window launched.
fn projected(world: &World, question: &Question, window: &Window) -> Option<Window> {
    let mine: Vec<_> = world
        .ops
        .iter()
        .filter(|op| belongs(world, op, Rule::Launched, window, question).is_some())
        .collect();
    let start = mine.iter().map(|op| op.start).min()?;
    let end = mine.iter().map(|op| op.end).max()?;
    Some(Window { start, end, ..window.clone() })
}

fn whole(world: &World) -> Vec<Window> {
    let calls = world.calls.iter().map(|c| (c.start, c.end));
    let spans: Vec<_> = calls.chain(world.ops.iter().map(|op| (op.start, op.end))).collect();
    let start = spans.iter().map(|s| s.0).min();
    let end = spans.iter().map(|s| s.1).max();
    start.zip(end).map(|(s, e)| Window::new(s, e, None)).into_iter().collect()
}

fn ranges(spec: &TraceSpec, world: &World, question: &Question, name: &str) -> Vec<Window> {
    let all: Vec<&Range> = spec.ranges.iter().filter(|r| matches!(r.event_type, 59 | 60)).collect();
    let mut closed: Vec<Window> = vec![];
    for range in &all {
        let text = match &range.text {
            Text::Inline(text) | Text::Registered(text) => text,
            Text::Missing => continue,
        };
        let Some(thread) = range.thread else { continue };
        if text != name || invalid(range) {
            continue;
        }
        let process = process_of(thread);
        let end = match range.end {
            Some(end) if !unclosed(spec, &all, end) => Some(end),
            _ if question.clip_unclosed => last_event(world, process),
            _ => None,
        };
        if let Some(end) = end.filter(|end| *end >= range.start) {
            closed.push(Window::new(range.start, end, Some((process, thread))));
        }
    }
    collapsed(&closed)
}

fn invalid(range: &Range) -> bool {
    range.end.is_some_and(|end| end < range.start || (range.start == 0 && end == 0))
}

/// The importer closes open ranges at the very end of the collection.
fn unclosed(spec: &TraceSpec, all: &[&Range], end: i64) -> bool {
    if let Some(duration) = spec.duration {
        return end >= duration;
    }
    let ends = all.iter().filter(|r| !invalid(r)).filter_map(|r| r.end.map(|end| (end, r.start)));
    let ends: Vec<(i64, i64)> = ends.collect();
    let last = ends.iter().map(|e| e.0).max();
    let starts: BTreeSet<i64> = ends.iter().filter(|e| Some(e.0) == last).map(|e| e.1).collect();
    Some(end) == last && starts.len() > 1
}

fn last_event(world: &World, process: i64) -> Option<i64> {
    let calls = world.calls.iter().filter(|c| c.process == process).map(|c| c.end);
    let ops = world.ops.iter().filter(|op| op.process.is_none_or(|p| p == process)).map(|o| o.end);
    calls.chain(ops).max()
}

/// Instances inside another of the same thread go; of equal ones the first row stays.
fn collapsed(found: &[Window]) -> Vec<Window> {
    let inside = |a: &Window, b: &Window| b.start <= a.start && a.end <= b.end;
    let kept = found.iter().enumerate().filter(|(i, a)| {
        !found.iter().enumerate().any(|(j, b)| {
            a.owner == b.owner && i != &j && inside(a, b) && (!inside(b, a) || j < *i)
        })
    });
    kept.map(|(_, w)| w.clone()).collect()
}

/// Whether anything of the world happens in a window: for tests that want eventful questions.
pub fn eventful(world: &World, window: &Window) -> bool {
    world.ops.iter().any(|op| intersects((op.start, op.end), (window.start, window.end)))
}
