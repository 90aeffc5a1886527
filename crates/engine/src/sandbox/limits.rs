//! Limits on what an attempt may use up (S15), set by a program in front of the engine: `prlimit` where it is there, else the
//! shell's `ulimit`, which cannot bound the number of processes everywhere.
//!
//! Memory and CPU are bounded per process, not per tree: that would need a cgroup. Memory means the data segment, not the address space, which
//! the runtimes of some engines reserve by the terabyte. The number of processes is bounded only inside a user namespace, where no others of the
//! user are counted; the kernel does not bound it for root. Disk is bounded per file; `min_free` of the host's configuration guards the rest.

use super::find_program;
use crate::launch::Argv;
use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

/// What an attempt may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Processes and threads at once.
    pub processes: u64,
    /// Memory of one process, in MiB.
    pub memory_mib: u64,
    /// CPU time of one process, in seconds.
    pub cpu_seconds: u64,
    /// Size of one file, in MiB.
    pub file_mib: u64,
    /// Open files of one process.
    pub open_files: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { processes: 4096, memory_mib: 8192, cpu_seconds: 6 * 3600, file_mib: 4096, open_files: 8192 }
    }
}

/// Whose processes a limit on their number would count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// Those of the namespace alone.
    InNamespace,
    /// All of the user's: then there is no such limit.
    WithTheUsers,
}

/// Puts the limits in front of a command.
#[derive(Debug)]
pub(super) struct Limiter {
    prlimit: Option<PathBuf>,
    limits: Limits,
}

impl Limiter {
    pub(super) fn new(path: &OsStr, limits: Limits) -> Self {
        Self { prlimit: find_program("prlimit".as_ref(), path), limits }
    }

    pub(super) fn wrap(&self, counted: Counted, inner: Argv) -> Argv {
        let Limits { processes, memory_mib, cpu_seconds, file_mib, open_files } = self.limits;
        let mut args: Vec<OsString> = Vec::new();
        let program = if let Some(prlimit) = &self.prlimit {
            let mut limit = |name: &str, value: u64| args.push(format!("--{name}={value}").into());
            limit("core", 0);
            limit("data", memory_mib << 20);
            limit("cpu", cpu_seconds);
            limit("fsize", file_mib << 20);
            limit("nofile", open_files);
            if counted == Counted::InNamespace {
                limit("nproc", processes);
            }
            args.push("--".into());
            prlimit.clone()
        } else {
            args.extend(["-c".into(), format!("{}exec \"$@\"", self.ulimit()).into(), "sh".into()]);
            "/bin/sh".into()
        };
        args.push(inner.program.into_os_string());
        args.extend(inner.args);
        Argv { program, args }
    }

    /// A shell that sets the limits on itself and then is the script's: one program instead of two. `$0` is the script, as if it had been
    /// started by its path.
    pub(super) fn script(&self, path: PathBuf) -> Argv {
        let script = format!("{}. \"$0\"", self.ulimit());
        Argv { program: "/bin/sh".into(), args: vec!["-c".into(), script.into(), path.into_os_string()] }
    }

    /// The limits as a shell sets them. Where the system allows less already, it stays at that. `ulimit -f` counts blocks of 512 bytes.
    fn ulimit(&self) -> String {
        let Limits { memory_mib, cpu_seconds, file_mib, open_files, .. } = self.limits;
        format!(
            "ulimit -c 0; {{ ulimit -d {}; ulimit -t {cpu_seconds}; ulimit -f {}; ulimit -n {open_files}; }} 2>/dev/null; ",
            memory_mib << 10,
            file_mib << 11,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(prlimit: Option<&str>, counted: Counted) -> String {
        let limiter = Limiter {
            prlimit: prlimit.map(PathBuf::from),
            limits: Limits { file_mib: 1, ..Limits::default() },
        };
        let inner = Argv {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), "head -c 3000000 /dev/zero > big; wc -c < big".into()],
        };
        let argv = limiter.wrap(counted, inner);
        let dir = tempfile::tempdir().unwrap();
        let out = std::process::Command::new(argv.program)
            .args(argv.args)
            .current_dir(dir.path())
            .output()
            .unwrap();
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn a_script_has_the_limits_and_looks_as_if_started_by_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("script");
        std::fs::write(&path, "ulimit -f; echo \"$0 $#\"; exit 3").unwrap();
        let limiter = Limiter { prlimit: None, limits: Limits { file_mib: 1, ..Limits::default() } };
        let argv = limiter.script(path.clone());
        let out = std::process::Command::new(argv.program).args(argv.args).output().unwrap();
        assert_eq!(String::from_utf8(out.stdout).unwrap(), format!("2048\n{} 0\n", path.display()));
        assert_eq!(out.status.code(), Some(3));
    }

    #[test]
    fn a_file_cannot_grow_beyond_its_limit() {
        assert_eq!(limited(None, Counted::WithTheUsers), "1048576");
        if find_program("prlimit".as_ref(), "/usr/bin:/bin".as_ref()).is_some() {
            assert_eq!(limited(Some("/usr/bin/prlimit"), Counted::WithTheUsers), "1048576");
        }
    }
}
