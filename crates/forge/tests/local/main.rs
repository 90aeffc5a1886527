//! The embedded forge over real git repositories and the SQLite book.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod armed;
mod checks;
mod crashes;
mod issues;
mod killed;
mod merges;
mod outside;
mod pulls;
mod reviews;
mod work_trees;
mod world;
