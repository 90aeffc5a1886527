//! What a process may see, reach and use up (S12, S15). The sandbox is on by default and fails closed: where the host cannot do
//! it, nothing runs, unless the host's configuration says so.

mod bubblewrap;
mod limits;
mod probe;
pub(crate) mod system;

pub use limits::Limits;
pub use probe::Offered;

use crate::{definition::Network, launch::Argv, session::What};
use banksman_core::work::{FailReason, SandboxLevel};
use std::path::{Path, PathBuf};

/// What the host's configuration says about the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SandboxPolicy {
    /// The best level that the host offers; without one nothing runs.
    #[default]
    Auto,
    /// The best level that the host offers, none if there is none: for programs of our own only.
    BestEffort,
    /// None, by the host's explicit word.
    Off,
}

/// What one process tree sees of the host, beyond the bare system.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    /// The user's home: empty and in memory inside.
    pub(crate) home: PathBuf,
    /// Private copies of files of the home; its entries appear in the home, writable.
    pub(crate) private_home: PathBuf,
    /// Readable.
    pub(crate) read_only: Vec<PathBuf>,
    /// Readable and writable.
    pub(crate) writable: Vec<PathBuf>,
    /// Inside what is writable, but not writable themselves.
    pub(crate) guarded: Vec<PathBuf>,
    /// Whether it has the host's network.
    pub(crate) network: Network,
    /// Where it starts.
    pub(crate) cwd: PathBuf,
}

/// The sandbox of this host.
#[derive(Debug)]
pub(crate) struct Sandbox {
    policy: SandboxPolicy,
    offered: Offered,
    limits: limits::Limiter,
}

impl Sandbox {
    /// Looks at what the host offers by trying it, where a sandbox is asked for.
    pub(crate) async fn probe(policy: SandboxPolicy, path: &std::ffi::OsStr, limits: Limits) -> Self {
        let offered = match policy {
            SandboxPolicy::Off => {
                Offered::None { why: "nobody looked: the configuration says `sandbox = \"off\"`" }
            }
            SandboxPolicy::Auto | SandboxPolicy::BestEffort => probe::probe(path).await,
        };
        let limits = limits::Limiter::new(path, limits);
        Self { policy, offered, limits }
    }

    /// What the host offers, as far as it was looked at.
    pub(crate) fn offered(&self) -> &Offered {
        &self.offered
    }

    /// What the host offers, whether a sandbox is asked for or not.
    pub(crate) async fn look(&self, path: &std::ffi::OsStr) -> Offered {
        match self.policy {
            SandboxPolicy::Off => probe::probe(path).await,
            SandboxPolicy::Auto | SandboxPolicy::BestEffort => self.offered.clone(),
        }
    }

    /// The level at which processes run, or that none may.
    pub(crate) fn level(&self) -> Result<SandboxLevel, FailReason> {
        match (self.policy, &self.offered) {
            (SandboxPolicy::Off, _) | (SandboxPolicy::BestEffort, Offered::None { .. }) => {
                Ok(SandboxLevel::Off)
            }
            (SandboxPolicy::Auto, Offered::None { .. }) => Err(FailReason::NoSandbox),
            (SandboxPolicy::Auto | SandboxPolicy::BestEffort, Offered::Bubblewrap { .. }) => {
                Ok(SandboxLevel::Bubblewrap)
            }
        }
    }

    /// The command that runs something in the room, limits in front of it.
    pub(crate) fn command(&self, level: SandboxLevel, room: &Room, what: What) -> Argv {
        match (level, &self.offered, what) {
            (SandboxLevel::Bubblewrap, Offered::Bubblewrap { program, tmpfs_size, .. }, what) => {
                let inner = match what {
                    What::Program(argv) => argv,
                    What::Script(path) => Argv { program: "/bin/sh".into(), args: vec![path.into()] },
                };
                let limited = self.limits.wrap(limits::Counted::InNamespace, first_process(inner));
                bubblewrap::wrap(program, *tmpfs_size, room, limited)
            }
            (_, _, What::Program(inner)) => self.limits.wrap(limits::Counted::WithTheUsers, inner),
            (_, _, What::Script(path)) => self.limits.script(path),
        }
    }
}

/// The first process of the namespace is a shell that waits for the engine: when it ends, the kernel ends all others before
/// anybody outside learns of it, and it reaps orphans meanwhile.
fn first_process(inner: Argv) -> Argv {
    let mut args = vec!["-c".into(), "\"$@\"; exit $?".into(), "sh".into(), inner.program.into_os_string()];
    args.extend(inner.args);
    Argv { program: "/bin/sh".into(), args }
}

/// The program of that name in a search path, or the path itself if it is absolute and executable.
pub(crate) fn find_program(name: &Path, path: &std::ffi::OsStr) -> Option<PathBuf> {
    if name.is_absolute() {
        return is_executable(name).then(|| name.to_owned());
    }
    std::env::split_paths(path)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(name))
        .find(|p| is_executable(p))
}

fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}
