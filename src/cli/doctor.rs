//! `nsys-attrib doctor`: can this machine profile?

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::args::PageFormat;
use super::{output, sample};
use crate::collect::Nsys;
use crate::collect::doctor::{Check, State, examine};

/// A check failed.
const CHECK_FAILED: u8 = 1;

#[derive(Args, Debug)]
#[command(
    about = "Say whether this machine can profile and read power, and what would help",
    long_about = "Say whether this machine can profile and read power, and what would help.\n\n\
        Looks at nsys and its importer, permissions, driver and GPU, power sources, clocks and free disk. Exit 1 \
        when profiling is not possible.\n\n\
        Examples:\n  nsys-attrib doctor\n  nsys-attrib doctor --nsys /opt/nvidia/nsight-systems/2024.5.1/bin/nsys"
)]
pub(super) struct DoctorArgs {
    /// The nsys to look at [default: NSYS_ATTRIB_NSYS, PATH, the usual folders]
    #[arg(long, value_name = "PATH")]
    nsys: Option<PathBuf>,
    /// Where runs would be written
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    /// How to write the result
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    format: PageFormat,
}

pub(super) fn run(args: &DoctorArgs) -> Result<ExitCode> {
    let nsys = Nsys::find(args.nsys.as_deref()).map_err(|error| error.to_string());
    let (host, nvml) = sample::machine();
    let checks = examine(&host, &nsys, nvml.as_deref(), &args.out);
    match args.format {
        PageFormat::Json => output::print_json(&checks)?,
        PageFormat::Table => print(&checks)?,
    }
    let bad = checks.iter().any(|check| check.state == State::Bad);
    Ok(if bad { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}

fn print(checks: &[Check]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let color = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    for check in checks {
        let (word, code) = match check.state {
            State::Good => ("good", "32"),
            State::Limited => ("limited", "33"),
            State::Bad => ("BAD", "31"),
        };
        let word = if color { format!("\x1b[{code}m{word:7}\x1b[0m") } else { format!("{word:7}") };
        writeln!(out, "{word}  {:width$}  {}", check.name, check.seen)?;
        if let Some(remedy) = &check.remedy {
            writeln!(out, "         {:width$}  -> {remedy}", "")?;
        }
    }
    let bad = checks.iter().filter(|check| check.state == State::Bad).count();
    let limited = checks.iter().filter(|check| check.state == State::Limited).count();
    match (bad, limited) {
        (0, 0) => writeln!(out, "\nThis machine can profile and read power."),
        (0, n) => writeln!(out, "\nThis machine can profile; {n} things are limited (see above)."),
        (n, _) => writeln!(out, "\nThis machine cannot profile: {n} things must be put right."),
    }
}
