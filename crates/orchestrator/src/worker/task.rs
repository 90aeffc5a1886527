//! An attempt at a task of the pipeline: what it needs now, for the world may have moved on since it was enqueued, and what came of it.

use super::{
    Worker,
    attempt::{Attempt, Close},
};
use crate::{Trouble, bug, pipeline::own_heads};
use banksman_core::{
    event::What,
    id::Number,
    job::{Job, JobEvent, JobWork, Outcome},
    port::{
        BriefFor, Claim, Engine, EngineError, Forge, ForgeError, Order, PullQuery, ReportResult, ReviewDraft,
        Store, TaskFilter, World,
    },
    signals::{PullState, Signals},
    tainted::Tainted,
    text::{BranchName, Login, RepoName, Sha},
    work::{FailReason, Task},
};

/// What to do with a claimed task.
enum Plan {
    /// Run an attempt with this material in its task folder.
    Run(Order, Tainted),
    /// It is settled without one.
    Settled(Close),
}

/// The attempt that a task needs, or how it is settled without one.
enum Ordered {
    Run(Order),
    Settled(Close),
}

impl<W: World> Worker<W> {
    /// Runs an attempt at a task, or settles it without one.
    pub(super) async fn task(&self, attempt: &mut Attempt) -> Close {
        let close = match self.plan(&attempt.claim).await {
            Ok(Plan::Settled(close)) => close,
            Ok(Plan::Run(order, brief)) => self.run_task(attempt, order, brief).await,
            Err(trouble) => self.unplanned(&attempt.claim.job, &trouble),
        };
        if let Close::Shipped(_) = close {
            attempt.events.extend([JobEvent::Built, JobEvent::Approved]);
        }
        close
    }

    /// Nothing was run. What the forge refuses (a repository that moved, an account without rights) is this task's failure and
    /// nobody else's; anything else is waited out.
    fn unplanned(&self, job: &Job, trouble: &Trouble) -> Close {
        match trouble {
            Trouble::Forge(ForgeError::Refused(reason)) => {
                tracing::warn!(job.id = %job.id, reason = reason.describe(), "the forge refuses what a task needs");
                Close::Failed(FailReason::Workspace)
            }
            trouble => {
                tracing::info!(job.id = %job.id, %trouble, "a task goes on later");
                Close::Trouble(FailReason::Workspace)
            }
        }
    }

    /// What the task needs now, with the material for its task folder.
    async fn plan(&self, claim: &Claim) -> Result<Plan, Trouble> {
        match self.order(claim).await? {
            Ordered::Run(order) => {
                let about = BriefFor::Task(order.task.clone());
                let brief = self.world.forge().brief(&order.repo, &about).await?;
                Ok(Plan::Run(order, brief))
            }
            Ordered::Settled(close) => Ok(Plan::Settled(close)),
        }
    }

    async fn order(&self, claim: &Claim) -> Result<Ordered, Trouble> {
        let (job, forge) = (&claim.job, self.world.forge());
        let JobWork::Task { repo, task, engine } = &job.work else {
            return Ok(Ordered::Settled(Close::Pointless));
        };
        let lost = job.losses > 0;
        let order = |branch: BranchName, base: BranchName, head: Option<Sha>| Order {
            attempt: claim.attempt,
            repo: repo.clone(),
            task: task.clone(),
            engine: engine.clone(),
            branch,
            base,
            head,
        };
        let published = |branch, sha| Close::Shipped(Outcome::Published { branch, sha });
        match task {
            Task::Implement { child, base } => {
                let branch = agent_branch(*child);
                let head = forge.branch(repo, &branch).await?;
                Ok(match head {
                    // An attempt that was lost after its push had done its work.
                    Some(sha) if lost => Ordered::Settled(published(branch, sha)),
                    head => Ordered::Run(order(branch, base.clone(), head)),
                })
            }
            Task::Review { pull, head } => {
                let Some(signals) = self.open_pull(repo, *pull).await? else {
                    return Ok(Ordered::Settled(Close::Pointless));
                };
                if let Some(verdict) = forge.reviewed(repo, *pull, head, engine).await? {
                    return Ok(Ordered::Settled(Close::Shipped(Outcome::Reviewed { verdict })));
                }
                let own = self.own_heads(repo, *pull).await?;
                if signals.head != *head && !own.contains(&signals.head) {
                    return Ok(Ordered::Settled(Close::Pointless));
                }
                Ok(Ordered::Run(order(signals.head_branch, signals.base, Some(head.clone()))))
            }
            Task::FixReviews { pull, .. }
            | Task::FixConflict { pull, .. }
            | Task::FixChecks { pull, .. }
            | Task::ResolveConflict { pull } => {
                let Some(signals) = self.open_pull(repo, *pull).await? else {
                    return Ok(Ordered::Settled(Close::Pointless));
                };
                if lost && let Some(sha) = self.published_since(job, repo, &signals).await? {
                    return Ok(Ordered::Settled(published(signals.head_branch, sha)));
                }
                Ok(Ordered::Run(order(signals.head_branch, signals.base, Some(signals.head))))
            }
        }
    }

