//! One attempt from its claim to its end: what it came to becomes the job's next state.

use super::{Worker, board::Ending, course::Found, pause};
use crate::bug;
use banksman_core::{
    event::What,
    id::AttemptId,
    job::{JobEvent, JobState, JobWork, Outcome, Stage, Why},
    port::{AttemptRecord, Claim, Claimed, Engine, Life, Measured, Offer, Queue, StoreError, World},
    text::EngineName,
    work::FailReason,
};
use jiff::{SignedDuration, Timestamp};

/// Troubles in a row of the host with one job that are waited out; then they count as failures, so that the job ends at last.
const TROUBLES: u32 = 10;
/// Attempts that may be lost with their workers; a job that takes its worker down would otherwise do so for ever.
const MOST_LOSSES: u32 = 20;
/// Shortest rest of an engine: its clock may be ahead of ours.
const SHORTEST_REST: SignedDuration = SignedDuration::from_secs(10);
/// Longest rest of an engine, whatever it says itself: a little more than the longest windows there are.
const LONGEST_REST: SignedDuration = SignedDuration::from_hours(8 * 24);

/// An attempt under way.
pub(super) struct Attempt {
    /// Its claim, with the job as it was last written.
    pub(super) claim: Claim,
    /// What happened since then and is not written yet.
    pub(super) events: Vec<JobEvent>,
    /// What was measured so far.
    pub(super) measured: Measured,
}

/// How an attempt ends.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Close {
    /// The job ships.
    Shipped(Outcome),
    /// There is nothing left to do about what the job is about.
    Pointless,
    /// It failed; counted.
    Failed(FailReason),
    /// The quota of an engine is used up; not counted (Q21).
    Limited {
        /// Which.
        engine: EngineName,
        /// Until when, where it says so.
        until: Option<Timestamp>,
    },
    /// Host or forge could not do their part; not counted until it happened too often.
    Trouble(FailReason),
    /// It was ended from outside; not counted.
    Ended,
    /// A write was refused: somebody else decides about the job.
    Fenced,
}

/// An attempt whose steps are done: nothing of it runs any more, and how it went is still to be written.
pub(super) struct Done {
    attempt: Attempt,
    close: Close,
}

impl Done {
    /// Which attempt.
    pub(super) fn id(&self) -> AttemptId {
        self.attempt.claim.attempt
    }

    /// Whether the worker may look for the next job before this is written: what went well changes nothing about what may run.
    pub(super) fn went_well(&self) -> bool {
        matches!(self.close, Close::Shipped(_))
    }
}

/// An attempt about which all is written.
pub(super) struct Closed {
    attempt: AttemptId,
    again: Option<Timestamp>,
    left: Left,
    /// What there is for the worker to do next, where it asked with the same write.
    pub(super) found: Option<Result<Found, StoreError>>,
}

/// Whether an attempt left something in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Perhaps,
    Nothing,
}

/// An attempt that is over.
pub(super) struct Over {
    /// When its job is to be tried again, if it waits for that.
    pub(super) again: Option<Timestamp>,
}

impl<W: World> Worker<W> {
    /// Carries a claimed job through the steps of an attempt.
    pub(super) async fn carry(&self, claimed: Claimed) -> Done {
        let Claimed { claim, body } = claimed;
        self.show_move(&claim.job, Some(&claim), Stage::Building, Why::Claimed);
        let spec = claim.job.work.spec().cloned();
        let mut attempt = Attempt { claim, events: Vec::new(), measured: Measured::default() };
        let close = match &spec {
            _ if attempt.claim.job.losses >= MOST_LOSSES => Close::Failed(FailReason::LostTooOften),
            Some(spec) => self.manifest(&mut attempt, spec, &body).await,
            None => self.task(&mut attempt).await,
        };
        let close = self.excused(&attempt, close).await;
        Done { attempt, close }
    }

    /// Writes how an attempt went, and with the same write asks for the next job where an offer is made. Everything about the attempt is
    /// written, or will be found by whoever looks at the claims, when this returns.
    pub(super) async fn write_end(&self, done: Done, next: Option<Offer>) -> Closed {
        let Done { mut attempt, close } = done;
        let id = attempt.claim.attempt;
        let asked = next.is_some();
        let (again, found) = self.close(&mut attempt, close, next).await;
        // Of a task there is something left only when it was told to end after it had.
        let left = if attempt.claim.job.work.spec().is_some() || self.board.ending(id).is_some() {
            Left::Perhaps
        } else {
            Left::Nothing
        };
        // Whoever asked waits for an answer.
        let found = found.or_else(|| asked.then_some(Ok(Found::Nothing { due: None, empty: false })));
        Closed { attempt: id, again, left, found }
    }

    /// Removes what an attempt left.
    pub(super) async fn leave(&self, closed: Closed) -> Over {
        let Closed { attempt, again, left, .. } = closed;
        if left == Left::Perhaps {
            self.world.engine().leave(attempt).await;
        }
        self.board.leave(attempt);
        Over { again }
    }

    /// What this host lacks for a job that was added on another one is no failure of the job: a host that has it may come by.
    async fn excused(&self, attempt: &Attempt, close: Close) -> Close {
        let Close::Failed(reason) = close else { return close };
        if !reason.is_of_the_host() {
            return close;
        }
        let way = self.world.store().moves(attempt.claim.job.id).await.unwrap_or_default();
        match way.first().map(|added| self.setup.hosts.life(&added.who)) {
            Some(Life::Elsewhere) => Close::Trouble(reason),
            Some(Life::Alive | Life::Gone) | None => Close::Failed(reason),
        }
    }

