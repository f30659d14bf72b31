//! What the colours mean: swatches with names, in lines or as a table with values.

use super::font;
use super::palette::{GREY, Rgb};
use super::scene::{Anchor, Scene, Text};
use super::size::{HALF, LINE, PT, SMALL};

/// Edge of a swatch, mm.
const SWATCH: f64 = 1.9;
/// Width of a swatch that carries a number.
const MARKED: f64 = 3.4;
/// Its height.
const MARK_HEIGHT: f64 = 2.7;
/// From a swatch to its name.
const TO_NAME: f64 = 0.9;
/// From a name to the next swatch.
const APART: f64 = 2.6;

/// Swatches with names, broken into lines.
pub(super) struct Flow {
    lines: Vec<Vec<(f64, Rgb, String)>>,
}

impl Flow {
    /// Breaks entries into lines of at most `room` mm; names that are longer are cut.
    pub(super) fn new(entries: &[(Rgb, String)], room: f64) -> Self {
        let mut lines: Vec<Vec<(f64, Rgb, String)>> = Vec::new();
        let mut at = f64::INFINITY;
        let names: Vec<String> = entries.iter().map(|(_, name)| name.clone()).collect();
        let names = font::cut_apart(&names, room - SWATCH - TO_NAME, PT, false).shown;
        for ((color, _), name) in entries.iter().zip(names) {
            let width = SWATCH + TO_NAME + font::width(&name, PT, false);
            if at + width > room {
                lines.push(Vec::new());
                at = 0.0;
            }
            if let Some(line) = lines.last_mut() {
                line.push((at, *color, name));
            }
            at += width + APART;
        }
        Self { lines }
    }

    /// Its height, mm.
    pub(super) fn height(&self) -> f64 {
        self.lines.len() as f64 * LINE
    }

    /// Paints it with its upper left corner at a place.
    pub(super) fn draw(&self, scene: &mut Scene, x: f64, y: f64) {
        for (row, line) in self.lines.iter().enumerate() {
            let middle = y + (row as f64 + 0.5) * LINE;
            for (at, color, name) in line {
                swatch(scene, x + at, middle, *color);
                scene.text(Text::new(x + at + SWATCH + TO_NAME, middle + HALF, PT, name.clone()));
            }
        }
    }
}

fn swatch(scene: &mut Scene, x: f64, middle: f64, color: Rgb) {
    scene.rect(x, middle - SWATCH / 2.0, SWATCH, SWATCH, color);
}

/// A line of a [`Table`].
pub(super) struct Row {
    pub(super) color: Rgb,
    /// What the picture calls it, where colours do not tell rows apart: at most two characters.
    pub(super) mark: String,
    pub(super) name: String,
    /// One for each column.
    pub(super) values: Vec<String>,
}

/// Swatches with names and values in columns.
pub(super) struct Table {
    pub(super) heads: Vec<String>,
    pub(super) rows: Vec<Row>,
}

impl Table {
    /// Its height, mm.
    pub(super) fn height(&self) -> f64 {
        (self.rows.len() + usize::from(self.has_heads())) as f64 * LINE
    }

    fn has_heads(&self) -> bool {
        self.heads.iter().any(|head| !head.is_empty())
    }

    /// The width of each column, mm: that of its widest value, heads are cut.
    fn columns(&self) -> Vec<f64> {
        let widest = |column: usize| {
            let values = self.rows.iter().filter_map(|row| row.values.get(column));
            values.map(|value| font::width(value, PT, false)).fold(8.0, f64::max)
        };
        (0..self.heads.len()).map(widest).collect()
    }

    /// Paints it between two edges; the columns stand right behind the names. Whether numbers alone
    /// tell some names apart.
    pub(super) fn draw(&self, scene: &mut Scene, left: f64, right: f64, y: f64) -> bool {
        const GAP: f64 = 2.4;
        let mut columns = self.columns();
        // Values that leave no room for names are left out; the bars say them.
        while columns.iter().map(|width| width + GAP).sum::<f64>() > (right - left) * 0.62 {
            columns.pop();
        }
        let values: f64 = columns.iter().map(|width| width + GAP).sum();
        let marked = self.rows.iter().any(|row| !row.mark.is_empty());
        let swatch_width = if marked { MARKED } else { SWATCH };
        let room = right - left - swatch_width - TO_NAME - values;
        let names: Vec<String> = self.rows.iter().map(|row| row.name.clone()).collect();
        let names = font::cut_apart(&names, room, PT, false);
        let (names, numbered) = (names.shown, names.numbered);
        let widest = names.iter().map(|name| font::width(name, PT, false)).fold(0.0, f64::max);
        let mut edge = left + swatch_width + TO_NAME + widest;
        let edges: Vec<f64> = columns
            .iter()
            .map(|width| {
                edge += GAP + width;
                edge
            })
            .collect();
        let mut middle = y + LINE / 2.0;
        if self.has_heads() {
            for ((head, edge), width) in self.heads.iter().zip(&edges).zip(&columns) {
                let head = font::cut_end(head, width + GAP - 0.8, PT, false);
                let text = Text::new(*edge, middle + HALF, PT, head);
                scene.text(text.anchored(Anchor::End).colored(GREY));
            }
            middle += LINE;
        }
        for (row, name) in self.rows.iter().zip(names) {
            if marked {
                scene.rect(left, middle - MARK_HEIGHT / 2.0, MARKED, MARK_HEIGHT, row.color);
                let place = (left + MARKED / 2.0, middle + HALF * SMALL / PT);
                let text = Text::new(place.0, place.1, SMALL, row.mark.clone());
                scene.text(text.anchored(Anchor::Middle).colored(row.color.contrast()));
            } else {
                swatch(scene, left, middle, row.color);
            }
            scene.text(Text::new(left + swatch_width + TO_NAME, middle + HALF, PT, name));
            for (value, edge) in row.values.iter().zip(&edges) {
                let text = Text::new(*edge, middle + HALF, PT, value.clone());
                scene.text(text.anchored(Anchor::End));
            }
            middle += LINE;
        }
        numbered
    }
}
