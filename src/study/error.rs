//! What can keep a study from being made, each with the file and what to do about it.

use std::io;
use std::path::PathBuf;

use crate::collect::CollectError;
use crate::compare::PairError;
use crate::legacy::StatsError;
use crate::plots::PlotError;
use crate::runs::RunError;

/// A study could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// The plan cannot be read or carried out.
    #[error("plan {path}: {problem}", path = path.display())]
    Plan {
        /// The plan.
        path: PathBuf,
        /// What is wrong, with line and column where there is one.
        problem: String,
    },
    /// The program that is to be measured is not there.
    #[error(
        "program `{name}` was not found ({looked}). Build it, put it on PATH, or name its file in the variable \
         {variable}"
    )]
    Program {
        /// Its name.
        name: String,
        /// Where it was looked for.
        looked: String,
        /// The variable that may name it.
        variable: String,
    },
    /// The file of published numbers cannot be used.
    #[error("published numbers {path}: {problem}", path = path.display())]
    Published {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Nothing that belongs to the study lies in the folder.
    #[error(
        "{path}: no run of `{study}` lies there. Name the folder that holds its run folders ({example}, …)",
        path = path.display()
    )]
    NoRuns {
        /// The folder.
        path: PathBuf,
        /// The study.
        study: String,
        /// What a run of it would be called.
        example: String,
    },
    /// A folder cannot be listed, or a file not be read.
    #[error("{path}: cannot be read: {source}", path = path.display())]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The rules for kernel classes cannot be used.
    #[error("class rules {path}: {problem}", path = path.display())]
    Rules {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The trace of a run cannot be used.
    #[error("{run}: {problem}")]
    Trace {
        /// The run.
        run: String,
        /// What is wrong.
        problem: String,
    },
    /// A run could not be made.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// A run folder cannot be used.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Tables of `nsys stats` cannot be used.
    #[error("cross-reference")]
    Stats(#[from] StatsError),
    /// Two models cannot be compared.
    #[error(transparent)]
    Pair(#[from] PairError),
    /// A figure cannot be drawn.
    #[error(transparent)]
    Plot(#[from] PlotError),
}
