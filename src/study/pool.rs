//! Repeats of one checkpoint become one unit: all their windows together.
//!
//! Sums and counts are added, shares formed anew as ratios of sums, the distribution of lengths taken over
//! all windows. An energy is the mean over the repeats that have one; with several of them its interval is
//! left to what varies between checkpoints.

use std::collections::BTreeMap;
use std::iter::Sum;

use super::requests::windows;
use crate::attribution::Analysis;
use crate::attribution::document::{
    Api, ApiFunction, BusyName, CountTime, Gpu, Idle, IdleKinds, KernelClass, KernelFunction,
    Kernels, Rules, TraceAbout, Verdict,
};
use crate::attribution::energy_document::Energy;
use crate::attribution::provenance::RunAbout;
use crate::units::{Millijoules, Milliwatts, Nanos, Share};

/// One analysis over the windows of several; `None` of none.
///
/// The verdict stays where all repeats agree; blocks that one repeat lacks are null.
pub(super) fn pool(analyses: &[Analysis]) -> Option<Analysis> {
    let (first, rest) = analyses.split_first()?;
    if rest.is_empty() {
        return Some(first.clone());
    }
    let mut instances = Vec::new();
    for one in analyses.iter().flat_map(|analysis| &analysis.windows.instances) {
        instances
            .push(crate::attribution::document::Instance { index: instances.len(), ..one.clone() });
    }
    let mut pooled = windows(&first.windows.spec, instances);
    pooled.gaps_ns = analyses.iter().map(|analysis| analysis.windows.gaps_ns).sum();
    pooled.union_ns = analyses.iter().map(|analysis| analysis.windows.union_ns).sum();
    pooled.contained_share = weighted(analyses, |a| a.windows.contained_share, operations);
    let mut findings = Vec::new();
    for finding in analyses.iter().flat_map(|analysis| &analysis.findings) {
        if !findings.contains(finding) {
            findings.push(finding.clone());
        }
    }
    crate::finding::sort(&mut findings);
    let more = |path: &str| format!("{path} and {} more", rest.len());
    Some(Analysis {
        // A file's hash does not stand for several.
        trace: first.trace.clone().map(|trace| TraceAbout {
            path: more(&trace.path),
            sha256: None,
            ..trace
        }),
        run: first
            .run
            .clone()
            .map(|run| RunAbout { folder: run.folder.as_deref().map(more), ..run }),
        windows: pooled,
        api: all(analyses, |a| a.api.as_ref()).map(|of| api(&of, analyses)),
        kernels: all(analyses, |a| a.kernels.as_ref()).map(|of| kernels(&of)),
        // What no table of a study shows is not added up.
        copies: None,
        graphs: None,
        launch_delay: None,
        gpu: all(analyses, |a| a.gpu.as_ref()).map(|of| gpu(&of)),
        idle: all(analyses, |a| a.idle.as_ref()).map(|of| idle(&of)),
        verdict: verdict(analyses),
        energy: energies(analyses),
        findings,
        ..first.clone()
    })
}

/// A block of every analysis; nothing when one lacks it.
fn all<'a, T>(
    analyses: &'a [Analysis],
    of: impl Fn(&'a Analysis) -> Option<&'a T>,
) -> Option<Vec<&'a T>> {
    analyses.iter().map(of).collect()
}

/// The share of the whole, from the shares of the parts and what they are shares of.
fn weighted(
    analyses: &[Analysis],
    share: fn(&Analysis) -> Option<Share>,
    of: fn(&Analysis) -> Option<Nanos>,
) -> Option<Share> {
    let (mut part, mut whole) = (0.0, 0);
    for analysis in analyses {
        let of = of(analysis)?.as_ns();
        part += share(analysis)?.as_f64() * of as f64;
        whole += of;
    }
    Share::of(part.round() as i64, whole)
}

/// What the operations of the windows took.
fn operations(analysis: &Analysis) -> Option<Nanos> {
    analysis.kernels.as_ref().map(|kernels| kernels.total_ns)
}

fn sum<T, S: Sum>(of: &[&T], pick: impl Fn(&T) -> S) -> S {
    of.iter().map(|one| pick(one)).sum()
}

fn share(part: Nanos, whole: Nanos) -> Option<Share> {
    Share::of(part.as_ns(), whole.as_ns())
}

