//! What explains the difference of the mean window length? Parts that add up to it exactly.
//!
//! ```text
//!   wall = GPU busy (by class, or by kernel)  + idle: none head tail launch queue api sync host unknown
//!   wall = API calls (by function, self time) + the time beside them
//! ```
//! Both hold in every window, to the nanosecond. A side's mean is taken over its units (means of traces
//! where there are several) and rounded to whole ns by the largest remainder, so that the parts add up
//! to the rounded mean and the differences to its difference; each is within 1 ns of the exact value.
//! Rounding is done from the outside in, once for each number: the whole, then busy and idle time by cause,
//! then the parts of busy time. So a number reads the same in every division, and `same_numbers` carries it
//! to the quantity of that name.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{By, Decomposition, Part, PartOf, Quantity};
use super::kernel_match::{KernelTime, match_kernels};
use super::measures::{IDLE, length, ns, whole};
use super::samples::{Samples, Setting, instances};
use crate::attribution::Analysis;
use crate::attribution::document::Instance;
use crate::stats::{Pairing, mean};
use crate::units::Nanos;

const BY_IDLE: &str = "wall = GPU busy + idle by cause, in every window";
const BY_CLASS: &str = "wall = GPU busy + idle by cause; a busy instant belongs to the class of the running operation that started first";
const BY_KERNEL: &str = "wall = GPU busy + idle by cause; a busy instant belongs to the running operation that started first; kernels matched across the sides";
const BY_API: &str = "wall = self time of API calls + the time beside them (below zero when calls of several threads run at once)";

/// Every division that the analyses allow.
pub(super) fn decompositions(
    a: &[Analysis],
    b: &[Analysis],
    setting: Setting,
) -> Vec<Decomposition> {
    let both = |has: fn(&Analysis) -> bool| a.iter().chain(b).all(has);
    let mut found = Vec::new();
    if both(|analysis| analysis.gpu.is_some()) {
        let outer = windowed(a, b, setting, (By::Idle, BY_IDLE), &[], None);
        if both(busy_is_divided) {
            let classes: Vec<String> = busy_classes(a, b).into_iter().collect();
            found.push(windowed(a, b, setting, (By::Class, BY_CLASS), &classes, Some(&outer)));
        }
        if both(busy_is_named) {
            found.push(by_kernel(a, b, setting, &outer));
        }
        found.insert(0, outer);
    }
    if both(|analysis| analysis.api.is_some()) {
        found.push(by_api(a, b, setting));
    }
    found
}

/// The quantities that are also parts of the window get the rounded numbers of the parts.
pub(super) fn same_numbers(quantities: &mut [Quantity], found: &[Decomposition]) {
    let Some(outer) = found.iter().find(|division| division.by == By::Idle) else { return };
    let busy = outer.part(PartOf::Gpu, "busy").unwrap_or_default();
    let put = |quantities: &mut [Quantity], name: &str, [a, b]: [Nanos; 2]| {
        if let Some(quantity) = quantities.iter_mut().find(|quantity| quantity.name == name) {
            (quantity.a, quantity.b) = (Some(ns(a)), Some(ns(b)));
            if let Some(difference) = quantity.difference.as_mut() {
                difference.value = ns(b - a);
            }
        }
    };
    put(quantities, "busy", busy);
    put(quantities, "idle", [outer.a_ns - busy[0], outer.b_ns - busy[1]]);
    for (kind, _) in IDLE {
        let part = outer.part(PartOf::Idle, kind).unwrap_or_default();
        put(quantities, &format!("idle({kind})"), part);
        if kind == "host" {
            // A part of it, which must not exceed it by rounding.
            let rounded = quantities.iter().find(|quantity| quantity.name == "idle(dispatch)");
            let rounded = rounded.and_then(|quantity| Some([quantity.a?, quantity.b?]));
            let Some([a, b]) = rounded else { continue };
            let least = |of: f64, host: Nanos| Nanos::from_ns(of.round() as i64).min(host);
            put(quantities, "idle(dispatch)", [least(a, part[0]), least(b, part[1])]);
        }
    }
}

impl Decomposition {
    /// A part's times on both sides; parts that neither side has are not there.
    fn part(&self, of: PartOf, name: &str) -> Option<[Nanos; 2]> {
        let part = self.parts.iter().find(|part| part.of == of && part.name == name)?;
        Some([part.a_ns, part.b_ns])
    }
}

/// Whether the analysis divides its busy time by class; older documents do not.
pub(super) fn busy_is_divided(analysis: &Analysis) -> bool {
    analysis
        .windows
        .instances
        .iter()
        .all(|window| window.busy_class_ns.values().copied().sum::<Nanos>() == window.busy_ns)
}

fn busy_is_named(analysis: &Analysis) -> bool {
    analysis.gpu.as_ref().is_some_and(|gpu| {
        gpu.by_name.iter().map(|name| name.busy_ns).sum::<Nanos>() == gpu.busy_ns
    })
}

