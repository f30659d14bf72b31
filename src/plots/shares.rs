//! Which functions took the API time, which classes the kernel time: one bar of 100 % for each group.
//!
//! Shares are ratios of sums over all windows of a group. The table below the bars names every colour
//! and gives the numbers; what is beyond its length is one remainder.

use std::collections::BTreeMap;

use super::axis::Axis;
use super::caption::{definition, windows};
use super::figure::{Figure, PlotError};
use super::font;
use super::group::Group;
use super::legend::{Row, Table};
use super::palette::{self, PAPER, Rgb};
use super::panel::{BELOW, Panel};
use super::scene::{Anchor, Scene, Text};
use super::size::{HALF, MARGIN, PT, SMALL, Width};
use crate::attribution::Analysis;

/// Height of a bar, mm.
const BAR: f64 = 4.6;
/// From bar to bar.
const PITCH: f64 = 6.0;

/// API time by function.
///
/// # Errors
/// [`PlotError::Empty`] without API time.
pub fn api(groups: &[Group], width: Width, top: usize) -> Result<Figure, PlotError> {
    let parts = |analysis: &Analysis| -> Vec<(String, i64)> {
        let functions = analysis.api.iter().flat_map(|api| &api.by_name);
        functions.map(|function| (function.name.clone(), function.time_ns.as_ns())).collect()
    };
    let words = Words {
        title: "CUDA API time by function",
        axis: "share of CUDA API time (%)",
        definition: definition("api.by_name.share"),
        nothing: "no CUDA API time in the windows",
        numbers: false,
    };
    draw(groups, width, top, &parts, palette::function, &words)
}

/// Kernel time by class.
///
/// # Errors
/// [`PlotError::Empty`] without kernel time.
pub fn classes(groups: &[Group], width: Width, top: usize) -> Result<Figure, PlotError> {
    let parts = |analysis: &Analysis| -> Vec<(String, i64)> {
        let classes = analysis.kernels.iter().flat_map(|kernels| &kernels.by_class);
        classes.map(|class| (class.class.clone(), class.time_ns.as_ns())).collect()
    };
    let words = Words {
        title: "Kernel time by class",
        axis: "share of kernel time (%)",
        definition: definition("kernels.by_class.share"),
        nothing: "no kernel time in the windows",
        numbers: false,
    };
    draw(groups, width, top, &parts, palette::class, &words)
}

/// Kernel time by kernel, each in the colour of its class.
///
/// # Errors
/// [`PlotError::Empty`] without kernel time.
pub fn kernels(groups: &[Group], width: Width, top: usize) -> Result<Figure, PlotError> {
    let all = || groups.iter().flat_map(|group| &group.analyses).filter_map(|a| a.kernels.as_ref());
    let class_of: BTreeMap<&str, &str> = all()
        .flat_map(|kernels| &kernels.by_name)
        .map(|kernel| (kernel.name.as_str(), kernel.class.as_str()))
        .collect();
    let parts = |analysis: &Analysis| -> Vec<(String, i64)> {
        let kernels = analysis.kernels.iter().flat_map(|kernels| &kernels.by_name);
        kernels.map(|kernel| (kernel.name.clone(), kernel.time_ns.as_ns())).collect()
    };
    let color = |name: &str| palette::class(class_of.get(name).copied().unwrap_or("other"));
    let words = Words {
        title: "Kernel time by kernel",
        axis: "share of kernel time (%)",
        definition: format!(
            "Colours are classes; numbers match the bars with the list. {}",
            definition("kernels.by_class.share")
        ),
        nothing: "no kernel time in the windows",
        numbers: true,
    };
    draw(groups, width, top, &parts, color, &words)
}

struct Words {
    title: &'static str,
    axis: &'static str,
    definition: String,
    nothing: &'static str,
    /// Whether parts may have one colour, so that numbers must tell them apart.
    numbers: bool,
}

