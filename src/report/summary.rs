//! The summary of an analysis in a few lines: trace, windows, API, GPU, idle, verdict.

pub use super::line::Line;
use super::table::grouped;
use crate::attribution::document::{Analysis, Api, Gpu, Idle, Kernels, Windows};
use crate::finding::Finding;
use crate::units::{Nanos, Share, plain};

/// The summary: trace, windows, API, GPU, idle, verdict.
pub fn summary(analysis: &Analysis) -> Vec<Line> {
    let mut lines = Vec::new();
    trace(analysis, &mut lines);
    windows(analysis, &mut lines);
    match &analysis.api {
        Some(api) => lines.push(("api", api_line(api, &analysis.windows))),
        // Of a run without a trace nobody expects them.
        None if analysis.trace.is_none() => {}
        None => lines.push(("api", "– (the export has no table of CUDA API calls)".to_owned())),
    }
    match (&analysis.gpu, &analysis.kernels) {
        (Some(gpu), kernels) => lines.push(("gpu", gpu_line(gpu, kernels.as_ref(), analysis))),
        (None, Some(kernels)) if analysis.imported.is_some() => {
            lines.push(("gpu", format!("busy – of wall{}", kernels_words(kernels))));
        }
        (None, _) if analysis.trace.is_none() => {}
        (None, _) => {
            lines.push(("gpu", "– (the export has no table of GPU operations)".to_owned()));
        }
    }
    if let Some(kernels) = &analysis.kernels {
        groups(kernels, &mut lines);
    }
    if let Some(idle) = &analysis.idle {
        let foreign = analysis.gpu.as_ref().map_or(Nanos::ZERO, |gpu| gpu.foreign_busy_ns);
        lines.push(("idle", idle_line(idle, foreign, &analysis.windows)));
    }
    lines.extend(analysis.energy.iter().flatten().flat_map(super::energy::lines));
    if let Some(verdict) = &analysis.verdict {
        lines.push(("verdict", format!("{}: {}", verdict.kind, verdict.detail)));
        lines.push(("because", verdict.because.join(" · ")));
    } else if let Some(finding) = analysis.findings.iter().find(|one| one.code == "no-verdict") {
        lines.push(("verdict", no_verdict(finding)));
    }
    lines
}

/// Why there is none, in a few words; the finding has more.
fn no_verdict(finding: &Finding) -> String {
    let why = if finding.numbers.contains_key("contained_share") {
        "the windows contain too little of the work that they launched"
    } else {
        "runs of kernels are busy by construction"
    };
    format!("none: {why} (finding no-verdict)")
}

fn trace(analysis: &Analysis, lines: &mut Vec<Line>) {
    let Some(trace) = &analysis.trace else {
        let folder = analysis.source().map(|folder| plain(folder, 120));
        lines.extend(folder.map(|folder| ("run", format!("{folder} · not traced"))));
        return;
    };
    let mut parts = vec![plain(&trace.path, 120)];
    match (&trace.exporter_version, &trace.schema_version) {
        (Some(exporter), Some(schema)) => parts.push(format!("nsys {exporter} (schema {schema})")),
        (Some(exporter), None) => parts.push(format!("nsys {exporter}")),
        _ => parts.push("nsys version not recorded".to_owned()),
    }
    let mut names: Vec<String> = trace
        .devices
        .iter()
        .filter_map(|device| device.name.clone())
        .map(|name| plain(&name, 60))
        .collect();
    names.dedup();
    if !names.is_empty() {
        let count = trace.devices.len();
        let times =
            if count > 1 && names.len() == 1 { format!("{count}x ") } else { String::new() };
        parts.push(format!("{times}{}", names.join(", ")));
    }
    if let Some(start) = trace.session_start_unix_ns {
        parts.push(start.to_string());
    }
    lines.push(("trace", parts.join(" · ")));
}

fn windows(analysis: &Analysis, lines: &mut Vec<Line>) {
    let windows = &analysis.windows;
    if let Some(imported) = &analysis.imported {
        let capture = imported.capture.as_ref();
        let of = capture.map_or_else(String::new, |name| format!(" of {}", plain(name, 100)));
        let source = plain(&imported.source, 40);
        lines.push((
            "sums",
            format!("{}{of}, as `{source}` printed them; no windows", windows.spec),
        ));
        return;
    }
    let or_dash =
        |time: Option<Nanos>| time.map_or_else(|| "–".to_owned(), |time| time.to_string());
    let mut line = format!("`{}`: ", plain(&windows.spec, 80));
    if windows.count == 1 {
        line += &format!("1 instance of {}", or_dash(windows.mean_ns));
    } else {
        line += &format!(
            "{} instances, mean {} ± {} (standard deviation; p50 {}, p95 {}, p99 {}, min {}, max {}), total {}",
            grouped(windows.count as u64),
            or_dash(windows.mean_ns),
            or_dash(windows.stddev_ns),
            or_dash(windows.p50_ns),
            or_dash(windows.p95_ns),
            or_dash(windows.p99_ns),
            or_dash(windows.min_ns),
            or_dash(windows.max_ns),
            or_dash(windows.total_ns),
        );
        if windows.union_ns != windows.total_ns {
            line += &format!(", union {}", or_dash(windows.union_ns));
        }
    }
    if let Some(share) = windows.contained_share {
        line += &format!("; they contain {share} of the work they launched");
    }
    lines.push(("windows", line));
}

