//! Which quantities are compared, and how does each follow from a window?
//!
//! Every quantity is a ratio of sums over windows: a mean (divided by the number of windows) or a share.
//! Percentiles of the window length are taken per trace, or over the windows of the one trace a side.

use std::collections::BTreeSet;

use super::document::{Quantity, Unit};
use super::samples::{Samples, Setting, beside, instances};
use crate::attribution::Analysis;
use crate::attribution::document::{Idle, Instance, KernelGroup};
use crate::stats::{
    Estimated, LEAST_WINDOWS, bca_quantile, hedges_g, mean, percentile_difference, quantile,
};
use crate::units::Nanos;

/// A kind of idle time.
pub(super) type IdleKind = (&'static str, fn(&Idle) -> Nanos);

/// Kinds of idle time that add up to it, with their names.
pub(super) const IDLE: [IdleKind; 9] = [
    ("none", |idle| idle.none_ns),
    ("head", |idle| idle.head_ns),
    ("tail", |idle| idle.tail_ns),
    ("launch", |idle| idle.launch_ns),
    ("queue", |idle| idle.queue_ns),
    ("api", |idle| idle.api_ns),
    ("sync", |idle| idle.sync_ns),
    ("host", |idle| idle.host_ns),
    ("unknown", |idle| idle.unknown_ns),
];

/// Fewest windows on each side for a percentile bootstrap beside the interval of the latency.
const LEAST_RESAMPLED: usize = 5;

/// Length of a window in ns.
pub(super) fn length(window: &Instance) -> f64 {
    ns(window.end_ns - window.start_ns)
}

pub(super) fn ns(time: Nanos) -> f64 {
    time.as_ns() as f64
}

/// Two means in whole ns; their difference is rounded once, and B is A and the difference.
pub(super) fn whole(a: f64, b: f64) -> [i64; 2] {
    let from = a.round() as i64;
    [from, from + (b - a).round() as i64]
}

/// Every quantity that both sides have, the latency first.
pub(super) fn quantities(a: &[Analysis], b: &[Analysis], setting: Setting) -> Vec<Quantity> {
    let both = |has: fn(&Analysis) -> bool| a.iter().chain(b).all(has);
    let mut list = List { a, b, setting, found: Vec::new() };
    list.mean("latency", "ns", &length);
    list.beside_latency();
    for p in [50, 95, 99] {
        list.percentile(p);
    }
    if both(|analysis| analysis.gpu.is_some()) {
        list.mean("busy", "ns", &|w| ns(w.busy_ns));
        list.mean("idle", "ns", &|w| ns(w.idle.total()));
        for (name, pick) in IDLE {
            list.mean(&format!("idle({name})"), "ns", &|w| ns(pick(&w.idle)));
        }
        list.mean("idle(dispatch)", "ns", &|w| ns(w.idle.dispatch_ns));
        list.share("share(busy)", &|w| (ns(w.busy_ns), length(w)));
    }
    if both(|analysis| analysis.api.is_some()) {
        list.mean("api", "ns", &|w| ns(w.api_ns));
        list.mean("launch", "ns", &|w| ns(w.launch_ns));
        list.share("share(launch)", &|w| (ns(w.launch_ns), ns(w.api_ns)));
        list.mean("calls", "count", &|w| w.calls as f64);
        list.mean("launches", "count", &|w| w.launches as f64);
    }
    if both(|analysis| analysis.kernels.is_some()) {
        list.mean("kernels", "count", &|w| w.kernels as f64);
        list.mean("kernel-time", "ns", &|w| ns(w.kernel_ns));
        for class in classes(a, b) {
            let of = |w: &Instance| w.class_ns.get(&class).map_or(0.0, |time| ns(*time));
            list.mean(&format!("time({class})"), "ns", &of);
            list.share(&format!("share({class})"), &|w| (of(w), ns(w.kernel_ns)));
        }
        for (name, classes) in groups(a, b) {
            let of = |w: &Instance| -> f64 {
                classes.iter().filter_map(|class| w.class_ns.get(class)).map(|time| ns(*time)).sum()
            };
            list.mean(&format!("time({name})"), "ns", &of);
            list.share(&format!("share({name})"), &|w| (of(w), ns(w.kernel_ns)));
        }
    }
    list.found
}

struct List<'a> {
    a: &'a [Analysis],
    b: &'a [Analysis],
    setting: Setting,
    found: Vec<Quantity>,
}

