//! History folded from what is stored: intents about a pull request, work on it, heads it had. Derived at each look, never
//! stored.

use super::deeds::done_at;
use crate::bug;
use banksman_core::{
    intent::{Deed, Intent, Made},
    policy::{History, Reply, Request, Requests, Resolution},
    port::HeadSeen,
    signals::Mark,
    text::{EngineName, Sha},
    work::{Task, WorkItem, WorkOutcome, WorkState},
};

/// Folds the history of one pull request. `now`: how it stands; `engine`: the engine of ours that implements it.
pub(crate) fn fold(
    intents: &[Intent],
    work: &[&WorkItem],
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
                let found =
                    work.iter().find(|w| matches!(w.task, Task::FixReviews { round: r, .. } if r == round));
                push(&mut history.review, at, reply(engine, found.copied()));
            }
            Deed::RequestConflictFix { .. } => {
                let round = history.conflict.count + 1;
                let found =
                    work.iter().find(|w| matches!(w.task, Task::FixConflict { round: r, .. } if r == round));
                push(&mut history.conflict, at, reply(engine, found.copied()));
            }
            Deed::ResolveConflict { .. } => {
                let found = work.iter().find(|w| matches!(w.task, Task::ResolveConflict { .. }));
                history.resolution = match found.map(|w| &w.state) {
                    Some(WorkState::Done { .. }) => Resolution::Ended,
                    Some(WorkState::Queued { .. } | WorkState::Running { .. }) | None => Resolution::Running,
                };
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
    for item in work {
        if matches!(item.task, Task::FixChecks { .. }) {
            match item.state {
                WorkState::Done { at, .. } => {
                    history.checks_fix_ended_at = history.checks_fix_ended_at.max(Some(at));
                }
                WorkState::Queued { .. } | WorkState::Running { .. } => history.fixing_checks = true,
            }
        }
    }
    let own = own_heads(intents, work);
    // Whose a head is that comes while our own resolution runs is known once that ended: until then it answers nothing.
    let resolving_since = work
        .iter()
        .filter(|w| {
            matches!(w.task, Task::ResolveConflict { .. }) && !matches!(w.state, WorkState::Done { .. })
        })
        .map(|w| w.created_at)
        .min();
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

fn reply(engine: Option<&EngineName>, item: Option<&WorkItem>) -> Reply {
    match (engine, item.map(|i| &i.state)) {
        (None, None) => Reply::Unknown,
        // The next step of the same look enqueues it.
        (Some(_), None) => Reply::Working,
        (_, Some(WorkState::Queued { .. } | WorkState::Running { .. })) => Reply::Working,
        // The new head is on its way to the signals, if it is not there already.
        (_, Some(WorkState::Done { outcome: WorkOutcome::Published { .. }, .. })) => Reply::Unknown,
        (_, Some(WorkState::Done { .. })) => Reply::Ended,
    }
}

/// Heads that Banksman made itself: updates from the base and its own conflict resolution. They answer no request.
pub(crate) fn own_heads<'a>(intents: &'a [Intent], work: &[&'a WorkItem]) -> Vec<&'a Sha> {
    updates(intents)
        .chain(work.iter().filter_map(|w| match (&w.task, &w.state) {
            (
                Task::ResolveConflict { .. },
                WorkState::Done { outcome: WorkOutcome::Published { sha, .. }, .. },
            ) => Some(sha),
            _ => None,
        }))
        .collect()
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
