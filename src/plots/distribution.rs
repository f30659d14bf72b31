//! How values are spread: a histogram above, the empirical distribution below, on one axis.
//!
//! ```text
//!   count   ▁▃█▅▂            bars (one group) or outlines, common bins for all groups
//!   share   ───╱▔▔▔▔         share of values up to x; dots at p50 and p95
//!           value
//! ```
//!
//! The axis is logarithmic where the largest value is over 30 times the smallest.

use super::axis::{Axis, TimeUnit, time};
use super::caption::{definition, trace, windows};
use super::figure::{Figure, PlotError};
use super::font;
use super::group::Group;
use super::legend::Flow;
use super::palette::{self, INK, Rgb};
use super::panel::{BELOW, Panel, counts_up};
use super::scene::{Anchor, Scene, Text};
use super::size::{CURVE, HAIR, MARGIN, PT, SMALL, Width};
use crate::attribution::KernelSamples;

/// From this ratio of largest to smallest on, equal ratios take equal space.
const WIDE: f64 = 30.0;
/// Points of a curve; more are not seen.
const POINTS: usize = 2000;

/// Values of one group.
struct Sample {
    name: String,
    /// In the unit of the axis.
    sorted: Vec<f64>,
    color: Rgb,
}

/// How values stand on the axis: in one unit on a linear axis, in ns on a logarithmic one.
#[derive(Clone, Copy)]
enum Across {
    Linear(TimeUnit),
    Log,
}

impl Across {
    /// The axis for values in ns.
    fn of(values: &[(String, Vec<f64>)]) -> Option<Self> {
        let all = || values.iter().flat_map(|(_, values)| values).copied();
        let largest = all().max_by(f64::total_cmp)?;
        let smallest = all().min_by(f64::total_cmp)?;
        let wide = largest > WIDE * smallest;
        Some(if wide { Self::Log } else { Self::Linear(TimeUnit::of(largest)) })
    }

    const fn ns(self) -> f64 {
        match self {
            Self::Linear(unit) => unit.ns,
            Self::Log => 1.0,
        }
    }
}

/// Latency of the windows.
///
/// # Errors
/// [`PlotError::Empty`] without a window that has a length.
pub fn latency(groups: &[Group], width: Width) -> Result<Figure, PlotError> {
    let samples = groups.iter().map(|group| (group.name.clone(), group.lengths())).collect();
    let caption = format!(
        "Latency: {}. Above: number of windows for each length. Below: share of windows that are no longer than x \
         (empirical distribution); dots on it mark the median and the 95th percentile, which are interpolated between lengths. {}",
        windows(groups.iter().flat_map(|group| &group.analyses)),
        definition("windows")
    );
    draw(samples, width, ["latency", "windows"], caption)
}

/// From the start of a kernel's launch call to its start on the GPU.
///
/// # Errors
/// [`PlotError::Empty`] without kernels whose call is in the export.
pub fn delays(all: &[(String, KernelSamples)], width: Width) -> Result<Figure, PlotError> {
    let of = |samples: &KernelSamples| -> Vec<f64> {
        let delays = samples.kernels.iter().filter_map(|kernel| kernel.delay_ns);
        delays.map(|delay| delay.as_ns() as f64).collect()
    };
    let samples = all.iter().map(|(name, samples)| (name.clone(), of(samples))).collect();
    let shown: Vec<String> = all
        .iter()
        .map(|(_, one)| format!("“{}” of {}", font::printable(&one.spec), trace(Some(&one.trace))))
        .collect();
    let caption = format!(
        "Launch delay of the kernels of {}. Above: number of kernels for each delay. Below: share of kernels that \
         waited no longer than x; dots mark the median and the 95th percentile. {}",
        shown.join("; "),
        definition("launch_delay")
    );
    draw(samples, width, ["launch delay", "kernels"], caption)
}

