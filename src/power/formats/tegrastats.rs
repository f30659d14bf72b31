//! tegrastats of JetPack 4 to 7: one line per interval, closed binary, grammar in `power.md` 1.1.2.
//!
//! ```text
//! 11-15-2024 08:38:09 RAM 6185/7620MB (lfb 8x2MB) … GR3D_FREQ 63%@[621] … VDD_IN 12479mW/12479mW
//! month-day-year, local, whole seconds                            rail    now / since the start
//! ```
//! A rail is recognised by its shape (`WORD a/b[/c]`, b without a unit of memory), never by its name:
//! rails of AGX Xavier are called GPU and CPU like temperatures. The first number counts; the second
//! is an average since the start of the command, the third (JetPack 7) has no known meaning.

use std::sync::LazyLock;

use regex::Regex;

use super::LogFormat;
use crate::power::error::{PowerError, Source};
use crate::power::log::{Basis, Kind, PowerLog};
use crate::power::stamp::{SECOND, civil_ns, clock_ns, date_ns, decimal_ns};
use crate::units::{Nanos, UnixTime};

/// The longest line that is looked at.
const LONGEST: usize = 64 * 1024;

/// One rail of one line, in mW.
#[derive(Clone, Debug, PartialEq)]
pub struct RailReading {
    /// `VDD_IN`.
    pub name: String,
    /// The reading of the moment.
    pub now_mw: f64,
    /// The average since the start of tegrastats.
    pub average_mw: f64,
}

/// Load and clock of the GPU in one line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GpuLoad {
    /// `GR3D_FREQ`, per cent.
    pub percent: f64,
    /// The highest of its clocks, MHz.
    pub mhz: Option<f64>,
}

/// The expressions are constant; one that did not compile matches nothing, and the tests would tell.
fn compiled(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

static RAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compiled(
        r"(?:^|\s)([A-Za-z][A-Za-z0-9_]*)\s+(\d+(?:\.\d+)?)(mW|W)?/(\d+(?:\.\d+)?)([A-Za-z]*)(?:/\d+(?:\.\d+)?(?:mW|W)?)?",
    )
});
static ASIDE: LazyLock<Option<Regex>> = LazyLock::new(|| compiled(r"CPU\s*\[[^\]]*\]|\([^)]*\)"));
static STAMP: LazyLock<Option<Regex>> =
    LazyLock::new(|| compiled(r"(\d{2})-(\d{2})-(\d{4})\s+(\d{2}:\d{2}:\d{2})\b"));
static LOAD: LazyLock<Option<Regex>> =
    LazyLock::new(|| compiled(r"GR3D_FREQ\s+(\d+)%(?:@\[?([\d,]+)\]?)?"));
static MEMORY: LazyLock<Option<Regex>> = LazyLock::new(|| compiled(r"RAM \d+/\d+[kMG]B"));

/// Whether the head of a log is tegrastats'.
pub(super) fn is_mine(head: &str) -> bool {
    MEMORY.as_ref().is_some_and(|memory| memory.is_match(head))
}

/// The rails of a line, in its order; two that share a name are both there, `NC` (not connected) is not.
pub fn rails_of(line: &str) -> Vec<RailReading> {
    let (Some(rail), Some(aside)) = (RAIL.as_ref(), ASIDE.as_ref()) else { return Vec::new() };
    let clean = aside.replace_all(line, " ");
    let mut rails = Vec::new();
    for found in rail.captures_iter(&clean) {
        let unit_after = found.get(5).map_or("", |unit| unit.as_str());
        if matches!(unit_after, "kB" | "MB" | "GB") || &found[1] == "NC" {
            continue;
        }
        let unit_before = found.get(3).map(|unit| unit.as_str());
        // The unit of one side carries over to the other.
        let scale = if unit_before.unwrap_or(unit_after) == "W" { 1e3 } else { 1.0 };
        let (Ok(now), Ok(average)) = (found[2].parse::<f64>(), found[4].parse::<f64>()) else {
            continue;
        };
        rails.push(RailReading {
            name: found[1].to_owned(),
            now_mw: now * scale,
            average_mw: average * scale,
        });
    }
    rails
}

/// Load and clock of the GPU, when the line has them.
pub fn gpu_load(line: &str) -> Option<GpuLoad> {
    let found = LOAD.as_ref()?.captures(line)?;
    let clocks = found.get(2).map_or("", |clocks| clocks.as_str());
    let mhz = clocks.split(',').filter_map(|clock| clock.parse::<f64>().ok()).reduce(f64::max);
    Some(GpuLoad { percent: found[1].parse().ok()?, mhz })
}

