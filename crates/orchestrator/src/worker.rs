//! Workers: claim work, run one attempt through the engine port while the lease is renewed, write down how it ended. A worker
//! makes no effect on the forge but a review, which is unique per reviewer and head.

use crate::{Stop, Trouble, bug, pipeline::own_heads};
use banksman_core::{
    event::{Event, What},
    id::Number,
    port::{
        AttemptRecord, BriefFor, Claim, Clock, Engine, EngineError, Forge, ForgeError, Order, PullQuery,
        Report, ReportResult, ReviewDraft, Store, StoreError, Watcher, WorkFilter, World,
    },
    repo::RepoRules,
    signals::{PullState, Signals},
    tainted::Tainted,
    text::{BranchName, EngineName, Holder, Login, RepoName, Sha},
    work::{FailReason, Task, Usage, WorkItem, WorkOutcome},
};
use futures_util::{FutureExt, pin_mut, select_biased};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Mutex, PoisonError};

/// How long a claim lasts unless renewed (Q12).
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How often it is renewed.
const RENEW: SignedDuration = SignedDuration::from_secs(15);
/// Longest sleep of an idle worker; a change wakes it earlier.
const IDLE: SignedDuration = SignedDuration::from_secs(30);

/// Runs attempts.
pub struct Worker<W: World> {
    world: W,
    holder: Holder,
    rules: Vec<RepoRules>,
    /// When an attempt that failed here is to be repeated.
    again: Mutex<Option<Timestamp>>,
}

/// What one round of a worker came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ran {
    /// An item was claimed and dealt with.
    Attempt,
    /// Nothing was ready.
    Nothing,
}

/// What to do with a claimed item.
enum Plan {
    /// Run an attempt with this material in its task folder.
    Run(Order, Tainted),
    /// It is settled without one.
    Settled(WorkOutcome),
}

/// The attempt that an item needs, or how it is settled without one.
enum Ordered {
    Run(Order),
    Settled(WorkOutcome),
}

impl<W: World> Worker<W> {
    /// A worker in this world. `rules`: the repositories whose work it may do.
    pub fn new(world: W, holder: Holder, rules: Vec<RepoRules>) -> Self {
        Self { world, holder, rules, again: Mutex::default() }
    }

