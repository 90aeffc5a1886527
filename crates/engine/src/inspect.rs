//! Looks at what an agent made, in the control repository, before it is published.

use crate::{
    control::Control,
    git::{Answer, GitError},
};
use banksman_core::{text::Sha, work::FailReason};

/// What the work is held against.
#[derive(Debug)]
pub(crate) struct Against<'a> {
    /// The commit it started from.
    pub(crate) start: &'a Sha,
    /// For a conflict: the head of the base that has to be in it.
    pub(crate) merged: Option<&'a Sha>,
}

/// Whether the work may be published; `Err(Ok(reason))` when not.
pub(crate) async fn inspect(
    control: &Control,
    work: &Sha,
    against: &Against<'_>,
) -> Result<(), Result<FailReason, GitError>> {
    let start = against.start;
    if work == start {
        return Err(Ok(FailReason::NoCommit));
    }
    if control.is_ancestor(start, work).await.map_err(Err)? == Answer::No {
        return Err(Ok(FailReason::RewroteHistory));
    }
    let mut marked = control.marked_files(start, work).await.map_err(Err)?;
    match against.merged {
        Some(base) => {
            if control.is_ancestor(base, work).await.map_err(Err)? == Answer::No {
                return Err(Ok(FailReason::NotResolved));
            }
            // What looks like a marker on the base's side was there before.
            let elsewhere = control.marked_files(base, work).await.map_err(Err)?;
            marked.retain(|file| elsewhere.contains(file));
        }
        None => {
            if control.same_tree(start, work).await.map_err(Err)? == Answer::Yes {
                return Err(Ok(FailReason::NoCommit));
            }
        }
    }
    if marked.is_empty() { Ok(()) } else { Err(Ok(FailReason::ConflictMarkers)) }
}
