//! How long kernels last: few long ones or many short ones, and of which class.
//!
//! Bins of equal ratio of duration (a quarter of a power of ten). Above, the share of kernel time that
//! each bin holds, by class; below, how many kernels.

use super::axis::Axis;
use super::caption::{definition, trace};
use super::figure::{Figure, PlotError};
use super::font;
use super::legend::Flow;
use super::palette::{self, PAPER, Rgb};
use super::panel::{BELOW, Panel, counts_up, from_zero_up};
use super::scene::Scene;
use super::size::{MARGIN, Width};
use crate::attribution::KernelSamples;

/// Bins in a power of ten.
const PER_DECADE: f64 = 4.0;

/// Count and time of one bin.
#[derive(Clone, Default)]
struct Bin {
    count: usize,
    /// By class, ns.
    time: Vec<i64>,
}

/// The spectrum of kernel durations.
///
/// # Errors
/// [`PlotError::Empty`] without kernels.
pub fn durations(samples: &KernelSamples, width: Width, top: usize) -> Result<Figure, PlotError> {
    let lasting = || samples.kernels.iter().filter(|kernel| kernel.duration_ns.as_ns() > 0);
    let place = |ns: i64| ((ns as f64).log10() * PER_DECADE).floor() as i64;
    let places = || lasting().map(|kernel| place(kernel.duration_ns.as_ns()));
    let (Some(first), Some(last)) = (places().min(), places().max()) else {
        return Err(PlotError::Empty("no kernels with a duration".to_owned()));
    };
    let mut bins = vec![Bin::default(); (last - first + 1) as usize];
    let mut totals = vec![0_i64; samples.classes.len()];
    for kernel in lasting() {
        let ns = kernel.duration_ns.as_ns();
        let bin = &mut bins[(place(ns) - first) as usize];
        bin.time.resize(samples.classes.len(), 0);
        bin.time[kernel.class] += ns;
        bin.count += 1;
        totals[kernel.class] += ns;
    }
    let classes = Shown::of(samples, &totals, top);
    let scene = draw(&bins, first, &classes, totals.iter().sum(), width);
    let caption = format!(
        "Durations of the {} kernels of “{}” of {}, in bins of a quarter of a power of ten. Above: share of kernel \
         time in each bin, by class. Below: number of kernels. {}",
        lasting().count(),
        font::printable(&samples.spec),
        trace(Some(&samples.trace)),
        definition("kernels.by_class.share")
    );
    Ok(Figure { title: "Spectrum of kernel durations".to_owned(), caption, scene })
}

/// The classes that get a colour of their own, the largest first; `None` stands for all others.
struct Shown {
    classes: Vec<(Option<usize>, Rgb, String)>,
    own: Vec<bool>,
}

impl Shown {
    fn of(samples: &KernelSamples, totals: &[i64], top: usize) -> Self {
        let mut order: Vec<usize> = (0..totals.len()).filter(|class| totals[*class] > 0).collect();
        order.sort_by_key(|class| (-totals[*class], &samples.classes[*class]));
        let shown = if order.len() == top + 1 { top + 1 } else { top.max(1) };
        let rest = order.split_off(order.len().min(shown));
        let mut own = vec![false; totals.len()];
        order.iter().for_each(|class| own[*class] = true);
        let entry = |class: &usize| {
            let name = &samples.classes[*class];
            (Some(*class), palette::class(name), name.clone())
        };
        let mut classes: Vec<_> = order.iter().map(entry).collect();
        if !rest.is_empty() {
            classes.push((None, palette::OTHER, format!("{} others", rest.len())));
        }
        Self { classes, own }
    }

    fn time(&self, bin: &Bin, class: Option<usize>) -> i64 {
        let of = |class: usize| bin.time.get(class).copied().unwrap_or(0);
        match class {
            Some(class) => of(class),
            None => (0..bin.time.len()).filter(|class| !self.own[*class]).map(of).sum(),
        }
    }
}

fn draw(bins: &[Bin], first: i64, shown: &Shown, total: i64, width: Width) -> Scene {
    let percent = |ns: i64| ns as f64 / total.max(1) as f64 * 100.0;
    let tallest = bins.iter().map(|bin| percent(bin.time.iter().sum())).fold(0.0, f64::max);
    let most = bins.iter().map(|bin| bin.count).max().unwrap_or(1);
    let entries: Vec<(Rgb, String)> =
        shown.classes.iter().map(|(_, color, name)| (*color, name.clone())).collect();
    let legend = Flow::new(&entries, width.mm() - 2.0 * MARGIN);
    let edge = |place: i64| 10_f64.powf(place as f64 / PER_DECADE);
    let x = Axis::log(edge(first), edge(first + bins.len() as i64));
    let top = MARGIN + legend.height() + 1.2;
    let (tall, short) = if width.mm() > 120.0 { (34.0, 18.0) } else { (24.0, 14.0) };
    let area = |top: f64, height: f64, y: Axis| {
        let (left, right) = (MARGIN, width.mm() - MARGIN - 1.5);
        Panel { left, right, top, bottom: top + height, x, y }.with_room_left()
    };
    let mut above = area(top, tall, from_zero_up(tallest, tall));
    let mut below = area(top + tall + 3.0, short, counts_up(most, short));
    above.left = above.left.max(below.left);
    below.left = above.left;
    let mut scene = Scene::new(width.mm(), below.bottom + BELOW + MARGIN);
    legend.draw(&mut scene, MARGIN, MARGIN);
    above.draw_left(&mut scene, "kernel time (%)");
    below.draw_left(&mut scene, "kernels");
    for (i, bin) in bins.iter().enumerate() {
        let place = first + i as i64;
        let (left, right) = (above.across(edge(place)), above.across(edge(place + 1)));
        let mut from = 0.0;
        for (class, color, _) in &shown.classes {
            let to = from + percent(shown.time(bin, *class));
            let (low, high) = (above.up(from), above.up(to));
            scene.rect(left + 0.1, high, right - left - 0.2, low - high, *color);
            if from > 0.0 && low - high > 0.2 {
                scene.line(vec![(left, low), (right, low)], 0.08, PAPER);
            }
            from = to;
        }
        let high = below.up(bin.count as f64);
        scene.rect(left + 0.1, high, right - left - 0.2, below.bottom - high, palette::BUSY);
    }
    above.base(&mut scene);
    below.draw_below(&mut scene, "kernel duration");
    scene
}
