//! What can be wrong with a file of kernel-class rules, and what to do about it.
//!
//! Every message names the file and the place in it. Rules and groups are counted from 1, in the
//! order of the file, so that the number can be found by reading down.

use thiserror::Error;

/// Why a rules file was refused.
#[derive(Debug, Error)]
pub enum RulesError {
    /// Not TOML, or a key, tag or context rule that does not exist.
    #[error(
        "{origin}: not a rules file: {message}\n\
         The keys are those of the shipped rules: extends, [[rule]], [[group]], [[context]]"
    )]
    Format {
        /// The file.
        origin: String,
        /// What the TOML reader said, with line and column.
        message: String,
    },

    /// `extends` names something other than the shipped rules.
    #[error(
        "{origin}: extends = \"{extends}\" is not known; write extends = \"default\" to put these \
         rules before the shipped ones, or leave the line out to replace them"
    )]
    Extends {
        /// The file.
        origin: String,
        /// What it wanted to extend.
        extends: String,
    },

    /// A regular expression that does not compile.
    #[error(
        "{origin}: rule {number} ({class}): the pattern '{pattern}' is not a regular expression: \
         {message}\nLook-around and back-references are not available: put a more exact rule \
         before this one instead"
    )]
    Pattern {
        /// The file.
        origin: String,
        /// Place of the rule in its file, from 1.
        number: usize,
        /// The class it gives.
        class: String,
        /// The pattern as written.
        pattern: String,
        /// What the compiler of expressions said.
        message: String,
    },

    /// A pattern that every name fits.
    #[error(
        "{origin}: rule {number} ({class}): the pattern is empty or fits the empty name, so it would \
         catch every kernel; write what the name must contain"
    )]
    CatchesAll {
        /// The file.
        origin: String,
        /// Place of the rule in its file, from 1.
        number: usize,
        /// The class it gives.
        class: String,
    },

    /// A class name that is not `family` or `family/kind`.
    #[error(
        "{origin}: {place}: \"{class}\" is not a class name; write family or family/kind in lower \
         case letters, digits and '-', such as conv/depthwise"
    )]
    ClassName {
        /// The file.
        origin: String,
        /// The rule or context rule.
        place: String,
        /// The name as written.
        class: String,
    },

    /// A group that cannot be summed.
    #[error("{origin}: group \"{group}\": {message}")]
    Group {
        /// The file.
        origin: String,
        /// The group.
        group: String,
        /// What is wrong and what to do.
        message: String,
    },

    /// The same context rule twice.
    #[error("{origin}: context rule \"{rule}\" is given twice; keep one of the two")]
    ContextTwice {
        /// The file.
        origin: String,
        /// The context rule.
        rule: String,
    },

    /// More classes than a [`ClassId`](super::ClassId) can number.
    #[error("{origin}: {classes} classes are more than can be numbered; join some of them")]
    TooManyClasses {
        /// The file.
        origin: String,
        /// How many there are.
        classes: usize,
    },
}
