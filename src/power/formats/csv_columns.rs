//! A csv whose header names a time and a power: any meter's export.
//!
//! Without help, a time column is one called time, timestamp or date, and a power column one whose name
//! carries a unit (`Power (mW)`, `gpu_power_w`, `Power Draw [W]`). The cells decide what the time is:
//! a date, unix s, ms, us or ns by size, else relative. `--columns`, `--time-col`, `--time-format` and
//! `--power-col COLUMN=UNIT` (or `V=COLUMN,I=COLUMN`) say it where the header does not.

use super::{LogFormat, ReadHints, reading};
use crate::power::error::{PowerError, Source};
use crate::power::log::{Basis, Kind, PowerLog};
use crate::power::stamp::{TimeFormat, civil_ns, clock_ns, decimal_ns, quantum_of};
use crate::units::{Nanos, plain};

/// Lines before the header that are looked through.
const PREAMBLE: usize = 20;

/// How a power is found in a row.
#[derive(Clone, Debug, PartialEq)]
enum Power {
    Column { at: usize, rail: String, scale: f64, kind: Kind },
    Product { volts: usize, amperes: usize },
}

/// The columns of a file.
struct Layout {
    header_line: Option<usize>,
    delimiter: u8,
    time: usize,
    powers: Vec<Power>,
    width: usize,
}

fn split(line: &str, delimiter: u8) -> Vec<String> {
    let cells = line.split(char::from(delimiter));
    cells.map(|cell| cell.trim().trim_matches('"').trim().to_owned()).collect()
}

fn delimiter_of(line: &str) -> u8 {
    let count = |byte: u8| line.bytes().filter(|found| *found == byte).count();
    [b',', b';', b'\t'].into_iter().max_by_key(|byte| (count(*byte), *byte == b',')).unwrap_or(b',')
}

fn is_time(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    words.into_iter().any(|word| matches!(word, "time" | "timestamp" | "datetime" | "date"))
}

/// `Current VDD_IN Power Consumption (mW)` → (`VDD_IN`, 1e-3).
fn power_of(name: &str) -> Option<(String, f64)> {
    let lower = name.to_ascii_lowercase();
    let unit = if let Some((_, unit)) = lower.rsplit_once(['(', '[']) {
        unit.trim_end_matches([')', ']']).trim().to_owned()
    } else {
        lower
            .rsplit_once('_')
            .map(|(_, unit)| unit.to_owned())
            .filter(|_| lower.contains("power"))?
    };
    let scale = scale_of(&unit)?;
    if lower.starts_with("average") || lower.starts_with("avg") {
        return None;
    }
    let bare = name.split(['(', '[']).next().unwrap_or(name).trim();
    let bare = if lower.ends_with(&format!("_{unit}")) {
        &bare[..bare.len() - unit.len() - 1]
    } else {
        bare
    };
    let words: Vec<&str> = bare
        .split([' ', '_'])
        .filter(|word| {
            !matches!(
                word.to_ascii_lowercase().as_str(),
                "current" | "power" | "consumption" | "draw" | ""
            )
        })
        .collect();
    Some((if words.is_empty() { "power".to_owned() } else { words.join("_") }, scale))
}

fn scale_of(unit: &str) -> Option<f64> {
    match unit.trim().to_ascii_lowercase().as_str() {
        "w" | "watt" | "watts" => Some(1.0),
        "mw" | "milliwatt" | "milliwatts" => Some(1e-3),
        "uw" | "µw" | "microwatt" | "microwatts" => Some(1e-6),
        _ => None,
    }
}

/// The header among the first lines: a time and a power with its unit.
fn header(text: &str) -> Option<Layout> {
    text.lines().take(PREAMBLE).enumerate().find_map(|(line, row)| {
        let delimiter = delimiter_of(row);
        let names = split(row, delimiter);
        let time = names.iter().position(|name| is_time(name))?;
        let powers: Vec<Power> = names
            .iter()
            .enumerate()
            .filter_map(|(at, name)| {
                let (rail, scale) = power_of(name)?;
                Some(Power::Column { at, rail, scale, kind: Kind::Instant })
            })
            .collect();
        (!powers.is_empty()).then_some(Layout {
            header_line: Some(line),
            delimiter,
            time,
            powers,
            width: names.len(),
        })
    })
}

pub(super) fn is_mine(head: &str) -> bool {
    header(head).is_some()
}

