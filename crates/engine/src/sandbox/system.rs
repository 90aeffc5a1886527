//! Which parts of the host a process needs in order to run at all: the system's programs and libraries, a few files of `/etc`,
//! and the toolchains in the user's home that checks are run with.

use std::path::{Path, PathBuf};

/// Programs and libraries.
pub(super) const SYSTEM: &[&str] =
    &["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store", "/gnu/store"];

/// Files of `/etc` that programs look at, none of which holds a secret.
pub(super) const ETC: &[&str] = &[
    "alternatives",
    "group",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "ca-certificates",
    "crypto-policies",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "passwd",
    "pki/ca-trust",
    "pki/tls/certs",
    "protocols",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
    "timezone",
    "java-17-openjdk",
    "java-21-openjdk",
];

/// What the network needs besides.
pub(super) const ETC_NETWORK: &[&str] = &["gai.conf", "hosts", "resolv.conf"];

/// Toolchains in the user's home, without their credentials.
const TOOLCHAINS: &[&str] = &[
    ".rustup",
    ".cargo/bin",
    ".cargo/registry",
    ".cargo/git",
    ".pyenv",
    ".nvm/versions",
    ".volta/bin",
    ".volta/tools",
    ".bun/bin",
    ".deno/bin",
    ".local/share/mise",
    ".asdf/installs",
    ".sdkman/candidates",
    "go/bin",
    "go/pkg/mod",
];

/// Toolchains that are there.
pub(crate) fn toolchains(home: &Path) -> Vec<PathBuf> {
    TOOLCHAINS.iter().map(|dir| home.join(dir)).filter(|dir| dir.is_dir()).collect()
}

/// Folders of `PATH` that are not part of the system.
pub(crate) fn path_folders(path: &std::ffi::OsStr) -> Vec<PathBuf> {
    std::env::split_paths(path)
        .filter(|dir| {
            dir.is_absolute() && dir.is_dir() && !SYSTEM.iter().any(|system| dir.starts_with(system))
        })
        .collect()
}

/// What a program needs of the place where it is installed: itself, what links lead to, and the prefix of a Node or Python
/// environment.
pub(crate) fn program_folders(program: &Path) -> Vec<PathBuf> {
    let mut found = vec![program.to_owned()];
    let Ok(real) = program.canonicalize() else { return found };
    for prefix in real.ancestors().skip(1).filter(|p| p.parent().is_some()) {
        let node = prefix.join("lib/node_modules");
        if (prefix.join("pyvenv.cfg").is_file() && real.starts_with(prefix.join("bin")))
            || real.starts_with(&node)
        {
            found.push(prefix.to_owned());
        }
    }
    found.push(real);
    found
}
