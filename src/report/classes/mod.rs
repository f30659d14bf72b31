//! Which rule gave each kernel its class: the document `nsys-attrib/classes/1`, its tables, and the
//! rules to paste for kernels that no rule knows.

mod build;
mod document;
mod stub;
mod text;

pub use build::{Inputs, classes, rules};
pub use document::{
    BrokenRule, Caught, ClassesDocument, ClassifiedKernel, RuleInfo, RulesDocument, SCHEMA,
    SCHEMA_RULES,
};
pub use stub::stub;
pub use text::{rules_table, summary, tables, write_kernels, write_rules};
