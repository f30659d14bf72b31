//! The command line, as clap sees it. What it means is in the files of the subcommands.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::compare_args::CompareArgs;
use super::export::ExportArgs;
use super::input::TraceOptions;
use super::plot::PlotArgs;
pub(super) use super::power_args::{EnergyArgs, EnergyOptions, LogArgs, PowerArgs};
use super::report::ReportArgs;
use super::sensitivity::SensitivityArgs;
use super::whatif::WhatifArgs;
use crate::attribution::Rule;

/// Where did the latency window's time go? Attribution of Nsight Systems traces.
#[derive(Debug, Parser)]
#[command(
    name = "nsys-attrib",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 110,
    after_help = "Start with `nsys-attrib info TRACE` to see what a trace holds, then \
                  `nsys-attrib analyze TRACE --window NAME`.\n\
                  A file nsys-attrib.toml in the working directory or above may hold `window`, `classes` and \
                  `rail` for daily use.\nExit codes: 0 done, 1 a check failed, 2 could not run."
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    /// Ignore the project file nsys-attrib.toml
    #[arg(long, global = true)]
    pub(super) no_project: bool,
    /// Threads that read and analyse [default: one for each core]
    #[arg(long, global = true, value_name = "N")]
    pub(super) jobs: Option<NonZeroUsize>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Analyze(AnalyzeArgs),
    ImportStats(super::import_stats::ImportStatsArgs),
    Compare(CompareArgs),
    Energy(EnergyArgs),
    Info(InfoArgs),
    Windows(WindowsArgs),
    Classes(ClassesArgs),
    Power(PowerArgs),
    Report(Box<ReportArgs>),
    Plot(Box<PlotArgs>),
    Export(ExportArgs),
    Whatif(WhatifArgs),
    Sensitivity(SensitivityArgs),
    Dataset(super::dataset::DatasetArgs),
    Study(Box<super::study::StudyArgs>),
    Profile(Box<super::profile::ProfileArgs>),
    Sample(super::sample::SampleArgs),
    Doctor(super::doctor::DoctorArgs),
    #[command(hide = true)]
    Launch(super::launch::LaunchArgs),
    Scrub(ScrubArgs),
    Explain(ExplainArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

impl Command {
    /// Whether it runs programs, to which signals must be passed on.
    pub(super) const fn drives(&self) -> bool {
        matches!(self, Self::Profile(_) | Self::Sample(_) | Self::Study(_))
    }
}

/// What a window specification may be; shown by every command that takes one.
pub(super) const WINDOW_HELP: &str = "\
Window specifications:
  NAME, nvtx:NAME       NVTX ranges with exactly this text (latency is the usual name)
  nvtx:/REGEX/          NVTX ranges whose text matches
  NAME@DOMAIN           ranges of one NVTX domain (write \\@ for a literal @)
  gpu:SPEC              each instance of SPEC, moved to the GPU work that it launched
  kernels:/REGEX/       uninterrupted runs of matching kernels on a stream
  api:NAME              calls of one CUDA function
  profiler              from cudaProfilerStart to cudaProfilerStop
  periodic              iterations found from the order of launches, without NVTX
  time:1.25s..3s        a span of trace time (ns, us, ms, s)
  utc:START..END        a span of wall time (RFC 3339)
  file:windows.csv      start_ns,end_ns[,label] or start_unix_ns,end_unix_ns[,label]
  all                   the whole trace";

/// Which windows, and whose.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct WindowArgs {
    /// Which spans are measured; may be given several times [default: latency when present, else all]
    #[arg(long, short, value_name = "SPEC")]
    pub(super) window: Vec<String>,
    /// Leave out the first N instances (warm-up is never dropped silently)
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub(super) skip: usize,
    /// Take only N instances after that
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) take: Option<usize>,
    /// Only instances of this process (pid or name)
    #[arg(long, value_name = "P")]
    pub(super) process: Option<String>,
    /// Only instances of this thread (tid or name)
    #[arg(long, value_name = "T")]
    pub(super) thread: Option<String>,
    /// Whose calls and operations count: pid, name or `any` [default: the instance's own process]
    #[arg(long, value_name = "P")]
    pub(super) attribute_process: Option<String>,
    /// What to do with ranges that were never closed; they are left out otherwise
    #[arg(long, value_name = "HOW")]
    pub(super) unclosed: Option<Unclosed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Unclosed {
    /// End them at the last counted event of their process.
    Clip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RuleArg {
    /// The API call starts in the window; whole duration.
    Launched,
    /// The operation starts in the window; whole duration.
    Started,
    /// The part of the operation inside the window.
    Overlap,
}

impl From<RuleArg> for Rule {
    fn from(rule: RuleArg) -> Self {
        match rule {
            RuleArg::Launched => Self::Launched,
            RuleArg::Started => Self::Started,
            RuleArg::Overlap => Self::Overlap,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For reading in a terminal.
    Table,
    /// The whole document, such as `nsys-attrib/analysis/1`.
    Json,
    /// One tidy stream: trace,window,table,item,quantity,value.
    Csv,
    /// Markdown.
    Md,
}

#[derive(Args, Debug)]
#[command(
    about = "Attribute CUDA API and GPU time inside windows of a trace",
    after_long_help = WINDOW_HELP,
    long_about = "Attribute CUDA API and GPU time inside windows of a trace.\n\n\
        A TRACE is an SQLite export (`nsys export --type sqlite`), the same compressed with zstd or gzip, \
        a report (.nsys-rep, .qdrep; needs nsys on PATH) or a run folder; a document that this command wrote as \
        JSON is shown again.\n\n\
        Examples:\n  nsys-attrib analyze trace.sqlite --window latency\n  \
        nsys-attrib analyze trace.sqlite --window gpu:forward --skip 1 --explain\n  \
        nsys-attrib analyze a.sqlite b.sqlite -w latency --format json > both.json\n  \
        nsys-attrib analyze trace.sqlite -w latency --out results/"
)]
pub(super) struct AnalyzeArgs {
    /// Traces to analyse
    #[arg(required = true, value_name = "TRACE")]
    pub(super) traces: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) how: TraceOptions,
    /// How to write the result [default: table]
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    /// Write files into this folder: JSON, Markdown and CSV, or only those of --format
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Show every instance in the tables (the JSON always has them)
    #[arg(long)]
    pub(super) per_window: bool,
    /// Rows of each table
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(super) top: usize,
    /// Print what each number means
    #[arg(long)]
    pub(super) explain: bool,
    #[command(flatten)]
    pub(super) energy: EnergyOptions,
}

