//! What would a referee ask? The paragraph on methods, from manifests, sidecars and energies alone.
//!
//! Nothing here is typed in: what a manifest does not say is said to be unknown.

use std::collections::BTreeSet;
use std::path::Path;

use super::availability::Availability;
use super::cells::{FoundRun, Runs};
use super::document::{RailAbout, Sentence};
use super::plan::{StudyPlan, path_name};
use crate::attribution::Analysis;
use crate::collect::plan::Order;
use crate::runs::manifest::{Machine, Manifest};
use crate::runs::sidecar::ExecutionPath;
use crate::stats;
use crate::units::{Millijoules, Nanos, plain};

/// Characters of a list in a sentence.
const LONGEST: usize = 300;

/// The sentences; `pooled` are the analyses of untraced request runs, with their energies.
pub(super) fn methods(
    plan: &StudyPlan,
    runs: &Runs,
    can: &Availability,
    pooled: &[&Analysis],
    rail: Option<&RailAbout>,
) -> Vec<Sentence> {
    let mut all = Vec::new();
    let mut say = |about: &str, text: String| {
        all.push(Sentence { about: about.to_owned(), text });
    };
    let manifests: Vec<&Manifest> =
        runs.found.iter().filter_map(|run| run.run.manifest.as_ref()).collect();
    if let Some(note) = &plan.note {
        say("note", plain(note, 1_000));
    }
    say("machine", machine(&manifests));
    say("program", program(runs, &manifests));
    say("design", design(plan, runs));
    say("windows", windows(plan, runs));
    say("warm-up", warm_up(runs));
    say("power", power(runs, &manifests, can));
    say("energy", energy(pooled, rail));
    say("tracing", tracing(runs, &manifests, can));
    say(
        "statistics",
        "The unit is a checkpoint: all windows of its repeats are pooled, shares are ratios of sums over them. Means \
         over checkpoints carry 95 % intervals of Student's t (bootstrap from 20 checkpoints on), on logarithms for times, \
         energies, powers and ratios; ratios are of pairs with the same checkpoint; one checkpoint gives no interval. \
         Outliers, drift and warm-up are looked for in each run by itself, and left in."
            .to_owned(),
    );
    all
}

/// Different values, joined; `unknown` without any.
fn listed(values: impl Iterator<Item = String>) -> String {
    let different: BTreeSet<String> = values.filter(|value| !value.is_empty()).collect();
    if different.is_empty() {
        return "unknown".to_owned();
    }
    plain(&different.into_iter().collect::<Vec<_>>().join(" / "), LONGEST)
}

fn machine(manifests: &[&Manifest]) -> String {
    let of = |pick: &dyn Fn(&Machine) -> Option<String>| {
        listed(manifests.iter().filter_map(|manifest| pick(&manifest.machine)))
    };
    let gpu = |machine: &Machine| {
        let names: Vec<&str> = machine.gpu.iter().map(|gpu| gpu.name.as_str()).collect();
        Some(if names.is_empty() { "none".to_owned() } else { names.join(" + ") })
    };
    let clocks = |machine: &Machine| {
        let all: Vec<String> =
            machine.clocks.iter().map(|(name, at)| format!("{name} {at}")).collect();
        (!all.is_empty()).then(|| all.join(", "))
    };
    let hottest = |after: bool| {
        let sensors = manifests.iter().flat_map(|manifest| {
            let of = &manifest.machine;
            let map = if after { &of.temperature_after_c } else { &of.temperature_c };
            map.values().copied().collect::<Vec<f64>>()
        });
        sensors.fold(None, |most: Option<f64>, at| Some(most.map_or(at, |most| most.max(at))))
    };
    let heat = match (hottest(false), hottest(true)) {
        (Some(before), Some(after)) => {
            format!("hottest sensor at most {before:.0} °C before and {after:.0} °C after a run")
        }
        _ => "temperatures not recorded".to_owned(),
    };
    format!(
        "GPU {}; processor {}; driver {}; CUDA {}; Linux {}; power mode {}; clocks {}; {heat}.",
        of(&gpu),
        of(&|machine| machine.cpu.clone()),
        of(&|machine| machine.driver.clone()),
        of(&|machine| machine.cuda.clone()),
        of(&|machine| machine.kernel.clone()),
        of(&|machine| machine.power_mode.clone()),
        of(&clocks)
    )
}

