//! The git program as the demo calls it: with no configuration but its own, whatever the user's says.

use anyhow::Context;
use std::{
    path::Path,
    process::{Command, Stdio},
};

/// Configuration of every call.
const SETTINGS: [&str; 10] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.autocrlf=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "commit.gpgSign=false",
    "init.templateDir=",
    "safe.directory=*",
    "user.name=Demo",
    "user.email=demo@localhost",
];

/// Variables that would lead git to another repository or to other configuration.
const REMOVED: [&str; 12] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_TEMPLATE_DIR",
    "GIT_DEFAULT_HASH",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_EXTERNAL_DIFF",
];

/// Variables that keep the configuration of host and user out.
const SET: [(&str, &str); 6] = [
    ("LC_ALL", "C"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_SYSTEM", "/dev/null"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
];

/// Git in a folder: a work tree or a git directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Git<'a> {
    dir: &'a Path,
    variables: &'a [(&'a str, &'a str)],
}

impl<'a> Git<'a> {
    /// Git in this folder.
    pub(super) fn at(dir: &'a Path) -> Self {
        Self { dir, variables: &[] }
    }

    /// The same with more variables.
    pub(super) fn with(self, variables: &'a [(&'a str, &'a str)]) -> Self {
        Self { variables, ..self }
    }

    /// Runs a command and gives what it printed. Any exit code but 0 is an error that repeats git's own words.
    pub(super) fn run(&self, args: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new("git");
        REMOVED.iter().for_each(|name| {
            command.env_remove(name);
        });
        command.envs(SET).envs(self.variables.iter().copied());
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        let done = command
            .arg("-C")
            .arg(self.dir)
            .args(args)
            .stdin(Stdio::null())
            .output()
            .context("cannot run git: is it installed?")?;
        let what = args.first().copied().unwrap_or_default();
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr);
            anyhow::bail!("git {what} failed in {}: {}", self.dir.display(), said.trim());
        }
        String::from_utf8(done.stdout).with_context(|| format!("git {what} printed no text"))
    }
}