fn draw(
    mut values: Vec<(String, Vec<f64>)>,
    width: Width,
    [quantity, things]: [&str; 2],
    caption: String,
) -> Result<Figure, PlotError> {
    for (_, values) in &mut values {
        values.retain(|value| *value > 0.0);
        values.sort_by(f64::total_cmp);
    }
    let Some(across) = Across::of(&values) else {
        return Err(PlotError::Empty(format!("no {things} with a {quantity} above 0")));
    };
    let sample = |(n, (name, values)): (usize, (String, Vec<f64>))| Sample {
        name,
        sorted: values.iter().map(|ns| ns / across.ns()).collect(),
        color: palette::group(n),
    };
    let mut samples: Vec<Sample> = values.into_iter().enumerate().map(sample).collect();
    samples.retain(|sample| !sample.sorted.is_empty());
    let (x, edges) = bins(&samples, across);
    let counts: Vec<Vec<usize>> = samples.iter().map(|sample| counted(sample, &edges)).collect();
    let most = counts.iter().flatten().copied().max().unwrap_or(1);

    let legend = legend(&samples, across, width);
    let (top, height) =
        (MARGIN + legend.height() + 1.0, if width.mm() > 120.0 { 26.0 } else { 19.0 });
    let low = top + height + 3.0;
    let mut scene = Scene::new(width.mm(), low + height + BELOW + MARGIN);
    legend.draw(&mut scene, MARGIN, MARGIN);
    let area = |top: f64, y: Axis| {
        let (left, right) = (MARGIN, width.mm() - MARGIN - 1.5);
        Panel { left, right, top, bottom: top + height, x, y }.with_room_left()
    };
    let mut above = area(top, counts_up(most, height));
    let mut below = area(low, Axis::linear(0.0, 100.0));
    above.left = above.left.max(below.left);
    below.left = above.left;
    above.draw_left(&mut scene, things);
    histogram(&mut scene, &above, &edges, &counts, &samples);
    above.base(&mut scene);
    below.draw_left(&mut scene, "share (%)");
    for sample in &samples {
        curve(&mut scene, &below, sample);
    }
    if let [only] = samples.as_slice() {
        quantiles(&mut scene, &below, only, across);
    }
    let label = match across {
        Across::Log => quantity.to_owned(),
        Across::Linear(unit) => format!("{quantity} ({})", unit.name),
    };
    below.draw_below(&mut scene, &label);
    Ok(Figure { title: format!("Distribution of {quantity}"), caption, scene })
}

/// The axis, and the edges of the bins that all groups share.
fn bins(samples: &[Sample], across: Across) -> (Axis, Vec<f64>) {
    let low = samples.iter().filter_map(|s| s.sorted.first()).copied().fold(f64::MAX, f64::min);
    let high = samples.iter().filter_map(|s| s.sorted.last()).copied().fold(0.0, f64::max);
    let count = samples.iter().map(|sample| sample.sorted.len()).max().unwrap_or(1);
    let bins = ((count as f64).sqrt() * 1.6).ceil().clamp(6.0, 40.0);
    match across {
        Across::Log => {
            let edge = |i: usize| low * (high / low).powf(i as f64 / bins);
            (Axis::log(low * 0.9, high * 1.1), (0..=bins as usize).map(edge).collect())
        }
        Across::Linear(_) => {
            let space = ((high - low) * 0.05).max(high * 0.005);
            let axis = Axis::linear(low - space, high + space);
            let edge = |i: usize| low - space / 4.0 + (high - low + space / 2.0) * i as f64 / bins;
            (axis, (0..=bins as usize).map(edge).collect())
        }
    }
}

fn counted(sample: &Sample, edges: &[f64]) -> Vec<usize> {
    let last = edges.len().saturating_sub(2);
    let below = |edge: f64| sample.sorted.partition_point(|value| *value < edge);
    (0..=last)
        .map(|bin| {
            // Rounding must not lose the ends.
            let from = if bin == 0 { 0 } else { below(edges[bin]) };
            let to = if bin == last { sample.sorted.len() } else { below(edges[bin + 1]) };
            to - from
        })
        .collect()
}

fn legend(samples: &[Sample], across: Across, width: Width) -> Flow {
    let numbers: Vec<String> = samples
        .iter()
        .map(|sample| {
            let median = said(at(&sample.sorted, 0.5), samples, across);
            format!("n = {}, median {median}", sample.sorted.len())
        })
        .collect();
    let widest = numbers.iter().map(|text| font::width(text, PT, false)).fold(0.0, f64::max);
    let names: Vec<String> = match samples {
        [_] => vec![String::new()],
        _ => samples.iter().map(|sample| sample.name.clone()).collect(),
    };
    let room = width.mm() - 2.0 * MARGIN - 5.0 - widest;
    let names = font::cut_apart(&names, room, PT, false).shown;
    let entry = |((sample, numbers), name): ((&Sample, String), String)| {
        let text = if name.is_empty() { numbers } else { format!("{name}: {numbers}") };
        (sample.color, text)
    };
    let entries: Vec<(Rgb, String)> = samples.iter().zip(numbers).zip(names).map(entry).collect();
    Flow::new(&entries, width.mm() - 2.0 * MARGIN)
}

