//! `nsys-attrib dataset`: thousands of traces as one table. The words are known to every build; what they
//! mean needs the cargo feature `dataset`, and a build without it says so in a sentence.

#[cfg(feature = "dataset")]
mod add;
#[cfg(feature = "dataset")]
mod answer;
mod args;
#[cfg(feature = "dataset")]
mod listing;
#[cfg(feature = "dataset")]
mod source;

use std::num::NonZeroUsize;
use std::process::ExitCode;

use anyhow::Result;

pub(super) use args::{DatasetArgs, DatasetCommand};

/// What a build without the engine answers.
#[cfg(not(feature = "dataset"))]
pub(super) const NOT_BUILT: &str = "this nsys-attrib was built without the engine for datasets, which takes long to build: \
     `cargo build --release --features dataset` (or `cargo install --path . --features dataset`) makes one with it";

#[cfg(not(feature = "dataset"))]
pub(super) fn run(_: &DatasetArgs, _: Option<NonZeroUsize>) -> Result<ExitCode> {
    anyhow::bail!(NOT_BUILT)
}

#[cfg(feature = "dataset")]
pub(super) fn run(args: &DatasetArgs, jobs: Option<NonZeroUsize>) -> Result<ExitCode> {
    match &args.command {
        DatasetCommand::Add(args) => add::run(args, jobs),
        DatasetCommand::Ls(args) => listing::list(args),
        DatasetCommand::Check(args) => listing::check(args),
        DatasetCommand::Compact(args) => listing::compact(args),
        DatasetCommand::Query(args) => answer::run(args),
    }
}
