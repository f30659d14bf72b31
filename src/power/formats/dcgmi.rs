//! `dcgmi dmon -e 155,156,157`: power, energy counter and instantaneous power of the GPUs.
//!
//! ```text
//! #Entity   POWER   TOTEC   SMCLK
//! ID        W       mJ      MHz
//! GPU 0     120.5   1000    1410
//! ```
//! The entity is two tokens, so a row has one more than the header. There is no time at all. Blank
//! values are N/A or DCGM's sentinels (`0x7ffffffffffffff0` and what follows it).

use super::{LogFormat, reading};
use crate::power::error::{PowerError, Source};
use crate::power::log::{Basis, Kind, PowerLog};
use crate::power::stamp::SECOND;
use crate::units::Nanos;

/// `DCGM_INT64_BLANK`; +1 not found, +2 not supported, +3 no permission.
const INT_BLANK: f64 = 9_223_372_036_854_775_792.0;
/// `DCGM_FP64_BLANK`, the same three after it.
const FLOAT_BLANK: f64 = 140_737_488_355_328.0;

pub(super) fn is_mine(head: &str) -> bool {
    head.lines().any(|line| line.trim_start().starts_with("#Entity"))
}

fn value(text: &str) -> Option<f64> {
    let value = reading(text)?;
    let blank =
        (value - INT_BLANK).abs() < 4096.0 || (FLOAT_BLANK..=FLOAT_BLANK + 3.0).contains(&value);
    (!blank).then_some(value)
}

pub(super) fn read(source: Source<'_>) -> Result<PowerLog, PowerError> {
    let mut log = PowerLog::new(LogFormat::Dcgmi, Basis::Lines, Nanos::from_ns(SECOND));
    let mut names: Vec<String> = Vec::new();
    let mut ticks: std::collections::BTreeMap<String, i64> = std::collections::BTreeMap::new();
    for (number, line) in source.text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        let row: Vec<&str> = line.split_whitespace().collect();
        match row.first() {
            Some(&"#Entity") => {
                names = row[1..].iter().map(|name| name.to_ascii_uppercase()).collect();
                log.skipped_lines += 1;
                continue;
            }
            None | Some(&"ID") => {
                log.skipped_lines += 1;
                continue;
            }
            _ => {}
        }
        if row.len() != names.len() + 2 {
            return Err(source.line(
                number,
                format!(
                    "{} cells, {} expected (entity, number and {} fields)",
                    row.len(),
                    names.len() + 2,
                    names.len()
                ),
                "The row is torn; delete it if the log is otherwise whole",
            ));
        }
        let entity = format!("{}{}", row[0].to_ascii_lowercase(), row[1]);
        let tick = ticks.entry(entity.clone()).or_insert(0);
        let at_ns = *tick * SECOND;
        *tick += 1;
        for (name, cell) in names.iter().zip(&row[2..]) {
            match name.as_str() {
                "TOTEC" => {
                    let joules = value(cell).map(|mj| mj / 1e3);
                    log.push(&format!("{entity}:energy"), Kind::Cumulative, at_ns, joules);
                }
                "POWER" => {
                    let kind = Kind::TrailingAvg { window: Some(Nanos::from_ns(SECOND)) };
                    log.push(&entity, kind, at_ns, value(cell));
                }
                "PWINST" | "POWINS" | "POWERI" => {
                    log.push(&format!("{entity}:instant"), Kind::Instant, at_ns, value(cell));
                }
                _ => {}
            }
        }
    }
    Ok(log)
}
