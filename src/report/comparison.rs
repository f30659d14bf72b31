//! A comparison as lines and tables: what moved, what explains it, limits held against it.

use super::line::Line;
use super::table::{Cell, Column, Table, number, text};
use crate::compare::document::{
    By, Check, Comparison, Decomposition, EnergyChange, Estimate, Matched, Outcome, Part, PartOf,
    Quantity, Side, Unit,
};
use crate::units::{Millijoules, Milliwatts, Nanos, Share, fixed, plain, signed};

/// A group's name in a sentence: the one it was given, else its letter.
pub fn side_name(side: &Side) -> String {
    plain(&side.label, 40)
}

/// What is compared with what.
pub fn heading(comparison: &Comparison) -> String {
    format!("{} against {}", side_name(&comparison.b), side_name(&comparison.a))
}

/// The comparison in a few lines.
pub fn summary(comparison: &Comparison) -> Vec<Line> {
    let mut lines = vec![("A", side(&comparison.a)), ("B", side(&comparison.b))];
    lines.push(("unit", unit(comparison)));
    if let Some(latency) = comparison.quantity("latency") {
        lines.extend(latency_lines(latency));
    }
    let elsewhere = comparison.findings.iter().any(|finding| finding.code == "no-verdict");
    if elsewhere {
        let text = "the windows of a side contain less than half of the work that they launched: their length is the \
                    time of issuing it, and the GPU time inside them is mostly of work that was launched before";
        lines.push(("but", text.to_owned()));
    }
    if let Some(line) = why(comparison) {
        // Parts of such windows say where their time is, not why.
        lines.push((if elsewhere { "where" } else { "why" }, line));
    }
    lines.extend(comparison.energy.iter().map(|change| ("energy", energy(change))));
    for check in &comparison.checks {
        lines.push((outcome(check), format!("{}: {}", plain(&check.rule, 80), check.message)));
    }
    lines
}

const fn outcome(check: &Check) -> &'static str {
    match check.outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "FAILED",
        Outcome::Unknown => "unknown",
    }
}

fn side(side: &Side) -> String {
    let name = match side.inputs.as_slice() {
        [one] if side.windows == 0 => plain(&one.path, 100),
        [one] => {
            let range = one.window_range.map_or_else(String::new, |[first, last]| {
                if first == last { format!(" {first}") } else { format!(" {first} to {last}") }
            });
            format!("{}, windows `{}`{range}", plain(&one.path, 100), plain(&side.window, 60))
        }
        many => format!("{} traces, windows `{}`", many.len(), plain(&side.window, 60)),
    };
    let label =
        if side.label.len() > 1 { format!("{}: ", plain(&side.label, 40)) } else { String::new() };
    if side.windows == 0 {
        return format!("{label}{name}: {}, imported from `nsys stats`", plain(&side.window, 60));
    }
    format!("{label}{name} ({} windows)", side.windows)
}

fn unit(comparison: &Comparison) -> String {
    match (comparison.unit, &comparison.paired_by) {
        (Unit::Traces, Some(by)) => {
            format!("traces, {} pairs by {by}; 95 % intervals", comparison.a.inputs.len())
        }
        (Unit::Traces, None) => format!(
            "traces, {} and {}, independent; 95 % intervals",
            comparison.a.inputs.len(),
            comparison.b.inputs.len()
        ),
        (Unit::Windows, _) => {
            "windows of one trace a side; 95 % intervals say nothing of run-to-run variation"
                .to_owned()
        }
    }
}

fn latency_lines(latency: &Quantity) -> Vec<Line> {
    let (Some(a), Some(b), Some(difference)) = (latency.a, latency.b, &latency.difference) else {
        return vec![("latency", "–".to_owned())];
    };
    let whole = |ns: f64| Nanos::from_ns(ns.round() as i64);
    let mut line = format!("{} → {}: {}", whole(a), whole(b), change(difference.value));
    if let Some(ratio) = &latency.ratio {
        line += &format!(" ({})", percent(ratio.value));
    }
    if let Some(ci) = difference.ci95 {
        line += &format!(", {}", interval(ci));
        if let Some(ci) = latency.ratio.as_ref().and_then(|ratio| ratio.ci95) {
            line += &format!(" ({} to {})", percent(ci[0]), percent(ci[1]));
        }
    }
    let mut sure = match difference.excludes(0.0) {
        Some(true) => "clear of zero".to_owned(),
        Some(false) => "not clear of zero: no difference is among what fits the data".to_owned(),
        None => "how sure that is cannot be said".to_owned(),
    };
    sure += &format!("; {}", difference.method);
    if let Some(effect) = latency.effect {
        sure += &format!("; effect size (Hedges' g) {}", fixed(effect, 2));
    }
    let mut lines = vec![("latency", line), ("surely", sure)];
    for other in &difference.also {
        lines.push(("also", format!("{} by {}", interval(other.ci95), other.method)));
    }
    lines
}

