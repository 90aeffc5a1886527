//! Work for engines of ours: what a hosted agent would notice by itself (its label, a request, red checks of its own pull
//! request), and reviews.

use super::{AT_ONCE, Orchestrator, Picture, PullView, Turn, deeds::done_at, history};
use crate::{Trouble, bug};
use banksman_core::{
    intent::Deed,
    job::{Job, JobWork},
    port::{NewTask, Store, World},
    repo::RepoRules,
    signals::{IssueFacts, PullState},
    text::EngineName,
    work::Task,
};
use futures_util::{StreamExt, TryStreamExt, stream};

impl<W: World> Orchestrator<W> {
    /// Enqueues what is due and is not there yet; cancels what is not needed any more. Keys make a repetition harmless. The picture stays as
    /// it was taken: work read later than the signals would speak of effects that they do not show yet.
    pub(crate) async fn enqueue_work(
        &self,
        turn: &Turn,
        rules: &RepoRules,
        picture: &Picture,
    ) -> Result<bool, Trouble> {
        let mut due: Vec<(Task, EngineName)> = Vec::new();
        due.extend(handed_out(rules, picture).map(|(_, task, engine)| (task, engine)));
        for pull in picture.pulls.iter().filter(|p| p.signals.state == PullState::Open) {
            if let Some(engine) = &pull.engine {
                due.extend(fixes(rules, picture, pull).into_iter().map(|task| (task, engine.clone())));
            }
            let resolver = pull.engine.as_ref().or(rules.own_engine());
            due.extend(resolution(pull).zip(resolver.cloned()));
            due.extend(reviews(rules, pull));
        }
        due.retain(|(task, engine)| !picture.work.iter().any(|job| is_same(job, task, engine)));
        let mut changed = !due.is_empty();
        changed |= self.enqueue_given_back(turn, rules, picture).await?;
        // At the same time, so that the store can group their commits.
        stream::iter(due)
            .map(|(task, engine)| async move {
                let lease = self.lease(turn).await?;
                let new = NewTask { repo: rules.repo.clone(), task, engine, at: self.now() };
                self.world.store().enqueue(&lease, &new).await?;
                Ok::<_, Trouble>(())
            })
            .buffered(AT_ONCE)
            .try_collect::<Vec<()>>()
            .await?;
        for job in picture.work.iter().filter(|job| job.state.is_waiting() && pointless(job, picture)) {
            let lease = self.lease(turn).await?;
            self.world.store().withdraw(&lease, job.id, self.now()).await?;
            changed = true;
        }
        Ok(changed)
    }
}

/// Open issues with the label of an engine of ours, if their author's word counts (X1, X5), with the work that they are.
pub(super) fn handed_out<'a>(
    rules: &'a RepoRules,
    picture: &'a Picture,
) -> impl Iterator<Item = (&'a IssueFacts, Task, EngineName)> {
    picture.issues.iter().filter_map(|issue| {
        let mut named = issue.labels.iter().filter_map(RepoRules::labelled_engine);
        let engine = named.find(|engine| rules.knows(engine))?;
        if !is_trusted(picture, issue) || picture.pulls.iter().any(|p| p.closes() == Some(issue.number)) {
            return None;
        }
        let base = picture
            .epics
            .iter()
            .find(|e| e.facts.checklist.entry(issue.number).is_some())
            .map_or_else(|| picture.facts.default_branch.clone(), |e| e.record.branch.clone());
        Some((issue, Task::Implement { child: issue.number, base }, engine))
    })
}

/// Whether the word of an issue's author counts.
pub(super) fn is_trusted(picture: &Picture, issue: &IssueFacts) -> bool {
    issue.author == picture.facts.me
        || picture.facts.allowed.contains(&issue.author)
        || bug!(StrangerDispatched)
}

/// Work that requests and red checks of a pull request by an engine of ours call for.
fn fixes(rules: &RepoRules, picture: &Picture, pull: &PullView) -> Vec<Task> {
    let number = pull.signals.number;
    let mut tasks = Vec::new();
    let (mut reviews, mut conflicts) = (0, 0);
    for intent in pull.intents.iter().filter(|i| done_at(i).is_some()) {
        match intent.deed {
            Deed::RequestReviewFix { .. } => {
                reviews += 1;
                tasks.push(Task::FixReviews { pull: number, round: reviews });
            }
            Deed::RequestConflictFix { .. } => {
                conflicts += 1;
                tasks.push(Task::FixConflict { pull: number, round: conflicts });
            }
            _ => {}
        }
    }
    let checks = pull.signals.check_counts();
    let busy = picture.work.iter().any(|job| {
        history::is_about(job, number)
            && !matches!(job.work.task(), Some(Task::Review { .. }))
            && !job.state.is_final()
    });
    let rounds = picture
        .work
        .iter()
        .filter(|job| matches!(job.work.task(), Some(Task::FixChecks { pull, .. }) if *pull == number))
        .count() as u32;
    if checks.failing > 0 && checks.pending == 0 && !busy && rounds < rules.check_fix_rounds {
        tasks.push(Task::FixChecks { pull: number, head: pull.signals.head.clone(), round: rounds + 1 });
    }
    tasks
}

/// Banksman's own attempt, once its deed is done.
fn resolution(pull: &PullView) -> Option<Task> {
    pull.intents
        .iter()
        .any(|i| matches!(i.deed, Deed::ResolveConflict { .. }) && done_at(i).is_some())
        .then_some(Task::ResolveConflict { pull: pull.signals.number })
}

/// Reviews by the configured engines: each head once that is not just an update from the base, once its checks are green.
pub(super) fn reviews(rules: &RepoRules, pull: &PullView) -> Vec<(Task, EngineName)> {
    let wanted = !pull.signals.is_draft && !pull.signals.conflicting() && pull.signals.all_green();
    let enough = pull.of_epic.is_some() && pull.signals.reviews.approved >= pull.signals.reviews.required;
    if !wanted || enough {
        return Vec::new();
    }
    let updates: Vec<_> = history::updates(&pull.intents).collect();
    let Some(head) = pull.heads.iter().rev().find(|h| !updates.contains(&&h.sha)) else { return Vec::new() };
    rules
        .reviewers
        .iter()
        .map(|reviewer| {
            (Task::Review { pull: pull.signals.number, head: head.sha.clone() }, reviewer.clone())
        })
        .collect()
}

/// Whether a job is this task for this engine.
pub(super) fn is_same(job: &Job, task: &Task, engine: &EngineName) -> bool {
    match &job.work {
        JobWork::Task { task: other, engine: theirs, .. } => {
            theirs == engine && other.subject() == task.subject() && other.key() == task.key()
        }
        JobWork::Manifest(_) => false,
    }
}

/// A waiting job whose subject has ended.
fn pointless(job: &Job, picture: &Picture) -> bool {
    match job.work.task() {
        Some(Task::Implement { child, .. }) => !picture.issues.iter().any(|i| i.number == *child),
        Some(task) => !picture
            .pulls
            .iter()
            .any(|p| p.signals.number == task.subject() && p.signals.state == PullState::Open),
        None => false,
    }
}
