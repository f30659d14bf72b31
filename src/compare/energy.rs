//! Does it cost more energy because it runs longer, or because it draws more?
//!
//! Energy per window is latency times mean power, so that an energy ratio is a latency ratio times a
//! power ratio ([`Decomposition`]). With several traces a side the ratios are of geometric means, which
//! divide just as exactly. With one trace a side the interval of the energy ratio joins the two energies'
//! own intervals on logarithms; that of the power ratio adds the latency's.

use std::collections::BTreeSet;

use super::document::{EnergyChange, Estimate, Quantity, Unit};
use super::measures::{length, ns, quantity};
use super::samples::{Samples, Setting};
use crate::attribution::Analysis;
use crate::attribution::energy_document::Energy;
use crate::power::decomposition::Decomposition;
use crate::stats::mean;
use crate::units::{Millijoules, Nanos};

/// Quantile of the normal distribution that the energies' intervals rest on.
const Z: f64 = 1.959_964;

/// An energy and its 95 % interval.
type WithInterval = (Millijoules, Option<[Millijoules; 2]>);

/// Which energy.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    of: fn(&Energy) -> Option<WithInterval>,
}

const KINDS: [Kind; 2] = [
    Kind { name: "total", of: |energy| Some((energy.total_mj?, energy.total_ci95_mj)) },
    Kind { name: "dynamic", of: |energy| Some((energy.dynamic_mj?, energy.dynamic_ci95_mj)) },
];

/// Energy and mean window length of one unit.
struct Cost {
    energy: Millijoules,
    ci95: Option<[Millijoules; 2]>,
    latency: Nanos,
}

/// What changed on every rail that all analyses have; `energy` and `power` join the quantities.
pub(super) fn changes(
    a: &[Analysis],
    b: &[Analysis],
    setting: Setting,
    quantities: &mut Vec<Quantity>,
) -> Vec<EnergyChange> {
    let mut found = Vec::new();
    for rail in common_rails(a, b) {
        for kind in KINDS {
            let (Some(of_a), Some(of_b)) = (costs(a, &rail, kind), costs(b, &rail, kind)) else {
                continue;
            };
            if found.is_empty() || kind.name == "dynamic" && found.len() == 1 {
                named(kind, &of_a, &of_b, setting, quantities);
            }
            found.extend(change(&rail, kind, (a, &of_a), (b, &of_b), setting));
        }
    }
    // With one unit a side the energies' own intervals are all there is.
    if setting.unit == Unit::Windows {
        for change in &found {
            if let Some(energy) =
                quantities.iter_mut().find(|q| q.name == energy_name(&change.kind))
            {
                energy.ratio = Some(change.energy_ratio.clone());
            }
            if let Some(power) = quantities.iter_mut().find(|q| q.name == power_name(&change.kind))
            {
                power.ratio = Some(change.power_ratio.clone());
            }
        }
    }
    found
}

fn energy_name(kind: &str) -> String {
    if kind == "total" { "energy".to_owned() } else { format!("energy({kind})") }
}

fn power_name(kind: &str) -> String {
    if kind == "total" { "power".to_owned() } else { format!("power({kind})") }
}

fn common_rails(a: &[Analysis], b: &[Analysis]) -> Vec<String> {
    let rails = |analysis: &Analysis| -> BTreeSet<String> {
        let energies = analysis.energy.iter().flatten();
        energies.filter(|energy| energy.refused.is_none()).map(|e| e.rail.clone()).collect()
    };
    let mut all = a.iter().chain(b).map(rails);
    let first = all.next().unwrap_or_default();
    let common = all.fold(first, |common, rails| common.intersection(&rails).cloned().collect());
    common.into_iter().collect()
}

fn costs(side: &[Analysis], rail: &str, kind: Kind) -> Option<Vec<Cost>> {
    side.iter()
        .map(|analysis| {
            let mut energies = analysis.energy.iter().flatten();
            let energy = energies.find(|e| e.rail == rail && e.refused.is_none())?;
            let ((mj, ci95), latency) = ((kind.of)(energy)?, analysis.windows.mean_ns?);
            (mj.as_mj() > 0.0 && latency > Nanos::ZERO).then_some(Cost {
                energy: mj,
                ci95,
                latency,
            })
        })
        .collect()
}

/// Energy and power as quantities that a limit can be held against.
fn named(kind: Kind, a: &[Cost], b: &[Cost], setting: Setting, quantities: &mut Vec<Quantity>) {
    // One unit a side has no spread of its own; the interval comes from the energies.
    let setting = Setting { unit: Unit::Traces, ..setting };
    let of = |value: fn(&Cost) -> Option<f64>| -> Option<Samples> {
        let side = |costs: &[Cost]| costs.iter().map(value).collect::<Option<Vec<f64>>>();
        Some(Samples { a: side(a)?, b: side(b)? })
    };
    let energy = of(|cost| Some(cost.energy.as_mj()));
    let power = of(|cost| Some(cost.energy.per(cost.latency)?.as_mw()));
    quantities.push(quantity(&energy_name(kind.name), "mj", energy.as_ref(), true, setting));
    quantities.push(quantity(&power_name(kind.name), "mw", power.as_ref(), true, setting));
}

