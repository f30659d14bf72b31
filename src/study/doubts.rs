//! Many doubts of one kind, as one line: how many have it, and which is the worst.
//!
//! A study has tens of runs, and each may drift or hold outliers. A report that lists them all hides the one
//! that matters. Here findings of one code become one finding with their number; the worst of them is named,
//! by severity and then by the number in [`RANK`]. All of them stay in the document (`run_findings`).

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::Finding;

/// The number of a finding that says how bad it is; its sign does not matter.
const RANK: [(&str, &str); 6] = [
    ("drift", "change"),
    ("launch-queue-full", "blocked_ns"),
    ("outliers", "outliers"),
    ("skewed", "skewness"),
    ("tracing-overhead", "ratio"),
    ("warm-up", "steady_from"),
];

/// What is doubted of the windows of one run; of repeats put together it would be said of their order.
const OF_ONE_RUN: [&str; 3] = ["drift", "outliers", "warm-up"];

/// Whether a finding is about the windows of one run.
pub(super) fn is_of_one_run(finding: &Finding) -> bool {
    OF_ONE_RUN.contains(&finding.code.as_str())
}

/// Findings with whose they are, as one for each code; `whose` says what they are of, in the plural.
pub(super) fn folded(all: &[(String, Finding)], whose: &str) -> Vec<Finding> {
    let mut kinds: BTreeMap<&str, Vec<&(String, Finding)>> = BTreeMap::new();
    for one in all {
        kinds.entry(&one.1.code).or_default().push(one);
    }
    kinds.into_values().filter_map(|of| one_line(&of, whose)).collect()
}

fn one_line(of: &[&(String, Finding)], whose: &str) -> Option<Finding> {
    let worse = |a: &Finding, b: &Finding| {
        a.severity.cmp(&b.severity).then_with(|| badness(a).total_cmp(&badness(b)))
    };
    let (first, rest) = of.split_first()?;
    let worst = rest
        .iter()
        .fold(&first.1, |worst, (_, one)| if worse(one, worst).is_gt() { one } else { worst });
    let owners = of.iter().map(|(owner, _)| owner).collect::<BTreeSet<_>>().len();
    let mut line = worst.clone();
    if owners > 1 {
        line.message += &match rank(worst) {
            Some(_) => format!(" (the worst of {owners} {whose} with this doubt)"),
            None => format!(" (so or alike in {owners} {whose})"),
        };
        line = line.with("of_this_kind", owners);
    }
    Some(line)
}

fn rank(finding: &Finding) -> Option<f64> {
    let (_, name) = RANK.iter().find(|(code, _)| *code == finding.code)?;
    finding.numbers.get(*name)?.as_f64()
}

fn badness(finding: &Finding) -> f64 {
    rank(finding).map_or(0.0, f64::abs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;

    fn drift(owner: &str, change: f64) -> (String, Finding) {
        let message = format!("{owner}: {change}");
        let found = Finding::new("drift", Severity::Warning, message, "measure in turn");
        (owner.to_owned(), found.with("change", change))
    }

    #[test]
    fn many_of_a_kind_are_one_line_that_counts_them_and_names_the_worst() {
        let other = Finding::new("no-power", Severity::Info, "no sensor", "none");
        let all =
            [drift("a", 0.05), drift("b", -0.2), drift("b", 0.1), ("c".to_owned(), other.clone())];
        let found = folded(&all, "runs");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].message, "b: -0.2 (the worst of 2 runs with this doubt)");
        assert_eq!(found[0].numbers["of_this_kind"].as_u64(), Some(2));
        assert_eq!(found[1], other);
    }

    #[test]
    fn severity_comes_before_size() {
        let mut lost = drift("small", 0.01);
        lost.1.severity = Severity::DataLoss;
        let found = folded(&[drift("large", 0.9), lost], "runs");
        assert!(found[0].message.starts_with("small"), "{found:?}");
    }
}
