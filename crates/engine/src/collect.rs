//! Gathers what an agent made, without ever running git on the agent's own configuration (S11).
//!
//! The head is read out of the agent's `.git` as plain data. Everything else is done by a git directory of our own that merely borrows the agent's
//! objects: no hook, filter, monitor, replaced object, index or grafted history of the agent is looked at. That git still parses what an
//! agent wrote, so it runs in a sandbox of its own, and only a bundle comes out, which the control repository checks object by object.

use crate::{
    git::{ENVIRONMENT, IDENTITY, NEUTRAL},
    launch::Argv,
    workspace::Workspace,
};
use banksman_core::text::Sha;
use rustix::fs::{Mode, OFlags};
use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read},
    os::fd::OwnedFd,
    path::{Component, Path},
};

/// Where the agent's clone stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stand {
    /// Commit that is checked out.
    pub(crate) head: Sha,
    /// The other side of a merge that is under way.
    pub(crate) merging: Option<Sha>,
}

/// Largest file of refs that is read.
const MAX_REFS: u64 = 16 << 20;

/// Opens a file below `root` for reading: a regular file, no link on the way, not larger than `max`.
pub(crate) fn open_regular(root: &Path, below: &Path, max: u64) -> io::Result<File> {
    let refused = || io::Error::from(io::ErrorKind::InvalidData);
    let mut parts = below.components().peekable();
    let mut dir: OwnedFd =
        rustix::fs::open(root, OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    while let Some(part) = parts.next() {
        let Component::Normal(name) = part else { return Err(refused()) };
        let last = parts.peek().is_none();
        // Without NONBLOCK a pipe in the place of a file would hold us up.
        let kind = if last { OFlags::NONBLOCK } else { OFlags::DIRECTORY };
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | kind;
        dir = rustix::fs::openat(&dir, name, flags, Mode::empty())?;
    }
    let file = File::from(dir);
    let found = file.metadata()?;
    if found.is_file() && found.len() <= max { Ok(file) } else { Err(refused()) }
}

fn read_text(root: &Path, below: &str, max: u64) -> io::Result<Option<String>> {
    match open_regular(root, Path::new(below), max) {
        Ok(file) => {
            let mut text = String::new();
            file.take(max).read_to_string(&mut text)?;
            Ok(Some(text))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads where the clone in the workspace's folder `root` stands. `None`: it is not of a shape that can be read.
pub(crate) fn stand(root: &Path) -> io::Result<Option<Stand>> {
    let Some(head) = read_text(root, "repo/.git/HEAD", 4096)? else { return Ok(None) };
    let sha = match head.trim().strip_prefix("ref: ") {
        None => Sha::new(head.trim()).ok(),
        Some(name) => branch_head(root, name)?,
    };
    let merging = read_text(root, "repo/.git/MERGE_HEAD", 4096)?.and_then(|text| Sha::new(text.trim()).ok());
    Ok(sha.map(|head| Stand { head, merging }))
}

fn branch_head(root: &Path, name: &str) -> io::Result<Option<Sha>> {
    let plain = name.strip_prefix("refs/heads/").is_some_and(|branch| !branch.is_empty())
        && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if !plain {
        return Ok(None);
    }
    if let Some(text) = read_text(root, &format!("repo/.git/{name}"), 4096)? {
        return Ok(Sha::new(text.trim()).ok());
    }
    let packed = read_text(root, "repo/.git/packed-refs", MAX_REFS)?.unwrap_or_default();
    let found = packed.lines().filter_map(|line| line.split_once(' ')).find(|(_, found)| *found == name);
    Ok(found.and_then(|(sha, _)| Sha::new(sha).ok()))
}

/// What is to be gathered.
#[derive(Debug)]
pub(crate) struct Gather<'a> {
    pub(crate) stand: &'a Stand,
    /// Commits that the control repository has already.
    pub(crate) known: &'a [&'a Sha],
    /// The other parent of a commit of what is left over, in a merge that the agent did not finish.
    pub(crate) second_parent: Option<&'a Sha>,
    /// Message of that commit.
    pub(crate) message: &'a str,
}

/// Exit code of the script when there is nothing to gather.
pub(crate) const NOTHING: i32 = 10;

/// Arguments: git, message, second parent or nothing, head, then known commits. Files are taken up by `ls-files` and `update-index`,
/// not by `add` or `status`, which start a git inside every nested repository, on that repository's configuration; nested ones are left out.
const SCRIPT: &str = r#"set -eu
git=$1 message=$2 second=$3 head=$4
shift 4
"$git" read-tree "$head"
"$git" ls-files -z --modified --deleted --others --exclude-standard > "$GATHER/changed"
"$git" update-index -z --add --remove --stdin < "$GATHER/changed"
tree=$("$git" write-tree)
if [ "$tree" != "$("$git" rev-parse "$head^{tree}")" ] || [ -n "$second" ]; then
    head=$(printf '%s\n' "$message" | "$git" commit-tree "$tree" -p "$head" ${second:+-p "$second"})
fi
"$git" update-ref refs/heads/work "$head"
if [ -z "$("$git" rev-list --max-count=1 "$head" --not "$@")" ]; then exit 10; fi
"$git" bundle create --quiet "$GATHER/work.bundle" refs/heads/work --not "$@"
"#;

/// The command that gathers, and its environment.
pub(crate) fn command(
    git: &Path,
    path: &std::ffi::OsStr,
    workspace: &Workspace,
    gather: &Gather<'_>,
) -> (Argv, Vec<(OsString, OsString)>) {
    let mut args: Vec<OsString> =
        vec!["-c".into(), SCRIPT.into(), "sh".into(), git.into(), gather.message.into()];
    args.push(gather.second_parent.map(|sha| sha.as_str()).unwrap_or_default().into());
    args.push(gather.stand.head.as_str().into());
    args.extend(gather.known.iter().map(|sha| OsString::from(sha.as_str())));
    let collect = workspace.collect();
    let mut env: Vec<(OsString, OsString)> =
        ENVIRONMENT.iter().chain(&IDENTITY).map(|(name, value)| (name.into(), value.into())).collect();
    let settings =
        NEUTRAL.iter().copied().chain(["core.bare=false", "core.autocrlf=false", "core.safecrlf=false"]);
    let settings: Vec<&str> = settings.collect();
    env.push(("GIT_CONFIG_COUNT".into(), settings.len().to_string().into()));
    for (n, setting) in settings.iter().enumerate() {
        let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
        env.push((format!("GIT_CONFIG_KEY_{n}").into(), key.into()));
        env.push((format!("GIT_CONFIG_VALUE_{n}").into(), value.into()));
    }
    env.extend([
        ("PATH".into(), path.to_owned()),
        ("GIT_DIR".into(), collect.join("collect.git").into()),
        ("GIT_WORK_TREE".into(), workspace.repo().into()),
        ("GIT_INDEX_FILE".into(), collect.join("index").into()),
        ("GIT_ALTERNATE_OBJECT_DIRECTORIES".into(), workspace.repo().join(".git/objects").into()),
        ("GATHER".into(), collect.into()),
    ]);
    (Argv { program: "/bin/sh".into(), args }, env)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    const SHA: &str = "0123456789012345678901234567890123456789";

    fn repo() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("repo/.git/refs/heads")).unwrap();
        fs::write(dir.path().join("repo/.git/HEAD"), "ref: refs/heads/a\n").unwrap();
        dir
    }

    #[test]
    fn loose_packed_and_detached_heads_are_read() {
        let dir = repo();
        fs::write(dir.path().join("repo/.git/packed-refs"), format!("# pack-refs\n{SHA} refs/heads/a\n"))
            .unwrap();
        assert_eq!(stand(dir.path()).unwrap().unwrap().head.as_str(), SHA);
        let other = SHA.replace('0', "f");
        fs::write(dir.path().join("repo/.git/refs/heads/a"), &other).unwrap();
        assert_eq!(stand(dir.path()).unwrap().unwrap().head.as_str(), other);
        fs::write(dir.path().join("repo/.git/HEAD"), SHA).unwrap();
        fs::write(dir.path().join("repo/.git/MERGE_HEAD"), &other).unwrap();
        let found = stand(dir.path()).unwrap().unwrap();
        assert_eq!((found.head.as_str(), found.merging.unwrap().as_str()), (SHA, other.as_str()));
    }

    #[test]
    fn links_climbing_names_and_pipes_are_refused() {
        let dir = repo();
        fs::write(dir.path().join("secret"), SHA).unwrap();
        symlink("../../../../secret", dir.path().join("repo/.git/refs/heads/a")).unwrap();
        assert!(stand(dir.path()).is_err());
        fs::write(dir.path().join("repo/.git/HEAD"), "ref: refs/heads/../../../../secret\n").unwrap();
        assert_eq!(stand(dir.path()).unwrap(), None);
        fs::remove_file(dir.path().join("repo/.git/HEAD")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, dir.path().join("repo/.git/HEAD"), Mode::from(0o600)).unwrap();
        assert!(stand(dir.path()).is_err());
        fs::remove_dir_all(dir.path().join("repo/.git")).unwrap();
        symlink("/", dir.path().join("repo/.git")).unwrap();
        assert!(stand(dir.path()).is_err());
    }
}
