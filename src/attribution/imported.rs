//! Where do the sums of an analysis come from when no trace was read? From the tables that `nsys stats`
//! printed of a whole capture. Types only: the room `legacy` fills them.
//!
//! Such an analysis has sums, counts and classes; it has no windows, since the tables hold no times of
//! single events. Times are integer nanoseconds; what a table does not say is null.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Nanos;

/// How documents and messages name what imported sums stand for, in place of a window specification.
pub const WHOLE_CAPTURE: &str = "whole capture";

/// What was imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Imported {
    /// What printed the tables: `nsys stats`.
    pub source: String,
    /// What `nsys stats` was given, as it says itself; null in plain CSV files.
    pub capture: Option<String>,
    /// The files that were read.
    pub files: Vec<ImportedFile>,
    /// The reports that they hold, in their order.
    pub reports: Vec<ImportedReport>,
    /// The rows of the CUDA and NVTX reports, as printed: several rows of one name stay apart.
    pub rows: Vec<ImportedRow>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportedFile {
    /// As it was named.
    pub path: String,
    /// Of its bytes, in hex.
    pub sha256: String,
}

/// One report of `nsys stats`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportedReport {
    /// As nsys of that version names it: `cuda_api_sum`, `cudaapisum`.
    pub name: String,
    /// Arguments of the report and filters (`base`, `nvtx=forward`); null when the file does not say.
    pub options: Option<String>,
    /// The file that holds it.
    pub file: String,
    /// The line of its table, from 1; of the notice when there is no table.
    pub line: usize,
    /// Rows of its table.
    pub rows: usize,
    /// Whether its sums are in the analysis.
    pub used: bool,
    /// Why nsys printed no table.
    pub skipped: Option<String>,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportedRow {
    /// The report.
    pub report: String,
    /// The function, kernel, operation or range, as printed.
    pub name: String,
    /// Whether the table cut the name.
    pub name_cut: bool,
    /// How many.
    pub count: u64,
    /// Their summed time.
    pub total_ns: Nanos,
    /// Mean.
    pub mean_ns: Option<Nanos>,
    /// Median.
    pub median_ns: Option<Nanos>,
    /// Shortest.
    pub min_ns: Option<Nanos>,
    /// Longest.
    pub max_ns: Option<Nanos>,
    /// Standard deviation.
    pub stddev_ns: Option<Nanos>,
}
