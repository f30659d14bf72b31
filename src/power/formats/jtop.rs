//! jetson-stats' `jtop_logger.py`: the `jtop.stats` dictionary as csv, power in mW.
//!
//! The first column `time` is a naive local time whose fraction is absent when it is zero; `uptime` is
//! quoted since it may hold a comma. Rails are `Power <rail>`, the total is `Power TOT`, which is the
//! board's input rail where it has one and otherwise jtop's own sum of all rails: on AGX Orin that
//! counts VDDQ_VDD2_1V8AO twice. `Power avg` is not a mean over time and ignored.

use super::{LogFormat, reading};
use crate::power::error::{PowerError, Source};
use crate::power::log::{Basis, Kind, PowerLog};
use crate::power::stamp::civil_ns;
use crate::units::Nanos;

pub(super) fn is_mine(head: &str) -> bool {
    let first = head.lines().next().unwrap_or("").trim_start().to_ascii_lowercase();
    first.starts_with("time,uptime,") && first.split(',').any(|name| rail(name).is_some())
}

/// `Power VDD_SOC`, `power_vdd_soc`, `power cur` → the rail.
fn rail(name: &str) -> Option<String> {
    let (first, rest) = name.trim().split_at_checked(5)?;
    let rest = rest.strip_prefix([' ', '_'])?;
    let wanted = first.eq_ignore_ascii_case("power") && !rest.eq_ignore_ascii_case("avg");
    let total = rest.eq_ignore_ascii_case("tot") || rest.eq_ignore_ascii_case("cur");
    wanted.then(|| if total { "TOT".to_owned() } else { rest.to_ascii_uppercase() })
}

pub(super) fn read(source: Source<'_>) -> Result<PowerLog, PowerError> {
    let mut log = PowerLog::new(LogFormat::Jtop, Basis::Local, Nanos::from_ns(1_000));
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(source.text.as_bytes());
    let names = reader.headers().cloned().unwrap_or_default();
    let rails: Vec<(usize, String)> =
        names.iter().enumerate().filter_map(|(at, name)| Some((at, rail(name)?))).collect();
    for row in reader.records() {
        let row = row.map_err(|error| source.log(error.to_string(), "The csv is damaged"))?;
        let line = row.position().map_or(0, |at| at.line() as usize);
        if row == names {
            log.skipped_lines += 1;
            continue;
        }
        let Some(at_ns) = row.get(0).and_then(civil_ns).filter(|_| row.len() == names.len()) else {
            if reader_is_done(source.text, line) {
                log.findings.push(super::torn_end(line));
                break;
            }
            return Err(source.line(
                line,
                "no time, or a cell too few",
                "The row is torn; delete it",
            ));
        };
        for (at, name) in &rails {
            let value = row.get(*at).and_then(reading).map(|mw| mw / 1e3);
            log.push(name, Kind::Instant, at_ns, value);
        }
    }
    Ok(log)
}

/// Whether no line with content follows `line`.
fn reader_is_done(text: &str, line: usize) -> bool {
    text.lines().skip(line).all(|rest| rest.trim().is_empty())
}
