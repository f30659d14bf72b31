//! Energies per window, in sentences and as a table.

use super::line::Line;
use super::table::{Cell, Table, number, text};
use crate::attribution::energy_document::{Alignment, Energy};
use crate::power::decomposition::Decomposition;
use crate::power::document::EnergySet;
use crate::units::{Millijoules, Nanos, plain, signed};

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
    let idle = match energy.idle_mw {
        Some(idle) => format!("{idle} ({})", energy.idle_how),
        None => energy.idle_how.clone(),
    };
    vec![
        ("energy", figures(energy)),
        ("idle", idle),
        ("sensor", sensor(energy)),
        ("clock", clock(&energy.alignment)),
    ]
}

/// What a window costs, or why that is not said.
fn figures(energy: &Energy) -> String {
    let rail = plain(&energy.rail, 60);
    if let Some(refusal) = &energy.refused {
        return format!("{rail}: – refused ({}): {}", refusal.code, refusal.message);
    }
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
    line
}

fn sensor(energy: &Energy) -> String {
    let mut line = format!(
        "{}, {} run · a reading stands for {:.1} · {} readings inside windows",
        energy.source, energy.run, energy.effective_period_ns, energy.samples_inside
    );
    if let Some(coverage) = energy.coverage {
        line += &format!(" · coverage {coverage}");
    }
    if let Some(p) = energy.phase_p {
        line += &format!(" · phase test p = {p:.2}");
    }
    line
}

fn clock(alignment: &Alignment) -> String {
    let mut line = format!("{} ± {:.1} (standard deviation)", alignment.method, alignment.sigma_ns);
    if alignment.offset_ns != Nanos::ZERO {
        line += &format!(" · {} ms added", signed(alignment.offset_ns.as_ms_f64(), 3));
    }
    if let Some(drift) = alignment.drift_ppm {
        line += &match alignment.drift_sigma_ppm {
            Some(sigma) => {
                format!(" · drift {} ± {sigma:.1} ppm (standard deviation)", signed(drift, 1))
            }
            None => format!(" · drift {} ppm", signed(drift, 1)),
        };
    }
    if let (Some(lag), Some(r)) = (alignment.lag_ns, alignment.r_max) {
        line += &format!(" · power follows work by {lag:.1} (r = {r:.2})");
    }
    line
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
        ("ratio", format!("`{}` over `{}`: {parts}", plain(&a.spec, 40), plain(&b.spec, 40)))
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

/// Two variants taken apart, in sentences.
pub fn decomposition(parts: &Decomposition) -> Vec<Line> {
    let mut ratio = parts.to_string();
    if let Some(latency) = parts.latency_part {
        let percent = latency * 100.0;
        ratio += &format!(
            " · of the difference {percent:.1} % is latency, {:.1} % power (on logarithms)",
            100.0 - percent
        );
    }
    vec![
        ("energy", format!("{} over {}", parts.energy_a, parts.energy_b)),
        ("latency", format!("{} over {}", parts.latency_a, parts.latency_b)),
        ("power", format!("{:.3} over {:.3}", parts.power_a, parts.power_b)),
        ("ratio", ratio),
    ]
}

/// The same as a table.
pub fn parts(parts: &Decomposition) -> Table {
    let columns = vec![
        text("of", "of"),
        number("energy", "energy_mj"),
        number("latency", "latency_ns"),
        number("power", "power_mw"),
    ];
    let side = |name: &str, energy: Millijoules, latency: Nanos, power| {
        vec![Cell::from(name), Some(energy).into(), Some(latency).into(), Some(power).into()]
    };
    let rows = vec![
        side("first", parts.energy_a, parts.latency_a, parts.power_a),
        side("second", parts.energy_b, parts.latency_b, parts.power_b),
    ];
    Table {
        name: "decomposition",
        title: "Energy = latency × power".to_owned(),
        columns,
        rows,
        note: Some(parts.to_string()),
    }
}