/// Times of the named parts, one for each group, and of what is left.
struct Parts {
    names: Vec<String>,
    times: Vec<Vec<i64>>,
    totals: Vec<i64>,
    remainder: usize,
    /// Whether each is called by its number.
    numbers: bool,
}

impl Parts {
    fn of(groups: &[Group], top: usize, parts: &dyn Fn(&Analysis) -> Vec<(String, i64)>) -> Self {
        let mut sums: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for (g, group) in groups.iter().enumerate() {
            for (name, ns) in group.analyses.iter().flat_map(parts) {
                sums.entry(name).or_insert_with(|| vec![0; groups.len()])[g] += ns;
            }
        }
        let totals: Vec<i64> =
            (0..groups.len()).map(|g| sums.values().map(|times| times[g]).sum()).collect();
        // In the order of the largest share in any group.
        let weight = |times: &[i64]| {
            times.iter().zip(&totals).map(|(ns, total)| share(*ns, *total)).fold(0.0, f64::max)
        };
        let mut order: Vec<(String, Vec<i64>)> = sums.into_iter().collect();
        order.sort_by(|a, b| weight(&b.1).total_cmp(&weight(&a.1)).then_with(|| a.0.cmp(&b.0)));
        let remainder = order.len().saturating_sub(top.max(1));
        let remainder = if remainder == 1 { 0 } else { remainder };
        let rest = order.split_off(order.len() - remainder);
        let (mut names, mut times): (Vec<String>, Vec<Vec<i64>>) = order.into_iter().unzip();
        if remainder > 0 {
            names.push(format!("{remainder} others"));
            times.push((0..groups.len()).map(|g| rest.iter().map(|(_, t)| t[g]).sum()).collect());
        }
        Self { names, times, totals, remainder, numbers: false }
    }
}

impl Parts {
    /// What a part is called in the bars; nothing where its colour says it.
    fn mark(&self, i: usize) -> String {
        let named = self.numbers && !(self.remainder > 0 && i + 1 == self.names.len());
        if named { (i + 1).to_string() } else { String::new() }
    }
}

fn share(ns: i64, total: i64) -> f64 {
    if total > 0 { ns as f64 / total as f64 } else { 0.0 }
}

fn draw(
    groups: &[Group],
    width: Width,
    top: usize,
    parts: &dyn Fn(&Analysis) -> Vec<(String, i64)>,
    color: impl Fn(&str) -> Rgb,
    words: &Words,
) -> Result<Figure, PlotError> {
    let parts = Parts { numbers: words.numbers, ..Parts::of(groups, top, parts) };
    if parts.totals.iter().all(|total| *total == 0) {
        return Err(PlotError::Empty(words.nothing.to_owned()));
    }
    let last = parts.names.len() - 1;
    let color_of = |i: usize| match i == last && parts.remainder > 0 {
        true => palette::OTHER,
        false => color(&parts.names[i]),
    };
    let table = table(groups, &parts, &color_of);
    let names_room = names_room(groups, width);
    let bars = MARGIN + groups.len() as f64 * PITCH;
    let mut scene = Scene::new(width.mm(), bars + BELOW + 1.4 + table.height() + MARGIN);
    let panel = Panel {
        left: MARGIN + names_room,
        right: width.mm() - MARGIN - 2.0,
        top: MARGIN,
        bottom: bars,
        x: Axis::linear(0.0, 100.0),
        y: Axis::linear(0.0, 1.0),
    };
    panel.draw_grid_across(&mut scene);
    let names: Vec<String> =
        groups.iter().enumerate().map(|(g, group)| numbered(groups, g, &group.name)).collect();
    let names = font::cut_apart(&names, names_room - 1.4, PT, false).shown;
    for (g, name) in names.into_iter().enumerate() {
        let y = MARGIN + g as f64 * PITCH + (PITCH - BAR) / 2.0;
        let text = Text::new(panel.left - 1.2, y + BAR / 2.0 + HALF, PT, name);
        scene.text(text.anchored(Anchor::End));
        bar(&mut scene, &panel, y, &parts, g, &color_of);
    }
    panel.draw_below(&mut scene, words.axis);
    let by_number = table.draw(&mut scene, MARGIN, width.mm() - MARGIN, bars + BELOW + 1.4);
    let shown = windows(groups.iter().flat_map(|group| &group.analyses));
    let mut caption = format!("{}: {shown}. {}", words.title, words.definition);
    if by_number {
        caption += " Names that end in …#1, …#2 agree as far as there is room; `analyze --format csv` has them whole.";
    }
    Ok(Figure { title: words.title.to_owned(), caption, scene })
}

