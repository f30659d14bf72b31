//! `nsys-attrib import-stats`: tables of `nsys stats` in, a limited analysis out.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use super::analyze::{self, Show};
use super::args::Format;
use super::input::ClassRules;
use super::output;
use crate::legacy;

#[derive(Args, Debug)]
#[command(
    about = "Make a limited analysis of the tables that nsys stats printed",
    long_about = "Make a limited analysis of the tables that nsys stats printed, for results whose traces are gone.\n\n\
        FILEs are text tables or CSV of nsys 2022 to 2026, all of one capture: one text with several reports, or one CSV \
        file for each report. Read are cuda_api_sum, cuda_gpu_kern_sum, cuda_gpu_mem_time_sum, nvtx_sum and their \
        older names. The analysis has sums of the whole capture, shares and kernel classes, and no windows; `compare`, \
        `report` and `plot api|classes|kernels` take its document.\n\n\
        Examples:\n  nsys-attrib import-stats stats.txt\n  \
        nsys-attrib import-stats run_cuda_api_sum.csv run_cuda_gpu_kern_sum.csv --out old.json\n  \
        nsys-attrib compare old.json --vs new.json --fail-on 'share(launch)>+2pp'"
)]
pub(super) struct ImportStatsArgs {
    /// Text or CSV files that nsys stats printed
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Kernel-class rules to use instead of, or in front of, the shipped ones
    #[arg(long, value_name = "FILE")]
    pub(super) classes: Option<PathBuf>,
    /// How to write the result [default: table]
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    /// Write the document (JSON) to a file
    #[arg(long, short, value_name = "FILE", conflicts_with = "format")]
    pub(super) out: Option<PathBuf>,
    /// Rows of each table
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(super) top: usize,
}

pub(super) fn run(args: &ImportStatsArgs) -> Result<ExitCode> {
    let rules = ClassRules::read(args.classes.as_deref())?;
    let analysis = legacy::read(&args.files, &rules.classifier, rules.about.clone())?;
    if let Some(path) = &args.out {
        let text = serde_json::to_string_pretty(&analysis).context("the document")?;
        output::write_file(path, |out| writeln!(out, "{text}"))?;
        output::warn(&analysis.findings)?;
        return Ok(ExitCode::SUCCESS);
    }
    let format = args.format.unwrap_or(Format::Table);
    let show = Show { format, per_window: false, top: args.top, explain: false, jobs: None };
    analyze::print(vec![analysis], &show)?;
    Ok(ExitCode::SUCCESS)
}
