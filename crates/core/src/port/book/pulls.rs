//! Records of pull requests: branches, heads, plans and endings.

use super::{Account, RunRecord, ThreadState, VerdictRecord};
use crate::{
    id::{ActorId, Number},
    intent::MergeMethod,
    signals::PullState,
    tainted::Tainted,
    text::{BranchName, Label, Sha},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What becomes of a head branch at the merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadFate {
    /// It stays.
    Kept,
    /// It is deleted if it still is what was merged.
    Deleted,
}

/// A pull request to be written.
pub struct NewPull {
    /// Who opens it.
    pub author: ActorId,
    /// Its title.
    pub title: Tainted,
    /// Its body.
    pub body: Tainted,
    /// The issue it closes.
    pub closes: Option<Number>,
    /// From.
    pub head_branch: BranchName,
    /// Into.
    pub base: BranchName,
    /// The head commit.
    pub head: Sha,
    /// Not ready yet.
    pub readiness: Readiness,
    /// What becomes of the head branch.
    pub head_fate: HeadFate,
    /// Checks of the head commit, to be queued.
    pub checks: Checking,
    /// Now.
    pub at: Timestamp,
}

/// Whether the author calls a pull request ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// A draft.
    Draft,
    /// Ready for review.
    Ready,
}

/// Whether checks are configured for a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checking {
    /// A run is queued for each new head.
    Configured,
    /// There are none.
    None,
}

/// A pull request's order to be merged by the forge once nothing stands in its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arming {
    /// Who gave it.
    pub by: Account,
    /// How it is merged.
    pub method: MergeMethod,
    /// When.
    pub at: Timestamp,
}

/// A pull request without its words.
pub struct PullRecord {
    /// Its number.
    pub number: Number,
    /// Who opened it.
    pub author: Account,
    /// Its title.
    pub title: Tainted,
    /// Open, merged or closed.
    pub state: PullState,
    /// Draft or ready.
    pub readiness: Readiness,
    /// From.
    pub head_branch: BranchName,
    /// Into.
    pub base: BranchName,
    /// What becomes of the head branch at the merge. `Deleted` on a merged one: the deletion is still due.
    pub head_fate: HeadFate,
    /// Its labels, ascending.
    pub labels: Vec<Label>,
    /// The issues it closes.
    pub closes: Vec<Number>,
    /// Its head as last seen.
    pub head: HeadRecord,
    /// The heads before it, oldest first.
    pub earlier: Vec<HeadRecord>,
    /// Verdicts, oldest first; mere comments are not among them.
    pub reviews: Vec<VerdictRecord>,
    /// Review threads, oldest first.
    pub threads: Vec<ThreadState>,
    /// The check run of the last head.
    pub run: Option<RunRecord>,
    /// Whether it is merged by itself once it can be; only open ones are.
    pub arming: Option<Arming>,
    /// A merge that was begun.
    pub plan: Option<MergePlan>,
    /// Updates of the head branch that were begun, oldest first.
    pub updates: Vec<UpdatePlan>,
    /// Size of the change; of an ended one, as it was at its end.
    pub size: Option<Size>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When anything about it last changed.
    pub updated_at: Timestamp,
}

/// A head that a pull request had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadRecord {
    /// The commit.
    pub sha: Sha,
    /// When it was first seen.
    pub at: Timestamp,
    /// Who made it.
    pub origin: HeadOrigin,
    /// Whether it had commits that the base lacked when it was seen.
    pub commits: Commits,
}

/// Who made a head commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadOrigin {
    /// Somebody pushed it.
    Pushed,
    /// The forge, by merging the base into the head branch; approvals stay.
    Updated,
}

/// Whether a head has commits beyond its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Commits {
    /// At least one.
    Some,
    /// None.
    None,
}

/// Lines and files of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Size {
    /// Lines added.
    pub additions: u64,
    /// Lines removed.
    pub deletions: u64,
    /// Files touched.
    pub files: u64,
}

/// A new head that a look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Whose.
    pub pull: Number,
    /// The head that the look knew; if another look was faster, nothing is recorded.
    pub after: Sha,
    /// The commit.
    pub head: Sha,
    /// Who made it.
    pub origin: HeadOrigin,
    /// Whether it has commits of its own.
    pub commits: Commits,
}

/// A merge about to be made; written before the base moves, so that a look after a crash knows the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergePlan {
    /// The evaluated head.
    pub head: Sha,
    /// The base branch.
    pub base: BranchName,
    /// Where that branch was.
    pub from: Sha,
    /// Where it goes.
    pub commit: Sha,
    /// Size of the change.
    pub size: Size,
}

/// An update of a head branch about to be made; written before the branch moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdatePlan {
    /// Where the head branch was.
    pub from: Sha,
    /// Where it goes.
    pub commit: Sha,
}

/// How a pull request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// In its base. The issues that it closes are closed with it, but for epics: those are closed by the pipeline (X13).
    Merged {
        /// The head that was merged.
        head: Sha,
        /// The commit on the base.
        commit: Sha,
    },
    /// Without a merge.
    Closed,
}
