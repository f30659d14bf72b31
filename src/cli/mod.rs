//! Words typed, rooms called: one file for each subcommand.
//!
//! Exit codes: 0 done, 1 ran but a check failed, 2 could not run. A reader that stops listening
//! (`| head`) is not a failure.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod analyze;
mod args;
mod classes;
mod compare;
mod compare_args;
mod completions;
mod dataset;
mod doctor;
mod energy;
mod explain;
mod export;
mod import_stats;
mod info;
mod input;
mod instance;
mod interrupt;
mod json;
mod launch;
mod man;
mod output;
mod plot;
mod power;
mod power_args;
mod profile;
mod progress;
mod project;
mod report;
mod sample;
mod scrub;
mod sensitivity;
mod study;
mod whatif;
mod windows;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use args::{Cli, Command, EnergyOptions};
use input::TraceOptions;
use project::Project;

/// Ran, and a check failed.
const CHECK_FAILED: u8 = 1;
/// Could not run.
const COULD_NOT_RUN: u8 = 2;

/// Runs the program with the words typed, the program's own name first.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(usage) => {
            // Help and version are no failures; a closed pipe is nothing to report.
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(COULD_NOT_RUN));
        }
    };
    let _session = interrupt::Session::start(cli.command.drives());
    let outcome = dispatch(cli);
    interrupt::wait_if_ending();
    match outcome {
        Ok(code) => code,
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nsys-attrib: {error:#}");
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

/// Bounds the pool in which everything is computed; without a number there is one thread for each core.
fn use_threads(jobs: Option<NonZeroUsize>) -> Result<()> {
    if let Some(jobs) = jobs {
        rayon::ThreadPoolBuilder::new().num_threads(jobs.get()).build_global()?;
    }
    Ok(())
}

fn dispatch(cli: Cli) -> Result<ExitCode> {
    let project = || if cli.no_project { Ok(Project::default()) } else { Project::find() };
    let jobs = cli.jobs;
    use_threads(jobs)?;
    match cli.command {
        Command::Analyze(mut args) => {
            fill_energy(&project()?, &mut args.how, &mut args.energy);
            analyze::run(&args, jobs)
        }
        Command::ImportStats(mut args) => {
            project()?.fill_classes(&mut args.classes);
            import_stats::run(&args)
        }
        Command::Compare(mut args) => {
            project()?.fill_options(&mut args.how);
            compare::run(&args, jobs)
        }
        Command::Energy(mut args) => {
            let project = project()?;
            project.fill_window(&mut args.windows);
            project.fill_rail(&mut args.energy.rail);
            energy::run(&args, jobs)
        }
        Command::Info(args) => info::run(&args, jobs),
        Command::Windows(mut args) => {
            project()?.fill_window(&mut args.windows);
            windows::run(&args, jobs)
        }
        Command::Classes(mut args) => {
            let project = project()?;
            project.fill_classes(&mut args.classes);
            if !args.rules {
                project.fill_window(&mut args.windows);
            }
            classes::run(&args, jobs)
        }
        Command::Power(args) => power::run(&args),
        Command::Report(mut args) => {
            if args.check.is_none() {
                fill_energy(&project()?, &mut args.how, &mut args.energy);
            }
            report::run(&args, jobs)
        }
        Command::Plot(mut args) => {
            fill_energy(&project()?, &mut args.how, &mut args.energy);
            plot::run(&args, jobs)
        }
        Command::Export(mut args) => {
            project()?.fill_options(&mut args.how);
            export::run(&args, jobs)
        }
        Command::Sensitivity(mut args) => {
            let project = project()?;
            project.fill_window(&mut args.windows);
            project.fill_classes(&mut args.classes);
            sensitivity::run(&args, jobs)
        }
        Command::Whatif(mut args) => {
            let project = project()?;
            project.fill_window(&mut args.windows);
            project.fill_classes(&mut args.classes);
            whatif::run(&args, jobs)
        }
        Command::Study(args) => study::run(&args),
        Command::Profile(args) => profile::run(&args),
        Command::Sample(args) => sample::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Launch(args) => launch::run(&args),
        Command::Scrub(args) => scrub::run(&args, jobs),
        Command::Dataset(mut args) => {
            if let dataset::DatasetCommand::Add(args) = &mut args.command {
                project()?.fill_options(&mut args.how);
            }
            dataset::run(&args, jobs)
        }
        Command::Explain(args) => explain::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}

/// What the project file says where nothing was typed, for commands that take power logs too.
fn fill_energy(project: &Project, how: &mut TraceOptions, energy: &mut EnergyOptions) {
    project.fill_options(how);
    if !energy.power.is_empty() {
        project.fill_rail(&mut energy.rail);
    }
}
