//! One call of the git program, neutralised: no configuration of the host, no hooks, monitors, replaced objects, prompts or
//! network; bounded output; what it writes to stderr is looked at by nobody, for it may repeat names from outside.

use super::Turn;
use std::{
    ffi::{OsStr, OsString},
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
    time::timeout,
};

/// Most bytes of an answer that are taken.
const MOST_OUTPUT: u64 = 64 * 1024 * 1024;
/// Longest time that a call may take.
const LONGEST: Duration = Duration::from_secs(300);

/// Settings that no file may override.
const NEUTRAL: [&str; 14] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.quotePath=true",
    "core.pager=cat",
    "core.askPass=",
    "core.sshCommand=false",
    "diff.external=",
    "protocol.allow=never",
    "protocol.ext.allow=never",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "i18n.commitEncoding=utf-8",
];

/// Environment besides `PATH`; everything else is cleared.
const ENVIRONMENT: [(&str, &str); 5] = [
    ("LC_ALL", "C"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_LITERAL_PATHSPECS", "1"),
];

/// Keeps the host's configuration out.
const ALONE: [(&str, &str); 4] = [
    ("HOME", "/nonexistent"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
];

/// What leads to the user's own configuration.
const OWN: [&str; 5] =
    ["HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"];

/// Git could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    /// The program cannot be started.
    #[error("git cannot be started: install git 2.38 or newer")]
    Start(#[source] std::io::Error),
    /// The program is too old.
    #[error("this git is too old: install git 2.38 or newer")]
    TooOld,
    /// The folder is in no repository.
    #[error("{} is not inside a git repository", .0.display())]
    NoRepository(PathBuf),
    /// Its files cannot be read or written.
    #[error("a file of the repository cannot be used")]
    File(#[source] std::io::Error),
    /// It took too long.
    #[error("git {0} took longer than five minutes")]
    TimedOut(String),
    /// It ended in an unexpected way.
    #[error("git {command} failed with status {code}")]
    Failed {
        /// The subcommand.
        command: String,
        /// Its exit code, or -1 when it was killed.
        code: i32,
    },
    /// A lock is in the way.
    #[error(
        "{} exists: another git is at work there, or one died; remove the file if none is running", .0.display()
    )]
    Locked(PathBuf),
    /// Its answer is not of the documented shape, or too long.
    #[error("git {0} gave an answer that cannot be read")]
    Answer(String),
}

/// How a call ended.
pub(crate) struct Answer {
    /// Exit code.
    pub(crate) code: i32,
    /// What it printed.
    pub(crate) out: Vec<u8>,
}

/// What happens to a call whose future is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnDrop {
    /// It is killed.
    Kill,
    /// It goes on to its end: killing it could leave a lock in the repository.
    Finish,
}

/// One call, being put together.
pub(crate) struct Call {
    args: Vec<OsString>,
    env: Vec<(&'static str, OsString)>,
    input: Vec<u8>,
    lock: Option<File>,
    folder: PathBuf,
    on_drop: OnDrop,
    settings: Settings,
}

/// Whose settings a call goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settings {
    /// The repository's own alone.
    Repository,
    /// The user's too: their files are written as their own git writes them (line ends, large file storage).
    User,
}

impl Call {
    /// A call on a repository's folder.
    pub(crate) fn new<const N: usize>(git_dir: &Path, args: [&str; N]) -> Self {
        let mut all: Vec<OsString> = vec!["--no-replace-objects".into(), "--no-pager".into()];
        for setting in NEUTRAL {
            all.push("-c".into());
            all.push(setting.into());
        }
        let mut dir = OsString::from("--git-dir=");
        dir.push(git_dir);
        all.push(dir);
        all.extend(args.iter().map(OsString::from));
        Self {
            args: all,
            env: Vec::new(),
            input: Vec::new(),
            lock: None,
            folder: git_dir.to_owned(),
            on_drop: OnDrop::Kill,
            settings: Settings::Repository,
        }
    }

