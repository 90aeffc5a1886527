//! What can go wrong with the server, and what it means to the port. Messages of the server may repeat values, so only its codes go
//! into errors and logs.

use super::address::AddressError;
use banksman_core::{job::IllegalMove, port::StoreError};
use std::io;
use tokio_postgres::error::{DbError, SqlState};

/// A store that could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum PgError {
    /// The address cannot be used.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Nobody answers, or not yet.
    #[error("the PostgreSQL server at {place} cannot be reached ({reason})")]
    Unreachable {
        /// Host and port.
        place: String,
        /// What the system says.
        reason: String,
    },
    /// The server does not let us in or has no such database.
    #[error("the PostgreSQL server at {place} refuses the connection: {reason}")]
    Refused {
        /// Host and port.
        place: String,
        /// What the server says: names of the user and the database, never the password.
        reason: String,
    },
    /// The way to the server cannot be encrypted as the address asks.
    #[error("the way to the PostgreSQL server cannot be encrypted: {0}")]
    Tls(String),
    /// The schema belongs to a later version of the program.
    #[error(
        "the schema \"{schema}\" of the database has version {found}, this program knows {known}: install a newer version"
    )]
    Newer {
        /// Name of the schema.
        schema: String,
        /// Its version.
        found: i32,
        /// Last version that this program knows.
        known: i32,
    },
    /// Any other failure.
    #[error("the database failed (SQLSTATE {0})")]
    Sql(String),
}

/// Why a function of this module stopped; everything that its transaction wrote is undone.
#[derive(Debug)]
pub(super) enum Stop {
    /// The store refuses.
    Refused(StoreError),
    /// The connection broke. What was sent last may have happened or not.
    Lost,
    /// Another transaction was in the way; nothing happened, and it may be done again.
    Undone,
    /// The database failed.
    Failed(String),
    /// What stands in a column is not what this program writes there.
    Shape(&'static str),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<IllegalMove> for Stop {
    fn from(_: IllegalMove) -> Self {
        Self::Refused(StoreError::Missing("job in that stage"))
    }
}

impl From<tokio_postgres::Error> for Stop {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else {
            return if is_lost(&error) {
                Self::Lost
            } else {
                // A value that did not fit its column: the text names types, not values.
                Self::Failed(error.to_string())
            };
        };
        match db.code() {
            code if ends_connection(code) => Self::Lost,
            &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED => Self::Undone,
            // Keys, tasks and repetitions are looked for before they are written: somebody else was faster.
            &SqlState::UNIQUE_VIOLATION if RACES.contains(&db.constraint().unwrap_or_default()) => {
                Self::Undone
            }
            &SqlState::DISK_FULL => Self::Refused(StoreError::Full),
            _ => Self::Failed(describe(db)),
        }
    }
}

impl From<Stop> for StoreError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(error) => error,
            Stop::Lost | Stop::Undone => Self::Away,
            Stop::Failed(what) => {
                tracing::error!(error = %what, "the store failed");
                Self::Failed(what)
            }
            Stop::Shape(column) => {
                tracing::error!(column, "a row of the store cannot be read");
                Self::Failed(format!("a row cannot be read: {column}"))
            }
        }
    }
}

/// Unique indexes on which two processes may meet, or a call with an earlier try of its own.
const RACES: [&str; 4] = ["job_by_key", "job_by_task", "job_retry", "job_work_adder_serial_key"];

/// Code, and names of the schema: never the message, which may repeat values.
pub(super) fn describe(error: &DbError) -> String {
    let mut text = format!("SQLSTATE {}", error.code().code());
    for (what, name) in
        [("table", error.table()), ("column", error.column()), ("constraint", error.constraint())]
    {
        if let Some(name) = name {
            text.push_str(&format!(", {what} {name}"));
        }
    }
    text
}

/// Whether the server ended the connection, or does not take any just now.
pub(super) fn ends_connection(code: &SqlState) -> bool {
    code.code().starts_with("08")
        || matches!(
            *code,
            SqlState::ADMIN_SHUTDOWN
                | SqlState::CRASH_SHUTDOWN
                | SqlState::CANNOT_CONNECT_NOW
                | SqlState::TOO_MANY_CONNECTIONS
        )
}

/// Whether an error that is not the server's means that the connection is gone.
pub(super) fn is_lost(error: &tokio_postgres::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.is::<io::Error>() {
            return true;
        }
        source = cause.source();
    }
    error.is_closed()
}
