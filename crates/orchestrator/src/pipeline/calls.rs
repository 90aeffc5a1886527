//! Calls of a person to an issue. Each failed implementation of a child is a call of its own; when the person takes the label away
//! again, the child gets a fresh allowance of attempts.

use super::{Orchestrator, Picture, Turn, deeds::done_at, enqueue};
use crate::Trouble;
use banksman_core::{
    id::Number,
    intent::{Deed, Intent, NEEDS_INTERVENTION},
    job::{Job, JobState},
    policy::EscalateReason,
    port::{Queue, Store, World},
    repo::RepoRules,
    work::Task,
};
use jiff::SignedDuration;

use super::deeds::Wish;

/// So long after a call a missing label may still be one that the forge does not show yet.
pub(super) const SETTLES: SignedDuration = SignedDuration::from_secs(30);

impl<W: World> Orchestrator<W> {
    /// The call of a person to an issue that is due now.
    pub(super) async fn call(
        &self,
        work: &[Job],
        subject: Number,
        reason: EscalateReason,
    ) -> Result<Wish, Trouble> {
        let round = self.call_round(work, subject).await?;
        Ok(Wish { round, ..Wish::new(subject, Deed::Escalate { subject, reason, mark: None }) })
    }

    /// Which call of an issue is due: one for each failed implementation, those that were repeated since included, and one at least.
    async fn call_round(&self, work: &[Job], subject: Number) -> Result<u32, Trouble> {
        let mut failed = 0;
        for job in implementations(work, subject) {
            failed += u32::from(matches!(job.state, JobState::Failed { .. }));
            let mut earlier = job.retry_of;
            while let Some(id) = earlier {
                failed += 1;
                earlier = self.world.store().job(id).await?.and_then(|job| job.retry_of);
            }
        }
        Ok(failed.max(1))
    }

    /// Whether a person was called for an issue without a pull request and it is still with them.
    pub(super) async fn is_called(
        &self,
        work: &[Job],
        subject: Number,
        intents: &[Intent],
    ) -> Result<bool, Trouble> {
        let given_back = implementations(work, subject).last().is_some_and(|job| !job.state.is_final());
        if given_back || !intents.iter().any(|i| matches!(i.deed, Deed::Escalate { .. })) {
            return Ok(false);
        }
        let due = self.call(work, subject, EscalateReason::AttemptsFailed).await?;
        let key = due.deed.key(due.round);
        Ok(intents.iter().any(|intent| intent.key == key && done_at(intent).is_some()))
    }

    /// Gives a fresh allowance to failed children that a person was called to and gave back.
    pub(super) async fn enqueue_given_back(
        &self,
        turn: &Turn,
        rules: &RepoRules,
        picture: &Picture,
    ) -> Result<bool, Trouble> {
        let mut changed = false;
        for (issue, task, engine) in enqueue::handed_out(rules, picture) {
            let failed = |job: &&Job| {
                matches!(job.state, JobState::Failed { .. }) && enqueue::is_same(job, &task, &engine)
            };
            let Some(job) = picture.work.iter().rev().find(failed) else { continue };
            if issue.has_label(NEEDS_INTERVENTION) {
                continue;
            }
            let intents = self.world.store().intents_about(&rules.repo, issue.number).await?;
            let called =
                intents.iter().filter(|i| matches!(i.deed, Deed::Escalate { .. })).filter_map(done_at).max();
            if called.is_some_and(|at| at + SETTLES <= self.now())
                && self.is_called(&picture.work, issue.number, &intents).await?
            {
                let lease = self.lease(turn).await?;
                self.world.store().enqueue_again(&lease, job.id, self.now()).await?;
                changed = true;
            }
        }
        Ok(changed)
    }
}

/// The jobs that implement a child, oldest first; of those that were repeated the newest only.
pub(super) fn implementations(work: &[Job], child: Number) -> impl DoubleEndedIterator<Item = &Job> {
    work.iter()
        .filter(move |job| matches!(job.work.task(), Some(Task::Implement { child: c, .. }) if *c == child))
}
