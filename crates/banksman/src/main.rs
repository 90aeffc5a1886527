//! The `banksman` binary: commands, configuration, wiring. What it knows is in `core`, what it does in `orchestrator`.

mod app;
mod cadence;
mod cli;
mod clock;
mod config;
mod demo;
mod home;
mod host;
mod output;
mod queue;
mod server;
mod surface;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let app = app::App::start(&cli.global);
    match cli::run(cli.command, &app) {
        Ok(exit) => exit.into(),
        Err(error) => output::report(&error).into(),
    }
}