fn busy_classes(a: &[Analysis], b: &[Analysis]) -> BTreeSet<String> {
    let windows = a.iter().chain(b).flat_map(|analysis| &analysis.windows.instances);
    windows.flat_map(|window| window.busy_class_ns.keys().cloned()).collect()
}

/// A part before rounding.
struct Raw {
    part: Part,
    samples: Samples,
}

fn part(of: PartOf, name: &str) -> Part {
    Part {
        of,
        name: name.to_owned(),
        name_b: None,
        matched: None,
        class: None,
        a_ns: Nanos::ZERO,
        b_ns: Nanos::ZERO,
        delta_ns: Nanos::ZERO,
        delta_ci95_ns: None,
        of_delta: None,
    }
}

/// Parts that every window has: busy time (whole without `classes`) and idle time by cause.
fn windowed(
    a: &[Analysis],
    b: &[Analysis],
    setting: Setting,
    by: (By, &str),
    classes: &[String],
    outer: Option<&Decomposition>,
) -> Decomposition {
    let mut parts = Vec::new();
    let mut add = |of: PartOf, name: &str, pick: &dyn Fn(&Instance) -> f64| {
        if let Some(samples) = Samples::of(a, b, setting.unit, &|w| (pick(w), 1.0)) {
            parts.push(Raw { part: part(of, name), samples });
        }
    };
    if classes.is_empty() {
        add(PartOf::Gpu, "busy", &|w| ns(w.busy_ns));
    }
    for class in classes {
        let busy = |w: &Instance| w.busy_class_ns.get(class).map_or(0.0, |time| ns(*time));
        add(PartOf::Gpu, class, &busy);
    }
    for (name, pick) in IDLE {
        add(PartOf::Idle, name, &|w| ns(pick(&w.idle)));
    }
    finish(a, b, setting, by, parts, outer)
}

/// The mean over a trace's windows of a total.
fn per_window(analysis: &Analysis, total: Nanos) -> f64 {
    ns(total) / instances(analysis).count() as f64
}

fn by_kernel(
    a: &[Analysis],
    b: &[Analysis],
    setting: Setting,
    outer: &Decomposition,
) -> Decomposition {
    let side = |side: &[Analysis]| {
        let mut names: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
        for (unit, analysis) in side.iter().enumerate() {
            for name in analysis.gpu.iter().flat_map(|gpu| &gpu.by_name) {
                let key = (name.name.clone(), name.class.clone());
                let units = names.entry(key).or_insert_with(|| vec![0.0; side.len()]);
                units[unit] += per_window(analysis, name.busy_ns);
            }
        }
        let kernel = |((name, class), units)| KernelTime { name, class, units };
        names.into_iter().map(kernel).collect::<Vec<KernelTime>>()
    };
    let mut parts: Vec<Raw> = match_kernels(side(a), side(b), (a.len(), b.len()))
        .into_iter()
        .map(|found| {
            let mut part = part(PartOf::Gpu, &found.name);
            part.name_b = found.name_b;
            part.matched = found.matched;
            part.class = Some(found.class);
            Raw { part, samples: Samples { a: found.a, b: found.b } }
        })
        .collect();
    for (name, pick) in IDLE {
        let units = |side: &[Analysis]| -> Vec<f64> {
            let total = |a: &Analysis| a.idle.as_ref().map(pick).unwrap_or_default();
            side.iter().map(|analysis| per_window(analysis, total(analysis))).collect()
        };
        let samples = Samples { a: units(a), b: units(b) };
        parts.push(Raw { part: part(PartOf::Idle, name), samples });
    }
    finish(a, b, setting, (By::Kernel, BY_KERNEL), parts, Some(outer))
}

fn by_api(a: &[Analysis], b: &[Analysis], setting: Setting) -> Decomposition {
    let functions = |analysis: &Analysis| -> BTreeMap<String, Nanos> {
        let all = analysis.api.iter().flat_map(|api| &api.by_name);
        all.map(|function| (function.name.clone(), function.self_ns.unwrap_or_default())).collect()
    };
    let names: BTreeSet<String> =
        a.iter().chain(b).flat_map(|analysis| functions(analysis).into_keys()).collect();
    let units = |side: &[Analysis], of: &dyn Fn(&Analysis) -> Nanos| -> Vec<f64> {
        side.iter().map(|analysis| per_window(analysis, of(analysis))).collect()
    };
    let both = |of: &dyn Fn(&Analysis) -> Nanos| Samples { a: units(a, of), b: units(b, of) };
    let mut parts: Vec<Raw> = names
        .iter()
        .map(|name| Raw {
            part: part(PartOf::Api, name),
            samples: both(&|analysis| functions(analysis).get(name).copied().unwrap_or_default()),
        })
        .collect();
    let beside = |analysis: &Analysis| {
        analysis.windows.total_ns.unwrap_or_default()
            - functions(analysis).into_values().sum::<Nanos>()
    };
    let samples = both(&beside);
    parts.push(Raw { part: part(PartOf::Beside, "outside CUDA calls"), samples });
    finish(a, b, setting, (By::Api, BY_API), parts, None)
}

