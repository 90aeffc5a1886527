//! The book of the embedded forge in a SQLite file of its own (`forge.db`). One file per kind of record; each function holds
//! the one statement that it is about.

mod accounts;
mod arming;
mod checks;
mod comments;
mod issues;
mod labels;
mod links;
mod port;
mod pulls;
mod read_pulls;
mod reviews;
mod row;
mod statuses;
mod versions;

use crate::sqlite::{Changes, Database, DbError, Durability, Schema, Tx};
use banksman_core::port::BookError;
use rusqlite::Connection;
use std::path::Path;

const SCHEMA: Schema = Schema {
    name: "forge",
    id: 0x0062_6b66,
    migrations: &[include_str!("schema.sql"), include_str!("faced.sql")],
};

/// The book. Cheap to clone.
#[derive(Clone)]
pub struct SqliteBook {
    db: Database,
}

impl SqliteBook {
    /// Opens or makes the file. Blocks for some milliseconds.
    pub fn open(path: &Path) -> Result<Self, DbError> {
        Ok(Self { db: Database::open(path, &SCHEMA)? })
    }

    /// A stream of wake-ups: something was written, here or by another process.
    pub fn changes(&self) -> Changes {
        self.db.changes()
    }

    async fn write<T: Send + 'static>(
        &self,
        durability: Durability,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, BookError> {
        self.db.write(durability, work).await.map_err(Trouble::into_port)
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, BookError> {
        self.db.read(query).await.map_err(Trouble::into_port)
    }
}

/// Why a transaction was undone.
#[derive(Debug)]
enum Trouble {
    /// The database.
    Db(DbError),
    /// The book's own rules.
    Refused(banksman_core::port::Refusal),
}

impl Trouble {
    fn into_port(self) -> BookError {
        match self {
            Self::Refused(why) => BookError::Refused(why),
            Self::Db(DbError::Full) => BookError::Full,
            Self::Db(error) => {
                tracing::warn!(error = %error, "the forge's book failed");
                BookError::Failed(error.to_string())
            }
        }
    }
}

impl From<DbError> for Trouble {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Db(error.into())
    }
}
