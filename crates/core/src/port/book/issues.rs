//! Records of issues, and of what issues and pull requests have in common: words, comments, labels, links.

use super::Account;
use crate::{
    id::{ActorId, CommentId, Number},
    intent::Step,
    tainted::Tainted,
    text::Label,
};
use jiff::Timestamp;

/// An issue to be written. Gets the next number of its repository.
pub struct NewIssue {
    /// Who writes it.
    pub author: ActorId,
    /// Its title.
    pub title: Tainted,
    /// Its body.
    pub body: Tainted,
    /// Its labels.
    pub labels: Vec<Label>,
    /// The step that makes it; `None` when a person does.
    pub made_by: Option<Step>,
    /// Now.
    pub at: Timestamp,
}

/// An issue without its body.
pub struct IssueRecord {
    /// Its number.
    pub number: Number,
    /// Who wrote it.
    pub author: Account,
    /// Its title.
    pub title: Tainted,
    /// Still open.
    pub open: bool,
    /// Its labels, ascending.
    pub labels: Vec<Label>,
    /// Open issues that block it, ascending.
    pub blocked_by: Vec<Number>,
    /// The issue that it is a sub-issue of.
    pub parent: Option<Number>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When anything about it last changed.
    pub updated_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

/// Title and body of an issue or pull request.
pub struct Text {
    /// The title.
    pub title: Tainted,
    /// The body.
    pub body: Tainted,
    /// Grows with each change of either; names what was read in a [`Rewrite`].
    pub revision: u64,
}

/// New words for an issue or pull request.
pub struct Rewrite {
    /// A new title.
    pub title: Option<Tainted>,
    /// A new body.
    pub body: Option<Tainted>,
    /// Only if the text still is at this revision.
    pub revision: Option<u64>,
    /// Now.
    pub at: Timestamp,
}

/// What became of a [`Rewrite`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewritten {
    /// It is written.
    Yes,
    /// Somebody else wrote meanwhile: read again.
    Stale,
}

/// A comment to be written on an issue or pull request.
pub struct NewComment {
    /// On which.
    pub on: Number,
    /// Who says it.
    pub author: ActorId,
    /// What.
    pub body: Tainted,
    /// The step that makes it; `None` when a person does.
    pub made_by: Option<Step>,
    /// Now.
    pub at: Timestamp,
}

/// A comment.
pub struct CommentRecord {
    /// Its id.
    pub id: CommentId,
    /// Who said it.
    pub author: Account,
    /// What.
    pub body: Tainted,
    /// When.
    pub at: Timestamp,
}

/// A relation between two issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// `child` is a sub-issue of `parent`; an issue has one parent at most.
    Child {
        /// The epic.
        parent: Number,
        /// The child.
        child: Number,
    },
    /// `blocker` comes before `blocked`.
    Blocks {
        /// The one that comes first.
        blocker: Number,
        /// The one that waits.
        blocked: Number,
    },
}
