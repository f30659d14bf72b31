//! The NVTX names of a trace, and those that a mistyped name may have meant.

use std::collections::BTreeMap;

use super::unclosed::Closing;
use crate::trace::Trace;
use crate::units::Nanos;

/// All ranges of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeSummary {
    /// The message.
    pub name: String,
    /// The domains it occurs in; empty for the default domain alone.
    pub domains: Vec<String>,
    /// How many ranges, closed or not.
    pub count: u64,
    /// How many of them were never closed.
    pub unclosed: u64,
    /// Mean length of the closed ones.
    pub mean: Option<Nanos>,
}

/// Every message with its count and mean length, the most frequent first.
pub fn range_summaries(trace: &Trace) -> Vec<RangeSummary> {
    let closing = Closing::of(trace);
    let mut sums: BTreeMap<usize, (RangeSummary, i64)> = BTreeMap::new();
    for range in trace.ranges.ids() {
        let (entry, total) = sums.entry(trace.ranges.text_index(range)).or_insert_with(|| {
            let name = trace.ranges.text(range).to_owned();
            (RangeSummary { name, domains: Vec::new(), count: 0, unclosed: 0, mean: None }, 0)
        });
        entry.count += 1;
        match closing.closed(trace, range) {
            Some(span) => *total += span.length().as_ns(),
            None => entry.unclosed += 1,
        }
        if let Some(domain) = trace.ranges.domain(range)
            && !entry.domains.iter().any(|known| known == domain)
        {
            entry.domains.push(domain.to_owned());
        }
    }
    let mut all: Vec<RangeSummary> = sums
        .into_values()
        .map(|(mut entry, total)| {
            let closed = (entry.count - entry.unclosed) as i64;
            entry.mean = (closed > 0).then(|| Nanos::from_ns(total / closed));
            entry.domains.sort();
            entry
        })
        .collect();
    all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    all
}

/// How many names an error message lists.
const LISTED: usize = 12;

/// A sentence with the names that are there, those spelt most like `latency` first.
pub fn present_ranges(trace: &Trace) -> String {
    sentence(trace, "latency")
}

/// A sentence with the names that are there, those spelt most like `wanted` first.
pub(super) fn sentence(trace: &Trace, wanted: &str) -> String {
    let mut names = range_summaries(trace);
    if names.is_empty() {
        return "The trace holds no NVTX range (record with `--trace=cuda,nvtx` and mark the request with \
                a range named `latency`); `--window all` takes the whole trace"
            .to_owned();
    }
    let likeness = |name: &str| {
        (strsim::jaro_winkler(&wanted.to_lowercase(), &name.to_lowercase()) * 1e6) as i64
    };
    names.sort_by(|a, b| {
        likeness(&b.name)
            .cmp(&likeness(&a.name))
            .then(b.count.cmp(&a.count))
            .then_with(|| a.name.cmp(&b.name))
    });
    let total = names.len();
    let listed: Vec<String> = names
        .iter()
        .take(LISTED)
        .map(|entry| {
            let open = if entry.unclosed > 0 {
                format!(", {} never closed", entry.unclosed)
            } else {
                String::new()
            };
            let domain = entry.domains.first().map_or_else(String::new, |name| format!(" @{name}"));
            format!("`{}`{domain} ({}x{open})", crate::units::plain(&entry.name, 60), entry.count)
        })
        .collect();
    let more =
        if total > LISTED { format!(" and {} more names", total - LISTED) } else { String::new() };
    format!("NVTX ranges present, nearest first: {}{more}", listed.join(", "))
}