/// Rounds, orders, and adds intervals.
fn finish(
    a: &[Analysis],
    b: &[Analysis],
    setting: Setting,
    (by, rule): (By, &str),
    mut parts: Vec<Raw>,
    outer: Option<&Decomposition>,
) -> Decomposition {
    let wall = Samples::of(a, b, setting.unit, &|w| (length(w), 1.0)).unwrap_or_default();
    let total = |values: &[f64]| mean(values).unwrap_or(0.0);
    // As the latency is rounded.
    let [wall_a, wall_b] = whole(total(&wall.a), total(&wall.b));
    let rounded_a = round(&parts, |samples| &samples.a, wall_a, outer, 0);
    let rounded_b = round(&parts, |samples| &samples.b, wall_b, outer, 1);
    let delta = wall_b - wall_a;
    for (i, raw) in parts.iter_mut().enumerate() {
        let part = &mut raw.part;
        (part.a_ns, part.b_ns) = (Nanos::from_ns(rounded_a[i]), Nanos::from_ns(rounded_b[i]));
        part.delta_ns = part.b_ns - part.a_ns;
        part.of_delta = (delta != 0).then(|| ns(part.delta_ns) / delta as f64);
        part.delta_ci95_ns = interval(&raw.samples, setting);
    }
    let mut parts: Vec<Part> = parts.into_iter().map(|raw| raw.part).collect();
    // What neither side has says nothing.
    parts.retain(|part| part.a_ns != Nanos::ZERO || part.b_ns != Nanos::ZERO);
    parts.sort_by(|x, y| {
        y.delta_ns.abs().cmp(&x.delta_ns.abs()).then_with(|| (x.of, &x.name).cmp(&(y.of, &y.name)))
    });
    Decomposition {
        by,
        rule: rule.to_owned(),
        a_ns: Nanos::from_ns(wall_a),
        b_ns: Nanos::from_ns(wall_b),
        delta_ns: Nanos::from_ns(delta),
        parts,
    }
}

fn interval(samples: &Samples, setting: Setting) -> Option<[Nanos; 2]> {
    // Pairs that do not come out have no difference either.
    if setting.pairing == Pairing::Paired && samples.a.len() != samples.b.len() {
        return None;
    }
    let [low, high] = samples.difference(setting)?.ci95?;
    let whole = |bound: f64| Nanos::from_ns(bound.round() as i64);
    Some([whole(low), whole(high)])
}

/// The means of one side, rounded so that they add up: parts that `outer` has keep its number, those of busy
/// time share what it gives to that.
fn round(
    parts: &[Raw],
    pick: fn(&Samples) -> &Vec<f64>,
    wall: i64,
    outer: Option<&Decomposition>,
    side: usize,
) -> Vec<i64> {
    let exact = |raw: &Raw| mean(pick(&raw.samples)).unwrap_or(0.0);
    let Some(outer) = outer else {
        return to_whole(&parts.iter().map(exact).collect::<Vec<f64>>(), wall);
    };
    let known = |of: PartOf, name: &str| outer.part(of, name).map_or(0, |both| both[side].as_ns());
    let busy: Vec<f64> = parts.iter().filter(|raw| raw.part.of == PartOf::Gpu).map(exact).collect();
    let mut busy = to_whole(&busy, known(PartOf::Gpu, "busy")).into_iter();
    let number = |raw: &Raw| match raw.part.of {
        PartOf::Gpu => busy.next().unwrap_or(0),
        of => known(of, &raw.part.name),
    };
    parts.iter().map(number).collect()
}

/// Rounds values to whole numbers that add up to `total`: down, and the largest remainders up (ties:
/// the first).
fn to_whole(values: &[f64], total: i64) -> Vec<i64> {
    let mut whole: Vec<i64> = values.iter().map(|value| value.floor() as i64).collect();
    let missing = total - whole.iter().sum::<i64>();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|x, y| {
        let rest = |i: usize| values[i] - values[i].floor();
        rest(*y).total_cmp(&rest(*x)).then(x.cmp(y))
    });
    // Values that add up to `total` but for rounding miss fewer than there are of them.
    for i in order.into_iter().cycle().take(usize::try_from(missing).unwrap_or(0)) {
        whole[i] += 1;
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::to_whole;

    #[test]
    fn rounded_parts_add_up_to_the_rounded_whole() {
        assert_eq!(to_whole(&[1.4, 1.4, 1.2], 4), vec![2, 1, 1]);
        assert_eq!(to_whole(&[0.5, 0.5, -3.0], -2), vec![1, 0, -3]);
        assert_eq!(to_whole(&[2.0, 3.0], 5), vec![2, 3]);
        assert!(to_whole(&[], 0).is_empty());
    }
}
