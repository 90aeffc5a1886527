//! The manifest of a job (Q1 to Q5): what the front matter of its Markdown file says.

mod spec;

pub use spec::{Choice, Dependency, JobSpec, Priority};