    /// Writes how an attempt ended. Comes back with the time of the next one, if the job waits for one, and with what there is to do
    /// where that was asked.
    async fn close(
        &self,
        attempt: &mut Attempt,
        close: Close,
        next: Option<Offer>,
    ) -> (Option<Timestamp>, Option<Result<Found, StoreError>>) {
        let (now, job) = (self.now(), attempt.claim.job.id);
        let ending = self.board.ending(attempt.claim.attempt);
        if close == Close::Fenced || ending == Some(Ending::Lost) {
            self.let_go(attempt).await;
            return (None, None);
        }
        if !matches!(close, Close::Trouble(_) | Close::Ended) {
            self.untroubled(job);
        }
        if close == Close::Pointless {
            self.drop_pointless(attempt).await;
            return (None, None);
        }
        let mut failure = None;
        let event = match close {
            Close::Shipped(outcome) => JobEvent::Proved { outcome, at: now },
            Close::Failed(reason) => {
                failure = Some(reason);
                self.failed(attempt, reason, now)
            }
            Close::Trouble(reason) => match self.troubled(job) {
                count if count > TROUBLES && reason != FailReason::DiskFull => {
                    failure = Some(reason);
                    self.failed(attempt, reason, now)
                }
                count => {
                    let not_before = now + pause::after_trouble(job, count);
                    JobEvent::Again { not_before, why: Why::Retried(reason) }
                }
            },
            Close::Limited { engine, until } => {
                let until =
                    until.unwrap_or(now + self.setup.rest).clamp(now + SHORTEST_REST, now + LONGEST_REST);
                self.rest(&engine, until).await;
                // Another engine of the class may take it at once; this one is not given anything meanwhile.
                let waits = attempt.claim.job.work.choice()
                    == banksman_core::manifest::Choice::Engine(engine.clone())
                    || engine != attempt.claim.engine;
                JobEvent::Again { not_before: if waits { until } else { now }, why: Why::Limited }
            }
            Close::Ended => {
                // Whoever interrupts an engine behind the worker's back would get the job again and again.
                let pause =
                    if ending.is_none() { pause::after_trouble(job, 1) } else { SignedDuration::ZERO };
                JobEvent::Again { not_before: now + pause, why: Why::Interrupted }
            }
            Close::Fenced | Close::Pointless => return (None, None),
        };
        let record = AttemptRecord { failure, ..self.record(attempt) };
        attempt.events.push(event.clone());
        let (written, found) = match next {
            Some(offer) => self.write_and_find(attempt, &record, &offer).await,
            None => (self.write(attempt, Some(&record)).await, None),
        };
        if written.is_err() {
            self.let_go(attempt).await;
            return (None, found);
        }
        self.show_end(attempt, &event, &record);
        match event {
            JobEvent::Again { not_before, .. } => (Some(not_before), found),
            _ => (None, found),
        }
    }

    /// What a failed attempt comes to: another one, or the end.
    fn failed(&self, attempt: &Attempt, reason: FailReason, at: Timestamp) -> JobEvent {
        let (job, count) = (&attempt.claim.job, attempt.claim.job.failures + 1);
        let (most, base) = match &job.work {
            JobWork::Task { repo, .. } => {
                let rules = self.setup.rules.iter().find(|rules| rules.repo == *repo);
                (
                    rules.map_or(1, |rules| rules.attempts),
                    rules.map_or(self.setup.retry_pause, |r| r.retry_pause),
                )
            }
            JobWork::Manifest(spec) => (spec.retries + 1, self.setup.retry_pause),
        };
        if reason.worth_retrying() && (count < most || bug!(RetryUnlimited)) {
            let not_before = at + pause::after_failure(job.id, count, base);
            JobEvent::Again { not_before, why: Why::Retried(reason) }
        } else {
            JobEvent::Failed { reason, at }
        }
    }

    /// Lets an engine rest, on every host.
    async fn rest(&self, engine: &EngineName, until: Timestamp) {
        if let Err(error) = self.world.store().cool_down(engine, until).await {
            tracing::warn!(%engine, %error, "the engine's rest could not be written");
        }
        self.show(None, What::CoolingDown { engine: engine.clone(), until });
    }

    /// What is kept of an attempt that ends now.
    pub(super) fn record(&self, attempt: &Attempt) -> AttemptRecord {
        AttemptRecord {
            attempt: attempt.claim.attempt,
            job: attempt.claim.job.id,
            engine: attempt.claim.engine.clone(),
            holder: self.setup.holder.clone(),
            started_at: attempt.claim.since,
            ended_at: Some(self.now()),
            failure: None,
            measured: attempt.measured.clone(),
        }
    }

    fn show_end(&self, attempt: &Attempt, event: &JobEvent, record: &AttemptRecord) {
        let claim = &attempt.claim;
        let JobWork::Task { repo, task, engine } = &claim.job.work else {
            return self.show_move(&claim.job, Some(claim), claim.job.state.stage(), event.why());
        };
        let (id, engine, task): (AttemptId, _, _) = (claim.attempt, engine.clone(), task.clone());
        let what = match (&claim.job.state, record.failure) {
            (JobState::Shipped { outcome, .. }, _) => What::AttemptEnded {
                attempt: id,
                engine,
                task,
                outcome: outcome.clone(),
                sandbox: record.measured.sandbox,
            },
            (state, Some(reason)) => {
                What::AttemptFailed { attempt: id, engine, task, reason, last: state.is_final() }
            }
            (_, None) => return,
        };
        self.show(Some(repo), what);
    }
}
