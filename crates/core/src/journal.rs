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

/// The published JSON Schema (draft 2020-12) of one line (D7).
pub const JOURNAL_SCHEMA_JSON: &str = include_str!("journal.schema.json");

/// The lifecycle of one child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// Where the child came from, as its labels say: severity, type, scope, complexity. Only labels that [`origin`] lets through.
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
#[serde(deny_unknown_fields)]
pub struct HeadLine {
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
    /// When the request was sent.
    pub sent_at: Timestamp,
    /// The commit that answered.
    pub response: Option<Sha>,
    /// When it came.
    pub responded_at: Option<Timestamp>,
}

/// A head whose checks failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CiRun {
    /// The commit.
    pub sha: Sha,
    /// Names of the checks that failed, as configured.
    pub failed: Vec<CheckName>,
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

impl JournalEntry {
    /// Name of the child's own file under `training/journals/`.
    pub fn file_name(&self) -> String {
        match self.epic {
            Some(epic) => format!("epic-{epic}-child-{}.jsonl", self.child),
            None => format!("direct-child-{}.jsonl", self.child),
        }
    }
}

/// A line that is no journal entry. The message names the place, never what stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// It is no JSON.
    #[error("no JSON at column {column}")]
    NotJson {
        /// Byte in the line, from 1; 0 where the reader does not know.
        column: usize,
    },
    /// It is of another version.
    #[error("a journal line of version {found}, this program reads version {JOURNAL_SCHEMA}")]
    Version {
        /// Its version.
        found: u64,
    },
    /// A field is missing, unknown or of another shape than the schema says.
    #[error("no journal entry: a field is missing, unknown or of the wrong shape at column {column}")]
    NotAnEntry {
        /// Byte in the line, from 1; 0 where the reader does not know.
        column: usize,
    },
    /// A label is none of those that a journal may have.
    #[error("entry {position} of \"labels\" is no word that a journal may have")]
    ForeignLabel {
        /// Its position, from 1.
        position: usize,
    },
}

/// The schema as a value.
pub fn schema() -> serde_json::Value {
    #[expect(clippy::expect_used, reason = "a file of this crate, checked by a test")]
    serde_json::from_str(JOURNAL_SCHEMA_JSON).expect("the schema is JSON")
}

/// Reads one line as strictly as the schema describes it, but that a field which may be null may also be missing.
pub fn read_line(line: &str) -> Result<JournalEntry, JournalError> {
    #[derive(Deserialize)]
    struct Versioned {
        schema: u64,
    }
    let wrong = |error: serde_json::Error| match error.classify() {
        serde_json::error::Category::Data => JournalError::NotAnEntry { column: error.column() },
        _ => JournalError::NotJson { column: error.column() },
    };
    let Versioned { schema } = serde_json::from_str(line).map_err(wrong)?;
    if schema != u64::from(JOURNAL_SCHEMA) {
        return Err(JournalError::Version { found: schema });
    }
    let entry: JournalEntry = serde_json::from_str(line).map_err(wrong)?;
    match entry.labels.iter().position(|label| !is_ours(label.as_str())) {
        None => Ok(entry),
        Some(index) => Err(JournalError::ForeignLabel { position: index + 1 }),
    }
}

/// The labels of an issue that tell where it came from. A label can be anybody's words: only those of A5, A8 and A9 go into a journal.
pub fn origin(labels: &[Label]) -> Vec<Label> {
    labels.iter().filter(|label| is_ours(label.as_str())).cloned().collect()
}

fn is_ours(label: &str) -> bool {
    let word = |text: &str| (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase());
    match label.split_once(':') {
        Some(("complexity", size)) => matches!(size, "small" | "medium" | "large"),
        Some(("lang", language)) => word(language),
        Some(_) => false,
        None => matches!(
            label,
            "audit"
                | "critical"
                | "high"
                | "medium"
                | "low"
                | "security"
                | "quality"
                | "performance"
                | "testing"
                | "docs"
                | "single-file"
                | "package"
                | "framework"
                | "stale-location"
                | "direct-dispatch"
        ),
    }
}