fn program(runs: &Runs, manifests: &[&Manifest]) -> String {
    let said = |pick: fn(&crate::runs::sidecar::Program) -> Option<String>| {
        let programs =
            runs.found.iter().filter_map(|run| run.run.sidecar.as_ref()?.program.as_ref());
        listed(programs.filter_map(pick))
    };
    let hash = manifests.iter().filter_map(|manifest| manifest.program.sha256.as_deref());
    let git = manifests.iter().filter_map(|manifest| {
        let git = manifest.program.git.as_ref()?;
        let dirty = if git.dirty == Some(true) { ", changed since" } else { "" };
        Some(format!("{}{dirty}", git.revision.get(..12).unwrap_or(&git.revision)))
    });
    let first = |path| {
        let mut of_path = runs.found.iter().filter(|run| run.path == path);
        of_path.find_map(|run| run.run.manifest.as_ref())
    };
    let firsts = [ExecutionPath::Reference, ExecutionPath::Request].map(first);
    let commands: Vec<String> =
        firsts.into_iter().flatten().map(|manifest| format!("`{}`", command(manifest))).collect();
    format!(
        "{} {} on {}, device {}; SHA-256 of its file {}; sources at revision {}; {} runs, of each path the first: {}.",
        said(|program| program.name.clone()),
        said(|program| program.version.clone()),
        said(|program| program.stack.clone()),
        said(|program| program.device.clone()),
        listed(hash.map(|hash| hash.get(..12).unwrap_or(hash).to_owned())),
        listed(git),
        runs.found.len(),
        if commands.is_empty() { "unknown".to_owned() } else { commands.join(", ") }
    )
}

/// As it was typed, the program without its folder.
fn command(manifest: &Manifest) -> String {
    let mut words = manifest.command.iter();
    let file = words.next().map(|word| {
        Path::new(word)
            .file_name()
            .map_or_else(|| word.clone(), |name| name.to_string_lossy().into())
    });
    plain(&file.into_iter().chain(words.cloned()).collect::<Vec<_>>().join(" "), LONGEST)
}

fn repeats(plan: &StudyPlan) -> String {
    let of = |spec: &super::plan::PathSpec| {
        format!("{} of the {} path", plan.repeats(spec), path_name(spec.name))
    };
    plan.path.iter().map(of).collect::<Vec<_>>().join(", ")
}

