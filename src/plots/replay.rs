//! What would change a window, as a tornado; and its critical path, for the [`super::timeline`].
//!
//! A change that was tried twice (`launch-cost x0` and `x0.5`) is one bar: the half of it dark, the whole pale.
//! Changes that gain nothing are named in the caption only.

use std::collections::BTreeMap;

use super::figure::{Figure, PlotError};
use super::palette::{ACCENT, BUSY};
use super::ranges::{self, Swing, Words};
use super::size::Width;
use super::timeline::{Lane, Step};
use crate::attribution::Lanes;
use crate::replay::document::{Gain, Replay};
use crate::units::{Span, signed};

/// A gain below this part of the window is none.
const NOTHING: f64 = 0.001;

/// Mean length of a window under every standard change.
///
/// # Errors
/// [`PlotError::Empty`] where the replay was refused, or nothing changes anything.
pub fn tornado(replay: &Replay, width: Width) -> Result<Figure, PlotError> {
    let Some(baseline) = &replay.baseline else {
        let why =
            replay.refused.as_ref().map_or("no window was replayed", |refused| &refused.message);
        return Err(PlotError::Empty(why.to_owned()));
    };
    let base = baseline.lengths.mean_ns.as_ms_f64();
    let mut by_subject: BTreeMap<(String, String), Vec<(String, &Gain)>> = BTreeMap::new();
    let mut nothing = Vec::new();
    for gain in &replay.sensitivity {
        if gain.gain.abs() < NOTHING {
            nothing.push(gain.change.clone());
            continue;
        }
        let (subject, level) = split(&gain.change);
        by_subject.entry((subject.clone(), direction(&level))).or_default().push((level, gain));
    }
    let rows: Vec<Swing> = by_subject
        .into_iter()
        .map(|((subject, _), mut levels)| {
            levels.sort_by_key(|level| level.1.mean_ns);
            let ms = |gain: &Gain| gain.mean_ns.as_ms_f64();
            let (deep, mild) = (&levels[0], &levels[levels.len() - 1]);
            // The dark part of a bar reaches to its high end: that is where the only outcome belongs.
            let (low, high) = if levels.len() > 1 {
                ((ms(deep.1), deep.0.clone()), (ms(mild.1), mild.0.clone()))
            } else {
                let with = if deep.0.is_empty() { "with".to_owned() } else { deep.0.clone() };
                ((base, "as it is".to_owned()), (ms(deep.1), with))
            };
            let color = if subject.starts_with("spikes") { ACCENT } else { BUSY };
            Swing { name: subject, low, high, color }
        })
        .collect();
    let fit = replay.identity.as_ref();
    let mut caption = format!(
        "Predicted mean length of {} windows `{}` under one change at a time, by replay; the line is the unchanged replay \
         ({base:.3} ms, error {} %, {:.0} % of the wall recomputed).",
        baseline.lengths.count,
        replay.spec,
        signed(fit.map_or(0.0, |fit| 100.0 * fit.error_total), 2),
        fit.map_or(0.0, |fit| 100.0 * fit.recomputed_share),
    );
    if !nothing.is_empty() {
        caption += &format!(" Without effect (below 0.1 %): {}.", nothing.join(", "));
    }
    let words = Words {
        title: "What would change the window".to_owned(),
        axis: "mean length of a window (ms)".to_owned(),
        caption,
        arrows: false,
    };
    ranges::tornado(&rows, base, &words, width)
}

/// `launch-cost x0.5` is (`launch-cost`, `x0.5`); a change without a number stands for itself.
fn split(change: &str) -> (String, String) {
    match change.rsplit_once(' ') {
        Some((subject, level)) if level.trim_start_matches('x').parse::<f64>().is_ok() => {
            (subject.to_owned(), level.to_owned())
        }
        _ => (change.to_owned(), String::new()),
    }
}

/// Whether a factor makes something smaller or larger: both make no one bar.
fn direction(level: &str) -> String {
    let factor: f64 = level.trim_start_matches('x').parse().unwrap_or(0.0);
    if factor > 1.0 { "up".to_owned() } else { "down".to_owned() }
}

/// The critical path of the first replayed window, as steps on the lanes of that window.
pub fn critical_path(replay: &Replay, lanes: &Lanes) -> Vec<Step> {
    let Some(start) = replay.first_start_ns else { return Vec::new() };
    replay
        .path_of_first
        .iter()
        .filter_map(|stretch| {
            let lane = match (stretch.thread, stretch.stream) {
                (_, Some(stream)) => {
                    Lane::Stream(lanes.streams.iter().position(|lane| lane.stream == stream)?)
                }
                (Some(thread), None) => {
                    Lane::Thread(lanes.threads.iter().position(|lane| lane.thread == Some(thread))?)
                }
                (None, None) => return None,
            };
            let at = |ns: crate::units::Nanos| start.as_ns() + ns.as_ns();
            Some(Step { lane, span: Span::from_ns(at(stretch.from_ns), at(stretch.to_ns)) })
        })
        .collect()
}
