//! The embedded forge over real git repositories and the SQLite book.

mod checks;
mod crashes;
mod issues;
mod merges;
mod outside;
mod pulls;
mod reviews;
mod work_trees;
mod world;
