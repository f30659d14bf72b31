//! Columns of spans, in 12 bytes a row.
//!
//! A start takes 8 bytes, a length 4: the few spans of more than 4.29 s (and those without an end,
//! which end at the last instant) keep their end in a list beside. Nothing is rounded.

use super::order::{Order, gallop};

/// Stands for a length that is kept in the list beside.
const LONG: u32 = u32::MAX;

/// Starts and ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spans {
    start: Vec<i64>,
    length: Vec<u32>,
    /// (row, end) of long spans, by row.
    long: Vec<(u32, i64)>,
}

impl Spans {
    pub(super) fn len(&self) -> usize {
        self.start.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start.is_empty()
    }

    /// Adds a span; `end` is not before `start`.
    #[inline]
    pub(super) fn push(&mut self, start: i64, end: i64) {
        let length = end.checked_sub(start).and_then(|length| u32::try_from(length).ok());
        let length = length.filter(|length| *length != LONG).unwrap_or_else(|| {
            self.long.push((self.start.len() as u32, end));
            LONG
        });
        self.start.push(start);
        self.length.push(length);
    }

    /// Moves the spans of later rows behind those before.
    pub(super) fn append(&mut self, later: &mut Self) {
        let before = self.start.len() as u32;
        self.long.extend(later.long.drain(..).map(|(row, end)| (before.wrapping_add(row), end)));
        self.start.append(&mut later.start);
        self.length.append(&mut later.length);
    }

    #[inline]
    pub(super) fn start(&self, row: usize) -> i64 {
        self.start[row]
    }

    #[inline]
    pub(super) fn end(&self, row: usize) -> i64 {
        match self.length[row] {
            LONG => self.long_end(row),
            length => self.start[row] + i64::from(length),
        }
    }

    #[cold]
    fn long_end(&self, row: usize) -> i64 {
        let at = self.long.partition_point(|(long, _)| (*long as usize) < row);
        self.long.get(at).map_or(self.start[row], |(_, end)| *end)
    }

    /// How many spans start before `instant`; they are in order. `near` is a guess, and costs little
    /// when it is only a little too small.
    pub(super) fn starting_before(&self, instant: i64, near: usize) -> usize {
        let early = |row: usize| self.start[row] < instant;
        let near = near.min(self.len());
        let from = if near == 0 || early(near - 1) { near } else { 0 };
        from + gallop(self.len() - from, |row| early(from + row))
    }

    /// The ends of all spans.
    pub(super) fn ends(&self) -> impl Iterator<Item = i64> + '_ {
        (0..self.len()).map(|row| self.end(row))
    }

    /// Brings the rows into order.
    pub(super) fn apply(&mut self, order: &Order) {
        if !self.long.is_empty() {
            let places = order.places(self.long.iter().map(|(row, _)| *row));
            for (long, place) in self.long.iter_mut().zip(places) {
                long.0 = place;
            }
            self.long.sort_unstable();
        }
        super::order::apply(&mut self.start, order);
        super::order::apply(&mut self.length, order);
    }
}

#[cfg(test)]
mod tests {
    use super::super::order::sorting;
    use super::*;

    const CASES: [(i64, i64); 7] = [
        (0, 0),
        (5, 4_294_967_299),
        (5, 4_294_967_300),
        (i64::MIN, i64::MAX),
        (7, i64::MAX),
        (-10, 4_294_967_285),
        (-10, 4_294_967_284),
    ];

    fn all(spans: &Spans) -> Vec<(i64, i64)> {
        (0..spans.len()).map(|row| (spans.start(row), spans.end(row))).collect()
    }

    #[test]
    fn long_spans_keep_their_end_through_every_change() {
        let mut spans = Spans::default();
        CASES.iter().for_each(|(start, end)| spans.push(*start, *end));
        assert_eq!(all(&spans), CASES);
        let mut later = spans.clone();
        spans.append(&mut later);
        assert_eq!(later, Spans::default());
        assert_eq!(all(&spans), [CASES, CASES].concat());
        let last = spans.len();
        let order = sorting(last, |a, b| b.cmp(&a));
        spans.apply(&order.unwrap());
        let reversed: Vec<(i64, i64)> = [CASES, CASES].concat().into_iter().rev().collect();
        assert_eq!(all(&spans), reversed);
    }
}
