//! Putting columns into order.
//!
//! Rows of an export are usually, but not reliably, in the order of time. Columns are checked and
//! only then sorted, through one permutation for all of them.

use std::cmp::Ordering;
use std::ops::Range;

use super::error::TraceError;
use super::scan::Rows;
use super::schema::Table;

/// CUPTI leaves 0..0 and reversed times behind when its buffers overflow.
pub(super) const fn is_bad_time(start: i64, end: i64) -> bool {
    end < start || (start == 0 && end == 0)
}

/// How rows come into order: a few of them move, the others keep their order.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// The rows that move, as they lie.
    from: Vec<u32>,
    /// The same rows in order.
    moved: Vec<u32>,
    /// Where each of `moved` comes to lie; rising.
    to: Vec<u32>,
}

/// How to sort `len` rows; `None` when they are in order already. Rows that compare as equal must be
/// the same in every column: then nothing depends on their order in the table.
///
/// Few rows are out of order in a real table: they are taken out, sorted, and put back where they
/// belong.
pub(super) fn sorting(len: usize, compare: impl Fn(usize, usize) -> Ordering) -> Option<Order> {
    let compare = |a: u32, b: u32| compare(a as usize, b as usize);
    let mut from: Vec<u32> = Vec::new();
    let mut last = 0;
    for row in 1..len as u32 {
        if compare(last, row).is_le() {
            last = row;
        } else {
            from.push(row);
        }
    }
    if from.is_empty() {
        return None;
    }
    let mut moved = from.clone();
    moved.sort_by(|a, b| compare(*a, *b));
    let mut kept = Kept::new(&from, len);
    let to = (0_u32..).zip(&moved).map(|(i, row)| {
        kept.skip_while(|other| compare(other, *row).is_le());
        kept.number + i
    });
    let to = to.collect();
    Some(Order { from, moved, to })
}

/// Walks through the rows that keep their order.
struct Kept {
    /// For each row that moves, how many of the others lie before it.
    before: Vec<u32>,
    count: u32,
    /// How many have been passed.
    number: u32,
    /// How many rows that move lie before the next one.
    passed: usize,
}

impl Kept {
    fn new(from: &[u32], len: usize) -> Self {
        let before = (0_u32..).zip(from).map(|(i, row)| row - i).collect();
        Self { before, count: len as u32 - from.len() as u32, number: 0, passed: 0 }
    }

    /// How many rows that move lie before the kept row of that number, which was not passed.
    fn moved_before(&self, number: u32) -> usize {
        let rest = &self.before[self.passed..];
        self.passed + gallop(rest.len(), |i| rest[i] <= number)
    }

    /// Passes rows as long as they are `early`; those after a row that is not are not, either.
    fn skip_while(&mut self, early: impl Fn(u32) -> bool) {
        let left = (self.count - self.number) as usize;
        let skipped = gallop(left, |i| {
            let number = self.number + i as u32;
            early(number + self.moved_before(number) as u32)
        });
        self.number += skipped as u32;
        self.passed = self.moved_before(self.number);
    }
}

