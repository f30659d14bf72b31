//! One instance of a specification: the one that was asked for, else the one of median length.

use anyhow::{Result, bail};

use crate::windows::WindowSet;

/// The place of an instance in the set; `number` is the instance's own number.
pub(super) fn place(set: &WindowSet, number: Option<usize>) -> Result<usize> {
    if let Some(number) = number {
        let Some(place) = set.windows.iter().position(|window| window.index == number) else {
            let numbers = set.windows.iter().map(|window| window.index);
            let (first, last) = (numbers.clone().min(), numbers.max());
            bail!(
                "no instance {number} of `{}`; there are {} from {} to {}",
                set.spec,
                set.windows.len(),
                first.unwrap_or(0),
                last.unwrap_or(0)
            );
        };
        return Ok(place);
    }
    let mut places: Vec<usize> = (0..set.windows.len()).collect();
    places.sort_by_key(|place| (set.windows[*place].span.length(), *place));
    Ok(places[(places.len() - 1) / 2])
}
