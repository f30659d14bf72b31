//! Which of the reports are added up? The one that holds a kind of rows alone, else the part of one
//! that holds several; without options before with options. The same report twice is refused: sums of
//! two captures must not be mixed.

use super::StatsError;
use super::report::Kind;
use super::scan::{Printed, Report};
use super::tabular::{self, Sum, Sums};

/// Rows of one kind and the report they come from.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) rows: Vec<Sum>,
    /// Place among the reports.
    pub(super) report: usize,
    /// Whether the printed shares are those of these rows alone.
    pub(super) alone: bool,
    pub(super) rounded_to: Option<String>,
}

/// What is added up.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub(super) api: Option<Chosen>,
    pub(super) kernels: Option<Chosen>,
    pub(super) copies: Option<Chosen>,
    pub(super) ranges: Option<Chosen>,
}

impl Choice {
    /// Places of the reports that are used.
    pub(super) fn uses(&self, report: usize) -> bool {
        let all = [&self.api, &self.kernels, &self.copies, &self.ranges];
        all.into_iter().flatten().any(|chosen| chosen.report == report)
    }
}

/// Chooses; at least calls or kernels must be there.
pub(super) fn choose(printed: &Printed) -> Result<Choice, StatsError> {
    let take = |kinds: &[(Kind, Option<&str>)]| -> Result<Option<Chosen>, StatsError> {
        for (kind, category) in kinds {
            let Some(place) = only(printed, *kind)? else { continue };
            let report = &printed.reports[place];
            let Ok(table) = &report.table else { continue };
            let Sums { rows, rounded_to } = tabular::sums(report, table)?;
            let of_kind = |row: &Sum| {
                category.is_none()
                    || row
                        .category
                        .as_deref()
                        .unwrap_or_default()
                        .contains(category.unwrap_or_default())
            };
            let rows: Vec<Sum> = rows.into_iter().filter(of_kind).collect();
            if !rows.is_empty() {
                let alone = category.is_none();
                return Ok(Some(Chosen { rows, report: place, alone, rounded_to }));
            }
        }
        Ok(None)
    };
    let choice = Choice {
        api: take(&[(Kind::Api, None), (Kind::ApiGpu, Some("API"))])?,
        kernels: take(&[
            (Kind::Kernels, None),
            (Kind::KernelGrids, None),
            (Kind::Gpu, Some("KERNEL")),
            (Kind::ApiGpu, Some("KERNEL")),
        ])?,
        copies: take(&[
            (Kind::MemoryTime, None),
            (Kind::Gpu, Some("MEM")),
            (Kind::ApiGpu, Some("MEM")),
        ])?,
        ranges: take(&[(Kind::Ranges, None)])?,
    };
    if choice.api.is_none() && choice.kernels.is_none() {
        let path = printed.reports.first().map(|report| report.path.clone()).unwrap_or_default();
        return Err(StatsError::NoCuda { path, why: why_not(printed) });
    }
    Ok(choice)
}

/// The one report of a kind that has a table.
fn only(printed: &Printed, kind: Kind) -> Result<Option<usize>, StatsError> {
    let mut found: Vec<(usize, &Report)> = printed
        .reports
        .iter()
        .enumerate()
        .filter(|(_, report)| report.kind == kind && report.table.is_ok())
        .collect();
    found.sort_by_key(|(_, report)| rank(report));
    if let [(_, first), (_, second), ..] = found.as_slice()
        && rank(first) == rank(second)
    {
        return Err(StatsError::Twice {
            report: first.name.clone(),
            first: format!("{} line {}", first.path, first.line),
            second: format!("{} line {}", second.path, second.line),
        });
    }
    Ok(found.first().map(|(place, _)| *place))
}

/// Whole reports first, with full names before short or mangled ones.
fn rank(report: &Report) -> usize {
    match report.options.as_deref() {
        None | Some("") => 0,
        Some(options) if options.contains("base") || options.contains("mangled") => 2,
        Some(_) => 1,
    }
}

fn why_not(printed: &Printed) -> String {
    let skipped: Vec<String> = printed
        .reports
        .iter()
        .filter(|report| report.kind != Kind::Other && report.kind != Kind::Ranges)
        .filter_map(|report| Some(format!("{}: {}", report.name, report.table.as_ref().err()?)))
        .collect();
    if !skipped.is_empty() {
        return format!("nsys printed no table ({})", skipped.join("; "));
    }
    let names: Vec<&str> = printed.reports.iter().map(|report| report.name.as_str()).collect();
    format!(
        "the tables are {}: print cuda_api_sum and cuda_gpu_kern_sum (cudaapisum and gpukernsum before 2023)",
        names.join(", ")
    )
}
