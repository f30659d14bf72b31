//! Groups of analyses as points of latency and energy, with the intervals that their units allow.

use anyhow::{Result, bail};

use crate::plots::{Group, trade};
use crate::stats;
use crate::units::Millijoules;

/// One point for each group with an energy; also the name of the energy axis, and the caption.
///
/// # Errors
/// When no group has an energy, with the reason of each.
pub(in crate::cli) fn points(groups: &[Group]) -> Result<(Vec<trade::Point>, String, String)> {
    let mut points = Vec::new();
    let mut refused = Vec::new();
    for group in groups {
        match trade::Point::of(group) {
            Ok(point) => points.push(with_intervals(point, group)),
            Err(why) => refused.push(format!("{}: {why}", group.name)),
        }
    }
    if points.is_empty() {
        bail!("no input has an energy per window: {}{}", refused.join("; "), remedy(groups));
    }
    for why in &refused {
        eprintln!("nsys-attrib: left out: {why}");
    }
    let (axis, caption) = trade::words(groups);
    Ok((points, axis, caption))
}

/// What to do where the sensors were too slow for the windows: the usual reason.
fn remedy(groups: &[Group]) -> &'static str {
    let energies = groups.iter().flat_map(|group| &group.analyses).flat_map(|one| &one.energy);
    let mut refusals = energies.flatten().filter_map(|energy| energy.refused.as_ref());
    if refusals.any(|refused| refused.code == "sensor-too-slow") {
        ".\nNo figure can be drawn of energies that the log does not hold. Record many requests in a row, so that whole \
         stretches of them can be measured and divided, or read a faster sensor; `nsys-attrib energy` shows the evidence"
    } else {
        ""
    }
}

/// Intervals over traces where a group has several, else over the windows of its one trace.
fn with_intervals(mut point: trade::Point, group: &Group) -> trade::Point {
    let ends = |found: Option<stats::Estimated>| found?.ci95.map(|[low, high]| (low, high));
    if let [only] = group.analyses.as_slice() {
        let instances = only.windows.instances.iter();
        let lengths: Vec<f64> =
            instances.map(|one| (one.end_ns - one.start_ns).as_ns() as f64).collect();
        point.latency_ci = ends(stats::block_mean(&lengths));
        return point;
    }
    let means = group.analyses.iter().filter_map(|one| one.windows.mean_ns);
    let means: Vec<f64> = means.map(|mean| mean.as_ns() as f64).collect();
    let energies = group.analyses.iter().filter_map(|one| one.energy.as_ref()?.first()?.total_mj);
    let energies: Vec<f64> = energies.map(Millijoules::as_mj).collect();
    point.latency_ci = ends(stats::centre(&means));
    point.energy_ci = ends(stats::centre(&energies));
    point
}
