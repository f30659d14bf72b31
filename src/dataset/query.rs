//! Questions over a dataset: a text in SQL, lazily planned and streamed by polars.
//!
//! The shipped texts (`templates/queries/`) keep to what DuckDB and Spark SQL understand as well, so that
//! a question can move to another engine unchanged. What they ask for comes as a table of one row,
//! `parameters`, which every engine can have; their first comments say which columns it needs.

use std::collections::BTreeMap;

use polars::prelude::{
    Column, DataFrame, DataType, Engine, Field, HiveOptions, IntoLazy, LazyFrame, PlRefPath,
    ScanArgsParquet, Schema, UnionArgs, concat, lit,
};
use polars::sql::SQLContext;

use super::commit::Commits;
use super::document::{QueryColumn, QueryDocument, SCHEMA_QUERY};
use super::error::DatasetError;
use super::folder::Dataset;
use super::layout::{MONTH, TABLES, Table};

/// The table of what a query asks for.
const PARAMETERS: &str = "parameters";

/// A shipped query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub sql: &'static str,
}

macro_rules! shipped {
    ($($name:literal),*) => {
        [$(Named {
            name: $name,
            sql: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/queries/", $name, ".sql")),
        }),*]
    };
}

/// The shipped queries, by name.
pub const NAMED: [Named; 8] = shipped!(
    "api-by-tag",
    "idle-by-tag",
    "kernels-by-tag",
    "ranks-out-of-step",
    "regressions",
    "shares-by-tag",
    "slowest-windows",
    "trend"
);

/// What a query asks for, by name.
pub type Parameters = BTreeMap<String, String>;

/// A parameter of a shipped query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it is when nothing is said.
    pub default: Option<String>,
    /// What it means.
    pub what: String,
}

impl Named {
    /// The shipped query of a name.
    pub fn find(name: &str) -> Option<Self> {
        NAMED.into_iter().find(|query| query.name == name)
    }

    /// What it answers: its first line.
    pub fn what(&self) -> &'static str {
        self.sql.lines().next().unwrap_or_default().trim_start_matches("--").trim()
    }

    /// What it asks for: comments `-- parameter NAME = DEFAULT: text`.
    pub fn parameters(&self) -> Vec<Parameter> {
        let asked = self.sql.lines().filter_map(|line| line.strip_prefix("-- parameter "));
        let parameter = |line: &str| {
            let (head, what) = line.split_once(':').unwrap_or((line, ""));
            let (name, default) = match head.split_once('=') {
                Some((name, default)) => (name, Some(default.trim().to_owned())),
                None => (head, None),
            };
            let what = what.trim().to_owned();
            Parameter { name: name.trim().to_owned(), default, what }
        };
        asked.map(parameter).collect()
    }

    /// What was typed, and the defaults of the rest.
    ///
    /// # Errors
    /// When something is asked for and neither typed nor known, or typed and not asked for.
    pub fn complete(&self, typed: &Parameters) -> Result<Parameters, DatasetError> {
        let asked = self.parameters();
        let fault = |problem: String| {
            let list: Vec<String> = asked.iter().map(Parameter::shown).collect();
            let takes = if list.is_empty() { "takes none".into() } else { list.join("; ") };
            let remedy = format!("--set NAME=VALUE: `{}` takes {takes}", self.name);
            DatasetError::Query { problem, remedy }
        };
        if let Some(other) = typed.keys().find(|key| !asked.iter().any(|a| a.name == **key)) {
            return Err(fault(format!("`{}` has no parameter `{other}`", self.name)));
        }
        let mut complete = Parameters::new();
        for parameter in &asked {
            let value = typed.get(&parameter.name).or(parameter.default.as_ref());
            match value {
                Some(value) => complete.insert(parameter.name.clone(), value.clone()),
                None => return Err(fault(format!("`{}` needs `{}`", self.name, parameter.name))),
            };
        }
        Ok(complete)
    }
}

impl Parameter {
    /// Name, meaning and default in one line.
    pub fn shown(&self) -> String {
        match &self.default {
            Some(default) => format!("{} ({}) [default: {default}]", self.name, self.what),
            None => format!("{} ({})", self.name, self.what),
        }
    }
}

impl Dataset {
    /// A table as a lazy frame: the rows of every input that is in, with the column `month`.
    ///
    /// # Errors
    /// When a commit cannot be read.
    pub fn scan(&self, table: &Table) -> Result<LazyFrame, DatasetError> {
        self.scan_of(&Commits::read(&self.root)?, table)
    }

    /// The answer to a text in SQL. Tables are those of the layout, and `parameters`.
    ///
    /// # Errors
    /// When a commit cannot be read, the text is no query, or a file is damaged.
    pub fn query(&self, sql: &str, parameters: &Parameters) -> Result<DataFrame, DatasetError> {
        let _reading = self.reading()?;
        let commits = Commits::read(&self.root)?;
        let mut context = SQLContext::new();
        for table in &TABLES {
            context.register(table.name, self.scan_of(&commits, table)?);
        }
        if !parameters.is_empty() {
            context.register(PARAMETERS, frame_of(parameters)?.lazy());
        }
        let plan = context.execute(sql).map_err(|error| not_understood(&error))?;
        let answer = plan.collect_with_engine(Engine::Streaming);
        let answer = answer.map_err(|error| not_understood(&error))?;
        Ok(answer.unwrap_single())
    }