/// In a sentence, why a text that looks like a csv cannot be read without help.
pub(super) fn why_not(text: &str) -> String {
    let Some(first) = text.lines().find(|line| line.contains([',', ';', '\t'])) else {
        return String::new();
    };
    let names = split(first, delimiter_of(first));
    let has_header =
        names.iter().any(|name| name.parse::<f64>().is_err() && civil_ns(name).is_none());
    if !has_header {
        return format!("It looks like a csv of {} columns without a header. ", names.len());
    }
    let Some(time) = names.iter().find(|name| is_time(name)) else {
        return "It looks like a csv, but no column is a time: a summary of runs cannot be joined with windows. ".to_owned();
    };
    let others: Vec<String> =
        names.iter().filter(|name| *name != time).take(4).map(|name| plain(name, 30)).collect();
    format!(
        "It looks like a csv with the time in `{}`, but no column names a unit of power (there are {}, …): W and \
         mW cannot be told apart by guessing. ",
        plain(time, 30),
        others.join(", ")
    )
}

/// The layout that the user describes.
fn described(source: Source<'_>, hints: &ReadHints) -> Result<Layout, PowerError> {
    let first = source.text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let delimiter = delimiter_of(first);
    let (names, header_line) = match &hints.columns {
        Some(names) => (names.clone(), None),
        None => (split(first, delimiter), Some(0)),
    };
    let at = |wanted: &str| {
        names.iter().position(|name| name.eq_ignore_ascii_case(wanted.trim())).ok_or_else(|| {
            source.log(
                format!("no column `{wanted}`; there are {}", names.join(", ")),
                "Name a column as the header writes it",
            )
        })
    };
    let time = match &hints.time_column {
        Some(name) => at(name)?,
        None => names.iter().position(|name| is_time(name)).unwrap_or(0),
    };
    let Some(words) = &hints.power_columns else {
        return Err(source.log("no power column is named", "Give --power-col COLUMN=W"));
    };
    let powers = powers(source, words, at)?;
    Ok(Layout { header_line, delimiter, time, powers, width: names.len() })
}

/// `COLUMN=mW,COLUMN=J`, `V=COLUMN,I=COLUMN`; `at` finds a column by its name.
fn powers(
    source: Source<'_>,
    words: &str,
    at: impl Fn(&str) -> Result<usize, PowerError>,
) -> Result<Vec<Power>, PowerError> {
    let mut powers = Vec::new();
    let (mut volts, mut amperes) = (None, None);
    for word in words.split(',') {
        let Some((left, right)) = word.split_once('=') else {
            return Err(source.log(
                format!("--power-col `{word}` has no ="),
                "Write COLUMN=W, COLUMN=mW, COLUMN=J (a counter), or V=COLUMN,I=COLUMN",
            ));
        };
        let column = |rail: String, scale: f64, kind: Kind| -> Result<Power, PowerError> {
            Ok(Power::Column { at: at(left.trim())?, rail, scale, kind })
        };
        match (left.trim(), right.trim(), scale_of(right)) {
            (rail, _, Some(scale)) => powers.push(column(rail.to_owned(), scale, Kind::Instant)?),
            (rail, "J", None) => {
                powers.push(column(format!("{rail}:energy"), 1.0, Kind::Cumulative)?);
            }
            (rail, "mJ", None) => {
                powers.push(column(format!("{rail}:energy"), 1e-3, Kind::Cumulative)?);
            }
            ("V", column, None) => volts = Some(at(column)?),
            ("I", column, None) => amperes = Some(at(column)?),
            (_, unit, None) => {
                return Err(source.log(
                    format!("`{unit}` is no unit of power"),
                    "Units are W, mW, uW, and J or mJ for a counter",
                ));
            }
        }
    }
    powers.extend(volts.zip(amperes).map(|(volts, amperes)| Power::Product { volts, amperes }));
    Ok(powers)
}

