//! A temporary world for one test: a home, a repository, the binary, nothing of the user's.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// The world.
pub(crate) struct World {
    folder: TempDir,
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Done {
    /// Exit code; `None` when it was killed.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl World {
    /// An empty world.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::Builder::new().prefix("banksman-it-").tempdir().unwrap() }
    }

    /// A world with a repository `repo` of one commit on `main`.
    pub(crate) fn with_repository() -> Self {
        let world = Self::new();
        world.sh(
            "git init -q -b main repo; cd repo; echo hello > a.txt; git add .; git commit -qm 'First commit'",
        );
        world
    }

    /// A path inside.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    /// Writes a file.
    pub(crate) fn write(&self, inside: &str, text: impl AsRef<[u8]>) {
        let path = self.path(inside);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Writes the user's configuration.
    pub(crate) fn configure(&self, text: &str) {
        self.write("config.toml", text);
    }

    /// The binary, not yet started.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_banksman"));
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command.env("HOME", self.path("user")).env("USER", "tester").env("TMPDIR", self.folder.path());
        command.env("LANG", "C.UTF-8").env("BANKSMAN_HOME", self.path("home"));
        if self.path("config.toml").exists() {
            command.env("BANKSMAN_CONFIG", self.path("config.toml"));
        }
        std::fs::create_dir_all(self.path("user")).unwrap();
        command
    }

    /// Runs the binary.
    pub(crate) fn run(&self, args: &[&str]) -> Done {
        self.done(self.command(args).output().unwrap())
    }

    /// Runs the binary, which has to succeed; its standard output.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let done = self.run(args);
        assert_eq!(done.code, Some(0), "{args:?}\n{}\n{}", done.out, done.err);
        done.out
    }

    /// Runs the binary, which has to print one JSON document.
    pub(crate) fn json(&self, args: &[&str]) -> serde_json::Value {
        let mut all = vec!["--json"];
        all.extend(args);
        serde_json::from_str(&self.ok(&all)).unwrap()
    }

    /// Runs a script of the shell; its standard output.
    pub(crate) fn sh(&self, script: &str) -> String {
        let done = Command::new("sh")
            .args(["-ec", script])
            .current_dir(self.folder.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "a")
            .env("GIT_AUTHOR_EMAIL", "a@localhost")
            .env("GIT_COMMITTER_NAME", "a")
            .env("GIT_COMMITTER_EMAIL", "a@localhost")
            .output()
            .unwrap();
        assert!(done.status.success(), "{script}\n{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    /// The text with the world's folder written as `DIR`.
    pub(crate) fn plain(&self, text: &str) -> String {
        let shown = self.folder.path().display().to_string();
        let real = self.folder.path().canonicalize().unwrap().display().to_string();
        text.replace(&real, "DIR").replace(&shown, "DIR")
    }

    fn done(&self, output: Output) -> Done {
        let text = |bytes: &[u8]| self.plain(&String::from_utf8_lossy(bytes));
        Done { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Processes whose command line names this world.
    pub(crate) fn processes(&self) -> Vec<String> {
        let folder = self.folder.path().display().to_string();
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            if command.contains(&folder) {
                found.push(command);
            }
        }
        found
    }
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}
