//! What a pull request looks like from outside, derived from the book and the branches: the signals, in GitHub's words. Pure.

use super::{
    home::{Freshness, LocalRepo},
    look::{Now, Seen},
};
use crate::git::Merged;
use banksman_core::{
    id::{ActorId, ThreadId},
    port::{
        Refusal,
        book::{BANKSMAN, HeadOrigin, IssueRecord, Opinion, PullRecord, Readiness, RunState},
    },
    signals::{
        AutoMerge, Check, CheckState, IssueFacts, MergeState, Mergeable, Reviews, Signals, Thread, TitleHead,
    },
    text::Sha,
};
use std::collections::BTreeMap;

/// The signals of a pull request.
pub(super) fn signals(seen: Seen, rules: &LocalRepo) -> Signals {
    let (merge_state, mergeable) = match &seen.now {
        Some(now) => (merge_state(&seen.record, now, rules), mergeable(now)),
        None => (MergeState::Unknown, Mergeable::Unknown),
    };
    let Seen { record, now } = seen;
    let checks = checks(&record, rules);
    let reviews = reviews(&record, rules);
    let threads = threads(&record, rules);
    let size = now.map(|now| now.relation.size).or(record.size).unwrap_or_default();
    Signals {
        number: record.number,
        state: record.state,
        is_draft: record.readiness == Readiness::Draft,
        merge_state,
        mergeable,
        head: record.head.sha,
        head_at: record.head.at,
        base: record.base,
        head_branch: record.head_branch,
        author: record.author.id,
        author_login: record.author.login,
        checks,
        reviews,
        threads,
        // Not offered to the pipeline, which merges by itself; a person's order is respected.
        auto_merge: if record.arming.is_some() { AutoMerge::Armed } else { AutoMerge::NotOffered },
        additions: size.additions,
        deletions: size.deletions,
        changed_files: size.files,
        created_at: record.created_at,
        updated_at: record.updated_at,
        closes: record.closes,
    }
}

/// The facts of an issue.
pub(super) fn facts(record: &IssueRecord) -> IssueFacts {
    IssueFacts {
        number: record.number,
        open: record.open,
        labels: record.labels.clone(),
        author: record.author.id,
        title: record.title.structure(TitleHead::read),
        blocked_by: record.blocked_by.clone(),
        parent: record.parent,
        created_at: record.created_at,
        closed_at: record.closed_at,
    }
}

/// Who asks for a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// Banksman: no checks at all is not green (S10).
    Banksman,
    /// A person, who may merge where no checks are configured.
    Person,
}

impl Asker {
    /// What an account asks as.
    pub(super) fn of(account: ActorId) -> Self {
        if account == BANKSMAN { Self::Banksman } else { Self::Person }
    }
}

/// Whether the pull request may be merged at that head.
pub(super) fn may_merge(
    record: &PullRecord,
    now: &Now,
    head: &Sha,
    rules: &LocalRepo,
    asker: Asker,
) -> Result<(), Refusal> {
    if now.head != *head || record.head.sha != *head {
        return Err(Refusal::HeadMoved);
    }
    if !now.relation.ahead {
        return Err(Refusal::Nothing);
    }
    match merge_state(record, now, rules) {
        MergeState::Dirty => Err(Refusal::Conflict),
        MergeState::Clean if !rules.checks.is_empty() || asker == Asker::Person => Ok(()),
        _ => Err(Refusal::NotAllowed),
    }
}

fn mergeable(now: &Now) -> Mergeable {
    match now.relation.merged {
        Merged::Tree(_) => Mergeable::Mergeable,
        Merged::Conflict => Mergeable::Conflicting,
    }
}

/// What stands in the way, the weightiest first.
fn merge_state(record: &PullRecord, now: &Now, rules: &LocalRepo) -> MergeState {
    if now.relation.merged == Merged::Conflict {
        return MergeState::Dirty;
    }
    if record.readiness == Readiness::Draft {
        return MergeState::Draft;
    }
    let reviews = reviews(record, rules);
    if reviews.changes_requested > 0 || reviews.approved < reviews.required || !now.relation.ahead {
        return MergeState::Blocked;
    }
    let checks = checks(record, rules);
    if checks.iter().any(|check| check.state == CheckState::Failing) {
        return MergeState::Unstable;
    }
    if checks.iter().any(|check| check.state == CheckState::Pending) {
        return MergeState::Blocked;
    }
    if rules.freshness == Freshness::UpToDate && now.relation.behind {
        return MergeState::Behind;
    }
    MergeState::Clean
}

/// The configured checks, whatever else was run; one without a result of a finished run is pending.
fn checks(record: &PullRecord, rules: &LocalRepo) -> Vec<Check> {
    let done = record.run.as_ref().filter(|run| run.state == RunState::Done && run.sha == record.head.sha);
    rules
        .checks
        .iter()
        .map(|(name, _)| {
            let result = done.and_then(|run| run.results.iter().find(|(ran, _)| ran == name));
            Check { name: name.clone(), state: result.map_or(CheckState::Pending, |(_, state)| *state) }
        })
        .collect()
}

/// Each reviewer's last verdict. An approval of an older head counts only if all newer ones are the forge's own updates; a
/// request for changes stays until that reviewer reviews again.
fn reviews(record: &PullRecord, rules: &LocalRepo) -> Reviews {
    let mut last: BTreeMap<ActorId, (Opinion, &Sha)> = BTreeMap::new();
    for review in &record.reviews {
        last.insert(review.reviewer, (review.opinion, &review.head));
    }
    let fresh = fresh_heads(record);
    let mut reviews = Reviews { required: rules.required_approvals, ..Reviews::default() };
    for (opinion, head) in last.values() {
        match opinion {
            Opinion::Approved if fresh.contains(head) => reviews.approved += 1,
            Opinion::ChangesRequested => reviews.changes_requested += 1,
            Opinion::Approved | Opinion::Commented => {}
        }
    }
    reviews
}

/// The last head and those that only updates of the forge lie behind.
fn fresh_heads(record: &PullRecord) -> Vec<&Sha> {
    let mut fresh = vec![&record.head.sha];
    let mut newer = &record.head;
    for head in record.earlier.iter().rev() {
        if newer.origin != HeadOrigin::Updated {
            break;
        }
        fresh.push(&head.sha);
        newer = head;
    }
    fresh
}

/// Threads; where review is required, the author's own resolving does not count (S10).
fn threads(record: &PullRecord, rules: &LocalRepo) -> Vec<Thread> {
    let counts =
        |actor: &ActorId| rules.required_approvals == 0 || *actor != record.author.id || *actor == BANKSMAN;
    record
        .threads
        .iter()
        .map(|thread| Thread {
            id: thread.id,
            created_at: thread.at,
            resolved: thread.resolved_by.as_ref().is_some_and(counts),
        })
        .collect()
}

/// Threads that still want an answer.
pub(super) fn unresolved(record: &PullRecord, rules: &LocalRepo) -> Vec<ThreadId> {
    threads(record, rules).into_iter().filter(|thread| !thread.resolved).map(|thread| thread.id).collect()
}
