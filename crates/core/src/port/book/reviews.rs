//! Records of reviews and their threads.

use super::{Account, CommentRecord};
use crate::{
    id::{ActorId, Number, ReviewId, ThreadId},
    tainted::Tainted,
    text::Sha,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A reviewer's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opinion {
    /// Good as it is.
    Approved,
    /// Something has to change.
    ChangesRequested,
    /// Words only.
    Commented,
}

/// A verdict as it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictRecord {
    /// Whose.
    pub reviewer: ActorId,
    /// Approved or changes requested.
    pub opinion: Opinion,
    /// The commit that was looked at.
    pub head: Sha,
    /// When.
    pub at: Timestamp,
}

/// A review thread without its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadState {
    /// The thread.
    pub id: ThreadId,
    /// When it was opened.
    pub at: Timestamp,
    /// Who resolved it.
    pub resolved_by: Option<ActorId>,
}

/// Whether a reviewer may write a second review of the same head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// A second one changes nothing (engines: an attempt may be repeated after a crash).
    Ignored,
    /// A second one counts (people change their minds).
    Counts,
}

/// A review to be written.
pub struct NewReview {
    /// Of which pull request.
    pub pull: Number,
    /// Whose.
    pub reviewer: ActorId,
    /// The verdict.
    pub opinion: Opinion,
    /// The commit that was looked at.
    pub head: Sha,
    /// Words about the whole.
    pub body: Tainted,
    /// Threads to open.
    pub threads: Vec<NewThread>,
    /// What a second one means.
    pub repeat: Repeat,
    /// Now.
    pub at: Timestamp,
}

/// A thread to be opened.
pub struct NewThread {
    /// File and line that it is about; `None`: the change as a whole.
    pub place: Option<(Tainted, u32)>,
    /// What it says.
    pub body: Tainted,
}

/// A review with its words.
pub struct ReviewRecord {
    /// Its id.
    pub id: ReviewId,
    /// Whose.
    pub reviewer: Account,
    /// The verdict.
    pub opinion: Opinion,
    /// The commit that was looked at.
    pub head: Sha,
    /// Words about the whole.
    pub body: Tainted,
    /// When.
    pub at: Timestamp,
}

/// A thread with its words.
pub struct ThreadRecord {
    /// The thread.
    pub id: ThreadId,
    /// The review that it came with; `None`: nobody wrote that down.
    pub review: Option<ReviewId>,
    /// File and line that it is about.
    pub place: Option<(Tainted, u32)>,
    /// What was said, oldest first.
    pub comments: Vec<CommentRecord>,
    /// Who resolved it.
    pub resolved_by: Option<Account>,
}

/// All that was said in the reviews of a pull request.
pub struct Conversation {
    /// Reviews, oldest first.
    pub reviews: Vec<ReviewRecord>,
    /// Threads, oldest first.
    pub threads: Vec<ThreadRecord>,
}
