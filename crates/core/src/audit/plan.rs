//! What stage 1 would create for a set of audits: the plan that `--dry-run` prints and a run carries out.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::draft::{self, IssueDraft};
use super::pattern::{Pattern, patterns};
use super::{Finding, FindingStatus, Fingerprint, Location, Report, Severity};

/// An audit that yields fewer issues than this gets no epic.
pub const MIN_FOR_EPIC: usize = 3;

/// The label of issues that go to an implementer without an epic.
pub const DIRECT_DISPATCH: &str = "direct-dispatch";

/// What stage 1 would create. The same reports and repository always give the same plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageOnePlan {
    /// One per audit, in the order given.
    pub audits: Vec<AuditPlan>,
}

/// What one audit yields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPlan {
    /// The name of the report.
    pub name: String,
    /// The audit issue, if it came from a forge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<u64>,
    /// Issues to create, in the order of the report.
    pub issues: Vec<PlannedIssue>,
    /// Framework issues to create before them.
    pub patterns: Vec<Pattern>,
    /// Findings that give no issue, and why.
    pub closed: Vec<ClosedFinding>,
    /// Fewer than [`MIN_FOR_EPIC`] issues: no epic, and every issue carries [`DIRECT_DISPATCH`].
    pub direct_dispatch: bool,
}

/// An issue for a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedIssue {
    /// The issue itself.
    pub draft: IssueDraft,
    /// How bad the finding is.
    pub severity: Severity,
    /// Where it is, with paths as the repository has them.
    pub locations: Vec<Location>,
    /// Paths that the repository does not have.
    pub stale: Vec<String>,
    /// The pattern whose framework issue has to be done first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_by: Option<Fingerprint>,
}

/// A finding that gives no issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedFinding {
    /// Of the finding.
    pub fingerprint: Fingerprint,
    /// Its title, a stranger's text.
    pub title: String,
    /// What the report says of it.
    pub status: FindingStatus,
    /// Why it gives no issue, in our words.
    pub reason: String,
}

/// Plans the issues for a set of reports. `exists` says whether the repository has a path.
///
/// A finding that two reports share (same fingerprint, that is, the same audit given twice) is planned once.
pub fn plan(reports: &[Report], exists: &dyn Fn(&str) -> bool) -> StageOnePlan {
    let mut seen = BTreeSet::new();
    let audits = reports.iter().map(|report| plan_one(report, exists, &mut seen)).collect();
    StageOnePlan { audits }
}

fn plan_one(report: &Report, exists: &dyn Fn(&str) -> bool, seen: &mut BTreeSet<Fingerprint>) -> AuditPlan {
    let mut report = report.clone();
    report.findings.retain(|finding| seen.insert(finding.fingerprint.clone()));
    let mut stale = BTreeMap::new();
    for finding in report.findings.iter_mut().filter(|finding| finding.is_open()) {
        stale.insert(finding.fingerprint.clone(), resolve(finding, exists));
    }
    let patterns = patterns(&report);
    let blocked: BTreeMap<&Fingerprint, &Fingerprint> = patterns
        .iter()
        .flat_map(|pattern| pattern.members.iter().map(|member| (member, &pattern.id)))
        .collect();
    let planned = |finding: &Finding| {
        let stale = stale.get(&finding.fingerprint).cloned().unwrap_or_default();
        PlannedIssue {
            draft: draft::of(&report, finding, &stale),
            severity: finding.severity,
            locations: finding.locations.clone(),
            stale,
            blocked_by: blocked.get(&finding.fingerprint).map(|id| (*id).clone()),
        }
    };
    let mut issues: Vec<PlannedIssue> = report.open().map(planned).collect();
    let direct_dispatch = issues.len() < MIN_FOR_EPIC;
    if direct_dispatch {
        for issue in &mut issues {
            issue.draft.labels.push(DIRECT_DISPATCH.to_owned());
            issue.draft.labels.sort();
        }
    }
    let closed = report.findings.iter().filter(|finding| !finding.is_open()).map(closed).collect();
    AuditPlan { name: report.name.clone(), issue: report.issue, issues, patterns, closed, direct_dispatch }
}

/// Gives locations the paths that the repository has, and returns those that it does not have. Reports written on
/// another machine may name absolute paths: the longest end that exists is meant.
fn resolve(finding: &mut Finding, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut stale = Vec::new();
    for place in &mut finding.locations {
        if exists(&place.path) {
            continue;
        }
        let ends = place.path.match_indices('/').map(|(at, _)| &place.path[at + 1..]);
        let absolute = place.path.starts_with('/') || place.path.get(1..3) == Some(":/");
        match ends.take(24).find(|end| absolute && exists(end)) {
            Some(end) => place.path = end.to_owned(),
            None if !stale.contains(&place.path) => stale.push(place.path.clone()),
            None => {}
        }
    }
    stale
}

fn closed(finding: &Finding) -> ClosedFinding {
    let reason = match finding.status {
        FindingStatus::Open => "open",
        FindingStatus::Fixed => "the audit says that it is fixed",
        FindingStatus::Accepted => "the audit says that it is accepted as it is",
        FindingStatus::FalsePositive => "the audit says that it is a false positive",
    };
    ClosedFinding {
        fingerprint: finding.fingerprint.clone(),
        title: finding.title.clone(),
        status: finding.status,
        reason: reason.to_owned(),
    }
}
