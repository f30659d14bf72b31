//! The command line of `wno-infer`.

use std::process::ExitCode;

mod cli;

fn main() -> ExitCode {
    cli::main()
}