fn api(of: &[&Api], analyses: &[Analysis]) -> Api {
    let total = sum(of, |api| api.total_ns);
    let mut functions: BTreeMap<&str, ApiFunction> = BTreeMap::new();
    for one in of.iter().flat_map(|api| &api.by_name) {
        let entry = functions.entry(&one.name).or_insert_with(|| ApiFunction {
            calls: 0,
            time_ns: Nanos::ZERO,
            self_ns: Some(Nanos::ZERO),
            ..one.clone()
        });
        entry.calls += one.calls;
        entry.time_ns += one.time_ns;
        entry.self_ns = entry.self_ns.zip(one.self_ns).map(|(a, b)| a + b);
    }
    let mut by_name: Vec<ApiFunction> = functions.into_values().collect();
    by_name.iter_mut().for_each(|one| one.share = share(one.time_ns, total));
    by_name.sort_by(|a, b| b.time_ns.cmp(&a.time_ns).then_with(|| a.name.cmp(&b.name)));
    let mut launch = of[0].launch.clone();
    launch.time_ns = sum(of, |api| api.launch.time_ns);
    launch.calls = of.iter().map(|api| api.launch.calls).sum();
    launch.blocked_ns = sum(of, |api| api.launch.blocked_ns);
    launch.first_use_ns = sum(of, |api| api.launch.first_use_ns);
    launch.share = share(launch.time_ns, total);
    launch.names = of.iter().flat_map(|api| api.launch.names.clone()).collect();
    launch.names.sort();
    launch.names.dedup();
    Api {
        total_ns: total,
        calls: of.iter().map(|api| api.calls).sum(),
        calls_started: of.iter().map(|api| api.calls_started).sum(),
        own_thread_ns: sum(of, |api| api.own_thread_ns),
        cover_share: weighted(analyses, |a| a.api.as_ref()?.cover_share, |a| a.windows.total_ns),
        launch,
        by_name,
    }
}

fn kernels(of: &[&Kernels]) -> Kernels {
    let total = sum(of, |kernels| kernels.total_ns);
    let mut pooled = of[0].clone();
    pooled.total_ns = total;
    pooled.count = of.iter().map(|kernels| kernels.count).sum();
    pooled.orphans = of.iter().map(|kernels| kernels.orphans).sum();
    pooled.tklqt_ns = sum(of, |kernels| kernels.tklqt_ns);
    pooled.streams = of.iter().map(|kernels| kernels.streams).max().flatten();
    let mut names: BTreeMap<(&str, &str), KernelFunction> = BTreeMap::new();
    for one in of.iter().flat_map(|kernels| &kernels.by_name) {
        let zero = || KernelFunction { count: 0, time_ns: Nanos::ZERO, ..one.clone() };
        let entry = names.entry((&one.name, &one.class)).or_insert_with(zero);
        entry.count += one.count;
        entry.time_ns += one.time_ns;
        entry.share = share(entry.time_ns, total);
    }
    pooled.by_name = names.into_values().collect();
    pooled.by_name.sort_by(|a, b| b.time_ns.cmp(&a.time_ns).then_with(|| a.name.cmp(&b.name)));
    let mut classes: BTreeMap<&str, KernelClass> = BTreeMap::new();
    for one in of.iter().flat_map(|kernels| &kernels.by_class) {
        let zero = || KernelClass {
            count: 0,
            time_ns: Nanos::ZERO,
            by_context_ns: Nanos::ZERO,
            ..one.clone()
        };
        let entry = classes.entry(&one.class).or_insert_with(zero);
        entry.count += one.count;
        entry.time_ns += one.time_ns;
        entry.by_context_ns += one.by_context_ns;
        entry.share = share(entry.time_ns, total);
    }
    pooled.by_class = classes.into_values().collect();
    pooled.by_class.sort_by(|a, b| b.time_ns.cmp(&a.time_ns).then_with(|| a.class.cmp(&b.class)));
    for (g, group) in pooled.groups.iter_mut().enumerate() {
        for (r, reading) in group.readings.iter_mut().enumerate() {
            let same = || of.iter().filter_map(|kernels| kernels.groups.get(g)?.readings.get(r));
            reading.count = same().map(|one| one.count).sum();
            reading.time_ns = same().map(|one| one.time_ns).sum();
            reading.share = share(reading.time_ns, total);
        }
    }
    add_rules(&mut pooled, of);
    pooled
}

/// The three rules, for all threads and for the windows' own.
fn add_rules(pooled: &mut Kernels, of: &[&Kernels]) {
    pooled.rules = rules(of.iter().map(|kernels| kernels.rules));
    pooled.rules_own_thread = rules(of.iter().map(|kernels| kernels.rules_own_thread));
}

fn rules(of: impl Iterator<Item = Option<Rules>>) -> Option<Rules> {
    let all: Vec<Rules> = of.collect::<Option<_>>()?;
    let total = |pick: fn(&Rules) -> CountTime| CountTime {
        count: all.iter().map(|one| pick(one).count).sum(),
        time_ns: all.iter().map(|one| pick(one).time_ns).sum(),
    };
    Some(Rules {
        launched: total(|rules| rules.launched),
        started: total(|rules| rules.started),
        overlap: total(|rules| rules.overlap),
    })
}

