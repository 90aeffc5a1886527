//! The index: one short line per finished child, for whoever wants an overview without opening every journal.

use super::{JournalEntry, JournalError, Totals, entry::journal_file, parsed, read::parse};
use crate::{
    id::Number,
    port::{OutcomeDetail, OutcomeResult},
    text::{EngineName, Login, RepoName},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Version of the format.
pub const INDEX_SCHEMA: u32 = 1;

/// The published JSON Schema (draft 2020-12) of one line of the index (D7).
pub const INDEX_SCHEMA_JSON: &str = include_str!("index-1.schema.json");

/// One line of `training/index.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexLine {
    /// Always [`INDEX_SCHEMA`].
    pub index: u32,
    /// The repository.
    pub repo: RepoName,
    /// The epic; `None` for a child that was dispatched directly.
    pub epic: Option<Number>,
    /// The child. With the repository and the epic it names the journal's file.
    pub child: Number,
    /// Its pull request, if one came.
    pub pull: Option<Number>,
    /// Who implemented it.
    pub implementer: Option<EngineName>,
    /// Login that opened the pull request.
    pub login: Option<Login>,
    /// When the pull request was opened.
    pub opened_at: Option<Timestamp>,
    /// When it was merged.
    pub merged_at: Option<Timestamp>,
    /// In one word.
    pub result: OutcomeResult,
    /// In another.
    pub detail: OutcomeDetail,
    /// Sums over its lists.
    pub totals: Totals,
    /// From dispatch (or opening) to the end, in seconds.
    pub duration_seconds: i64,
    /// When its journal was written.
    pub at: Timestamp,
}

impl IndexLine {
    /// Name of the child's file in its repository's folder.
    pub fn file_name(&self) -> String {
        journal_file(self.epic, self.child)
    }
}

impl From<&JournalEntry> for IndexLine {
    fn from(entry: &JournalEntry) -> Self {
        Self {
            index: INDEX_SCHEMA,
            repo: entry.repo.clone(),
            epic: entry.epic,
            child: entry.child,
            pull: entry.pull,
            implementer: entry.implementer.clone(),
            login: entry.login.clone(),
            opened_at: entry.opened_at,
            merged_at: entry.merged_at,
            result: entry.result,
            detail: entry.detail,
            totals: entry.totals,
            duration_seconds: entry.duration_seconds,
            at: entry.at,
        }
    }
}

/// The schema of a line of the index as a value.
pub fn index_schema() -> serde_json::Value {
    parsed(INDEX_SCHEMA_JSON)
}

/// Reads one line of the index, as strictly as the schema describes it, but that a field which may be null may also be missing.
pub fn read_index_line(line: &str) -> Result<IndexLine, JournalError> {
    #[derive(Deserialize)]
    struct Versioned {
        index: u64,
    }
    let Versioned { index } = parse(line)?;
    if index != u64::from(INDEX_SCHEMA) {
        return Err(JournalError::Version { found: index, newest: INDEX_SCHEMA });
    }
    parse(line)
}
