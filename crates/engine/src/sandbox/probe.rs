//! Finds out what the host offers by running it once: whether user namespaces are allowed cannot be told from version numbers.

use super::find_program;
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::process::Command;

/// What the host offers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "offers")]
pub enum Offered {
    /// bubblewrap works.
    Bubblewrap {
        /// The program.
        program: PathBuf,
        /// Its version, as it says.
        version: String,
        /// Whether it can bound a file system in memory.
        tmpfs_size: TmpfsSize,
    },
    /// No sandbox.
    None {
        /// Why, with the remedy.
        why: &'static str,
    },
}

/// Whether bubblewrap knows `--size`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TmpfsSize {
    /// From 0.7.0 on.
    Bounded,
    /// The kernel's default: half of the memory.
    Default,
}

/// What every sandbox needs, with nothing in it but the system.
const PROBE: &[&str] = &[
    "--unshare-user",
    "--unshare-all",
    "--die-with-parent",
    "--new-session",
    "--as-pid-1",
    "--cap-drop",
    "ALL",
    "--ro-bind",
    "/",
    "/",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
];

pub(super) async fn probe(path: &OsStr) -> Offered {
    if !cfg!(target_os = "linux") {
        return Offered::None {
            why: "bubblewrap exists on Linux only; run Banksman in a container or a virtual machine",
        };
    }
    let Some(program) = find_program("bwrap".as_ref(), path) else {
        return Offered::None { why: "the program bwrap is not in PATH; install the package bubblewrap" };
    };
    let with_size = [PROBE, &["--size", "1048576", "--tmpfs", "/tmp"]].concat();
    let without_size = [PROBE, &["--tmpfs", "/tmp"]].concat();
    for (args, tmpfs_size) in [(with_size, TmpfsSize::Bounded), (without_size, TmpfsSize::Default)] {
        if runs(&program, &args).await == Runs::Yes {
            let version = version(&program).await;
            return Offered::Bubblewrap { program, version, tmpfs_size };
        }
    }
    Offered::None {
        why: "bwrap is installed but may not make user namespaces; allow them (sysctl kernel.unprivileged_userns_clone=1, \
              kernel.apparmor_restrict_unprivileged_userns=0, or in a container --security-opt seccomp=unconfined)",
    }
}

#[derive(PartialEq, Eq)]
enum Runs {
    Yes,
    No,
}

async fn runs(program: &Path, args: &[&str]) -> Runs {
    let mut command = Command::new(program);
    command.args(args).arg("true").env_clear().env("PATH", "/usr/bin:/bin");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    match tokio::time::timeout(Duration::from_secs(10), command.status()).await {
        Ok(Ok(status)) if status.success() => Runs::Yes,
        _ => Runs::No,
    }
}

async fn version(program: &Path) -> String {
    crate::doctor::version_of(program, &[], "/usr/bin:/bin".as_ref()).await.unwrap_or_default()
}
