//! What would change the window, and whether cost follows sparsity, as sections of a report.

use std::collections::BTreeSet;

use super::model::{Fact, Section, unique_id};
use super::section::{lines, shown, stem};
use super::shown::micro;
use crate::plots::axis::minus;
use crate::replay::document::Replay;
use crate::replay::sensitivity_document::Sensitivity;
use crate::report::{replay, sensitivity};
use crate::units::{fixed, plain, signed};

/// Changes that stand among the numbers that matter most.
const BEST: usize = 3;

/// The section of a replay.
pub fn of_replay(document: &Replay, taken: &mut BTreeSet<String>) -> Section {
    let trace = document.trace.as_ref().map(|trace| stem(&trace.path)).unwrap_or_default();
    let spec = plain(&document.spec, 80);
    let refused = document.refused.as_ref();
    let best = document.sensitivity.first().filter(|_| refused.is_none());
    let lead = match (refused, best) {
        (Some(refused), _) => Some(format!("refused: {}", plain(&refused.message, 400))),
        (None, Some(best)) => Some(format!(
            "of the standard changes, {} shortens the window most: by {:.1} %",
            plain(&best.change, 80),
            best.gain * 100.0
        )),
        (None, None) => None,
    };
    let verdict = |found: &crate::replay::document::Outcome| {
        format!("bound by {}", plain(&found.bound_by.by, 40))
    };
    let exact = replay::tables(document);
    Section {
        verdict: document.baseline.as_ref().map(verdict),
        lead,
        lines: lines(replay::summary(document)),
        facts: facts(document),
        tables: shown(&exact),
        findings: document.findings.clone(),
        document: serde_json::to_value(document).unwrap_or_default(),
        exact,
        ..blank(
            "replay",
            unique_id(&format!("replay {trace} {spec}"), taken),
            format!("What would change {spec} in {}", plain(&trace, 80)),
        )
    }
}

/// The section of a test of sparsity.
pub fn of_sensitivity(document: &Sensitivity, taken: &mut BTreeSet<String>) -> Section {
    let spec = plain(&document.spec, 80);
    let lead = document
        .refused
        .as_ref()
        .map(|refused| format!("refused: {}", plain(&refused.message, 400)));
    let exact = vec![sensitivity::table(document)];
    Section {
        lead: lead.or_else(|| document.costs.first().map(|cost| plain(&cost.sentence, 400))),
        lines: lines(sensitivity::summary(document)),
        tables: shown(&exact),
        findings: document.findings.clone(),
        document: serde_json::to_value(document).unwrap_or_default(),
        exact,
        ..blank(
            "sensitivity",
            unique_id(&format!("sensitivity {spec}"), taken),
            format!("Whether the cost of {spec} follows its spikes"),
        )
    }
}

/// A section with nothing in it.
fn blank(kind: &str, id: String, title: String) -> Section {
    Section {
        id,
        title,
        kind: kind.to_owned(),
        verdict: None,
        lead: None,
        lines: Vec::new(),
        facts: Vec::new(),
        parts: Vec::new(),
        tables: Vec::new(),
        findings: Vec::new(),
        figures: Vec::new(),
        timeline: None,
        has_timeline: false,
        document: serde_json::Value::Null,
        exact: Vec::new(),
    }
}

/// How far the model can be believed, and the greatest gains.
fn facts(document: &Replay) -> Vec<Fact> {
    let fact = |label: String, value: String, detail: String| Fact {
        label,
        value,
        detail,
        defined_by: None,
    };
    let fit = document.identity.as_ref().map(|fit| {
        fact(
            "replay error".to_owned(),
            format!("{} %", signed(fit.error_total * 100.0, 2)),
            format!("unchanged replay of {} windows", fit.windows),
        )
    });
    let gains = document.sensitivity.iter().take(BEST).map(|gain| {
        fact(
            plain(&gain.change, 40),
            minus(&format!("{} %", fixed(-gain.gain * 100.0, 1))),
            micro(&format!("mean window {}", gain.mean_ns)),
        )
    });
    fit.into_iter().chain(gains).collect()
}
