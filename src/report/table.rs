//! A table before it is text: named columns with units, typed cells.

use std::borrow::Cow;

use crate::units::{Bytes, Millijoules, Milliwatts, Nanos, Share, TraceTime};

/// One column.
#[derive(Clone, Debug)]
pub struct Column {
    /// The heading for people.
    pub heading: Cow<'static, str>,
    /// The heading for machines, with the unit: `time_ns`, `share_pct`.
    pub key: Cow<'static, str>,
    /// Whether it holds names, which are aligned left and may be shortened.
    pub is_text: bool,
}

/// A column of names.
pub(super) const fn text(heading: &'static str, key: &'static str) -> Column {
    Column { heading: Cow::Borrowed(heading), key: Cow::Borrowed(key), is_text: true }
}

/// A column of numbers.
pub(super) const fn number(heading: &'static str, key: &'static str) -> Column {
    Column { heading: Cow::Borrowed(heading), key: Cow::Borrowed(key), is_text: false }
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A name.
    Text(String),
    /// A number of things.
    Count(u64),
    /// A length of time.
    Time(Nanos),
    /// An instant of the trace.
    Instant(TraceTime),
    /// A part of a whole.
    Share(Share),
    /// An amount of memory.
    Bytes(Bytes),
    /// Power.
    Power(Milliwatts),
    /// Energy.
    Energy(Millijoules),
    /// A change or a part in per cent, which may be negative.
    Percent(f64),
    /// A difference of times, with its sign.
    TimeChange(Nanos),
    /// A part of a whole that may lie outside 0..1: a part of a difference.
    Ratio(f64),
    /// A relative change, with its sign.
    Change(f64),
    /// A difference of shares, in percentage points.
    Points(f64),
    /// A plain number.
    Number(f64),
    /// Unknown: a dash, an empty cell.
    Missing,
}

impl From<Option<Share>> for Cell {
    fn from(share: Option<Share>) -> Self {
        share.map_or(Self::Missing, Self::Share)
    }
}

impl From<Option<Nanos>> for Cell {
    fn from(time: Option<Nanos>) -> Self {
        time.map_or(Self::Missing, Self::Time)
    }
}

impl From<Option<Milliwatts>> for Cell {
    fn from(power: Option<Milliwatts>) -> Self {
        power.map_or(Self::Missing, Self::Power)
    }
}

impl From<Option<Millijoules>> for Cell {
    fn from(energy: Option<Millijoules>) -> Self {
        energy.map_or(Self::Missing, Self::Energy)
    }
}

impl From<&str> for Cell {
    fn from(name: &str) -> Self {
        Self::Text(name.to_owned())
    }
}

impl Cell {
    /// For people: scaled units.
    pub fn for_people(&self) -> String {
        match self {
            Self::Text(name) => name.clone(),
            Self::Count(count) => grouped(*count),
            Self::TimeChange(time) if *time > Nanos::ZERO => format!("+{time}"),
            Self::Time(time) | Self::TimeChange(time) => time.to_string(),
            Self::Instant(time) => time.to_string(),
            Self::Share(share) => share.to_string(),
            Self::Bytes(bytes) => bytes.to_string(),
            Self::Power(power) => power.to_string(),
            Self::Energy(energy) => energy.to_string(),
            Self::Percent(percent) => format!("{percent:.1} %"),
            Self::Ratio(part) => format!("{:.1} %", part * 100.0),
            Self::Change(part) => format!("{:+.2} %", part * 100.0),
            Self::Points(part) => format!("{:+.2} pp", part * 100.0),
            Self::Number(value) => format!("{value:.3}"),
            Self::Missing => "–".to_owned(),
        }
    }

    /// For machines: ns, per cent, bytes, mW, mJ; nothing for what is missing.
    pub fn for_machines(&self) -> String {
        match self {
            Self::Text(name) => name.clone(),
            Self::Count(count) => count.to_string(),
            Self::Time(time) | Self::TimeChange(time) => time.as_ns().to_string(),
            Self::Instant(time) => time.as_ns().to_string(),
            Self::Share(share) => share.as_percent().to_string(),
            Self::Bytes(bytes) => bytes.count().to_string(),
            Self::Power(power) => power.as_mw().to_string(),
            Self::Energy(energy) => energy.as_mj().to_string(),
            Self::Ratio(part) | Self::Change(part) | Self::Points(part) => {
                (part * 100.0).to_string()
            }
            Self::Percent(value) | Self::Number(value) => value.to_string(),
            Self::Missing => String::new(),
        }
    }
}

/// A named table.
#[derive(Clone, Debug)]
pub struct Table {
    /// For file names: `api`, `kernels`.
    pub name: &'static str,
    /// For people.
    pub title: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, each with a cell for every column.
    pub rows: Vec<Vec<Cell>>,
    /// A line below: what was left out.
    pub note: Option<String>,
}

impl Table {
    /// The same table with at most `top` rows, and a note about the others.
    #[must_use]
    pub fn shortened(mut self, top: usize) -> Self {
        let total = self.rows.len();
        if total > top {
            self.rows.truncate(top);
            self.note = Some(format!("{} more rows; --top {total} shows all", total - top));
        }
        self
    }
}

/// `1234567` → `1,234,567`.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
