//! What a figure consists of: rectangles, lines, dots and texts, in millimetres.
//!
//! x grows to the right, y downward, the origin is the upper left corner. A text stands on its
//! baseline. Figures are composed here once; `svg`, `png` and `pdf` write the
//! same scene, so that the three never differ.

use super::font;
use super::palette::Rgb;

/// Where a text is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// At its beginning.
    Start,
    /// In its middle.
    Middle,
    /// At its end.
    End,
}

/// A text on one line.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// Where it is held, mm.
    pub x: f64,
    /// The baseline, mm.
    pub y: f64,
    /// What it says.
    pub text: String,
    /// Size in points.
    pub pt: f64,
    /// Bold or regular.
    pub bold: bool,
    /// Where it is held.
    pub anchor: Anchor,
    /// Its colour.
    pub color: Rgb,
    /// Whether it reads upward.
    pub upward: bool,
}

/// A part of a figure.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A filled rectangle.
    Rect {
        /// Left edge.
        x: f64,
        /// Upper edge.
        y: f64,
        /// Width.
        width: f64,
        /// Height.
        height: f64,
        /// Its colour.
        fill: Rgb,
        /// 0 to 1.
        opacity: f64,
    },
    /// A line through points.
    Line {
        /// Its points.
        points: Vec<(f64, f64)>,
        /// How thick, mm.
        width: f64,
        /// Its colour.
        color: Rgb,
    },
    /// A filled circle.
    Dot {
        /// Centre.
        x: f64,
        /// Centre.
        y: f64,
        /// Radius.
        radius: f64,
        /// Its colour.
        fill: Rgb,
    },
    /// A text.
    Text(Text),
}

/// A figure's parts, in the order in which they are painted.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Width, mm.
    pub width: f64,
    /// Height, mm.
    pub height: f64,
    /// The parts.
    pub items: Vec<Item>,
}

/// The space that a text takes.
#[derive(Clone, Debug, PartialEq)]
pub struct TextBox {
    /// Left edge, mm.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Right edge.
    pub right: f64,
    /// Lower edge.
    pub bottom: f64,
    /// What it says.
    pub text: String,
}

/// Height of capitals above the baseline, in em.
const CAPITALS: f64 = 0.71;
/// Depth of letters below it.
const DEPTH: f64 = 0.21;

impl Text {
    /// A regular black text that begins at a place.
    pub fn new(x: f64, y: f64, pt: f64, text: impl Into<String>) -> Self {
        Self {
            x,
            y,
            text: text.into(),
            pt,
            bold: false,
            anchor: Anchor::Start,
            color: super::palette::INK,
            upward: false,
        }
    }

    /// The same, held elsewhere.
    #[must_use]
    pub fn anchored(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    /// The same in another colour.
    #[must_use]
    pub fn colored(self, color: Rgb) -> Self {
        Self { color, ..self }
    }

    /// The same in bold.
    #[must_use]
    pub fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    /// The same, reading upward.
    #[must_use]
    pub fn upward(self) -> Self {
        Self { upward: true, ..self }
    }

    /// Its length along the baseline, mm.
    pub fn length(&self) -> f64 {
        font::width(&self.text, self.pt, self.bold)
    }

    /// The space it takes.
    pub fn space(&self) -> TextBox {
        let em = font::mm(self.pt);
        let length = self.length();
        let before = match self.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => length / 2.0,
            Anchor::End => length,
        };
        let text = self.text.clone();
        if self.upward {
            let bottom = self.y + before;
            let (left, right) = (self.x - CAPITALS * em, self.x + DEPTH * em);
            TextBox { left, top: bottom - length, right, bottom, text }
        } else {
            let left = self.x - before;
            let (top, bottom) = (self.y - CAPITALS * em, self.y + DEPTH * em);
            TextBox { left, top, right: left + length, bottom, text }
        }
    }
}

impl TextBox {
    /// Whether two texts run into each other.
    pub fn meets(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}

impl Scene {
    /// An empty figure of a size in mm.
    pub const fn new(width: f64, height: f64) -> Self {
        Self { width, height, items: Vec::new() }
    }

    /// A filled rectangle; nothing when it has no area.
    pub fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, fill: Rgb) {
        self.veil(x, y, width, height, fill, 1.0);
    }

    /// A rectangle that lets through what lies below.
    pub fn veil(&mut self, x: f64, y: f64, width: f64, height: f64, fill: Rgb, opacity: f64) {
        if width > 0.0 && height > 0.0 {
            self.items.push(Item::Rect { x, y, width, height, fill, opacity });
        }
    }

    /// A line through points.
    pub fn line(&mut self, points: Vec<(f64, f64)>, width: f64, color: Rgb) {
        if points.len() > 1 {
            self.items.push(Item::Line { points, width, color });
        }
    }

    /// A straight line of dashes.
    pub fn dashed(&mut self, from: (f64, f64), to: (f64, f64), width: f64, color: Rgb) {
        const DASH: f64 = 1.0;
        const SPACE: f64 = 0.7;
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let at = |s: f64| {
            let part = (s / length).min(1.0);
            (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part)
        };
        let mut s = 0.0;
        while s < length {
            self.line(vec![at(s), at(s + DASH)], width, color);
            s += DASH + SPACE;
        }
    }

    /// A dot.
    pub fn dot(&mut self, x: f64, y: f64, radius: f64, fill: Rgb) {
        self.items.push(Item::Dot { x, y, radius, fill });
    }

    /// A text.
    pub fn text(&mut self, text: Text) {
        if !text.text.is_empty() {
            self.items.push(Item::Text(text));
        }
    }

    /// All texts.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        self.items.iter().filter_map(|item| match item {
            Item::Text(text) => Some(text),
            _ => None,
        })
    }

    /// Texts that leave the figure, and pairs that run into each other: none, in a good figure.
    pub fn collisions(&self) -> Vec<String> {
        let boxes: Vec<TextBox> = self.texts().map(Text::space).collect();
        let mut found = Vec::new();
        for (i, a) in boxes.iter().enumerate() {
            if a.left < 0.0 || a.top < 0.0 || a.right > self.width || a.bottom > self.height {
                found.push(format!("`{}` leaves the figure", a.text));
            }
            for b in &boxes[..i] {
                if a.meets(b) {
                    found.push(format!("`{}` runs into `{}`", a.text, b.text));
                }
            }
        }
        found
    }
}