/// Room for the names at the left, mm; none for a single group.
fn names_room(groups: &[Group], width: Width) -> f64 {
    if groups.len() < 2 {
        return 0.6;
    }
    let widest = (0..groups.len())
        .map(|g| font::width(&numbered(groups, g, &groups[g].name), PT, false))
        .fold(0.0, f64::max);
    (widest + 1.6).min(width.mm() * 0.3)
}

/// Whether every name fits over its column of numbers.
fn heads_fit(groups: &[Group]) -> bool {
    groups.iter().all(|group| font::width(&group.name, PT, false) <= 9.0)
}

/// The name with its number, where the table has room for numbers alone.
fn numbered(groups: &[Group], g: usize, name: &str) -> String {
    if groups.len() < 2 || heads_fit(groups) {
        name.to_owned()
    } else {
        format!("{} {name}", g + 1)
    }
}

fn bar(
    scene: &mut Scene,
    panel: &Panel,
    y: f64,
    parts: &Parts,
    g: usize,
    color: &dyn Fn(usize) -> Rgb,
) {
    let mut from = 0.0;
    for (i, times) in parts.times.iter().enumerate() {
        let percent = share(times[g], parts.totals[g]) * 100.0;
        let (left, right) = (panel.across(from), panel.across(from + percent));
        scene.rect(left, y, right - left, BAR, color(i));
        if from > 0.0 && right - left > 0.3 {
            let edge = if parts.numbers { 0.3 } else { 0.12 };
            scene.line(vec![(left, y), (left, y + BAR)], edge, PAPER);
        }
        // As in the table below where there is room, else without its decimal, else the number alone.
        let short = [format!("{percent:.1} %"), format!("{percent:.0} %")];
        let labels: Vec<String> = match parts.mark(i) {
            mark if mark.is_empty() => short.to_vec(),
            mark => vec![format!("{mark}: {}", short[0]), mark],
        };
        let fits = |label: &String| font::width(label, SMALL, false) + 0.8 < right - left;
        if let Some(label) = labels.into_iter().find(fits) {
            let place = (f64::midpoint(left, right), y + BAR / 2.0 + HALF * SMALL / PT);
            let text = Text::new(place.0, place.1, SMALL, label).anchored(Anchor::Middle);
            scene.text(text.colored(color(i).contrast()));
        }
        from += percent;
    }
}

fn table(groups: &[Group], parts: &Parts, color: &dyn Fn(usize) -> Rgb) -> Table {
    let heads = match groups {
        [_] => vec![String::new()],
        _ if heads_fit(groups) => groups.iter().map(|group| group.name.clone()).collect(),
        _ => (1..=groups.len()).map(|number| number.to_string()).collect(),
    };
    let value = |ns: i64, total: i64| match (ns, total) {
        (_, 0) => "–".to_owned(),
        (0, _) => "0".to_owned(),
        _ if share(ns, total) < 0.0005 => "<0.1 %".to_owned(),
        _ => format!("{:.1} %", share(ns, total) * 100.0),
    };
    let rows = parts.names.iter().zip(&parts.times).enumerate().map(|(i, (name, times))| Row {
        color: color(i),
        mark: parts.mark(i),
        name: name.strip_prefix("void ").unwrap_or(name).to_owned(),
        values: times.iter().zip(&parts.totals).map(|(ns, total)| value(*ns, *total)).collect(),
    });
    Table { heads, rows: rows.collect() }
}
