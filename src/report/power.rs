//! What is in a power log, as a summary and tables.

use super::line::Line;
use super::table::{Cell, Table, number, text};
use crate::power::describe::{LogAbout, RailAbout};
use crate::units::plain;

/// The summary of one log.
pub fn summary(log: &LogAbout) -> Vec<Line> {
    let mut lines =
        vec![("log", format!("{} · {}", plain(&log.path, 120), log.format)), ("clock", clock(log))];
    if let Some(board) = &log.board {
        lines.push(("board", board.clone()));
    }
    if !log.rails.is_empty() {
        let total = match log.total.as_slice() {
            [] if log.rails.len() > 1 => {
                "none established: choose rails with --rail NAME, devices add up with --rail A+B"
                    .to_owned()
            }
            rails => rails.join(" + "),
        };
        lines.push(("total", total));
    }
    lines
}

fn clock(log: &LogAbout) -> String {
    let mut line = match log.clock.as_str() {
        "none" => "no times".to_owned(),
        name => format!("{name}, resolution {:.0}", log.stamp_resolution_ns),
    };
    if let (Some(first), Some(last)) = (&log.first, &log.last) {
        line += &format!(", {first} to {last}");
    }
    line
}

/// The tables of one log: rails, then windows that the logger integrated.
pub fn tables(log: &LogAbout) -> Vec<Table> {
    let mut tables = Vec::new();
    if !log.rails.is_empty() {
        tables.push(rails(log));
    }
    if !log.windows.is_empty() {
        tables.push(windows(log));
    }
    tables
}

fn rails(log: &LogAbout) -> Table {
    let columns = vec![
        text("rail", "rail"),
        text("reading", "kind"),
        number("n", "samples"),
        number("missing", "missing"),
        number("period", "period_ns"),
        number("jitter", "jitter_ns"),
        number("gaps", "gaps"),
        number("longest", "longest_ns"),
        number("updates", "update_ns"),
        number("mean", "mean_mw"),
        number("min", "min_mw"),
        number("max", "max_mw"),
        number("step", "step_mw"),
    ];
    let row = |rail: &RailAbout| {
        vec![
            Cell::from(rail.name.as_str()),
            Cell::from(rail.kind.as_str()),
            Cell::Count(rail.samples as u64),
            Cell::Count(rail.missing as u64),
            rail.period_ns.into(),
            rail.jitter_ns.into(),
            Cell::Count(rail.gaps as u64),
            rail.longest_ns.into(),
            rail.update_ns.into(),
            rail.mean_mw.into(),
            rail.min_mw.into(),
            rail.max_mw.into(),
            rail.step_mw.into(),
        ]
    };
    Table {
        name: "rails",
        title: "Rails".to_owned(),
        columns,
        rows: log.rails.iter().map(row).collect(),
        note: None,
    }
}

fn windows(log: &LogAbout) -> Table {
    let columns = vec![
        text("window", "window"),
        text("device", "rail"),
        number("length", "length_ns"),
        number("energy", "energy_mj"),
        number("mean power", "mean_mw"),
    ];
    let rows = log
        .windows
        .iter()
        .map(|window| {
            vec![
                Cell::from(window.name.as_str()),
                Cell::from(window.rail.as_str()),
                Cell::Time(window.length_ns),
                window.energy_mj.into(),
                window.mean_mw.into(),
            ]
        })
        .collect();
    let title = "Windows that the logger integrated".to_owned();
    Table { name: "logged_windows", title, columns, rows, note: None }
}
