//! RAPL energy counters: `energy_uj` wraps at `max_energy_range_uj`.
//!
//! A recording holds `/sys/class/powercap/intel-rapl:<package>[:<zone>]/{name,energy_uj,max_energy_range_uj}`.
//! `package-0` contains its `core` and `uncore`, `dram` is beside it, `psys` is the whole platform.
//! Between two reads at most one wrap can be seen; a pause in which 500 W could have passed the whole
//! range is refused.

use std::collections::BTreeMap;

use super::{LogFormat, recording};
use crate::finding::{Finding, Severity};
use crate::power::error::{PowerError, Source};
use crate::power::log::{Basis, Kind, PowerLog};
use crate::units::Nanos;

/// More than any package draws.
const MOST_WATTS: f64 = 500.0;
/// The counter's file.
const COUNTER: &str = "/energy_uj";

/// A recording holds counters of powercap.
pub(super) fn is_mine(head: &str) -> bool {
    recording::holds(head, COUNTER)
}

/// A counter without its wraps: time and text of the last read, sum until then.
struct Counter {
    at_ns: i64,
    last: u64,
    sum: u64,
}

/// Reads a recording. Without times a wrap cannot be told from two, so a second is assumed.
pub(super) fn read(source: Source<'_>) -> Result<PowerLog, PowerError> {
    let mut log = PowerLog::new(LogFormat::Rapl, Basis::Lines, Nanos::from_ns(1));
    let mut counters: BTreeMap<String, Counter> = BTreeMap::new();
    let mut lost = 0_usize;
    (log.basis, log.skipped_lines) = recording::blocks(source, |block| {
        for path in block.fresh.iter().filter(|path| path.ends_with(COUNTER)) {
            let number = |path: &str| block.tree.get(path)?.parse::<u64>().ok();
            let zone = path.trim_end_matches(COUNTER);
            let rail = format!("{}:energy", name_of(zone, block.tree));
            let Some(now) = number(path) else {
                log.push(&rail, Kind::Cumulative, block.at_ns, None);
                continue;
            };
            let range = number(&format!("{zone}/max_energy_range_uj")).unwrap_or(u64::MAX / 2);
            let counter = counters.entry(path.clone()).or_insert(Counter {
                at_ns: block.at_ns,
                last: now,
                sum: 0,
            });
            let apart = Nanos::from_ns(block.at_ns - counter.at_ns);
            let step = difference_uj(counter.last, now, range, apart);
            lost += usize::from(step.is_none());
            *counter =
                Counter { at_ns: block.at_ns, last: now, sum: counter.sum + step.unwrap_or(0) };
            let joules = step.map(|_| counter.sum as f64 / 1e6);
            log.push(&rail, Kind::Cumulative, block.at_ns, joules);
        }
    })?;
    if lost > 0 {
        log.findings.push(wraps_lost(lost));
    }
    Ok(log)
}

/// `package-0`, `package-0/dram`; the zone's own name without a file `name`.
fn name_of(zone: &str, tree: &BTreeMap<String, String>) -> String {
    let named = |zone: &str| {
        tree.get(&format!("{zone}/name"))
            .map_or_else(|| zone.rsplit('/').next().unwrap_or(zone).to_owned(), Clone::clone)
    };
    let last = zone.rsplit('/').next().unwrap_or(zone);
    let above = zone.rsplit_once(':').filter(|_| last.matches(':').count() == 2);
    match above {
        Some((package, _)) => {
            // A zone lies in the folder of its package, or beside it.
            let beside = zone.strip_suffix(last).unwrap_or("");
            let own = package.rsplit('/').next().unwrap_or(package);
            let inside = beside.trim_end_matches('/');
            let package =
                if inside.ends_with(own) { inside.to_owned() } else { format!("{beside}{own}") };
            format!("{}/{}", named(&package), named(zone))
        }
        None => named(zone),
    }
}

fn wraps_lost(reads: usize) -> Finding {
    Finding::new(
        "counter-wraps-lost",
        Severity::DataLoss,
        format!("{reads} reads come so late that the counter may have wrapped more than once before them"),
        "read the counter more often than every minute",
    )
    .with("reads", reads)
}

/// Microjoules from one read to the next; `None` when more than one wrap may lie between.
pub fn difference_uj(before: u64, after: u64, range_uj: u64, apart: Nanos) -> Option<u64> {
    let possible = apart.as_ns() as f64 / 1e9 * MOST_WATTS * 1e6;
    if possible > range_uj as f64 {
        return None;
    }
    if after >= before { Some(after - before) } else { (range_uj + after).checked_sub(before) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vector_7_5_4_a_wrap_is_undone() {
        let second = Nanos::from_ns(1_000_000_000);
        let range = 262_143_328_850;
        assert_eq!(difference_uj(262_143_000_000, 500_000, range, second), Some(828_850));
        assert_eq!(difference_uj(5, 9, range, second), Some(4));
    }

    #[test]
    fn vector_7_5_5_two_wraps_cannot_be_seen() {
        let long = Nanos::from_ns(600_000_000_000);
        assert_eq!(difference_uj(5, 9, 262_143_328_850, long), None);
    }
}
