//! Level 2: the arguments of bubblewrap (S12). All namespaces, no capabilities, a read-only system, home and `/tmp` in memory, only what the
//! room names writable. No new privileges is what bubblewrap always sets. There is no seccomp filter yet: the kernel's whole system call table
//! stands open to the process, though without any capability in any namespace that matters.

use super::{Room, probe::TmpfsSize, system};
use crate::{definition::Network, launch::Argv};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Most that the file systems in memory may hold, each.
const TMPFS_BYTES: &str = "2147483648";

/// The user inside. Host root is not root inside: engines refuse to act alone as root.
const USER: &str = "1000";

struct Arguments(Vec<OsString>);

impl Arguments {
    fn words(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(OsString::from));
    }

    fn bind(&mut self, how: &str, from: &Path, to: &Path) {
        self.0.extend([how.into(), from.into(), to.into()]);
    }

    fn tmpfs(&mut self, size: TmpfsSize, at: &Path) {
        if size == TmpfsSize::Bounded {
            self.words(&["--size", TMPFS_BYTES]);
        }
        self.0.extend(["--tmpfs".into(), at.into()]);
    }
}

pub(super) fn wrap(program: &Path, size: TmpfsSize, room: &Room, inner: Argv) -> Argv {
    let mut args = Arguments(Vec::with_capacity(128));
    args.words(&[
        "--unshare-user",
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-uts",
        "--unshare-cgroup-try",
    ]);
    if room.network == Network::Off {
        args.words(&["--unshare-net"]);
    }
    args.words(&[
        "--die-with-parent",
        "--new-session",
        "--as-pid-1",
        "--cap-drop",
        "ALL",
        "--hostname",
        "banksman",
    ]);
    if rustix::process::geteuid().is_root() {
        args.words(&["--uid", USER, "--gid", USER]);
    }
    system_binds(&mut args, room.network);
    args.words(&["--proc", "/proc", "--dev", "/dev"]);
    args.tmpfs(size, Path::new("/tmp"));
    args.words(&["--symlink", "../tmp", "/var/tmp"]);
    args.tmpfs(size, &room.home);
    private_home(&mut args, room);
    for path in outermost(&room.read_only) {
        args.bind("--ro-bind-try", &path, &path);
    }
    for path in &room.writable {
        args.bind("--bind", path, path);
    }
    for path in &room.guarded {
        args.bind("--ro-bind-try", path, path);
    }
    // What is left of the root is a file system in memory, with the folders that lead to the mounts.
    args.words(&["--remount-ro", "/"]);
    args.0.extend(["--chdir".into(), room.cwd.clone().into(), "--".into(), inner.program.into()]);
    args.0.extend(inner.args);
    Argv { program: program.to_owned(), args: args.0 }
}

/// On most systems `/bin` and `/lib` are links into `/usr`; they stay links.
fn system_binds(args: &mut Arguments, network: Network) {
    for path in system::SYSTEM.iter().map(Path::new) {
        match std::fs::read_link(path) {
            Ok(target) => args.bind("--symlink", &target, path),
            Err(_) if path.exists() => args.bind("--ro-bind", path, path),
            Err(_) => {}
        }
    }
    let files = system::ETC.iter().chain(system::ETC_NETWORK.iter().filter(|_| network == Network::Host));
    for path in files.map(|name| Path::new("/etc").join(name)) {
        // Links such as resolv.conf lead out of /etc; what they lead to is bound in their place.
        if let Ok(real) = path.canonicalize() {
            args.bind("--ro-bind-try", &real, &path);
        }
    }
}

/// The entries of the private home appear in the empty one.
fn private_home(args: &mut Arguments, room: &Room) {
    let Ok(entries) = std::fs::read_dir(&room.private_home) else { return };
    for entry in entries.flatten() {
        args.bind("--bind", &entry.path(), &room.home.join(entry.file_name()));
    }
}

/// Without those that lie inside another one: a later, narrower bind would only cover what is there already.
fn outermost(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut sorted = paths.to_vec();
    sorted.sort();
    sorted.dedup();
    let all = sorted.clone();
    sorted.retain(|path| !all.iter().any(|other| other != path && path.starts_with(other)));
    sorted
}
