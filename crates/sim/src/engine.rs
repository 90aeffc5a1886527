//! Simulated engines: attempts that take as long as real ones, fail in every way, publish by naming the old head, and may be lost with
//! their worker after they published. Their start and stop is logged by themselves, for the proof that none overlap (I2).

use crate::{
    chance::{CONFLICT_ANSWER, IMPLEMENT, REVIEW_ANSWER},
    executor::{MINUTE, Micros, Process, stamp},
    forge::{
        State, Town,
        town::{ME, OWNER, Pusher},
    },
    gate::Port,
    nature,
    universe::Universe,
    violation::Invariant,
    world::Me,
};
use banksman_core::{
    id::{AttemptId, WorkId},
    port::{Engine, EngineError, Order, Report, ReportResult, ThreadDraft},
    tainted::Tainted,
    text::{RepoName, Sha},
    work::{FailReason, SandboxLevel, Task, Usage, Verdict, WorkState},
};
use std::collections::BTreeMap;

/// One process's engines.
#[derive(Clone)]
pub(crate) struct SimEngine(pub(crate) Me);

/// What the engines wrote down themselves.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Attempts that run, with the work they are for.
    running: BTreeMap<AttemptId, (WorkId, Process)>,
    /// Attempts that published, by work.
    published: BTreeMap<WorkId, AttemptId>,
}

/// Stops the log's clock when the attempt ends, however it ends.
struct Running<'a> {
    me: &'a Me,
    attempt: AttemptId,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.me.shared.with(|u| u.log.running.remove(&self.attempt));
        self.me.shared.note(self.me.process, "stop", self.attempt.0, || format!("attempt {}", self.attempt));
    }
}

impl Universe {
    /// The item that the store holds for a running attempt.
    fn item_of(&self, attempt: AttemptId) -> Option<(WorkId, bool)> {
        let item = self
            .store
            .work
            .iter()
            .find(|w| matches!(&w.state, WorkState::Running { attempt: a, .. } if *a == attempt))?;
        let held = matches!(item.state, WorkState::Running { until, .. } if until > stamp(self.now));
        Some((item.id, held))
    }

    fn start(&mut self, process: Process, order: &Order) {
        self.tally.attempts += 1;
        // An attempt whose claim is gone already is about to be told so.
        let Some((work, held)) = self.item_of(order.attempt) else { return };
        let other = self.log.running.iter().find(|(_, (w, _))| *w == work).map(|(a, _)| *a);
        if let Some(other) = other.filter(|a| held && self.item_of(*a).is_some_and(|(_, held)| held)) {
            let what = format!("attempts {other} and {} both hold work item {work}", order.attempt);
            self.violated(Invariant::NoOverlap, what);
        }
        self.log.running.insert(order.attempt, (work, process));
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
        if let Some((work, _)) = self.log.running.get(&order.attempt).copied()
            && let Some(first) = self.log.published.insert(work, order.attempt)
        {
            let what = format!("attempts {first} and {} both published for work item {work}", order.attempt);
            self.violated(Invariant::NoOverlap, what);
        }
        Ok(sha)
    }
}

/// How an attempt will go.
struct Fortune {
    takes: Micros,
    fails: Option<FailReason>,
    touches: u64,
    rounds: u32,
    threads: u64,
}

impl SimEngine {
    fn fortune(&self, order: &Order) -> Fortune {
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

impl Engine for SimEngine {
    async fn run(&self, order: &Order, brief: Tainted) -> Result<Report, EngineError> {
        // The brief goes into the task file; that it has the issue's text is right.
        drop(brief);
        let me = &self.0;
        me.before(Port::Engine, "run").await.map_err(|_| EngineError::Host("simulated"))?;
        let started = me.shared.kernel.now();
        me.shared.with(|u| u.start(me.process, order));
        let _running = Running { me, attempt: order.attempt };
        me.shared.note(me.process, "start", order.attempt.0, || {
            format!("attempt {} {} {:?}", order.attempt, order.repo, order.task)
        });
        let fortune = self.fortune(order);
        me.shared.kernel.sleep(fortune.takes).await;
        me.before(Port::Engine, "publish").await.map_err(|_| EngineError::Host("simulated"))?;
        let result = match fortune.fails {
            Some(reason) => ReportResult::Failed { reason },
            None => self.result(order, &fortune),
        };
        if matches!(result, ReportResult::Published { .. }) {
            me.shared
                .note(me.process, "publish", order.attempt.0, || format!("{} {}", order.repo, order.branch));
            me.changed();
            nature::stir(&me.shared, &order.repo);
        }
        me.after(Port::Engine, "publish").await.map_err(|_| EngineError::Host("simulated"))?;
        Ok(Report {
            result,
            sandbox: Some(SandboxLevel::Bubblewrap),
            usage: Usage::default(),
            exit_code: Some(0),
            ran: Some((stamp(started), stamp(me.shared.kernel.now()))),
        })
    }
}

impl SimEngine {
    fn result(&self, order: &Order, fortune: &Fortune) -> ReportResult {
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