fn gpu(of: &[&Gpu]) -> Gpu {
    let mut pooled = of[0].clone();
    pooled.busy_ns = sum(of, |gpu| gpu.busy_ns);
    pooled.idle_ns = sum(of, |gpu| gpu.idle_ns);
    pooled.copy_only_ns = sum(of, |gpu| gpu.copy_only_ns);
    pooled.foreign_busy_ns = sum(of, |gpu| gpu.foreign_busy_ns);
    for other in of[1..].iter().flat_map(|gpu| &gpu.by_device) {
        match pooled.by_device.iter_mut().find(|one| one.device == other.device) {
            Some(one) => one.busy_ns += other.busy_ns,
            None => pooled.by_device.push(*other),
        }
    }
    let mut names: BTreeMap<(&str, &str), Nanos> = BTreeMap::new();
    for one in of.iter().flat_map(|gpu| &gpu.by_name) {
        let time = names.entry((&one.name, &one.class)).or_default();
        *time += one.busy_ns;
    }
    let name = |((name, class), busy_ns): ((&str, &str), Nanos)| BusyName {
        name: name.to_owned(),
        class: class.to_owned(),
        busy_ns,
    };
    pooled.by_name = names.into_iter().map(name).collect();
    pooled.by_name.sort_by(|a, b| b.busy_ns.cmp(&a.busy_ns).then_with(|| a.name.cmp(&b.name)));
    pooled
}

fn idle(of: &[&Idle]) -> Idle {
    Idle {
        none_ns: sum(of, |idle| idle.none_ns),
        head_ns: sum(of, |idle| idle.head_ns),
        tail_ns: sum(of, |idle| idle.tail_ns),
        launch_ns: sum(of, |idle| idle.launch_ns),
        queue_ns: sum(of, |idle| idle.queue_ns),
        api_ns: sum(of, |idle| idle.api_ns),
        sync_ns: sum(of, |idle| idle.sync_ns),
        host_ns: sum(of, |idle| idle.host_ns),
        unknown_ns: sum(of, |idle| idle.unknown_ns),
        dispatch_ns: sum(of, |idle| idle.dispatch_ns),
        head_by: kinds(of, |idle| idle.head_by),
        tail_by: kinds(of, |idle| idle.tail_by),
    }
}

fn kinds(of: &[&Idle], pick: impl Fn(&Idle) -> IdleKinds) -> IdleKinds {
    let total = |kind: fn(&IdleKinds) -> Nanos| of.iter().map(|idle| kind(&pick(idle))).sum();
    IdleKinds {
        launch_ns: total(|kinds| kinds.launch_ns),
        queue_ns: total(|kinds| kinds.queue_ns),
        api_ns: total(|kinds| kinds.api_ns),
        sync_ns: total(|kinds| kinds.sync_ns),
        host_ns: total(|kinds| kinds.host_ns),
        unknown_ns: total(|kinds| kinds.unknown_ns),
        dispatch_ns: total(|kinds| kinds.dispatch_ns),
    }
}

fn verdict(analyses: &[Analysis]) -> Option<Verdict> {
    let first = analyses[0].verdict.clone()?;
    let agrees =
        |a: &Analysis| a.verdict.as_ref().is_some_and(|verdict| verdict.kind == first.kind);
    analyses.iter().all(agrees).then_some(first)
}

/// For each rail and log format, the mean over the repeats that have it.
fn energies(analyses: &[Analysis]) -> Option<Vec<Energy>> {
    let mut rails: Vec<Vec<&Energy>> = Vec::new();
    for energy in analyses.iter().filter_map(|analysis| analysis.energy.as_ref()).flatten() {
        match rails.iter_mut().find(|of| of[0].rail == energy.rail && of[0].source == energy.source)
        {
            Some(of) => of.push(energy),
            None => rails.push(vec![energy]),
        }
    }
    (!rails.is_empty()).then(|| rails.iter().map(|of| mean_energy(of)).collect())
}

fn mean_energy(of: &[&Energy]) -> Energy {
    let said: Vec<&Energy> = of.iter().copied().filter(|energy| energy.refused.is_none()).collect();
    let (first, several) = match said.as_slice() {
        [] => return of[0].clone(),
        [one] => return (*one).clone(),
        [first, ..] => (*first, &said),
    };
    let mean = |pick: &dyn Fn(&Energy) -> Option<f64>| -> Option<f64> {
        let values: Option<Vec<f64>> = several.iter().map(|energy| pick(energy)).collect();
        let values = values?;
        Some(values.iter().sum::<f64>() / values.len() as f64)
    };
    let mj = |pick: fn(&Energy) -> Option<Millijoules>| {
        mean(&|energy| pick(energy).map(Millijoules::as_mj)).map(Millijoules::from_mj)
    };
    let mw = |pick: fn(&Energy) -> Option<Milliwatts>| {
        mean(&|energy| pick(energy).map(Milliwatts::as_mw)).map(Milliwatts::from_mw)
    };
    Energy {
        windows_used: several.iter().map(|energy| energy.windows_used).sum(),
        total_mj: mj(|energy| energy.total_mj),
        total_ci95_mj: None,
        dynamic_mj: mj(|energy| energy.dynamic_mj),
        dynamic_ci95_mj: None,
        systematic_mj: mj(|energy| energy.systematic_mj),
        mean_power_mw: mw(|energy| energy.mean_power_mw),
        idle_mw: mw(|energy| energy.idle_mw),
        samples_inside: several.iter().map(|energy| energy.samples_inside).sum(),
        blocks: None,
        phase_p: None,
        ..first.clone()
    }
}