/// Formats of what is read by a person or a program, not a table of numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum PageFormat {
    /// For reading in a terminal.
    #[default]
    Table,
    /// The whole document.
    Json,
}

#[derive(Args, Debug)]
#[command(
    about = "Say what a trace holds, what is missing, and what to type next",
    long_about = "Say what a trace holds, what is missing, and what to type next.\n\n\
        Reads the tables about the session and the NVTX ranges only, so it is quick on traces of any \
        size; row counts come from row numbers and are marked ~. --exact reads every row.\n\n\
        Examples:\n  nsys-attrib info trace.sqlite\n  nsys-attrib info trace.sqlite --exact\n  \
        nsys-attrib info traces/*.sqlite --format json"
)]
pub(super) struct InfoArgs {
    /// Traces to look at
    #[arg(required = true, value_name = "TRACE")]
    pub(super) traces: Vec<PathBuf>,
    /// How to write the result
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub(super) format: PageFormat,
    /// Read everything: count rows, find every process, add the findings that need all rows
    #[arg(long)]
    pub(super) exact: bool,
    /// Rows of the lists of ranges and tables
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) top: usize,
}

#[derive(Args, Debug)]
#[command(
    about = "List the instances of a window specification and how their lengths are distributed",
    after_long_help = WINDOW_HELP,
    long_about = "List the instances of a window specification and how their lengths are distributed.\n\n\
        Examples:\n  nsys-attrib windows trace.sqlite --window latency\n  \
        nsys-attrib windows trace.sqlite --window gpu:latency --skip 3 --top 50\n  \
        nsys-attrib windows trace.sqlite -w 'nvtx:/^step/' --format csv > steps.csv"
)]
pub(super) struct WindowsArgs {
    /// The trace
    #[arg(value_name = "TRACE")]
    pub(super) trace: PathBuf,
    #[command(flatten)]
    pub(super) windows: WindowArgs,
    /// How to write the result [default: table]
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    /// Instances to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) top: usize,
}

