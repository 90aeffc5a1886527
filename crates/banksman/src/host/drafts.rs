//! The texts of a plan's issues, handed to the forge at the moment of the step and kept nowhere (S8).

use banksman_core::{
    audit::{IssueDraft, StageOnePlan},
    port::IssueText,
    tainted::Tainted,
    text::{Fingerprint, Label},
};
use banksman_orchestrator::{Drafts, IssueOrder};
use std::collections::BTreeMap;

/// Drafts of a plan by fingerprint.
pub(crate) struct PlanDrafts(BTreeMap<Fingerprint, IssueDraft>);

impl PlanDrafts {
    /// The drafts of a plan and the order in which their issues are made: findings first, then the patterns that block them.
    pub(crate) fn of(plan: &StageOnePlan) -> (Self, Vec<IssueOrder>) {
        let mut drafts = BTreeMap::new();
        let mut orders = Vec::new();
        for audit in &plan.audits {
            for issue in &audit.issues {
                let fingerprint = issue.draft.fingerprint.clone();
                drafts.insert(fingerprint.clone(), issue.draft.clone());
                orders.push(IssueOrder { fingerprint, blocks: Vec::new() });
            }
            for pattern in &audit.patterns {
                let fingerprint = pattern.draft.fingerprint.clone();
                drafts.insert(fingerprint.clone(), pattern.draft.clone());
                orders.push(IssueOrder { fingerprint, blocks: pattern.members.clone() });
            }
        }
        (Self(drafts), orders)
    }
}

impl Drafts for PlanDrafts {
    fn text(&self, fingerprint: &Fingerprint) -> Option<IssueText> {
        let draft = self.0.get(fingerprint)?;
        Some(IssueText {
            title: Tainted::new(draft.title.clone()),
            body: Tainted::new(draft.body.clone()),
            labels: draft.labels.iter().filter_map(|l| Label::new(l).ok()).collect(),
        })
    }
}
