//! When is the next reading? A period moved by up to a tenth, deadlines on the monotonic clock.
//!
//! ```text
//!   d0        d1 = d0 + P·U(0.9, 1.1)     d2 …
//!   |─read─|  |─read─|   a read that ends after the next deadline loses that reading, and says so
//! ```
//! Deadlines follow each other, not the ends of reads, so that slow reads do not stretch the period. The
//! thread is pinned to the last core that it may use, away from where the launching thread usually runs, and
//! asks for a higher priority: a program that keeps every core busy would hold it back for longer than a
//! period now and then. Who may not raise a priority samples at the usual one; the manifest says which it was.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{getpriority_process, setpriority_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::jitter::Distances;
use super::log::Log;
use super::{Reading, Source};
use crate::collect::clock;
use crate::runs::manifest::PowerAbout;
use crate::units::Nanos;

/// So many failures in a row end a sampler.
const PATIENCE: u32 = 10;
/// The longest sleep: a stop is seen within this time.
const NAP_NS: i64 = 100_000_000;
/// The priority that is asked for: well above other programs, below what the system needs for itself.
const NICE: i32 = -10;

/// How often, and how far moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Time between readings.
    pub period: Nanos,
    /// Each period is moved by up to this share of it.
    pub jitter: f64,
    /// Where the random numbers begin.
    pub seed: u64,
}

impl Pace {
    /// A period moved by up to a tenth.
    pub fn of(period: Nanos) -> Self {
        Self { period, jitter: 0.1, seed: clock::mono_ns().cast_unsigned() | 1 }
    }

    /// The next period; xorshift is random enough to break a lock.
    fn next(&mut self) -> i64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        let unit = (self.seed >> 11) as f64 / (1_u64 << 53) as f64;
        let moved = self.period.as_ns() as f64 * (1.0 + self.jitter * (2.0 * unit - 1.0));
        (moved as i64).max(1)
    }
}

/// Reads until it is told to stop.
pub(super) fn run(
    mut source: Box<dyn Source>,
    mut pace: Pace,
    mut log: Log,
    marks: bool,
    stop: &AtomicBool,
) -> PowerAbout {
    pin_to_last_core();
    let nice = hurry();
    if marks {
        nvtx::name_thread("nsys-attrib sampler");
    }
    let rails = source.rails();
    let mut tally = PowerAbout {
        source: source.name().to_owned(),
        file: log.name().to_owned(),
        rails: rails.clone(),
        period_ns: pace.period,
        nice,
        ..PowerAbout::default()
    };
    let mut distances = Distances::new(pace.period);
    let mut readings = Vec::with_capacity(rails.len());
    let mut failures = 0;
    let mut deadline = clock::mono_ns();
    while !stop.load(Ordering::Relaxed) {
        readings.clear();
        distances.add(clock::mono_ns());
        match source.read(&mut readings) {
            Ok(()) => {
                failures = 0;
                tally.samples += 1;
                tally.lost += rails.len().saturating_sub(readings.len()) as u64;
            }
            Err(why) => {
                failures += 1;
                tally.lost += 1;
                if failures == PATIENCE {
                    tally.died = Some(format!("{PATIENCE} readings in a row failed: {why}"));
                    break;
                }
            }
        }
        if let Err(error) = log.take(&rails, &readings) {
            tally.died = Some(format!("its log cannot be written: {error}"));
            break;
        }
        if marks {
            readings.iter().for_each(|reading| mark(&rails, reading));
        }
        tally.lost += wait(&mut deadline, &mut pace, stop);
    }
    if let Err(error) = log.finish()
        && tally.died.is_none()
    {
        tally.died = Some(format!("its log cannot be written: {error}"));
    }
    tally.jitter = distances.summary();
    tally.cpu_ns = Some(Nanos::from_ns(clock::thread_cpu_ns()));
    tally
}

/// Sleeps until the next deadline; returns how many deadlines have passed meanwhile.
fn wait(deadline: &mut i64, pace: &mut Pace, stop: &AtomicBool) -> u64 {
    let mut passed = 0;
    *deadline += pace.next();
    let now = clock::mono_ns();
    while *deadline <= now {
        *deadline += pace.next();
        passed += 1;
    }
    while !stop.load(Ordering::Relaxed) && clock::mono_ns() < *deadline {
        clock::sleep_until((*deadline).min(clock::mono_ns() + NAP_NS));
    }
    passed
}

/// `power rail=VDD_IN mw=4824.5 mono=…`: what `energy` reads from a trace.
fn mark(rails: &[String], reading: &Reading) {
    if let (Some(rail), Some(mw)) = (rails.get(reading.rail), reading.mw) {
        let rail = rail.replace(char::is_whitespace, "_");
        nvtx::mark(&format!("power rail={rail} mw={mw:.3} mono={}", reading.mono_ns));
    }
}

fn pin_to_last_core() {
    let Ok(allowed) = sched_getaffinity(None) else { return };
    if let Some(last) = (0..CpuSet::MAX_CPU).rev().find(|core| allowed.is_set(*core)) {
        let mut only = CpuSet::new();
        only.set(last);
        let _ = sched_setaffinity(None, &only);
    }
}

/// Raises the priority of this thread where that is allowed; the nice value that it then has.
fn hurry() -> Option<i32> {
    // Linux takes "this process" for the calling thread alone.
    let _ = setpriority_process(None, NICE);
    getpriority_process(None).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_moved_evenly_by_a_tenth() {
        let mut pace = Pace { period: Nanos::from_ns(1_000_000), jitter: 0.1, seed: 7 };
        let periods: Vec<i64> = (0..10_000).map(|_| pace.next()).collect();
        assert!(periods.iter().all(|period| (900_000..=1_100_000).contains(period)));
        let mean = periods.iter().sum::<i64>() as f64 / 1e4;
        // The standard error of the mean of a uniform distribution of this width is 577 ns.
        assert!((mean - 1e6).abs() < 3_000.0, "{mean}");
        assert!(periods.iter().filter(|period| **period < 950_000).count() > 2_200);
    }
}
