//! A table as a page shows it: one unit for each column, the same number of digits in each cell.
//!
//! A terminal scales every cell on its own (`53.6 ms`, `10.5 us`). In a paper the unit stands in the
//! heading and the points are aligned, so a column gets the unit in which its largest value has one to
//! three digits before the point. Columns that mix kinds (a list of single numbers) keep a unit in each
//! cell. Exact values travel beside the shown ones, for sorting and for files.

use serde::{Deserialize, Serialize};

use super::meaning;
use crate::report::table::{Cell, Column, Table, grouped};
use crate::units::{distinct, fixed, plain, signed};

/// Characters of a name that a page shows; a part of a longer one is left out.
pub(super) const LONGEST_NAME: usize = 400;

/// Characters of a note below a table.
const LONGEST_NOTE: usize = 2_000;

/// How a missing value is shown.
pub(super) const MISSING: &str = "–";

/// A table that is ready for a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShownTable {
    /// For file names: `api`, `kernels`.
    pub name: String,
    /// For people.
    pub title: String,
    /// The columns.
    pub columns: Vec<ShownColumn>,
    /// The rows, each with a cell for every column.
    pub rows: Vec<Vec<ShownCell>>,
    /// A line below.
    pub note: Option<String>,
    /// Rows of the whole table; more than `rows` when it was cut.
    pub total_rows: usize,
    /// Keys of the definitions that its columns rest on, in the order of the columns.
    pub defines: Vec<String>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShownColumn {
    /// For people, without the unit.
    pub heading: String,
    /// For machines: `time_ns`.
    pub key: String,
    /// What its cells are.
    pub kind: ColumnKind,
    /// The unit of its cells.
    pub unit: Option<Unit>,
    /// Digits behind the point.
    pub decimals: usize,
    /// Key of its definition.
    pub defined_by: Option<String>,
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnKind {
    /// Names and sentences.
    Text,
    /// Numbers in the column's unit.
    Number,
    /// Values of several kinds, each with its unit.
    Mixed,
}

/// One cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ShownCell {
    /// What is shown; a dash when missing. Without control characters, but not escaped for any format.
    pub text: String,
    /// The number behind it, in the base unit (ns, per cent, bytes, mW, mJ).
    pub value: Option<f64>,
    /// Key of the definition of the row, in the cell that names it.
    pub defined_by: Option<String>,
}

/// The unit of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Unit {
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanosecond,
    /// Microseconds.
    #[serde(rename = "µs")]
    Microsecond,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Millisecond,
    /// Seconds.
    #[serde(rename = "s")]
    Second,
    /// Per cent.
    #[serde(rename = "%")]
    Percent,
    /// Bytes.
    #[serde(rename = "B")]
    Byte,
    /// Percentage points.
    #[serde(rename = "pp")]
    Point,
    /// 1000 bytes.
    #[serde(rename = "kB")]
    Kilobyte,
    /// 1000 kB.
    #[serde(rename = "MB")]
    Megabyte,
    /// 1000 MB.
    #[serde(rename = "GB")]
    Gigabyte,
    /// Milliwatts.
    #[serde(rename = "mW")]
    Milliwatt,
    /// Watts.
    #[serde(rename = "W")]
    Watt,
    /// Millijoules.
    #[serde(rename = "mJ")]
    Millijoule,
    /// Joules.
    #[serde(rename = "J")]
    Joule,
}

impl Unit {
    /// How it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Nanosecond => "ns",
            Self::Microsecond => "µs",
            Self::Millisecond => "ms",
            Self::Second => "s",
            Self::Percent => "%",
            Self::Point => "pp",
            Self::Byte => "B",
            Self::Kilobyte => "kB",
            Self::Megabyte => "MB",
            Self::Gigabyte => "GB",
            Self::Milliwatt => "mW",
            Self::Watt => "W",
            Self::Millijoule => "mJ",
            Self::Joule => "J",
        }
    }

    /// Base units (ns, per cent, bytes, mW, mJ) in one of it.
    pub const fn factor(self) -> f64 {
        match self {
            Self::Nanosecond
            | Self::Percent
            | Self::Point
            | Self::Byte
            | Self::Milliwatt
            | Self::Millijoule => 1.0,
            // Bytes are counted in decimal units, as everywhere in this program.
            Self::Microsecond | Self::Watt | Self::Joule | Self::Kilobyte => 1e3,
            Self::Millisecond | Self::Megabyte => 1e6,
            Self::Second | Self::Gigabyte => 1e9,
        }
    }
}

