//! The tables of the report: measures, answers, runs.
//!
//! A value that is missing is a dash; the letter beside it names the note that says why.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::analyse::RequestUsed;
use super::document::{Answer, CrossReference, Measure, Study};
use crate::report::{Cell, Column, Table};
use crate::units::{Millijoules, Milliwatts, Nanos};

/// Letters of notes; more reasons than that share the last.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";

/// Reasons and remarks with the letters that stand for them.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) all: Vec<String>,
}

impl Notes {
    /// The letter of a note.
    fn letter(&mut self, text: &str) -> String {
        let known = self.all.iter().position(|note| note == text);
        let place = known.unwrap_or_else(|| {
            self.all.push(text.to_owned());
            self.all.len() - 1
        });
        LETTERS.chars().nth(place).or_else(|| LETTERS.chars().last()).unwrap_or('z').to_string()
    }

    /// Each note behind its letter.
    pub(super) fn sentences(&self) -> Vec<(String, String)> {
        let letter = |place: usize| LETTERS.chars().nth(place).unwrap_or('z').to_string();
        self.all.iter().enumerate().map(|(i, text)| (letter(i), text.clone())).collect()
    }
}

const fn text(heading: &'static str, key: &'static str) -> Column {
    Column { heading: Cow::Borrowed(heading), key: Cow::Borrowed(key), is_text: true }
}

const fn number(heading: &'static str, key: &'static str) -> Column {
    Column { heading: Cow::Borrowed(heading), key: Cow::Borrowed(key), is_text: false }
}

/// How a value of a measure is written.
type Shown = fn(&str, f64) -> Cell;

/// Shares in per cent with three digits, as errors and rates are published.
pub(super) fn precise(unit: &str, value: f64) -> Cell {
    if unit == "share" { Cell::Number(100.0 * value) } else { scaled(unit, value) }
}

/// Each value in a unit that fits.
pub(super) fn scaled(unit: &str, value: f64) -> Cell {
    match unit {
        "share" => Cell::Percent(100.0 * value),
        "ns" => Cell::Time(Nanos::from_ns(value.round() as i64)),
        "mj" => Cell::Energy(Millijoules::from_mj(value)),
        "mw" => Cell::Power(Milliwatts::from_mw(value)),
        _ => Cell::Number(value),
    }
}

/// One row for each measure.
pub(super) fn measures(
    name: &'static str,
    title: &str,
    (study, rows): (&Study, &[Measure]),
    shown: Shown,
    notes: &mut Notes,
) -> Table {
    let published = rows.iter().any(|row| row.published.is_some());
    let mut columns = vec![
        text("quantity", "quantity"),
        text("model", "model"),
        number("mean", "mean"),
        number("std. dev.", "stddev"),
        number("low", "ci95_low"),
        number("high", "ci95_high"),
        number("n", "checkpoints"),
    ];
    if published {
        columns.push(number("published", PUBLISHED));
    }
    columns.push(text("note", "note"));
    let cell = |unit: &str, value: Option<f64>| value.map_or(Cell::Missing, |v| shown(unit, v));
    let row = |one: &Measure| {
        let mut row = vec![
            Cell::Text(one.quantity.clone()),
            Cell::Text(model(study, one)),
            cell(&one.unit, one.mean),
            cell(&one.unit, one.stddev),
            cell(&one.unit, one.ci95.map(|ci| ci[0])),
            cell(&one.unit, one.ci95.map(|ci| ci[1])),
            Cell::Count(one.by_checkpoint.len() as u64),
        ];
        if published {
            row.push(cell(&one.unit, one.published.as_ref().map(|published| published.value)));
        }
        let remark = one.published.as_ref().and_then(|published| published.note.as_ref());
        let letters: Vec<String> =
            one.missing.iter().chain(remark).map(|note| notes.letter(note)).collect();
        row.push(Cell::Text(letters.join(" ")));
        row
    };
    Table {
        name,
        title: title.to_owned(),
        columns,
        rows: rows.iter().map(row).collect(),
        note: None,
    }
}

/// Key of the column that [`measures`] adds for published numbers.
const PUBLISHED: &str = "published";

