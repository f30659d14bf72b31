//! Words typed → rooms called; one file per subcommand.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bundled;
mod convert;
mod data;
mod demo;
mod device;
mod init;
mod inspect;
mod network;
mod run;
mod train;
mod verify;

/// Dense WNO and VS-WNO: data, training, and the two execution paths.
#[derive(Parser)]
#[command(name = "wno-infer", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Run(Box<run::RunArgs>),
    Train(Box<train::TrainArgs>),
    Data(data::DataArgs),
    Convert(convert::ConvertArgs),
    Init(init::InitArgs),
    Verify(verify::VerifyArgs),
    Inspect(inspect::InspectArgs),
}

/// Runs the program: 0 done, 1 a check failed, 2 could not run.
pub(crate) fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Data(args) => data::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Verify(args) => verify::run(&args),
    };
    match result {
        Ok(code) => code,
        Err(error) => report(&error),
    }
}

#[allow(clippy::print_stderr)]
fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::from(2)
}
