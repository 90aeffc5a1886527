//! Attempts at jobs of manifests, step by step: they build, are reviewed, verified and landed, fail, run into limits, and are judged
//! for the order in which their worker asks for the steps (Q7, Q8).

use super::{Begin, Ended, SimEngine};
use crate::{
    canary,
    executor::{MINUTE, Micros, SECOND},
    universe::Universe,
    violation::Invariant,
};
use banksman_core::{
    job::{Body, Outcome},
    port::{EngineError, JobOrder, Step, StepResult},
    work::{FailReason, Verdict},
};

impl Universe {
    /// A step may only be asked for when the ones before it are through.
    fn check_step(&mut self, order: &JobOrder, step: Step, body: &Body) {
        let work = self.log.work(order.attempt);
        let reviewed = work.approved || order.spec.review.is_none();
        let verified = work.verified || order.spec.verify.is_empty();
        let fits = match step {
            Step::Build { round } => (round == 0) != work.begun && !work.landed,
            Step::Review => work.built && order.spec.review.is_some(),
            Step::Verify => work.built && reviewed && !order.spec.verify.is_empty(),
            Step::Land => work.built && reviewed && verified && !work.landed,
        };
        if !fits {
            let what = format!("job {}, attempt {}: {step:?} after {work:?}", order.job, order.attempt);
            self.violated(Invariant::StagesPassed, what);
        }
        if body.as_str() != canary::text("job") {
            let what = format!("job {}: its instructions did not reach the engine", order.job);
            self.violated(Invariant::NothingLost, what);
        }
    }
}

impl SimEngine {
    pub(super) async fn take_step(
        &self,
        order: &JobOrder,
        step: Step,
        body: &Body,
    ) -> Result<StepResult, EngineError> {
        let me = &self.0;
        me.shared.with(|u| {
            if step == (Step::Build { round: 0 }) {
                u.tally.attempts += 1;
            }
            u.check_step(order, step, body);
        });
        me.shared.note(me.process, "step", order.attempt.0, || {
            format!("job {}, attempt {} on {}: {step:?}", order.job, order.attempt, order.engine)
        });
        let (takes, result) = self.fate(order, step);
        let timeout = order.spec.timeout.as_micros() as Micros;
        let (takes, result) = if takes > timeout {
            (timeout, StepResult::Failed(FailReason::TimedOut))
        } else {
            (takes, result)
        };
        let begin = Begin {
            attempt: order.attempt,
            job: order.job,
            lock: order.spec.lock.clone(),
            host: self.host(),
            worker: me.process,
            until: self.until(takes),
        };
        match self.process(begin).await {
            Ended::Itself => {}
            Ended::Asked => return Err(EngineError::Interrupted),
            Ended::Killed => return Ok(StepResult::Failed(FailReason::Signal)),
        }
        me.shared.with(|u| {
            u.see(name_of(&result));
            let work = u.log.work_mut(order.attempt);
            match &result {
                StepResult::Built => (work.built, work.approved, work.verified) = (true, false, false),
                StepResult::Reviewed(verdict) => work.approved = *verdict == Verdict::Approve,
                StepResult::Verified => work.verified = true,
                StepResult::Landed(_) => work.landed = true,
                StepResult::Refuted
                | StepResult::Failed(_)
                | StepResult::Limited { .. }
                | StepResult::Interrupted => {}
            }
            if matches!(step, Step::Build { .. }) {
                work.begun = true;
            }
        });
        Ok(result)
    }

    /// How long a step takes, and what comes of it.
    fn fate(&self, order: &JobOrder, step: Step) -> (Micros, StepResult) {
        let luck = &self.0.shared.plan.luck;
        let now = self.0.shared.kernel.now();
        self.0.shared.kernel.draw(|c| match step {
            Step::Build { .. } => {
                let result = if now < luck.limits_until && c.of_thousand(luck.limited) {
                    let known = c.below(2) == 0;
                    let until = now + c.time(MINUTE, 20 * MINUTE);
                    let (engine, until) =
                        (order.engine.clone(), known.then(|| crate::executor::stamp(until)));
                    StepResult::Limited { engine, until }
                } else if c.of_thousand(luck.failing) {
                    StepResult::Failed(*c.pick(&[
                        FailReason::ExitCode,
                        FailReason::NoCommit,
                        FailReason::TimedOut,
                        FailReason::Workspace,
                        FailReason::EngineMissing,
                    ]))
                } else {
                    StepResult::Built
                };
                (c.around(2 * MINUTE), result)
            }
            Step::Review => {
                let changes = c.of_thousand(luck.changes);
                let verdict = if changes { Verdict::Changes } else { Verdict::Approve };
                (c.around(MINUTE), StepResult::Reviewed(verdict))
            }
            Step::Verify => {
                let refuted = c.of_thousand(luck.refuted);
                (c.around(MINUTE), if refuted { StepResult::Refuted } else { StepResult::Verified })
            }
            Step::Land => {
                let taken = c.of_thousand(luck.failing / 10);
                let landed = StepResult::Landed(Outcome::Ran);
                let result = if taken { StepResult::Failed(FailReason::BranchTaken) } else { landed };
                let _ = order;
                (c.time(10_000, 2 * SECOND), result)
            }
        })
    }
}

/// The name under which what came of a step is counted.
fn name_of(result: &StepResult) -> &'static str {
    match result {
        StepResult::Built => "job built",
        StepResult::Reviewed(Verdict::Approve) => "job approved",
        StepResult::Reviewed(Verdict::Changes) => "job: changes wanted",
        StepResult::Verified => "job verified",
        StepResult::Refuted => "job refuted",
        StepResult::Landed(_) => "job landed",
        StepResult::Failed(_) => "job: attempt failed",
        StepResult::Limited { .. } => "job: engine limited",
        StepResult::Interrupted => "job: interrupted",
    }
}
