//! Issues in, epics out (E1 to E5, A9): deterministic, independent of the order of its input, and it explains itself.

use super::{
    Checklist,
    explain::explain,
    group::{Groups, group},
    phase::Links,
    theme::{Ground, from_audit, homes, theme_of},
    written::WrittenEpic,
};
use crate::{
    audit::DIRECT_DISPATCH,
    id::Number,
    intent::{AGENTIC, APPROVED, EpicDraft, NEEDS_APPROVAL, NEEDS_INTERVENTION, Phase, PhaseDraft, Theme},
    repo::RepoRules,
    signals::{IssueFacts, TitleKind},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most children of one epic (E3).
pub const MAX_CHILDREN: usize = 10;
/// Fewest children for which an epic is made (E3).
pub const MIN_CHILDREN: usize = 3;
/// Fewer audit issues than this in a repository make one epic (E3).
pub const FEW_AUDITS: usize = 5;
/// Label of an issue that came from an audit (A5).
pub const AUDIT: &str = "audit";

/// What to make of the open issues of a repository. Serialises into a form that is pleasant to edit by hand (E4): see
/// [`WrittenEpic`]. After editing, [`EpicPlan::validate`] tells whether it can be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EpicPlan {
    /// Issues that go to an implementer without an epic (A9, E3).
    pub direct: Vec<Number>,
    /// Epics to make or to extend.
    pub epics: Vec<PlannedEpic>,
    /// Why each issue is where it is, ascending by number.
    pub reasons: Vec<Reason>,
}

/// One epic of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WrittenEpic", into = "WrittenEpic")]
pub struct PlannedEpic {
    /// Its theme and phases.
    pub epic: EpicDraft,
    /// The existing epic of the same theme that gets these children (E2).
    pub extends: Option<Number>,
}

/// Why an issue is where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The issue.
    pub issue: Number,
    /// One sentence, in words of this crate, numbers and scope words only.
    pub why: String,
}

/// A plan cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Issues block each other in a circle: each one blocks the next, the last one the first.
    #[error("the issues {} block each other in a circle: remove one of the links", .0.iter().chain(.0.first()).map(|n| format!("#{n}")).collect::<Vec<_>>().join(" -> "))]
    Cycle(Vec<Number>),
}

impl EpicPlan {
    /// There is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.epics.is_empty() && self.direct.is_empty()
    }

    /// How many issues it places.
    pub fn children(&self) -> usize {
        self.direct.len() + self.epics.iter().map(|e| e.epic.children().count()).sum::<usize>()
    }
}

/// Groups open issues into epics. `issues`: those of the repository, closed ones may be among them; `existing`: its epics with their
/// checklists. Issues that are not candidates (E1) are left alone: see [`is_candidate`].
pub fn plan_epics(
    issues: &[IssueFacts],
    existing: &[(IssueFacts, Checklist)],
) -> Result<EpicPlan, PlanError> {
    let issues: BTreeMap<Number, &IssueFacts> = issues.iter().map(|i| (i.number, i)).collect();
    let listed: BTreeMap<Number, Phase> =
        existing.iter().flat_map(|(_, list)| &list.entries).map(|e| (e.child, e.phase)).collect();
    let epics: BTreeSet<Number> = existing.iter().map(|(epic, _)| epic.number).collect();
    let candidates: BTreeSet<Number> = issues
        .values()
        .filter(|i| is_candidate(i) && !listed.contains_key(&i.number) && !epics.contains(&i.number))
        .map(|i| i.number)
        .collect();
    let links = Links::new(&issues);
    if let Some(circle) = links.circle(&candidates) {
        return Err(PlanError::Cycle(circle));
    }

    let few = issues.values().filter(|i| i.open && is_work(i) && from_audit(i)).count() < FEW_AUDITS;
    let mut grounds: BTreeMap<Number, (Theme, Ground)> = BTreeMap::new();
    let mut groups = Groups::new();
    for number in &candidates {
        let issue = issues[number];
        let (theme, ground) =
            if few && from_audit(issue) { (Theme::Audit, Ground::FewAudits) } else { theme_of(issue) };
        groups.entry(theme.clone()).or_default().insert(*number);
        grounds.insert(*number, (theme, ground));
    }
    let scope = |number: Number| issues.get(&number).and_then(|i| i.title.scope.clone());
    let grouping = group(groups, homes(&issues, existing), scope);
    let phases = links.phases(&candidates, &listed);
    let reasons = explain(&grounds, &grouping, &phases);

    let epics = grouping.parcels.into_iter().map(|parcel| {
        let in_phase = |phase: Phase| PhaseDraft {
            phase,
            children: parcel.children.iter().filter(|c| phases[c].0 == phase).copied().collect(),
        };
        let phases = Phase::ALL.map(in_phase).into_iter().filter(|d| !d.children.is_empty()).collect();
        PlannedEpic {
            epic: EpicDraft { theme: parcel.theme, part: parcel.part, phases },
            extends: parcel.extends,
        }
    });
    Ok(EpicPlan { epics: epics.collect(), direct: grouping.direct.into_iter().collect(), reasons })
}

/// Whether an issue is work for an epic or for direct dispatch that nobody has in hand yet (E1): open, no audit and no epic, not
/// a child of an epic, not labelled for direct dispatch or for an engine already, not waiting for a person.
pub fn is_candidate(issue: &IssueFacts) -> bool {
    let waits = issue.has_label(NEEDS_INTERVENTION)
        || (issue.has_label(NEEDS_APPROVAL) && !issue.has_label(APPROVED));
    let in_hand = issue.has_label(DIRECT_DISPATCH)
        || issue.parent.is_some()
        || issue.labels.iter().any(|l| RepoRules::labelled_engine(l).is_some());
    issue.open && is_work(issue) && !waits && !in_hand
}

/// Neither an audit nor an epic.
pub(super) fn is_work(issue: &IssueFacts) -> bool {
    !matches!(issue.title.kind, Some(TitleKind::Audit | TitleKind::Epic)) && !issue.has_label(AGENTIC)
}
