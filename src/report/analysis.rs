//! An analysis as tables.

use super::summary::idle_parts;
use super::table::{Cell, Table, grouped, number, text};
use crate::attribution::document::{Analysis, Api, Idle, IdleKinds, Instance, Kernels, Rules};
use crate::units::Nanos;

/// The tables that a person wants in a terminal: what the summary says already is left out, long
/// lists are cut to `top` rows.
pub fn short_tables(analysis: &Analysis, per_window: bool, top: usize) -> Vec<Table> {
    tables(analysis, per_window)
        .into_iter()
        .filter(|table| match table.name {
            // The summary has said it in sentences.
            "groups" | "summary" | "findings" | "energy" => false,
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
    let mut tables = vec![summary_table(analysis)];
    if let Some(energy) = &analysis.energy {
        tables.push(super::energy::table(energy));
    }
    if let Some(api) = &analysis.api {
        let place = match analysis.imported {
            Some(_) if is_doubtful(analysis) => "of the imported table",
            Some(_) => "of the whole capture",
            None if analysis.windows.are_moved() => "in the CPU spans of the moved windows",
            None => "inside the windows",
        };
        tables.push(api_table(api, place));
    }
    if let Some(kernels) = &analysis.kernels {
        tables.push(class_table(kernels));
        tables.push(kernel_table(kernels));
        tables.push(group_table(kernels));
        tables.extend(kernels.rules.as_ref().map(rule_table));
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
                        copy.bytes.map_or(Cell::Missing, Cell::Bytes),
                    ]
                })
                .collect(),
            note: None,
        });
    }
    if let Some(idle) = &analysis.idle {
        tables.push(idle_table(idle, analysis));
    }
    if per_window && analysis.imported.is_none() {
        tables.push(instance_table(analysis));
    }
    tables.push(finding_table(analysis));
    tables
}

/// Whether imported tables may be of a part of the capture only.
fn is_doubtful(analysis: &Analysis) -> bool {
    let parts = ["counts-disagree", "filtered-report"];
    analysis.findings.iter().any(|finding| parts.contains(&finding.code.as_str()))
}

/// The single numbers of an analysis, one in a row.
fn summary_table(analysis: &Analysis) -> Table {
    let mut rows = Vec::new();
    let mut row = |name: &str, cell: Cell| rows.push(vec![Cell::from(name), cell]);
    let windows = &analysis.windows;
    row("windows", Cell::Count(windows.count as u64));
    row("windows_total_ns", windows.total_ns.into());
    row("windows_union_ns", windows.union_ns.into());
    row("windows_gaps_ns", windows.gaps_ns.into());
    for (name, value) in [
        ("windows_mean_ns", windows.mean_ns),
        ("windows_stddev_ns", windows.stddev_ns),
        ("windows_min_ns", windows.min_ns),
        ("windows_p50_ns", windows.p50_ns),
        ("windows_p90_ns", windows.p90_ns),
        ("windows_p95_ns", windows.p95_ns),
        ("windows_p99_ns", windows.p99_ns),
        ("windows_max_ns", windows.max_ns),
    ] {
        row(name, value.into());
    }
    row("contained_share_pct", windows.contained_share.into());
    if let Some(api) = &analysis.api {
        row("api_total_ns", Cell::Time(api.total_ns));
        row("api_calls", Cell::Count(api.calls));
        row("api_calls_started", Cell::Count(api.calls_started));
        row("api_cover_share_pct", api.cover_share.into());
        row("launch_ns", Cell::Time(api.launch.time_ns));
        row("launch_calls", Cell::Count(api.launch.calls));
        row("launch_share_pct", api.launch.share.into());
        row("launch_blocked_ns", api.launch.blocked_ns.into());
        row("launch_first_use_ns", api.launch.first_use_ns.into());
    }
    if let Some(kernels) = &analysis.kernels {
        row("kernel_rule", Cell::Text(kernels.rule.to_string()));
        row("kernel_total_ns", Cell::Time(kernels.total_ns));
        row("kernels", Cell::Count(kernels.count));
        row("kernel_orphans", kernels.orphans.map_or(Cell::Missing, Cell::Count));
        row("kernel_streams", kernels.streams.map_or(Cell::Missing, |n| Cell::Count(n as u64)));
        row("tklqt_ns", kernels.tklqt_ns.into());
    }
    if let Some(delay) = &analysis.launch_delay {
        row("launch_delay_p50_ns", delay.p50_ns.into());
        row("launch_delay_p95_ns", delay.p95_ns.into());
        row("launch_delay_max_ns", delay.max_ns.into());
    }
    if let Some(gpu) = &analysis.gpu {
        row("gpu_busy_ns", Cell::Time(gpu.busy_ns));
        row("gpu_busy_share_pct", windows.share_of_wall(gpu.busy_ns).into());
        row("gpu_copy_only_ns", Cell::Time(gpu.copy_only_ns));
        row("gpu_foreign_busy_ns", Cell::Time(gpu.foreign_busy_ns));
    }
    if let Some(verdict) = &analysis.verdict {
        row("verdict", Cell::from(verdict.kind.as_str()));
    }
    Table {
        name: "summary",
        title: "Summary".to_owned(),
        columns: vec![text("quantity", "quantity"), number("value", "value")],
        rows,
        note: None,
    }
}

