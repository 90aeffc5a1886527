//! The git program, neutralised: no configuration but ours, no hooks, filters, file system monitors, replaced objects or
//! submodules, no prompts, and no network but what `network` adds. Every call of git outside a sandbox goes through here (S11).

use crate::network::WaysOut;
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{io::AsyncReadExt, process::Command};

/// Longest time one git command may take.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Most output of a git command that is kept.
const MAX_OUTPUT: u64 = 16 << 20;

/// Configuration that takes effect whatever a repository says.
pub(crate) const NEUTRAL: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.commitGraph=false",
    "core.multiPackIndex=false",
    "core.pager=cat",
    "core.sshCommand=false",
    "core.askPass=",
    "credential.helper=",
    "diff.external=",
    "diff.ignoreSubmodules=all",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=no",
    "protocol.allow=never",
    "protocol.file.allow=always",
    "uploadpack.packObjectsHook=",
    "gc.auto=0",
    "maintenance.auto=false",
    "commit.gpgSign=false",
    "merge.verifySignatures=false",
    "advice.detachedHead=false",
    "init.defaultBranch=main",
    "init.templateDir=",
];

/// Name and address of commits that Banksman makes.
pub(crate) const IDENTITY: [(&str, &str); 4] = [
    ("GIT_AUTHOR_NAME", "Banksman"),
    ("GIT_AUTHOR_EMAIL", "banksman@localhost"),
    ("GIT_COMMITTER_NAME", "Banksman"),
    ("GIT_COMMITTER_EMAIL", "banksman@localhost"),
];

/// Variables that keep configuration of the host and of the repository out.
pub(crate) const ENVIRONMENT: &[(&str, &str)] = &[
    ("LC_ALL", "C"),
    ("HOME", "/nonexistent"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_SYSTEM", "/dev/null"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_PROTOCOL_FROM_USER", "0"),
    ("GIT_ADVICE", "0"),
];

