//! Publishes a commit: a push from the control repository to the forge's repository that names the new head and the one it
//! replaces (S11). Doing it twice is doing it once.

use crate::{control::Control, git::GitError, network, remote::Remote};
use banksman_core::text::{BranchName, Sha};

/// What came of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Published {
    /// The branch is at the new head.
    There,
    /// The branch moved on meanwhile.
    Stale,
    /// The forge's repository did not take it.
    Refused(Refused),
}

/// Why it was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The branch is checked out in a work tree that has changes of its own.
    CheckedOut,
    /// The server does not let the credential do it, or the branch is protected.
    Denied,
    /// The server did not answer; the branch is where it was.
    NoAnswer,
}

impl Refused {
    /// The reason in one sentence for people.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::CheckedOut => {
                "the forge's repository does not take the branch: a work tree that has it checked out has changes of its own"
            }
            Self::Denied => {
                "the forge does not take the branch: it is protected, or the token may not write here, or not change workflows"
            }
            Self::NoAnswer => "the forge did not take the branch: it gave no answer",
        }
    }
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

/// Keeps a commit reachable in the repository it belongs to, whatever becomes of the work: `name` is a ref of ours. What belongs to a
/// server is kept in the control repository.
pub(crate) async fn keep(control: &Control, name: &str, sha: &Sha) -> Result<(), GitError> {
    let Some(folder) = control.forge().folder() else { return control.note(name, sha).await };
    let push = control.git().at(control.dir(), "push").args(["--quiet", "--no-verify", "--force"]);
    let push = push.arg(CheckedOut::Stays.receive()).arg(folder);
    push.arg(format!("{sha}:{name}")).run().await.map(drop)
}

/// Lets go of what [`keep`] kept.
pub(crate) async fn let_go(control: &Control, name: &str) -> Result<(), GitError> {
    let at = control.forge().folder().unwrap_or(control.dir());
    control.git().at(at, "update-ref").arg("-d").arg(name).run().await.map(drop)
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
    let lease = format!("--force-with-lease={name}:{}", old.map_or("", Sha::as_str));
    let refspec = format!("{new}:{name}");
    let pushed = match control.forge() {
        Remote::Folder(folder) => {
            let push = control.git().at(control.dir(), "push").args(["--quiet", "--no-verify"]);
            push.arg(checked_out.receive()).arg(lease).arg(folder).arg(refspec).run().await
        }
        Remote::Https(remote) => {
            let push = network::over(control.git(), Some(control.dir()), "push", remote).await?;
            let push = push.args(["--quiet", "--no-verify"]).arg(lease);
            push.arg(remote.url().as_str()).arg(refspec).run().await
        }
    };
    // Whatever the push said: where the branch is now is what counts.
    let [now] = control.forge_heads([branch]).await?;
    let refused = match (control.forge(), &pushed) {
        (Remote::Folder(_), _) => Refused::CheckedOut,
        (Remote::Https(_), Err(GitError::TimedOut(_))) => Refused::NoAnswer,
        (Remote::Https(_), Err(_) | Ok(_)) => Refused::Denied,
    };
    match pushed {
        _ if now.as_ref() == Some(new) => Ok(Published::There),
        _ if now.as_ref() != old => Ok(Published::Stale),
        Err(error) if error.disk_full() => Err(error),
        Ok(_) | Err(_) => Ok(Published::Refused(refused)),
    }
}
