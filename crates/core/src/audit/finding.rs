//! What an audit report says, once read: the report, its findings and their fields.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Fingerprint;
use super::closed_words::closed_words;

closed_words! {
    /// How bad a finding is.
    "severity" Severity {
        /// Must not wait: exploitable now, or loses data.
        Critical => "critical",
        /// Serious under realistic conditions.
        High => "high",
        /// Worth planning.
        Medium => "medium",
        /// Minor, informational or cosmetic.
        Low => "low",
    }
}

closed_words! {
    /// What a finding is about.
    "finding type" FindingType {
        /// A weakness that someone could use.
        Security => "security",
        /// Correctness, structure and readability of code.
        Quality => "quality",
        /// Time, memory or money.
        Performance => "performance",
        /// Tests that are missing, flaky or wrong.
        Testing => "testing",
        /// Documentation that is missing, stale or wrong.
        Docs => "docs",
    }
}

closed_words! {
    /// How far the locations of a finding are spread.
    "scope" Scope {
        /// One file.
        SingleFile => "single-file",
        /// Several files of one package, or no file named.
        Package => "package",
        /// Several packages.
        Framework => "framework",
    }
}

closed_words! {
    /// How much work the fix looks like.
    "complexity" Complexity {
        /// An hour or a few.
        Small => "small",
        /// A day or so.
        Medium => "medium",
        /// More than that.
        Large => "large",
    }
}

closed_words! {
    /// What the report itself says about a finding. Only open findings become issues.
    "finding status" FindingStatus {
        /// Still there; also when the report says nothing.
        Open => "open",
        /// The report says that it is fixed.
        Fixed => "fixed",
        /// The report says that it stays as it is.
        Accepted => "accepted",
        /// The report says that it was no finding.
        FalsePositive => "false-positive",
    }
}

/// The lines that a location names, first and last, both counted from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LineSpan {
    /// The first line.
    pub first: u32,
    /// The last line; the same as the first for a single line.
    pub last: u32,
}

/// A place in the repository, as the report writes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// Path with forward slashes, in characters that need no quoting in Markdown.
    pub path: String,
    /// The lines, where the report names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<LineSpan>,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lines {
            None => f.write_str(&self.path),
            Some(span) if span.first == span.last => write!(f, "{}:{}", self.path, span.first),
            Some(span) => write!(f, "{}:{}-{}", self.path, span.first, span.last),
        }
    }
}

/// One problem that a report names. Every text in it is a stranger's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Short and on one line, without id, severity and status marks.
    pub title: String,
    /// The report's own id or rule (`H-01`, `RUSTSEC-2024-0001`), if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Description, impact and evidence, as plain text of several lines.
    pub text: String,
    /// How bad it is; a default by type if the report does not say.
    pub severity: Severity,
    /// Whether the report says how bad it is.
    pub severity_stated: bool,
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: FindingType,
    /// How far it is spread.
    pub scope: Scope,
    /// How much work it looks like.
    pub complexity: Complexity,
    /// What the report says of it.
    pub status: FindingStatus,
    /// Where it is, in the order of the report.
    pub locations: Vec<Location>,
    /// What the report says should be done.
    pub fix: Option<String>,
    /// When it is done: the report's own list, or derived from the fix.
    pub acceptance: Vec<String>,
    /// The same for the same finding in every run.
    pub fingerprint: Fingerprint,
    /// The line of the report on which it starts, counted from one; zero where lines mean nothing.
    pub line: usize,
}

impl Finding {
    /// Whether it should become an issue.
    pub fn is_open(&self) -> bool {
        self.status == FindingStatus::Open
    }
}

/// An audit report, read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The name that the caller gave it; part of every fingerprint.
    pub name: String,
    /// The report's own title, or its name.
    pub title: String,
    /// The shape that was recognised.
    pub format: super::Format,
    /// The number of the audit issue on the forge, if the report came from one; the caller sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<u64>,
    /// Everything that it names, in its order, whatever the status.
    pub findings: Vec<Finding>,
}

impl Report {
    /// The findings that should become issues.
    pub fn open(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.is_open())
    }
}
