//! One SQLite file as the rest of the crate sees it: a writer thread that commits in groups, a few readers beside it, a
//! schema that only goes forward, and a wake-up when anything changed. Knows nothing of what is in the tables.
//!
//! # Building on it
//!
//! ```no_run
//! use banksman_store::sqlite::{Database, DbError, Durability, Nanos, Schema};
//!
//! const SCHEMA: Schema = Schema {
//!     name: "example",
//!     id: 0x0062_0001,                              // any number of one's own; a file of another schema is refused
//!     migrations: &["CREATE TABLE thing (id INTEGER PRIMARY KEY, made_at INTEGER NOT NULL) STRICT;"],
//! };
//!
//! # async fn example(now: jiff::Timestamp) -> Result<(), DbError> {
//! let db = Database::open("thing.db".as_ref(), &SCHEMA)?;      // blocks for a moment; clone the handle freely
//!
//! let id: i64 = db
//!     .write(Durability::Acknowledged, move |tx| {
//!         // Runs alone on the writer thread. An error undoes this closure's changes and nobody else's.
//!         tx.prepare_cached("INSERT INTO thing (made_at) VALUES (?1)")?.insert([Nanos(now)]).map_err(DbError::from)
//!     })
//!     .await?;                                                 // answered after the commit, never before
//!
//! let Nanos(made_at) = db
//!     .read(move |db| {
//!         // One snapshot for the whole closure, on a blocking thread.
//!         Ok::<_, DbError>(db.query_row("SELECT made_at FROM thing WHERE id = ?1", [id], |row| row.get(0))?)
//!     })
//!     .await?;
//!
//! let mut changes = db.changes();
//! changes.next().await;                                        // somebody committed, here or in another process
//! # let _ = made_at; Ok(()) }
//! ```
//!
//! The closures' error may be any type that is `From<DbError>`; add `From<rusqlite::Error>` and `?` works inside.
//! A refusal that must not undo the closure's writes is a value, not an error: return `Ok(Refused)`.
//!
//! Times are integers in nanoseconds since 1970 ([`Nanos`]), closed words and validated names are text ([`Word`]), values with
//! structure are JSON ([`Json`]).

mod bell;
mod changes;
mod columns;
mod database;
mod error;
mod pending;
mod readers;
mod schema;
mod writer;

pub use changes::Changes;
pub use columns::{Json, Nanos, Word};
pub use database::Database;
pub use error::DbError;
pub use schema::Schema;
pub use writer::{Durability, Tx};