/// A git command that did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    /// The program is not there or could not be started.
    #[error("git could not be started")]
    Start(#[source] std::io::Error),
    /// It took too long.
    #[error("git {0} took too long")]
    TimedOut(&'static str),
    /// It ended with an error. Its words may hold names from outside: only what [`Cause`] tells apart is read from them.
    #[error("git {command} ended with status {code:?}")]
    Failed {
        /// The subcommand.
        command: &'static str,
        /// Exit code.
        code: Option<i32>,
        /// What it was about.
        cause: Cause,
    },
    /// It printed more than is looked at, or something that is not of the expected shape.
    #[error("git {0} gave an answer of unknown shape")]
    Answer(&'static str),
    /// A file of ours could not be read or written.
    #[error("a file of the control repository could not be used")]
    File(#[source] std::io::Error),
    /// The forge's repository wants a credential, and there is none now.
    #[error("there is no credential for the forge's repository")]
    NoCredential,
}

/// Why git failed, where that can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The disk is full.
    DiskFull,
    /// The server does not let the credential do this.
    Denied,
    /// Anything else.
    Other,
}

impl GitError {
    /// Whether the disk was full.
    pub(crate) fn disk_full(&self) -> bool {
        match self {
            Self::Failed { cause, .. } => *cause == Cause::DiskFull,
            Self::File(error) | Self::Start(error) => is_disk_full(error),
            Self::TimedOut(_) | Self::Answer(_) | Self::NoCredential => false,
        }
    }

    /// Whether a server did not let the credential do it.
    pub(crate) fn denied(&self) -> bool {
        matches!(self, Self::Failed { cause: Cause::Denied, .. })
    }
}

impl Cause {
    /// From what git said on its standard error.
    fn read(said: &[u8]) -> Self {
        let says = |words: &[u8]| said.windows(words.len()).any(|window| window == words);
        // Git's own lines: what a server sends stands behind `remote: `.
        let denied = |line: &[u8]| {
            line.starts_with(b"fatal: Authentication failed for")
                || line.starts_with(b"fatal: could not read Username for")
                || (line.starts_with(b"fatal: unable to access")
                    && [b"error: 401".as_slice(), b"error: 403"].iter().any(|end| line.ends_with(end)))
        };
        if says(b"No space left on device") || says(b"Disk quota exceeded") {
            Self::DiskFull
        } else if said.split(|b| *b == b'\n').any(|line| denied(line.trim_ascii_end())) {
            Self::Denied
        } else {
            Self::Other
        }
    }
}

/// Whether an error says that the disk is full.
pub(crate) fn is_disk_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
}

/// The git program of the host.
#[derive(Debug, Clone)]
pub(crate) struct Git {
    program: PathBuf,
    path: OsString,
    ways_out: WaysOut,
}

/// One git command under construction.
pub(crate) struct GitCommand {
    command: Command,
    name: &'static str,
    args: Vec<OsString>,
    timeout: Duration,
}

impl Git {
    /// `program` is git's absolute path, `path` the value of `PATH` that it finds its own helpers in.
    pub(crate) fn new(program: PathBuf, path: OsString, ways_out: WaysOut) -> Self {
        Self { program, path, ways_out }
    }

    pub(crate) fn ways_out(&self) -> &WaysOut {
        &self.ways_out
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// A command on the bare repository or git directory `dir`.
    pub(crate) fn at(&self, dir: &Path, name: &'static str) -> GitCommand {
        let mut git_dir = OsString::from("--git-dir=");
        git_dir.push(dir);
        self.build(name, Some(&git_dir))
    }

    /// A command in the work tree `dir`, whose git directory is its own `.git`. Only for trees that no agent has touched.
    pub(crate) fn in_tree(&self, dir: &Path, name: &'static str) -> GitCommand {
        let mut git_dir = OsString::from("--git-dir=");
        git_dir.push(dir.join(".git"));
        let mut command = self.build(name, Some(&git_dir));
        command.command.current_dir(dir).env("GIT_WORK_TREE", dir);
        command
    }

    /// A command without a repository.
    pub(crate) fn plain(&self, name: &'static str) -> GitCommand {
        self.build(name, None)
    }

    fn build(&self, name: &'static str, git_dir: Option<&OsStr>) -> GitCommand {
        let mut command = Command::new(&self.program);
        command.env_clear().env("PATH", &self.path).current_dir("/");
        command.envs(ENVIRONMENT.iter().copied()).envs(IDENTITY);
        for setting in NEUTRAL {
            command.arg("-c").arg(setting);
        }
        command.args(git_dir);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // In a group of its own, so that Ctrl-C on the terminal does not break off a half-written object.
        command.process_group(0).kill_on_drop(true);
        GitCommand { command, name, args: Vec::new(), timeout: TIMEOUT }
    }
}

impl GitCommand {
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Configuration for this command alone.
    pub(crate) fn setting(mut self, setting: impl AsRef<OsStr>) -> Self {
        self.command.arg("-c").arg(setting);
        self
    }

    /// A variable for this command alone. Unlike settings and arguments others cannot see it.
    pub(crate) fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Another limit of its time.
    pub(crate) fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs it to its end and gives its exit code and output.
    pub(crate) async fn output(mut self) -> Result<(Option<i32>, Vec<u8>, Cause), GitError> {
        let mut child = self.command.arg(self.name).args(&self.args).spawn().map_err(GitError::Start)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let ended = tokio::time::timeout(self.timeout, async {
            let (out, err, status) = tokio::join!(read(stdout), read(stderr), child.wait());
            (out, err, status)
        });
        let Ok((out, err, status)) = ended.await else { return Err(GitError::TimedOut(self.name)) };
        let status = status.map_err(GitError::Start)?;
        if out.len() as u64 > MAX_OUTPUT {
            return Err(GitError::Answer(self.name));
        }
        tracing::trace!(git.command = %self.name, git.code = ?status.code(), "git ended");
        Ok((status.code(), out, Cause::read(&err)))
    }

    /// Runs it; any exit code but 0 is an error.
    pub(crate) async fn run(self) -> Result<Vec<u8>, GitError> {
        let command = self.name;
        match self.output().await? {
            (Some(0), out, _) => Ok(out),
            (code, _, cause) => Err(GitError::Failed { command, code, cause }),
        }
    }

    /// Runs a command that answers yes with 0 and no with 1.
    pub(crate) async fn answers(self) -> Result<Answer, GitError> {
        let command = self.name;
        match self.output().await? {
            (Some(0), ..) => Ok(Answer::Yes),
            (Some(1), ..) => Ok(Answer::No),
            (code, _, cause) => Err(GitError::Failed { command, code, cause }),
        }
    }

    /// Runs it and hands its output on in pieces; ends it early when `take` says so. For output of any size.
    pub(crate) async fn stream(mut self, mut take: impl FnMut(&[u8])) -> Result<(), GitError> {
        self.command.stderr(Stdio::null());
        let mut child = self.command.arg(self.name).args(&self.args).spawn().map_err(GitError::Start)?;
        let Some(mut stdout) = child.stdout.take() else { return Err(GitError::Answer(self.name)) };
        let mut buffer = vec![0; 64 << 10];
        let status = tokio::time::timeout(self.timeout, async {
            loop {
                match stdout.read(&mut buffer).await.map_err(GitError::File)? {
                    0 => break,
                    n => take(&buffer[..n]),
                }
            }
            child.wait().await.map_err(GitError::Start)
        });
        match status.await {
            Err(_) => Err(GitError::TimedOut(self.name)),
            Ok(Err(error)) => Err(error),
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => {
                Err(GitError::Failed { command: self.name, code: status.code(), cause: Cause::Other })
            }
        }
    }
}

/// An answer of git.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
}

/// Reads to the end; keeps one byte more than is allowed, so that the caller can tell.
async fn read(stream: Option<impl tokio::io::AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    if let Some(mut stream) = stream {
        // An error while reading shows in the exit code as well.
        let _ = (&mut stream).take(MAX_OUTPUT + 1).read_to_end(&mut kept).await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_git_failed_is_read_from_its_own_words_only() {
        for (said, cause) in [
            ("error: unable to write: No space left on device\n", Cause::DiskFull),
            (
                "fatal: unable to access 'https://h/a.git/': The requested URL returned error: 403\n",
                Cause::Denied,
            ),
            ("fatal: could not read Username for 'https://h': terminal prompts disabled\n", Cause::Denied),
            ("fatal: Authentication failed for 'https://h/a.git/'\n", Cause::Denied),
            ("remote: fatal: Authentication failed for you\nfatal: early EOF\n", Cause::Other),
            ("fatal: unable to access 'https://h/a.git/': Could not resolve host: h\n", Cause::Other),
            ("", Cause::Other),
        ] {
            assert_eq!(Cause::read(said.as_bytes()), cause, "{said}");
        }
    }
}
