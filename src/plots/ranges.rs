//! Estimates with intervals, one below the other: forest plots and tornadoes.
//!
//! ```text
//!   latency     ├──●──┤        0.106 [0.05, 0.17]      forest: estimate and interval
//!   launch        ├─●─┤        …
//!   busy                  ─►   764 [760, 769]          beyond the axis, which the others need
//!   ·············│0
//!   slope ×2  ███████│                                 tornado: from low to high around a base
//! ```
//!
//! The rows know nothing of where they come from: comparisons, replays and studies use them alike. A number
//! has the digits that its own interval can tell apart: two of its half width. What the figure is about has up to
//! two more.

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
    /// Whether a row that reaches far beyond the others is an arrow and leaves them the axis. Not where rows
    /// are parts of one sum: there the large ones are what is to be seen.
    pub arrows: bool,
}

/// Estimates with intervals around a line of no difference. Where the words allow arrows, the caption explains
/// them.
///
/// # Errors
/// [`PlotError::Empty`] without an estimate.
pub fn forest(
    rows: &[Estimate],
    neutral: f64,
    words: &Words,
    width: Width,
) -> Result<Figure, PlotError> {
    let within = if words.arrows { widest(rows, neutral) } else { f64::INFINITY };
    let shown = rows.iter().filter(|row| reach(row, neutral) <= within).flat_map(ends);
    let shown = shown.filter(|value| value.is_finite());
    let (low, high) = shown.fold((neutral, neutral), |(l, h), v| (l.min(v), h.max(v)));
    if rows.is_empty() || low >= high {
        return Err(PlotError::Empty("no difference to show".to_owned()));
    }
    let beyond = rows.iter().filter(|row| ends(row).iter().any(|end| *end < low || *end > high));
    let beyond = beyond.count();
    let numbers: Vec<String> = rows.iter().map(number).collect();
    let names: Vec<(&str, bool)> =
        rows.iter().map(|row| (row.name.as_str(), row.headline)).collect();
    let mut sheet = Sheet::new(&names, &numbers, (low, high), width);
    sheet.line_at(neutral);
    for (i, row) in rows.iter().enumerate() {
        sheet.mark(i, row, (low, high));
    }
    let mut figure = sheet.finish(words);
    if beyond > 0 {
        figure.caption += " Arrows: beyond the axis; the numbers say where.";
    }
    Ok(figure)
}

/// A value and the ends of its interval.
fn ends(row: &Estimate) -> [f64; 3] {
    let (low, high) = row.interval.unwrap_or((row.value, row.value));
    [low, high, row.value]
}

/// How far a row reaches from the line.
fn reach(row: &Estimate, neutral: f64) -> f64 {
    let finite = ends(row).into_iter().filter(|end| end.is_finite());
    finite.map(|end| (end - neutral).abs()).fold(0.0, f64::max)
}

/// How far a row may reach to be shown whole: what the figure is about always, others up to three times as far
/// as three quarters of them.
fn widest(rows: &[Estimate], neutral: f64) -> f64 {
    const BEYOND: f64 = 3.0;
    let mut all: Vec<f64> =
        rows.iter().map(|row| reach(row, neutral)).filter(|far| *far > 0.0).collect();
    all.sort_by(f64::total_cmp);
    let usual = all.get((3 * all.len()).div_ceil(4).saturating_sub(1)).copied().unwrap_or(0.0);
    let headlines = rows.iter().filter(|row| row.headline);
    headlines.map(|row| reach(row, neutral)).fold(BEYOND * usual, f64::max)
}