fn change(ns: f64) -> String {
    let time = Nanos::from_ns(ns.round() as i64);
    if time > Nanos::ZERO { format!("+{time}") } else { time.to_string() }
}

fn interval([low, high]: [f64; 2]) -> String {
    format!("[{}, {}]", change(low), change(high))
}

fn percent(ratio: f64) -> String {
    format!("{} %", signed((ratio - 1.0) * 100.0, 2))
}

/// The parts that explain most of the difference.
fn why(comparison: &Comparison) -> Option<String> {
    const SHOWN: usize = 4;
    let division =
        comparison.decomposition(By::Class).or_else(|| comparison.decomposition(By::Idle))?;
    let parts: Vec<String> = division
        .parts
        .iter()
        .filter(|part| part.delta_ns != Nanos::ZERO)
        .take(SHOWN)
        .map(|part| {
            let share = part
                .of_delta
                .map_or_else(String::new, |of| format!(" ({} %)", fixed(of * 100.0, 0)));
            format!("{} {}{share}", part_name(part), change(part.delta_ns.as_ns() as f64))
        })
        .collect();
    let rest = division.parts.iter().filter(|part| part.delta_ns != Nanos::ZERO).count();
    let more = match rest.saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" · {more} more"),
    };
    (!parts.is_empty()).then(|| format!("{}{more}, adding up exactly", parts.join(" · ")))
}

fn part_name(part: &Part) -> String {
    let name = plain(&part.name, 60);
    match part.of {
        PartOf::Gpu if part.name == "busy" => "GPU busy".to_owned(),
        PartOf::Gpu => format!("GPU {name}"),
        PartOf::Idle => format!("idle {name}"),
        PartOf::Api => name,
        PartOf::Beside => "outside CUDA calls".to_owned(),
    }
}

fn energy(change: &EnergyChange) -> String {
    let ci = |estimate: &Estimate| {
        estimate.ci95.map_or_else(String::new, |[low, high]| format!(" [{low:.3}, {high:.3}]"))
    };
    format!(
        "{} {}: {} → {}; ratio {:.3}{} = latency {:.3}{} × power {:.3}{} ({} → {})",
        plain(&change.rail, 40),
        change.kind,
        Millijoules::from_mj(change.a_mj),
        Millijoules::from_mj(change.b_mj),
        change.energy_ratio.value,
        ci(&change.energy_ratio),
        change.latency_ratio.value,
        ci(&change.latency_ratio),
        change.power_ratio.value,
        ci(&change.power_ratio),
        Milliwatts::from_mw(change.a_mw),
        Milliwatts::from_mw(change.b_mw),
    )
}

/// What a person wants in a terminal: quantities that moved, the divisions asked for. With 0 for `top`
/// every row, else a note says how many are not there.
pub fn short_tables(comparison: &Comparison, by: &[By], top: usize) -> Vec<Table> {
    let (chosen, rest): (Vec<&Quantity>, Vec<&Quantity>) =
        comparison.quantities.iter().partition(|quantity| top == 0 || is_worth_a_row(quantity));
    let of_captures = comparison.a.windows == 0 || comparison.b.windows == 0;
    let of = if of_captures { "shares of whole sums" } else { "per window" };
    let moved = Table {
        name: "quantities",
        title: format!("What moved ({of})"),
        columns: quantity_columns(true),
        rows: chosen.iter().map(|quantity| quantity_row(quantity, true)).collect(),
        note: None,
    };
    let mut found = vec![hiding(moved, top, rest.len())];
    for by in by {
        match comparison.decomposition(*by) {
            Some(division) => found.push(hiding(division_table(division, true), top, 0)),
            None => {
                found.push(missing(*by, comparison.a.windows == 0 || comparison.b.windows == 0));
            }
        }
    }
    found
}

