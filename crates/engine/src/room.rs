//! Furnishes the room of an attempt: which paths of the host it gets, and its environment, cleared and refilled from a list (S13).

use crate::{
    definition::{EngineDefinition, Network},
    git::IDENTITY,
    host::{EngineHost, RepositorySetup},
    sandbox::{Room, system},
    workspace::{Layout, Workspace},
};
use banksman_core::work::SandboxLevel;
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// Variables of the host that every process gets.
const ALWAYS: &[&str] = &["PATH", "LANG", "TZ", "USER", "LOGNAME"];

/// Variables that say where a toolchain lies when the home is another one, and the folder of the home they mean.
const TOOLCHAIN_HOMES: &[(&str, &str)] = &[
    ("CARGO_HOME", ".cargo"),
    ("RUSTUP_HOME", ".rustup"),
    ("PYENV_ROOT", ".pyenv"),
    ("VOLTA_HOME", ".volta"),
    ("GOPATH", "go"),
];

/// Whether the process may change the clone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clone {
    Writable,
    ReadOnly,
}

/// Which home an unconfined process gets. A confined one has an empty home in memory in the place of the user's.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Home<'a> {
    /// A folder of the workspace, with copies of what the engine needs.
    Private(&'a Workspace),
    /// The user's: for what runs in a folder of the user's.
    Users,
}

/// Where a process works, and whether it may change what is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site<'a> {
    /// The clone, or the folder of the user's.
    pub(crate) folder: &'a Path,
    /// Where in it it starts.
    pub(crate) below: &'a Path,
    pub(crate) clone: Clone,
}

/// The room for an engine (`Some`) or a check, with what the repository's setup adds.
pub(crate) fn room(
    host: &EngineHost,
    setup: &RepositorySetup,
    workspace: &Workspace,
    engine: Option<(&EngineDefinition, &Path)>,
    clone: Clone,
) -> Room {
    let site = Site { folder: &workspace.repo(), below: Path::new(""), clone };
    room_at(host, setup, workspace, engine, site)
}

/// The same for any place.
pub(crate) fn room_at(
    host: &EngineHost,
    setup: &RepositorySetup,
    workspace: &Layout,
    engine: Option<(&EngineDefinition, &Path)>,
    site: Site<'_>,
) -> Room {
    let home = &host.user_home;
    let mut read_only = system::toolchains(home);
    read_only.extend(system::path_folders(&host.path));
    read_only.extend(setup.read_only.iter().map(|path| in_home(home, path)));
    if let Some((definition, program)) = engine {
        read_only.extend(definition.read_only.iter().map(|path| in_home(home, path)));
        read_only.extend(system::program_folders(program));
    }
    let mut writable: Vec<PathBuf> = setup.writable.iter().map(|path| in_home(home, path)).collect();
    for list in [&mut read_only, &mut writable] {
        list.retain(|path| !opens_a_home(host, path) && path.exists());
    }
    writable.push(workspace.task());
    let guarded = match site.clone {
        Clone::Writable => {
            writable.push(site.folder.to_owned());
            guarded(site.folder)
        }
        Clone::ReadOnly => {
            writable.retain(|path| !site.folder.starts_with(path));
            read_only.push(site.folder.to_owned());
            Vec::new()
        }
    };
    Room {
        home: home.clone(),
        private_home: workspace.home(),
        read_only,
        writable,
        guarded,
        network: engine.map_or(setup.check_network, |(definition, _)| definition.network),
        cwd: site.folder.join(site.below),
    }
}

/// Whether Banksman's own home or a part of it, or the user's home, would come in with a folder: what lies in the queue's folders gives
/// orders.
pub(crate) fn opens_a_home(host: &EngineHost, folder: &Path) -> bool {
    // By the real paths, so that no link leads around it. What is not there is compared as it is written; nothing can start in it.
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let home = host.config.home.canonicalize().unwrap_or_else(|_| host.config.home.clone());
    home.starts_with(&folder) || folder.starts_with(&home) || host.user_home.starts_with(&folder)
}

/// Files that git reads as orders; not writable in a sandbox.
fn guarded(folder: &Path) -> Vec<PathBuf> {
    let git = folder.join(".git");
    // In a linked work tree it is a file that says where the git directory is.
    if git.is_file() { vec![git] } else { ["config", "hooks", "info"].map(|name| git.join(name)).to_vec() }
}

/// No room at all, for a process that is not confined: only where it starts matters.
pub(crate) fn open(cwd: &Path) -> Room {
    Room {
        home: PathBuf::new(),
        private_home: PathBuf::new(),
        read_only: Vec::new(),
        writable: Vec::new(),
        guarded: Vec::new(),
        network: Network::Host,
        cwd: cwd.to_owned(),
    }
}

/// The room for gathering what an agent made: the clone to read, the collecting folder to write.
pub(crate) fn gathering(host: &EngineHost, workspace: &Workspace) -> Room {
    Room {
        home: host.user_home.clone(),
        private_home: workspace.root().join("nothing"),
        read_only: vec![workspace.repo()],
        writable: vec![workspace.collect()],
        guarded: Vec::new(),
        network: Network::Off,
        cwd: workspace.repo(),
    }
}

/// The environment of an engine or a check.
pub(crate) fn environment<'a>(
    host: &EngineHost,
    home: Home<'_>,
    level: SandboxLevel,
    allowed: impl Iterator<Item = &'a str>,
    set: &[(&str, OsString)],
) -> BTreeMap<OsString, OsString> {
    let mut env = BTreeMap::new();
    let names = ALWAYS.iter().copied().chain(allowed);
    for name in names.map(OsStr::new) {
        if let Some(value) = host.config.environment.get(name) {
            env.insert(name.to_owned(), value.clone());
        }
    }
    let mut put = |name: &str, value: &OsStr| env.insert(name.into(), value.into());
    IDENTITY.iter().for_each(|(name, value)| drop(put(name, value.as_ref())));
    put("TERM", "dumb".as_ref());
    put("NO_COLOR", "1".as_ref());
    put("SHELL", "/bin/sh".as_ref());
    put("GIT_TERMINAL_PROMPT", "0".as_ref());
    put("GIT_PAGER", "cat".as_ref());
    put("GIT_EDITOR", "true".as_ref());
    let unconfined = (level == SandboxLevel::Off).then_some(home);
    if let Some(Home::Private(workspace)) = unconfined {
        put("HOME", workspace.home().as_ref());
        put("TMPDIR", workspace.tmp().as_ref());
        put("GIT_CONFIG_GLOBAL", "/dev/null".as_ref());
        for (name, folder) in TOOLCHAIN_HOMES {
            let configured = host.config.environment.get(OsStr::new(name)).map(PathBuf::from);
            let folder = configured.unwrap_or_else(|| host.user_home.join(folder));
            if folder.is_dir() {
                put(name, folder.as_ref());
            }
        }
    } else {
        put("HOME", host.user_home.as_ref());
        let own = host.config.environment.get(OsStr::new("TMPDIR")).filter(|_| unconfined.is_some());
        put("TMPDIR", own.map_or("/tmp".as_ref(), |folder| folder));
    }
    set.iter().for_each(|(name, value)| drop(put(name, value)));
    env
}

/// `~/x` is in the user's home; a relative path is too.
fn in_home(home: &Path, path: &Path) -> PathBuf {
    home.join(path.strip_prefix("~").unwrap_or(path))
}