/// `0.62 [0.16, 1.09]`.
fn number(row: &Estimate) -> String {
    let digits = digits_of(row);
    let number = |value: f64| minus(&format!("{value:.digits$}"));
    match row.interval {
        Some((low, high)) => format!("{} [{}, {}]", number(row.value), number(low), number(high)),
        None => number(row.value),
    }
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

/// Decimals that show two digits of the half width of a row's interval, or three of its value where there is
/// none.
fn digits_of(row: &Estimate) -> usize {
    let half = row.interval.map(|(low, high)| (high - low).abs() / 2.0).filter(|half| *half > 0.0);
    let (size, digits) = half.map_or((row.value.abs(), 3), |half| (half, 2));
    if size <= 0.0 || !size.is_finite() {
        return 0;
    }
    // 0.0996 is 0.10 with two digits, not 0.100.
    let rounded = size * (1.0 + 0.5 * 10_f64.powi(-digits));
    let digits = (f64::from(digits) - 1.0 - rounded.log10().floor()).clamp(0.0, 6.0) as usize;
    // A bound that is not 0 must not read as 0: it says on which side of it the interval ends.
    let as_zero = |digits: usize| {
        let below = 0.5 * 10_f64.powi(-(digits as i32));
        row.interval
            .is_some_and(|(low, high)| [low, high].iter().any(|x| *x != 0.0 && x.abs() < below))
    };
    let digits = (digits..digits + 2).find(|digits| !as_zero(*digits)).unwrap_or(digits + 2);
    // What the figure is about is read most closely and looked up in the table: four digits of it, though no
    // more than two beyond those that the interval can tell apart.
    let wanted = if row.headline && row.value.abs() > 0.0 {
        (3.0 - row.value.abs().log10().floor()).clamp(0.0, 6.0) as usize
    } else {
        digits
    };
    wanted.clamp(digits, digits + 2).min(6)
}

/// A name in one line, or in two that are broken where it has a joint in the last third of the first.
fn two_lines(name: &str, room: f64, bold: bool) -> Vec<String> {
    let wide = |text: &str| font::width(text, PT, bold);
    if wide(name) <= room + 1e-9 {
        return vec![name.to_owned()];
    }
    let ends = name.char_indices().map(|(at, c)| (at + c.len_utf8(), c));
    let fitting: Vec<(usize, char)> =
        ends.take_while(|(end, _)| wide(&name[..*end]) <= room).collect();
    let last = fitting.last().map_or(name.len(), |(end, _)| *end);
    let joint = fitting.iter().rev().find(|(end, c)| {
        "_:,<…( ".contains(*c) && *end * 3 > last * 2 && wide(&name[*end..]) <= room
    });
    let (first, second) = name.split_at(joint.map_or(last, |(end, _)| *end));
    vec![first.trim_end().to_owned(), second.trim_start().to_owned()]
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
        // Names are cut as if all were bold where one is: so wide must the room be, or the longest never fits.
        let bold = names.iter().any(|(_, bold)| *bold);
        let name_room = longest(&mut names.iter().map(|(name, _)| font::width(name, PT, bold)))
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
        let short: Vec<String> = names.iter().map(|(name, _)| (*name).to_owned()).collect();
        // Rows of two lines have room for names of two lines.
        let cut = |room: f64| font::cut_apart(&short, room, PT, bold).shown;
        let two = !beside && number_room + 1.0 < panel.right - panel.left;
        let short = cut(if two { name_room * 1.8 } else { name_room });
        for (i, (((_, bold), number), name)) in names.iter().zip(numbers).zip(short).enumerate() {
            let top = MARGIN + i as f64 * pitch;
            let y = top + PITCH / 2.0 + HALF;
            for (line, part) in two_lines(&name, name_room, *bold).into_iter().enumerate() {
                let place = (panel.left - 1.4, y + line as f64 * 2.9);
                let text = Text::new(place.0, place.1, PT, part).anchored(Anchor::End);
                scene.text(if *bold { text.bold() } else { text });
            }
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

    /// An estimate with its interval; an arrow at the edge for what lies beyond the range of the axis.
    fn mark(&mut self, i: usize, row: &Estimate, (low, high): (f64, f64)) {
        let y = self.middle(i);
        let inside = |value: f64| value >= low && value <= high;
        if let Some((from, to)) = row.interval {
            let (left, right) = (self.panel.across(from), self.panel.across(to));
            self.scene.line(vec![(left, y), (right, y)], CURVE, row.color);
            for (value, end) in [(from, left), (to, right)] {
                if inside(value) {
                    self.scene.line(vec![(end, y - 0.8), (end, y + 0.8)], CURVE, row.color);
                }
            }
        }
        let [from, to, value] = ends(row);
        if from.min(value) < low {
            self.arrow(self.panel.left, -1.0, y, row.color);
        }
        if to.max(value) > high {
            self.arrow(self.panel.right, 1.0, y, row.color);
        }
        if inside(value) {
            let x = self.panel.across(value);
            self.scene.dot(x, y, if row.headline { 1.1 } else { 0.8 }, row.color);
        }
    }

    /// An arrow whose tip is at the edge of the area.
    fn arrow(&mut self, tip: f64, way: f64, y: f64, color: Rgb) {
        self.scene.line(vec![(tip - way * 3.4, y), (tip, y)], CURVE, color);
        let head = vec![(tip - way * 1.3, y - 0.9), (tip, y), (tip - way * 1.3, y + 0.9)];
        self.scene.line(head, CURVE, color);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, value: f64, interval: Option<(f64, f64)>) -> Estimate {
        Estimate {
            name: name.to_owned(),
            value,
            interval,
            color: PLAIN,
            headline: name == "latency",
        }
    }

    fn words() -> Words {
        let (title, axis) = (String::new(), "change (%)".to_owned());
        Words { title, axis, caption: "Change.".to_owned(), arrows: true }
    }

    #[test]
    fn digits_are_those_that_the_interval_can_tell_apart() {
        let shown = |value: f64, interval: Option<(f64, f64)>| number(&row("x", value, interval));
        assert_eq!(shown(0.6231, Some((0.1569, 1.0914))), "0.62 [0.16, 1.09]");
        // A small difference whose interval is smaller still.
        assert_eq!(shown(0.0017, Some((-0.0876, 0.0909))), "0.002 [−0.088, 0.091]");
        assert_eq!(shown(0.001_234, Some((0.001_21, 0.001_26))), "0.001234 [0.001210, 0.001260]");
        assert_eq!(shown(764.54, Some((760.03, 769.07))), "764.5 [760.0, 769.1]");
        assert_eq!(shown(12_345.6, Some((11_000.0, 14_000.0))), "12346 [11000, 14000]");
        // Half widths next to a power of ten: two digits, not three.
        assert_eq!(shown(1.0, Some((0.9004, 1.0996))), "1.00 [0.90, 1.10]");
        // On which side of 0 it ends.
        assert_eq!(shown(1.484, Some((-0.048, 3.017))), "1.48 [−0.05, 3.02]");
        // Without an interval three digits of the value; nothing is 0.
        assert_eq!(shown(-0.4116, None), "−0.412");
        assert_eq!(shown(0.0, Some((0.0, 0.0))), "0 [0, 0]");
        assert_eq!(shown(0.0, None), "0");
        assert_eq!(shown(-0.000_1, Some((-0.8, 0.8))), "0.00 [−0.80, 0.80]");
        // What the figure is about is recognised in the table.
        let headline = |value: f64, interval| number(&row("latency", value, interval));
        assert_eq!(headline(1.4447, Some((0.447, 2.442))), "1.445 [0.447, 2.442]");
        assert_eq!(headline(53.6127, Some((53.6, 53.63))), "53.613 [53.600, 53.630]");
        assert_eq!(headline(0.0017, Some((-0.0876, 0.0909))), "0.00170 [−0.08760, 0.09090]");
        assert_eq!(headline(764.54, Some((700.0, 830.0))), "764.5 [700.0, 830.0]");
    }

    #[test]
    fn one_extreme_row_does_not_stretch_the_axis() {
        let mut rows = vec![row("latency", 2.48, Some((1.99, 2.97)))];
        rows.extend((1..8).map(|i| row("part", f64::from(i), Some((f64::from(i) - 0.5, 8.0)))));
        rows.push(row("busy", 764.0, Some((760.0, 769.0))));
        rows[3].name = "a rather long name".to_owned();
        assert!((widest(&rows, 0.0) - 24.0).abs() < 1e-9);
        let figure = forest(&rows, 0.0, &words(), Width::Column).unwrap();
        assert_eq!(figure.caption, "Change. Arrows: beyond the axis; the numbers say where.");
        let texts: Vec<&str> = figure.scene.texts().map(|text| text.text.as_str()).collect();
        assert!(texts.contains(&"764.0 [760.0, 769.0]"), "{texts:?}");
        // The longest name has room where the figure has it.
        assert!(texts.contains(&"a rather long name"), "{texts:?}");
        assert!(!texts.contains(&"200") && !texts.contains(&"500"), "{texts:?}");
        assert_eq!(figure.scene.collisions(), Vec::<String>::new());
        // What the figure is about is never cut, nor are rows that are alike.
        rows[0] = row("latency", 700.0, None);
        assert!((widest(&rows, 0.0) - 700.0).abs() < 1e-9);
        assert!(forest(&rows[..8], 0.0, &words(), Width::Text).unwrap().caption == "Change.");
        let parts = Words { arrows: false, ..words() };
        rows[0] = row("latency", 2.48, None);
        assert_eq!(forest(&rows, 0.0, &parts, Width::Text).unwrap().caption, "Change.");
    }
}
