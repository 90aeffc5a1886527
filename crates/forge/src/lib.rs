//! The forges behind `banksman_core::port::Forge`. For now the embedded one: the user's own git repository and a book.

mod git;
pub mod local;
