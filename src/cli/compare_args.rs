//! The words of `nsys-attrib compare`.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use super::args::Format;
use super::input::TraceOptions;
use crate::compare::PairBy;
use crate::compare::document::By;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PairByArg {
    /// Both ran the same trained weights, as their sidecars say.
    Checkpoint,
    /// The first with the first, the second with the second.
    Order,
}

impl From<PairByArg> for PairBy {
    fn from(by: PairByArg) -> Self {
        match by {
            PairByArg::Checkpoint => Self::Checkpoint,
            PairByArg::Order => Self::Order,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ByArg {
    /// Self time of CUDA API functions, and the time beside them.
    Api,
    /// GPU busy time by kernel, matched across renames, and idle time by cause.
    Kernel,
    /// GPU busy time by kernel class, and idle time by cause.
    Class,
    /// GPU busy time, and idle time by cause.
    Idle,
}

impl From<ByArg> for By {
    fn from(by: ByArg) -> Self {
        match by {
            ByArg::Api => Self::Api,
            ByArg::Kernel => Self::Kernel,
            ByArg::Class => Self::Class,
            ByArg::Idle => Self::Idle,
        }
    }
}

#[derive(Args, Debug)]
#[command(
    about = "Compare two groups of traces: what moved, by how much, how surely, and what explains it",
    after_long_help = super::args::WINDOW_HELP,
    long_about = "Compare two groups of traces: what moved, by how much, how surely, and what explains it.\n\n\
        An input is a trace, a run folder, or a document of `analyze --format json`. A is the base; differences \
        are B minus A. Run folders bring their power logs, so that energy is compared too; one without a trace has its \
        requests: latency and energy. With several inputs a side the trace is the unit of every interval; with one a side its \
        windows are.\n\n\
        Limits: --fail-on QUANTITY>LIMIT (also >=, <, <=). LIMIT is a change against A (+2%, -5%, +0.5ms, +2pp) \
        or a value of B (20ms, 0.6, 60%). Quantities: latency, latency(p50|p95|p99), busy, idle, idle(KIND), api, \
        launch, calls, launches, kernels, kernel-time, time(CLASS|GROUP), share(CLASS|GROUP|GROUP/READING), \
        share(launch), share(busy), energy, power, energy(dynamic), power(dynamic).\n\n\
        Examples:\n  nsys-attrib compare old.sqlite --vs new.sqlite --window latency\n  \
        nsys-attrib compare dense-*.json --vs spiking-*.json --pair-by checkpoint\n  \
        nsys-attrib compare base/*.json --vs today.sqlite --fail-on 'latency>+2%' --junit gate.xml\n  \
        nsys-attrib compare a.json --vs b.json --by kernel --by api --top 30"
)]
pub(super) struct CompareArgs {
    /// The base
    #[arg(required = true, value_name = "A")]
    pub(super) a: Vec<PathBuf>,
    /// What is compared with it: every input of B after one --vs; for a third group, compare again
    #[arg(long, required = true, num_args = 1.., action = ArgAction::Set, value_name = "B")]
    pub(super) vs: Vec<PathBuf>,
    /// Pair the inputs of both sides: only differences within pairs count
    #[arg(long, value_name = "HOW")]
    pub(super) pair_by: Option<PairByArg>,
    /// How to divide the difference; may be given several times [default: class]
    #[arg(long, value_name = "WHAT")]
    pub(super) by: Vec<ByArg>,
    /// What to call the sides: before,after
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1)]
    pub(super) names: Vec<String>,
    #[command(flatten)]
    pub(super) how: TraceOptions,
    /// Exit with 1 when a quantity is beyond a limit; may be given several times
    #[arg(long, value_name = "LIMIT", help_heading = "Checks")]
    pub(super) fail_on: Vec<String>,
    /// Count a failure only when the whole 95 % interval is beyond the limit; unknown where there is none
    #[arg(long, requires = "fail_on", help_heading = "Checks")]
    pub(super) sure: bool,
    /// Write the checks as JUnit XML
    #[arg(long, value_name = "FILE", requires = "fail_on", help_heading = "Checks")]
    pub(super) junit: Option<PathBuf>,
    /// Write failed checks and doubts as annotations of GitHub Actions, on standard error
    #[arg(long, help_heading = "Checks")]
    pub(super) github: bool,
    /// How to write the result [default: table]
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    /// Rows of each table; 0 for all
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub(super) top: usize,
    /// Print what each number means
    #[arg(long)]
    pub(super) explain: bool,
}