pub(super) fn read(source: Source<'_>, hints: &ReadHints) -> Result<PowerLog, PowerError> {
    let layout = match header(source.text) {
        Some(layout) if hints.power_columns.is_none() && hints.columns.is_none() => layout,
        _ => described(source, hints)?,
    };
    let skip = layout.header_line.map_or(0, |line| line + 1);
    let header = layout.header_line.and_then(|line| source.text.lines().nth(line)).unwrap_or("");
    let heading = split(header, layout.delimiter).get(layout.time).cloned().unwrap_or_default();
    let mut log = PowerLog::new(LogFormat::Csv, Basis::Relative, Nanos::from_ns(1));
    log.skipped_lines = skip;
    let mut format = hints.time_format.clone();
    let mut lines = source.text.lines().enumerate().skip(skip).peekable();
    let mut read = 0_usize;
    while let Some((number, line)) = lines.next() {
        if line.trim().is_empty() || skip > 0 && line.trim() == header.trim() {
            log.skipped_lines += 1;
            continue;
        }
        let row = split(line, layout.delimiter);
        let cell = row.get(layout.time).map_or("", String::as_str);
        if format.is_none() {
            format = sniff(cell, &heading);
            log.quantum = resolution(cell, format.as_ref());
        }
        let whole = row.len() == layout.width || layout.header_line.is_none();
        let time = format.as_ref().and_then(|format| time_of(cell, format)).filter(|_| whole);
        let Some(at_ns) = time else {
            if lines.peek().is_none() && read > 0 {
                log.findings.push(super::torn_end(number + 1));
                break;
            }
            return Err(no_time(source, number + 1, cell));
        };
        layout.push(&mut log, at_ns, &row);
        read += 1;
    }
    log.basis = match format {
        Some(TimeFormat::RelS | TimeFormat::RelMs) | None => Basis::Relative,
        Some(TimeFormat::Civil) => Basis::Local,
        Some(_) => Basis::Unix,
    };
    Ok(log)
}

impl Layout {
    fn push(&self, log: &mut PowerLog, at_ns: i64, row: &[String]) {
        let of =
            |at: usize| row.get(at).and_then(|cell| reading(cell.trim_end_matches([' ', 'W'])));
        for power in &self.powers {
            match power {
                Power::Column { at, rail, scale, kind } => {
                    log.push(rail, *kind, at_ns, of(*at).map(|value| value * scale));
                }
                Power::Product { volts, amperes } => {
                    let watts =
                        of(*volts).zip(of(*amperes)).map(|(volts, amperes)| volts * amperes);
                    log.push("V*I", Kind::Instant, at_ns, watts);
                }
            }
        }
    }
}

fn no_time(source: Source<'_>, line: usize, cell: &str) -> PowerError {
    let remedy = if clock_ns(cell).is_some() {
        "A time of day without a date cannot be placed; log dates too"
    } else {
        "Say what the column holds with --time-format (unix_s, unix_ms, unix_us, unix_ns, rel_s, rel_ms, civil); \
         a torn row has to be deleted"
    };
    source.line(line, format!("`{cell}` is no time"), remedy)
}

/// What a first time cell holds.
fn sniff(cell: &str, heading: &str) -> Option<TimeFormat> {
    if civil_ns(cell).is_some() {
        return Some(TimeFormat::Civil);
    }
    let value: f64 = cell.parse().ok()?;
    let sizes = [
        (1e9, TimeFormat::UnixS),
        (1e12, TimeFormat::UnixMs),
        (1e15, TimeFormat::UnixUs),
        (1e18, TimeFormat::UnixNs),
    ];
    if let Some((_, format)) =
        sizes.into_iter().find(|(least, _)| (*least..4.0 * least).contains(&value))
    {
        return Some(format);
    }
    let is_milli = heading.to_ascii_lowercase().contains("(ms)");
    Some(if is_milli { TimeFormat::RelMs } else { TimeFormat::RelS })
}

/// The place of the last digit, in the unit of the column.
fn resolution(cell: &str, format: Option<&TimeFormat>) -> Nanos {
    let unit = match format {
        Some(TimeFormat::UnixMs | TimeFormat::RelMs) => 1_000,
        Some(TimeFormat::UnixUs) => 1_000_000,
        Some(TimeFormat::UnixNs) => 1_000_000_000,
        _ => 1,
    };
    Nanos::from_ns((quantum_of(cell).as_ns() / unit).max(1))
}

fn time_of(cell: &str, format: &TimeFormat) -> Option<i64> {
    match format {
        TimeFormat::UnixS | TimeFormat::RelS => decimal_ns(cell, 9),
        TimeFormat::UnixMs | TimeFormat::RelMs => decimal_ns(cell, 6),
        TimeFormat::UnixUs => decimal_ns(cell, 3),
        TimeFormat::UnixNs => decimal_ns(cell, 0),
        TimeFormat::Civil => civil_ns(cell),
    }
}
