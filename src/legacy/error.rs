//! Why files are not read as tables of `nsys stats`, with the file, the line and what to do.

use thiserror::Error;

/// What is wrong with the files.
#[derive(Debug, Error)]
pub enum StatsError {
    /// It cannot be read.
    #[error("{path} cannot be read")]
    Read {
        /// The file.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is empty, as `nsys stats --format csv` leaves it for a report without data.
    #[error(
        "{path}: an empty file: nsys stats writes one for a report that has no data; leave it out"
    )]
    Empty {
        /// The file.
        path: String,
    },
    /// No table of `nsys stats` in it.
    #[error(
        "{path}: not output of `nsys stats`: no table with `Total Time (ns)` was found in it{hint}"
    )]
    NotStats {
        /// The file.
        path: String,
        /// What it seems to be.
        hint: String,
    },
    /// Nothing about CUDA in any file.
    #[error("{path}: no sums of CUDA calls or kernels: {why}")]
    NoCuda {
        /// The first file.
        path: String,
        /// What was there.
        why: String,
    },
    /// A CSV table that several reports could have printed.
    #[error(
        "{path}, line {line}: a table whose report cannot be told by its columns; name the file as nsys does, \
         ending in _cuda_api_sum.csv or _cuda_gpu_kern_sum.csv"
    )]
    WhichReport {
        /// The file.
        path: String,
        /// The header's line.
        line: usize,
    },
    /// One event a row.
    #[error(
        "{path}, line {line}: a list of single events ({report}), not sums: print cuda_api_sum and cuda_gpu_kern_sum"
    )]
    Events {
        /// The file.
        path: String,
        /// The header's line.
        line: usize,
        /// The report, or its first columns.
        report: String,
    },
    /// A cell that should hold a number.
    #[error("{path}, line {line}: `{text}` under `{column}` is not a number{hint}")]
    Number {
        /// The file.
        path: String,
        /// Its line.
        line: usize,
        /// The header.
        column: String,
        /// The cell.
        text: String,
        /// What to do.
        hint: &'static str,
    },
    /// A table without a column that is needed.
    #[error("{path}, line {line}: the table has no column `{column}`: it was edited, or cut")]
    Column {
        /// The file.
        path: String,
        /// The header's line.
        line: usize,
        /// What is missing.
        column: &'static str,
    },
    /// A row with fewer cells than the header.
    #[error(
        "{path}, line {line}: the row does not fit the columns above it: it was edited, or cut"
    )]
    Row {
        /// The file.
        path: String,
        /// Its line.
        line: usize,
    },
    /// The same report twice.
    #[error(
        "the report {report} is there twice, in {first} and in {second}: give the tables of one capture at a time"
    )]
    Twice {
        /// The report.
        report: String,
        /// Where.
        first: String,
        /// And where.
        second: String,
    },
    /// Different captures.
    #[error(
        "tables of two captures, `{first}` and `{second}`: give those of one capture at a time"
    )]
    Captures {
        /// The first.
        first: String,
        /// Another.
        second: String,
    },
}
