//! One plan file in, the tables and figures of a paper out.
//!
//! ```text
//! plan ─> runs (collect) ─> cells (gather): model × checkpoint × path, traced or not, repeats
//!   untraced request runs ─> latency, energy      (requests)      ┐
//!   traced request runs ───> shares, verdict, what-if (traced)    ├─> pool ─> Study (analyse) ─> Report (sections)
//!   reference runs ────────> errors, spike rates                  ┘
//! ```
//! Latency and energy come from untraced runs, shares from traced ones, errors and spike rates from the
//! reference path. The unit of every interval is a checkpoint: its repeats are pooled first. What is not
//! there (nsys, a GPU, a power sensor, a run) is a missing value with its reason, never a zero.

pub mod about;
mod analyse;
mod answers;
mod availability;
mod cells;
mod cross_reference;
pub mod document;
mod doubts;
mod energies;
mod error;
pub mod estimate;
mod figures;
mod measures;
mod methods;
pub mod plan;
mod pool;
mod program;
pub mod published;
pub mod requests;
mod sections;
mod tables;
mod traced;

pub use analyse::{Material, analyse};
pub use availability::Availability;
pub use cells::{FoundRun, Runs, gather};
pub use document::Study;
pub use error::StudyError;
pub use plan::StudyPlan;
pub use sections::{Making, report};
