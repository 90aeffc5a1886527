//! The workspace of an attempt, `<home>/work/<name>/`: a private clone, the task folder, and what else its processes may write. It is
//! removed when the attempt is over, or by whoever finds that its owner is gone.

use crate::{
    control::{ANY_COMMIT, Control},
    git::{Git, GitCommand, GitError, is_disk_full},
    procs::Record,
};
use banksman_core::{
    text::{BranchName, Sha},
    work::FailReason,
};
use std::{
    fs, io,
    ops::Deref,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// A workspace that could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkspaceError {
    #[error("a folder of the workspace could not be made")]
    Folder(#[from] io::Error),
    #[error("the clone could not be made")]
    Clone(#[from] GitError),
}

impl WorkspaceError {
    pub(crate) fn reason(&self) -> FailReason {
        let full = match self {
            Self::Folder(error) => is_disk_full(error),
            Self::Clone(error) => error.disk_full(),
        };
        if full { FailReason::DiskFull } else { FailReason::Workspace }
    }
}

/// File in a workspace that says which process of ours made it.
pub(crate) const OWNER: &str = "owner";

/// Files in a workspace that may say which process runs for it: the engine or a command, and what gathers its work.
pub(crate) const PROCESS_RECORDS: [&str; 2] = ["process", "after/process"];

/// Where everything in a workspace is, whether it has been made or not.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

/// The folders of one attempt. Dropping it removes them.
#[derive(Debug)]
pub(crate) struct Workspace {
    layout: Layout,
}

impl Deref for Workspace {
    type Target = Layout;
    fn deref(&self) -> &Layout {
        &self.layout
    }
}

/// What the clone of an attempt holds.
#[derive(Debug)]
pub(crate) struct Checkout<'a> {
    /// Local branch that is checked out.
    pub(crate) branch: &'a BranchName,
    /// Commit it starts from.
    pub(crate) start: &'a Sha,
    /// The branch that the work goes into, with its head.
    pub(crate) base: Option<(&'a BranchName, &'a Sha)>,
}

impl Layout {
    /// `name` is the attempt's number, with a word behind it or not, or the check run's.
    pub(crate) fn of(home: &Path, name: &str) -> Self {
        Self { root: home.join("work").join(name) }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }
    /// What its processes are marked with.
    pub(crate) fn name(&self) -> String {
        self.root.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
    pub(crate) fn repo(&self) -> PathBuf {
        self.root.join("repo")
    }
    pub(crate) fn task(&self) -> PathBuf {
        self.root.join("task")
    }
    /// The issue, the threads, the red output: text of strangers.
    pub(crate) fn task_file(&self) -> PathBuf {
        self.task().join("TASK.md")
    }
    /// Our own instruction.
    pub(crate) fn prompt_file(&self) -> PathBuf {
        self.task().join("PROMPT.md")
    }
    /// Private copies of files of the user's home.
    pub(crate) fn home(&self) -> PathBuf {
        self.root.join("home")
    }
    pub(crate) fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }
    /// Where what the agent made is gathered. Made when all its processes have ended, so that it can have prepared nothing in there.
    pub(crate) fn after(&self) -> PathBuf {
        self.root.join("after")
    }
    /// The part of it that the gathering process may write.
    pub(crate) fn collect(&self) -> PathBuf {
        self.after().join("collect")
    }
    /// Pid and start of the process that runs, for whoever cleans up.
    pub(crate) fn record(&self) -> PathBuf {
        self.root.join(PROCESS_RECORDS[0])
    }

    /// Makes the workspace of another one of ours, which lies at `spare` and has its owner and its folders; blocks.
    pub(crate) fn take_over(self, spare: &Path) -> io::Result<Workspace> {
        if fs::rename(spare, &self.root).is_err() {
            remove_tree(&self.root)?;
            fs::rename(spare, &self.root)?;
        }
        Ok(Workspace { layout: self })
    }

    /// Makes the workspace anew with these folders in it; blocks.
    pub(crate) fn make(self, folders: &[&str]) -> io::Result<Workspace> {
        // It gets its name when it says whose it is, so that nobody takes it for a leftover.
        let owner = Record::of_this_process();
        let making = self.root.with_file_name(format!(".{}-{}", owner.pid, self.name()));
        // Its content is nobody else's business.
        let make = || fs::DirBuilder::new().mode(0o700).create(&making);
        if let Err(error) = make() {
            if error.kind() != io::ErrorKind::AlreadyExists {
                return Err(error);
            }
            remove_tree(&making)?;
            make()?;
        }
        owner.write(&making.join(OWNER))?;
        for folder in folders {
            fs::create_dir(making.join(folder))?;
        }
        if fs::rename(&making, &self.root).is_err() {
            remove_tree(&self.root)?;
            fs::rename(&making, &self.root)?;
        }
        Ok(Workspace { layout: self })
    }
}

impl Workspace {
    /// Makes it with all the folders that an engine needs.
    pub(crate) async fn create(home: &Path, name: &str) -> Result<Self, WorkspaceError> {
        let layout = Layout::of(home, name);
        Ok(run(move || layout.make(&["repo", "task", "home", "tmp"])).await?)
    }

    /// Writes what the engine is to read (S8): the material as it came, our instruction beside it.
    pub(crate) async fn write_task(&self, material: Vec<u8>, prompt: &str) -> Result<(), WorkspaceError> {
        for (path, bytes) in [(self.task_file(), material), (self.prompt_file(), prompt.as_bytes().to_vec())]
        {
            run(move || write_anew(&path, &bytes)).await?;
        }
        Ok(())
    }

    /// Copies files of the user's home, those that are there, into the private one.
    pub(crate) async fn copy_home_files(&self, home: &Path, files: &[PathBuf]) -> Result<(), WorkspaceError> {
        let plain =
            |path: &Path| path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        for file in files.iter().filter(|file| plain(file)) {
            let (from, to) = (home.join(file), self.home().join(file));
            run(move || {
                if let Some(parent) = to.parent() {
                    fs::create_dir_all(parent)?;
                }
                match fs::copy(from, to) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                    _ => Ok(()),
                }
            })
            .await?;
        }
        Ok(())
    }

    /// Makes the folder for gathering, whatever stands in its place.
    pub(crate) async fn prepare_gathering(
        &self,
        control: &Control,
        like: &Sha,
    ) -> Result<(), WorkspaceError> {
        let (after, collect) = (self.after(), self.collect());
        run(move || {
            remove_tree(&after)?;
            fs::create_dir(&after)?;
            fs::create_dir(&collect)
        })
        .await?;
        init(control.git(), like)
            .args(["--bare", "--initial-branch=none"])
            .arg(self.collect().join("collect.git"))
            .run()
            .await?;
        Ok(())
    }

    /// Makes the private clone: objects of its own, no remote, no hooks, nothing that leads back to the control repository. The base is there
    /// as a branch, as `origin/<base>` and as `refs/banksman/base`.
    pub(crate) async fn clone(
        &self,
        control: &Control,
        checkout: &Checkout<'_>,
    ) -> Result<(), WorkspaceError> {
        let (git, repo) = (control.git(), self.repo());
        let branch = format!("--initial-branch={}", checkout.branch);
        init(git, checkout.start).arg(branch).arg(&repo).run().await?;

        // Refs name the commits, so that no branch has to be trusted to stay where it was looked at.
        let mut fetch = git.in_tree(&repo, "fetch").args([
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--update-shallow",
        ]);
        fetch = fetch.arg("--update-head-ok").arg(ANY_COMMIT);
        fetch = fetch.arg(control.dir()).arg(format!("+{}:refs/heads/{}", checkout.start, checkout.branch));
        if let Some((base, sha)) = checkout.base {
            fetch = fetch
                .arg(format!("+{sha}:refs/remotes/origin/{base}"))
                .arg(format!("+{sha}:refs/banksman/base"));
            if base != checkout.branch {
                fetch = fetch.arg(format!("+{sha}:refs/heads/{base}"));
            }
        }
        fetch.run().await?;
        git.in_tree(&repo, "reset").args(["--quiet", "--hard"]).run().await?;
        run(move || {
            for folder in ["hooks", "info"] {
                fs::create_dir_all(repo.join(".git").join(folder))?;
            }
            Ok(())
        })
        .await?;
        Ok(())
    }

    /// Removes it and waits until that is done.
    pub(crate) async fn remove(self) {
        let _ = run(move || {
            self.remove_now();
            Ok(())
        })
        .await;
    }

    /// Its folder is somewhere else now.
    pub(crate) fn has_moved(mut self) {
        self.layout.root = PathBuf::new();
    }

    /// Removes it; blocks.
    pub(crate) fn remove_now(mut self) {
        let root = std::mem::take(&mut self.layout.root);
        if let Err(error) = remove_tree(&root) {
            tracing::warn!(%error, "a workspace could not be removed; the next start tries again");
        }
    }
}

