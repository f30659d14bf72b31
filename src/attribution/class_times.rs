//! Time by window and class, in one table: a row for each window, a column for each class that occurs.
//!
//! Kernels of a trace are of few classes, but which comes next cannot be foretold: a place that is
//! computed costs less than looking through a list.

use crate::classify::ClassId;

/// Stands for a class without a column.
const NONE: u32 = u32::MAX;

/// The classes that occur, and the column of each.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    classes: Vec<ClassId>,
    /// By class.
    place: Vec<u32>,
}

impl Columns {
    /// Of the classes that can occur, in any order.
    pub(super) fn of(mut classes: Vec<ClassId>) -> Self {
        classes.sort_unstable();
        classes.dedup();
        let count = classes.last().map_or(0, |last| last.index() + 1);
        let mut place = vec![NONE; count];
        for (column, class) in classes.iter().enumerate() {
            place[class.index()] = column as u32;
        }
        Self { classes, place }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.classes.len()
    }

    /// The column of a class that occurs.
    #[inline]
    pub(super) fn of_class(&self, class: ClassId) -> usize {
        self.place[class.index()] as usize
    }

    /// The class of each column.
    pub(super) fn classes(&self) -> &[ClassId] {
        &self.classes
    }
}

/// Sums of ns, and whether anything was added to them.
#[derive(Clone, Debug)]
pub(super) struct TimeTable {
    columns: usize,
    ns: Vec<i64>,
    seen: Vec<bool>,
}

impl TimeTable {
    /// With so many rows and columns.
    pub(super) fn new(rows: usize, columns: usize) -> Self {
        Self { columns, ns: vec![0; rows * columns], seen: vec![false; rows * columns] }
    }

    /// Adds to a sum.
    #[inline]
    pub(super) fn add(&mut self, row: usize, column: usize, ns: i64) {
        let place = row * self.columns + column;
        self.ns[place] += ns;
        self.seen[place] = true;
    }

    /// Column and sum of everything that was added to a row.
    pub(super) fn row(&self, row: usize) -> impl Iterator<Item = (usize, i64)> + '_ {
        let places = row * self.columns..(row + 1) * self.columns;
        let sums = self.ns[places.clone()].iter().zip(&self.seen[places]).enumerate();
        sums.filter(|(_, (_, seen))| **seen).map(|(column, (ns, _))| (column, *ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_nothing_is_kept_apart_from_none() {
        let mut table = TimeTable::new(2, 3);
        table.add(1, 2, 5);
        table.add(1, 0, 0);
        table.add(1, 2, 7);
        assert_eq!(table.row(0).count(), 0);
        assert_eq!(table.row(1).collect::<Vec<_>>(), [(0, 0), (2, 12)]);
    }
}
