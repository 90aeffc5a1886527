//! Attempts at tasks of the pipeline: they take as long as real ones, fail in every way, and publish by naming the old head.

use super::SimEngine;
use crate::{
    chance::{CONFLICT_ANSWER, IMPLEMENT, REVIEW_ANSWER},
    executor::{MINUTE, Micros},
    forge::{
        State, Town,
        town::{ME, OWNER, Pusher},
    },
    universe::Universe,
    violation::Invariant,
};
use banksman_core::{
    port::{Order, ReportResult, ThreadDraft},
    tainted::Tainted,
    text::{RepoName, Sha},
    work::{FailReason, Task, Verdict},
};

impl Universe {
    /// An attempt at a stranger's issue may not begin.
    pub(super) fn check_author(&mut self, order: &Order) {
        if let Task::Implement { child, .. } = &order.task {
            let author = self.towns.get(&order.repo).and_then(|t| t.issues.get(child)).map(|i| i.author);
            if author.is_none_or(|a| a != ME && a != OWNER) {
                self.violated(
                    Invariant::Dispatch,
                    format!("{}: an engine works on a stranger's #{child}", order.repo),
                );
            }
        }
    }

    fn publish(
        &mut self,
        order: &Order,
        made: impl FnOnce(&mut Town) -> Option<Sha>,
    ) -> Result<Sha, FailReason> {
        let now = self.now;
        let sha = self
            .in_town(&order.repo, |town, _| {
                let there = town.branches.get(&order.branch).map(|c| town.graph.sha(*c).clone());
                if there != order.head {
                    return Err(FailReason::Stale);
                }
                let sha = made(town).ok_or(FailReason::BadObjects)?;
                let commit = town.commit(&sha).ok_or(FailReason::BadObjects)?;
                let by = match order.task {
                    Task::ResolveConflict { .. } => Pusher::Banksman,
                    _ => Pusher::Implementer,
                };
                town.move_branch(now, &order.branch, commit, by);
                Ok(sha)
            })
            .unwrap_or(Err(FailReason::BadObjects))?;
        if let Some(job) = self.store.job_of(order.attempt)
            && let Some(first) = self.log.published.insert(job, order.attempt)
        {
            let what = format!("attempts {first} and {} both published for job {job}", order.attempt);
            self.violated(Invariant::NoOverlap, what);
        }
        Ok(sha)
    }
}

/// How an attempt will go.
pub(super) struct Fortune {
    pub(super) takes: Micros,
    pub(super) fails: Option<FailReason>,
    touches: u64,
    rounds: u32,
    threads: u64,
}

impl SimEngine {
    pub(super) fn fortune(&self, order: &Order) -> Fortune {
        let (failure, conflict, stubborn) = self.0.shared.with(|u| {
            let customs = u.towns.get(&order.repo).map(|t| &t.customs);
            customs.map_or((0, 0, 0), |c| (c.engine_failure, c.conflict, c.stubborn))
        });
        let own = order.task.subject().0;
        self.0.shared.kernel.draw(|c| {
            let takes = match order.task {
                Task::Implement { .. } | Task::FixChecks { .. } => c.around(IMPLEMENT),
                Task::FixReviews { .. } => c.time(REVIEW_ANSWER.0, REVIEW_ANSWER.1),
                Task::FixConflict { .. } | Task::ResolveConflict { .. } => c.around(CONFLICT_ANSWER),
                Task::Review { .. } => c.around(4 * MINUTE),
            };
            // What two requests did not resolve is hard.
            let failure =
                if matches!(order.task, Task::ResolveConflict { .. }) { failure * 3 } else { failure };
            let fails = c.of_thousand(failure).then(|| match order.task {
                Task::Review { .. } => FailReason::BadVerdict,
                Task::ResolveConflict { .. } => *c.pick(&[FailReason::NotResolved, FailReason::TimedOut]),
                _ => *c.pick(&[
                    FailReason::ExitCode,
                    FailReason::NoCommit,
                    FailReason::TimedOut,
                    FailReason::RewroteHistory,
                    FailReason::ConflictMarkers,
                    FailReason::BadObjects,
                ]),
            });
            // Areas 0 to 7 are shared by all; every child has one of its own above them.
            let shared = if c.of_thousand(conflict * 2) { 1 << c.below(4) } else { 0 };
            let touches = 1 << (8 + own % 56) | shared;
            Fortune { takes, fails, touches, rounds: c.review_rounds() + stubborn, threads: c.between(1, 3) }
        })
    }
}

impl SimEngine {
    pub(super) fn result(&self, order: &Order, fortune: &Fortune) -> ReportResult {
        if let Task::Review { pull, .. } = &order.task {
            return self.verdict(&order.repo, *pull, fortune);
        }
        let merges = matches!(order.task, Task::FixConflict { .. } | Task::ResolveConflict { .. });
        let published = self.0.shared.with(|u| {
            u.publish(order, |town| {
                let base = *town.branches.get(&order.base)?;
                let commit = match &order.head {
                    None => town.graph.add(&[base], fortune.touches),
                    Some(head) => {
                        let head = town.commit(head)?;
                        let parents = [head, base];
                        town.graph.add(
                            if merges { &parents } else { &parents[..1] },
                            if merges { 0 } else { fortune.touches },
                        )
                    }
                };
                Some(town.graph.sha(commit).clone())
            })
        });
        match published {
            Ok(sha) => {
                self.0.shared.with(|u| u.see(task_name(&order.task)));
                ReportResult::Published { sha }
            }
            Err(reason) => ReportResult::Failed { reason },
        }
    }

    fn verdict(&self, repo: &RepoName, pull: banksman_core::id::Number, fortune: &Fortune) -> ReportResult {
        let asked = self.0.shared.with(|u| {
            let pulls = u.towns.get(repo).and_then(|t| t.pulls.get(&pull));
            pulls
                .filter(|p| p.state == State::Open)
                .map_or(0, |p| p.reviews.iter().filter(|r| r.verdict == Verdict::Changes).count() as u32)
        });
        if asked >= fortune.rounds {
            return ReportResult::Reviewed { verdict: Verdict::Approve, threads: Vec::new() };
        }
        let threads = (0..fortune.threads)
            .map(|line| ThreadDraft {
                path: Tainted::new(crate::canary::text("path")),
                line: line as u32 + 1,
                body: Tainted::new(crate::canary::text("thread")),
            })
            .collect();
        ReportResult::Reviewed { verdict: Verdict::Changes, threads }
    }
}

/// The name under which published work is counted.
fn task_name(task: &Task) -> &'static str {
    match task {
        Task::Implement { .. } => "publish a change",
        Task::FixReviews { .. } => "publish an answer to reviews",
        Task::FixConflict { .. } => "publish a resolved conflict",
        Task::FixChecks { .. } => "publish mended checks",
        Task::ResolveConflict { .. } => "publish our own resolution",
        Task::Review { .. } => "publish a review",
    }
}
