//! The journal: one JSON line per finished child, the whole lifecycle in ids, enums, counts and times (70-training.md), and an
//! index with one short line for each. No text that a person or an agent wrote.
//!
//! Each form is a published JSON Schema beside this file (D7). Lines of the first version are still read: they are brought into the
//! form of the second, which leaves nothing out.

mod entry;
mod index;
mod models;
mod origin;
mod read;
mod version_1;

pub use entry::{Automation, CiConclusion, CiRun, Commit, Cycle, JOURNAL_SCHEMA, JournalEntry, Totals};
pub use index::{INDEX_SCHEMA, INDEX_SCHEMA_JSON, IndexLine, index_schema, read_index_line};
pub use models::{KnownModels, Model};
pub use origin::{Origin, is_origin_label, origin_labels};
pub use read::{JournalError, read_line, read_stored};

/// The published JSON Schema (draft 2020-12) of one line, as it is written.
pub const JOURNAL_SCHEMA_JSON: &str = include_str!("journal-2.schema.json");

/// The published JSON Schema of one line as the first version wrote it.
pub const JOURNAL_SCHEMA_1_JSON: &str = include_str!("journal-1.schema.json");

/// The schema of a line as a value.
pub fn schema() -> serde_json::Value {
    parsed(JOURNAL_SCHEMA_JSON)
}

/// The schema of a line of the first version as a value.
pub fn schema_1() -> serde_json::Value {
    parsed(JOURNAL_SCHEMA_1_JSON)
}

fn parsed(text: &str) -> serde_json::Value {
    #[expect(clippy::expect_used, reason = "a file of this crate, checked by a test")]
    serde_json::from_str(text).expect("the schema is JSON")
}