/// At most `top` rows (0: all), and how to see the others: `unclear` are missing already.
fn hiding(mut table: Table, top: usize, unclear: usize) -> Table {
    let cut = if top > 0 { table.rows.len().saturating_sub(top) } else { 0 };
    table.rows.truncate(table.rows.len() - cut);
    let why = match (unclear, cut) {
        (0, _) => String::new(),
        (_, 0) => " that do not clearly differ or belong to another row".to_owned(),
        _ => format!(", {unclear} of which do not clearly differ or belong to another row"),
    };
    let hidden = cut + unclear;
    let rows = if hidden == 1 { "row" } else { "rows" };
    if hidden > 0 {
        let more = format!("{hidden} more {rows}{why}: --top 0 shows all, --format json has all");
        table.note = Some(table.note.map_or(more.clone(), |note| format!("{more}; {note}")));
    }
    table
}

/// The tables for Markdown: whole quantities, at most `top` rows each (0: all).
pub fn cut_tables(comparison: &Comparison, by: &[By], top: usize) -> Vec<Table> {
    tables(comparison, by).into_iter().map(|table| hiding(table, top, 0)).collect()
}

/// Every table, with the divisions asked for.
pub fn tables(comparison: &Comparison, by: &[By]) -> Vec<Table> {
    let mut quantities = quantity_table(&comparison.quantities.iter().collect::<Vec<_>>());
    if comparison.a.windows == 0 || comparison.b.windows == 0 {
        quantities.title = "Quantities (shares of whole sums)".to_owned();
    }
    let mut found = vec![quantities];
    for by in by {
        found.extend(comparison.decomposition(*by).map(|division| division_table(division, false)));
    }
    found.push(input_table(comparison));
    if !comparison.energy.is_empty() {
        found.push(energy_table(&comparison.energy));
    }
    if !comparison.checks.is_empty() {
        found.push(check_table(&comparison.checks));
    }
    found
}

fn missing(by: By, of_captures: bool) -> Table {
    let why = if of_captures {
        "imported sums have no windows whose length could be divided"
    } else {
        "not all inputs recorded what this needs"
    };
    Table {
        name: division_name(by),
        title: format!("By {}: {why}", by.name()),
        columns: Vec::new(),
        rows: Vec::new(),
        note: None,
    }
}

/// A value in the unit of its quantity.
fn value(unit: &str, value: Option<f64>) -> Cell {
    let Some(value) = value else { return Cell::Missing };
    match unit {
        "ns" => Cell::Time(Nanos::from_ns(value.round() as i64)),
        "share" => Cell::Ratio(value),
        "mj" => Cell::Energy(Millijoules::from_mj(value)),
        "mw" => Cell::Power(Milliwatts::from_mw(value)),
        "count" => Cell::Mean(value),
        _ => Cell::Number(value),
    }
}

/// A difference in the unit of its quantity.
fn moved(unit: &str, value: Option<f64>) -> Cell {
    let Some(value) = value else { return Cell::Missing };
    match unit {
        "ns" => Cell::TimeChange(Nanos::from_ns(value.round() as i64)),
        "share" => Cell::Points(value),
        "mj" => Cell::EnergyChange(Millijoules::from_mj(value)),
        "mw" => Cell::PowerChange(Milliwatts::from_mw(value)),
        "count" => Cell::MeanChange(value),
        _ => Cell::Number(value),
    }
}

fn bounds(ci: Option<[f64; 2]>) -> (Option<f64>, Option<f64>) {
    (ci.map(|ci| ci[0]), ci.map(|ci| ci[1]))
}

/// The columns of quantities; `short` for a terminal.
fn quantity_columns(short: bool) -> Vec<Column> {
    let mut columns = vec![
        text("quantity", "quantity"),
        number("A", "a"),
        number("B", "b"),
        number("B − A", "difference"),
        number("95 % from", "low"),
        number("to", "high"),
        number("change", "change_pct"),
    ];
    if !short {
        columns.extend([
            number("95 % from", "change_low_pct"),
            number("to", "change_high_pct"),
            number("effect", "effect_g"),
            text("unit", "unit"),
            text("method", "method"),
        ]);
    }
    columns
}

