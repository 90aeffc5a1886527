//! Audit reports in, findings and issue drafts out: stage 1 of the pipeline. Pure: no I/O, clock or randomness.
//!
//! [`parse`] reads a report, whatever its shape. [`plan()`] makes of reports what would be created: an issue per open
//! finding, a framework issue per pattern, and the list of what the reports call settled. All text in a finding is a
//! stranger's; it reaches a draft defused and quoted, and nothing else.

mod assess;
mod cargo_audit;
mod closed_words;
mod decode;
mod defuse;
mod draft;
mod error;
mod finding;
mod fingerprint;
mod format;
mod location;
mod markdown;
mod npm_audit;
mod pattern;
mod plan;
mod sarif;
mod severity;
mod status;

pub use crate::text::Fingerprint;
pub use closed_words::UnknownWord;
pub use draft::{IssueDraft, MAX_TITLE};
pub use error::{AuditError, MAX_REPORT_BYTES};
pub use finding::{
    Complexity, Finding, FindingStatus, FindingType, LineSpan, Location, Report, Scope, Severity,
};
pub use format::{Format, parse};
pub use location::package;
pub use pattern::{Pattern, PatternKind, patterns};
pub use plan::{AuditPlan, ClosedFinding, DIRECT_DISPATCH, MIN_FOR_EPIC, PlannedIssue, StageOnePlan, plan};
