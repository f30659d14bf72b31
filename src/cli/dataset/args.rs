//! The words of `nsys-attrib dataset`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::args::{Format, PageFormat, WINDOW_HELP};
use crate::cli::input::TraceOptions;

#[derive(Args, Debug)]
#[command(
    about = "Thousands of traces as one table: add, list, query, check, compact",
    long_about = "Thousands of traces as one table.\n\n\
        A dataset is a folder of hive-partitioned Parquet (docs/dataset.md), one row for each window and item, \
        that polars, DuckDB, Spark and pandas read without this program. `compare`, `report` and `analyze` take \
        DIR, or DIR@key=value,key=value for some of its analyses, as an input. Needs a build with \
        --features dataset.\n\n\
        Examples:\n  nsys-attrib dataset add nightly runs/*/trace.sqlite --tag commit=abc --window latency\n  \
        nsys-attrib dataset ls nightly\n  \
        nsys-attrib dataset query nightly --named shares-by-tag --set tag=commit\n  \
        nsys-attrib dataset query nightly 'select name, sum(time_ns) as time_ns from api group by name'\n  \
        nsys-attrib compare nightly@commit=abc --vs nightly@commit=def"
)]
pub(in crate::cli) struct DatasetArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: DatasetCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum DatasetCommand {
    Add(Box<AddArgs>),
    Ls(LsArgs),
    Query(QueryArgs),
    Check(CheckArgs),
    Compact(CompactArgs),
}

#[derive(Args, Debug)]
#[command(
    about = "Analyse inputs and put them in; the same content with the same options only once",
    after_long_help = WINDOW_HELP,
    long_about = "Analyse inputs and put them in; the same content with the same options only once.\n\n\
        An INPUT is a trace in any form, a document of analyze or energy, or a run folder. One that cannot be \
        analysed is recorded with the reason and does not stop the others: exit 1. Interrupted, the same command \
        goes on where it was. Several may add to one dataset at the same time, from several machines.\n\n\
        Examples:\n  nsys-attrib dataset add nightly runs/* --tag commit=abc --tag board=orin\n  \
        find traces -name '*.sqlite' | nsys-attrib dataset add nightly --list - --jobs 8\n  \
        nsys-attrib dataset add nightly --list traces.txt --shard 3/16"
)]
pub(in crate::cli) struct AddArgs {
    /// The dataset; made when it is not there
    #[arg(value_name = "DIR")]
    pub(super) dir: PathBuf,
    /// Traces, documents, run folders
    #[arg(value_name = "INPUT", required_unless_present = "list")]
    pub(super) inputs: Vec<PathBuf>,
    /// A file with one input a line; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(super) list: Option<PathBuf>,
    /// Something to ask for later; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) tag: Vec<String>,
    /// Only the i-th of n parts of the inputs, by their names: 1/8 to 8/8
    #[arg(long, value_name = "I/N")]
    pub(super) shard: Option<String>,
    /// Try inputs again that are in as failed
    #[arg(long)]
    pub(super) retry: bool,
    #[command(flatten)]
    pub(in crate::cli) how: TraceOptions,
}

#[derive(Args, Debug)]
#[command(
    about = "List what is in a dataset",
    long_about = "List what is in a dataset.\n\n\
        Examples:\n  nsys-attrib dataset ls nightly\n  nsys-attrib dataset ls nightly --format csv > runs.csv"
)]
pub(in crate::cli) struct LsArgs {
    /// The dataset
    #[arg(value_name = "DIR")]
    pub(super) dir: PathBuf,
    /// How to write the result [default: table]
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    /// Analyses to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) top: usize,
}

#[derive(Args, Debug)]
#[command(
    about = "Ask a dataset in SQL, with a text of your own or a shipped one",
    long_about = "Ask a dataset in SQL, with a text of your own or a shipped one.\n\n\
        Tables: windows, api, kernels, busy, idle, copies, energy, findings, tags, documents, runs; their columns are \
        in docs/dataset.md. --set NAME=VALUE gives a table `parameters` of one row. The shipped texts also run on \
        DuckDB and on Spark. Threads: the variable POLARS_MAX_THREADS.\n\n\
        Examples:\n  nsys-attrib dataset query nightly --named\n  \
        nsys-attrib dataset query nightly --named regressions --set tag=commit --set before_value=abc --set after_value=def\n  \
        nsys-attrib dataset query nightly 'select cause, sum(idle_ns) as idle_ns from idle group by cause'\n  \
        nsys-attrib dataset query nightly --file mine.sql --format csv > answer.csv"
)]
pub(in crate::cli) struct QueryArgs {
    /// The dataset
    #[arg(value_name = "DIR")]
    pub(super) dir: PathBuf,
    /// A query in SQL
    #[arg(value_name = "SQL", conflicts_with_all = ["named", "file"])]
    pub(super) sql: Option<String>,
    /// A shipped query; without a name, lists them
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", conflicts_with = "file")]
    pub(super) named: Option<String>,
    /// A file with a query
    #[arg(long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// What the query asks for; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    pub(super) set: Vec<String>,
    /// How to write the result [default: table]
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    /// Rows to show in a table [default: all]
    #[arg(long, value_name = "N")]
    pub(super) top: Option<usize>,
    /// Print the text of the query instead of its answer
    #[arg(long)]
    pub(super) show: bool,
}

#[derive(Args, Debug)]
#[command(
    about = "Hold every file against its hash and the layout: exit 1 when something is wrong",
    long_about = "Hold every file against its hash and the layout: exit 1 when something is wrong.\n\n\
        Examples:\n  nsys-attrib dataset check nightly\n  nsys-attrib dataset check nightly --format json"
)]
pub(in crate::cli) struct CheckArgs {
    /// The dataset
    #[arg(value_name = "DIR")]
    pub(super) dir: PathBuf,
    /// How to write the result
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub(super) format: PageFormat,
}

#[derive(Args, Debug)]
#[command(
    about = "Join many small files into few large ones; no answer changes",
    long_about = "Join many small files into few large ones; no answer changes.\n\n\
        Inputs may be added and queries of this program may run meanwhile; other engines should wait.\n\n\
        Examples:\n  nsys-attrib dataset compact nightly"
)]
pub(in crate::cli) struct CompactArgs {
    /// The dataset
    #[arg(value_name = "DIR")]
    pub(super) dir: PathBuf,
}
