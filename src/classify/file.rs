//! The rules file as written: TOML in, plain text structures out, nothing checked beyond its shape.
//!
//! Unknown keys are refused here, so that a misspelt `patern` is an error and not a rule that never
//! fits. What the keys mean is written at the top of `templates/kernel-classes.toml`.

use serde::Deserialize;

use super::{ContextRule, RulesError, Tag};

/// The rules that the program ships, as text.
pub const SHIPPED: &str = include_str!("../../templates/kernel-classes.toml");
/// How the shipped rules are called in messages.
pub(super) const SHIPPED_ORIGIN: &str = "shipped kernel-classes.toml";
/// What `extends` must say.
const DEFAULT: &str = "default";

/// One rules file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RulesFile {
    extends: Option<String>,
    #[serde(default, rename = "rule")]
    pub(super) rules: Vec<RuleText>,
    #[serde(default, rename = "group")]
    pub(super) groups: Vec<GroupText>,
    #[serde(default, rename = "context")]
    pub(super) contexts: Vec<ContextText>,
}

/// One `[[rule]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleText {
    pub(super) class: String,
    pub(super) pattern: String,
    pub(super) reason: String,
    #[serde(default)]
    pub(super) examples: Vec<String>,
    #[serde(default)]
    pub(super) not_examples: Vec<String>,
    #[serde(default)]
    pub(super) tags: Vec<Tag>,
}

/// One `[[group]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupText {
    pub(super) name: String,
    pub(super) headline: String,
    #[serde(default, rename = "reading")]
    pub(super) readings: Vec<ReadingText>,
}

/// One `[[group.reading]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadingText {
    pub(super) name: String,
    pub(super) classes: Vec<String>,
}

/// One `[[context]]`: the class that a rule of context gives.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContextText {
    pub(super) rule: ContextRule,
    pub(super) class: String,
}

impl RulesFile {
    /// Reads the text of a rules file.
    pub(super) fn parse(text: &str, origin: &str) -> Result<Self, RulesError> {
        toml::from_str(text).map_err(|error| RulesError::Format {
            origin: origin.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        })
    }

    /// Whether the shipped rules follow these.
    pub(super) fn extends_default(&self, origin: &str) -> Result<bool, RulesError> {
        match self.extends.as_deref() {
            None => Ok(false),
            Some(DEFAULT) => Ok(true),
            Some(other) => {
                Err(RulesError::Extends { origin: origin.to_owned(), extends: other.to_owned() })
            }
        }
    }
}
