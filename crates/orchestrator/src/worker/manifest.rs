//! An attempt at the job of a manifest: build, review, verify, land (Q7, Q8). A job without review and verify takes one write.

use super::{
    Worker,
    attempt::{Attempt, Close},
    write::Fenced,
};
use crate::bug;
use banksman_core::{
    job::{Body, JobEvent, Outcome, Why},
    manifest::JobSpec,
    port::{Engine, EngineError, JobOrder, Step, StepResult, World},
    work::{FailReason, Verdict},
};

impl From<Fenced> for Close {
    fn from(_: Fenced) -> Self {
        Self::Fenced
    }
}

impl<W: World> Worker<W> {
    /// Runs the steps of an attempt.
    pub(super) async fn manifest(&self, attempt: &mut Attempt, spec: &JobSpec, body: &Body) -> Close {
        match self.steps(attempt, spec, body).await {
            Ok(outcome) => Close::Shipped(outcome),
            Err(close) => close,
        }
    }

    async fn steps(&self, attempt: &mut Attempt, spec: &JobSpec, body: &Body) -> Result<Outcome, Close> {
        let order = JobOrder {
            attempt: attempt.claim.attempt,
            job: attempt.claim.job.id,
            engine: attempt.claim.engine.clone(),
            spec: spec.clone(),
            branch: attempt.claim.job.branch(),
        };
        for round in 0.. {
            let last = round >= spec.fix_rounds;
            match self.step(attempt, &order, Step::Build { round }, body).await? {
                StepResult::Built => attempt.events.push(JobEvent::Built),
                _ => return Err(Close::Failed(FailReason::BadVerdict)),
            }
            if spec.review.is_some() && !bug!(ReviewSkipped) {
                self.go_on(attempt).await?;
                match self.step(attempt, &order, Step::Review, body).await? {
                    StepResult::Reviewed(Verdict::Approve) => {}
                    StepResult::Reviewed(Verdict::Changes) if last => {
                        return Err(Close::Failed(FailReason::ChangesWanted));
                    }
                    StepResult::Reviewed(Verdict::Changes) => {
                        attempt.events.push(JobEvent::SentBack { why: Why::Changes });
                        self.go_on(attempt).await?;
                        continue;
                    }
                    _ => return Err(Close::Failed(FailReason::BadVerdict)),
                }
            }
            attempt.events.push(JobEvent::Approved);
            if !spec.verify.is_empty() {
                self.go_on(attempt).await?;
                match self.step(attempt, &order, Step::Verify, body).await? {
                    StepResult::Verified => {}
                    StepResult::Refuted if last => return Err(Close::Failed(FailReason::VerifyFailed)),
                    StepResult::Refuted => {
                        attempt.events.push(JobEvent::SentBack { why: Why::Refuted });
                        self.go_on(attempt).await?;
                        continue;
                    }
                    _ => return Err(Close::Failed(FailReason::BadVerdict)),
                }
            }
            return match self.step(attempt, &order, Step::Land, body).await? {
                StepResult::Landed(outcome) => Ok(outcome),
                _ => Err(Close::Failed(FailReason::BadVerdict)),
            };
        }
        Err(Close::Failed(FailReason::ChangesWanted))
    }

    /// Writes the stage that the job is in now, which lasts.
    async fn go_on(&self, attempt: &mut Attempt) -> Result<(), Close> {
        let why = attempt.events.last().map_or(Why::Passed, JobEvent::why);
        self.write(attempt, None).await?;
        let claim = &attempt.claim;
        self.show_move(&claim.job, Some(claim), claim.job.state.stage(), why);
        Ok(())
    }

    /// One step; everything that ends the attempt comes back as its end.
    async fn step(
        &self,
        attempt: &mut Attempt,
        order: &JobOrder,
        step: Step,
        body: &Body,
    ) -> Result<StepResult, Close> {
        // The worker may have stood still since it last looked: another one may have the job by now.
        if !bug!(LeaseNotLookedAt) {
            self.end_unrenewed();
        }
        if self.board.ending(order.attempt).is_some() {
            return Err(Close::Ended);
        }
        let report = match self.world.engine().step(order, step, body).await {
            Ok(report) => report,
            Err(EngineError::Interrupted) => return Err(Close::Ended),
            Err(EngineError::Host(what)) => {
                tracing::warn!(job.id = %order.job, attempt.id = %order.attempt, what, "the host failed an attempt");
                return Err(Close::Trouble(FailReason::Workspace));
            }
        };
        attempt.measured = report.measured;
        match report.result {
            StepResult::Failed(FailReason::DiskFull) => Err(Close::Trouble(FailReason::DiskFull)),
            StepResult::Failed(reason) => Err(Close::Failed(reason)),
            StepResult::Limited { engine, until } => Err(Close::Limited { engine, until }),
            StepResult::Interrupted => Err(Close::Ended),
            done @ (StepResult::Built
            | StepResult::Reviewed(_)
            | StepResult::Verified
            | StepResult::Refuted
            | StepResult::Landed(_)) => Ok(done),
        }
    }
}
