//! The forges behind `banksman_core::port::Forge`: the embedded one over the user's own git repository and a book, and GitHub.

mod git;
pub mod github;
pub mod local;
