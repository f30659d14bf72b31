//! A replay of windows, in sentences and as tables.

use super::line::Line;
use super::table::{Cell, Table, number, text};
use crate::replay::document::{Bound, Fit, Lengths, Outcome, Prediction, Replay};
use crate::units::{Nanos, Share, fixed, plain, signed as sign};

/// `+0.12 %`.
fn signed(part: f64) -> String {
    format!("{} %", sign(100.0 * part, 2))
}

/// `61.3 % [60.9, 61.8]`: how much of the time is gone; a negative gain is a loss.
fn gain(gain: f64, ci: Option<[f64; 2]>) -> String {
    let interval = ci.map_or_else(String::new, |[low, high]| {
        format!(" [{}, {}]", fixed(100.0 * low, 1), fixed(100.0 * high, 1))
    });
    format!("{} %{interval}", fixed(100.0 * gain, 1))
}

fn bound(bound: &Bound) -> String {
    match bound.share {
        Some(share) => format!("{} ({:.1} % of the critical path)", bound.by, 100.0 * share),
        None => bound.by.clone(),
    }
}

fn distribution(lengths: &Lengths) -> String {
    format!(
        "mean {} (p50 {}, p95 {}, p99 {}, max {})",
        lengths.mean_ns, lengths.p50_ns, lengths.p95_ns, lengths.p99_ns, lengths.max_ns
    )
}

/// Whether the model fits.
fn fit(fit: &Fit) -> String {
    let mean = |total: Nanos| total.mean_of(fit.windows as u64).unwrap_or(Nanos::ZERO);
    let mut line = format!(
        "unchanged {} against {} recorded, a window · replay error {} (median window {:.2} %, worst {:.2} % in window \
         {})",
        mean(fit.replayed_ns),
        mean(fit.recorded_ns),
        signed(fit.error_total),
        100.0 * fit.error_median,
        100.0 * fit.error_max,
        fit.error_max_window
    );
    if let Some(last) = fit.last_operation_error_median {
        line += &format!(" · end of the last operation {:.2} %", 100.0 * last);
    }
    line += &format!(" · recomputed {:.1} % of wall", 100.0 * fit.recomputed_share);
    if fit.nothing_to_test {
        line += ": nothing to test";
    }
    line
}

/// The lines above the tables.
pub fn summary(replay: &Replay) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(trace) = &replay.trace {
        lines.push(("trace", plain(&trace.path, 100)));
    }
    let replayed = replay.identity.as_ref().map_or(0, |fit| fit.windows);
    lines.push((
        "windows",
        format!("`{}`: {} instances, {replayed} replayed", plain(&replay.spec, 80), replay.windows),
    ));
    lines.extend(replay.identity.as_ref().map(|found| ("replay", fit(found))));
    lines.push(("machine", machine(replay)));
    if let Some(refused) = &replay.refused {
        lines.push(("refused", format!("{} ({})", refused.message, refused.code)));
        return lines;
    }
    lines.extend(replay.baseline.as_ref().map(|baseline| ("bound by", bound(&baseline.bound_by))));
    lines.extend(limits(replay));
    lines.extend(replay.prediction.as_ref().map(|found| ("change", prediction(found))));
    lines
}

fn machine(replay: &Replay) -> String {
    let machine = &replay.machine;
    let mut line = match machine.queue_depth {
        Some(depth) => format!("launch queue {depth} deep"),
        None => "launch queue never full".to_owned(),
    };
    for slots in &machine.slots {
        line += &format!(" · device {} runs {} at a time", slots.device, count(slots.kernels));
    }
    let seen = if machine.kernel_gap_seen { "" } else { " (assumed: none was seen)" };
    line += &format!(" · {}{seen} between kernels", machine.kernel_gap_ns);
    if machine.stream_waits > 0 || machine.contradicted > 0 {
        line += &format!(" · {} waits between streams", machine.stream_waits);
    }
    if machine.contradicted > 0 {
        line += &format!(" ({} more that the record contradicts)", machine.contradicted);
    }
    line
}

fn count(kernels: u32) -> String {
    if kernels == 1 { "one kernel".to_owned() } else { format!("{kernels} kernels") }
}

