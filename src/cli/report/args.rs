//! The words of `nsys-attrib report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::args::{EnergyOptions, WINDOW_HELP};
use crate::cli::input::TraceOptions;
use crate::report::paper::PageKind;

/// Rows of a table on paper.
const TOP: usize = 25;

#[derive(Args, Clone, Debug)]
#[command(
    about = "Write a folder with the tables, figures and pages of a paper or a notebook",
    after_long_help = WINDOW_HELP,
    long_about = "Write a folder with the tables, figures and pages of a paper or a notebook.\n\n\
        An INPUT is a trace, a run folder, or a document of analyze, compare, energy, whatif, sensitivity or \
        import-stats. The folder holds report.html, which opens \
        from the disk and asks no network, report.tex and report.md, tables/*.tex for \\input, csv/*.csv, the \
        documents and provenance.json. The same command writes the same bytes.\n\n\
        Examples:\n  nsys-attrib report trace.sqlite --window latency --out report/\n  \
        nsys-attrib report a.json b.json --template brief --out both/\n  \
        nsys-attrib report trace.sqlite --power tegrastats.log --timeline 0,7 --out report/\n  \
        nsys-attrib report --check report/"
)]
pub(in crate::cli) struct ReportArgs {
    /// Traces and documents
    #[arg(value_name = "INPUT", required_unless_present = "check")]
    pub(in crate::cli) inputs: Vec<PathBuf>,
    /// The folder to write; one that another program made is never touched
    #[arg(long, value_name = "DIR", required_unless_present = "check")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Say whether the inputs of a report still give its numbers: exit 1 if not
    #[arg(long, value_name = "DIR", conflicts_with_all = ["inputs", "out", "template", "format", "title", "stamp"])]
    pub(in crate::cli) check: Option<PathBuf>,
    /// paper, notebook, brief, or a template of your own (FILE.html, FILE.tex, FILE.md, …)
    #[arg(long, value_name = "NAME|FILE", default_value = "paper")]
    pub(in crate::cli) template: String,
    /// Which kinds of files: tex, md, html, csv [default: all]
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub(in crate::cli) format: Vec<Kind>,
    /// Title of the report
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) title: Option<String>,
    /// Rows of a table in LaTeX and Markdown; CSV has all
    #[arg(long, value_name = "N", default_value_t = TOP)]
    pub(in crate::cli) top: usize,
    /// Instances whose events the page shows: numbers, `all` or `none` [default: the median, the longest, the
    /// shortest, and others while there is room]
    #[arg(long, value_name = "N,…|all|none")]
    pub(in crate::cli) timeline: Option<String>,
    /// Print today's date in the report
    #[arg(long)]
    pub(in crate::cli) stamp: bool,
    /// Replace a report whose files were changed by hand
    #[arg(long)]
    pub(in crate::cli) force: bool,
    #[command(flatten)]
    pub(in crate::cli) how: TraceOptions,
    #[command(flatten)]
    pub(in crate::cli) energy: EnergyOptions,
}

/// Kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Kind {
    /// report.tex and tables for \input
    Tex,
    /// report.md
    Md,
    /// report.html
    Html,
    /// Every table, exact and whole
    Csv,
}

impl ReportArgs {
    /// The kinds that are wanted.
    pub(super) fn kinds(&self) -> Vec<PageKind> {
        if self.format.is_empty() {
            return PageKind::ALL.to_vec();
        }
        let kind = |kind: &Kind| match kind {
            Kind::Tex => PageKind::Tex,
            Kind::Md => PageKind::Md,
            Kind::Html => PageKind::Html,
            Kind::Csv => PageKind::Csv,
        };
        self.format.iter().map(kind).collect()
    }
}
