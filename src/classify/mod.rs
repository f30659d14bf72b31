//! From the name of a GPU kernel to its class, and from classes to the groups of a headline.
//!
//! A class is `family` or `family/kind` (`conv/transposed`). Ordered rules decide, first match wins,
//! over the demangled name and then the short name; they are data, not code: the shipped file is
//! `templates/kernel-classes.toml`, a file of the user replaces or extends it ([`Classifier`]). A
//! [`Group`] joins classes for a headline in several readings, all of which are printed, since a
//! published "53.8 % dense convolution" rarely says which reading it means.
//!
//! A name does not say everything: cuDNN multiplies the tiles of an FFT convolution with a plain
//! complex gemm, and loops one kernel over the groups of a grouped convolution. Where the order of
//! the kernels is known, [`Classifier::reclassify_in_context`] adds what the order says.
//! `docs/kernel-classes.md` explains all of it to users.

mod class;
mod classifier;
mod compile;
mod context;
mod error;
mod file;
mod groups;
mod rules;

pub use class::{Assignment, ClassId, UNCLASSIFIED};
pub use classifier::{Classifier, Source};
pub use context::{ContextAssignment, ContextOp, ContextPart, ContextRule, MIN_GROUP_LOOP};
pub use error::RulesError;
pub use file::SHIPPED as SHIPPED_RULES;
pub use groups::{Group, Reading};
pub use rules::{BrokenExample, Rule, Tag};
