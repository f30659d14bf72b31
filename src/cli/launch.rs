//! `nsys-attrib launch`: becomes another program, to be ended when the driver is. Not for people.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Args;

use crate::collect::process::become_program;

#[derive(Args, Debug)]
#[command(about = "Become another program that ends with its parent (used by profile)")]
pub(super) struct LaunchArgs {
    /// Program and arguments
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

pub(super) fn run(args: &LaunchArgs) -> Result<ExitCode> {
    let error = become_program(&args.program);
    Err(anyhow!("{}: {error}", args.program[0].display()))
}