#[derive(Args, Debug)]
#[command(
    about = "Show the class of each kernel name, the rule that gave it, and rules for the unclassified",
    after_long_help = WINDOW_HELP,
    mut_arg("window", |arg| arg.help("Only kernels of these windows [default: the whole trace]")),
    long_about = "Show the class of each kernel name, the rule that gave it, and rules for the unclassified.\n\n\
        Rules are tried in order, the first that fits decides. A file of your own that begins with \
        extends = \"default\" puts its rules before the shipped ones.\n\n\
        Examples:\n  nsys-attrib classes trace.sqlite\n  \
        nsys-attrib classes trace.sqlite --classes rules.toml --window latency\n  \
        nsys-attrib classes --rules"
)]
pub(super) struct ClassesArgs {
    /// The trace
    #[arg(value_name = "TRACE", required_unless_present = "rules")]
    pub(super) trace: Option<PathBuf>,
    /// List the rules in the order in which they are tried; needs no trace
    #[arg(long, conflicts_with = "trace")]
    pub(super) rules: bool,
    /// Kernel-class rules to use instead of, or in front of, the shipped ones
    #[arg(long, value_name = "FILE")]
    pub(super) classes: Option<PathBuf>,
    #[command(flatten)]
    pub(super) windows: WindowArgs,
    /// How to write the result [default: table]
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    /// Rows of each table
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) top: usize,
}

#[derive(Args, Debug)]
#[command(
    about = "Write a copy of a trace that can be published, and prove that it says the same",
    long_about = "Write a copy of a trace that can be published, and prove that it says the same.\n\n\
        Replaced are environments, command lines, captured output, host and user names, serial numbers and \
        what looks like a token; every event and every name that an event refers to stays. Afterwards both \
        files are analysed: exit 1 if anything differs.\n\n\
        Examples:\n  nsys-attrib scrub trace.sqlite public.sqlite\n  \
        nsys-attrib scrub trace.nsys-rep public.sqlite.zst --redact-nvtx"
)]
pub(super) struct ScrubArgs {
    /// The trace
    #[arg(value_name = "TRACE")]
    pub(super) trace: PathBuf,
    /// The copy; packed when its name ends in .zst
    #[arg(value_name = "OUT")]
    pub(super) out: PathBuf,
    /// Also replace what looks private inside NVTX names
    #[arg(long)]
    pub(super) redact_nvtx: bool,
    /// Replace OUT if it exists
    #[arg(long)]
    pub(super) force: bool,
    /// How to write what was done
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub(super) format: PageFormat,
}

#[derive(Args, Debug)]
#[command(
    about = "Say what a number of an analysis means",
    long_about = "Say what a number of an analysis means.\n\n\
        Examples:\n  nsys-attrib explain\n  nsys-attrib explain gpu.busy_ns\n  nsys-attrib explain launch"
)]
pub(super) struct ExplainArgs {
    /// A key of the document, a part of one, or a word of a definition [default: all]
    #[arg(value_name = "KEY")]
    pub(super) key: Option<String>,
}

#[derive(Args, Debug)]
#[command(
    about = "Print a script that completes the words of the command line",
    long_about = "Print a script that completes the words of the command line.\n\n\
        Examples:\n  nsys-attrib completions bash > ~/.local/share/bash-completion/completions/nsys-attrib\n  \
        nsys-attrib completions fish > ~/.config/fish/completions/nsys-attrib.fish"
)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(super) shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
#[command(
    about = "Print the manual page, or write the pages of all subcommands",
    long_about = "Print the manual page, or write the pages of all subcommands.\n\n\
        Examples:\n  nsys-attrib man | man -l -\n  nsys-attrib man --out ~/.local/share/man/man1"
)]
pub(super) struct ManArgs {
    /// Write one page for the program and one for each subcommand into this folder
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
}
