//! Publishes a commit: a push from the control repository to the forge's repository that names the new head and the one it
//! replaces (S11). Doing it twice is doing it once.

use crate::{control::Control, git::GitError};
use banksman_core::text::{BranchName, Sha};

/// What came of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Published {
    /// The branch is at the new head.
    There,
    /// The branch moved on meanwhile.
    Stale,
    /// The forge's repository did not take it: the branch is checked out in a work tree that has changes of its own.
    Refused,
}

/// What becomes of a work tree that has the branch checked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CheckedOut {
    /// It moves along with the branch if it is clean.
    Moves,
    /// It is not touched, and neither is the branch.
    Stays,
}

impl CheckedOut {
    /// How the forge's side of a push runs: without hooks, which are meant for people, with objects checked.
    fn receive(self) -> String {
        let current = match self {
            Self::Moves => "updateInstead",
            Self::Stays => "refuse",
        };
        format!(
            "--receive-pack=git -c core.hooksPath=/dev/null -c receive.fsckObjects=true \
             -c receive.denyCurrentBranch={current} -c receive.autogc=false receive-pack"
        )
    }
}

/// Keeps a commit reachable in the repository it belongs to, whatever becomes of the work: `name` is a ref of ours.
pub(crate) async fn keep(control: &Control, name: &str, sha: &Sha) -> Result<(), GitError> {
    let push = control.git().at(control.dir(), "push").args(["--quiet", "--no-verify", "--force"]);
    let push = push.arg(CheckedOut::Stays.receive()).arg(control.forge());
    push.arg(format!("{sha}:{name}")).run().await.map(drop)
}

/// Lets go of what [`keep`] kept.
pub(crate) async fn let_go(control: &Control, name: &str) -> Result<(), GitError> {
    control.git().at(control.forge(), "update-ref").arg("-d").arg(name).run().await.map(drop)
}

/// Moves `branch` of the forge from `old` (`None`: it does not exist) to `new`.
pub(crate) async fn publish(
    control: &Control,
    branch: &BranchName,
    old: Option<&Sha>,
    new: &Sha,
    checked_out: CheckedOut,
) -> Result<Published, GitError> {
    let name = format!("refs/heads/{branch}");
    let push =
        control.git().at(control.dir(), "push").args(["--quiet", "--no-verify"]).arg(checked_out.receive());
    let push = push.arg(format!("--force-with-lease={name}:{}", old.map_or("", Sha::as_str)));
    let pushed = push.arg(control.forge()).arg(format!("{new}:{name}")).run().await;
    // Whatever the push said: where the branch is now is what counts.
    let [now] = control.forge_heads([branch]).await?;
    match pushed {
        _ if now.as_ref() == Some(new) => Ok(Published::There),
        _ if now.as_ref() != old => Ok(Published::Stale),
        Err(error) if error.disk_full() => Err(error),
        Ok(_) | Err(_) => Ok(Published::Refused),
    }
}
