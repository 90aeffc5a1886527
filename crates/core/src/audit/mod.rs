//! Audit reports in, findings and issue drafts out: stage 1 of the pipeline. Pure: no I/O, clock or randomness.
//!
//! [`parse`] reads a report, whatever its shape. All text in a finding is a stranger's.

mod assess;
mod cargo_audit;
mod closed_words;
mod decode;
mod error;
mod finding;
mod fingerprint;
mod format;
mod location;
mod markdown;
mod npm_audit;
mod sarif;
mod severity;
mod status;

pub use closed_words::UnknownWord;
pub use error::{AuditError, MAX_REPORT_BYTES};
pub use finding::{Complexity, Finding, FindingStatus, FindingType, LineSpan, Location, Report, Scope, Severity};
pub use fingerprint::Fingerprint;
pub use format::{Format, parse};
pub use location::package;
