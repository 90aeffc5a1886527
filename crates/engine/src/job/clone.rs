//! The private clone of an attempt at a job, and the way of its work into the control repository.

use super::place::Repository;
use crate::{
    attempt::{Commits, count},
    bring_in::{Made, bring_in, gather},
    control::Control,
    git::{Answer, GitError},
    halt::Halt,
    holder::fingerprint,
    host::{EngineHost, RepositorySetup},
    publish::keep,
    remote::Remote,
    workspace::{Checkout, Workspace, run as off_thread},
};
use banksman_core::{
    id::{AttemptId, JobId},
    port::{JobOrder, Measured},
    text::{BranchName, Sha},
    work::FailReason,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The clone of an attempt.
#[derive(Debug)]
pub(super) struct Cloned {
    pub(super) control: Control,
    pub(super) commits: Commits,
    /// What the clone calls the commit that the work started from.
    pub(super) base: BranchName,
    pub(super) workspace: Workspace,
    /// Where in the clone the job runs.
    pub(super) below: PathBuf,
    /// What was built last.
    pub(super) built: Option<Sha>,
}

/// Makes the clone.
pub(super) async fn clone(host: &EngineHost, order: &JobOrder, found: Repository) -> Result<Cloned, Halt> {
    let (start, base) = start(host, order, &found).await?;
    let dir = Control::dir_for(&host.config.home, &found.common_dir);
    let (control, built) = {
        let (control, _lock) = host.control_at(dir, &Remote::Folder(found.common_dir.clone())).await?;
        control.fetch_sha(&start).await?;
        let built =
            if order.spec.review.is_some() { built_before(&control, order.job, &start).await? } else { None };
        (control, built)
    };
    let workspace = Workspace::create(&host.config.home, &order.attempt.to_string()).await?;
    let tip = built.as_ref().unwrap_or(&start);
    let checkout = Checkout { branch: &order.branch, start: tip, base: Some((&base, &start)) };
    workspace.clone(&control, &checkout).await?;
    let (repo, below) = (workspace.repo(), found.below.clone());
    off_thread(move || Ok(make_below(&repo, &below))).await?.ok_or(FailReason::NoFolder)?;
    let commits = Commits { base: Some(start.clone()), start };
    Ok(Cloned { control, commits, base, workspace, below: found.below, built })
}

/// The folder of the job in the clone. Git keeps no empty ones, so it may have to be made; but never through a link.
fn make_below(repo: &Path, below: &Path) -> Option<()> {
    let mut folder = repo.to_owned();
    for part in below.components() {
        folder.push(part);
        if fs::symlink_metadata(&folder).is_err() {
            fs::create_dir(&folder).ok()?;
        }
        fs::symlink_metadata(&folder).ok().filter(fs::Metadata::is_dir)?;
    }
    Some(())
}

/// The commit that the work starts from, and the name of its branch where it has one.
async fn start(host: &EngineHost, order: &JobOrder, found: &Repository) -> Result<(Sha, BranchName), Halt> {
    let at = &found.git_dir;
    let wanted = order.spec.base.as_ref().map_or("HEAD", |base| base.as_str());
    let find = host.git.at(at, "rev-parse").args(["--verify", "--quiet", "--end-of-options"]);
    let (code, out, _) = find.arg(format!("{wanted}^{{commit}}")).output().await?;
    let sha = Sha::new(String::from_utf8_lossy(&out).trim()).ok().filter(|_| code == Some(0));
    let sha = sha.ok_or(FailReason::NoBase)?;
    let named = match &order.spec.base {
        Some(base) => Some(base.to_string()),
        None => {
            let head = host.git.at(at, "symbolic-ref").args(["--quiet", "--short", "HEAD"]).output().await?;
            Some(String::from_utf8_lossy(&head.1).trim().to_owned())
        }
    };
    let plain = |name: String| BranchName::new(&name).ok().filter(|_| Sha::new(&name).is_err());
    let name = match named.and_then(plain) {
        Some(name) => Ok(name),
        None => BranchName::new("base"),
    };
    Ok((sha, name.map_err(|_| FailReason::NoBase)?))
}

/// Brings what was built into the control repository, and keeps it reachable in the job's own.
pub(super) async fn take_in(
    host: &EngineHost,
    order: &JobOrder,
    measured: &mut Measured,
    cloned: &mut Cloned,
) -> Result<(), Halt> {
    let work = bring_in(host, &made(order, cloned)).await?;
    count(measured, &cloned.control, &cloned.commits, &work).await;
    keep(&cloned.control, &kept(host, order.job), &work).await?;
    cloned.built = Some(work);
    Ok(())
}

/// Keeps what an engine left that did not end well, if it left anything. Nothing depends on it.
pub(super) async fn save(host: &EngineHost, order: &JobOrder, cloned: &Cloned) {
    let saved: Result<(), Halt> = async {
        let work = gather(host, &made(order, cloned)).await?;
        if work != cloned.commits.start {
            keep(&cloned.control, &kept(host, order.job), &work).await?;
        }
        Ok(())
    }
    .await;
    if let Err(error) = saved {
        tracing::warn!(job = %order.job, attempt = %order.attempt, ?error, "what a failed engine left could not be kept");
    }
}

fn made<'a>(order: &JobOrder, cloned: &'a Cloned) -> Made<'a> {
    let Cloned { control, commits, workspace, .. } = cloned;
    Made { attempt: order.attempt, control, commits, workspace, merged: None }
}

