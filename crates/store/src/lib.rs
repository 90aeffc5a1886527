//! The store behind `banksman_core::port::Store`, on SQLite, and the database thread that it and the embedded forge's book
//! are built on.

pub mod book;
#[cfg(feature = "conformance")]
#[expect(clippy::unwrap_used, clippy::expect_used, reason = "each case is a test: it fails by panicking")]
pub mod conformance;
mod queue;
pub mod items;
pub mod sqlite;
mod store;
mod tables;

pub use store::{STORE, SqliteStore};
