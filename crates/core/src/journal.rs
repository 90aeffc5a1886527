//! The journal: one JSON line per finished child, the whole lifecycle in ids, enums, counts and times (70-training.md). No text.

use crate::{
    id::{Number, ThreadId},
    policy::ActionKind,
    port::{OutcomeDetail, OutcomeResult},
    text::{CheckName, EngineName, Label, Login, RepoName, Sha},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Version of the format.
pub const JOURNAL_SCHEMA: u32 = 1;

/// The lifecycle of one child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// Always [`JOURNAL_SCHEMA`] when written.
    pub schema: u32,
    /// The repository.
    pub repo: RepoName,
    /// The epic; `None` for a child that was dispatched directly.
    pub epic: Option<Number>,
    /// The child.
    pub child: Number,
    /// Its pull request, if one came.
    pub pull: Option<Number>,
    /// When the child was dispatched.
    pub dispatched_at: Option<Timestamp>,
    /// When the pull request was opened.
    pub opened_at: Option<Timestamp>,
    /// When its checks were all green for the first time.
    pub first_green_at: Option<Timestamp>,
    /// When it was merged.
    pub merged_at: Option<Timestamp>,
    /// Heads in their order, with server time.
    pub heads: Vec<HeadLine>,
    /// Review cycles in their order.
    pub review_cycles: Vec<Cycle>,
    /// Conflict cycles in their order.
    pub conflict_cycles: Vec<Cycle>,
    /// Heads whose checks failed.
    pub ci_failures: Vec<CiRun>,
    /// What was done, how often and when last.
    pub automations: Vec<Automation>,
    /// Who implemented it.
    pub implementer: Option<EngineName>,
    /// Login that opened the pull request.
    pub login: Option<Login>,
    /// Lines added.
    pub additions: u64,
    /// Lines removed.
    pub deletions: u64,
    /// Files touched.
    pub changed_files: u64,
    /// Where the child came from, as its labels say: severity, type, scope, complexity.
    pub labels: Vec<Label>,
    /// In one word.
    pub result: OutcomeResult,
    /// In another.
    pub detail: OutcomeDetail,
    /// From dispatch (or opening) to the end, in seconds.
    pub duration_seconds: i64,
    /// When the line was written.
    pub at: Timestamp,
}

/// A head commit with the time the forge first saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadLine {
    /// The commit.
    pub sha: Sha,
    /// Server time.
    pub at: Timestamp,
}

/// One request and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycle {
    /// Threads that were open (review cycles only).
    pub threads: Vec<ThreadId>,
    /// When the request was sent.
    pub sent_at: Timestamp,
    /// The commit that answered.
    pub response: Option<Sha>,
    /// When it came.
    pub responded_at: Option<Timestamp>,
}

/// A head whose checks failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CiRun {
    /// The commit.
    pub sha: Sha,
    /// Names of the checks that failed, as configured.
    pub failed: Vec<CheckName>,
}

/// How often an action was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Automation {
    /// Which.
    pub action: ActionKind,
    /// When last.
    pub at: Timestamp,
    /// How often.
    pub count: u32,
}

impl JournalEntry {
    /// Name of the child's own file under `training/journals/`.
    pub fn file_name(&self) -> String {
        match self.epic {
            Some(epic) => format!("epic-{epic}-child-{}.jsonl", self.child),
            None => format!("direct-child-{}.jsonl", self.child),
        }
    }
}
