//! Single effects on the forge, and the receipts that they leave.

use super::{EpicDraft, PhaseDraft};
use crate::{
    id::{CommentId, Number, ThreadId},
    say::Sentence,
    text::{BranchName, Fingerprint, Label, Sha},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How a pull request is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeMethod {
    /// One commit on the base.
    Squash,
    /// A merge commit.
    Merge,
}

/// One effect on the forge, at most once per intent and position (I3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum Step {
    /// Open the issue of a finding or pattern.
    CreateIssue {
        /// Which; the text is handed over beside the step.
        fingerprint: Fingerprint,
    },
    /// Open an epic's issue with its checklist.
    CreateEpic {
        /// Its plan.
        epic: EpicDraft,
    },
    /// Append children to an epic's checklist.
    ExtendChecklist {
        /// The epic.
        epic: Number,
        /// New children.
        phases: Vec<PhaseDraft>,
    },
    /// Say a fixed sentence.
    Comment {
        /// On which issue or pull request.
        on: Number,
        /// What.
        say: Sentence,
    },
    /// Add a label, made if it is missing.
    AddLabel {
        /// To which issue or pull request.
        on: Number,
        /// Which.
        label: Label,
    },
    /// Close an issue as completed.
    CloseIssue {
        /// Which.
        issue: Number,
    },
    /// Make `child` a sub-issue of `parent`.
    LinkChild {
        /// The epic.
        parent: Number,
        /// The child.
        child: Number,
    },
    /// Record that `blocker` blocks `blocked`.
    LinkBlocker {
        /// The one that comes first.
        blocker: Number,
        /// The one that waits.
        blocked: Number,
    },
    /// Make a branch at the head of the default branch.
    CreateBranch {
        /// Its name.
        branch: BranchName,
    },
    /// Delete a branch if it still is at that commit; open pull requests into it move to the default branch.
    DeleteBranch {
        /// Its name.
        branch: BranchName,
        /// Where it has to be; `None`: only if it has nothing that the default branch lacks.
        at: Option<Sha>,
    },
    /// Open a pull request.
    OpenPull {
        /// The issue it closes, or the epic.
        closes: Number,
        /// From.
        head: BranchName,
        /// Into.
        base: BranchName,
    },
    /// Resolve one thread.
    ResolveThread {
        /// The pull request.
        pull: Number,
        /// The thread.
        thread: ThreadId,
    },
    /// Merge the base into the head branch if the head is still that commit.
    UpdateBranch {
        /// The pull request.
        pull: Number,
        /// The evaluated head.
        head: Sha,
    },
    /// Switch auto-merge on.
    EnableAutoMerge {
        /// The pull request.
        pull: Number,
        /// The evaluated head.
        head: Sha,
    },
    /// Merge if the head is still that commit.
    Merge {
        /// The pull request.
        pull: Number,
        /// The evaluated head.
        head: Sha,
        /// How.
        method: MergeMethod,
    },
    /// Tick these children on the epic's checklist, changing nothing else.
    Tick {
        /// The epic.
        epic: Number,
        /// Which.
        children: Vec<Number>,
    },
}

/// Proof that a step was done: ids and server times only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Server time of the effect.
    pub at: Timestamp,
    /// What it made.
    pub made: Made,
}

/// What a step made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "made")]
pub enum Made {
    /// An issue.
    Issue {
        /// Its number.
        number: Number,
    },
    /// A pull request.
    Pull {
        /// Its number.
        number: Number,
    },
    /// A comment.
    Comment {
        /// Its id.
        id: CommentId,
    },
    /// A commit (a merge, an updated head, a new branch's tip).
    Commit {
        /// Its id.
        sha: Sha,
    },
    /// Something that has no id of its own: a label, a link, a tick, a closing.
    Change,
}