/// How many of the first `len` numbers hold; those that do come first, and are expected to be few.
pub(super) fn gallop(len: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high, mut step) = (0, 0, 1);
    while high < len && holds(high) {
        low = high + 1;
        high = (high + step).min(len);
        step *= 2;
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

impl Order {
    /// Where some rows, given in rising order, come to lie.
    pub(super) fn places(&self, rows: impl Iterator<Item = u32>) -> Vec<u32> {
        let mut moved: Vec<(u32, u32)> =
            self.moved.iter().copied().zip(self.to.iter().copied()).collect();
        moved.sort_unstable();
        let gap: Vec<u32> = (0_u32..).zip(&self.to).map(|(i, to)| to - i).collect();
        let place = |row: u32| match moved.binary_search_by_key(&row, |pair| pair.0) {
            Ok(at) => moved[at].1,
            Err(before) => {
                let number = row - before as u32;
                number + gap.partition_point(|gap| *gap <= number) as u32
            }
        };
        rows.map(place).collect()
    }
}

/// Brings one column into order, in place.
///
/// Rows mostly move by a few places: between those, as many rows were taken out as were put in, and
/// everything lies where it belongs. So each stretch is put into order by itself.
pub(super) fn apply<T: Copy>(column: &mut [T], order: &Order) {
    let mut moved: Vec<T> = Vec::new();
    let mut first = 0;
    while let Some(&start) = order.to.get(first) {
        let next = order.to.iter().skip(first + 1).chain([&u32::MAX]);
        let froms = order.from.iter().skip(first);
        // The stretch ends with a row that was taken out before the next one is put in.
        let count = 1 + froms.zip(next).take_while(|(from, to)| from >= to).count();
        let rows = first..first + count;
        let (start, end) = (start as usize, order.from[rows.end - 1] as usize + 1);
        moved.clear();
        moved.extend(order.moved[rows.clone()].iter().map(|row| column[*row as usize]));
        let stretch = &mut column[start..end];
        apply_stretch(stretch, start, &order.from[rows.clone()], &moved, &order.to[rows]);
        first += count;
    }
}

/// The same for a stretch that begins at row `start`: what is in order already is moved in blocks.
fn apply_stretch<T: Copy>(stretch: &mut [T], start: usize, from: &[u32], moved: &[T], to: &[u32]) {
    let place = |row: &u32| *row as usize - start;
    let ends = from.iter().skip(1).map(place).chain([stretch.len()]);
    let mut kept = from.first().map_or(stretch.len(), place);
    for (row, end) in from.iter().map(place).zip(ends) {
        let block = row + 1..end;
        let length = block.len();
        move_block(stretch, block, kept);
        kept += length;
    }
    let mut end = stretch.len();
    for (value, to) in moved.iter().zip(to.iter().map(place)).rev() {
        let length = end - to - 1;
        move_block(stretch, kept - length..kept, to + 1);
        kept -= length;
        stretch[to] = *value;
        end = to;
    }
}

/// Moves a block, unless it lies where it should.
fn move_block<T: Copy>(column: &mut [T], block: Range<usize>, to: usize) {
    if block.start != to {
        column.copy_within(block, to);
    }
}

/// Rows are numbered with 32 bits here.
pub(super) fn check_count(rows: Rows<'_>, table: &Table, count: usize) -> Result<(), TraceError> {
    if u32::try_from(count).is_ok_and(|count| count < u32::MAX) {
        return Ok(());
    }
    Err(TraceError::TooManyRows {
        path: rows.path.to_owned(),
        table: table.name.clone(),
        limit: u32::MAX - 1,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rows_out_of_order_are_put_where_they_belong() {
        for rows in [
            vec![],
            vec![1],
            vec![1, 1, 2],
            vec![2, 1],
            vec![1, 9, 2, 3, 4, 5],
            vec![5, 6, 7, 1, 2, 3, 8, 4],
            vec![3, 2, 1, 0, -1],
            vec![1, 2, 3, 0, 1, 2, 3, 9, 2],
        ] {
            check(&rows);
        }
        // Every way to put five rows of three values.
        for number in 0..3_i32.pow(5) {
            let digits: Vec<i32> = (0..5).map(|i| number / 3_i32.pow(i) % 3).collect();
            check(&digits);
        }
    }

    #[test]
    fn rows_that_move_by_a_few_places_leave_the_others_where_they_are() {
        let mut state = 1_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            (state >> 33) % below
        };
        for _ in 0..500 {
            let mut rows: Vec<i32> = (0..200).collect();
            for _ in 0..random(30) {
                let (from, by) = (random(200) as usize, random(12) as usize);
                let row = rows.remove(from);
                rows.insert(from.saturating_sub(by), row);
            }
            check(&rows);
        }
    }

    fn check(rows: &[i32]) {
        let mut expected = rows.to_vec();
        expected.sort_unstable();
        let order = sorting(rows.len(), |a, b| rows[a].cmp(&rows[b]));
        assert_eq!(order.is_none(), rows.is_sorted());
        let mut found = rows.to_vec();
        if let Some(order) = order {
            apply(&mut found, &order);
            let places = order.places(0..rows.len() as u32);
            let put: Vec<i32> = places.iter().map(|place| expected[*place as usize]).collect();
            assert_eq!(put, rows);
            assert_eq!(places.iter().collect::<BTreeSet<_>>().len(), rows.len());
        }
        assert_eq!(found, expected, "{rows:?}");
    }
}
