//! From the time of each class to the groups of a headline, and to what has no class.
//!
//! Used for classes of a trace and for those of imported sums, so that both mean the same.

use super::document::{KernelGroup, Kernels, Reading};
use crate::classify::{ClassId, Classifier, UNCLASSIFIED};
use crate::finding::{Finding, Severity};
use crate::units::{Nanos, Share};

/// Share of kernel time without a class above which it is more than worth knowing.
const MUCH: f64 = 0.05;

/// Every group with every reading; `of` gives kernels and summed ns of a class, `total` those of all.
pub fn groups(
    classifier: &Classifier,
    of: &dyn Fn(ClassId) -> (u64, i64),
    total: i64,
) -> Vec<KernelGroup> {
    let reading = |reading: &crate::classify::Reading| {
        let sums = reading.classes.iter().map(|class| of(*class));
        let (count, ns) = sums.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let classes = reading.classes.iter().map(|class| classifier.class_name(*class).to_owned());
        Reading {
            name: reading.name.clone(),
            classes: classes.collect(),
            count,
            time_ns: Nanos::from_ns(ns),
            share: Share::of(ns, total),
        }
    };
    let group = |group: &crate::classify::Group| KernelGroup {
        name: group.name.clone(),
        headline: group.headline.clone(),
        readings: group.readings.iter().map(reading).collect(),
    };
    classifier.groups().iter().map(group).collect()
}

/// The part of the kernel time that has no class.
pub fn unclassified(kernels: &Kernels) -> Option<Finding> {
    let class = kernels.by_class.iter().find(|class| class.class == UNCLASSIFIED)?;
    let share = class.share?;
    let severity = if share.as_f64() > MUCH { Severity::Warning } else { Severity::Info };
    let finding = Finding::new(
        "unclassified-kernels",
        severity,
        format!("{share} of kernel time ({} kernels) has no class", class.count),
        "see them with `nsys-attrib classes TRACE` and name them in a rules file (--classes FILE)",
    );
    Some(finding.with("share", share).with("time_ns", class.time_ns))
}
