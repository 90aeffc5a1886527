//! The GitHub client against a scripted wire: every step, every error, and answers of any shape.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod errors;
mod find;
mod http;
mod reads;
mod reviews;
mod script;
mod settings;
mod steps;