/// The same table for pages: published numbers with the digits that were published.
pub(super) fn as_published(table: &Table, rows: &[Measure]) -> Table {
    let mut table = table.clone();
    let Some(column) = table.columns.iter().position(|column| column.key == PUBLISHED) else {
        return table;
    };
    for (row, one) in table.rows.iter_mut().zip(rows) {
        if let Some(published) = &one.published {
            row[column] = Cell::Text(published.text.clone());
        }
    }
    table
}

/// `VS-WNO`, or `VS-WNO / WNO`.
fn model(study: &Study, one: &Measure) -> String {
    let above = study.label(&one.model);
    match &one.over {
        Some(below) => format!("{above} / {}", study.label(below)),
        None => above.to_owned(),
    }
}

/// What bounds the windows, as rows of the table of measures.
pub(super) fn add_verdicts(table: &mut Table, study: &Study, notes: &mut Notes) {
    for verdict in &study.verdicts {
        let units: usize = verdict.checkpoints.values().sum();
        let kinds: Vec<String> = verdict
            .checkpoints
            .iter()
            .map(
                |(kind, count)| {
                    if *count == units { kind.clone() } else { format!("{kind} ({count})") }
                },
            )
            .collect();
        let mut row = vec![Cell::Missing; table.columns.len()];
        row[0] = Cell::from("verdict");
        row[1] = Cell::Text(study.label(&verdict.model).to_owned());
        if !kinds.is_empty() {
            row[2] = Cell::Text(kinds.join(", "));
        }
        row[6] = Cell::Count(units as u64);
        let last = row.len() - 1;
        let letter = verdict.missing.as_ref().map(|why| notes.letter(why));
        row[last] = Cell::Text(letter.unwrap_or_default());
        table.rows.push(row);
    }
}

/// What was measured and replayed about sparsity and changes.
pub(super) fn answers(study: &Study, notes: &mut Notes) -> Table {
    let percent =
        |part: Option<f64>| part.map_or(Cell::Missing, |part| Cell::Percent(100.0 * part));
    let (nothing, shown): (Vec<&Answer>, Vec<&Answer>) =
        study.answers.iter().partition(|one| one.is_nothing());
    let left = nothing.len();
    let row = |one: &Answer| {
        let (reading, letter) = match one.change {
            Some(_) => (one.reading.clone(), String::new()),
            None => (String::new(), notes.letter(&one.reading)),
        };
        vec![
            Cell::Text(one.question.clone()),
            Cell::Text(study.label(&one.model).to_owned()),
            Cell::Text(one.what.clone()),
            percent(one.change),
            percent(one.range.map(|range| range[0])),
            percent(one.range.map(|range| range[1])),
            Cell::Text(reading),
            Cell::Text(letter),
        ]
    };
    Table {
        name: "answers",
        title: "Sensitivity to sparsity (measured) and to other changes (replayed): relative change of a cost"
            .to_owned(),
        columns: vec![
            text("change", "change"),
            text("model", "model"),
            text("of", "of"),
            number("change", "change_pct"),
            number("low", "low_pct"),
            number("high", "high_pct"),
            text("verdict, or then bound by", "reading"),
            text("note", "note"),
        ],
        rows: shown.into_iter().map(row).collect(),
        note: (left > 0).then(|| format!("{left} changes that do as good as nothing are in the document alone")),
    }
}

/// Shares of others beside those of the study's models.
pub(super) fn cross_reference(study: &Study) -> Table {
    let mut rows = Vec::new();
    let base = study.label(&study.base);
    for other in &study.cross_reference {
        for (quantity, share) in &other.shares {
            // A whole capture has neither windows nor idle time.
            if quantity.contains("of wall") {
                continue;
            }
            let ours = of_quantity(&study.attribution, quantity);
            let published = ours.values().find_map(|one| one.published.as_ref());
            rows.push(vec![
                Cell::Text(quantity.clone()),
                Cell::Text(other.label.clone()),
                Cell::Percent(100.0 * share),
                ours.get(study.base.as_str())
                    .and_then(|one| one.mean)
                    .map_or(Cell::Missing, |mean| Cell::Percent(100.0 * mean)),
                published.map_or(Cell::Missing, |one| Cell::Percent(100.0 * one.value)),
            ]);
        }
    }
    Table {
        name: "cross-reference",
        title: "Shares that others found on such a machine, over a whole capture (tables of nsys stats)"
            .to_owned(),
        columns: vec![
            text("quantity", "quantity"),
            text("result of others", "other"),
            number("there", "there_pct"),
            Column {
                heading: Cow::Owned(format!("here, {base}")),
                key: Cow::Borrowed("base_pct"),
                is_text: false,
            },
            number("published", "published_pct"),
        ],
        rows,
        note: Some(format!(
            "whole captures hold warm-up and loading too: comparable in kind. {}",
            study.cross_reference.iter().map(about).collect::<Vec<_>>().join(" ")
        )),
    }
}