fn limits(replay: &Replay) -> Option<Line> {
    let limits = replay.limits.as_ref()?;
    let windows = replay.identity.as_ref()?.windows as u64;
    let mean = |total: Nanos| total.mean_of(windows).unwrap_or(Nanos::ZERO);
    let share = Share::of(limits.critical_path_on_cpu_ns.as_ns(), limits.critical_path_ns.as_ns());
    let share = share.map_or_else(|| "–".to_owned(), |share| share.to_string());
    Some((
        "limits",
        format!(
            "a window: GPU alone {} · CPU alone {} · critical path {}, {share} of it on the CPU",
            mean(limits.gpu_only_ns),
            mean(limits.cpu_only_ns),
            mean(limits.critical_path_ns)
        ),
    ))
}

fn prediction(found: &Prediction) -> String {
    let [low, high] = found.gain_range;
    format!(
        "{}: {} · gain {} · windows from {} to {} % · then bound by {}",
        found.changes.join(" + "),
        distribution(&found.outcome.lengths),
        gain(found.gain, found.gain_ci95),
        fixed(100.0 * low, 1),
        fixed(100.0 * high, 1),
        bound(&found.outcome.bound_by)
    )
}

/// The tables: sensitivity, critical path now and with the change.
pub fn tables(replay: &Replay) -> Vec<Table> {
    let mut tables = Vec::new();
    if !replay.sensitivity.is_empty() {
        tables.push(sensitivity(replay));
    }
    if let Some(baseline) = &replay.baseline {
        tables.push(path("critical-path", "Critical path, unchanged", baseline));
    }
    if let Some(found) = &replay.prediction {
        tables.push(path("critical-path-changed", "Critical path with the change", &found.outcome));
        tables.push(by_window(found));
    }
    tables
}

fn sensitivity(replay: &Replay) -> Table {
    let row = |gain: &crate::replay::document::Gain| {
        let end = |ends: Option<[f64; 2]>, at: usize| {
            ends.map_or(Cell::Missing, |ends| Cell::Percent(100.0 * ends[at]))
        };
        vec![
            Cell::Text(gain.change.clone()),
            Cell::Time(gain.mean_ns),
            Cell::Percent(100.0 * gain.gain),
            end(gain.gain_ci95, 0),
            end(gain.gain_ci95, 1),
            end(gain.gain_range, 0),
            end(gain.gain_range, 1),
            Cell::Text(gain.bound_by.by.clone()),
        ]
    };
    let not_made: Vec<String> =
        replay.not_made.iter().map(|not| format!("{}: {}", not.change, not.reason)).collect();
    Table {
        name: "sensitivity",
        title: "What would change it (gain: share of the time that is gone)".to_owned(),
        columns: vec![
            text("change", "change"),
            number("mean", "mean_ns"),
            number("gain", "gain_pct"),
            number("95 % from", "gain_low_pct"),
            number("to", "gain_high_pct"),
            number("windows from", "gain_least_pct"),
            number("to", "gain_greatest_pct"),
            text("then bound by", "bound_by"),
        ],
        rows: replay.sensitivity.iter().map(row).collect(),
        note: (!not_made.is_empty()).then(|| not_made.join("\n")),
    }
}

fn path(name: &'static str, title: &str, outcome: &Outcome) -> Table {
    let windows = outcome.lengths.count as u64;
    let row = |part: &crate::replay::document::PathPart| {
        vec![
            Cell::Text(part.kind.clone()),
            part.name.as_deref().map_or(Cell::Missing, Cell::from),
            part.time_ns.mean_of(windows).into(),
            part.share.map_or(Cell::Missing, |share| Cell::Percent(100.0 * share)),
        ]
    };
    Table {
        name,
        title: format!("{title} (mean of a window)"),
        columns: vec![
            text("what", "kind"),
            text("name", "name"),
            number("time", "time_ns"),
            number("share", "share_pct"),
        ],
        rows: outcome.path.iter().map(row).collect(),
        note: None,
    }
}

fn by_window(found: &Prediction) -> Table {
    let row = |window: &crate::replay::document::Predicted| {
        let part =
            1.0 - window.predicted_ns.as_ns() as f64 / (window.replayed_ns.as_ns() as f64).max(1.0);
        vec![
            Cell::Count(window.window as u64),
            Cell::Time(window.recorded_ns),
            Cell::Time(window.replayed_ns),
            Cell::Time(window.predicted_ns),
            Cell::Percent(100.0 * part),
        ]
    };
    Table {
        name: "windows",
        title: "Windows with the change".to_owned(),
        columns: vec![
            number("window", "window"),
            number("recorded", "recorded_ns"),
            number("replayed", "replayed_ns"),
            number("predicted", "predicted_ns"),
            number("gain", "gain_pct"),
        ],
        rows: found.by_window.iter().map(row).collect(),
        note: None,
    }
}
