//! The plan of an onboarding: what would be made, in which order, and what it costs.

use crate::{
    home::Entry,
    output::{Cell, Table, clean, style},
};
use banksman_core::{
    audit::{self, DIRECT_DISPATCH, Report, StageOnePlan},
    epic::{EpicPlan, plan_epics},
    id::{ActorId, Number},
    intent::{APPROVED, NEEDS_APPROVAL, NEEDS_INTERVENTION},
    repo::RepoRules,
    signals::{IssueFacts, TitleHead},
    text::{BranchName, CheckName, EngineName, Label, RepoName},
};
use serde::Serialize;
use std::collections::BTreeSet;

/// The plan as scripts get it.
#[derive(Serialize)]
pub(super) struct PlanShown<'a> {
    repo: &'a RepoName,
    default_branch: &'a BranchName,
    findings: usize,
    settled: usize,
    issues: &'a StageOnePlan,
    epics: &'a EpicPlan,
    /// Tasks that the children cost, one each; reviews and fixes come on top.
    pub(super) tasks: usize,
    /// Who implements.
    pub(super) engine: &'a EngineName,
    checks: &'a [(CheckName, String)],
    /// The file that the check was guessed from, when nobody named one.
    guessed_from: Option<&'static str>,
}

impl<'a> PlanShown<'a> {
    pub(super) fn new(
        rules: &'a RepoRules,
        entry: &'a Entry,
        reports: &[Report],
        issues: &'a StageOnePlan,
        epics: &'a EpicPlan,
        guessed_from: Option<&'static str>,
    ) -> Self {
        Self {
            repo: &rules.repo,
            default_branch: &entry.default_branch,
            findings: reports.iter().map(|r| r.findings.len()).sum(),
            settled: issues.audits.iter().map(|a| a.closed.len()).sum(),
            issues,
            epics,
            tasks: epics.children(),
            engine: &rules.implementer,
            checks: &entry.checks.0,
            guessed_from,
        }
    }
}

/// What goes to an implementer without an epic: what the plan leaves over, and the issues of small audits (A9), which the plan does not
/// look at. Whoever is out already, or waits for a person, stays as it is.
pub(crate) fn without_epic(issues: &[IssueFacts], plan: &EpicPlan) -> Vec<Number> {
    let waits = |issue: &IssueFacts| {
        issue.has_label(NEEDS_INTERVENTION) || (issue.has_label(NEEDS_APPROVAL) && !issue.has_label(APPROVED))
    };
    let small = issues
        .iter()
        .filter(|i| i.open && i.has_label(DIRECT_DISPATCH) && i.parent.is_none() && !waits(i))
        .filter(|i| !i.labels.iter().any(|l| RepoRules::labelled_engine(l).is_some()))
        .map(|i| i.number);
    plan.direct.iter().copied().chain(small).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The epics that would be made, with provisional numbers from 1 in the order of the issues.
pub(crate) fn preview(plan: &StageOnePlan) -> anyhow::Result<EpicPlan> {
    let mut facts: Vec<IssueFacts> = Vec::new();
    for audit in &plan.audits {
        let first = facts.len();
        for issue in &audit.issues {
            facts.push(issue_facts(facts.len(), &issue.draft));
        }
        for pattern in &audit.patterns {
            let number = facts.len();
            facts.push(issue_facts(number, &pattern.draft));
            for (at, issue) in audit.issues.iter().enumerate() {
                if pattern.members.contains(&issue.draft.fingerprint) {
                    facts[first + at].blocked_by.push(Number(number as u64 + 1));
                }
            }
        }
    }
    let mut planned = plan_epics(&facts, &[])?;
    planned.direct = without_epic(&facts, &planned);
    Ok(planned)
}

fn issue_facts(index: usize, draft: &audit::IssueDraft) -> IssueFacts {
    IssueFacts {
        number: Number(index as u64 + 1),
        open: true,
        labels: draft.labels.iter().filter_map(|l| Label::new(l).ok()).collect(),
        author: ActorId(0),
        title: TitleHead::read(&draft.title),
        blocked_by: Vec::new(),
        parent: None,
        created_at: jiff::Timestamp::UNIX_EPOCH,
        closed_at: None,
    }
}

pub(super) fn plan_text(shown: &PlanShown<'_>) -> String {
    let mut table = Table::new(&["severity", "issue", "where", ""]);
    for audit in &shown.issues.audits {
        for pattern in &audit.patterns {
            let note = format!("blocks {} findings with the same fix", pattern.members.len());
            table.row([
                Cell::new("framework", style::BUSY),
                clean(&pattern.draft.title).into(),
                Cell::new(clean(&pattern.packages.join(", ")), style::DIM),
                Cell::new(note, style::DIM),
            ]);
        }
        for issue in &audit.issues {
            let severity = match issue.severity {
                audit::Severity::Critical | audit::Severity::High => style::BAD,
                audit::Severity::Medium => style::WARN,
                audit::Severity::Low => style::PLAIN,
            };
            let place = issue.locations.first().map(|l| clean(&l.to_string())).unwrap_or_default();
            let note = if issue.stale.is_empty() { "" } else { "stale location" };
            table.row([
                Cell::new(issue.severity.to_string(), severity),
                clean(&issue.draft.title).into(),
                Cell::new(place, style::DIM),
                Cell::new(note, style::WARN),
            ]);
        }
    }
    let mut text = table.text();
    let issues: usize = shown.issues.audits.iter().map(|a| a.issues.len() + a.patterns.len()).sum();
    text.push_str(&format!(
        "\n{} findings, {} settled already; {issues} issues, {} epics into {}\n",
        shown.findings,
        shown.settled,
        shown.epics.epics.len(),
        shown.default_branch
    ));
    for planned in &shown.epics.epics {
        let phases: Vec<String> = planned
            .epic
            .phases
            .iter()
            .map(|p| format!("phase {}: {}", p.phase.number(), p.children.len()))
            .collect();
        text.push_str(&format!("  epic {}: {}\n", planned.epic.theme, phases.join(", ")));
    }
    if !shown.epics.direct.is_empty() {
        text.push_str(&format!("  {} issues without an epic\n", shown.epics.direct.len()));
    }
    for (name, command) in shown.checks {
        let guessed = shown.guessed_from.map_or(String::new(), |file| {
            format!(" (guessed from {file}; --check NAME=COMMAND names another one)")
        });
        text.push_str(&format!("check {name}: {command}{guessed}\n"));
    }
    text.push_str(&format!(
        "cost: {} tasks for {} (reviews and fixes come on top)\n",
        shown.tasks, shown.engine
    ));
    text
}
