//! The sentences that a caption shares with others: which traces, which windows, what a number means.

use crate::attribution::Analysis;
use crate::attribution::definitions::DEFINITIONS;
use crate::attribution::document::TraceAbout;
use crate::units::without_keys;

use super::font::printable;

/// What a key of the documents means; empty for an unknown key.
pub(super) fn definition(key: &str) -> String {
    let found = DEFINITIONS.iter().find(|(name, _)| *name == key);
    found.map_or_else(String::new, |(_, text)| without_keys(text))
}

/// `trace.sqlite (NVIDIA Orin, nsys 2024.5)`.
pub(super) fn trace(about: Option<&TraceAbout>) -> String {
    let Some(about) = about else { return "an untraced run".to_owned() };
    let file = about.path.rsplit('/').next().unwrap_or(&about.path);
    let devices = about.devices.iter().filter_map(|device| device.name.clone());
    let nsys = about.exporter_version.iter().map(|version| format!("nsys {version}"));
    let mut notes: Vec<String> = devices.chain(nsys).collect();
    notes.dedup();
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
    printable(&format!("{file}{notes}"))
}

/// `20 windows "latency" of trace.sqlite (…); …`.
pub(super) fn windows<'a>(analyses: impl IntoIterator<Item = &'a Analysis>) -> String {
    let one = |analysis: &Analysis| {
        if let Some(imported) = &analysis.imported {
            let (spec, source) = (printable(&analysis.windows.spec), printable(&imported.source));
            return format!("{spec} in {} as {source} printed it", trace(analysis.trace.as_ref()));
        }
        let count = analysis.windows.count;
        let many = if count == 1 { "window" } else { "windows" };
        let spec = printable(&analysis.windows.spec);
        let of = match (&analysis.trace, analysis.source()) {
            (None, Some(folder)) => {
                let name = folder.trim_end_matches('/').rsplit('/').next().unwrap_or(folder);
                format!("the untraced run {}", printable(name))
            }
            (about, _) => trace(about.as_ref()),
        };
        format!("{count} {many} “{spec}” of {of}")
    };
    // Checkpoints and repeats may read alike.
    let mut alike: Vec<(String, usize)> = Vec::new();
    for text in analyses.into_iter().map(one) {
        match alike.iter_mut().find(|(known, _)| *known == text) {
            Some((_, count)) => *count += 1,
            None => alike.push((text, 1)),
        }
    }
    let counted = |(text, count): (String, usize)| match count {
        1 => text,
        _ => format!("{text} ({count} times)"),
    };
    let mut all: Vec<String> = alike.into_iter().map(counted).collect();
    let more = all.len().saturating_sub(6);
    all.truncate(6);
    let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
    all.join("; ") + &rest
}
