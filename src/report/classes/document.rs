//! The documents `nsys-attrib/classes/1` and `nsys-attrib/rules/1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attribution::Rule;
use crate::attribution::document::{KernelClass, KernelGroup, Tool, TraceAbout};
use crate::finding::Finding;
use crate::units::{Nanos, Share};

/// The id of this version of the document about a trace.
pub const SCHEMA: &str = "nsys-attrib/classes/1";
/// The id of this version of the document about the rules alone.
pub const SCHEMA_RULES: &str = "nsys-attrib/rules/1";

/// Every kernel of some windows, its class and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClassesDocument {
    /// Always `nsys-attrib/classes/1`.
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// Which trace.
    pub trace: Option<TraceAbout>,
    /// The window specification; `all` for the whole trace.
    pub window: String,
    /// Which kernels belong to the windows.
    pub rule: Rule,
    /// The rules file.
    pub rules: String,
    /// Kernels counted.
    pub count: u64,
    /// Their time.
    pub total_ns: Nanos,
    /// Time of kernels that no rule knows.
    pub unclassified_ns: Nanos,
    /// The same, of kernel time.
    pub unclassified_share: Option<Share>,
    /// Each kernel name: the unclassified first, then the longest time first.
    pub kernels: Vec<ClassifiedKernel>,
    /// Each class, the longest time first.
    pub classes: Vec<KernelClass>,
    /// Classes joined for a headline, with every reading.
    pub groups: Vec<KernelGroup>,
    /// Examples in the rules file that its rules do not keep.
    pub broken_examples: Vec<BrokenRule>,
    /// Doubts about the selection.
    pub findings: Vec<Finding>,
}

/// A kernel and its class. A name has several entries when context decides for some of its launches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClassifiedKernel {
    /// The demangled name.
    pub name: String,
    /// Its class.
    pub class: String,
    /// What gave it the class; null for the unclassified.
    pub by: Option<Caught>,
    /// How many launches.
    pub count: u64,
    /// Their time.
    pub time_ns: Nanos,
    /// Of kernel time.
    pub share: Option<Share>,
}

/// What gave a kernel its class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum Caught {
    /// A rule over its name.
    Rule {
        /// Place in its file, from 1.
        number: usize,
        /// Whether it is a shipped rule, not one of the user's file.
        shipped: bool,
        /// The regular expression.
        pattern: String,
        /// Why such a name means this class.
        reason: String,
    },
    /// The kernels around it.
    Context {
        /// The rule of context.
        rule: String,
        /// Why the context means this class.
        reason: String,
        /// The class of the name alone.
        name_class: String,
    },
}

/// An example that its rule does not keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BrokenRule {
    /// The rule that promises something about the name: `rule 3 (gemm/plain)`.
    pub rule: String,
    /// The name.
    pub name: String,
    /// The rule that catches it; null when none does.
    pub caught_by: Option<String>,
}

/// The rules alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RulesDocument {
    /// Always `nsys-attrib/rules/1`.
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// The rules file.
    pub rules_file: String,
    /// The rules in the order in which they are tried.
    pub rules: Vec<RuleInfo>,
    /// Examples in the rules file that its rules do not keep.
    pub broken_examples: Vec<BrokenRule>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleInfo {
    /// Place in its file, from 1.
    pub number: usize,
    /// Whether it is a shipped rule, not one of the user's file.
    pub shipped: bool,
    /// The class that it gives.
    pub class: String,
    /// The regular expression.
    pub pattern: String,
    /// Why such a name means this class.
    pub reason: String,
    /// How many example names hold it to its word.
    pub examples: usize,
}