    /// Inside a work tree of the user, with an index of one's own.
    pub(crate) fn in_tree(mut self, tree: &Path, index: &Path) -> Self {
        self.folder = tree.to_owned();
        self.settings = Settings::User;
        self.env("GIT_WORK_TREE", tree).env("GIT_INDEX_FILE", index)
    }

    /// With one more variable.
    pub(crate) fn env(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name, value.as_ref().to_owned()));
        self
    }

    /// With one more argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// With something to read.
    pub(crate) fn input(mut self, input: Vec<u8>) -> Self {
        self.input = input;
        self
    }

    /// As one that changes the repository: it runs to its end even if nobody waits any more, and holds the turn until then.
    pub(super) fn changing(mut self, turn: &Turn) -> Result<Self, GitError> {
        self.on_drop = OnDrop::Finish;
        self.lock = Some(turn.share()?);
        Ok(self)
    }

    /// Runs it, whatever its exit code.
    pub(crate) async fn run(self) -> Result<Answer, GitError> {
        let name = self.name();
        let (own, alone): (&[&str], &[(&str, &str)]) = match self.settings {
            Settings::Repository => (&[], &ALONE),
            Settings::User => (&OWN, &[]),
        };
        let own = own.iter().filter_map(|name| std::env::var_os(name).map(|value| (*name, value)));
        let alone = alone.iter().copied();
        let mut command = Command::new("git");
        command
            .args(&self.args)
            .current_dir(&self.folder)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(ENVIRONMENT)
            .envs(own)
            .envs(alone)
            .envs(self.env)
            .stdin(self.lock.map_or_else(Stdio::piped, Stdio::from))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(self.on_drop == OnDrop::Kill);
        let mut child = command.spawn().map_err(GitError::Start)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let work = async {
            let write = async {
                if let Some(mut stdin) = stdin {
                    // A program that does not want its input is allowed not to read it.
                    let _ = stdin.write_all(&self.input).await;
                }
            };
            let read = async {
                let mut out = Vec::new();
                if let Some(stdout) = stdout {
                    stdout.take(MOST_OUTPUT + 1).read_to_end(&mut out).await.map_err(GitError::File)?;
                }
                Ok::<_, GitError>(out)
            };
            let ((), out) = tokio::join!(write, read);
            let status = child.wait().await.map_err(GitError::File)?;
            Ok::<_, GitError>(Answer { code: status.code().unwrap_or(-1), out: out? })
        };
        let answer = timeout(LONGEST, work).await.map_err(|_| GitError::TimedOut(name.clone()))??;
        if answer.out.len() as u64 > MOST_OUTPUT {
            return Err(GitError::Answer(name));
        }
        Ok(answer)
    }

    /// Runs it; any exit code but 0 is an error.
    pub(crate) async fn bytes(self) -> Result<Vec<u8>, GitError> {
        let command = self.name();
        let Answer { code, out } = self.run().await?;
        if code == 0 { Ok(out) } else { Err(GitError::Failed { command, code }) }
    }

    /// Runs it; its answer is text.
    pub(crate) async fn text(self) -> Result<String, GitError> {
        let command = self.name();
        String::from_utf8(self.bytes().await?).map_err(|_| GitError::Answer(command))
    }

    /// Runs it; its exit code is the answer: 0 is yes, 1 is no.
    pub(crate) async fn yes(self) -> Result<bool, GitError> {
        let command = self.name();
        match self.run().await?.code {
            0 => Ok(true),
            1 => Ok(false),
            code => Err(GitError::Failed { command, code }),
        }
    }

    /// The subcommand, for messages.
    fn name(&self) -> String {
        let fixed = 2 + 2 * NEUTRAL.len() + 1;
        self.args.get(fixed).map(|a| a.to_string_lossy().into_owned()).unwrap_or_default()
    }
}
