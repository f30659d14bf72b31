//! Recordings of files below `/sys`: what a shell loop with `date` and `grep` leaves.
//!
//! ```text
//! while sleep 0.1; do date +%s.%N; grep . /sys/bus/i2c/drivers/ina3221/*/hwmon/hwmon*/*; done > power.log
//!
//! 1731659889.125000000
//! /sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/in1_label:VDD_IN
//! /sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/in1_input:4984
//! ```
//! A block is one reading of the files: it starts at a time, or where a file comes again. Files that do not
//! change (labels, ranges) may stand in the first block only. What the files mean is in `ina3221` and `rapl`.

use std::collections::{BTreeMap, BTreeSet};

use crate::power::error::{PowerError, Source};
use crate::power::log::Basis;
use crate::power::stamp::{SECOND, decimal_ns};

/// One reading of the files.
pub(super) struct Block<'t> {
    /// When, on the basis of the recording.
    pub(super) at_ns: i64,
    /// Every file that was seen until now, with its last text.
    pub(super) tree: &'t BTreeMap<String, String>,
    /// The files of this block.
    pub(super) fresh: &'t BTreeSet<String>,
}

/// `PATH:TEXT`; paths may hold colons, texts do not.
fn file_line(line: &str) -> Option<(&str, &str)> {
    let (path, text) = line.rsplit_once(':')?;
    (path.contains('/') && !path.contains(char::is_whitespace)).then_some((path, text.trim()))
}

/// Whether a line of the head is a file whose path holds `part`.
pub(super) fn holds(head: &str, part: &str) -> bool {
    head.lines().any(|line| file_line(line).is_some_and(|(path, _)| path.contains(part)))
}

/// A time alone on its line: unix s, ms, us or ns.
fn stamp(line: &str) -> Option<i64> {
    let whole: i64 = line.split('.').next()?.parse().ok()?;
    let exponent = match whole {
        1_000_000_000..4_000_000_000 => 9,
        1_000_000_000_000..4_000_000_000_000 => 6,
        1_000_000_000_000_000..4_000_000_000_000_000 => 3,
        1_000_000_000_000_000_000..4_000_000_000_000_000_000 => 0,
        _ => return None,
    };
    decimal_ns(line, exponent)
}

/// Walks over the blocks; answers what their times count from, and lines that are neither.
pub(super) fn blocks(
    source: Source<'_>,
    mut visit: impl FnMut(&Block<'_>),
) -> Result<(Basis, usize), PowerError> {
    let (mut tree, mut fresh) = (BTreeMap::new(), BTreeSet::new());
    let (mut at, mut count, mut skipped, mut stamped) = (None, 0_i64, 0, false);
    for (number, line) in source.text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        if let Some(ns) = stamp(line) {
            stamped = true;
            close(&tree, &mut fresh, at, &mut count, &mut visit);
            at = Some(ns);
        } else if let Some((path, text)) = file_line(line) {
            if fresh.contains(path) {
                if stamped {
                    return Err(source.line(
                        number,
                        format!("`{path}` comes twice after one time"),
                        "Write a time before each reading of the files",
                    ));
                }
                close(&tree, &mut fresh, at, &mut count, &mut visit);
            }
            tree.insert(path.to_owned(), text.to_owned());
            fresh.insert(path.to_owned());
        } else {
            skipped += 1;
        }
    }
    close(&tree, &mut fresh, at, &mut count, &mut visit);
    Ok((if stamped { Basis::Unix } else { Basis::Lines }, skipped))
}

fn close(
    tree: &BTreeMap<String, String>,
    fresh: &mut BTreeSet<String>,
    at: Option<i64>,
    count: &mut i64,
    visit: &mut impl FnMut(&Block<'_>),
) {
    if !fresh.is_empty() {
        visit(&Block { at_ns: at.unwrap_or(*count * SECOND), tree, fresh });
        *count += 1;
        fresh.clear();
    }
}
