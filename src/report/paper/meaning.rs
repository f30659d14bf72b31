//! Which definition stands behind which column and row of the tables.
//!
//! The texts are those of [`crate::attribution::definitions`] and [`crate::compare::definitions`]; here is only where they apply, so that
//! a page can show them where a reader points, and a caption can carry them.

use crate::attribution::definitions::DEFINITIONS;
use crate::compare::definitions::DEFINITIONS as OF_COMPARISONS;

/// Table, column, key of the definition.
const COLUMNS: &[(&str, &str, &str)] = &[
    ("api", "time_ns", "api.total_ns"),
    ("api", "self_ns", "api.by_name.self_ns"),
    ("api", "share_pct", "api.by_name.share"),
    ("classes", "time_ns", "kernels.total_ns"),
    ("classes", "share_pct", "kernels.by_class.share"),
    ("classes", "by_context_ns", "kernels.by_class.share"),
    ("kernels", "class", "kernels.by_class.share"),
    ("kernels", "time_ns", "kernels.total_ns"),
    ("groups", "reading", "kernels.groups"),
    ("groups", "share_pct", "kernels.groups"),
    ("rules", "rule", "kernels.rule"),
    ("copies", "time_ns", "copies"),
    ("idle", "part", "idle"),
    ("idle", "head_ns", "idle"),
    ("idle", "tail_ns", "idle"),
    ("energy", "estimator", "energy.estimator"),
    ("energy", "total_mj", "energy.total_mj"),
    ("energy", "dynamic_mj", "energy.dynamic_mj"),
    ("energy", "systematic_mj", "energy.systematic_mj"),
    ("energy", "refused", "energy.refused"),
    ("instances", "length_ns", "windows"),
    ("instances", "api_ns", "api.total_ns"),
    ("instances", "kernel_ns", "kernels.total_ns"),
    ("instances", "busy_ns", "gpu.busy_ns"),
    ("energy", "energy_ratio", "energy"),
    ("quantities", "difference", "sides"),
    ("quantities", "low", "interval"),
    ("quantities", "change_pct", "ratio"),
    ("quantities", "effect_g", "effect"),
    ("quantities", "a", "unit"),
    ("quantities-shares", "difference", "share(CLASS)"),
    ("by-idle", "delta_ns", "decompositions"),
    ("by-class", "delta_ns", "decompositions"),
    ("by-kernel", "delta_ns", "decompositions"),
    ("by-kernel", "matched", "matched"),
    ("by-api", "delta_ns", "decompositions"),
    ("overview", "mean_ns", "windows"),
    ("overview", "launch_share_pct", "api.launch.share"),
    ("overview", "cover_share_pct", "api.cover_share"),
    ("overview", "busy_share_pct", "gpu.busy_ns"),
    ("overview", "dispatch_share_pct", "idle.dispatch_ns"),
    ("overview", "verdict", "verdict"),
    ("overview", "total_mj", "energy.total_mj"),
    ("overview", "dynamic_mj", "energy.dynamic_mj"),
];

/// Row of a list of single numbers, key of the definition.
const ROWS: &[(&str, &str, &str)] = &[
    ("summary", "windows", "windows"),
    ("summary", "contained_share_pct", "windows.contained_share"),
    ("summary", "api_total_ns", "api.total_ns"),
    ("summary", "api_cover_share_pct", "api.cover_share"),
    ("summary", "launch_share_pct", "api.launch.share"),
    ("summary", "launch_blocked_ns", "api.launch.blocked_ns"),
    ("summary", "launch_first_use_ns", "api.launch.first_use_ns"),
    ("summary", "kernel_rule", "kernels.rule"),
    ("summary", "kernel_total_ns", "kernels.total_ns"),
    ("summary", "kernel_orphans", "kernels.orphans"),
    ("summary", "tklqt_ns", "kernels.tklqt_ns"),
    ("summary", "launch_delay_p50_ns", "launch_delay"),
    ("summary", "gpu_busy_ns", "gpu.busy_ns"),
    ("summary", "gpu_busy_share_pct", "gpu.busy_ns"),
    ("summary", "gpu_foreign_busy_ns", "gpu.foreign_busy_ns"),
    ("summary", "verdict", "verdict"),
    ("idle", "busy", "gpu.busy_ns"),
    ("idle", "of host: dispatch", "idle.dispatch_ns"),
];

/// The definition behind a column.
pub(super) fn of_column(table: &str, key: &str) -> Option<&'static str> {
    find(COLUMNS, table, key)
}

/// The definition behind a row, by what its first cell says.
pub(super) fn of_row(table: &str, name: &str) -> Option<&'static str> {
    find(ROWS, table, name)
}

/// The text of a definition.
pub fn text(key: &str) -> Option<&'static str> {
    all().find(|((known, _), _)| *known == key).map(|((_, text), _)| text)
}

/// Every definition with its text, and whether it is one of comparisons.
pub(super) fn all() -> impl Iterator<Item = ((&'static str, &'static str), bool)> {
    let of_analyses = DEFINITIONS.iter().map(|definition| (*definition, false));
    of_analyses.chain(OF_COMPARISONS.iter().map(|definition| (*definition, true)))
}

fn find(
    places: &'static [(&str, &str, &'static str)],
    table: &str,
    at: &str,
) -> Option<&'static str> {
    places.iter().find(|place| place.0 == table && place.1 == at).map(|place| place.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_a_text() {
        for (table, at, key) in COLUMNS.iter().chain(ROWS) {
            assert!(text(key).is_some(), "{table} {at}: no definition `{key}`");
        }
    }
}