/// The kind of quantity in a cell, with its units from small to large.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quantity {
    Plain,
    Time,
    Share,
    Points,
    Memory,
    Power,
    Energy,
}

impl Quantity {
    const fn units(self) -> &'static [Unit] {
        match self {
            Self::Plain => &[],
            Self::Points => &[Unit::Point],
            Self::Time => &[Unit::Nanosecond, Unit::Microsecond, Unit::Millisecond, Unit::Second],
            Self::Share => &[Unit::Percent],
            Self::Memory => &[Unit::Byte, Unit::Kilobyte, Unit::Megabyte, Unit::Gigabyte],
            Self::Power => &[Unit::Milliwatt, Unit::Watt],
            Self::Energy => &[Unit::Millijoule, Unit::Joule],
        }
    }
}

fn quantity(cell: &Cell) -> Option<Quantity> {
    Some(match cell {
        Cell::Text(_) | Cell::Missing => return None,
        Cell::Count(_) | Cell::Number(_) | Cell::Mean(_) | Cell::MeanChange(_) => Quantity::Plain,
        Cell::Time(_) | Cell::Instant(_) | Cell::TimeChange(_) => Quantity::Time,
        Cell::Share(_) | Cell::Percent(_) | Cell::Ratio(_) | Cell::Change(_) => Quantity::Share,
        Cell::Points(_) => Quantity::Points,
        Cell::Bytes(_) => Quantity::Memory,
        Cell::Power(_) | Cell::PowerChange(_) => Quantity::Power,
        Cell::Energy(_) | Cell::EnergyChange(_) => Quantity::Energy,
    })
}

/// The name in a cell, if it holds one.
fn name_of(cell: &Cell) -> &str {
    match cell {
        Cell::Text(name) => name,
        _ => "",
    }
}

/// The number behind a cell, in the base unit.
fn value(cell: &Cell) -> Option<f64> {
    quantity(cell)?;
    cell.for_machines().parse().ok()
}

/// How a column is written.
struct Scale {
    kind: ColumnKind,
    unit: Option<Unit>,
    decimals: usize,
    /// What its zeros are, when it holds nothing else.
    only_zeros: Option<Quantity>,
}

impl Scale {
    fn of(column: &Column, cells: &[&Cell]) -> Self {
        let plain = Self { kind: ColumnKind::Text, unit: None, decimals: 0, only_zeros: None };
        if column.is_text {
            return plain;
        }
        let mut kinds = cells.iter().filter_map(|cell| quantity(cell));
        let Some(first) = kinds.next() else {
            return Self { kind: ColumnKind::Number, ..plain };
        };
        let words = cells.iter().any(|cell| matches!(cell, Cell::Text(_)));
        if words || kinds.any(|kind| kind != first) {
            return Self { kind: ColumnKind::Mixed, ..plain };
        }
        let largest =
            cells.iter().filter_map(|cell| value(cell)).fold(0.0, |a: f64, b| a.max(b.abs()));
        let fits = |unit: &&Unit| largest >= unit.factor();
        let units = first.units();
        let unit = units.iter().rev().find(fits).or(units.first()).copied();
        let fractions = cells.iter().any(|cell| matches!(cell, Cell::Number(_)));
        let changes = cells.iter().any(|cell| matches!(cell, Cell::Change(_)));
        let means = cells.iter().any(|cell| match cell {
            Cell::Mean(count) | Cell::MeanChange(count) => count.fract() != 0.0,
            _ => false,
        });
        let decimals = match unit {
            None if fractions => 3,
            None if means => 2,
            Some(Unit::Point) => 2,
            Some(Unit::Percent) if changes => 2,
            None | Some(Unit::Nanosecond | Unit::Byte) => 0,
            Some(Unit::Percent | Unit::Milliwatt | Unit::Millijoule) => 1,
            Some(_) => 3,
        };
        let only_zeros = (largest == 0.0).then_some(first);
        Self { kind: ColumnKind::Number, unit, decimals, only_zeros }
    }

