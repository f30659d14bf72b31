//! The NVTX names of a trace, and those that a mistyped name may have meant.

use std::collections::BTreeMap;

use super::unclosed::Closing;
use crate::trace::{Label, Trace};
use crate::units::Nanos;

/// All ranges of one message in one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeSummary {
    /// The message.
    pub name: String,
    /// The domain; `None` for the default domain.
    pub domain: Option<String>,
    /// How many ranges, closed or not.
    pub count: u64,
    /// How many of them were never closed.
    pub unclosed: u64,
    /// Mean length of the closed ones.
    pub mean: Option<Nanos>,
    /// Summed length of the closed ones.
    pub total: Nanos,
}

/// Every message of every domain with its count and mean length, the most frequent first.
pub fn range_summaries(trace: &Trace) -> Vec<RangeSummary> {
    let closing = Closing::of(trace);
    let mut sums: BTreeMap<(usize, Option<&str>), RangeSummary> = BTreeMap::new();
    for range in trace.ranges.ids() {
        let domain = trace.ranges.domain(range);
        let key = (trace.ranges.text_index(range), domain);
        let entry = sums.entry(key).or_insert_with(|| {
            let name = trace.ranges.text(range).to_owned();
            let domain = domain.map(str::to_owned);
            RangeSummary { name, domain, count: 0, unclosed: 0, mean: None, total: Nanos::ZERO }
        });
        entry.count += 1;
        match closing.closed(trace, range) {
            Some(span) => entry.total += span.length(),
            None => entry.unclosed += 1,
        }
    }
    let mut all: Vec<RangeSummary> = sums
        .into_values()
        .map(|mut entry| {
            entry.mean = entry.total.mean_of(entry.count - entry.unclosed);
            entry
        })
        .collect();
    all.sort_by(|a, b| {
        b.count.cmp(&a.count).then_with(|| (&a.name, &a.domain).cmp(&(&b.name, &b.domain)))
    });
    all
}

/// The functions that were called, those spelt most like `wanted` first.
pub(super) fn functions(trace: &Trace, wanted: &str) -> String {
    let names = trace.calls.names().iter().map(|name| name.text.clone()).collect();
    list_nearest("CUDA functions called", names, wanted)
}

/// The kernels that ran, those spelt most like `wanted` first.
pub(super) fn kernels(trace: &Trace, wanted: &str) -> String {
    let mut names: Vec<String> = trace
        .operations
        .labels()
        .iter()
        .filter_map(|label| match label {
            Label::Kernel { short, .. } => Some(short.clone()),
            _ => None,
        })
        .collect();
    names.dedup();
    list_nearest("Kernels that ran", names, wanted)
}

fn list_nearest(what: &str, mut names: Vec<String>, wanted: &str) -> String {
    if names.is_empty() {
        return format!("{what}: none");
    }
    names.sort_by(|a, b| likeness(wanted, b).cmp(&likeness(wanted, a)).then_with(|| a.cmp(b)));
    names.dedup();
    let listed: Vec<String> = names
        .iter()
        .take(LISTED)
        .map(|name| format!("`{}`", crate::units::plain(name, 60)))
        .collect();
    let more = names.len().saturating_sub(LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{what}, nearest first: {}{more}", listed.join(", "))
}

/// How alike two names are, 0 to a million.
fn likeness(wanted: &str, name: &str) -> i64 {
    (strsim::jaro_winkler(&wanted.to_lowercase(), &name.to_lowercase()) * 1e6) as i64
}

/// From here on two names may be one that was mistyped.
const ALIKE: i64 = 800_000;

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
    // What was never closed selects nothing; what is spelt otherwise is worth as much as it is frequent.
    let key = |entry: &RangeSummary| {
        let like = likeness(wanted, &entry.name);
        let alike = if like >= ALIKE { like } else { 0 };
        let closed = entry.count - entry.unclosed;
        (closed == 0, std::cmp::Reverse((alike, closed, like)))
    };
    names.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name)));
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
            let domain = entry.domain.as_ref().map_or_else(String::new, |name| format!(" @{name}"));
            format!("`{}`{domain} ({}x{open})", crate::units::plain(&entry.name, 60), entry.count)
        })
        .collect();
    let more =
        if total > LISTED { format!(" and {} more names", total - LISTED) } else { String::new() };
    format!("NVTX ranges present, nearest first: {}{more}", listed.join(", "))
}
