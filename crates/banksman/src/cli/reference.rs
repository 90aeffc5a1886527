//! `reference` (hidden): writes `docs/cli.md` from the command line's own definition, so that it cannot be out of date; a test
//! compares.

use super::Cli;
use crate::output::Exit;
use clap::{Arg, Args, Command, CommandFactory};
use std::fmt::Write;

/// Print the command line reference as Markdown.
#[derive(Debug, Args)]
pub(crate) struct ReferenceArgs {}

pub(super) fn run(_: &ReferenceArgs) -> anyhow::Result<Exit> {
    crate::output::put(&markdown())?;
    Ok(Exit::Success)
}

/// The reference.
fn markdown() -> String {
    let mut root = Cli::command();
    root.build();
    let mut out = String::from(
        "# Command line\n\nWritten by `banksman reference`; `./test` checks that it is current. Every command has `--json`, \
         `--no-color` and `--home DIR`, and exits 0 on success, 1 when the work failed, 2 when it was called wrongly.\n",
    );
    section(&mut out, &root, "banksman", 2);
    out
}

fn section(out: &mut String, command: &Command, path: &str, depth: usize) {
    let visible: Vec<&Command> = command.get_subcommands().filter(|c| !c.is_hide_set()).collect();
    for child in visible {
        let path = format!("{path} {}", child.get_name());
        let _ = write!(out, "\n{} `{path}`\n\n", "#".repeat(depth));
        if let Some(about) = child.get_long_about().or(child.get_about()) {
            let _ = writeln!(out, "{about}");
        }
        if !child.has_subcommands() {
            let usage = child.clone().render_usage().to_string();
            let usage = usage.trim_start_matches("Usage: ").replace("\n       ", "\n");
            let _ = write!(out, "\n    {}\n", usage.replace('\n', "\n    "));
        }
        let args: Vec<&Arg> =
            child.get_arguments().filter(|a| !a.is_hide_set() && !a.is_global_set()).collect();
        let args: Vec<&Arg> =
            args.into_iter().filter(|a| a.get_id() != "help" && a.get_id() != "version").collect();
        if !args.is_empty() {
            out.push_str("\n| option | meaning |\n| --- | --- |\n");
            for arg in args {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
                let defaults = if arg.get_action().takes_values() { arg.get_default_values() } else { &[] };
                let default: Vec<String> =
                    defaults.iter().map(|v| v.to_string_lossy().into_owned()).collect();
                let default = match default.as_slice() {
                    [] => String::new(),
                    values => format!(" [default: {}]", values.join(" ")),
                };
                let _ = writeln!(out, "| `{}` | {help}{default} |", name(arg).replace('|', "\\|"));
            }
        }
        section(out, child, &path, depth + 1);
    }
}

fn name(arg: &Arg) -> String {
    let values = arg.get_value_names().map(|names| names.join(" ")).unwrap_or_default();
    match arg.get_long() {
        Some(long) if arg.get_action().takes_values() => format!("--{long} {values}"),
        Some(long) => format!("--{long}"),
        None => values,
    }
}