    /// The scales of all columns; one of zeros takes the unit of another that shows the same.
    fn of_all(table: &Table, rows: &[Vec<Cell>]) -> Vec<Self> {
        let cells = |at: usize| rows.iter().filter_map(|row| row.get(at)).collect::<Vec<_>>();
        let mut scales: Vec<Self> = table
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| Self::of(column, &cells(at)))
            .collect();
        for at in 0..scales.len() {
            let Some(zeros) = scales[at].only_zeros else { continue };
            let other = scales.iter().find(|other| {
                other.only_zeros.is_none()
                    && other.unit.is_some_and(|unit| zeros.units().contains(&unit))
            });
            if let Some((unit, decimals)) = other.map(|other| (other.unit, other.decimals)) {
                (scales[at].unit, scales[at].decimals) = (unit, decimals);
            }
        }
        scales
    }

    /// A cell; `name` is what is shown of the name that it may hold.
    fn show(&self, cell: &Cell, name: &str) -> ShownCell {
        let value = value(cell);
        let text = match (cell, self.kind, value) {
            (Cell::Missing, _, _) => MISSING.to_owned(),
            (Cell::Text(_), _, _) => name.to_owned(),
            (Cell::Count(count), ColumnKind::Mixed, _) => grouped(*count),
            (_, ColumnKind::Number, Some(value)) => {
                let scaled = value / self.unit.map_or(1.0, Unit::factor);
                let has_sign = matches!(
                    cell,
                    Cell::TimeChange(_)
                        | Cell::Change(_)
                        | Cell::Points(_)
                        | Cell::MeanChange(_)
                        | Cell::PowerChange(_)
                        | Cell::EnergyChange(_)
                );
                if has_sign { signed(scaled, self.decimals) } else { fixed(scaled, self.decimals) }
            }
            _ => micro(&cell.for_people()),
        };
        ShownCell { text, value, defined_by: None }
    }
}

impl ShownTable {
    /// The table with at most `top` rows.
    pub fn of(table: &Table, top: usize) -> Self {
        let rows = &table.rows[..table.rows.len().min(top)];
        let scales = Scale::of_all(table, rows);
        let columns: Vec<ShownColumn> = table
            .columns
            .iter()
            .zip(&scales)
            .map(|(column, scale)| ShownColumn {
                heading: column.heading.clone().into_owned(),
                key: column.key.clone().into_owned(),
                kind: scale.kind,
                unit: scale.unit,
                decimals: scale.decimals,
                defined_by: meaning::of_column(table.name, &column.key).map(str::to_owned),
            })
            .collect();
        let names = |at: usize| rows.iter().map(move |row| name_of(&row[at]));
        let names: Vec<Vec<String>> =
            (0..table.columns.len()).map(|at| distinct(names(at), LONGEST_NAME).shown).collect();
        let show_row = |(place, row): (usize, &Vec<Cell>)| -> Vec<ShownCell> {
            let mut shown: Vec<ShownCell> = row
                .iter()
                .zip(&scales)
                .enumerate()
                .map(|(at, (cell, scale))| scale.show(cell, &names[at][place]))
                .collect();
            if let Some(first) = shown.first_mut() {
                first.defined_by = meaning::of_row(table.name, &first.text).map(str::to_owned);
            }
            shown
        };
        let mut defines: Vec<String> = Vec::new();
        for key in columns.iter().filter_map(|column| column.defined_by.as_ref()) {
            if !defines.contains(key) {
                defines.push(key.clone());
            }
        }
        let cut = table.rows.len() - rows.len();
        let note = match (&table.note, cut) {
            (Some(note), _) => Some(plain(note, LONGEST_NOTE)),
            (None, 0) => None,
            (None, cut) => Some(format!("{} more rows in the CSV file", grouped(cut as u64))),
        };
        Self {
            name: table.name.to_owned(),
            title: micro(&plain(&table.title, LONGEST_NAME)),
            columns,
            rows: rows.iter().enumerate().map(show_row).collect(),
            note,
            total_rows: table.rows.len(),
            defines,
        }
    }

    /// The largest number of a column, in its base unit; for bars behind shares.
    pub fn largest(&self, column: usize) -> Option<f64> {
        self.rows.iter().filter_map(|row| row.get(column)?.value).reduce(f64::max)
    }
}

