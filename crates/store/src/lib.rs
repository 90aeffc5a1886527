//! The store behind `banksman_core::port::Store`, on SQLite, and the database thread that it and the embedded forge's book
//! are built on.

pub mod sqlite;
mod store;
mod tables;

pub use store::{STORE, SqliteStore};