fn finding_table(analysis: &Analysis) -> Table {
    let row = |finding: &crate::finding::Finding| {
        vec![
            Cell::from(finding.code.as_str()),
            Cell::Text(finding.severity.to_string()),
            Cell::from(finding.message.as_str()),
            Cell::from(finding.remedy.as_str()),
        ]
    };
    Table {
        name: "findings",
        title: "Findings".to_owned(),
        columns: vec![
            text("code", "code"),
            text("severity", "severity"),
            text("message", "message"),
            text("remedy", "remedy"),
        ],
        rows: analysis.findings.iter().map(row).collect(),
        note: None,
    }
}

fn api_table(api: &Api, place: &str) -> Table {
    let differs = |function: &crate::attribution::document::ApiFunction| {
        function.self_ns.is_some_and(|own| own != function.time_ns)
    };
    let nested = api.by_name.iter().any(differs);
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
        let mean = function.time_ns.mean_of(function.calls);
        let mut row = vec![
            Cell::from(function.name.as_str()),
            Cell::Count(function.calls),
            Cell::Time(function.time_ns),
            mean.into(),
            function.share.into(),
        ];
        if nested {
            row.push(function.self_ns.into());
        }
        row
    };
    Table {
        name: "api",
        title: format!("CUDA API time {place}: {} in {} calls", api.total_ns, grouped(api.calls)),
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
            "Kernel classes{}: {} in {} kernels",
            // No rule chose the rows of an imported table.
            kernels.rules.map_or_else(String::new, |_| format!(", rule {}", kernels.rule)),
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

fn rule_table(rules: &Rules) -> Table {
    let rules =
        [("launched", rules.launched), ("started", rules.started), ("overlap", rules.overlap)];
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
    let busy = analysis.gpu.as_ref().map(|gpu| gpu.busy_ns);
    let mut rows = Vec::new();
    let mut row = |name: &str, time: Nanos, head: Option<Nanos>, tail: Option<Nanos>| {
        rows.push(vec![
            Cell::from(name),
            Cell::Time(time),
            analysis.windows.share_of_wall(time).into(),
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

/// The instances of an analysis. What a table of the export would say is missing where the export lacks it; a run
/// without a trace has lengths alone.
fn instance_table(analysis: &Analysis) -> Table {
    let known = |known: bool, cell: Cell| if known { cell } else { Cell::Missing };
    let (api, kernels, gpu) =
        (analysis.api.is_some(), analysis.kernels.is_some(), analysis.gpu.is_some());
    let traced = analysis.trace.is_some();
    let row = |window: &Instance| {
        let mut row = vec![
            Cell::Count(window.index as u64),
            Cell::from(window.label.as_str()),
            Cell::Instant(window.start_ns),
            Cell::Time(window.end_ns - window.start_ns),
        ];
        if traced {
            row.extend([
                known(api, Cell::Count(window.calls)),
                known(api, Cell::Time(window.api_ns)),
                known(api, Cell::Count(window.launches)),
                known(api, Cell::Time(window.launch_ns)),
                known(kernels, Cell::Count(window.kernels)),
                known(kernels, Cell::Time(window.kernel_ns)),
                known(gpu, Cell::Time(window.busy_ns)),
            ]);
        }
        row
    };
    let mut columns = vec![
        number("#", "index"),
        text("label", "label"),
        number("start", "start_ns"),
        number("length", "length_ns"),
    ];
    if traced {
        columns.extend([
            number("calls", "calls"),
            number("API", "api_ns"),
            number("launches", "launches"),
            number("launch", "launch_ns"),
            number("kernels", "kernels"),
            number("kernel", "kernel_ns"),
            number("busy", "busy_ns"),
        ]);
    }
    Table {
        name: "instances",
        title: "Instances".to_owned(),
        columns,
        rows: analysis.windows.instances.iter().map(row).collect(),
        note: None,
    }
}
