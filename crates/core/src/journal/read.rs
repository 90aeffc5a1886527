//! Reads lines of the journal, as strictly as the schema of their version describes them.

use super::{JOURNAL_SCHEMA, JournalEntry, is_origin_label, version_1::Entry1};
use serde::{Deserialize, de::DeserializeOwned};

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
    #[error("a line of version {found}, this program reads versions up to {newest}")]
    Version {
        /// Its version.
        found: u64,
        /// The newest that this program reads.
        newest: u32,
    },
    /// A field is missing, unknown or of another shape than the schema says.
    #[error("a field is missing, unknown or of the wrong shape at column {column}")]
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

/// Reads one line of any version, as strictly as its schema describes it, but that a field which may be null may also be missing. An
/// older line comes back in the form of the newest.
pub fn read_line(line: &str) -> Result<JournalEntry, JournalError> {
    let entry = read_version(line)?;
    match entry.labels.iter().position(|label| !is_origin_label(label.as_str())) {
        None => Ok(entry),
        Some(index) => Err(JournalError::ForeignLabel { position: index + 1 }),
    }
}

/// Reads a line that Banksman itself stored, of any version. Labels that no journal may have any more are left out: one of them does not
/// make the line unreadable.
pub fn read_stored(line: &str) -> Result<JournalEntry, JournalError> {
    let mut entry = read_version(line)?;
    entry.labels.retain(|label| is_origin_label(label.as_str()));
    Ok(entry)
}

fn read_version(line: &str) -> Result<JournalEntry, JournalError> {
    match version(line)? {
        1 => Ok(parse::<Entry1>(line)?.into()),
        found if found == u64::from(JOURNAL_SCHEMA) => parse(line),
        found => Err(JournalError::Version { found, newest: JOURNAL_SCHEMA }),
    }
}

/// The version that a line says it has.
fn version(line: &str) -> Result<u64, JournalError> {
    #[derive(Deserialize)]
    struct Versioned {
        schema: u64,
    }
    Ok(parse::<Versioned>(line)?.schema)
}

/// Reads a line as a type.
pub(super) fn parse<T: DeserializeOwned>(line: &str) -> Result<T, JournalError> {
    serde_json::from_str(line).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => JournalError::NotAnEntry { column: error.column() },
        _ => JournalError::NotJson { column: error.column() },
    })
}