/// The ref under which the repository keeps what was built until it lands. Several homes may work on one repository, each with jobs of
/// its own numbers.
pub(super) fn kept(host: &EngineHost, job: JobId) -> String {
    format!("refs/banksman/jobs/{}/{job}", fingerprint(&host.config.home))
}

/// The ref under which the control repository keeps what was built and still waits for its review.
fn unreviewed(job: JobId) -> String {
    format!("refs/unreviewed/{job}")
}

/// Keeps what was built for the next attempt at the job, whose reviewer has to be waited for: it need not be built again. Nothing depends
/// on it.
pub(super) async fn keep_for_review(host: &EngineHost, order: &JobOrder, cloned: &Cloned) {
    let Some(built) = &cloned.built else { return };
    let kept: Result<(), GitError> = async {
        let _lock = host.lock(&cloned.control).await?;
        cloned.control.note(&unreviewed(order.job), built).await
    }
    .await;
    if let Err(error) = kept {
        tracing::warn!(job = %order.job, %error, "what waits for its review is built again");
    }
}

/// What an earlier attempt built from the same start and nobody reviewed yet; it is given once.
async fn built_before(control: &Control, job: JobId, start: &Sha) -> Result<Option<Sha>, GitError> {
    let name = unreviewed(job);
    let Some(built) = control.noted(&name).await? else { return Ok(None) };
    control.forget_note(&name).await?;
    Ok((control.is_ancestor(start, &built).await? == Answer::Yes).then_some(built))
}

/// What the inventory says about the repository, if it is in there.
pub(super) fn setup(host: &EngineHost, cloned: Option<&Cloned>) -> RepositorySetup {
    let dir = cloned.and_then(|cloned| cloned.control.forge().folder());
    let known = host.config.repositories.values().find(|setup| dir.is_some() && setup.remote.folder() == dir);
    known.cloned().unwrap_or_else(|| RepositorySetup::new(dir.unwrap_or(Path::new("/")).to_owned()))
}

/// Lets the control repository forget an attempt.
pub(super) async fn forget(host: &EngineHost, control: &Control, attempt: AttemptId) {
    let forgotten: Result<(), GitError> = async {
        let _lock = host.lock(control).await?;
        control.forget(attempt).await
    }
    .await;
    if let Err(error) = forgotten {
        tracing::warn!(%attempt, %error, "the ref of an attempt stays behind");
    }
}