/// `5 us` → `5 µs`: what a terminal shows in ASCII.
pub(super) fn micro(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(" us") {
        let number = rest[..at].ends_with(|c: char| c.is_ascii_digit());
        let ends = !rest[at + 3..].starts_with(|c: char| c.is_alphanumeric());
        shown += &rest[..at];
        shown += if number && ends { " µs" } else { " us" };
        rest = &rest[at + 3..];
    }
    shown + rest
}

/// `[-5, 3]` → `[−5, 3]`: a hyphen before a number is a minus sign, unless something stands right before it.
pub(super) fn minuses(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let opens = matches!(before, ' ' | '(' | '[');
        let number = characters.peek().is_some_and(char::is_ascii_digit);
        shown.push(if c == '-' && opens && number { '−' } else { c });
        before = c;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hyphen_before_a_number_is_a_minus() {
        assert_eq!(minuses("-5 us, [-0.1, 3] (-2 %)"), "−5 us, [−0.1, 3] (−2 %)");
        assert_eq!(minuses("--skip 5, r-5, a -x, 3-4"), "--skip 5, r-5, a -x, 3-4");
    }
    use crate::report::table::{number, text};
    use crate::units::{Nanos, Share};

    fn table(cells: &[Cell]) -> Table {
        Table {
            name: "api",
            title: "A".to_owned(),
            columns: vec![text("name", "name"), number("time", "time_ns")],
            rows: cells.iter().map(|cell| vec![Cell::from("f"), cell.clone()]).collect(),
            note: None,
        }
    }

    #[test]
    fn a_column_has_one_unit_and_its_digits_are_aligned() {
        let time = |ns| Cell::Time(Nanos::from_ns(ns));
        let shown = ShownTable::of(&table(&[time(272_368_000), time(10_400), Cell::Missing]), 9);
        let column = &shown.columns[1];
        assert_eq!((column.unit, column.decimals), (Some(Unit::Millisecond), 3));
        let texts: Vec<&str> = shown.rows.iter().map(|row| row[1].text.as_str()).collect();
        assert_eq!(texts, ["272.368", "0.010", "–"]);
        assert_eq!(shown.rows[1][1].value, Some(10_400.0));
        assert_eq!(shown.defines, ["api.total_ns"]);
    }

    #[test]
    fn mixed_columns_keep_their_units_and_empty_ones_are_numbers() {
        let cells = [Cell::Count(1_200), Cell::Share(Share::of(1, 4).unwrap())];
        let shown = ShownTable::of(&table(&cells), 9);
        assert_eq!(shown.columns[1].kind, ColumnKind::Mixed);
        assert_eq!(
            (shown.rows[0][1].text.as_str(), shown.rows[1][1].text.as_str()),
            ("1,200", "25.0 %")
        );
        assert_eq!(ShownTable::of(&table(&[Cell::Missing]), 9).columns[1].kind, ColumnKind::Number);
    }

    #[test]
    fn only_a_unit_becomes_micro() {
        assert_eq!(micro("5.0 us, 3 users use us; 7 us"), "5.0 µs, 3 users use us; 7 µs");
    }

    #[test]
    fn zeros_take_the_unit_of_their_neighbours() {
        let time = |ns| Cell::Time(Nanos::from_ns(ns));
        let mut table = table(&[time(5_000_000)]);
        table.columns.push(number("head", "head_ns"));
        table.rows[0].push(time(0));
        let shown = ShownTable::of(&table, 9);
        assert_eq!(
            (shown.columns[2].unit, shown.rows[0][2].text.as_str()),
            (Some(Unit::Millisecond), "0.000")
        );
    }

    #[test]
    fn bytes_have_the_units_of_the_terminal() {
        let bytes = crate::units::Bytes::new(16_777_216);
        let shown = ShownTable::of(&table(&[Cell::Bytes(bytes)]), 9);
        let unit = shown.columns[1].unit.map(Unit::symbol);
        assert_eq!((unit, shown.rows[0][1].text.as_str()), (Some("MB"), "16.777"));
        assert_eq!(bytes.to_string(), "16.8 MB");
    }

    #[test]
    fn what_is_cut_is_said() {
        let shown = ShownTable::of(&table(&[Cell::Count(1), Cell::Count(2)]), 1);
        assert_eq!((shown.rows.len(), shown.total_rows), (1, 2));
        assert_eq!(shown.note.as_deref(), Some("1 more rows in the CSV file"));
    }
}
