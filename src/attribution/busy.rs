//! How long the GPU was busy: unions, per window and device.
//!
//! Every kernel, copy, memset and whole-graph row of the attributed process counts, whoever launched
//! it and whenever, clipped to the window. At least one device busy is busy.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{DeviceBusy, Gpu};
use super::scope::Scope;
use crate::trace::Label;
use crate::units::Nanos;
use crate::windows::intervals::Union;

/// Busy time of the windows.
pub(super) struct Busy {
    pub(super) block: Gpu,
    /// Busy time of each window, in ns.
    pub(super) windows: Vec<i64>,
}

/// Adds busy time up.
pub(super) fn measure(scope: &Scope<'_>) -> Busy {
    let operations = &scope.trace.operations;
    let computes: Vec<bool> =
        operations.labels().iter().map(|label| !Label::moves_memory(label)).collect();
    let mut any = vec![Union::default(); scope.windows().len()];
    let mut compute = any.clone();
    let mut by_device: BTreeMap<(i64, usize), Union> = BTreeMap::new();
    let mut foreign = false;
    scope.operations_meeting(|op, window, own| {
        if !own {
            foreign = true;
            return;
        }
        let inside = operations.span(op).clip(scope.spans[window]);
        any[window].add(inside);
        if computes[operations.label_index(op)] {
            compute[window].add(inside);
        }
        by_device.entry((operations.queue(op).device, window)).or_default().add(inside);
    });
    let windows: Vec<i64> = any.iter().map(|union| union.total_ns()).collect();
    let busy: i64 = windows.iter().sum();
    let computing: i64 = compute.iter().map(|union| union.total_ns()).sum();
    let foreign_ns = if foreign { foreign_busy(scope, &by_device) } else { 0 };
    let block = Gpu {
        busy_ns: Nanos::from_ns(busy),
        idle_ns: Nanos::from_ns(scope.wall_ns() - busy),
        copy_only_ns: Nanos::from_ns(busy - computing),
        foreign_busy_ns: Nanos::from_ns(foreign_ns),
        by_device: per_device(&by_device),
    };
    Busy { block, windows }
}

fn per_device(unions: &BTreeMap<(i64, usize), Union>) -> Vec<DeviceBusy> {
    let mut sums: BTreeMap<i64, i64> = BTreeMap::new();
    for ((device, _), union) in unions {
        *sums.entry(*device).or_default() += union.total_ns();
    }
    sums.into_iter()
        .map(|(device, ns)| DeviceBusy { device, busy_ns: Nanos::from_ns(ns) })
        .collect()
}

/// Time in which other processes used the devices that the attributed one used in the window.
fn foreign_busy(scope: &Scope<'_>, used: &BTreeMap<(i64, usize), Union>) -> i64 {
    let used: BTreeSet<(i64, usize)> = used.keys().copied().collect();
    let operations = &scope.trace.operations;
    let mut foreign = vec![Union::default(); scope.windows().len()];
    scope.operations_meeting(|op, window, own| {
        if !own && used.contains(&(operations.queue(op).device, window)) {
            foreign[window].add(operations.span(op).clip(scope.spans[window]));
        }
    });
    foreign.iter().map(|union| union.total_ns()).sum()
}
