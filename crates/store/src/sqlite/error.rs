//! What can go wrong with the database, and how it reads to the port.

use banksman_core::port::StoreError;
use rusqlite::ErrorCode;
use std::sync::Arc;

/// The database could not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DbError {
    /// The disk, or the room that the database may take, is full. Nothing of the write is there.
    #[error("the disk is full")]
    Full,
    /// The file is not a database, or its pages contradict each other.
    #[error("the database file is damaged; restore it from a copy or move it away")]
    Damaged(#[source] Arc<rusqlite::Error>),
    /// The file belongs to a later version of the program.
    #[error(
        "the {name} database has schema version {found}, this program knows {known}: install a newer version"
    )]
    Newer {
        /// Name of the schema.
        name: &'static str,
        /// Version of the file.
        found: u32,
        /// Last version that this program knows.
        known: u32,
    },
    /// The file is a database of something else.
    #[error("the file is not a {0} database")]
    Foreign(&'static str),
    /// The file system cannot share memory between processes, which the write-ahead log needs (network file systems).
    #[error("the file system cannot hold the database (no write-ahead log): use a local disk")]
    NoLog,
    /// A write was not carried out because its closure panicked, or because a neighbour in its group failed so badly that
    /// the database undid the whole group. Nothing of it is there.
    #[error("the write was undone together with another one that failed")]
    Undone,
    /// Any other failure.
    #[error("the database failed: {0}")]
    Sql(#[source] Arc<rusqlite::Error>),
}

impl From<rusqlite::Error> for DbError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(Arc::new(error)),
            _ => Self::Sql(Arc::new(error)),
        }
    }
}

impl From<DbError> for StoreError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Full => Self::Full,
            other => {
                tracing::error!(error = %other, source = ?std::error::Error::source(&other), "the store failed");
                Self::Failed(other.to_string())
            }
        }
    }
}
