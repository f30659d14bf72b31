//! The windows in which a call starts and counts.
//!
//! Passes over operations ask for the calls that caused them, nearly in the order of the calls. Where
//! no two windows overlap, as is usual, the window of the last answer is the place to look first, and
//! no table is needed. Where some do, a pass over the calls fills one.

use super::scope::Scope;
use crate::trace::CallId;

/// Stands for "starts in no window".
const NONE: u32 = u32::MAX;

/// How the windows of a call are found.
pub(super) enum LaunchWindows {
    /// No two windows overlap: all that have a length, in the order of their starts.
    Apart(Vec<u32>),
    /// Some do.
    Table {
        /// By call, its first window.
        first: Vec<u32>,
        /// Further windows of a call, by call.
        further: Vec<(u32, u32)>,
    },
}

impl LaunchWindows {
    pub(super) fn of(scope: &Scope<'_>) -> Self {
        let spans = &scope.cpu_spans;
        let mut order: Vec<u32> =
            (0..spans.len() as u32).filter(|w| !spans[*w as usize].is_empty()).collect();
        order.sort_by_key(|w| spans[*w as usize].start());
        let apart = |pair: &[u32]| spans[pair[0] as usize].end() <= spans[pair[1] as usize].start();
        if order.windows(2).all(apart) { Self::Apart(order) } else { Self::table(scope) }
    }

    fn table(scope: &Scope<'_>) -> Self {
        let mut first = vec![NONE; scope.trace.calls.len()];
        let mut further = Vec::new();
        scope.calls_starting(|call, window| {
            let place = &mut first[call.index()];
            if *place == NONE {
                *place = window as u32;
            } else {
                further.push((call.index() as u32, window as u32));
            }
        });
        further.sort_unstable();
        Self::Table { first, further }
    }

    /// Begins a pass.
    pub(super) const fn walk<'a>(&'a self, scope: &'a Scope<'a>) -> LaunchWalk<'a> {
        LaunchWalk { windows: self, scope, at: 0 }
    }
}

/// A pass over calls in any order; one near that of their starts is quick.
pub(super) struct LaunchWalk<'a> {
    windows: &'a LaunchWindows,
    scope: &'a Scope<'a>,
    /// The place in the order where a window was found last.
    at: usize,
}

impl LaunchWalk<'_> {
    /// Visits the windows in which a call starts and counts.
    #[inline]
    pub(super) fn each(&mut self, call: CallId, mut visit: impl FnMut(usize)) {
        match self.windows {
            LaunchWindows::Apart(order) => {
                if let Some(window) = self.find(order, call)
                    && self.scope.windows()[window].attributed.calls_of(self.scope.caller(call))
                {
                    visit(window);
                }
            }
            LaunchWindows::Table { first, further } => {
                let key = call.index() as u32;
                if first[call.index()] != NONE {
                    visit(first[call.index()] as usize);
                    let from = further.partition_point(|pair| pair.0 < key);
                    let same = further[from..].iter().take_while(|pair| pair.0 == key);
                    same.for_each(|(_, window)| visit(*window as usize));
                }
            }
        }
    }

    /// The window that holds the start of a call.
    fn find(&mut self, order: &[u32], call: CallId) -> Option<usize> {
        let (spans, start) = (&self.scope.cpu_spans, self.scope.trace.calls.start(call));
        let opened = |at: usize| order.get(at).is_some_and(|w| spans[*w as usize].start() <= start);
        if !opened(0) {
            return None;
        }
        let is_last_opened = |at: &usize| opened(*at) && !opened(at + 1);
        let near = [self.at, self.at + 1].into_iter().find(is_last_opened);
        let search = || order.partition_point(|w| spans[*w as usize].start() <= start) - 1;
        self.at = near.unwrap_or_else(search);
        let window = order[self.at] as usize;
        spans[window].holds(start).then_some(window)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::trace::{Trace, source};
    use crate::windows::{Selection, Surroundings, WindowSpec, select};

    #[test]
    fn windows_that_do_not_overlap_are_found_like_those_in_a_table() {
        let path = Path::new("fixtures/traces/wno-request/eager-450.sqlite.zst");
        let open = source::open(path).unwrap();
        let trace = Trace::read(path, open.connection()).unwrap();
        let around =
            Surroundings { messages: trace.ranges.texts(), read_file: &|_| unreachable!() };
        let spec = WindowSpec::parse("latency", &around).unwrap();
        let set = select(&trace, "latency", &spec, &Selection::default()).unwrap();
        let scope = Scope::new(&trace, &set);
        let (apart, table) = (LaunchWindows::of(&scope), LaunchWindows::table(&scope));
        assert!(matches!(apart, LaunchWindows::Apart(_)));
        let (mut apart, mut table) = (apart.walk(&scope), table.walk(&scope));
        let calls: Vec<CallId> = trace.calls.ids().collect();
        let (mut inside, mut outside) = (0, 0);
        // Once in order, then jumping to and fro.
        let jumps = (0..calls.len()).map(|i| i * 7919 % calls.len());
        for call in (0..calls.len()).chain(jumps).map(|i| calls[i]) {
            let (mut found, mut expected) = (Vec::new(), Vec::new());
            apart.each(call, |window| found.push(window));
            table.each(call, |window| expected.push(window));
            assert_eq!(found, expected);
            *(if found.is_empty() { &mut outside } else { &mut inside }) += 1;
        }
        assert!(inside > 0 && outside > 0, "{inside} {outside}");
    }
}