/// Share of API time in other threads from which it is said that API cover leaves them out.
const OTHER_THREADS: f64 = 0.005;

/// What API cover is a share of, and whose calls it counts where those of other threads are in the sum.
pub(super) fn cover_of(api: &Api, windows: &Windows) -> String {
    let wall = if windows.are_moved() { "of the CPU spans" } else { "of wall time" };
    let (own, all) = (api.own_thread_ns.unwrap_or(api.total_ns), api.total_ns);
    let others = Share::of((all - own).as_ns(), all.as_ns());
    match others.filter(|share| share.as_f64() > OTHER_THREADS) {
        Some(others) => {
            format!("{wall}, the windows' own threads alone: others made {others} of the API time")
        }
        None => wall.to_owned(),
    }
}

fn api_line(api: &Api, windows: &Windows) -> String {
    let launch = &api.launch;
    let mut line = format!(
        "{} in {} calls · launch share {} ({} in {} calls{}) · API cover {} {}",
        api.total_ns,
        grouped(api.calls),
        dash(launch.share),
        launch.time_ns,
        grouped(launch.calls),
        if launch.names.is_empty() {
            String::new()
        } else {
            format!(": {}", launch.names.join(", "))
        },
        dash(api.cover_share),
        cover_of(api, windows),
    );
    let of_launch = |time: Nanos| Share::of(time.as_ns(), launch.time_ns.as_ns());
    if let Some(blocked) = launch.blocked_ns.filter(|time| *time > Nanos::ZERO) {
        line += &format!(" · blocked launches {} of launch time", dash(of_launch(blocked)));
    }
    if let Some(first_use) = launch.first_use_ns.filter(|time| *time > Nanos::ZERO) {
        line += &format!(" · first-use launches {} of launch time", dash(of_launch(first_use)));
    }
    line
}

fn gpu_line(gpu: &Gpu, kernels: Option<&Kernels>, analysis: &Analysis) -> String {
    let of_wall = |time: Nanos| dash(analysis.windows.share_of_wall(time));
    let mut line = format!("busy {} of wall ({})", of_wall(gpu.busy_ns), gpu.busy_ns);
    if gpu.by_device.len() > 1 {
        let each: Vec<String> = gpu
            .by_device
            .iter()
            .map(|device| format!("device {} {}", device.device, of_wall(device.busy_ns)))
            .collect();
        line += &format!(" [{}]", each.join(", "));
    }
    match kernels {
        Some(kernels) => {
            line += &kernels_words(kernels);
        }
        None => line += " · no table of kernels",
    }
    if let Some(delay) = analysis.launch_delay.filter(|delay| delay.count > 0) {
        let time =
            |time: Option<Nanos>| time.map_or_else(|| "–".to_owned(), |time| format!("{time:.1}"));
        line += &format!(" · launch delay p50 {}, p95 {}", time(delay.p50_ns), time(delay.p95_ns));
    }
    line
}

fn kernels_words(kernels: &Kernels) -> String {
    let mut line = format!(" · {} kernels, {}", grouped(kernels.count), kernels.total_ns);
    // Imported sums hold every kernel of their table whole: no rule chose them.
    if kernels.rules.is_some() {
        line += &format!(" (rule {})", kernels.rule);
    }
    if let Some(streams) = kernels.streams {
        let word = if streams == 1 { "stream" } else { "streams" };
        line += &format!(" on {streams} {word}");
    }
    if let Some(mean) = kernels.total_ns.mean_of(kernels.count) {
        line += &format!(", mean {mean}");
    }
    line
}

fn groups(kernels: &Kernels, lines: &mut Vec<Line>) {
    for group in &kernels.groups {
        if group.readings.iter().all(|reading| reading.count == 0) {
            continue;
        }
        let readings: Vec<String> = group
            .readings
            .iter()
            .map(|reading| {
                let mark = if reading.name == group.headline { " (headline)" } else { "" };
                format!("{}{mark} {}", reading.name, dash(reading.share))
            })
            .collect();
        lines.push(("group", format!("{} of kernel time: {}", group.name, readings.join(" · "))));
    }
}

fn idle_line(idle: &Idle, foreign: Nanos, windows: &Windows) -> String {
    let share = |time: Nanos| windows.share_of_wall(time);
    let mut parts = vec![format!("{} of wall", dash(share(idle.total())))];
    for (name, time) in idle_parts(idle) {
        if time > Nanos::ZERO {
            parts.push(format!("{name} {}", dash(share(time))));
        }
    }
    let mut line = parts.join(" · ");
    if idle.dispatch_ns > Nanos::ZERO {
        line += &format!(
            " (dispatch {} of it)",
            dash(Share::of(idle.dispatch_ns.as_ns(), idle.host_ns.as_ns()))
        );
    }
    if foreign > Nanos::ZERO {
        line += &format!(
            " · idle of this process: other processes keep the GPU busy for {} of wall",
            dash(share(foreign))
        );
    }
    line
}

pub(super) fn idle_parts(idle: &Idle) -> [(&'static str, Nanos); 9] {
    [
        ("none", idle.none_ns),
        ("head", idle.head_ns),
        ("tail", idle.tail_ns),
        ("launch", idle.launch_ns),
        ("queue", idle.queue_ns),
        ("api", idle.api_ns),
        ("sync", idle.sync_ns),
        ("unknown", idle.unknown_ns),
        ("host", idle.host_ns),
    ]
}

fn dash(share: Option<Share>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| share.to_string())
}
