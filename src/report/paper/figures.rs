//! The figures of a report, from the room that draws them: all analyses side by side, what a
//! comparison moved, the events of one window.

use super::model::Figure;
use crate::attribution::{Analysis, Lanes};
use crate::compare::Comparison;
use crate::plots::palette;
use crate::plots::ranges::{Estimate, Words, forest};
use crate::plots::replay::tornado;
use crate::plots::timeline::{View, timeline};
use crate::plots::{
    self, Group, PlotError, SvgFont, Width, distribution, power_trace, shares, trade, waterfall,
};
use crate::replay::document::Replay;
use crate::units::plain;

/// Width of a figure in a column of the page, mm.
const PAGE_MM: f64 = 112.0;
/// Parts of a bar that are named; the rest is one remainder.
const PARTS: usize = 10;
/// Rows of a forest plot.
const ROWS: usize = 16;

/// What went where, for all analyses side by side. A figure that has nothing to show is left out.
///
/// # Errors
/// When a figure cannot be drawn.
pub fn of_analyses(analyses: &[Analysis]) -> Result<Vec<Figure>, PlotError> {
    if analyses.is_empty() {
        return Ok(Vec::new());
    }
    let groups = Group::each(analyses.to_vec());
    let drawn = [
        ready("idle", "", |width| waterfall::idle(&groups, width))?,
        ready("api", "", |width| shares::api(&groups, width, PARTS))?,
        ready("classes", "", |width| shares::classes(&groups, width, PARTS))?,
        ready("latency", "", |width| distribution::latency(&groups, width))?,
    ];
    Ok(drawn.into_iter().flatten().collect())
}

/// The relative changes of a comparison with their intervals.
///
/// # Errors
/// When the figure cannot be drawn.
pub fn of_comparison(comparison: &Comparison, section: &str) -> Result<Vec<Figure>, PlotError> {
    let percent = |ratio: f64| (ratio - 1.0) * 100.0;
    let mut rows: Vec<Estimate> = comparison
        .quantities
        .iter()
        .filter_map(|quantity| Some((quantity, quantity.ratio.as_ref()?)))
        .filter(|(_, ratio)| ratio.value.is_finite())
        .map(|(quantity, ratio)| Estimate {
            name: plain(&quantity.name, 60),
            value: percent(ratio.value),
            interval: ratio.ci95.map(|[low, high]| (percent(low), percent(high))),
            color: palette::group(usize::from(quantity.name != "latency")),
            headline: quantity.name == "latency",
        })
        .collect();
    let all = rows.len();
    rows.truncate(ROWS);
    let which = match all - rows.len() {
        0 => "each quantity".to_owned(),
        more => format!("the first {ROWS} quantities ({more} more in the tables)"),
    };
    let words = Words {
        title: "Relative change of B against A".to_owned(),
        axis: "change (%)".to_owned(),
        caption: format!(
            "Relative change of {which} per window, with its 95 % interval; A is the base. Each interval stands alone."
        ),
        arrows: true,
    };
    Ok(ready("change", section, |width| forest(&rows, 0.0, &words, width))?.into_iter().collect())
}

/// The events of one window.
///
/// # Errors
/// When the figure cannot be drawn.
pub fn of_lanes(lanes: &Lanes, section: &str) -> Result<Option<Figure>, PlotError> {
    ready("timeline", section, |width| timeline(lanes, &View::default(), width))
}

/// Latency against energy, one point for each analysis.
///
/// # Errors
/// When the figure cannot be drawn.
pub fn of_energies(
    points: &[trade::Point],
    axis: &str,
    caption: &str,
) -> Result<Option<Figure>, PlotError> {
    ready("energy", "", |width| trade::latency_energy(points, axis, caption, width))
}

/// Power over time beside the windows.
///
/// # Errors
/// When the figure cannot be drawn.
pub fn of_power(
    shown: &power_trace::Shown<'_>,
    section: &str,
) -> Result<Option<Figure>, PlotError> {
    ready("power", section, |width| power_trace::power(shown, width))
}

/// What standard changes would do to the mean window.
///
/// # Errors
/// When the figure cannot be drawn.
pub fn of_replay(document: &Replay, section: &str) -> Result<Option<Figure>, PlotError> {
    ready("what-if", section, |width| tornado(document, width))
}

/// The letters of the figures, for a page that carries them once.
pub(super) fn font_face() -> String {
    plots::font_face(true)
}

/// Draws a figure twice: as wide as the text of a paper, and so that it can be read in a column of the
/// page. One that has nothing to show is left out.
///
/// # Errors
/// When it cannot be drawn.
pub fn ready(
    name: &str,
    section: &str,
    draw: impl Fn(Width) -> Result<plots::Figure, PlotError>,
) -> Result<Option<Figure>, PlotError> {
    let (drawn, on_page) = match (draw(Width::Text), draw(Width::Mm(PAGE_MM))) {
        (Ok(drawn), Ok(on_page)) => (drawn, on_page),
        (Err(PlotError::Empty(_)), _) | (_, Err(PlotError::Empty(_))) => return Ok(None),
        (Err(other), _) | (_, Err(other)) => return Err(other),
    };
    let path = if section.is_empty() { name.to_owned() } else { format!("{section}-{name}") };
    Ok(Some(Figure {
        name: name.to_owned(),
        title: drawn.title.clone(),
        caption: drawn.caption.clone(),
        svg: on_page.svg(SvgFont::Named)?,
        file: drawn.svg(SvgFont::Carried)?,
        pdf: drawn.pdf(),
        path: format!("figures/{path}"),
    }))
}

/// The colour of a part of the wall time, as in the figures.
pub(super) fn part_color(name: &str) -> String {
    use crate::attribution::Cause;
    match name {
        "busy" => palette::BUSY,
        "head" => palette::HEAD,
        "tail" => palette::TAIL,
        "dispatch" => palette::idle(Cause::Host, true),
        other => {
            let cause = Cause::ALL.into_iter().find(|cause| cause.name() == other);
            cause.map_or(palette::OTHER, |cause| palette::idle(cause, false))
        }
    }
    .hex()
}