fn design(plan: &StudyPlan, runs: &Runs) -> String {
    let names = |of: &[super::plan::Variant]| {
        of.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let order = match plan.order {
        Order::Interleave => {
            "in turns: the models of a checkpoint one after the other, every other checkpoint's in the opposite order \
             (A B, B A), every other repeat the whole backwards"
        }
        Order::Sequence => "one model and checkpoint after the other",
    };
    let of = |path, traced| {
        runs.found.iter().filter(|run| run.path == path && run.traced == traced).count()
    };
    format!(
        "Models {}; checkpoints {}; planned repeats: {}; run {order}. Used: {} untraced and {} traced runs of the request \
         path, {} of the reference path.",
        names(&plan.model),
        names(&plan.checkpoint),
        repeats(plan),
        of(ExecutionPath::Request, false),
        of(ExecutionPath::Request, true),
        of(ExecutionPath::Reference, false) + of(ExecutionPath::Reference, true)
    )
}

fn requests(runs: &Runs) -> Vec<usize> {
    let of = runs.found.iter().filter(|run| run.path == ExecutionPath::Request);
    of.filter_map(|run| Some(run.run.sidecar.as_ref()?.requests.len())).collect()
}

/// `200`, or `190 to 200`.
fn reach(values: &[usize]) -> String {
    match (values.iter().min(), values.iter().max()) {
        (Some(least), Some(most)) if least == most => least.to_string(),
        (Some(least), Some(most)) => format!("{least} to {most}"),
        _ => "no".to_owned(),
    }
}

fn windows(plan: &StudyPlan, runs: &Runs) -> String {
    format!(
        "{} requests a run, one after the other. In untraced runs a window is a request as the program times it \
         (monotonic clock); in traced runs it is an instance of `{}`.",
        reach(&requests(runs)),
        plain(&plan.window, 80)
    )
}

fn warm_up(runs: &Runs) -> String {
    let mut lengths = Vec::new();
    for run in runs.found.iter().filter(|run| run.path == ExecutionPath::Request) {
        let phases = run.run.sidecar.iter().flat_map(|sidecar| &sidecar.phases);
        for phase in phases.filter(|phase| phase.name == "warmup") {
            lengths.push(phase.end_unix_ns.as_unix_ns() - phase.start_unix_ns.as_unix_ns());
        }
    }
    match (lengths.iter().min(), lengths.iter().max()) {
        (Some(least), Some(most)) => format!(
            "Each run of the request path warms up before its first window, for {} to {} (phase `warmup` of its sidecar).",
            Nanos::from_ns(*least),
            Nanos::from_ns(*most)
        ),
        _ => "No run declares a phase `warmup`.".to_owned(),
    }
}

fn power(runs: &Runs, manifests: &[&Manifest], can: &Availability) -> String {
    let logs: Vec<_> = manifests.iter().flat_map(|manifest| &manifest.power).collect();
    let files = runs.found.iter().map(|run| run.run.power.len()).sum::<usize>();
    if logs.is_empty() && files > 0 {
        return format!(
            "{files} logs lie beside runs without manifests: sensor and period are not known."
        );
    }
    if logs.is_empty() {
        let why = can.no_power.as_deref().unwrap_or("no power log was asked for or kept");
        return format!("Not measured: {}.", plain(why, LONGEST));
    }
    let middle: Vec<f64> =
        logs.iter().filter_map(|log| Some(log.jitter.as_ref()?.p50_ns?.as_ns() as f64)).collect();
    let reached = stats::mean(&middle)
        .map_or_else(|| "unknown".to_owned(), |ns| Nanos::from_ns(ns.round() as i64).to_string());
    format!(
        "Sensor {}; rails {}; period asked {}, reached {reached} (mean of the runs' medians); {} readings, {} lost.",
        listed(logs.iter().map(|log| log.source.clone())),
        listed(logs.iter().map(|log| log.rails.join(", "))),
        listed(logs.iter().map(|log| log.period_ns.to_string())),
        logs.iter().map(|log| log.samples).sum::<u64>(),
        logs.iter().map(|log| log.lost).sum::<u64>()
    )
}

fn energy(pooled: &[&Analysis], rail: Option<&RailAbout>) -> String {
    let all: Vec<_> = pooled.iter().filter_map(|a| a.energy.as_ref()).flatten().collect();
    if all.is_empty() {
        return "No energy: there is no power log beside an untraced run.".to_owned();
    }
    let systematic = all
        .iter()
        .filter(|energy| rail == Some(&RailAbout::of(energy)))
        .filter_map(|energy| energy.systematic_mj.map(Millijoules::as_mj))
        .reduce(f64::max);
    let sigma = all.iter().map(|energy| energy.alignment.sigma_ns).max().unwrap_or_default();
    format!(
        "Rail {} of {}; idle power: {}; estimator {}; clocks tied by {} (standard uncertainty at most {sigma}); \
         systematic uncertainty {}.",
        rail.map_or_else(|| "none".to_owned(), ToString::to_string),
        listed(all.iter().map(|energy| RailAbout::of(energy).to_string())),
        alike(&all.iter().map(|energy| energy.idle_how.as_str()).collect::<Vec<_>>()),
        listed(all.iter().filter_map(|energy| energy.estimator.clone())),
        listed(all.iter().map(|energy| energy.alignment.method.clone())),
        systematic.map_or_else(
            || "unknown".to_owned(),
            |mj| format!("at most {} a request (the sensor's gain and resolution, the estimator; in no interval)", Millijoules::from_mj(mj))
        )
    )
}

/// The first, and how many others there are that differ in their numbers.
fn alike(texts: &[&str]) -> String {
    let different: BTreeSet<&str> = texts.iter().copied().collect();
    let first = texts.first().map_or_else(|| "unknown".to_owned(), |text| plain(text, LONGEST));
    match different.len() {
        0 | 1 => first,
        several => format!("{first} (and {} others, one for each unit)", several - 1),
    }
}

fn tracing(runs: &Runs, manifests: &[&Manifest], can: &Availability) -> String {
    let used: Vec<_> = manifests.iter().filter_map(|manifest| manifest.nsys.as_ref()).collect();
    let traced = runs.found.iter().filter(|run| run.traced).count();
    if used.is_empty() && traced > 0 {
        return format!("{traced} traced runs have no manifest: how nsys was used is not known.");
    }
    if used.is_empty() {
        let why = can.no_nsys.as_deref().unwrap_or("no traced run was asked for or kept");
        return format!("No run was traced: {}.", plain(why, LONGEST));
    }
    let overheads = overheads(runs);
    let cost = match stats::quantile(&overheads, 0.5) {
        Some(middle) => {
            let reach =
                overheads.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
            format!(
                "requests take {middle:.3} times as long under nsys (median of {} pairs of runs; {:.3} to {:.3})",
                overheads.len(),
                reach.0,
                reach.1
            )
        }
        None => "what tracing costs is unknown: no untraced run of the same repetition".to_owned(),
    };
    format!(
        "Nsight Systems {}, options {}; {cost}. Latency and energy are taken from untraced runs only.",
        listed(used.iter().map(|nsys| nsys.version.clone())),
        listed(used.iter().map(|nsys| nsys.options.join(" ")))
    )
}

/// Median latency of each traced run over that of the untraced one of the same cell and repetition.
pub(super) fn overheads(runs: &Runs) -> Vec<f64> {
    let traced = runs.found.iter().filter(|run| run.path == ExecutionPath::Request && run.traced);
    let ratio = |run: &FoundRun| {
        let mut same = runs.of(run.model, run.checkpoint, run.path, false);
        let other = same.find(|other| other.repeat == run.repeat)?;
        Some(median(run)? / median(other)?)
    };
    traced.filter_map(ratio).filter(|ratio| ratio.is_finite()).collect()
}

/// Median latency by the program's own clock, ns.
pub(super) fn median(run: &FoundRun) -> Option<f64> {
    let spans = run.run.sidecar.as_ref()?.spans();
    let lengths: Vec<f64> = spans.map(|(_, length)| length.as_ns() as f64).collect();
    stats::quantile(&lengths, 0.5)
}
