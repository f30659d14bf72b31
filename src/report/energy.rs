//! Energies per window, in sentences and as a table.

use super::summary::Line;
use super::table::{Cell, Table, number, text};
use crate::attribution::energy_document::Energy;
use crate::power::decomposition::Decomposition;
use crate::power::document::EnergySet;
use crate::units::{Millijoules, plain};

/// `228.0 mJ [226.1 mJ, 229.9 mJ]`.
fn with_interval(energy: Option<Millijoules>, ci: Option<[Millijoules; 2]>) -> String {
    match (energy, ci) {
        (None, _) => "–".to_owned(),
        (Some(energy), None) => format!("{energy} (no interval)"),
        (Some(energy), Some([low, high])) => format!("{energy} [{low}, {high}]"),
    }
}

/// The lines about one energy.
pub fn lines(energy: &Energy) -> Vec<Line> {
    let rail = plain(&energy.rail, 60);
    let mut lines = Vec::new();
    match &energy.refused {
        Some(refusal) => {
            let message = format!("{rail}: – refused ({}): {}", refusal.code, refusal.message);
            lines.push(("energy", message));
        }
        None => {
            let mut line = format!(
                "{rail}, per window: total {}, dynamic {} (95 %, statistical)",
                with_interval(energy.total_mj, energy.total_ci95_mj),
                with_interval(energy.dynamic_mj, energy.dynamic_ci95_mj)
            );
            line += &match energy.systematic_mj {
                Some(systematic) => format!(" ± {systematic} (systematic)"),
                None => " · systematic error of this sensor is not known".to_owned(),
            };
            if let Some(power) = energy.mean_power_mw {
                line += &format!(" · mean power {power}");
            }
            line += &format!(
                " · {} windows, estimator {}",
                energy.windows_used,
                energy.estimator.as_deref().unwrap_or("–")
            );
            if let Some(blocks) = energy.blocks {
                line += &format!(" over {blocks} blocks");
            }
            if let Some(duty) = energy.duty {
                line += &format!(", windows fill {duty} of them");
            }
            lines.push(("energy", line));
        }
    }
    let idle = match energy.idle_mw {
        Some(idle) => format!("{idle} ({})", energy.idle_how),
        None => energy.idle_how.clone(),
    };
    lines.push(("idle", idle));
    let alignment = &energy.alignment;
    let mut sensor = format!(
        "{}, {} run · a reading stands for {:.1} · {} readings inside windows",
        energy.source, energy.run, energy.effective_period_ns, energy.samples_inside
    );
    if let Some(coverage) = energy.coverage {
        sensor += &format!(" · coverage {coverage}");
    }
    if let Some(p) = energy.phase_p {
        sensor += &format!(" · phase test p = {p:.2}");
    }
    lines.push(("sensor", sensor));
    let clock = format!("{} ± {:.1}", alignment.method, alignment.sigma_ns);
    lines.push(("clock", clock));
    lines
}

/// The summary of one set of windows.
pub fn summary(set: &EnergySet) -> Vec<Line> {
    let mut line = format!("`{}`: {}", plain(&set.spec, 80), set.count);
    if let Some(mean) = set.mean_ns {
        line += &format!(", mean {mean}");
    }
    if let Some(share) = set.contained_share {
        line += &format!(" · they contain {share} of the GPU work that they launched");
    }
    let mut all = vec![("windows", line)];
    all.extend(set.energy.iter().flat_map(lines));
    all
}

/// How the first two sets differ, when both have an energy on one rail.
pub fn ratio(sets: &[EnergySet]) -> Option<Line> {
    let [a, b, ..] = sets else { return None };
    let of = |set: &EnergySet| {
        let energy = set.energy.first()?;
        Some((energy.dynamic_mj.or(energy.total_mj)?, set.mean_ns?, energy.rail.clone()))
    };
    let ((energy_a, mean_a, rail_a), (energy_b, mean_b, rail_b)) = (of(a)?, of(b)?);
    let parts = Decomposition::of((energy_a, mean_a), (energy_b, mean_b))?;
    (rail_a == rail_b).then(|| {
        let line = format!(
            "`{}` over `{}`: energy {:.3} = latency {:.3} × power {:.3}",
            plain(&a.spec, 40),
            plain(&b.spec, 40),
            parts.energy_ratio,
            parts.latency_ratio,
            parts.power_ratio
        );
        ("ratio", line)
    })
}

/// Energies as a table; a refused one has dashes.
pub fn table(energies: &[Energy]) -> Table {
    let columns = vec![
        text("rail", "rail"),
        text("estimator", "estimator"),
        number("windows", "windows"),
        number("total", "total_mj"),
        number("low", "total_low_mj"),
        number("high", "total_high_mj"),
        number("dynamic", "dynamic_mj"),
        number("low", "dynamic_low_mj"),
        number("high", "dynamic_high_mj"),
        number("± syst", "systematic_mj"),
        number("power", "mean_power_mw"),
        number("idle", "idle_mw"),
        number("coverage", "coverage_pct"),
        text("refused", "refused"),
    ];
    let row = |energy: &Energy| {
        let low = |ci: Option<[Millijoules; 2]>| Cell::from(ci.map(|ci| ci[0]));
        let high = |ci: Option<[Millijoules; 2]>| Cell::from(ci.map(|ci| ci[1]));
        vec![
            Cell::from(energy.rail.as_str()),
            energy.estimator.as_deref().map_or(Cell::Missing, Cell::from),
            Cell::Count(energy.windows_used as u64),
            energy.total_mj.into(),
            low(energy.total_ci95_mj),
            high(energy.total_ci95_mj),
            energy.dynamic_mj.into(),
            low(energy.dynamic_ci95_mj),
            high(energy.dynamic_ci95_mj),
            energy.systematic_mj.into(),
            energy.mean_power_mw.into(),
            energy.idle_mw.into(),
            energy.coverage.into(),
            energy.refused.as_ref().map_or(Cell::Missing, |why| Cell::from(why.code.as_str())),
        ]
    };
    Table {
        name: "energy",
        title: "Energy per window".to_owned(),
        columns,
        rows: energies.iter().map(row).collect(),
        note: None,
    }
}