fn change(
    rail: &str,
    kind: Kind,
    (of_a, a): (&[Analysis], &[Cost]),
    (of_b, b): (&[Analysis], &[Cost]),
    setting: Setting,
) -> Option<EnergyChange> {
    let centre = |costs: &[Cost]| -> Option<(Millijoules, Nanos)> {
        if let [one] = costs {
            return Some((one.energy, one.latency));
        }
        let energies: Vec<f64> = costs.iter().map(|cost| cost.energy.as_mj()).collect();
        let latencies: Vec<f64> = costs.iter().map(|cost| ns(cost.latency)).collect();
        Some((
            Millijoules::from_mj(mean(&energies)?),
            Nanos::from_ns(mean(&latencies)?.round() as i64),
        ))
    };
    let (middle_a, middle_b) = (centre(a)?, centre(b)?);
    // B over A: the first of a decomposition is the numerator.
    let parts = Decomposition::of(middle_b, middle_a)?;
    let (energy_ratio, latency_ratio, power_ratio) = if setting.unit == Unit::Windows {
        one_trace(&parts, (&of_a[0], &a[0]), (&of_b[0], &b[0]), setting)?
    } else {
        let ratio = |value: fn(&Cost) -> Option<f64>| -> Option<Estimate> {
            let side = |costs: &[Cost]| costs.iter().map(value).collect::<Option<Vec<f64>>>();
            Some(Samples { a: side(a)?, b: side(b)? }.ratio(setting)?.into())
        };
        (
            ratio(|cost| Some(cost.energy.as_mj()))?,
            ratio(|cost| Some(ns(cost.latency)))?,
            ratio(|cost| Some(cost.energy.per(cost.latency)?.as_mw()))?,
        )
    };
    Some(EnergyChange {
        rail: rail.to_owned(),
        kind: kind.name.to_owned(),
        a_mj: middle_a.0.as_mj(),
        b_mj: middle_b.0.as_mj(),
        a_mw: parts.power_b.as_mw(),
        b_mw: parts.power_a.as_mw(),
        energy_ratio,
        latency_ratio,
        power_ratio,
    })
}

/// The three ratios of one trace a side, from the intervals of the energies and of the windows.
fn one_trace(
    parts: &Decomposition,
    (of_a, a): (&Analysis, &Cost),
    (of_b, b): (&Analysis, &Cost),
    setting: Setting,
) -> Option<(Estimate, Estimate, Estimate)> {
    // Relative standard error of an energy, from its interval.
    let error = |cost: &Cost| -> Option<f64> {
        let [low, high] = cost.ci95?;
        Some((high.as_mj() - low.as_mj()) / (2.0 * Z) / cost.energy.as_mj())
    };
    let of_energy = error(a).zip(error(b)).map(|(a, b)| a.hypot(b));
    let windows = |analysis: &Analysis| -> Option<Vec<f64>> {
        super::samples::values(std::slice::from_ref(analysis), Unit::Windows, &|w| (length(w), 1.0))
    };
    let latency = Samples { a: windows(of_a)?, b: windows(of_b)? }.ratio(setting)?;
    let of_latency = latency.ci95.map(|[low, high]| (high / low).ln() / (2.0 * Z));
    let estimate = |value: f64, error: Option<f64>, method: &str| Estimate {
        value,
        ci95: error.map(|error| [value * (-Z * error).exp(), value * (Z * error).exp()]),
        method: method.to_owned(),
        also: Vec::new(),
    };
    let of_power = of_energy.zip(of_latency).map(|(energy, latency)| energy.hypot(latency));
    Some((
        estimate(
            parts.energy_ratio,
            of_energy,
            "intervals of the two energies, joined on logarithms",
        ),
        Estimate { value: parts.latency_ratio, ..latency.into() },
        estimate(
            parts.power_ratio,
            of_power,
            "intervals of the two energies and latencies, joined on logarithms",
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_figures_divide_into_latency_and_power() {
        // 3.826 W and 3.397 W over windows 1.120 times as long: 1.262 = 1.120 × 1.126.
        let of = |ms: f64, watts: f64| {
            let latency = Nanos::from_ns((ms * 1e6).round() as i64);
            (Millijoules::from_mj(ms * watts), latency)
        };
        let parts = Decomposition::of(of(59.584, 3.826), of(53.2, 3.397)).unwrap();
        assert_eq!(format!("{:.3}", parts.latency_ratio), "1.120");
        assert_eq!(format!("{:.3}", parts.power_ratio), "1.126");
        assert_eq!(format!("{:.3}", parts.energy_ratio), "1.261");
    }
}
