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

/// How the forge's side of the push runs: without hooks, which are meant for people, with objects checked; and if the branch is checked out
/// there, its work tree moves along, but only if it is clean.
const RECEIVE: &str = "--receive-pack=git -c core.hooksPath=/dev/null -c receive.fsckObjects=true \
                       -c receive.denyCurrentBranch=updateInstead -c receive.autogc=false receive-pack";

/// Moves `branch` of the forge from `old` (`None`: it does not exist) to `new`.
pub(crate) async fn publish(
    control: &Control,
    branch: &BranchName,
    old: Option<&Sha>,
    new: &Sha,
) -> Result<Published, GitError> {
    let name = format!("refs/heads/{branch}");
    let push = control.git().at(control.dir(), "push").args(["--quiet", "--no-verify", RECEIVE]);
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
