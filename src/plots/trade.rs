//! Latency against energy, one point for each group, with intervals in both directions.
//!
//! Points carry their names; a name goes where it covers neither a point nor another name, and with a
//! number into the legend where there is no such place.

use super::axis::{Axis, TimeUnit};
use super::caption::{definition, windows};
use super::figure::{Figure, PlotError};
use super::font;
use super::group::Group;
use super::legend::Flow;
use super::palette::{self, Rgb};
use super::panel::{BELOW, Panel};
use super::scene::{Anchor, Scene, Text, TextBox};
use super::size::{HALF, MARGIN, PT, Width};

/// A group's latency and energy.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Its name.
    pub name: String,
    /// Mean latency, ns.
    pub latency_ns: f64,
    /// Its 95 % interval.
    pub latency_ci: Option<(f64, f64)>,
    /// Energy per window, mJ.
    pub energy_mj: f64,
    /// Its 95 % interval.
    pub energy_ci: Option<(f64, f64)>,
}

/// How a refused energy begins.
const REFUSED: &str = "its energy is refused";

impl Point {
    /// The first energy of each analysis of a group; of several analyses, the mean.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub fn of(group: &Group) -> Result<Self, String> {
        let mut energies = Vec::new();
        let mut latencies = Vec::new();
        for analysis in &group.analyses {
            let energy =
                analysis.energy.iter().flatten().next().ok_or("no energy in the analysis")?;
            if let Some(refused) = &energy.refused {
                return Err(format!("{} ({}): {}", REFUSED, refused.code, refused.message));
            }
            energies.push((energy.total_mj.ok_or("no energy per window")?, energy.total_ci95_mj));
            latencies.push(analysis.windows.mean_ns.ok_or("no window")?.as_ns() as f64);
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let values: Vec<f64> = energies.iter().map(|(energy, _)| energy.as_mj()).collect();
        let energy_ci = match energies.as_slice() {
            [(_, Some([low, high]))] => Some((low.as_mj(), high.as_mj())),
            _ => None,
        };
        Ok(Self {
            name: group.name.clone(),
            latency_ns: mean(&latencies),
            latency_ci: None,
            energy_mj: mean(&values),
            energy_ci,
        })
    }
}

/// The name of the energy axis, and the caption.
pub fn words(groups: &[Group]) -> (String, String) {
    let all = || groups.iter().flat_map(|group| &group.analyses);
    let mut rails: Vec<String> = all()
        .filter_map(|analysis| analysis.energy.as_ref()?.first())
        .map(|energy| font::printable(&energy.rail))
        .collect();
    rails.dedup();
    let axis = match rails.as_slice() {
        [one] => format!("energy per window, {one}"),
        _ => "energy per window".to_owned(),
    };
    let caption = format!(
        "Mean latency against mean energy per window: {}. Bars are 95 % intervals (statistical). {}",
        windows(all()),
        definition("energy.total_mj")
    );
    (axis, caption)
}

/// Latency against energy.
///
/// # Errors
/// [`PlotError::Empty`] without a point.
pub fn latency_energy(
    points: &[Point],
    energy: &str,
    caption: &str,
    width: Width,
) -> Result<Figure, PlotError> {
    if points.is_empty() {
        return Err(PlotError::Empty("no energy per window in the inputs".to_owned()));
    }
    let plane = Plane::of(points, width);
    let mut scene = Scene::new(width.mm(), plane.panel.bottom + BELOW + MARGIN);
    plane.panel.draw_grid_across(&mut scene);
    plane.panel.draw_left(&mut scene, &format!("{energy} ({})", plane.joule.1));
    let mut taken: Vec<TextBox> = Vec::new();
    for (n, point) in points.iter().enumerate() {
        taken.extend(plane.mark(&mut scene, point, palette::group(n)));
    }
    let unnamed = plane.name(&mut scene, points, taken);
    plane.panel.draw_below(&mut scene, &format!("mean latency ({})", plane.time.name));
    if !unnamed.is_empty() {
        let legend = Flow::new(&unnamed, width.mm() - 2.0 * MARGIN);
        let at = plane.panel.bottom + BELOW + 0.6;
        scene.height = at + legend.height() + MARGIN;
        legend.draw(&mut scene, MARGIN, at);
    }
    let title = "Latency against energy".to_owned();
    Ok(Figure { title, caption: caption.to_owned(), scene })
}

/// Where latencies and energies lie, and in which units.
struct Plane {
    panel: Panel,
    time: TimeUnit,
    /// mJ of one unit, and its name.
    joule: (f64, &'static str),
}

impl Plane {
    /// Holds all points with their intervals, and room around them.
    fn of(points: &[Point], width: Width) -> Self {
        let x = reach(points.iter().flat_map(|point| ends(point.latency_ns, point.latency_ci)));
        let y = reach(points.iter().flat_map(|point| ends(point.energy_mj, point.energy_ci)));
        let time = TimeUnit::of(x.1);
        let joule = if y.1.abs() >= 1000.0 { (1000.0, "J") } else { (1.0, "mJ") };
        let height = if width.mm() > 120.0 { 70.0 } else { 50.0 };
        let panel = Panel {
            left: MARGIN,
            right: width.mm() - MARGIN - 2.0,
            top: MARGIN + 1.0,
            bottom: MARGIN + 1.0 + height,
            x: Axis::linear(x.0 / time.ns, x.1 / time.ns),
            y: Axis::linear(y.0 / joule.0, y.1 / joule.0),
        };
        Self { panel: panel.with_room_left(), time, joule }
    }