    /// Claims and runs until stopped.
    pub async fn run(&self, engines: &[EngineName], stop: &Stop) -> Result<(), Trouble> {
        while !stop.wished() {
            match self.run_one(engines).await {
                Ok(Ran::Attempt) => {}
                Ok(Ran::Nothing) => {
                    let idle = self.now() + IDLE;
                    let again = self.again.lock().unwrap_or_else(PoisonError::into_inner).take();
                    self.world.clock().changed(again.map_or(idle, |again| again.min(idle))).await;
                }
                Err(trouble) if trouble.passes() => {
                    tracing::info!(%trouble, "work goes on later");
                    self.world.clock().sleep_until(self.now() + SignedDuration::from_secs(2)).await;
                }
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(())
    }

    /// Claims one item and brings it to the end of one attempt.
    pub async fn run_one(&self, engines: &[EngineName]) -> Result<Ran, Trouble> {
        let lease = LEASE.as_millis() as i64;
        let Some(claim) = self.world.store().claim(&self.holder, engines, self.now(), lease).await? else {
            return Ok(Ran::Nothing);
        };
        let started_at = self.now();
        if !self.rules.iter().any(|rules| rules.repo == claim.item.repo) {
            // Work of a repository that this process does not look after waits for one that does.
            let again = started_at + LEASE;
            let record = record(&claim, started_at, started_at, None);
            self.world.store().finish(&claim, Err(again), &record).await?;
            return Ok(Ran::Attempt);
        }
        let plan = match self.plan(&claim).await {
            Ok(plan) => plan,
            Err(trouble) => {
                // Nothing was run: the item goes back uncounted.
                let again = self.now() + SignedDuration::from_secs(2);
                self.world
                    .store()
                    .finish(&claim, Err(again), &record(&claim, started_at, self.now(), None))
                    .await?;
                return Err(trouble);
            }
        };
        match plan {
            Plan::Settled(outcome) => {
                self.world
                    .store()
                    .finish(&claim, Ok(outcome), &record(&claim, started_at, self.now(), None))
                    .await?;
            }
            Plan::Run(order, brief) => self.attempt(&claim, &order, brief, started_at).await?,
        }
        Ok(Ran::Attempt)
    }

    /// What the item needs now, with the material for its task folder.
    async fn plan(&self, claim: &Claim) -> Result<Plan, Trouble> {
        match self.order(claim).await? {
            Ordered::Run(order) => {
                let about = BriefFor::Task(order.task.clone());
                let brief = self.world.forge().brief(&order.repo, &about).await?;
                Ok(Plan::Run(order, brief))
            }
            Ordered::Settled(outcome) => Ok(Plan::Settled(outcome)),
        }
    }

    /// The attempt that the item needs now; the world may have moved on since it was enqueued.
    async fn order(&self, claim: &Claim) -> Result<Ordered, Trouble> {
        let (item, forge) = (&claim.item, self.world.forge());
        let lost = item.losses > 0;
        let order = |branch: BranchName, base: BranchName, head: Option<Sha>| Order {
            attempt: claim.attempt,
            repo: item.repo.clone(),
            task: item.task.clone(),
            engine: item.engine.clone(),
            branch,
            base,
            head,
        };
        match &item.task {
            Task::Implement { child, base } => {
                let branch = agent_branch(*child);
                let head = forge.branch(&item.repo, &branch).await?;
                Ok(match head {
                    // An attempt that was lost after its push had done its work.
                    Some(sha) if lost => Ordered::Settled(WorkOutcome::Published { branch, sha }),
                    head => Ordered::Run(order(branch, base.clone(), head)),
                })
            }
            Task::Review { pull, head } => {
                let Some(signals) = self.open_pull(&item.repo, *pull).await? else {
                    return Ok(Ordered::Settled(WorkOutcome::Cancelled));
                };
                if let Some(verdict) = forge.reviewed(&item.repo, *pull, head, &item.engine).await? {
                    return Ok(Ordered::Settled(WorkOutcome::Reviewed { verdict }));
                }
                let own = self.own_heads(&item.repo, *pull).await?;
                if signals.head != *head && !own.contains(&signals.head) {
                    return Ok(Ordered::Settled(WorkOutcome::Cancelled));
                }
                Ok(Ordered::Run(order(signals.head_branch, signals.base, Some(head.clone()))))
            }
            Task::FixReviews { pull, .. }
            | Task::FixConflict { pull, .. }
            | Task::FixChecks { pull, .. }
            | Task::ResolveConflict { pull } => {
                let Some(signals) = self.open_pull(&item.repo, *pull).await? else {
                    return Ok(Ordered::Settled(WorkOutcome::Cancelled));
                };
                if lost && let Some(sha) = self.published_since(item, &signals).await? {
                    let branch = signals.head_branch;
                    return Ok(Ordered::Settled(WorkOutcome::Published { branch, sha }));
                }
                Ok(Ordered::Run(order(signals.head_branch, signals.base, Some(signals.head))))
            }
        }
    }

    /// A head that came since the item was enqueued and is not Banksman's own: what a lost attempt published. An update from the
    /// base may lie on top of it.
    async fn published_since(&self, item: &WorkItem, signals: &Signals) -> Result<Option<Sha>, Trouble> {
        let seen = self.world.store().heads(&item.repo, signals.number).await?;
        let own = self.own_heads(&item.repo, signals.number).await?;
        let heads = std::iter::once((&signals.head, signals.head_at))
            .chain(seen.iter().rev().map(|head| (&head.sha, head.at)));
        let mut foreign = heads.filter(|(sha, at)| *at > item.created_at && !own.contains(sha));
        Ok(foreign.next().map(|(sha, _)| sha.clone()))
    }

    async fn open_pull(&self, repo: &RepoName, pull: Number) -> Result<Option<Signals>, Trouble> {
        let found = self.world.forge().pulls(repo, &PullQuery::Numbers(vec![pull])).await?;
        Ok(found.into_iter().find(|s| s.state == PullState::Open))
    }

    async fn own_heads(&self, repo: &RepoName, pull: Number) -> Result<Vec<Sha>, Trouble> {
        let intents = self.world.store().intents_about(repo, pull).await?;
        let work = self.world.store().work(&WorkFilter::Subject(repo.clone(), pull)).await?;
        Ok(own_heads(&intents, &work.iter().collect::<Vec<_>>()).into_iter().cloned().collect())
    }

    async fn attempt(
        &self,
        claim: &Claim,
        order: &Order,
        brief: Tainted,
        started_at: Timestamp,
    ) -> Result<(), Trouble> {
        let leaked = bug!(TextLeak)
            .then(|| brief.structure(|t| t.split_whitespace().find_map(|w| Login::new(w).ok())));
        self.show(
            order,
            What::AttemptStarted {
                attempt: order.attempt,
                engine: order.engine.clone(),
                task: order.task.clone(),
            },
        );
        let report = {
            let run = self.world.engine().run(order, brief).fuse();
            let lost = self.keep_lease(claim).fuse();
            pin_mut!(run, lost);
            select_biased! {
                report = run => report,
                // Dropping the run ends its processes: somebody else has the item now.
                trouble = lost => return Err(trouble),
            }
        };
        match report {
            Ok(mut report) => {
                if let Some(leaked) = leaked {
                    report.usage.session = leaked;
                }
                self.finish(claim, order, report, started_at).await
            }
            Err(EngineError::Interrupted) => {
                let record = record(claim, started_at, self.now(), None);
                Ok(self.world.store().finish(claim, Err(self.now()), &record).await?)
            }
            Err(EngineError::Host(what)) => {
                tracing::warn!(attempt.id = %order.attempt, what, "the attempt could not be made");
                let report = Report {
                    result: ReportResult::Failed { reason: FailReason::Workspace },
                    sandbox: None,
                    usage: Usage::default(),
                    exit_code: None,
                    ran: None,
                };
                self.finish(claim, order, report, started_at).await
            }
        }
    }

    /// Renews the claim for ever; returns only when it is lost.
    async fn keep_lease(&self, claim: &Claim) -> Trouble {
        let mut held_until = claim.until;
        loop {
            self.world.clock().sleep_until(self.now() + RENEW).await;
            match self.world.store().renew(claim, self.now(), LEASE.as_millis() as i64).await {
                Ok(until) => held_until = until,
                Err(StoreError::Fenced | StoreError::Missing(_)) => return StoreError::Fenced.into(),
                // The store may come back before the lease ends.
                Err(_) if self.now() < held_until => {}
                Err(error) => return error.into(),
            }
        }
    }

    async fn finish(
        &self,
        claim: &Claim,
        order: &Order,
        report: Report,
        started_at: Timestamp,
    ) -> Result<(), Trouble> {
        let now = self.now();
        let mut record = record(claim, started_at, now, None);
        record.sandbox = report.sandbox;
        record.usage = report.usage;
        record.exit_code = report.exit_code;
        let (attempt, engine, task) = (order.attempt, order.engine.clone(), order.task.clone());
        let outcome = match report.result {
            ReportResult::Published { sha } => {
                Ok(WorkOutcome::Published { branch: order.branch.clone(), sha })
            }
            ReportResult::Reviewed { verdict, threads } => match &order.task {
                Task::Review { pull, head } => {
                    let reviewer = order.engine.clone();
                    let draft = ReviewDraft { pull: *pull, head: head.clone(), reviewer, verdict, threads };
                    match self.world.forge().review(&order.repo, draft).await {
                        Ok(()) => Ok(WorkOutcome::Reviewed { verdict }),
                        // The pull request ended while it was looked at.
                        Err(ForgeError::Refused(_)) => Ok(WorkOutcome::Cancelled),
                        Err(unclear) => return Err(unclear.into()),
                    }
                }
                _ => Err(FailReason::BadVerdict),
            },
            ReportResult::Failed { reason } => Err(reason),
        };
        match outcome {
            Ok(outcome) => {
                self.world.store().finish(claim, Ok(outcome.clone()), &record).await?;
                self.show(
                    order,
                    What::AttemptEnded { attempt, engine, task, outcome, sandbox: record.sandbox },
                );
            }
            Err(reason) => {
                record.failure = Some(reason);
                let rules = self.rules.iter().find(|r| r.repo == order.repo);
                let limit = rules.map_or(1, |r| r.attempts);
                let pause = rules.map_or(SignedDuration::ZERO, |r| r.retry_pause);
                let last = !reason.worth_retrying() || claim.item.failures + 1 >= limit;
                let result = if last { Ok(WorkOutcome::Failed { reason }) } else { Err(now + pause) };
                *self.again.lock().unwrap_or_else(PoisonError::into_inner) = result.as_ref().err().copied();
                self.world.store().finish(claim, result, &record).await?;
                self.show(order, What::AttemptFailed { attempt, engine, task, reason, last });
            }
        }
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.world.clock().now()
    }

    fn show(&self, order: &Order, what: What) {
        self.world.watcher().event(&Event { at: self.now(), repo: order.repo.clone(), what });
    }
}

/// The branch of a child's work.
fn agent_branch(child: Number) -> BranchName {
    #[expect(clippy::expect_used, reason = "`agent/` and a number are a valid branch name")]
    BranchName::new(&format!("agent/{child}")).expect("an agent's branch is valid")
}

fn record(
    claim: &Claim,
    started_at: Timestamp,
    ended_at: Timestamp,
    failure: Option<FailReason>,
) -> AttemptRecord {
    AttemptRecord {
        attempt: claim.attempt,
        work: claim.item.id,
        started_at,
        ended_at: Some(ended_at),
        sandbox: None,
        failure,
        exit_code: None,
        usage: Usage::default(),
    }
}
