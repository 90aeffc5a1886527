//! Errors as people see them: what was wrong, where, what to do; and the exit code that goes with them.

use anstream::eprintln;
use std::{fmt, process::ExitCode};

/// How a command ended, for the exit code (00-overview.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0.
    Success,
    /// 1: the work failed.
    Failed,
    /// 2: it was called wrongly.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Success => ExitCode::SUCCESS,
            Exit::Failed => ExitCode::FAILURE,
            Exit::Usage => ExitCode::from(2),
        }
    }
}

/// A failure that says what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    help: String,
    exit: Exit,
}

impl Failure {
    /// The work failed.
    #[expect(clippy::new_ret_no_self, reason = "what commands pass on is the error")]
    pub(crate) fn new(what: impl Into<String>, help: impl Into<String>) -> anyhow::Error {
        Self { what: what.into(), help: help.into(), exit: Exit::Failed }.into()
    }

    /// The command was called wrongly.
    pub(crate) fn usage(what: impl Into<String>, help: impl Into<String>) -> anyhow::Error {
        Self { what: what.into(), help: help.into(), exit: Exit::Usage }.into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failure {}

/// Prints an error with its causes and its help; gives the exit code.
pub(crate) fn report(error: &anyhow::Error) -> Exit {
    let mut chain: Vec<String> = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        // Some errors repeat their cause in their own words.
        if chain.last().is_none_or(|last| !last.ends_with(&cause)) {
            chain.push(cause);
        }
    }
    let failure = error.chain().find_map(|cause| cause.downcast_ref::<Failure>());
    let bold = super::style::BAD;
    let text = super::clean_lines(&chain.join(": "));
    eprintln!("{bold}error:{bold:#} {text}");
    if let Some(help) = failure.map(|f| &f.help).filter(|h| !h.is_empty()) {
        eprintln!("  {}", super::clean_lines(help).replace('\n', "\n  "));
    }
    failure.map_or(Exit::Failed, |f| f.exit)
}
