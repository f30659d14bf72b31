//! The classifier: rules files, checked and compiled, that answer for one kernel name at a time.
//!
//! A file with `extends = "default"` puts its rules before the shipped ones, and its groups and
//! context rules in place of those of the same name; any other file stands alone. Answers depend on
//! the name only; [`Classifier::reclassify_in_context`] adds what the order of the kernels says.

use std::collections::BTreeMap;

use super::class::ClassNames;
use super::compile::{Part, compile};
use super::file::{RulesFile, SHIPPED, SHIPPED_ORIGIN};
use super::rules::RuleSet;
use super::{
    Assignment, BrokenExample, ClassId, ContextRule, Group, Rule, RulesError, UNCLASSIFIED,
};

/// Where the rules came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file, as the caller named it.
    pub origin: String,
    /// Whether the shipped rules follow those of the file.
    pub extends: bool,
}

/// Rules, classes and groups, ready to classify.
#[derive(Clone, Debug)]
pub struct Classifier {
    pub(super) source: Source,
    pub(super) classes: ClassNames,
    pub(super) rules: RuleSet,
    pub(super) groups: Vec<Group>,
    pub(super) contexts: BTreeMap<ContextRule, ClassId>,
}

impl Classifier {
    /// The rules that the program ships.
    ///
    /// # Errors
    /// Never for the shipped file as tested; the type is that of [`Classifier::from_toml`].
    pub fn shipped() -> Result<Self, RulesError> {
        let file = RulesFile::parse(SHIPPED, SHIPPED_ORIGIN)?;
        let source = Source { origin: SHIPPED_ORIGIN.to_owned(), extends: false };
        compile(&[Part { file, origin: SHIPPED_ORIGIN, shipped: true }], source)
    }

    /// The rules of a file's text; `origin` is how messages and documents name the file.
    ///
    /// # Errors
    /// When the text is not a rules file: see [`RulesError`] for each way.
    pub fn from_toml(text: &str, origin: &str) -> Result<Self, RulesError> {
        let file = RulesFile::parse(text, origin)?;
        let extends = file.extends_default(origin)?;
        let mut parts = vec![Part { file, origin, shipped: false }];
        if extends {
            let file = RulesFile::parse(SHIPPED, SHIPPED_ORIGIN)?;
            parts.push(Part { file, origin: SHIPPED_ORIGIN, shipped: true });
        }
        compile(&parts, Source { origin: origin.to_owned(), extends })
    }

    /// What the name of a kernel says about it.
    pub fn classify(&self, demangled: &str, short: &str) -> Assignment {
        let rule = self.rules.first_match(demangled, short);
        let known = rule.and_then(|index| self.rules().get(index));
        Assignment { class: known.map_or_else(|| self.unclassified(), |rule| rule.class), rule }
    }

    /// Names of all classes by [`ClassId::index`]: sorted, `unclassified` last.
    pub fn class_names(&self) -> &[String] {
        self.classes.names()
    }

    /// Name of one class of this classifier.
    pub fn class_name(&self, class: ClassId) -> &str {
        self.classes.names().get(class.index()).map_or(UNCLASSIFIED, String::as_str)
    }

    /// The class of this name, if a rule gives it.
    pub fn class(&self, name: &str) -> Option<ClassId> {
        self.classes.ids().find(|(_, class)| *class == name).map(|(id, _)| id)
    }

    /// The class of kernels that no rule knows.
    pub fn unclassified(&self) -> ClassId {
        self.classes.unclassified()
    }

    /// All rules in the order in which they are tried.
    pub fn rules(&self) -> &[Rule] {
        self.rules.rules()
    }

