//! Ordered rules over kernel names, compiled: the first rule that fits decides.
//!
//! A rule fits when its pattern is found in the demangled name, or else in the short name. Patterns
//! are tried one by one: on real names this is ten times faster than a `RegexSet` of the 72 shipped
//! patterns, whose automaton outgrows its default cache. Kernel names are ASCII, so `\w` and `\b` are
//! ASCII, too. A caller classifies each distinct name once.

use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::file::RuleText;
use super::{ClassId, RulesError};

/// A role that a kernel may play in a rule of context (`tags` in the rules file).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tag {
    /// A forward convolution of a library that loops over groups.
    Fprop,
    /// A data gradient, as a transposed convolution runs.
    Dgrad,
    /// A complex product that an FFT convolution may use for its tiles.
    Cgemm,
    /// A stage of cuDNN's two-dimensional FFT convolution.
    Fft2d,
    /// Prepares or moves data; stands between two kernels without parting them.
    Helper,
}

/// One rule, with what a report needs to say which rule caught a kernel.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The class that it gives.
    pub class: ClassId,
    /// The regular expression, as written.
    pub pattern: String,
    /// Why a name that fits means this class.
    pub reason: String,
    /// Names that this rule, and no earlier one, must catch.
    pub examples: Vec<String>,
    /// Names that this rule must not catch.
    pub not_examples: Vec<String>,
    /// Roles of the kernels it catches.
    pub tags: Vec<Tag>,
    /// Place in its own file, from 1.
    pub number: usize,
    /// Whether it is one of the shipped rules, not of the user's file.
    pub shipped: bool,
}

impl Rule {
    /// Whether the kernels it catches play the role.
    pub fn has(&self, tag: Tag) -> bool {
        self.tags.contains(&tag)
    }
}

/// An example that its rule does not keep, or a counter-example that it catches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenExample {
    /// Index of the rule that promises something about the name.
    pub rule: usize,
    /// The name.
    pub name: String,
    /// Index of the rule that catches it; `None` when none does.
    pub caught_by: Option<usize>,
}

/// The rules in order with their compiled patterns.
#[derive(Clone, Debug, Default)]
pub(super) struct RuleSet {
    rules: Vec<Rule>,
    patterns: Vec<Regex>,
}

impl RuleSet {
    /// Puts a rule after all others.
    pub(super) fn push(&mut self, rule: Rule, pattern: Regex) {
        self.rules.push(rule);
        self.patterns.push(pattern);
    }

    pub(super) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Index of the first rule that fits.
    pub(super) fn first_match(&self, demangled: &str, short: &str) -> Option<usize> {
        let fits = |pattern: &Regex| {
            pattern.is_match(demangled.as_bytes()) || pattern.is_match(short.as_bytes())
        };
        self.patterns.iter().position(fits)
    }

    /// Examples that are not caught by their own rule first, and counter-examples that are.
    pub(super) fn broken_examples(&self) -> Vec<BrokenExample> {
        let mut broken = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            let kept = rule.examples.iter().map(|name| (name, true));
            let refused = rule.not_examples.iter().map(|name| (name, false));
            for (name, wanted) in kept.chain(refused) {
                let caught_by = self.first_match(name, "");
                if (caught_by == Some(index)) != wanted {
                    broken.push(BrokenExample { rule: index, name: name.clone(), caught_by });
                }
            }
        }
        broken
    }
}

/// Compiles the pattern of one rule; a refusal names the rule.
pub(super) fn compile_pattern(
    text: &RuleText,
    number: usize,
    origin: &str,
) -> Result<Regex, RulesError> {
    let (origin, class) = (origin.to_owned(), text.class.clone());
    match RegexBuilder::new(&text.pattern).unicode(false).build() {
        Ok(regex) if regex.is_match(b"") => Err(RulesError::CatchesAll { origin, number, class }),
        Ok(regex) => Ok(regex),
        Err(error) => Err(RulesError::Pattern {
            origin,
            number,
            class,
            pattern: text.pattern.clone(),
            message: last_line(&error.to_string()),
        }),
    }
}

/// The regex crate repeats the pattern with a pointer under it; its last line says what is wrong.
fn last_line(message: &str) -> String {
    let line = message.lines().last().unwrap_or(message);
    line.trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::{Classifier, UNCLASSIFIED};

    fn class_of(rules: &Classifier, name: &str) -> String {
        rules.class_name(rules.classify(name, "").class).to_owned()
    }

    #[test]
    fn every_shipped_example_is_caught_by_its_own_rule_and_no_earlier_one() {
        let rules = Classifier::shipped().unwrap();
        let told: Vec<String> = rules
            .broken_examples()
            .iter()
            .map(|broken| {
                let wanted = &rules.rules()[broken.rule].pattern;
                let got = broken.caught_by.map(|index| &rules.rules()[index].pattern);
                format!("{}\n  wanted {wanted}\n  got {got:?}", broken.name)
            })
            .collect();
        assert!(told.is_empty(), "{}", told.join("\n"));
    }

    #[test]
    fn every_shipped_rule_has_a_reason_and_an_example() {
        for rule in Classifier::shipped().unwrap().rules() {
            assert!(rule.reason.ends_with('.'), "{}", rule.pattern);
            assert!(!rule.examples.is_empty(), "{}", rule.pattern);
        }
    }

    #[test]
    fn order_decides_where_several_rules_fit() {
        let rules = Classifier::shipped().unwrap();
        let cases = [
            ("cudnn::gemm::computeOffsetsKernel(cudnn::gemm::ComputeOffsetsParams)", "conv/helper"),
            ("volta_scudnn_winograd_128x128_ldg1_ldg4_relu_tile148t_nt_v1", "conv/winograd"),
            ("triton_poi_fused_convolution_relu_0", "elementwise"),
            ("sm80_xmma_gemm_f16f16_execute_kernel__5x_cudnn", "gemm/plain"),
            ("void DSE::vector_fft<0, 1, 128>(float2*)", "conv/fft"),
            ("void vector_fft<(unsigned int)128>(kernel_arguments_t<unsigned int>)", "fft"),
            ("clover::par_reduce_kernel<field_summary(global_variables &)>(T1)", UNCLASSIFIED),
        ];
        for (name, class) in cases {
            assert_eq!(class_of(&rules, name), class, "{name}");
        }
    }

    #[test]
    fn the_short_name_counts_when_the_demangled_one_says_nothing() {
        let text = "[[rule]]\nclass = 'b'\npattern = 'beta'\nreason = ''\n\
                    [[rule]]\nclass = 'a'\npattern = 'alpha'\nreason = ''";
        let rules = Classifier::from_toml(text, "test").unwrap();
        assert_eq!(rules.classify("?", "alpha").rule, Some(1));
        assert_eq!(rules.classify("alpha", "beta").rule, Some(0), "rule order goes before names");
        assert_eq!(rules.classify("?", "?").rule, None);
        assert_eq!(rules.class_name(rules.classify("?", "?").class), UNCLASSIFIED);
    }

    #[test]
    fn an_example_that_an_earlier_rule_catches_is_reported() {
        let text = "[[rule]]\nclass = 'a'\npattern = 'x'\nreason = ''\nnot_examples = ['xy']\n\
                    [[rule]]\nclass = 'b'\npattern = 'xy'\nreason = ''\nexamples = ['xy']";
        let broken = Classifier::from_toml(text, "test").unwrap().broken_examples();
        let said: Vec<_> = broken.iter().map(|b| (b.rule, b.caught_by)).collect();
        assert_eq!(said, [(0, Some(0)), (1, Some(0))]);
    }
}