/// These quantities with all that is known of them.
pub(super) fn quantity_table(quantities: &[&Quantity]) -> Table {
    Table {
        name: "quantities",
        title: "Quantities (per window)".to_owned(),
        columns: quantity_columns(false),
        rows: quantities.iter().map(|quantity| quantity_row(quantity, false)).collect(),
        note: None,
    }
}

fn quantity_row(quantity: &Quantity, short: bool) -> Vec<Cell> {
    let unit = quantity.unit.as_str();
    let difference = quantity.difference.as_ref();
    let (low, high) = bounds(difference.and_then(|d| d.ci95));
    let ratio = quantity.ratio.as_ref();
    let less = |ratio: f64| Cell::Change(ratio - 1.0);
    let mut row = vec![
        Cell::from(quantity.name.as_str()),
        value(unit, quantity.a),
        value(unit, quantity.b),
        moved(unit, difference.map(|d| d.value)),
        moved(unit, low),
        moved(unit, high),
        ratio.map_or(Cell::Missing, |ratio| less(ratio.value)),
    ];
    if !short {
        let (low, high) = bounds(ratio.and_then(|ratio| ratio.ci95));
        row.extend([
            low.map_or(Cell::Missing, less),
            high.map_or(Cell::Missing, less),
            quantity.effect.map_or(Cell::Missing, Cell::Number),
            Cell::from(unit),
            difference.map_or(Cell::Missing, |d| Cell::from(d.method.as_str())),
        ]);
    }
    row
}

/// In a terminal: the latency, and what differs at all, without the readings of groups.
fn is_worth_a_row(quantity: &Quantity) -> bool {
    let is_latency = quantity.name == "latency";
    let differs = quantity.difference.as_ref().is_some_and(|d| d.value != 0.0);
    let clear = quantity.difference.as_ref().and_then(|d| d.excludes(0.0)) != Some(false);
    is_latency
        || (differs && clear && !quantity.name.contains("/") && !quantity.name.starts_with("time("))
}

const fn division_name(by: By) -> &'static str {
    match by {
        By::Idle => "by-idle",
        By::Class => "by-class",
        By::Kernel => "by-kernel",
        By::Api => "by-api",
    }
}

fn division_table(division: &Decomposition, short: bool) -> Table {
    let by_kernel = division.by == By::Kernel;
    let mut columns: Vec<Column> = vec![
        text("part", "part"),
        number("A", "a_ns"),
        number("B", "b_ns"),
        number("B − A", "delta_ns"),
        number("95 % from", "delta_low_ns"),
        number("to", "delta_high_ns"),
        number("of all", "of_delta_pct"),
    ];
    if by_kernel {
        columns.extend([
            text("class", "class"),
            text("found by", "matched"),
            text("name in B", "name_b"),
        ]);
    } else if !short {
        columns.push(text("of", "of"));
    }
    let row = |part: &Part| {
        let (low, high) = (part.delta_ci95_ns.map(|ci| ci[0]), part.delta_ci95_ns.map(|ci| ci[1]));
        let mut row = vec![
            Cell::Text(if short && !by_kernel { part_name(part) } else { part.name.clone() }),
            Cell::Time(part.a_ns),
            Cell::Time(part.b_ns),
            Cell::TimeChange(part.delta_ns),
            low.map_or(Cell::Missing, Cell::TimeChange),
            high.map_or(Cell::Missing, Cell::TimeChange),
            part.of_delta.map_or(Cell::Missing, Cell::Ratio),
        ];
        if by_kernel {
            row.extend([
                Cell::from(part.class.as_deref().unwrap_or("idle")),
                part.matched.map_or(Cell::Missing, |how| Cell::from(matched(how))),
                part.name_b.as_deref().map_or(Cell::Missing, Cell::from),
            ]);
        } else if !short {
            row.push(Cell::from(part_of(part.of)));
        }
        row
    };
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut all = vec![
        Cell::from("all"),
        Cell::Time(division.a_ns),
        Cell::Time(division.b_ns),
        Cell::TimeChange(division.delta_ns),
        Cell::Missing,
        Cell::Missing,
        Share::of(1, 1).into(),
    ];
    all.resize(columns.len(), Cell::Missing);
    rows.push(all);
    rows.extend(division.parts.iter().map(row));
    let unsure = !division.parts.is_empty()
        && division.parts.iter().all(|part| part.delta_ci95_ns.is_none());
    Table {
        name: division_name(division.by),
        title: format!("Where the difference is, by {}", division.by.name()),
        columns,
        rows,
        note: unsure.then(|| {
            "no intervals: these times are known for each trace as a whole; name several traces a side".to_owned()
        }),
    }
}

