//! What can be compared where no window is known? Shares: of API time by function and launch family,
//! of kernel time by class and group. Each is a ratio of whole sums, on both sides, so that imported
//! sums stand against those of traces; a capture is a unit.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Quantity;
use super::measures::{groups, quantity};
use super::samples::{Samples, Setting};
use crate::attribution::Analysis;
use crate::units::{Nanos, Share};

/// Whether any analysis was imported and has no windows.
pub(super) fn any(a: &[Analysis], b: &[Analysis]) -> bool {
    a.iter().chain(b).any(|analysis| analysis.imported.is_some())
}

/// Every share that both sides have, that of the launches first.
pub(super) fn quantities(a: &[Analysis], b: &[Analysis], setting: Setting) -> Vec<Quantity> {
    let both = |has: fn(&Analysis) -> bool| a.iter().chain(b).all(has);
    let mut found = Vec::new();
    let mut share = |name: &str, of: &dyn Fn(&Analysis) -> Option<f64>| {
        let side = |side: &[Analysis]| side.iter().map(of).collect::<Option<Vec<f64>>>();
        let samples = side(a).zip(side(b)).map(|(a, b)| Samples { a, b });
        found.push(quantity(name, "share", samples.as_ref(), false, setting));
    };
    if both(|analysis| analysis.api.is_some()) {
        share("share(launch)", &|one| Some(one.api.as_ref()?.launch.share?.as_f64()));
        for function in functions(a, b) {
            share(&format!("share({function})"), &|one| of_api(one, &function));
        }
    }
    if both(|analysis| analysis.kernels.is_some()) {
        for class in classes(a, b) {
            share(&format!("share({class})"), &|one| of_classes(one, std::slice::from_ref(&class)));
        }
        for (name, classes) in groups(a, b) {
            share(&format!("share({name})"), &|one| of_classes(one, &classes));
        }
    }
    found
}

/// The function with the largest share in any of them first.
fn functions(a: &[Analysis], b: &[Analysis]) -> Vec<String> {
    let mut largest: BTreeMap<&str, f64> = BTreeMap::new();
    let blocks = a.iter().chain(b).filter_map(|analysis| analysis.api.as_ref());
    for function in blocks.flat_map(|api| &api.by_name) {
        let share = function.share.map_or(0.0, Share::as_f64);
        let known = largest.entry(&function.name).or_insert(share);
        *known = known.max(share);
    }
    let mut names: Vec<(&str, f64)> = largest.into_iter().collect();
    names.sort_by(|x, y| y.1.total_cmp(&x.1).then_with(|| x.0.cmp(y.0)));
    names.into_iter().map(|(name, _)| name.to_owned()).collect()
}

fn classes(a: &[Analysis], b: &[Analysis]) -> BTreeSet<String> {
    let blocks = a.iter().chain(b).filter_map(|analysis| analysis.kernels.as_ref());
    blocks.flat_map(|kernels| &kernels.by_class).map(|class| class.class.clone()).collect()
}

/// A function that does not occur has no share of its own, but 0 of what was recorded.
fn of_api(analysis: &Analysis, name: &str) -> Option<f64> {
    let api = analysis.api.as_ref()?;
    let time = api.by_name.iter().find(|function| function.name == name).map(|one| one.time_ns);
    part(time.unwrap_or_default(), api.total_ns)
}

fn of_classes(analysis: &Analysis, classes: &[String]) -> Option<f64> {
    let kernels = analysis.kernels.as_ref()?;
    let counted = kernels.by_class.iter().filter(|class| classes.contains(&class.class));
    part(counted.map(|class| class.time_ns).sum(), kernels.total_ns)
}

fn part(time: Nanos, total: Nanos) -> Option<f64> {
    Share::of(time.as_ns(), total.as_ns()).map(Share::as_f64)
}