    pub(super) fn scan_of(
        &self,
        commits: &Commits,
        table: &Table,
    ) -> Result<LazyFrame, DatasetError> {
        let files = self.files(commits, table);
        if !self.root.to_string_lossy().contains('=') {
            let paths: Vec<PlRefPath> =
                files.iter().map(|file| self.source(file)).collect::<Result<_, _>>()?;
            return Ok(LazyFrame::scan_parquet_files(paths.into(), hive())?);
        }
        // Folders above the dataset look like partitions, too: give the month by hand.
        let mut months: BTreeMap<&str, Vec<PlRefPath>> = BTreeMap::new();
        for file in &files {
            months.entry(month_of(file)).or_default().push(self.source(file)?);
        }
        let mut frames = Vec::new();
        for (month, paths) in months {
            let frame = LazyFrame::scan_parquet_files(paths.into(), plain())?;
            frames.push(frame.with_column(lit(month).alias(MONTH)));
        }
        Ok(concat(frames, UnionArgs::default())?)
    }

    fn source(&self, file: &str) -> Result<PlRefPath, DatasetError> {
        Ok(PlRefPath::try_from_pathbuf(self.root.join(file))?)
    }
}

/// The month in `windows/month=2026-11/x.parquet`.
pub(super) fn month_of(file: &str) -> &str {
    let after = file.split_once("month=").map_or("unknown", |(_, rest)| rest);
    after.split('/').next().unwrap_or("unknown")
}

fn hive() -> ScanArgsParquet {
    let schema: Schema = std::iter::once(Field::new(MONTH.into(), DataType::String)).collect();
    let hive_options = HiveOptions {
        schema: Some(schema.into()),
        try_parse_dates: false,
        ..HiveOptions::new_enabled()
    };
    ScanArgsParquet { hive_options, glob: false, ..ScanArgsParquet::default() }
}

fn plain() -> ScanArgsParquet {
    let hive_options = HiveOptions::new_disabled();
    ScanArgsParquet { hive_options, glob: false, ..ScanArgsParquet::default() }
}

fn frame_of(parameters: &Parameters) -> Result<DataFrame, DatasetError> {
    let column = |(name, value): (&String, &String)| Column::new(name.into(), [value.as_str()]);
    Ok(DataFrame::new(1, parameters.iter().map(column).collect())?)
}

fn not_understood(error: &polars::prelude::PolarsError) -> DatasetError {
    let tables: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
    DatasetError::Query {
        problem: error.to_string(),
        remedy: format!(
            "Tables are {} (docs/dataset.md has their columns), and `{PARAMETERS}` with --set",
            tables.join(", ")
        ),
    }
}

/// An answer as a document.
///
/// # Errors
/// When a column has a type that no table of a dataset has, a list for example.
pub fn document(
    query: Option<&str>,
    sql: &str,
    answer: &DataFrame,
) -> Result<QueryDocument, DatasetError> {
    let columns = answer.columns().iter().map(|column| QueryColumn {
        name: column.name().to_string(),
        kind: kind_of(column.dtype()).to_owned(),
    });
    let columns: Vec<QueryColumn> = columns.collect();
    let mut rows = vec![Vec::with_capacity(columns.len()); answer.height()];
    for column in answer.columns() {
        for (at, row) in rows.iter_mut().enumerate() {
            row.push(cell(&column.get(at)?));
        }
    }
    let query = query.map(str::to_owned);
    Ok(QueryDocument { schema: SCHEMA_QUERY.to_owned(), query, sql: sql.to_owned(), columns, rows })
}

fn kind_of(dtype: &DataType) -> &'static str {
    match dtype {
        DataType::Boolean => "boolean",
        dtype if dtype.is_integer() => "integer",
        dtype if dtype.is_float() || dtype.is_decimal() => "float",
        _ => "text",
    }
}

fn cell(value: &polars::prelude::AnyValue<'_>) -> serde_json::Value {
    use polars::prelude::AnyValue;
    use serde_json::Value;
    match value {
        AnyValue::Null => Value::Null,
        AnyValue::Boolean(flag) => Value::Bool(*flag),
        AnyValue::String(text) => Value::String((*text).to_owned()),
        AnyValue::StringOwned(text) => Value::String(text.to_string()),
        value if value.is_integer() => {
            value.extract::<i64>().map_or(Value::Null, |number| Value::Number(number.into()))
        }
        // NaN and infinities have no place in JSON and are no answer.
        value if value.is_float() => value
            .extract::<f64>()
            .and_then(serde_json::Number::from_f64)
            .map_or(Value::Null, Value::Number),
        other => Value::String(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_query_says_what_it_is() {
        for query in NAMED {
            assert!(query.what().len() > 20, "{}", query.name);
            let said: Vec<String> = query.parameters().iter().map(Parameter::shown).collect();
            for parameter in query.parameters() {
                assert!(!parameter.what.is_empty(), "{}: {said:?}", query.name);
                let used = query.sql.contains(&format!("p.{}", parameter.name));
                assert!(used, "{}: `{}` is not used", query.name, parameter.name);
            }
        }
    }

    #[test]
    fn parameters_are_asked_for() {
        let query = Named::find("regressions").unwrap();
        let none = query.complete(&Parameters::new()).unwrap_err().to_string();
        assert!(none.contains("needs `tag`"), "{none}");
        let all =
            ["tag", "before_value", "after_value", "x"].map(|key| (key.to_owned(), "v".to_owned()));
        let error = query.complete(&Parameters::from(all)).unwrap_err().to_string();
        assert!(error.contains("no parameter `x`"), "{error}");
    }
}