impl List<'_> {
    fn mean(&mut self, name: &str, unit: &str, of: &dyn Fn(&Instance) -> f64) {
        let samples = Samples::of(self.a, self.b, self.setting.unit, &|w| (of(w), 1.0));
        self.push(name, unit, samples.as_ref(), true);
    }

    fn share(&mut self, name: &str, of: &dyn Fn(&Instance) -> (f64, f64)) {
        let samples = Samples::of(self.a, self.b, self.setting.unit, of);
        self.push(name, "share", samples.as_ref(), false);
    }

    fn push(&mut self, name: &str, unit: &str, samples: Option<&Samples>, has_ratio: bool) {
        self.found.push(quantity(name, unit, samples, has_ratio, self.setting));
    }

    /// What other programs print as the interval, beside ours, where windows are few.
    fn beside_latency(&mut self) {
        let samples = Samples::of(self.a, self.b, self.setting.unit, &|w| (length(w), 1.0));
        let Some(samples) = samples.filter(|_| self.setting.unit == Unit::Windows) else { return };
        let least = samples.a.len().min(samples.b.len());
        if (LEAST_RESAMPLED..LEAST_WINDOWS).contains(&least)
            && let Some(latency) = self.found.first_mut()
            && let Some(difference) = latency.difference.as_mut()
        {
            let other = percentile_difference(&samples.a, &samples.b);
            difference.also.extend(other.and_then(beside));
        }
    }

    /// A percentile of the window length.
    fn percentile(&mut self, percent: u8) {
        let p = f64::from(percent) / 100.0;
        let name = format!("latency(p{percent})");
        let lengths =
            |analysis: &Analysis| -> Vec<f64> { instances(analysis).map(length).collect() };
        if self.setting.unit == Unit::Traces {
            let of = |side: &[Analysis]| -> Option<Vec<f64>> {
                side.iter().map(|analysis| quantile(&lengths(analysis), p)).collect()
            };
            let samples = of(self.a).zip(of(self.b)).map(|(a, b)| Samples { a, b });
            self.push(&name, "ns", samples.as_ref(), true);
            return;
        }
        let of = |side: &[Analysis]| bca_quantile(&side.first().map(lengths)?, p);
        let (Some(a), Some(b)) = (of(self.a), of(self.b)) else { return };
        let mut found = between(&a, &b);
        let [whole_a, whole_b] = whole(a.value, b.value);
        found.value = (whole_b - whole_a) as f64;
        self.found.push(Quantity {
            name,
            unit: "ns".to_owned(),
            a: Some(whole_a as f64),
            b: Some(whole_b as f64),
            ratio: (a.value > 0.0).then(|| {
                Estimated {
                    value: b.value / a.value,
                    ci95: None,
                    method: "no interval: see the difference".to_owned(),
                }
                .into()
            }),
            difference: Some(found.into()),
            effect: None,
        });
    }
}

/// The difference of two quantiles from their own intervals: half widths joined in quadrature (MOVER).
fn between(a: &Estimated, b: &Estimated) -> Estimated {
    let value = b.value - a.value;
    let ci95 = a.ci95.zip(b.ci95).map(|([low_a, high_a], [low_b, high_b])| {
        let down = (b.value - low_b).hypot(high_a - a.value);
        let up = (high_b - b.value).hypot(a.value - low_a);
        [value - down, value + up]
    });
    let method = match (&ci95, a.ci95) {
        (Some(_), _) => format!("{}, windows taken as independent, joined in quadrature", a.method),
        (None, None) => a.method.clone(),
        (None, Some(_)) => b.method.clone(),
    };
    Estimated { value, ci95, method }
}

/// One quantity from the values of its units.
pub(super) fn quantity(
    name: &str,
    unit: &str,
    samples: Option<&Samples>,
    has_ratio: bool,
    setting: Setting,
) -> Quantity {
    let means = samples.and_then(|samples| Some((mean(&samples.a)?, mean(&samples.b)?)));
    let mut difference = samples.and_then(|samples| samples.difference(setting));
    let (mut a, mut b) = means.unzip();
    if let Some((of_a, of_b)) = means.filter(|_| unit == "ns") {
        let [whole_a, whole_b] = whole(of_a, of_b);
        (a, b) = (Some(whole_a as f64), Some(whole_b as f64));
        if let Some(difference) = difference.as_mut() {
            difference.value = (whole_b - whole_a) as f64;
        }
    }
    Quantity {
        name: name.to_owned(),
        unit: unit.to_owned(),
        a,
        b,
        difference: difference.map(Into::into),
        ratio: samples
            .filter(|_| has_ratio)
            .and_then(|samples| samples.ratio(setting))
            .map(Into::into),
        effect: samples.and_then(|samples| hedges_g(&samples.a, &samples.b)).map(|g| g + 0.0),
    }
}

/// Every class of either side, by name.
pub(super) fn classes(a: &[Analysis], b: &[Analysis]) -> BTreeSet<String> {
    let windows = a.iter().chain(b).flat_map(|analysis| &analysis.windows.instances);
    windows.flat_map(|window| window.class_ns.keys().cloned()).collect()
}

/// Every group and reading with its classes: `dense-convolution` is its headline reading.
pub(super) fn groups(a: &[Analysis], b: &[Analysis]) -> Vec<(String, Vec<String>)> {
    let of = |analysis: &Analysis| -> Option<Vec<KernelGroup>> {
        Some(analysis.kernels.as_ref()?.groups.clone())
    };
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for group in a.iter().chain(b).filter_map(of).flatten() {
        for reading in &group.readings {
            let mut names = vec![format!("{}/{}", group.name, reading.name)];
            if reading.name == group.headline {
                names.insert(0, group.name.clone());
            }
            for name in names {
                if !found.iter().any(|entry| entry.0 == name) {
                    found.push((name, reading.classes.clone()));
                }
            }
        }
    }
    found
}
