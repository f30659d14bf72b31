//! When may the next run begin? After a pause, and when the machine is cool enough.
//!
//! Temperature moves power and clocks: runs that start hot are not those that start cold.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::plan::{Cooldown, Length};
use super::process::Stop;
use crate::finding::{Finding, Severity};
use crate::units::Nanos;

const LOOK_EVERY: Duration = Duration::from_millis(500);
const AT_MOST: Length = Length(Nanos::from_ns(600_000_000_000));

/// Waits as the plan says; returns a doubt when the temperature was not reached.
pub(crate) fn cool_down(
    plan: &Cooldown,
    stop: &Stop,
    temperatures: &dyn Fn() -> BTreeMap<String, f64>,
) -> Option<Finding> {
    if let Some(pause) = plan.pause {
        sleep(duration(pause.0), stop);
    }
    let below = plan.below_c?;
    let since = Instant::now();
    loop {
        let Some((name, now)) = hottest(&temperatures(), plan.sensor.as_deref()) else {
            return Some(not_cool("no sensor of temperature can be read"));
        };
        if now < below || stop.signal().is_some() {
            return None;
        }
        if since.elapsed() > duration(plan.at_most.unwrap_or(AT_MOST).0) {
            return Some(not_cool(&format!(
                "{name} was still at {now:.1} °C after {} s",
                since.elapsed().as_secs()
            )));
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Sleeps, unless asked to stop.
pub(crate) fn sleep(length: Duration, stop: &Stop) {
    let since = Instant::now();
    while stop.signal().is_none() {
        let left = length.saturating_sub(since.elapsed());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(Duration::from_millis(50)));
    }
}

/// As the standard library counts time.
pub(crate) fn duration(length: Nanos) -> Duration {
    Duration::from_nanos(u64::try_from(length.as_ns()).unwrap_or(0))
}

fn hottest(all: &BTreeMap<String, f64>, only: Option<&str>) -> Option<(String, f64)> {
    let wanted = all.iter().filter(|(name, _)| only.is_none_or(|only| only == name.as_str()));
    wanted.max_by(|a, b| a.1.total_cmp(b.1)).map(|(name, value)| (name.clone(), *value))
}

fn not_cool(why: &str) -> Finding {
    Finding::new(
        "not-cooled-down",
        Severity::Warning,
        format!("the run began before the machine had cooled down: {why}"),
        "allow more time (cooldown.at_most), a higher temperature, or name the sensor",
    )
}