/// What a capture of others holds, and where it is published.
fn about(other: &CrossReference) -> String {
    let count = |count: Option<u64>, what: &str| count.map(|count| format!("{count} {what}"));
    let holds = [
        count(other.calls, "CUDA calls"),
        count(other.launches, "of them launches"),
        count(other.kernels, "kernels"),
    ];
    let holds: Vec<String> = holds.into_iter().flatten().collect();
    let source = other.source.as_ref().map_or_else(String::new, |source| format!(", {source}"));
    format!("{}: {} ({}{source}).", other.label, holds.join(", "), other.files.join(", "))
}

/// Every request of the request path, by the program's own clock.
pub(super) fn requests(requests: &[RequestUsed]) -> Table {
    let layers = requests.iter().filter_map(|one| Some(one.spike_rates.as_ref()?.len())).max();
    let layers = layers.unwrap_or(0);
    let mut columns =
        vec![text("run", "run"), number("request", "request"), number("latency", "latency_ns")];
    columns.extend((1..=layers).map(|layer| Column {
        heading: Cow::Owned(format!("rate, layer {layer}")),
        key: Cow::Owned(format!("spike_rate_layer_{layer}")),
        is_text: false,
    }));
    let row = |one: &RequestUsed| {
        let rate = |layer: usize| one.spike_rates.as_ref()?.get(layer).copied();
        let mut row = vec![
            Cell::Text(one.run.clone()),
            Cell::Count(one.index as u64),
            Cell::Time(one.latency),
        ];
        row.extend((0..layers).map(|layer| rate(layer).map_or(Cell::Missing, Cell::Number)));
        row
    };
    Table {
        name: "requests",
        title: "Every request of the request path".to_owned(),
        columns,
        rows: requests.iter().map(row).collect(),
        note: None,
    }
}

/// Every measure by checkpoint.
pub(super) fn by_checkpoint(
    name: &'static str,
    title: &str,
    (study, measures): (&Study, &[Measure]),
    shown: Shown,
) -> Table {
    let mut rows = Vec::new();
    for one in measures {
        for (checkpoint, value) in &one.by_checkpoint {
            rows.push(vec![
                Cell::Text(one.quantity.clone()),
                Cell::Text(model(study, one)),
                Cell::Text(checkpoint.clone()),
                shown(&one.unit, *value),
            ]);
        }
    }
    Table {
        name,
        title: title.to_owned(),
        columns: vec![
            text("quantity", "quantity"),
            text("model", "model"),
            text("checkpoint", "checkpoint"),
            number("value", "value"),
        ],
        rows,
        note: None,
    }
}

/// Every run that was used.
pub(super) fn runs(study: &Study) -> Table {
    let row = |run: &super::document::RunUsed| {
        vec![
            Cell::Text(run.name.clone()),
            Cell::Text(study.label(&run.model).to_owned()),
            Cell::Text(run.checkpoint.clone()),
            Cell::Text(run.path.clone()),
            Cell::from(if run.traced { "traced" } else { "untraced" }),
            Cell::Count(u64::from(run.repeat)),
            Cell::Count(run.requests as u64),
            run.p50_ns.into(),
        ]
    };
    Table {
        name: "runs",
        title: "Runs that were used".to_owned(),
        columns: vec![
            text("run", "run"),
            text("model", "model"),
            text("checkpoint", "checkpoint"),
            text("path", "path"),
            text("mode", "mode"),
            number("repeat", "repeat"),
            number("requests", "requests"),
            number("median", "p50_ns"),
        ],
        rows: study.runs.iter().map(row).collect(),
        note: None,
    }
}

/// Rows by quantity, for sentences.
pub(super) fn of_quantity<'a>(
    rows: &'a [Measure],
    quantity: &str,
) -> BTreeMap<&'a str, &'a Measure> {
    let same = rows.iter().filter(|row| row.quantity == quantity && row.over.is_none());
    same.map(|row| (row.model.as_str(), row)).collect()
}
