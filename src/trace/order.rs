//! Putting columns into order.
//!
//! Rows of an export are usually, but not reliably, in the order of time. Columns are checked and
//! only then sorted, through one permutation for all of them.

use std::cmp::Ordering;

use super::error::TraceError;
use super::scan::Rows;
use super::schema::Table;

/// CUPTI leaves 0..0 and reversed times behind when its buffers overflow.
pub(super) const fn is_bad_time(start: i64, end: i64) -> bool {
    end < start || (start == 0 && end == 0)
}

/// The permutation that sorts `len` rows; `None` when they are in order already. Rows that compare
/// as equal must be the same in every column: then nothing depends on their order in the table.
pub(super) fn sorting(len: usize, compare: impl Fn(usize, usize) -> Ordering) -> Option<Vec<u32>> {
    if (1..len).all(|row| compare(row - 1, row).is_le()) {
        return None;
    }
    let mut order: Vec<u32> = (0..len as u32).collect();
    order.sort_by(|a, b| compare(*a as usize, *b as usize));
    Some(order)
}

/// Brings one column into the order of a permutation.
pub(super) fn apply<T: Copy>(column: &mut Vec<T>, order: &[u32]) {
    *column = order.iter().map(|row| column[*row as usize]).collect();
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
