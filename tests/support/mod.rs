//! Test support: traces made to order, and what they should say.
//!
//! - [`spec`] describes a trace in memory, [`builder`] writes it as an Nsight Systems SQLite export of
//!   one of the generations in [`schema`].
//! - [`oracle`] computes from the same description, by the dumbest method that can be right, what an
//!   analysis of a window must contain. It is written from the definitions alone and shares no code
//!   with the analyzer: agreement means something.
//! - [`ask`] puts the same question to the built program.
//! - [`random`] makes small traces full of coincidences; [`program`] simulates an inference program and
//!   [`wno`] has it run the requests of the bundled fixtures; [`fixtures`] lists those.
//! - [`machine`] runs small programs on a CPU and a GPU of its own, before and after a change: the truth that
//!   predictions are held against.
//! - [`many`] writes thousands of small traces, a corrupt one and one without CUDA among them.
//! - [`untraced_run`] puts together run folders without a trace, with a power log whose truth is known.
//! - [`words`] runs the program as a user does and compares with golden files.
//! - [`scale`] streams exports of any size into a file, for benchmarks.
//! - [`simulated_run`] is a run without a trace, with a power log; [`every_section`] is what a report can show.
//! - [`rig`] drives `profile`, with a real or a fake nsys.
//! - [`shared`] finds the real traces that live outside the repository.
//!
//! Nothing here uses the `nsys_attrib` crate. Included with `mod support;` by tests and through
//! `#[path]` by examples and benches.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr
)]

pub mod ask;
pub mod browser;
pub mod builder;
pub mod every_section;
pub mod fixtures;
pub mod machine;
pub mod many;
pub mod oracle;
pub mod power_simulation;
pub mod program;
pub mod random;
pub mod rig;
pub mod scale;
pub mod schema;
pub mod shared;
pub mod simulated_run;
pub mod spec;
pub mod untraced_run;
pub mod wno;
pub mod words;