    /// A head that came since the job was enqueued and is not Banksman's own: what a lost attempt published. An update from the
    /// base may lie on top of it.
    async fn published_since(
        &self,
        job: &Job,
        repo: &RepoName,
        signals: &Signals,
    ) -> Result<Option<Sha>, Trouble> {
        let seen = self.world.store().heads(repo, signals.number).await?;
        let own = self.own_heads(repo, signals.number).await?;
        let heads = std::iter::once((&signals.head, signals.head_at))
            .chain(seen.iter().rev().map(|head| (&head.sha, head.at)));
        let mut foreign = heads.filter(|(sha, at)| *at > job.created_at && !own.contains(sha));
        Ok(foreign.next().map(|(sha, _)| sha.clone()))
    }

    async fn open_pull(&self, repo: &RepoName, pull: Number) -> Result<Option<Signals>, Trouble> {
        let found = self.world.forge().pulls(repo, &PullQuery::Numbers(vec![pull])).await?;
        Ok(found.into_iter().find(|s| s.state == PullState::Open))
    }

    async fn own_heads(&self, repo: &RepoName, pull: Number) -> Result<Vec<Sha>, Trouble> {
        let intents = self.world.store().intents_about(repo, pull).await?;
        let jobs = self.world.store().tasks(&TaskFilter::Subject(repo.clone(), pull)).await?;
        Ok(own_heads(&intents, &jobs.iter().collect::<Vec<_>>()).into_iter().cloned().collect())
    }

    async fn run_task(&self, attempt: &mut Attempt, order: Order, brief: Tainted) -> Close {
        // The worker may have stood still since it last looked: another one may have the job by now.
        self.end_unrenewed();
        if self.board.ending(order.attempt).is_some() {
            return Close::Ended;
        }
        let leaked = bug!(TextLeak)
            .then(|| brief.structure(|t| t.split_whitespace().find_map(|w| Login::new(w).ok())));
        let (id, engine, task) = (order.attempt, order.engine.clone(), order.task.clone());
        self.show(Some(&order.repo), What::AttemptStarted { attempt: id, engine, task });
        let report = match self.world.engine().run(&order, brief).await {
            Ok(report) => report,
            Err(EngineError::Interrupted) => return Close::Ended,
            Err(EngineError::Host(what)) => {
                tracing::warn!(attempt.id = %id, what, "the host failed an attempt");
                return Close::Trouble(FailReason::Workspace);
            }
        };
        attempt.measured = report.measured;
        if let Some(leaked) = leaked {
            attempt.measured.usage.session = leaked;
        }
        match report.result {
            ReportResult::Published { sha } => {
                Close::Shipped(Outcome::Published { branch: order.branch, sha })
            }
            ReportResult::Reviewed { verdict, threads } => {
                let Task::Review { pull, head } = order.task else {
                    return Close::Failed(FailReason::BadVerdict);
                };
                let draft = ReviewDraft { pull, head, reviewer: order.engine, verdict, threads };
                match self.world.forge().review(&order.repo, draft).await {
                    Ok(()) => Close::Shipped(Outcome::Reviewed { verdict }),
                    // The pull request ended while it was looked at.
                    Err(ForgeError::Refused(_)) => Close::Pointless,
                    // The next attempt finds the review, if it was written.
                    Err(ForgeError::Unclear(_) | ForgeError::Later(_)) => {
                        Close::Trouble(FailReason::Workspace)
                    }
                }
            }
            ReportResult::Failed { reason: FailReason::DiskFull } => Close::Trouble(FailReason::DiskFull),
            ReportResult::Failed { reason } => Close::Failed(reason),
            ReportResult::Limited { until } => Close::Limited { engine: order.engine, until },
        }
    }
}

/// The branch of a child's work.
fn agent_branch(child: Number) -> BranchName {
    #[expect(clippy::expect_used, reason = "`agent/` and a number are a valid branch name")]
    BranchName::new(&format!("agent/{child}")).expect("an agent's branch is valid")
}
