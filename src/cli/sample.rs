//! `nsys-attrib sample`: read power beside a program, or for a while; also the wrapper inside a trace.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::{interrupt, output};
use crate::collect::beside::{Account, Around};
use crate::collect::plan::{Length, PowerPlan};
use crate::collect::process::run_inherited;
use crate::collect::{Host, Stop};

#[derive(Args, Debug)]
#[command(
    about = "Read power beside a program, or for a while",
    long_about = "Read power beside a program, or for a while.\n\n\
        Writes power-<source>.csv with both clocks for each reading, which `power` and `energy` read. `profile` \
        does this and more; this command is for logs beside programs that run without it.\n\n\
        Examples:\n  nsys-attrib sample --out logs -- ./infer\n  \
        nsys-attrib sample --power ina3221 --power-period 20ms --for 60s\n  \
        nsys-attrib sample --idle-before 10s --idle-after 10s --out logs -- python infer.py"
)]
pub(super) struct SampleArgs {
    /// Where to read: auto, ina3221, nvml, rapl, tegrastats, nvidia-smi
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "auto")]
    power: Vec<String>,
    /// Time between readings; each is moved by up to a tenth
    #[arg(long, value_name = "TIME", default_value = "50ms")]
    power_period: Length,
    /// Folder for the logs
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Read for so long; without it and without a program, until interrupted
    #[arg(long = "for", value_name = "TIME", conflicts_with = "program")]
    length: Option<Length>,
    /// Idle time before the program
    #[arg(long, value_name = "TIME", default_value = "0s")]
    idle_before: Length,
    /// Idle time after the program
    #[arg(long, value_name = "TIME", default_value = "0s")]
    idle_after: Length,
    /// Make each reading an NVTX mark as well, for a trace that nsys records around this command
    #[arg(long)]
    marks: bool,
    /// A second of full load between idle seconds, before and after the program
    #[arg(long)]
    sync_pulse: bool,
    /// Write what was done into this file
    #[arg(long, value_name = "FILE", hide = true)]
    account: Option<PathBuf>,
    /// Program and arguments
    #[arg(last = true, value_name = "PROGRAM")]
    program: Vec<String>,
}

pub(super) fn run(args: &SampleArgs) -> Result<ExitCode> {
    let stop = Stop::default();
    interrupt::forward(&stop);
    let power = PowerPlan {
        sources: args.power.clone(),
        period: args.power_period,
        idle_before: args.idle_before,
        idle_after: args.idle_after,
        in_trace: args.marks,
        sync_pulse: args.sync_pulse,
        only_untraced: false,
    };
    if power.period.0.as_ns() < 1_000_000 {
        bail!("--power-period {} is below 1 ms", power.period.0);
    }
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("folder {} cannot be made", args.out.display()))?;
    let (host, nvml) = machine();
    let around = Around {
        power: &power,
        folder: &args.out,
        host: &host,
        nvml: nvml.as_deref(),
        marks: args.marks,
        stop: &stop,
    };
    let length = args.length;
    let (code, account) = around.run(&mut |_, _| {}, |_| {
        if args.program.is_empty() {
            stop.sleep(length.map(|length| length.0));
            Ok(0)
        } else {
            run_inherited(&args.program, &stop)
        }
    })?;
    if let Some(path) = &args.account {
        output::write_file(path, |out| Ok(serde_json::to_writer(out, &account)?))?;
    } else {
        say(&account);
    }
    // The code of a program is a byte; 128 + n stands for signal n.
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// The machine, or the folder that stands in for it, and NVML's library if it is named.
pub(super) fn machine() -> (Host, Option<PathBuf>) {
    let named =
        |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    (named("NSYS_ATTRIB_ROOT").map_or_else(Host::this, Host::at), named("NSYS_ATTRIB_NVML"))
}

fn say(account: &Account) {
    for power in &account.power {
        let cpu =
            power.cpu_ns.map_or_else(String::new, |cpu| format!(", {cpu:.1} of processor time"));
        eprintln!(
            "{}: {} readings of {} ({} lost{cpu})",
            power.file,
            power.samples,
            power.rails.join(", "),
            power.lost
        );
    }
    for finding in &account.findings {
        eprintln!("nsys-attrib: {}: {}. {}", finding.severity, finding.message, finding.remedy);
    }
}