    fn across(&self, ns: f64) -> f64 {
        self.panel.across(ns / self.time.ns)
    }

    fn up(&self, mj: f64) -> f64 {
        self.panel.up(mj / self.joule.0)
    }

    fn place(&self, point: &Point) -> (f64, f64) {
        (self.across(point.latency_ns), self.up(point.energy_mj))
    }

    /// Paints a point and its intervals; gives the space that they take.
    fn mark(&self, scene: &mut Scene, point: &Point, color: Rgb) -> Vec<TextBox> {
        let place = self.place(point);
        let mut taken = Vec::new();
        if let Some((low, high)) = point.latency_ci {
            let (from, to) = ((self.across(low), place.1), (self.across(high), place.1));
            whisker(scene, from, to, color);
            taken.push(between(from, to));
        }
        if let Some((low, high)) = point.energy_ci {
            let (from, to) = ((place.0, self.up(low)), (place.0, self.up(high)));
            whisker(scene, from, to, color);
            taken.push(between(from, to));
        }
        scene.dot(place.0, place.1, 0.9, color);
        taken.push(around(place));
        taken
    }

    /// Writes names beside their points; gives those for which there is no room.
    fn name(
        &self,
        scene: &mut Scene,
        points: &[Point],
        mut taken: Vec<TextBox>,
    ) -> Vec<(Rgb, String)> {
        let mut unnamed = Vec::new();
        let names: Vec<String> = points.iter().map(|point| point.name.clone()).collect();
        let room = (self.panel.right - self.panel.left) * 0.45;
        let names = font::cut_apart(&names, room, PT, false).shown;
        for (n, (point, name)) in points.iter().zip(&names).enumerate() {
            match free(&self.panel, self.place(point), name, &taken) {
                Some(text) => {
                    taken.push(text.space());
                    scene.text(text);
                }
                None => unnamed.push((palette::group(n), point.name.clone())),
            }
        }
        unnamed
    }
}

/// A value and the ends of its interval.
fn ends(value: f64, ci: Option<(f64, f64)>) -> [f64; 2] {
    let (low, high) = ci.unwrap_or((value, value));
    [low.min(value), high.max(value)]
}

/// The range of an axis.
fn reach(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
    let space = ((high - low) * 0.15).max(high.abs() * 0.002);
    (low - space, high + space)
}

/// The space of a line.
fn between(from: (f64, f64), to: (f64, f64)) -> TextBox {
    TextBox {
        left: from.0.min(to.0) - 0.3,
        top: from.1.min(to.1) - 0.3,
        right: from.0.max(to.0) + 0.3,
        bottom: from.1.max(to.1) + 0.3,
        text: String::new(),
    }
}

fn whisker(scene: &mut Scene, from: (f64, f64), to: (f64, f64), color: Rgb) {
    const END: f64 = 0.8;
    scene.line(vec![from, to], 0.25, color);
    for (x, y) in [from, to] {
        let level = (from.1 - to.1).abs() < 1e-9;
        let (dx, dy) = if level { (0.0, END) } else { (END, 0.0) };
        scene.line(vec![(x - dx, y - dy), (x + dx, y + dy)], 0.25, color);
    }
}

/// The space that a point keeps for itself.
fn around((x, y): (f64, f64)) -> TextBox {
    let text = String::new();
    TextBox { left: x - 1.1, top: y - 1.1, right: x + 1.1, bottom: y + 1.1, text }
}

/// The name at the first place where it covers nothing.
fn free(panel: &Panel, (x, y): (f64, f64), name: &str, taken: &[TextBox]) -> Option<Text> {
    let text = |dx: f64, dy: f64, anchor: Anchor| {
        Text::new(x + dx, y + dy + HALF, PT, name.to_owned()).anchored(anchor)
    };
    let places = [
        text(1.6, -2.0, Anchor::Start),
        text(1.6, 2.0, Anchor::Start),
        text(-1.6, -2.0, Anchor::End),
        text(-1.6, 2.0, Anchor::End),
        text(0.0, -3.4, Anchor::Middle),
        text(0.0, 3.4, Anchor::Middle),
    ];
    let fits = |text: &Text| {
        let space = text.space();
        space.left >= panel.left
            && space.right <= panel.right
            && space.top >= panel.top
            && space.bottom <= panel.bottom
            && !taken.iter().any(|other| other.meets(&space))
    };
    places.into_iter().find(fits)
}
