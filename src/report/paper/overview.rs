//! All analyses of a report side by side: the table that a paper prints first.

use crate::attribution::document::{Analysis, Idle};
use crate::report::table::{Cell, Column, Table, number, text};
use crate::units::{Nanos, Share, distinct};

use super::section::stem;

/// One row for each analysis. A launch share never stands without API cover and GPU busy.
pub fn overview(analyses: &[Analysis]) -> Table {
    let groups = headlines(analyses);
    let has_energy = analyses.iter().any(|analysis| analysis.energy.is_some());
    let mut columns: Vec<Column> = vec![
        text("trace", "trace"),
        text("window", "window"),
        number("n", "count"),
        number("mean latency", "mean_ns"),
        number("std. dev.", "stddev_ns"),
        number("launch share", "launch_share_pct"),
        number("API cover", "cover_share_pct"),
        number("GPU busy", "busy_share_pct"),
        number("dispatch", "dispatch_share_pct"),
    ];
    if groups.iter().any(|group| group == "dense-convolution") {
        columns.push(number("dense convolution", "group_share_pct"));
    }
    if has_energy {
        columns.extend([number("total", "total_mj"), number("dynamic", "dynamic_mj")]);
    }
    columns.push(text("verdict", "verdict"));
    let sources: Vec<String> =
        analyses.iter().map(|analysis| analysis.source().map_or_else(String::new, stem)).collect();
    let sources = distinct(sources.iter().map(String::as_str), 60).shown;
    let specs = distinct(analyses.iter().map(|one| one.windows.spec.as_str()), 40).shown;
    let row = |(place, analysis): (usize, &Analysis)| {
        let windows = &analysis.windows;
        let of_wall =
            |time: Option<Nanos>| Cell::from(time.and_then(|time| windows.share_of_wall(time)));
        let api = analysis.api.as_ref();
        let mut row = vec![
            Cell::from(sources[place].as_str()),
            Cell::from(specs[place].as_str()),
            match analysis.imported {
                Some(_) => Cell::Missing,
                None => Cell::Count(windows.count as u64),
            },
            windows.mean_ns.into(),
            windows.stddev_ns.into(),
            api.and_then(|api| api.launch.share).into(),
            api.and_then(|api| api.cover_share).into(),
            of_wall(analysis.gpu.as_ref().map(|gpu| gpu.busy_ns)),
            of_wall(analysis.idle.as_ref().map(|idle: &Idle| idle.dispatch_ns)),
        ];
        if columns.iter().any(|column| column.key == "group_share_pct") {
            row.push(headline(analysis).into());
        }
        if has_energy {
            let first = analysis.energy.as_ref().and_then(|energy| energy.first());
            row.push(first.and_then(|energy| energy.total_mj).into());
            row.push(first.and_then(|energy| energy.dynamic_mj).into());
        }
        let verdict = analysis.verdict.as_ref();
        row.push(verdict.map_or(Cell::Missing, |verdict| Cell::from(verdict.kind.as_str())));
        row
    };
    let rows = analyses.iter().enumerate().map(row).collect();
    Table { name: "overview", title: "All analyses".to_owned(), columns, rows, note: None }
}

/// Groups in which any analysis has kernels.
fn headlines(analyses: &[Analysis]) -> Vec<String> {
    let groups = analyses.iter().filter_map(|analysis| analysis.kernels.as_ref());
    groups
        .flat_map(|kernels| &kernels.groups)
        .filter(|group| group.readings.iter().any(|reading| reading.count > 0))
        .map(|group| group.name.clone())
        .collect()
}

fn headline(analysis: &Analysis) -> Option<Share> {
    let groups = &analysis.kernels.as_ref()?.groups;
    let group = groups.iter().find(|group| group.name == "dense-convolution")?;
    group.readings.iter().find(|reading| reading.name == group.headline)?.share
}
