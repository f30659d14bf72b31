//! Estimates with intervals, one below the other: forest plots and tornadoes.
//!
//! ```text
//!   latency     ├──●──┤        0.106 [0.05, 0.17]      forest: estimate and interval
//!   launch        ├─●─┤        …
//!   ·············│0
//!   slope ×2  ███████│                                 tornado: from low to high around a base
//! ```
//!
//! The rows know nothing of where they come from: comparisons, replays and studies use them alike.

use super::axis::{Axis, minus};
use super::figure::{Figure, PlotError};
use super::font;
use super::palette::{self, GREY, INK, PALE, PAPER, Rgb};
use super::panel::{BELOW, Panel};
use super::scene::{Anchor, Scene, Text};
use super::size::{CURVE, HAIR, HALF, MARGIN, PT, Width};

/// From row to row, mm.
const PITCH: f64 = 4.2;

/// An estimate with its interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// What it is of.
    pub name: String,
    /// The estimate.
    pub value: f64,
    /// Its interval; `None` where there is none.
    pub interval: Option<(f64, f64)>,
    /// Its colour.
    pub color: Rgb,
    /// Whether it is the one that the figure is about.
    pub headline: bool,
}

/// A range of outcomes when one thing is varied.
#[derive(Clone, Debug, PartialEq)]
pub struct Swing {
    /// What is varied.
    pub name: String,
    /// The outcome at the low end, and that end in words.
    pub low: (f64, String),
    /// The outcome at the high end, and that end in words.
    pub high: (f64, String),
    /// Its colour.
    pub color: Rgb,
}

/// The words of a figure of ranges.
#[derive(Clone, Debug, PartialEq)]
pub struct Words {
    /// A short title.
    pub title: String,
    /// Quantity and unit of the axis.
    pub axis: String,
    /// The caption.
    pub caption: String,
}

/// Estimates with intervals around a line of no difference.
///
/// # Errors
/// [`PlotError::Empty`] without an estimate.
pub fn forest(
    rows: &[Estimate],
    neutral: f64,
    words: &Words,
    width: Width,
) -> Result<Figure, PlotError> {
    let ends = |row: &Estimate| {
        let (low, high) = row.interval.unwrap_or((row.value, row.value));
        [low, high, row.value]
    };
    let reach = rows.iter().flat_map(ends).filter(|value| value.is_finite());
    let (low, high) = reach.fold((neutral, neutral), |(l, h), v| (l.min(v), h.max(v)));
    if rows.is_empty() || low >= high {
        return Err(PlotError::Empty("no difference to show".to_owned()));
    }
    let values: Vec<f64> = rows.iter().map(|row| row.value).collect();
    let digits = digits(high - low).max(digits_of(&values).min(digits(high - low) + 2));
    let number = |value: f64| minus(&format!("{value:.digits$}"));
    let numbers: Vec<String> = rows
        .iter()
        .map(|row| match row.interval {
            Some((low, high)) => {
                format!("{} [{}, {}]", number(row.value), number(low), number(high))
            }
            None => number(row.value),
        })
        .collect();
    let names: Vec<(&str, bool)> =
        rows.iter().map(|row| (row.name.as_str(), row.headline)).collect();
    let mut sheet = Sheet::new(&names, &numbers, (low, high), width);
    sheet.line_at(neutral);
    for (i, row) in rows.iter().enumerate() {
        let y = sheet.middle(i);
        let x = sheet.panel.across(row.value);
        if let Some((low, high)) = row.interval {
            let (low, high) = (sheet.panel.across(low), sheet.panel.across(high));
            sheet.scene.line(vec![(low, y), (high, y)], CURVE, row.color);
            for end in [low, high] {
                sheet.scene.line(vec![(end, y - 0.8), (end, y + 0.8)], CURVE, row.color);
            }
        }
        sheet.scene.dot(x, y, if row.headline { 1.1 } else { 0.8 }, row.color);
    }
    Ok(sheet.finish(words))
}

/// Bars from low to high around the outcome with nothing varied, the widest first.
///
/// # Errors
/// [`PlotError::Empty`] without a bar that has a width.
pub fn tornado(
    rows: &[Swing],
    base: f64,
    words: &Words,
    width: Width,
) -> Result<Figure, PlotError> {
    let mut rows: Vec<&Swing> = rows.iter().collect();
    rows.sort_by(|a, b| {
        // With the line in it: both ends of a bar may lie on one side.
        let span =
            |row: &Swing| row.high.0.max(row.low.0).max(base) - row.high.0.min(row.low.0).min(base);
        span(b).total_cmp(&span(a)).then_with(|| a.name.cmp(&b.name))
    });
    let reach = rows.iter().flat_map(|row| [row.low.0, row.high.0]);
    let (low, high) = reach.fold((base, base), |(l, h), v| (l.min(v), h.max(v)));
    if low >= high {
        return Err(PlotError::Empty("nothing varies".to_owned()));
    }
    let digits = digits(high - low);
    let number = |value: f64| minus(&format!("{value:.digits$}"));
    let say = |end: &(f64, String)| format!("{}: {}", end.1, number(end.0));
    let numbers: Vec<String> =
        rows.iter().map(|row| format!("{}, {}", say(&row.low), say(&row.high))).collect();
    let names: Vec<(&str, bool)> = rows.iter().map(|row| (row.name.as_str(), false)).collect();
    let mut sheet = Sheet::new(&names, &numbers, (low, high), width);
    for (i, row) in rows.iter().enumerate() {
        let y = sheet.middle(i);
        let (a, b) = (sheet.panel.across(row.low.0), sheet.panel.across(row.high.0));
        let middle = sheet.panel.across(base);
        let mut part = |from: f64, to: f64, opacity: f64| {
            let (left, right) = (from.min(to), from.max(to));
            sheet.scene.veil(left, y - 1.3, right - left, 2.6, row.color, opacity);
        };
        part(middle, a, 0.55);
        part(middle, b, 1.0);
    }
    sheet.line_at(base);
    Ok(sheet.finish(words))
}