/// A time at the head of a line: what it counts from, nanoseconds, resolution.
fn stamp_of(line: &str) -> Option<(Basis, i64, Nanos)> {
    let trimmed = line.trim_start();
    if let Some(found) = STAMP.as_ref().and_then(|stamp| stamp.captures(trimmed))
        && found.get(0).is_some_and(|whole| whole.start() == 0)
    {
        let (month, day) = (found[1].parse().ok()?, found[2].parse().ok()?);
        let date = date_ns(found[3].parse().ok()?, month, day)?;
        return Some((Basis::Local, date + clock_ns(&found[4])?, Nanos::from_ns(SECOND)));
    }
    // A wrapper's prefix: unix seconds or milliseconds.
    let first = trimmed.split_whitespace().next()?;
    let value: f64 = first.parse().ok()?;
    let exponent = if (1e9..4e9).contains(&value) {
        9
    } else if (1e12..4e12).contains(&value) {
        6
    } else {
        return None;
    };
    let digits = first.split_once('.').map_or(0, |(_, fraction)| fraction.len().min(6) as u32);
    let quantum = Nanos::from_ns(10_i64.pow(exponent).max(10) / 10_i64.pow(digits));
    Some((Basis::Unix, decimal_ns(first, exponent)?, quantum))
}

/// Output of `date` above the first line: `Tue Jan 26 18:22:31 UTC 2021`.
fn date_line(line: &str) -> Option<(i64, bool)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, month, day, clock, zone, year] = words.as_slice() else { return None };
    let months =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|name| name == month)? + 1;
    let day: u8 = day.parse().ok()?;
    let ns = civil_ns(&format!("{year}-{month:02}-{day:02} {clock}"))?;
    Some((ns, matches!(*zone, "UTC" | "GMT")))
}

/// What the lines so far have in common.
#[derive(Default)]
struct Shape {
    rails: Option<Vec<String>>,
    stamped: Option<bool>,
    lines: i64,
}

impl Shape {
    /// What is wrong with a line of these rails, if anything; the first line sets the shape.
    fn differs(&mut self, rails: &[RailReading], stamped: bool) -> Option<String> {
        let names: Vec<String> = rails.iter().map(|rail| rail.name.clone()).collect();
        let expected = self.rails.get_or_insert_with(|| names.clone());
        let same = names == *expected && *self.stamped.get_or_insert(stamped) == stamped;
        (!same).then(|| format!("rails {names:?}, where the lines before have {expected:?}"))
    }
}

/// Reads a log.
pub(super) fn read(source: Source<'_>) -> Result<PowerLog, PowerError> {
    let mut log = PowerLog::new(LogFormat::Tegrastats, Basis::Lines, Nanos::from_ns(SECOND));
    let mut shape = Shape::default();
    let lines: Vec<(usize, &str)> = source
        .text
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.get(..LONGEST).unwrap_or(line)))
        .filter(|(_, line)| !line.trim().is_empty())
        .collect();
    log.skipped_lines = source.text.lines().count() - lines.len();
    for (at, (number, line)) in lines.iter().enumerate() {
        if STAMP.as_ref().is_some_and(|stamp| stamp.find_iter(line).count() > 1) {
            return Err(source.line(
                *number,
                "two lines in one: a second time stamp follows the rails",
                "The logger was killed while it wrote; split the line by hand, or delete it",
            ));
        }
        let (rails, stamp) = (rails_of(line), stamp_of(line));
        if rails.is_empty() && stamp.is_none() && !is_mine(line) {
            header(line, shape.lines, &mut log);
        } else if let Some(problem) = shape.differs(&rails, stamp.is_some()) {
            if at + 1 == lines.len() {
                log.findings.push(super::torn_end(*number));
                break;
            }
            let remedy = "The line is torn, or two logs were joined; repair or split the log";
            return Err(source.line(*number, problem, remedy));
        } else {
            add(&mut log, &mut shape, rails, stamp);
        }
    }
    Ok(log)
}

fn add(
    log: &mut PowerLog,
    shape: &mut Shape,
    rails: Vec<RailReading>,
    stamp: Option<(Basis, i64, Nanos)>,
) {
    let at_ns = match stamp {
        Some((basis, ns, quantum)) => {
            (log.basis, log.quantum) = (basis, quantum);
            ns
        }
        None => shape.lines * SECOND,
    };
    shape.lines += 1;
    for rail in rails {
        log.push(&rail.name, Kind::Instant, at_ns, Some(rail.now_mw / 1e3));
    }
}

/// A line that is none of tegrastats': the output of `date` says when the log starts.
fn header(line: &str, index: i64, log: &mut PowerLog) {
    log.skipped_lines += 1;
    if let Some((ns, is_utc)) = date_line(line).filter(|_| index == 0) {
        log.stated_start = Some(UnixTime::from_unix_ns(ns));
        log.stated_zone_s = is_utc.then_some(0);
    }
}