/// A value with its unit: three digits, or as many as tell a tenth of the spread of all values.
fn said(value: f64, samples: &[Sample], across: Across) -> String {
    let Across::Linear(unit) = across else { return time(value) };
    let low = samples.iter().filter_map(|s| s.sorted.first()).copied().fold(f64::MAX, f64::min);
    let high = samples.iter().filter_map(|s| s.sorted.last()).copied().fold(f64::MIN, f64::max);
    let short = time(value * unit.ns);
    let digits = if high > low { 1 - (high - low).log10().floor() as i32 } else { 0 };
    let digits = digits.clamp(0, 6) as usize;
    let has = short.split(' ').next().and_then(|number| number.split_once('.'));
    if TimeUnit::of(value * unit.ns) == unit && has.map_or(0, |(_, part)| part.len()) < digits {
        return format!("{value:.digits$} {}", unit.name);
    }
    short
}

/// A quantile by linear interpolation.
fn at(sorted: &[f64], p: f64) -> f64 {
    let place = p * (sorted.len() - 1) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * (place - low as f64)
}

fn histogram(
    scene: &mut Scene,
    panel: &Panel,
    edges: &[f64],
    counts: &[Vec<usize>],
    samples: &[Sample],
) {
    for (counts, sample) in counts.iter().zip(samples) {
        let mut outline = vec![(panel.across(edges[0]), panel.bottom)];
        for (bin, count) in counts.iter().enumerate() {
            let (left, right) = (panel.across(edges[bin]), panel.across(edges[bin + 1]));
            let top = panel.up(*count as f64);
            let opacity = if samples.len() == 1 { 0.85 } else { 0.18 };
            scene.veil(left, top, right - left, panel.bottom - top, sample.color, opacity);
            outline.extend([(left, top), (right, top)]);
        }
        outline.push((outline[outline.len() - 1].0, panel.bottom));
        if samples.len() > 1 {
            scene.line(outline, CURVE, sample.color);
        }
    }
}

fn curve(scene: &mut Scene, panel: &Panel, sample: &Sample) {
    let count = sample.sorted.len();
    let every = count.div_ceil(POINTS);
    let mut points = vec![(panel.left, panel.bottom)];
    for i in (0..count).filter(|i| i % every == 0 || *i == count - 1) {
        let x = panel.across(sample.sorted[i]);
        points.push((x, panel.up(i as f64 / count as f64 * 100.0)));
        points.push((x, panel.up((i + 1) as f64 / count as f64 * 100.0)));
    }
    points.push((panel.right, panel.up(100.0)));
    scene.line(points, CURVE, sample.color);
    for p in [0.5, 0.95] {
        let value = at(&sample.sorted, p);
        scene.dot(panel.across(value), panel.up(on_curve(sample, value)), 0.7, sample.color);
    }
}

/// Where the curve is at a value, in per cent: a quantile between two values lies beside its own share.
fn on_curve(sample: &Sample, value: f64) -> f64 {
    let until = sample.sorted.partition_point(|one| *one <= value);
    until as f64 / sample.sorted.len() as f64 * 100.0
}

/// Names and values of median and 95th percentile, beside their dots, on the emptier side.
fn quantiles(scene: &mut Scene, panel: &Panel, sample: &Sample, across: Across) {
    // What stands below the curve must not reach the dashed line of the next one.
    let mut below = panel.up(50.0) + 2.6;
    let mut ends = [panel.across(at(&sample.sorted, 0.95)) - 0.6, panel.right].into_iter();
    for (p, name) in [(0.5, "p50"), (0.95, "p95")] {
        let value = at(&sample.sorted, p);
        let (x, y) = (panel.across(value), panel.up(on_curve(sample, value)));
        let label = format!("{name} {}", said(value, std::slice::from_ref(sample), across));
        let width = font::width(&label, SMALL, false);
        scene.dashed((x, y), (x, panel.bottom), HAIR, INK);
        // Right of the curve there is room below it, left of it above.
        let end = ends.next().unwrap_or(panel.right);
        if x + 1.4 + width < end || x - 1.4 - width < panel.left {
            // Both stand below half of the height, which the curve does not reach again.
            scene.text(Text::new(x + 1.4, below, SMALL, label));
            // The first may reach under the second.
            below += if x + 1.4 + width < end { 0.0 } else { 2.8 };
        } else {
            let text = Text::new(x - 1.4, y - 0.4, SMALL, label);
            scene.text(text.anchored(Anchor::End));
        }
    }
}
