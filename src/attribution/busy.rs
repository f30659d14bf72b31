//! How long the GPU was busy: unions, per window and device.
//!
//! Every kernel, copy, memset and whole-graph row of the attributed process counts, whoever launched
//! it and whenever, clipped to the window. At least one device busy is busy.

use super::document::{DeviceBusy, Gpu};
use super::scope::{Meeting, Scope, Sort};
use crate::trace::Operations;
use crate::units::{Nanos, Span};
use crate::windows::intervals::Union;

/// Busy time of the windows.
pub(super) struct Busy {
    pub(super) block: Gpu,
    /// Busy time of each window, in ns.
    pub(super) windows: Vec<i64>,
}

/// Adds busy time up, operation by operation.
pub(super) struct BusyTime<'a> {
    scope: &'a Scope<'a>,
    any: Vec<Union>,
    compute: Vec<Union>,
    /// Where the trace knows but one device: whether the window uses it.
    met: Vec<bool>,
    by_device: DeviceUnions,
    foreign: bool,
}

impl<'a> BusyTime<'a> {
    pub(super) fn new(scope: &'a Scope<'a>) -> Self {
        let operations = &scope.trace.operations;
        let windows = scope.windows().len();
        Self {
            scope,
            any: vec![Union::default(); windows],
            compute: vec![Union::default(); windows],
            met: vec![false; windows],
            by_device: DeviceUnions::new(operations, windows),
            foreign: false,
        }
    }

    /// Remembers that an operation of another process meets a window.
    pub(super) const fn add_foreign(&mut self) {
        self.foreign = true;
    }

    /// Adds the part of an operation inside a window; operations come in the order of their starts.
    /// Answers the busy time that belongs to it: that of no operation before.
    #[inline]
    pub(super) fn add(&mut self, sort: &Sort, window: usize, inside: Span) -> i64 {
        let gained = self.any[window].add(inside);
        if !sort.moves_memory {
            self.compute[window].add(inside);
        }
        match self.by_device.devices.len() {
            1 => self.met[window] = true,
            _ => self.by_device.add(sort.queue, window, inside),
        }
        gained
    }

    /// The block and its windows.
    pub(super) fn finish(mut self) -> Busy {
        let scope = self.scope;
        if self.met.contains(&true) {
            let used = self.met.iter().zip(&self.any).map(|(met, union)| met.then_some(*union));
            self.by_device.unions[0] = used.collect();
        }
        let windows: Vec<i64> = self.any.iter().map(|union| union.total_ns()).collect();
        let busy: i64 = windows.iter().sum();
        let computing: i64 = self.compute.iter().map(|union| union.total_ns()).sum();
        let foreign_ns = if self.foreign { foreign_busy(scope, &self.by_device) } else { 0 };
        let block = Gpu {
            busy_ns: Nanos::from_ns(busy),
            idle_ns: Nanos::from_ns(scope.wall_ns() - busy),
            copy_only_ns: Nanos::from_ns(busy - computing),
            foreign_busy_ns: Nanos::from_ns(foreign_ns),
            by_device: self.by_device.sums(),
            by_name: Vec::new(),
        };
        Busy { block, windows }
    }
}

/// Busy time by device and window.
struct DeviceUnions {
    /// The devices, in order.
    devices: Vec<i64>,
    /// By queue, the place of its device.
    device_of: Vec<usize>,
    /// By device, the windows that it is used in; nothing for a device that no window uses.
    unions: Vec<Vec<Option<Union>>>,
    windows: usize,
}

impl DeviceUnions {
    fn new(operations: &Operations, windows: usize) -> Self {
        let mut devices: Vec<i64> = operations.queues().iter().map(|queue| queue.device).collect();
        devices.sort_unstable();
        devices.dedup();
        let place = |device: i64| devices.partition_point(|other| *other < device);
        let device_of = operations.queues().iter().map(|queue| place(queue.device)).collect();
        let unions = vec![Vec::new(); devices.len()];
        Self { devices, device_of, unions, windows }
    }

    fn add(&mut self, queue: usize, window: usize, inside: Span) {
        let unions = &mut self.unions[self.device_of[queue]];
        if unions.is_empty() {
            unions.resize(self.windows, None);
        }
        unions[window].get_or_insert_default().add(inside);
    }

    fn uses(&self, queue: usize, window: usize) -> bool {
        self.unions[self.device_of[queue]].get(window).is_some_and(Option::is_some)
    }

    fn sums(&self) -> Vec<DeviceBusy> {
        let used = self.devices.iter().zip(&self.unions).filter(|(_, unions)| !unions.is_empty());
        used.map(|(device, unions)| {
            let ns = unions.iter().flatten().map(|union| union.total_ns()).sum();
            DeviceBusy { device: *device, busy_ns: Nanos::from_ns(ns) }
        })
        .collect()
    }
}

/// Time in which other processes used the devices that the attributed one used in the window.
fn foreign_busy(scope: &Scope<'_>, used: &DeviceUnions) -> i64 {
    let mut foreign = vec![Union::default(); scope.windows().len()];
    scope.operations_meeting(|Meeting { sort, span, window, own, .. }| {
        if !own && used.uses(sort.queue, window) {
            foreign[window].add(span.clip(scope.spans[window]));
        }
    });
    foreign.iter().map(|union| union.total_ns()).sum()
}
