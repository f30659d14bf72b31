//! The `nsys-attrib` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    nsys_attrib::cli::run(std::env::args_os())
}
