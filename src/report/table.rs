//! A table before it is text: named columns with units, typed cells.

use std::borrow::Cow;

use crate::units::{Bytes, Millijoules, Milliwatts, Nanos, Share, TraceTime, fixed, signed};

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
    /// A mean of counts.
    Mean(f64),
    /// A difference of means of counts, with its sign.
    MeanChange(f64),
    /// A difference of power, with its sign.
    PowerChange(Milliwatts),
    /// A difference of energy, with its sign.
    EnergyChange(Millijoules),
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
            Self::Percent(percent) => format!("{} %", fixed(*percent, 1)),
            Self::Ratio(part) => format!("{} %", fixed(part * 100.0, 1)),
            Self::Change(part) => format!("{} %", signed(part * 100.0, 2)),
            Self::Points(part) => format!("{} pp", signed(part * 100.0, 2)),
            Self::Number(value) => fixed(*value, 3),
            Self::Mean(count) => counted(*count),
            Self::MeanChange(count) => plus(*count, counted(*count)),
            Self::PowerChange(power) => plus(power.as_mw(), power.to_string()),
            Self::EnergyChange(energy) => plus(energy.as_mj(), energy.to_string()),
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
            Self::Power(power) | Self::PowerChange(power) => power.as_mw().to_string(),
            Self::Energy(energy) | Self::EnergyChange(energy) => energy.as_mj().to_string(),
            Self::Ratio(part) | Self::Change(part) | Self::Points(part) => {
                (part * 100.0).to_string()
            }
            Self::Percent(value)
            | Self::Number(value)
            | Self::Mean(value)
            | Self::MeanChange(value) => value.to_string(),
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
    /// The same table with at most `top` rows (0: all), and a note about the others.
    #[must_use]
    pub fn shortened(mut self, top: usize) -> Self {
        let total = self.rows.len();
        if top > 0 && total > top {
            self.rows.truncate(top);
            let rows = if total - top == 1 { "row" } else { "rows" };
            self.note = Some(format!("{} more {rows}; --top {total} shows all", total - top));
        }
        self
    }
}

/// A mean of counts: whole where it is, else with the digits that a mean of few windows can have.
fn counted(count: f64) -> String {
    if count.fract() != 0.0 || count.abs() >= 1e15 {
        return fixed(count, 2);
    }
    let minus = if count < 0.0 { "-" } else { "" };
    format!("{minus}{}", grouped(count.abs() as u64))
}

/// A positive difference gets its sign.
fn plus(value: f64, text: String) -> String {
    let shows_zero = !text.contains(|c: char| ('1'..='9').contains(&c));
    if value > 0.0 && !shows_zero { format!("+{text}") } else { text }
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
    use super::*;

    #[test]
    fn no_row_is_hidden_without_a_word() {
        let table = || Table {
            name: "t",
            title: String::new(),
            columns: vec![text("a", "a")],
            rows: vec![vec![Cell::Missing]; 3],
            note: None,
        };
        assert_eq!(table().shortened(0).rows.len(), 3);
        assert_eq!(table().shortened(3).note, None);
        let cut = table().shortened(2);
        assert_eq!(cut.rows.len(), 2);
        assert_eq!(cut.note.as_deref(), Some("1 more row; --top 3 shows all"));
    }

    #[test]
    fn counts_are_whole_and_zero_has_no_sign() {
        let shown = |cell: Cell| cell.for_people();
        assert_eq!(shown(Cell::Mean(1862.0)), "1,862");
        assert_eq!(shown(Cell::Mean(12.25)), "12.25");
        assert_eq!(shown(Cell::MeanChange(1410.0)), "+1,410");
        assert_eq!(shown(Cell::MeanChange(-3.0)), "-3");
        assert_eq!(shown(Cell::MeanChange(-0.0)), "0");
        assert_eq!(shown(Cell::Points(-0.000_001)), "0.00 pp");
        assert_eq!(shown(Cell::Change(-0.000_001)), "0.00 %");
        assert_eq!(shown(Cell::Ratio(-0.000_1)), "0.0 %");
        assert_eq!(shown(Cell::EnergyChange(Millijoules::from_mj(1.5))), "+1.5 mJ");
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
