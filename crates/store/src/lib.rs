//! The store behind `banksman_core::port::{Queue, Store}`, on SQLite and on PostgreSQL, and the database thread that the first and
//! the embedded forge's book are built on.

pub mod book;
mod budget;
mod chosen;
#[cfg(feature = "conformance")]
#[expect(clippy::unwrap_used, clippy::expect_used, reason = "each case is a test: it fails by panicking")]
pub mod conformance;
pub mod items;
pub mod postgres;
mod queue;
pub mod sqlite;
mod store;
mod tables;
mod training;

pub use chosen::{Changes, Chosen};
pub use store::{STORE, SqliteStore};
