//! Rows of one table on their way into columns: filled in the order of the layout, checked as they come.

use polars::prelude::{
    Column as PolarsColumn, DataFrame, DataType, Field, NamedFrom, Schema, Series,
};

use super::error::DatasetError;
use super::layout::{Kind, Table};

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Text.
    Text(Option<String>),
    /// An integer.
    Int(Option<i64>),
    /// A float.
    Float(Option<f64>),
    /// True or false.
    Bool(Option<bool>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}
impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}
impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}
impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Int(number)
    }
}
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).ok())
    }
}
impl From<Option<u64>> for Value {
    fn from(number: Option<u64>) -> Self {
        Self::Int(number.and_then(|number| i64::try_from(number).ok()))
    }
}
impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Int(i64::try_from(number).ok())
    }
}
impl From<crate::units::Nanos> for Value {
    fn from(time: crate::units::Nanos) -> Self {
        Self::Int(Some(time.as_ns()))
    }
}
impl From<Option<crate::units::Nanos>> for Value {
    fn from(time: Option<crate::units::Nanos>) -> Self {
        Self::Int(time.map(crate::units::Nanos::as_ns))
    }
}
impl From<Option<crate::units::Share>> for Value {
    fn from(share: Option<crate::units::Share>) -> Self {
        Self::Float(share.map(crate::units::Share::as_f64))
    }
}
impl From<Option<f64>> for Value {
    fn from(number: Option<f64>) -> Self {
        Self::Float(number)
    }
}
impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(Some(flag))
    }
}

enum Cells {
    Text(Vec<Option<String>>),
    Int(Vec<Option<i64>>),
    Float(Vec<Option<f64>>),
    Bool(Vec<Option<bool>>),
}

/// The rows of one table.
pub(super) struct Rows {
    table: &'static Table,
    columns: Vec<Cells>,
    count: usize,
}

impl Rows {
    /// None yet.
    pub(super) fn of(table: &'static Table) -> Self {
        let cells = |kind| match kind {
            Kind::Text => Cells::Text(Vec::new()),
            Kind::Int => Cells::Int(Vec::new()),
            Kind::Float => Cells::Float(Vec::new()),
            Kind::Bool => Cells::Bool(Vec::new()),
        };
        let columns = table.columns.iter().map(|column| cells(column.kind)).collect();
        Self { table, columns, count: 0 }
    }

    /// Which table.
    pub(super) const fn table(&self) -> &'static Table {
        self.table
    }

    /// How many.
    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// Adds a row: a value for each column of the layout, in its order.
    ///
    /// # Errors
    /// When the row does not fit the layout, which is a fault of this program.
    pub(super) fn push(&mut self, row: Vec<Value>) -> Result<(), DatasetError> {
        let table = self.table;
        if row.len() != table.columns.len() {
            return Err(DatasetError::Row { table: table.name, column: "(count)" });
        }
        for ((cells, value), column) in self.columns.iter_mut().zip(row).zip(table.columns) {
            match (cells, value) {
                (Cells::Text(cells), Value::Text(value)) => cells.push(value),
                (Cells::Int(cells), Value::Int(value)) => cells.push(value),
                (Cells::Float(cells), Value::Float(value)) => cells.push(value),
                (Cells::Bool(cells), Value::Bool(value)) => cells.push(value),
                _ => return Err(DatasetError::Row { table: table.name, column: column.name }),
            }
        }
        self.count += 1;
        Ok(())
    }

    /// The columns.
    ///
    /// # Errors
    /// What polars says.
    pub(super) fn into_frame(self) -> Result<DataFrame, DatasetError> {
        let columns = self.columns.into_iter().zip(self.table.columns).map(|(cells, column)| {
            let name = column.name.into();
            PolarsColumn::from(match cells {
                Cells::Text(cells) => Series::new(name, cells),
                Cells::Int(cells) => Series::new(name, cells),
                Cells::Float(cells) => Series::new(name, cells),
                Cells::Bool(cells) => Series::new(name, cells),
            })
        });
        Ok(DataFrame::new(self.count, columns.collect())?)
    }
}

/// The type of a column in polars.
pub(super) const fn dtype(kind: Kind) -> DataType {
    match kind {
        Kind::Text => DataType::String,
        Kind::Int => DataType::Int64,
        Kind::Float => DataType::Float64,
        Kind::Bool => DataType::Boolean,
    }
}

/// The columns of a table as polars describes them.
pub(super) fn schema(table: &Table) -> Schema {
    let field = |column: &super::layout::Column| Field::new(column.name.into(), dtype(column.kind));
    table.columns.iter().map(field).collect()
}
