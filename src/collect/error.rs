//! What can keep a run from being made, each with what to do about it.
//!
//! A run that was made and went wrong is no error: its manifest says how it ended.

use std::io;
use std::path::PathBuf;

use crate::runs::RunError;

/// A run could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// No nsys on this machine.
    #[error(
        "no nsys was found: {looked}. Install Nsight Systems, name it with --nsys or NSYS_ATTRIB_NSYS, or make \
         an untraced run"
    )]
    NoNsys {
        /// Where it was looked for.
        looked: String,
    },
    /// There is a file, and it is no nsys.
    #[error("{path}: this is no nsys: {problem}. Name another with --nsys", path = path.display())]
    NotNsys {
        /// The file.
        path: PathBuf,
        /// What it did when asked for its version.
        problem: String,
    },
    /// An option that this nsys does not know.
    #[error("nsys {version} does not know {option}. {remedy}")]
    Option {
        /// Its version.
        version: String,
        /// The option, with its value.
        option: String,
        /// What helps.
        remedy: String,
    },
    /// The program that should be run is not there.
    #[error("{program}: {problem}. Check the name, or give the path (./{program})")]
    Program {
        /// As it was named.
        program: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// The folder of the run exists.
    #[error(
        "{path}: is there already, and runs are never overwritten. Choose another --name, or move it away",
        path = path.display()
    )]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A folder or file could not be made.
    #[error("{path}: cannot be written: {source}", path = path.display())]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A process could not be started.
    #[error("{program} cannot be started: {source}")]
    Start {
        /// Which.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// Another driver works in the folder.
    #[error(
        "{path}: another nsys-attrib is working here ({holder}). Wait for it, or choose another --out",
        path = path.display()
    )]
    Locked {
        /// The folder.
        path: PathBuf,
        /// What it wrote about itself.
        holder: String,
    },
    /// A power source that was asked for is not there.
    #[error("power source {name}: {problem}. {remedy}")]
    Power {
        /// Which.
        name: String,
        /// What is wrong.
        problem: String,
        /// What helps.
        remedy: String,
    },
    /// A plan that cannot be carried out.
    #[error("{path}: {problem}", path = path.display())]
    Plan {
        /// The plan.
        path: PathBuf,
        /// Where and what.
        problem: String,
    },
    /// A run folder could not be read or written.
    #[error(transparent)]
    Run(#[from] RunError),
}
