//! An analysis as a short summary and tables.

use super::table::{Cell, Table, grouped, number, text};
use crate::attribution::document::{Analysis, Api, Gpu, Idle, IdleKinds, Instance, Kernels};
use crate::units::{Nanos, Share, plain};

/// A line of the summary: what it is about, and the line.
pub type Line = (&'static str, String);

/// The summary: trace, windows, API, GPU, idle, verdict.
pub fn summary(analysis: &Analysis) -> Vec<Line> {
    let mut lines = Vec::new();
    trace(analysis, &mut lines);
    windows(analysis, &mut lines);
    match &analysis.api {
        Some(api) => lines.push(("api", api_line(api))),
        None => lines.push(("api", "– (the export has no table of CUDA API calls)".to_owned())),
    }
    match (&analysis.gpu, &analysis.kernels) {
        (Some(gpu), kernels) => lines.push(("gpu", gpu_line(gpu, kernels.as_ref(), analysis))),
        (None, _) => {
            lines.push(("gpu", "– (the export has no table of GPU operations)".to_owned()));
        }
    }
    if let Some(kernels) = &analysis.kernels {
        groups(kernels, &mut lines);
    }
    if let Some(idle) = &analysis.idle {
        lines.push(("idle", idle_line(idle, analysis.windows.total_ns)));
    }
    lines.extend(analysis.energy.iter().flatten().flat_map(super::energy::lines));
    if let Some(verdict) = &analysis.verdict {
        lines.push(("verdict", format!("{}: {}", verdict.kind, verdict.detail)));
    }
    lines
}

fn trace(analysis: &Analysis, lines: &mut Vec<Line>) {
    let Some(trace) = &analysis.trace else { return };
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
    let or_dash =
        |time: Option<Nanos>| time.map_or_else(|| "–".to_owned(), |time| time.to_string());
    let mut line = format!("`{}`: ", plain(&windows.spec, 80));
    if windows.count == 1 {
        line += &format!("1 instance of {}", or_dash(windows.mean_ns));
    } else {
        line += &format!(
            "{} instances, mean {} ± {} (p50 {}, p95 {}, p99 {}, min {}, max {}), total {}",
            grouped(windows.count as u64),
            or_dash(windows.mean_ns),
            or_dash(windows.stddev_ns),
            or_dash(windows.p50_ns),
            or_dash(windows.p95_ns),
            or_dash(windows.p99_ns),
            or_dash(windows.min_ns),
            or_dash(windows.max_ns),
            windows.total_ns,
        );
        if windows.union_ns != windows.total_ns {
            line += &format!(", union {}", windows.union_ns);
        }
    }
    if let Some(share) = windows.contained_share {
        line += &format!("; they contain {share} of the work they launched");
    }
    lines.push(("windows", line));
}

fn api_line(api: &Api) -> String {
    let launch = &api.launch;
    let mut line = format!(
        "{} in {} calls · launch share {} ({} in {} calls{}) · API cover {} of wall",
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
    );
    let of_launch = |time: Nanos| Share::of(time.as_ns(), launch.time_ns.as_ns());
    if launch.blocked_ns > Nanos::ZERO {
        line +=
            &format!(" · blocked launches {} of launch time", dash(of_launch(launch.blocked_ns)));
    }
    if launch.first_use_ns > Nanos::ZERO {
        line += &format!(" · first-use launches {}", dash(of_launch(launch.first_use_ns)));
    }
    line
}

fn gpu_line(gpu: &Gpu, kernels: Option<&Kernels>, analysis: &Analysis) -> String {
    let wall = analysis.windows.total_ns.as_ns();
    let mut line =
        format!("busy {} of wall ({})", dash(Share::of(gpu.busy_ns.as_ns(), wall)), gpu.busy_ns);
    if gpu.by_device.len() > 1 {
        let each: Vec<String> = gpu
            .by_device
            .iter()
            .map(|device| {
                format!(
                    "device {} {}",
                    device.device,
                    dash(Share::of(device.busy_ns.as_ns(), wall))
                )
            })
            .collect();
        line += &format!(" [{}]", each.join(", "));
    }
    match kernels {
        Some(kernels) => {
            line += &format!(
                " · {} kernels, {} (rule {}) on {} streams",
                grouped(kernels.count),
                kernels.total_ns,
                kernels.rule,
                kernels.streams
            );
            let mean = kernels.total_ns.as_ns().checked_div(kernels.count as i64);
            if let Some(mean) = mean {
                line += &format!(", mean {}", Nanos::from_ns(mean));
            }
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

fn idle_line(idle: &Idle, wall: Nanos) -> String {
    let share = |time: Nanos| Share::of(time.as_ns(), wall.as_ns());
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
    line
}

fn idle_parts(idle: &Idle) -> [(&'static str, Nanos); 9] {
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

/// The tables that a person wants in a terminal: what the summary says already is left out, long
/// lists are cut to `top` rows.
pub fn short_tables(analysis: &Analysis, per_window: bool, top: usize) -> Vec<Table> {
    tables(analysis, per_window)
        .into_iter()
        .filter(|table| match table.name {
            // The summary has said it in sentences.
            "groups" | "energy" => false,
            "rules" => analysis.findings.iter().any(|finding| finding.code == "rules-disagree"),
            _ => true,
        })
        .map(|table| match table.name {
            "api" | "kernels" | "classes" => table.shortened(top),
            _ => table,
        })
        .collect()
}

/// Every table of an analysis, whole; instances too when `per_window`.
pub fn tables(analysis: &Analysis, per_window: bool) -> Vec<Table> {
    let mut tables = Vec::new();
    if let Some(energy) = &analysis.energy {
        tables.push(super::energy::table(energy));
    }
    if let Some(api) = &analysis.api {
        tables.push(api_table(api));
    }
    if let Some(kernels) = &analysis.kernels {
        tables.push(class_table(kernels));
        tables.push(kernel_table(kernels));
        tables.push(group_table(kernels));
        tables.push(rule_table(kernels));
    }
    if let Some(copies) = analysis.copies.as_ref().filter(|copies| !copies.is_empty()) {
        tables.push(Table {
            name: "copies",
            title: "Copies and memsets".to_owned(),
            columns: vec![
                text("kind", "kind"),
                number("count", "count"),
                number("time", "time_ns"),
                number("bytes", "bytes"),
            ],
            rows: copies
                .iter()
                .map(|copy| {
                    vec![
                        Cell::from(copy.kind.as_str()),
                        Cell::Count(copy.count),
                        Cell::Time(copy.time_ns),
                        Cell::Bytes(copy.bytes),
                    ]
                })
                .collect(),
            note: None,
        });
    }
    if let Some(idle) = &analysis.idle {
        tables.push(idle_table(idle, analysis));
    }
    if per_window {
        tables.push(instance_table(&analysis.windows.instances));
    }
    tables
}

fn api_table(api: &Api) -> Table {
    let nested = api.by_name.iter().any(|function| function.self_ns != function.time_ns);
    let mut columns = vec![
        text("CUDA API", "name"),
        number("calls", "calls"),
        number("time", "time_ns"),
        number("mean", "mean_ns"),
        number("share of API time", "share_pct"),
    ];
    if nested {
        columns.push(number("self time", "self_ns"));
    }
    let row = |function: &crate::attribution::document::ApiFunction| {
        let mean = function.time_ns.as_ns().checked_div(function.calls as i64).map(Nanos::from_ns);
        let mut row = vec![
            Cell::from(function.name.as_str()),
            Cell::Count(function.calls),
            Cell::Time(function.time_ns),
            mean.into(),
            function.share.into(),
        ];
        if nested {
            row.push(Cell::Time(function.self_ns));
        }
        row
    };
    Table {
        name: "api",
        title: format!(
            "CUDA API time inside the windows: {} in {} calls",
            api.total_ns,
            grouped(api.calls)
        ),
        columns,
        rows: api.by_name.iter().map(row).collect(),
        note: None,
    }
}

fn class_table(kernels: &Kernels) -> Table {
    let by_context = kernels.by_class.iter().any(|class| class.by_context_ns > Nanos::ZERO);
    let mut columns = vec![
        text("class", "class"),
        number("kernels", "count"),
        number("time", "time_ns"),
        number("share of kernel time", "share_pct"),
    ];
    if by_context {
        columns.push(number("by context", "by_context_ns"));
    }
    let row = |class: &crate::attribution::document::KernelClass| {
        let mut row = vec![
            Cell::from(class.class.as_str()),
            Cell::Count(class.count),
            Cell::Time(class.time_ns),
            class.share.into(),
        ];
        if by_context {
            row.push(Cell::Time(class.by_context_ns));
        }
        row
    };
    Table {
        name: "classes",
        title: format!(
            "Kernel classes, rule {}: {} in {} kernels",
            kernels.rule,
            kernels.total_ns,
            grouped(kernels.count)
        ),
        columns,
        rows: kernels.by_class.iter().map(row).collect(),
        note: None,
    }
}

fn kernel_table(kernels: &Kernels) -> Table {
    let row = |kernel: &crate::attribution::document::KernelFunction| {
        vec![
            Cell::from(kernel.name.as_str()),
            Cell::from(kernel.class.as_str()),
            Cell::Count(kernel.count),
            Cell::Time(kernel.time_ns),
            kernel.share.into(),
        ]
    };
    Table {
        name: "kernels",
        title: "Kernels".to_owned(),
        columns: vec![
            text("kernel", "name"),
            text("class", "class"),
            number("count", "count"),
            number("time", "time_ns"),
            number("share", "share_pct"),
        ],
        rows: kernels.by_name.iter().map(row).collect(),
        note: None,
    }
}

fn group_table(kernels: &Kernels) -> Table {
    let rows = kernels.groups.iter().flat_map(|group| {
        group.readings.iter().map(|reading| {
            let headline = if reading.name == group.headline { "headline" } else { "" };
            vec![
                Cell::from(group.name.as_str()),
                Cell::from(reading.name.as_str()),
                Cell::from(headline),
                Cell::Count(reading.count),
                Cell::Time(reading.time_ns),
                reading.share.into(),
                Cell::Text(reading.classes.join(" + ")),
            ]
        })
    });
    Table {
        name: "groups",
        title: "Groups of classes, every reading".to_owned(),
        columns: vec![
            text("group", "group"),
            text("reading", "reading"),
            text("", "headline"),
            number("kernels", "count"),
            number("time", "time_ns"),
            number("share", "share_pct"),
            text("classes", "classes"),
        ],
        rows: rows.collect(),
        note: None,
    }
}

fn rule_table(kernels: &Kernels) -> Table {
    let rules = [
        ("launched", kernels.rules.launched),
        ("started", kernels.rules.started),
        ("overlap", kernels.rules.overlap),
    ];
    Table {
        name: "rules",
        title: "Kernel time under each rule".to_owned(),
        columns: vec![text("rule", "rule"), number("kernels", "count"), number("time", "time_ns")],
        rows: rules
            .iter()
            .map(|(name, sum)| {
                vec![Cell::from(*name), Cell::Count(sum.count), Cell::Time(sum.time_ns)]
            })
            .collect(),
        note: None,
    }
}

fn idle_table(idle: &Idle, analysis: &Analysis) -> Table {
    let wall = analysis.windows.total_ns.as_ns();
    let busy = analysis.gpu.as_ref().map(|gpu| gpu.busy_ns);
    let mut rows = Vec::new();
    let mut row = |name: &str, time: Nanos, head: Option<Nanos>, tail: Option<Nanos>| {
        rows.push(vec![
            Cell::from(name),
            Cell::Time(time),
            Share::of(time.as_ns(), wall).into(),
            head.into(),
            tail.into(),
        ]);
    };
    if let Some(busy) = busy {
        row("busy", busy, None, None);
    }
    let kinds = |name: &str| {
        let pick = |kinds: &IdleKinds| match name {
            "launch" => Some(kinds.launch_ns),
            "queue" => Some(kinds.queue_ns),
            "api" => Some(kinds.api_ns),
            "sync" => Some(kinds.sync_ns),
            "host" => Some(kinds.host_ns),
            "unknown" => Some(kinds.unknown_ns),
            _ => None,
        };
        (pick(&idle.head_by), pick(&idle.tail_by))
    };
    for (name, time) in idle_parts(idle) {
        let (head, tail) = kinds(name);
        row(name, time, head, tail);
    }
    row(
        "of host: dispatch",
        idle.dispatch_ns,
        Some(idle.head_by.dispatch_ns),
        Some(idle.tail_by.dispatch_ns),
    );
    Table {
        name: "idle",
        title: "Where the wall time of the windows went".to_owned(),
        columns: vec![
            text("part", "part"),
            number("time", "time_ns"),
            number("share of wall", "share_pct"),
            number("in head", "head_ns"),
            number("in tail", "tail_ns"),
        ],
        rows,
        note: None,
    }
}

/// The instances of an analysis.
pub fn instance_table(instances: &[Instance]) -> Table {
    let row = |window: &Instance| {
        vec![
            Cell::Count(window.index as u64),
            Cell::Text(plain(&window.label, 60)),
            Cell::Text(format!("{:.6}", window.start_ns.as_ns() as f64 / 1e9)),
            Cell::Time(window.end_ns - window.start_ns),
            Cell::Count(window.calls),
            Cell::Time(window.api_ns),
            Cell::Count(window.launches),
            Cell::Time(window.launch_ns),
            Cell::Count(window.kernels),
            Cell::Time(window.kernel_ns),
            Cell::Time(window.busy_ns),
        ]
    };
    Table {
        name: "instances",
        title: "Instances".to_owned(),
        columns: vec![
            number("#", "index"),
            text("label", "label"),
            number("start s", "start_s"),
            number("length", "length_ns"),
            number("calls", "calls"),
            number("API", "api_ns"),
            number("launches", "launches"),
            number("launch", "launch_ns"),
            number("kernels", "kernels"),
            number("kernel", "kernel_ns"),
            number("busy", "busy_ns"),
        ],
        rows: instances.iter().map(row).collect(),
        note: None,
    }
}
