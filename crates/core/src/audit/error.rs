//! Why a report cannot be read. Each message says what is wrong, where, and what to do.

/// The largest report that is read, in bytes (4 MiB): ten times the largest seen, and still parsed in a second.
pub const MAX_REPORT_BYTES: usize = 4 * 1024 * 1024;

/// A report that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// More than [`MAX_REPORT_BYTES`].
    #[error(
        "{name}: the report has {size} bytes, more than the limit of {limit}; split it, or audit one part at a time"
    )]
    TooLarge {
        /// The report.
        name: String,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Not text in any encoding that is understood.
    #[error("{name}: byte {offset} is not text (binary data); give a Markdown, SARIF or JSON report")]
    Binary {
        /// The report.
        name: String,
        /// The first byte that no text has.
        offset: usize,
    },
    /// JSON that breaks off or is malformed.
    #[error("{name}:{line}:{column}: malformed JSON; write the report again with the tool that made it")]
    Json {
        /// The report.
        name: String,
        /// Line of the mistake.
        line: usize,
        /// Column of the mistake.
        column: usize,
    },
    /// Sound JSON, but no report that is understood.
    #[error(
        "{name}: JSON, but neither SARIF nor `cargo audit --json` nor `npm audit --json`; convert it to one of these or to Markdown"
    )]
    UnknownJson {
        /// The report.
        name: String,
    },
}
