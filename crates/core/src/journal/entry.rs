//! One line of the journal, in the form that is written now.

use super::Origin;
use crate::{
    id::{Number, ThreadId},
    policy::ActionKind,
    port::{OutcomeDetail, OutcomeResult},
    say::Instruction,
    text::{CheckName, EngineName, Label, Login, ModelName, ProviderName, RepoName, Sha},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Version of the format.
pub const JOURNAL_SCHEMA: u32 = 2;

/// The lifecycle of one child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalEntry {
    /// Always [`JOURNAL_SCHEMA`].
    pub schema: u32,
    /// The repository.
    pub repo: RepoName,
    /// The epic; `None` for a child that was dispatched directly.
    pub epic: Option<Number>,
    /// The child.
    pub child: Number,
    /// Its pull request, if one came.
    pub pull: Option<Number>,
    /// When the child's issue was made; `None` in lines of the first version, which did not say.
    pub created_at: Option<Timestamp>,
    /// When the child was dispatched.
    pub dispatched_at: Option<Timestamp>,
    /// When the pull request was opened.
    pub opened_at: Option<Timestamp>,
    /// When its checks were all green for the first time.
    pub first_green_at: Option<Timestamp>,
    /// When it was merged.
    pub merged_at: Option<Timestamp>,
    /// Commits that were the head when it was looked at, in their order, with server time.
    pub commits: Vec<Commit>,
    /// Review cycles in their order.
    pub review_cycles: Vec<Cycle>,
    /// Conflict cycles in their order.
    pub conflict_cycles: Vec<Cycle>,
    /// What the checks said of each commit that had any.
    pub ci_runs: Vec<CiRun>,
    /// What was done, how often and when last.
    pub automations: Vec<Automation>,
    /// The engine or hosted agent that implemented it, by its configured name.
    pub implementer: Option<EngineName>,
    /// Login that opened the pull request.
    pub login: Option<Login>,
    /// The implementer's model, by the host's table.
    pub model: Option<ModelName>,
    /// Who offers the model, by the host's table.
    pub provider: Option<ProviderName>,
    /// Lines added.
    pub additions: u64,
    /// Lines removed.
    pub deletions: u64,
    /// Files touched.
    pub changed_files: u64,
    /// Labels of the child that are words of ours; only those that [`super::is_origin_label`] lets through.
    pub labels: Vec<Label>,
    /// Where the child came from.
    pub origin: Origin,
    /// In one word.
    pub result: OutcomeResult,
    /// In another.
    pub detail: OutcomeDetail,
    /// Sums over the lists above.
    pub totals: Totals,
    /// From dispatch (or opening) to the end, in seconds.
    pub duration_seconds: i64,
    /// When the line was written.
    pub at: Timestamp,
}

/// A head commit with the time the forge first saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    /// The commit.
    pub sha: Sha,
    /// Server time.
    pub at: Timestamp,
}

/// One request and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cycle {
    /// Threads that were there when the request was sent (review cycles only).
    pub threads: Vec<ThreadId>,
    /// How many those are.
    pub thread_count: u64,
    /// What was asked for.
    pub instruction: Instruction,
    /// When the request was sent.
    pub sent_at: Timestamp,
    /// The commit that answered.
    pub response: Option<Sha>,
    /// When it came.
    pub responded_at: Option<Timestamp>,
    /// When the first look saw all its threads resolved, or the conflict gone; `None`: no look did.
    pub resolved_at: Option<Timestamp>,
}

/// What the checks said of one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CiRun {
    /// The commit.
    pub sha: Sha,
    /// How they stood when it was last looked at.
    pub conclusion: CiConclusion,
    /// When they were first seen to stand like that; `None` in lines of the first version.
    pub at: Option<Timestamp>,
    /// Names of the checks that were red at any look, as the host's configuration has them.
    pub failed: Vec<CheckName>,
    /// Red checks whose names the configuration does not have: they are counted, their names are a stranger's.
    pub failed_unlisted: u64,
}

/// How the checks of a commit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CiConclusion {
    /// All green, and there was one.
    Success,
    /// At least one red.
    Failure,
    /// A newer commit came, or the end, before they ended.
    Undecided,
}

/// How often an action was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Automation {
    /// Which.
    pub action: ActionKind,
    /// When last.
    pub at: Timestamp,
    /// How often.
    pub count: u32,
}

/// Sums over one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Commits.
    pub commits: u64,
    /// Review cycles.
    pub review_cycles: u64,
    /// Conflict cycles.
    pub conflict_cycles: u64,
    /// Commits that the checks said something of.
    pub ci_runs: u64,
    /// Commits with a red check at any look.
    pub ci_failures: u64,
    /// Different review threads that were asked about.
    pub threads: u64,
    /// Actions taken.
    pub automations: u64,
}

impl CiRun {
    /// Whether a check was red at any look.
    pub fn was_red(&self) -> bool {
        self.conclusion == CiConclusion::Failure || !self.failed.is_empty() || self.failed_unlisted > 0
    }
}

impl JournalEntry {
    /// Name of the child's own file under `training/journals/`.
    pub fn file_name(&self) -> String {
        journal_file(self.epic, self.child)
    }

    /// Commits with a red check at any look.
    pub fn ci_failures(&self) -> usize {
        self.ci_runs.iter().filter(|run| run.was_red()).count()
    }

    /// The sums over its lists.
    pub fn sums(&self) -> Totals {
        let mut threads: Vec<ThreadId> =
            self.review_cycles.iter().flat_map(|c| c.threads.iter().copied()).collect();
        threads.sort_unstable();
        threads.dedup();
        Totals {
            commits: self.commits.len() as u64,
            review_cycles: self.review_cycles.len() as u64,
            conflict_cycles: self.conflict_cycles.len() as u64,
            ci_runs: self.ci_runs.len() as u64,
            ci_failures: self.ci_failures() as u64,
            threads: threads.len() as u64,
            automations: self.automations.iter().map(|a| u64::from(a.count)).sum(),
        }
    }
}

/// Name of a child's file.
pub(super) fn journal_file(epic: Option<Number>, child: Number) -> String {
    match epic {
        Some(epic) => format!("epic-{epic}-child-{child}.jsonl"),
        None => format!("direct-child-{child}.jsonl"),
    }
}
