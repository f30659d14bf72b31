//! The interval algebra: which things meet which windows, and how much time is covered.
//!
//! Everything is half-open. A thing meets a window when they share an instant, or when it has no
//! length and its instant lies inside; a window without length is met by nothing.
//!
//! ```text
//!   windows      [A----------)      [B----)
//!   things    [1--)  [2-)  [3--------)  |4
//!   pairs     1A, 2A, 3A, 3B, 4B
//! ```
//!
//! One pass over things in the order of their starts, with the windows that are open at that
//! instant: the cost is the number of pairs, for nested and overlapping windows too.

use crate::units::Span;

/// Windows in the order of their starts, prepared for a pass over many things.
#[derive(Clone, Debug)]
pub struct Sweep<'a> {
    windows: &'a [Span],
    order: Vec<u32>,
}

/// The windows that are open at the instant of the sweep.
struct Open {
    windows: Vec<u32>,
    next: usize,
    /// When the next one opens and the first of the open ones closes: nothing happens before.
    next_start: i64,
    first_end: i64,
}

impl<'a> Sweep<'a> {
    /// Prepares `windows`, given in any order; those without length are left out.
    pub fn over(windows: &'a [Span]) -> Self {
        let mut order: Vec<u32> =
            (0..windows.len() as u32).filter(|w| !windows[*w as usize].is_empty()).collect();
        order.sort_by_key(|w| (windows[*w as usize].start(), *w));
        Self { windows, order }
    }

    /// Visits every pair (thing, window) that meet. `things` come in the order of their starts; for
    /// each window, things are visited in that order.
    pub fn meeting<T: Copy>(
        &self,
        things: impl Iterator<Item = (T, Span)>,
        mut visit: impl FnMut(T, usize),
    ) {
        let mut open = self.none_open();
        for (thing, span) in things {
            if !self.advance(&mut open, span.start_ns()) {
                break;
            }
            for window in &open.windows {
                visit(thing, *window as usize);
            }
            if open.next_start >= span.end_ns() {
                continue;
            }
            for window in &self.order[open.next..] {
                if self.windows[*window as usize].start() >= span.end() {
                    break;
                }
                visit(thing, *window as usize);
            }
        }
    }

    /// Visits every pair (thing, window) in which the thing starts inside the window. `things` are
    /// instants in ns, in order.
    pub fn starting<T: Copy>(
        &self,
        things: impl Iterator<Item = (T, i64)>,
        mut visit: impl FnMut(T, usize),
    ) {
        let mut open = self.none_open();
        for (thing, instant) in things {
            if !self.advance(&mut open, instant) {
                break;
            }
            for window in &open.windows {
                visit(thing, *window as usize);
            }
        }
    }

    fn none_open(&self) -> Open {
        Open { windows: Vec::new(), next: 0, next_start: self.start(0), first_end: i64::MAX }
    }

    /// When the window at a place of the order starts; never, behind the last.
    fn start(&self, place: usize) -> i64 {
        self.order.get(place).map_or(i64::MAX, |window| self.windows[*window as usize].start_ns())
    }

    /// Comes to `instant`; answers whether any window is open or still to come.
    #[inline]
    fn advance(&self, open: &mut Open, instant: i64) -> bool {
        if instant >= open.next_start || instant >= open.first_end {
            self.change(open, instant);
        }
        !open.windows.is_empty() || open.next < self.order.len()
    }

    /// Opens the windows that start at or before `instant`, closes those that end by then.
    fn change(&self, open: &mut Open, instant: i64) {
        while let Some(window) = self.order.get(open.next) {
            let span = self.windows[*window as usize];
            if span.start_ns() > instant {
                break;
            }
            open.windows.push(*window);
            open.first_end = open.first_end.min(span.end_ns());
            open.next += 1;
        }
        open.next_start = self.start(open.next);
        if open.first_end <= instant {
            open.windows.retain(|window| self.windows[*window as usize].end_ns() > instant);
            open.first_end = open
                .windows
                .iter()
                .map(|window| self.windows[*window as usize].end_ns())
                .min()
                .unwrap_or(i64::MAX);
        }
    }
}

/// The time covered by spans that arrive in the order of their starts.
#[derive(Clone, Copy, Debug)]
pub struct Union {
    covered_to: i64,
    total: i64,
}

impl Default for Union {
    fn default() -> Self {
        Self { covered_to: i64::MIN, total: 0 }
    }
}

impl Union {
    /// Adds a span that starts no earlier than the ones before; answers how much of it they did not
    /// cover, in ns.
    pub fn add(&mut self, span: Span) -> i64 {
        let from = span.start_ns().max(self.covered_to);
        if span.end_ns() <= from {
            return 0;
        }
        let gained = span.end_ns() - from;
        self.total += gained;
        self.covered_to = span.end_ns();
        gained
    }

    /// The time covered so far, in ns.
    pub const fn total_ns(self) -> i64 {
        self.total
    }
}

/// The time covered by any of the spans, in ns.
pub fn union_ns(spans: impl IntoIterator<Item = Span>) -> i64 {
    let mut sorted: Vec<Span> = spans.into_iter().collect();
    sorted.sort();
    let mut union = Union::default();
    for span in sorted {
        union.add(span);
    }
    union.total_ns()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(list: &[(i64, i64)]) -> Vec<Span> {
        list.iter().map(|(start, end)| Span::from_ns(*start, *end)).collect()
    }

    fn pairs(windows: &[(i64, i64)], things: &[(i64, i64)]) -> Vec<(usize, usize)> {
        let windows = spans(windows);
        let mut things: Vec<(usize, Span)> = spans(things).into_iter().enumerate().collect();
        things.sort_by_key(|(_, span)| span.start());
        let mut found = Vec::new();
        Sweep::over(&windows)
            .meeting(things.into_iter(), |thing, window| found.push((thing, window)));
        found.sort_unstable();
        found
    }

    #[test]
    fn touching_spans_do_not_meet() {
        assert_eq!(pairs(&[(10, 20)], &[(0, 10), (20, 30), (9, 11), (19, 21)]), [(2, 0), (3, 0)]);
    }

    #[test]
    fn a_thing_meets_every_window_it_spans() {
        assert_eq!(pairs(&[(0, 5), (10, 15), (12, 30)], &[(4, 13)]), [(0, 0), (0, 1), (0, 2)]);
    }

    #[test]
    fn instants_meet_where_they_lie_and_empty_windows_never() {
        assert_eq!(pairs(&[(10, 20), (15, 15)], &[(10, 10), (20, 20), (15, 15)]), [(0, 0), (2, 0)]);
    }

    #[test]
    fn nested_windows_are_both_met() {
        assert_eq!(pairs(&[(0, 100), (40, 60)], &[(50, 55), (61, 62)]), [(0, 0), (0, 1), (1, 0)]);
    }

    #[test]
    fn the_union_counts_overlaps_once() {
        assert_eq!(union_ns(spans(&[(0, 10), (5, 15), (20, 30), (22, 25), (30, 31)])), 26);
    }
}
