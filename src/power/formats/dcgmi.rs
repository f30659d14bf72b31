//! `dcgmi dmon -e 155,156,157`: power, energy counter and instantaneous power of the GPUs.
//!
//! ```text
//! #Entity   POWER   TOTEC   SMCLK
//! ID        W       mJ      MHz
//! GPU 0     120.5   1000    1410
//! ```
//! The entity is two tokens, so a row has one more than the header. There is no time at all. Blank
//! values are N/A or DCGM's sentinels (`0x7ffffffffffffff0` and what follows it).

use std::collections::BTreeMap;

use super::{LogFormat, ReadHints, reading};
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

/// What a field of the header is.
enum Field {
    Counter,
    Mean,
    Instant,
    Other,
}

impl Field {
    /// Names drift between versions; `--columns` names them in the order of `-e`.
    fn of(name: &str) -> Self {
        match name.trim().to_ascii_uppercase().as_str() {
            "TOTEC" | "156" => Self::Counter,
            "POWER" | "155" => Self::Mean,
            "PWINST" | "POWINS" | "POWERI" | "157" => Self::Instant,
            _ => Self::Other,
        }
    }
}

pub(super) fn read(source: Source<'_>, hints: &ReadHints) -> Result<PowerLog, PowerError> {
    let mut log = PowerLog::new(LogFormat::Dcgmi, Basis::Lines, Nanos::from_ns(SECOND));
    let given = hints.columns.as_deref().map(|names| fields(names.iter().map(String::as_str)));
    let mut header: Vec<Field> = Vec::new();
    let mut ticks: BTreeMap<String, i64> = BTreeMap::new();
    for (number, line) in source.text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        let row: Vec<&str> = line.split_whitespace().collect();
        match row.first() {
            Some(&"#Entity") => {
                header = fields(row[1..].iter().copied());
                log.skipped_lines += 1;
            }
            None | Some(&"ID") => log.skipped_lines += 1,
            Some(_) => {
                let fields = given.as_ref().unwrap_or(&header);
                if row.len() != fields.len() + 2 {
                    return Err(torn(source, number, row.len(), fields.len()));
                }
                reading_of(&row, fields, &mut ticks, &mut log);
            }
        }
    }
    Ok(log)
}

fn fields<'t>(names: impl Iterator<Item = &'t str>) -> Vec<Field> {
    names.map(Field::of).collect()
}

fn torn(source: Source<'_>, number: usize, cells: usize, fields: usize) -> PowerError {
    source.line(
        number,
        format!("{cells} cells, {} expected (entity, number and {fields} fields)", fields + 2),
        "The row is torn; delete it if the log is otherwise whole",
    )
}

fn reading_of(
    row: &[&str],
    fields: &[Field],
    ticks: &mut BTreeMap<String, i64>,
    log: &mut PowerLog,
) {
    let entity = format!("{}{}", row[0].to_ascii_lowercase(), row[1]);
    let tick = ticks.entry(entity.clone()).or_insert(0);
    let at_ns = *tick * SECOND;
    *tick += 1;
    for (field, cell) in fields.iter().zip(&row[2..]) {
        match field {
            Field::Counter => {
                let joules = value(cell).map(|mj| mj / 1e3);
                log.push(&format!("{entity}:energy"), Kind::Cumulative, at_ns, joules);
            }
            Field::Mean => {
                let kind = Kind::TrailingAvg { window: Some(Nanos::from_ns(SECOND)) };
                log.push(&entity, kind, at_ns, value(cell));
            }
            Field::Instant => {
                log.push(&format!("{entity}:instant"), Kind::Instant, at_ns, value(cell));
            }
            Field::Other => {}
        }
    }
}