/// `git init` with the object format of a commit.
fn init(git: &Git, like: &Sha) -> GitCommand {
    let format = if like.as_str().len() == 64 { "sha256" } else { "sha1" };
    git.plain("init").args(["--quiet", "--template="]).arg(format!("--object-format={format}"))
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let root = std::mem::take(&mut self.layout.root);
        if root.as_os_str().is_empty() {
            return;
        }
        match tokio::runtime::Handle::try_current() {
            // The attempt was broken off: its processes are being killed and may still write, so the next start looks again.
            Ok(runtime) => drop(runtime.spawn_blocking(move || remove_tree(&root))),
            Err(_) => drop(remove_tree(&root)),
        }
    }
}

/// Runs file work off the runtime's threads.
pub(crate) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Writes a file of the task folder, which an engine may have had its hands in: whatever stands in its place goes first, so that
/// nothing is written through a link.
pub(crate) fn write_anew(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let create = || fs::OpenOptions::new().write(true).create_new(true).mode(0o644).open(path);
    let mut file = match create() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            create()?
        }
        file => file?,
    };
    io::Write::write_all(&mut file, bytes)
}

/// Writes a file that may be there already, in place: but what is there only if it is a file of that name alone, never through a link.
pub(crate) fn rewrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Without NONBLOCK a pipe in its place would hold us up.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    match fs::OpenOptions::new().write(true).custom_flags(flags).open(path) {
        Ok(mut file) => {
            let found = file.metadata()?;
            if found.is_file() && found.nlink() == 1 {
                // Not emptied first: ext4 writes a file to the disk that is closed after that.
                io::Write::write_all(&mut file, bytes)?;
                let len = bytes.len() as u64;
                return if found.len() > len { file.set_len(len) } else { Ok(()) };
            }
            write_anew(path, bytes)
        }
        Err(_) => write_anew(path, bytes),
    }
}

/// Removes a folder and all in it, also what an agent made unwritable. Links are removed, not followed.
pub(crate) fn remove_tree(root: &Path) -> io::Result<()> {
    match fs::remove_dir_all(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(_) => {
            make_writable(root);
            match fs::remove_dir_all(root) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                result => result,
            }
        }
        Ok(()) => Ok(()),
    }
}

fn make_writable(dir: &Path) {
    let mut folders = vec![dir.to_owned()];
    while let Some(dir) = folders.pop() {
        if !fs::symlink_metadata(&dir).is_ok_and(|found| found.is_dir()) {
            continue;
        }
        // What cannot be changed shows when it is removed.
        let _ = fs::set_permissions(&dir, fs::Permissions::from_mode(0o700));
        if let Ok(entries) = fs::read_dir(&dir) {
            folders.extend(
                entries.flatten().filter(|e| e.file_type().is_ok_and(|t| t.is_dir())).map(|e| e.path()),
            );
        }
    }
}
