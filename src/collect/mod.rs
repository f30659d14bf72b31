//! Runs a program under Nsight Systems, with samplers beside it, and comes back with evidence.
//!
//! A [`plan::Plan`] says what shall be run; [`experiment::carry_out`] makes its runs with a
//! [`run::Driver`]; each leaves a run folder ([`crate::runs`]) whose manifest says what was run, how it
//! ended and what is missing. This room knows nothing of analysis: of an export it asks only whether it
//! is this run's and whether it holds what was asked for.

pub mod beside;
pub mod clock;
mod cooldown;
pub mod doctor;
mod error;
pub mod experiment;
mod export;
mod host;
pub mod identity;
mod machine;
mod nsys;
mod options;
mod outcome;
mod output;
mod overhead;
pub mod plan;
pub mod process;
mod program;
pub mod run;
pub mod sampler;
mod verify;

pub use error::CollectError;
pub use experiment::{Done, carry_out};
pub use host::Host;
pub use nsys::{Nsys, is_program};
pub use options::options;
pub use plan::Plan;
pub use process::Stop;
pub use run::{Driver, Event, Recipe};
