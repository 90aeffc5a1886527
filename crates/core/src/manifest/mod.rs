//! The manifest of a job (Q1 to Q5): what the front matter of its Markdown file says. [`parse`] reads a whole job file and reports every
//! error at once, [`print()`] writes one, [`Manifest::resolve`] fills in profile and defaults, [`from_item`] makes one of a
//! tracker item's labels.

mod document;
mod error;
mod item;
mod key;
mod over;
mod parse;
mod print;
mod profile;
mod raw;
mod read;
mod resolve;
mod span;
mod spec;
mod split;
mod yaml;

pub use document::{Document, DocumentValue, read_document};
pub use error::{Errors, Problem, Reason};
pub use item::{LabelProblem, LabelProblems, from_item};
pub use parse::{parse, parse_bytes};
pub use print::print;
pub use profile::Profile;
pub use raw::{Manifest, NotBefore};
pub use resolve::{Defaults, ResolveError};
pub use span::{BadSpan, parse_span, print_span};
pub use spec::{Choice, Dependency, JobSpec, Preamble, Priority};

/// Largest front matter in bytes (Q3).
pub const MAX_MANIFEST: usize = 64 * 1024;
/// Largest body in bytes (Q3).
pub const MAX_BODY: usize = 1024 * 1024;
/// Deepest nesting of lists and maps; the front matter itself is the first level (Q3).
pub const MAX_DEPTH: usize = 16;
