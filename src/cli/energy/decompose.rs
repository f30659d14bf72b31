//! `energy --decompose A B`: two published energies and latencies, taken apart.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::options;
use crate::cli::args::{EnergyArgs, Format};
use crate::cli::output;
use crate::power::decomposition::Decomposition;
use crate::power::document::DecompositionDocument;
use crate::report;

pub(super) fn run(a: &str, b: &str, args: &EnergyArgs) -> Result<ExitCode> {
    let parts = Decomposition::of(options::variant(a)?, options::variant(b)?)
        .context("--decompose: both energies must be above 0")?;
    if args.format == Some(Format::Json) {
        output::print_json(&DecompositionDocument::of(parts))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    let (lines, table) = (report::energy::decomposition(&parts), report::energy::parts(&parts));
    match args.format {
        Some(Format::Csv) => report::write_csv(&mut out, &table)?,
        Some(Format::Md) => {
            report::write_markdown(&mut out, "Energy, taken apart", &lines, &[table], &[])?;
        }
        _ => report::write_lines(&mut out, &lines, output::style())?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
