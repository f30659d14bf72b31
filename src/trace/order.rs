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
///
/// Few rows are out of order in a real table: they are taken out, sorted, and put back where they
/// belong.
pub(super) fn sorting(len: usize, compare: impl Fn(usize, usize) -> Ordering) -> Option<Vec<u32>> {
    let compare = |a: u32, b: u32| compare(a as usize, b as usize);
    let rows = len as u32;
    let sorted = (1..rows).take_while(|row| compare(row - 1, *row).is_le()).count() as u32 + 1;
    if sorted >= rows {
        return None;
    }
    let mut order: Vec<u32> = Vec::with_capacity(len);
    order.extend(0..sorted);
    let mut late: Vec<u32> = Vec::new();
    let mut last = sorted - 1;
    for row in sorted..rows {
        if compare(last, row).is_le() {
            order.push(row);
            last = row;
        } else {
            late.push(row);
        }
    }
    late.sort_by(|a, b| compare(*a, *b));
    merge_from_behind(&mut order, &late, compare);
    Some(order)
}

/// Merges `late` into `order`; both are sorted. From behind, so that nothing is moved twice.
fn merge_from_behind(order: &mut Vec<u32>, late: &[u32], compare: impl Fn(u32, u32) -> Ordering) {
    let (mut kept, mut left) = (order.len(), late.len());
    order.resize(kept + left, 0);
    while left > 0 {
        let from_kept = kept > 0 && compare(order[kept - 1], late[left - 1]).is_gt();
        let row = if from_kept {
            kept -= 1;
            order[kept]
        } else {
            left -= 1;
            late[left]
        };
        order[kept + left] = row;
    }
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

#[cfg(test)]
mod tests {
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
            let mut expected = rows.clone();
            expected.sort_unstable();
            let order = sorting(rows.len(), |a, b| rows[a].cmp(&rows[b]));
            assert_eq!(order.is_none(), rows.is_sorted());
            let mut found = rows.clone();
            if let Some(order) = order {
                apply(&mut found, &order);
            }
            assert_eq!(found, expected, "{rows:?}");
        }
    }
}
