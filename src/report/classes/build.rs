//! From an analysis of the windows to the class of each kernel name, with the rule behind it.
//!
//! Counts and times are those of the analysis; here only the reason is added, by asking the classifier
//! for the name again and by looking which rule of context decided for a launch of that name.

use std::collections::BTreeMap;

use super::document::{
    BrokenRule, Caught, ClassesDocument, ClassifiedKernel, RuleInfo, RulesDocument, SCHEMA,
    SCHEMA_RULES,
};
use crate::attribution::KernelClasses;
use crate::attribution::document::{Kernels, Tool, TraceAbout};
use crate::classify::{Assignment, Classifier, ContextRule, UNCLASSIFIED};
use crate::finding::Finding;
use crate::trace::{Label, Trace};
use crate::units::Share;

/// What the document is made from.
pub struct Inputs<'a> {
    /// The trace.
    pub trace: &'a Trace,
    /// The rules.
    pub rules: &'a Classifier,
    /// The class of every kernel.
    pub classes: &'a KernelClasses,
    /// As the document names the trace.
    pub about: Option<TraceAbout>,
    /// The window specification.
    pub window: String,
    /// Kernel time of the windows.
    pub kernels: Kernels,
    /// Doubts about the selection.
    pub findings: Vec<Finding>,
}

/// The class of each kernel name, and why.
pub fn classes(inputs: Inputs<'_>) -> ClassesDocument {
    let reasons = Reasons::of(&inputs);
    let kernels = inputs.kernels;
    let mut list: Vec<ClassifiedKernel> = kernels
        .by_name
        .into_iter()
        .map(|kernel| ClassifiedKernel {
            by: reasons.why(inputs.rules, &kernel.name, &kernel.class),
            name: kernel.name,
            class: kernel.class,
            count: kernel.count,
            time_ns: kernel.time_ns,
            share: kernel.share,
        })
        .collect();
    // The analysis gives the longest time first; that order stays within each half.
    list.sort_by_key(|kernel| kernel.class != UNCLASSIFIED);
    let unclassified = kernels.by_class.iter().find(|class| class.class == UNCLASSIFIED);
    let unclassified_ns = unclassified.map(|class| class.time_ns).unwrap_or_default();
    ClassesDocument {
        schema: SCHEMA.to_owned(),
        tool: tool(),
        trace: inputs.about,
        window: inputs.window,
        rule: kernels.rule,
        rules: inputs.rules.source().origin.clone(),
        count: kernels.count,
        total_ns: kernels.total_ns,
        unclassified_ns,
        unclassified_share: Share::of(unclassified_ns.as_ns(), kernels.total_ns.as_ns()),
        kernels: list,
        classes: kernels.by_class,
        groups: kernels.groups,
        broken_examples: broken(inputs.rules),
        findings: inputs.findings,
    }
}

/// The rules alone.
pub fn rules(classifier: &Classifier) -> RulesDocument {
    let of = |rule: &crate::classify::Rule| RuleInfo {
        number: rule.number,
        shipped: rule.shipped,
        class: classifier.class_name(rule.class).to_owned(),
        pattern: rule.pattern.clone(),
        reason: rule.reason.clone(),
        examples: rule.examples.len(),
    };
    RulesDocument {
        schema: SCHEMA_RULES.to_owned(),
        tool: tool(),
        rules_file: classifier.source().origin.clone(),
        rules: classifier.rules().iter().map(of).collect(),
        broken_examples: broken(classifier),
    }
}

fn tool() -> Tool {
    Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

fn broken(classifier: &Classifier) -> Vec<BrokenRule> {
    let named = |index: usize| {
        let rule = &classifier.rules()[index];
        let whose = if rule.shipped { "shipped rule" } else { "rule" };
        format!("{whose} {} ({})", rule.number, classifier.class_name(rule.class))
    };
    classifier
        .broken_examples()
        .into_iter()
        .map(|broken| BrokenRule {
            rule: named(broken.rule),
            name: broken.name,
            caught_by: broken.caught_by.map(named),
        })
        .collect()
}

/// For each demangled name: what the name says, and which rules of context gave which class.
struct Reasons<'a> {
    by_name: BTreeMap<&'a str, Assignment>,
    by_context: BTreeMap<(&'a str, &'a str), ContextRule>,
}

impl<'a> Reasons<'a> {
    fn of(inputs: &Inputs<'a>) -> Self {
        let operations = &inputs.trace.operations;
        let mut by_name = BTreeMap::new();
        for label in operations.labels() {
            if let Label::Kernel { demangled, short } = label {
                let said = inputs.rules.classify(demangled, short);
                by_name.entry(demangled.as_str()).or_insert(said);
            }
        }
        let mut by_context = BTreeMap::new();
        for op in operations.ids() {
            let Some(rule) = inputs.classes.context_rule(op) else { continue };
            let Some((class, _)) = inputs.classes.class(inputs.trace, op) else { continue };
            if let Label::Kernel { demangled, .. } = operations.label(op) {
                let key = (demangled.as_str(), inputs.rules.class_name(class));
                by_context.entry(key).or_insert(rule);
            }
        }
        Self { by_name, by_context }
    }

    fn why(&self, rules: &Classifier, name: &str, class: &str) -> Option<Caught> {
        let said = self.by_name.get(name)?;
        let name_class = rules.class_name(said.class);
        if name_class != class
            && let Some(rule) = self.by_context.get(&(name, class))
        {
            return Some(Caught::Context {
                rule: rule.name().to_owned(),
                reason: rule.reason().to_owned(),
                name_class: name_class.to_owned(),
            });
        }
        let rule = &rules.rules()[said.rule?];
        Some(Caught::Rule {
            number: rule.number,
            shipped: rule.shipped,
            pattern: rule.pattern.clone(),
            reason: rule.reason.clone(),
        })
    }
}