    /// All groups: those of the file, then shipped ones of other names.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Where the rules came from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Examples in the rules that do not hold, such as those of a shipped rule which a user's rule
    /// now catches. Empty for the shipped file.
    pub fn broken_examples(&self) -> Vec<BrokenExample> {
        self.rules.broken_examples()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "extends = 'default'\n\
        [[rule]]\nclass = 'hydro'\npattern = 'par_ranged'\nreason = 'CloverLeaf.'\n";

    #[test]
    fn the_shipped_classes_are_the_documented_ones() {
        let rules = Classifier::shipped().unwrap();
        let names: Vec<&str> = rules.class_names().iter().map(String::as_str).collect();
        let expected = "attention comm conv/depthwise conv/fft conv/helper conv/plain \
            conv/transposed conv/winograd copy elementwise fft fill gemm/batched gemm/complex \
            gemm/gemv gemm/helper gemm/plain gemm/splitk index norm pool reduce rng runtime softmax \
            sort sparse spiking wavelet unclassified";
        assert_eq!(names, expected.split_whitespace().collect::<Vec<_>>());
        assert_eq!(rules.class("conv/plain").map(ClassId::index), Some(5));
        assert_eq!(rules.unclassified().index(), names.len() - 1);
        assert!(rules.rules().iter().all(|rule| rule.shipped));
    }

    #[test]
    fn an_extending_file_goes_before_the_shipped_rules() {
        let shipped = Classifier::shipped().unwrap();
        let own = Classifier::from_toml(OWN, "own.toml").unwrap();
        assert_eq!(own.rules().len(), shipped.rules().len() + 1);
        let said = own.classify("void clover::par_ranged2d_kernel<PdV_kernel>(T1)", "");
        assert_eq!((said.rule, own.class_name(said.class)), (Some(0), "hydro"));
        assert!(!own.rules()[0].shipped && own.rules()[1].shipped);
        assert_eq!(own.groups().len(), shipped.groups().len());
        assert_eq!(own.source(), &Source { origin: "own.toml".to_owned(), extends: true });
    }

    #[test]
    fn a_file_that_does_not_extend_stands_alone() {
        let text = "[[rule]]\nclass = 'a'\npattern = 'x'\nreason = ''";
        let own = Classifier::from_toml(text, "own.toml").unwrap();
        assert_eq!(own.class_names(), ["a", UNCLASSIFIED]);
        assert!(own.groups().is_empty() && own.contexts.is_empty());
        assert_eq!(Classifier::from_toml("", "empty.toml").unwrap().class_names(), [UNCLASSIFIED]);
    }

    #[test]
    fn a_group_of_the_same_name_replaces_the_shipped_one() {
        let text = format!(
            "{OWN}[[group]]\nname = 'dense-convolution'\nheadline = 'mine'\n\
             [[group.reading]]\nname = 'mine'\nclasses = ['conv/*', 'hydro', 'conv/plain']"
        );
        let own = Classifier::from_toml(&text, "own.toml").unwrap();
        let group = &own.groups()[0];
        assert_eq!((group.name.as_str(), group.readings.len()), ("dense-convolution", 1));
        let reading = group.headline_reading().unwrap();
        let names: Vec<&str> = reading.classes.iter().map(|id| own.class_name(*id)).collect();
        assert_eq!(names.last(), Some(&"hydro"));
        assert_eq!(names.len(), 7, "six kinds of conv, each once, and hydro");
        assert_eq!(own.groups().len(), 3);
    }

    /// The message of a refused file.
    fn refused(text: &str) -> String {
        Classifier::from_toml(text, "own.toml").unwrap_err().to_string()
    }

    fn rule_text(class: &str, pattern: &str) -> String {
        format!("[[rule]]\nclass = '{class}'\npattern = '{pattern}'\nreason = ''\n")
    }

    #[test]
    fn a_refused_file_is_told_what_is_wrong_and_where() {
        let second = format!("{}{}", rule_text("a", "x"), rule_text("conv/plain", "conv(?!x)"));
        let misspelt = rule_text("a", "x").replace("pattern", "patern");
        let group = format!(
            "{}[[group]]\nname = 'g'\nheadline = 'h'\n[[group.reading]]\nname = 'h'\n\
             classes = ['conv/plane']",
            rule_text("conv/plain", "x")
        );
        let headline = group.replace("headline = 'h'", "headline = 'i'").replace("plane", "plain");
        let twice = "[[context]]\nrule = 'cudnn-call'\nclass = 'a'\n".repeat(2);
        let cases = [
            (second, "own.toml: rule 2 (conv/plain): the pattern 'conv(?!x)'"),
            (rule_text("a", "x*"), "rule 1 (a): the pattern is empty or fits the empty name"),
            (misspelt, "unknown field `patern`"),
            (rule_text("Conv/Plain", "x"), "rule 1: \"Conv/Plain\" is not a class name"),
            (rule_text("a/b/c", "x"), "family or family/kind"),
            ("extends = 'shipped'".to_owned(), "write extends = \"default\""),
            (group, "reading \"h\" counts the class \"conv/plane\", which no rule gives"),
            (headline, "headline \"i\" is none of its readings (h)"),
            (twice, "context rule \"cudnn-call\" is given twice"),
            ("[[context]]\nrule = 'x'\nclass = 'a'".to_owned(), "unknown variant `x`"),
            ("[[group]\n".to_owned(), "line 1, column 9"),
        ];
        for (text, expected) in cases {
            let message = refused(&text);
            assert!(message.contains(expected), "{expected}\nnot in\n{message}");
            assert!(message.starts_with("own.toml: "), "{message}");
        }
    }
}
