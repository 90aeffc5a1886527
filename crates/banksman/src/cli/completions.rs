//! `completions`: the script that a shell needs to complete commands and options.

use super::Cli;
use crate::output::Exit;
use clap::{Args, CommandFactory};

/// Print the completion script of a shell.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell: bash, elvish, fish, powershell or zsh.
    shell: clap_complete::Shell,
}

pub(super) fn run(args: &CompletionsArgs) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "banksman", &mut script);
    crate::output::put(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}
