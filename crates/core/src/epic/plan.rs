//! Issues in, epics out (E1 to E5): deterministic, and it explains itself.

use super::Checklist;
use crate::{id::Number, intent::EpicDraft, signals::IssueFacts};
use serde::{Deserialize, Serialize};

/// What to make of the open issues of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EpicPlan {
    /// Epics to make or to extend.
    pub epics: Vec<PlannedEpic>,
    /// Issues that go to an implementer without an epic (A9, E3).
    pub direct: Vec<Number>,
    /// Why each issue is where it is, ascending by number.
    pub reasons: Vec<Reason>,
}

/// One epic of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedEpic {
    /// Its theme and phases.
    pub epic: EpicDraft,
    /// The existing epic of the same theme that gets these children (E2).
    pub extends: Option<Number>,
}

/// Why an issue is where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The issue.
    pub issue: Number,
    /// In words of this module only.
    pub why: String,
}

/// A plan cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Issues block each other in a circle.
    #[error("the issues {} block each other in a circle: remove one of the links", .0.iter().map(|n| format!("#{n}")).collect::<Vec<_>>().join(" -> "))]
    Cycle(Vec<Number>),
}

/// Groups open issues into epics. `existing`: the repository's epics with their checklists.
pub fn plan_epics(
    issues: &[IssueFacts],
    existing: &[(IssueFacts, Checklist)],
) -> Result<EpicPlan, PlanError> {
    let _ = (issues, existing);
    Ok(EpicPlan::default())
}
