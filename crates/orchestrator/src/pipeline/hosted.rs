//! Issues that a hosted agent was handed. Nobody of ours works on them and nobody tells how it goes, so that only time says that nothing comes of
//! one: then a person is called.

use super::{
    Orchestrator, PullView,
    calls::SETTLES,
    deeds::{Wish, done_at},
};
use crate::Trouble;
use banksman_core::{
    id::Number,
    intent::{Deed, Intent, NEEDS_INTERVENTION},
    policy::EscalateReason,
    port::{Store, World},
    repo::RepoRules,
    signals::IssueFacts,
};
use jiff::Timestamp;

/// An open issue that a hosted agent has and that no pull request is about yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Awaited {
    /// The issue.
    pub issue: Number,
    /// When it was handed to the agent, or a person last gave it back; for an issue that somebody else labelled, when it was opened.
    pub since: Timestamp,
    /// How often a person was called to it.
    calls: u32,
}

impl Awaited {
    /// When a person is called.
    pub(super) fn due(&self, rules: &RepoRules) -> Timestamp {
        self.since.checked_add(rules.limits.no_pull).unwrap_or(Timestamp::MAX)
    }

    /// The call of a person to it.
    pub(super) fn call(&self) -> Wish {
        let deed = Deed::Escalate { subject: self.issue, reason: EscalateReason::NoPull, mark: None };
        Wish { round: self.calls + 1, ..Wish::new(self.issue, deed) }
    }
}

/// Whether a hosted agent is to work on an issue.
fn is_handed(rules: &RepoRules, issue: &IssueFacts) -> bool {
    issue.open
        && !issue.has_label(NEEDS_INTERVENTION)
        && rules.hosted.iter().any(|agent| issue.has_label(agent.label.as_str()))
}

fn calls(intents: &[Intent]) -> impl Iterator<Item = Timestamp> {
    intents.iter().filter(|i| matches!(i.deed, Deed::Escalate { .. })).filter_map(done_at)
}

/// Whether a person who was called to an issue gave it back to its hosted agent. Right after a call the label may only not show yet.
pub(super) fn is_given_back(
    rules: &RepoRules,
    issue: &IssueFacts,
    intents: &[Intent],
    now: Timestamp,
) -> bool {
    is_handed(rules, issue) && calls(intents).max().is_some_and(|at| at + SETTLES <= now)
}

impl<W: World> Orchestrator<W> {
    /// The issues that are waited for.
    pub(super) async fn awaited(
        &self,
        rules: &RepoRules,
        issues: &[IssueFacts],
        pulls: &[PullView],
    ) -> Result<Vec<Awaited>, Trouble> {
        let mut awaited = Vec::new();
        for issue in issues.iter().filter(|issue| is_handed(rules, issue)) {
            if pulls.iter().any(|pull| pull.closes() == Some(issue.number)) {
                continue;
            }
            let intents = self.world.store().intents_about(&rules.repo, issue.number).await?;
            let handed = |i: &&Intent| matches!(i.deed, Deed::Dispatch { .. } | Deed::DispatchDirect { .. });
            let handed = intents.iter().filter(handed).filter_map(done_at);
            let since = handed.chain(calls(&intents)).max().unwrap_or(issue.created_at);
            let calls = u32::try_from(calls(&intents).count()).unwrap_or(u32::MAX);
            awaited.push(Awaited { issue: issue.number, since, calls });
        }
        Ok(awaited)
    }
}