/// Decimals that show three digits of a span.
fn digits(span: f64) -> usize {
    (2.0 - span.log10().floor()).clamp(0.0, 6.0) as usize
}

/// Decimals that show two digits of the smallest value that is not 0.
fn digits_of(values: &[f64]) -> usize {
    let sizes = values.iter().map(|value| value.abs()).filter(|size| *size > 0.0);
    let smallest = sizes.fold(f64::INFINITY, f64::min);
    if smallest.is_finite() { (1.0 - smallest.log10().floor()).clamp(0.0, 6.0) as usize } else { 0 }
}

/// Rows with names at the left and numbers at the right, or below where they find no room.
struct Sheet {
    scene: Scene,
    panel: Panel,
    pitch: f64,
    /// Painted last, on paper of their own where they stand among the marks.
    numbers: Vec<Text>,
}

impl Sheet {
    fn new(names: &[(&str, bool)], numbers: &[String], reach: (f64, f64), width: Width) -> Self {
        let width = width.mm();
        let longest = |texts: &mut dyn Iterator<Item = f64>| texts.fold(0.0, f64::max);
        let name_room = longest(&mut names.iter().map(|(name, bold)| font::width(name, PT, *bold)))
            .min(width * 0.34);
        let number_room = longest(&mut numbers.iter().map(|text| font::width(text, PT, false)));
        // On narrow figures the numbers stand under the marks of their row.
        let beside = name_room + number_room + 30.0 < width - 2.0 * MARGIN;
        let pitch = if beside { PITCH } else { PITCH + 2.8 };
        let bottom = MARGIN + names.len() as f64 * pitch + 0.8;
        let space = (reach.1 - reach.0) * 0.04;
        let right = width - MARGIN - if beside { number_room + 1.6 } else { 1.0 };
        let panel = Panel {
            left: MARGIN + name_room + 1.6,
            right,
            top: MARGIN,
            bottom,
            x: Axis::linear(reach.0 - space, reach.1 + space),
            y: Axis::linear(0.0, 1.0),
        };
        let mut scene = Scene::new(width, bottom + BELOW + MARGIN);
        panel.draw_grid_across(&mut scene);
        let mut texts = Vec::new();
        for (i, ((name, bold), number)) in names.iter().zip(numbers).enumerate() {
            let top = MARGIN + i as f64 * pitch;
            let y = top + PITCH / 2.0 + HALF;
            let name = font::cut_middle(name, name_room, PT, *bold);
            let text = Text::new(panel.left - 1.4, y, PT, name).anchored(Anchor::End);
            scene.text(if *bold { text.bold() } else { text });
            if beside {
                let text = Text::new(width - MARGIN, y, PT, number.clone());
                texts.push(text.anchored(Anchor::End));
            } else {
                let number = font::cut_end(number, width - 2.0 * MARGIN, PT, false);
                let text = Text::new(width - MARGIN, y + 2.9, PT, number);
                texts.push(text.anchored(Anchor::End).colored(GREY));
            }
            if i > 0 && !beside {
                scene.line(vec![(MARGIN, top - 0.1), (width - MARGIN, top - 0.1)], HAIR, PALE);
            }
        }
        Self { scene, panel, pitch, numbers: texts }
    }

    /// The middle of a row's marks.
    fn middle(&self, row: usize) -> f64 {
        MARGIN + row as f64 * self.pitch + PITCH / 2.0
    }

    fn line_at(&mut self, value: f64) {
        let x = self.panel.across(value);
        self.scene.dashed((x, self.panel.top), (x, self.panel.bottom), HAIR * 1.5, INK);
    }

    fn finish(mut self, words: &Words) -> Figure {
        for text in self.numbers {
            let space = text.space();
            let (width, height) = (space.right - space.left, space.bottom - space.top);
            self.scene.rect(space.left - 0.4, space.top, width + 0.8, height, PAPER);
            self.scene.text(text);
        }
        self.panel.draw_below(&mut self.scene, &words.axis);
        Figure { title: words.title.clone(), caption: words.caption.clone(), scene: self.scene }
    }
}

/// The colour of a row that belongs to no class.
pub const PLAIN: Rgb = palette::BUSY;
