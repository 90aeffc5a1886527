//! History folded from what is stored: intents about a pull request, work on it, heads it had. Derived at each look, never
//! stored.

use super::deeds::done_at;
use crate::bug;
use banksman_core::{
    id::Number,
    intent::{Deed, Intent, Made},
    job::{Job, JobState, Outcome},
    policy::{History, Reply, Request, Requests, Resolution},
    port::HeadSeen,
    signals::Mark,
    text::{EngineName, Sha},
    work::Task,
};

/// Folds the history of one pull request. `now`: how it stands; `engine`: the engine of ours that implements it.
pub(crate) fn fold(
    intents: &[Intent],
    work: &[&Job],
    heads: &[HeadSeen],
    now: &Mark,
    engine: Option<&EngineName>,
) -> History {
    let mut history = History::default();
    for intent in intents {
        let Some(at) = done_at(intent) else { continue };
        match &intent.deed {
            Deed::RequestReviewFix { .. } => {
                let round = history.review.count + 1;
                let found = work.iter().find(
                    |j| matches!(j.work.task(), Some(Task::FixReviews { round: r, .. }) if *r == round),
                );
                push(&mut history.review, at, reply(engine, found.copied()));
            }
            Deed::RequestConflictFix { .. } => {
                let round = history.conflict.count + 1;
                let found = work.iter().find(
                    |j| matches!(j.work.task(), Some(Task::FixConflict { round: r, .. }) if *r == round),
                );
                push(&mut history.conflict, at, reply(engine, found.copied()));
            }
            Deed::ResolveConflict { .. } => {
                let ended = work.iter().find(|j| resolves(j)).is_some_and(|j| j.state.is_final());
                history.resolution = if ended { Resolution::Ended } else { Resolution::Running };
            }
            Deed::ResolveThreads { threads, .. } => history.resolved.extend(threads),
            // A state that a person was called to stays with that person, whatever came in between.
            Deed::Escalate { mark, .. }
                if !bug!(EscalationForgotten) && history.escalated.as_ref() != Some(now) =>
            {
                history.escalated.clone_from(mark);
            }
            _ => {}
        }
    }
    for job in work.iter().filter(|j| matches!(j.work.task(), Some(Task::FixChecks { .. }))) {
        match job.state {
            JobState::Shipped { at, .. } | JobState::Failed { at, .. } | JobState::Cancelled { at } => {
                history.checks_fix_ended_at = history.checks_fix_ended_at.max(Some(at));
            }
            JobState::Inbox { .. }
            | JobState::Waiting { .. }
            | JobState::Building(_)
            | JobState::Review(_)
            | JobState::Testing(_) => history.fixing_checks = true,
        }
    }
    let own = own_heads(intents, work);
    // Whose a head is that comes while our own resolution runs is known once that ended: until then it answers nothing.
    let resolving_since =
        work.iter().filter(|job| resolves(job) && !job.state.is_final()).map(|job| job.created_at).min();
    let attributed = |head: &HeadSeen| resolving_since.is_none_or(|since| head.at <= since);
    history.implementer_head_at = heads
        .iter()
        .filter(|h| bug!(OwnHeadCounts) || (attributed(h) && !own.contains(&&h.sha)))
        .map(|h| h.at)
        .max();
    history
}

fn push(requests: &mut Requests, at: jiff::Timestamp, reply: Reply) {
    requests.count += 1;
    requests.last = Some(Request { at, reply });
}

fn reply(engine: Option<&EngineName>, job: Option<&Job>) -> Reply {
    match (engine, job.map(|j| &j.state)) {
        (None, None) => Reply::Unknown,
        // The next step of the same look enqueues it.
        (Some(_), None) => Reply::Working,
        (_, Some(state)) if !state.is_final() => Reply::Working,
        // The new head is on its way to the signals, if it is not there already.
        (_, Some(JobState::Shipped { outcome: Outcome::Published { .. }, .. })) => Reply::Unknown,
        (_, Some(_)) => Reply::Ended,
    }
}

/// Heads that Banksman made itself: updates from the base and its own conflict resolution. They answer no request.
pub(crate) fn own_heads<'a>(intents: &'a [Intent], work: &[&'a Job]) -> Vec<&'a Sha> {
    updates(intents)
        .chain(work.iter().filter(|job| resolves(job)).filter_map(|job| match &job.state {
            JobState::Shipped { outcome: Outcome::Published { sha, .. }, .. } => Some(sha),
            _ => None,
        }))
        .collect()
}

/// Whether a job is Banksman's own attempt at a conflict.
fn resolves(job: &Job) -> bool {
    matches!(job.work.task(), Some(Task::ResolveConflict { .. }))
}

/// Whether a job is about this issue or pull request.
pub(crate) fn is_about(job: &Job, subject: Number) -> bool {
    job.work.task().is_some_and(|task| task.subject() == subject)
}

/// Heads made by merging the base on the forge; they need no new review.
pub(crate) fn updates(intents: &[Intent]) -> impl Iterator<Item = &Sha> {
    intents
        .iter()
        .filter(|i| matches!(i.deed, Deed::UpdateBranch { .. }))
        .flat_map(|i| &i.receipts)
        .filter_map(|r| match &r.made {
            Made::Commit { sha } => Some(sha),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use banksman_core::{intent::IntentState, policy::EscalateReason, text::RepoName};
    use jiff::Timestamp;

    fn mark(head: char) -> Mark {
        let head = Sha::new(&head.to_string().repeat(40)).unwrap();
        Mark { head, unresolved: 1, conflicting: false, failing: false, pending: false }
    }

    fn call(round: u32, mark: Mark) -> Intent {
        let subject = Number(7);
        let reason = EscalateReason::ReviewLimit;
        let deed = Deed::Escalate { subject, reason, mark: Some(mark) };
        Intent {
            repo: RepoName::new("a/b").unwrap(),
            key: deed.key(round),
            subject,
            deed,
            created_at: Timestamp::UNIX_EPOCH,
            receipts: Vec::new(),
            state: IntentState::Done { at: Timestamp::UNIX_EPOCH },
        }
    }

    #[test]
    fn a_state_that_a_person_was_called_to_stays_with_that_person_when_it_comes_back() {
        let (a, b, c) = (mark('a'), mark('b'), mark('c'));
        let calls = [call(1, a.clone()), call(2, b.clone())];
        let escalated = |now: &Mark| fold(&calls, &[], &[], now, None).escalated;
        assert_eq!(escalated(&a), Some(a.clone()), "A, B, A: nobody is called a second time for A");
        assert_eq!(escalated(&b), Some(b.clone()));
        assert_ne!(escalated(&c), Some(c));
    }
}
