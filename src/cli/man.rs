//! `nsys-attrib man`: manual pages, one for the program and one for each subcommand.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Command, CommandFactory};

use super::args::{Cli, ManArgs};
use super::output;

pub(super) fn run(args: &ManArgs) -> Result<ExitCode> {
    match &args.out {
        Some(folder) => write_files(folder)?,
        None => {
            let mut page = Vec::new();
            render(program(), &mut page)?;
            io::stdout().lock().write_all(&page)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn program() -> Command {
    let mut program = Cli::command();
    program.build();
    program
}

fn write_files(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("folder {} cannot be made", folder.display()))?;
    let program = program();
    let subcommands: Vec<Command> =
        program.get_subcommands().filter(|command| command.get_name() != "help").cloned().collect();
    for command in std::iter::once(program).chain(subcommands) {
        // A built subcommand is called `nsys-attrib analyze`; its page `nsys-attrib-analyze`.
        let name = command.get_display_name().unwrap_or(command.get_name()).replace(' ', "-");
        let path = folder.join(format!("{name}.1"));
        output::write_file(&path, |out| render(command, out))?;
        println!("{}", path.display());
    }
    Ok(())
}

fn render(command: Command, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    out.write_all(&page)
}
