//! Banksman's own attempt at a conflict (X7): git alone first, with resolutions it remembers and the host's union files; what is left
//! goes to an engine, in a clone where the merge is under way.

use crate::{
    attempt::{Commits, count, push},
    bring_in::{Made, bring_in},
    check,
    control::{ANY_COMMIT, Control},
    git::{Git, GitCommand, GitError},
    halt::Halt,
    host::EngineHost,
    inspect::{Against, inspect},
    room::Clone,
    session::run_engine,
    workspace::{Checkout, Workspace, WorkspaceError, run as off_thread},
};
use banksman_core::{
    port::{Measured, Order, ReportResult},
    tainted::Tainted,
    text::Sha,
    work::FailReason,
};
use std::{fs, io, path::Path};

/// How git alone fared.
#[derive(Debug, PartialEq, Eq)]
enum Merge {
    /// Nothing is left to do; the clone's head is the merge.
    Done,
    /// Conflicts are left in the clone.
    Left,
}

pub(crate) async fn resolve(
    host: &EngineHost,
    order: &Order,
    brief: Tainted,
    measured: &mut Measured,
    control: &Control,
    commits: &Commits,
    workspace: &Workspace,
) -> Result<ReportResult, Halt> {
    let base = commits.base.as_ref().ok_or(FailReason::Stale)?;
    if merge(host, order, control, workspace, base).await? == Merge::Done {
        let sha = {
            let _lock = host.lock(control).await?;
            control.fetch_clean_clone(&workspace.repo(), order.attempt).await?
        };
        if sha == commits.start {
            // The base is in it already; the forge may not have noticed yet.
            return Ok(ReportResult::Published { sha });
        }
        return match inspect(control, &sha, &Against { start: &commits.start, merged: Some(base) }).await {
            Ok(()) => push(host, order, control, &sha).await,
            Err(Ok(reason)) => Err(reason.into()),
            Err(Err(error)) => Err(error.into()),
        };
    }
    run_engine(host, order, brief, measured, workspace, Clone::Writable).await?;
    let made = Made { attempt: order.attempt, control, commits, workspace, merged: Some(base) };
    let sha = bring_in(host, &made).await.map_err(not_resolved)?;
    count(measured, control, commits, &sha).await;
    verify(host, order, control, &sha).await?;
    let result = push(host, order, control, &sha).await?;
    if let Err(error) = remember(host, order, control, commits, base, &sha).await {
        tracing::warn!(?error, "the resolution of a conflict could not be remembered");
    }
    Ok(result)
}

/// An engine that left the merge as it was has not resolved it.
fn not_resolved(halt: Halt) -> Halt {
    match halt {
        Halt::Failed(FailReason::NoCommit) => FailReason::NotResolved.into(),
        other => other,
    }
}

fn with_memory(git: &Git, workspace: &Workspace, name: &'static str) -> GitCommand {
    let mut attributes = std::ffi::OsString::from("core.attributesFile=");
    attributes.push(workspace.root().join("attributes"));
    git.in_tree(&workspace.repo(), name)
        .setting("rerere.enabled=true")
        .setting("rerere.autoUpdate=true")
        .setting("merge.conflictStyle=merge")
        .setting(attributes)
}

/// Merges the base in the clone, which no agent has touched yet.
async fn merge(
    host: &EngineHost,
    order: &Order,
    control: &Control,
    workspace: &Workspace,
    base: &Sha,
) -> Result<Merge, Halt> {
    let union = host.setup(&order.repo)?.union_merge.clone();
    let (attributes, memory, here) = (
        workspace.root().join("attributes"),
        control.dir().join("rr-cache"),
        workspace.repo().join(".git/rr-cache"),
    );
    off_thread(move || {
        let lines: String = union.iter().map(|pattern| format!("{pattern} merge=union\n")).collect();
        fs::write(attributes, lines)?;
        fs::create_dir_all(&here)?;
        copy_tree(&memory, &here)
    })
    .await?;
    let message = format!("Merge {} into {}", order.base, order.branch);
    let merge = with_memory(&host.git, workspace, "merge").args([
        "--quiet",
        "--no-ff",
        "--no-edit",
        "--no-verify",
        "-m",
    ]);
    match merge.arg(&message).arg(base.as_str()).output().await? {
        (Some(0), ..) => return Ok(Merge::Done),
        (Some(1), ..) => {}
        (code, _, cause) => return Err(GitError::Failed { command: "merge", code, cause }.into()),
    }
    let left = host.git.in_tree(&workspace.repo(), "ls-files").args(["--unmerged", "-z"]).run().await?;
    if !left.is_empty() {
        return Ok(Merge::Left);
    }
    with_memory(&host.git, workspace, "commit")
        .args(["--quiet", "--no-verify", "-m"])
        .arg(&message)
        .run()
        .await?;
    Ok(Merge::Done)
}

/// The repository's checks in a fresh checkout of the merge.
async fn verify(host: &EngineHost, order: &Order, control: &Control, sha: &Sha) -> Result<(), Halt> {
    let setup = host.setup(&order.repo)?;
    if setup.verify.is_empty() {
        return Ok(());
    }
    let name = format!("{}-verify", order.attempt);
    let commands: Vec<(&str, &str)> =
        setup.verify.iter().map(|command| ("verify", command.as_str())).collect();
    let (timeout, stop) = (setup.verify_timeout, host.stops.of(order.attempt));
    let run = check::Run { name: &name, setup, control, sha, timeout, stop, commands: &commands };
    let results = check::run(host, &run).await?;
    if results.iter().all(|result| result.passed == check::Passed::Yes) {
        Ok(())
    } else {
        Err(FailReason::NotResolved.into())
    }
}

/// Lets git remember how the conflict was settled: the merge is made once more in a clone of our own, and its files replaced by the
/// result.
async fn remember(
    host: &EngineHost,
    order: &Order,
    control: &Control,
    commits: &Commits,
    base: &Sha,
    resolved: &Sha,
) -> Result<(), Halt> {
    let workspace = Workspace::create(&host.config.home, &format!("{}-rerere", order.attempt)).await?;
    let remembered: Result<(), Halt> = async {
        let checkout =
            Checkout { branch: &order.branch, start: &commits.start, base: Some((&order.base, base)) };
        workspace.clone(control, &checkout).await?;
        if merge(host, order, control, &workspace, base).await? == Merge::Done {
            return Ok(());
        }
        let fetch = host.git.in_tree(&workspace.repo(), "fetch").args([
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
        ]);
        let fetch = fetch.arg(ANY_COMMIT).arg(control.dir());
        fetch.arg(format!("{resolved}:refs/banksman/resolved")).run().await?;
        let restore = host.git.in_tree(&workspace.repo(), "restore").arg(format!("--source={resolved}"));
        restore.args(["--worktree", "--", "."]).run().await?;
        with_memory(&host.git, &workspace, "rerere").run().await?;
        let (from, to) = (workspace.repo().join(".git/rr-cache"), control.dir().join("rr-cache"));
        off_thread(move || copy_tree(&from, &to)).await.map_err(|error| WorkspaceError::from(error).into())
    }
    .await;
    workspace.remove().await;
    remembered
}

/// Copies folders and regular files; nothing where there is nothing.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    fs::create_dir_all(to)?;
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_tree(&entry.path(), &to.join(entry.file_name()))?;
        } else if kind.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