const fn matched(how: Matched) -> &'static str {
    match how {
        Matched::Name => "name",
        Matched::Template => "template",
        Matched::Tile => "tile",
        Matched::Similar => "similar",
    }
}

const fn part_of(of: PartOf) -> &'static str {
    match of {
        PartOf::Gpu => "gpu",
        PartOf::Idle => "idle",
        PartOf::Api => "api",
        PartOf::Beside => "beside",
    }
}

fn input_table(comparison: &Comparison) -> Table {
    let columns = vec![
        text("input", "input"),
        text("side", "side"),
        text("checkpoint", "checkpoint"),
        number("windows", "windows"),
        number("mean", "mean_ns"),
        number("median", "p50_ns"),
        number("min", "min_ns"),
        number("max", "max_ns"),
        text("GPU", "gpu"),
        text("sha256", "sha256"),
    ];
    let of = |side: &Side| -> Vec<Vec<Cell>> {
        side.inputs
            .iter()
            .map(|input| {
                vec![
                    Cell::from(input.path.as_str()),
                    Cell::from(side.label.as_str()),
                    input.checkpoint.as_deref().map_or(Cell::Missing, Cell::from),
                    Cell::Count(input.windows as u64),
                    input.mean_ns.into(),
                    input.p50_ns.into(),
                    input.min_ns.into(),
                    input.max_ns.into(),
                    Cell::Text(input.devices.join(" + ")),
                    input.sha256.as_deref().map_or(Cell::Missing, Cell::from),
                ]
            })
            .collect()
    };
    let mut rows = of(&comparison.a);
    rows.extend(of(&comparison.b));
    Table { name: "inputs", title: "Inputs".to_owned(), columns, rows, note: None }
}

fn energy_table(changes: &[EnergyChange]) -> Table {
    let columns = vec![
        text("energy", "energy"),
        text("rail", "rail"),
        number("A", "a_mj"),
        number("B", "b_mj"),
        number("power A", "a_mw"),
        number("power B", "b_mw"),
        number("ratio", "energy_ratio"),
        number("95 % from", "energy_ratio_low"),
        number("to", "energy_ratio_high"),
        number("latency ratio", "latency_ratio"),
        number("power ratio", "power_ratio"),
    ];
    let row = |change: &EnergyChange| {
        let (low, high) = bounds(change.energy_ratio.ci95);
        let cell = |value: Option<f64>| value.map_or(Cell::Missing, Cell::Number);
        vec![
            Cell::Text(format!("{} {}", change.rail, change.kind)),
            Cell::from(change.rail.as_str()),
            Cell::Energy(Millijoules::from_mj(change.a_mj)),
            Cell::Energy(Millijoules::from_mj(change.b_mj)),
            Cell::Power(Milliwatts::from_mw(change.a_mw)),
            Cell::Power(Milliwatts::from_mw(change.b_mw)),
            Cell::Number(change.energy_ratio.value),
            cell(low),
            cell(high),
            Cell::Number(change.latency_ratio.value),
            Cell::Number(change.power_ratio.value),
        ]
    };
    Table {
        name: "energy",
        title: "Energy per window".to_owned(),
        columns,
        rows: changes.iter().map(row).collect(),
        note: None,
    }
}

fn check_table(checks: &[Check]) -> Table {
    let columns = vec![
        text("limit", "limit"),
        text("outcome", "outcome"),
        text("surely", "surely"),
        text("because", "because"),
    ];
    let row = |check: &Check| {
        let surely = match check.surely {
            Some(true) => Cell::from("yes"),
            Some(false) => Cell::from("no"),
            None => Cell::Missing,
        };
        vec![
            Cell::from(check.rule.as_str()),
            Cell::from(outcome(check).to_lowercase().as_str()),
            surely,
            Cell::from(check.message.as_str()),
        ]
    };
    Table {
        name: "checks",
        title: "Checks".to_owned(),
        columns,
        rows: checks.iter().map(row).collect(),
        note: None,
    }
}
