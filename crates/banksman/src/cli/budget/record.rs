//! The record that forecasts are made from: intents and journals of the store, checklists and pull requests of the forge.

use super::{Desk, look::Seen};
use crate::host::Hosted;
use banksman_core::{
    budget::forecast::{Capacity, ChildPast, Children, End, EpicPast, Record, Way},
    epic::ChildStatus,
    id::Number,
    intent::{Deed, Intent, IntentState, Made, Phase, PhaseDraft},
    job::JobWork,
    journal::JournalEntry,
    port::{Budget, EpicRecord, Store},
    work::Task,
};
use banksman_orchestrator::Picture;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Everything that is known of the pace so far.
pub(crate) async fn record<S: Store + Budget>(desk: &Desk, seen: &Seen, store: &S) -> anyhow::Result<Record> {
    let now = seen.at();
    let (mut epics, mut others) = (Vec::new(), Vec::new());
    for (hosted, picture) in &seen.pictures {
        let repo = &hosted.repo;
        let intents = store.intents(repo).await?;
        let journal = store.journal(repo).await?;
        let mut ways = ways(&intents, &journal, picture);
        let mut known: Vec<EpicRecord> = store.epics(repo).await?;
        known.sort_by_key(|epic| epic.number);
        for epic in known {
            let children = match picture.epics.iter().find(|view| view.record.number == epic.number) {
                Some(view) => view
                    .facts
                    .statuses()
                    .into_iter()
                    .map(|(child, phase, status)| (phase, seen_as(ways.remove(&child), &status, now)))
                    .collect(),
                None => of_the_past(epic.number, &intents, &journal, &mut ways),
            };
            epics.push(EpicPast {
                repo: repo.clone(),
                number: epic.number,
                started_at: epic.created_at,
                ended_at: epic.ended_at,
                children,
            });
        }
        others.extend(ways.into_values().map(|way| (repo.clone(), way)));
    }
    epics.sort_by(|a, b| (a.started_at, &a.repo, a.number).cmp(&(b.started_at, &b.repo, b.number)));
    let began = epics.iter().flat_map(|epic| {
        let ways = epic.children.iter().filter_map(|(_, child)| match child {
            ChildPast::Given(way) => Some(way.dispatched_at),
            ChildPast::Waiting | ChildPast::Gone => None,
        });
        ways.collect::<Vec<_>>()
    });
    let since = began.chain(others.iter().map(|(_, way)| way.dispatched_at)).min().unwrap_or(now);
    Ok(Record {
        zone: desk.team.day.zone.rules().clone(),
        since: since.min(now),
        until: now,
        epics,
        others,
        capacity: capacity(desk, seen, store, now).await?,
    })
}

/// What limits the pace: the team's quotas, caps of repositories, and how many attempts this host runs at once.
async fn capacity<S: Budget>(
    desk: &Desk,
    seen: &Seen,
    store: &S,
    now: Timestamp,
) -> anyhow::Result<Capacity> {
    let day = desk.team.plan_day(now);
    let today = store.ledger_between(day.span.start, day.span.end).await?;
    let hosted: Vec<&Hosted> = seen.pictures.iter().map(|(hosted, _)| hosted).collect();
    let ours = |h: &Hosted| !h.rules.is_hosted(&h.rules.implementer);
    let at_once = Some(desk.settings.at_once);
    let all_ours = hosted.iter().all(|h| ours(h));
    let of_own = || hosted.iter().filter(|h| ours(h)).map(|h| (h.repo.clone(), desk.settings.at_once));
    Ok(Capacity {
        at_once: at_once.filter(|_| all_ours && !hosted.is_empty()),
        at_once_in: if all_ours { BTreeMap::new() } else { of_own().collect() },
        daily: desk.team.tasks_a_day(now),
        used_today: today.iter().map(|entry| entry.cost).sum(),
        daily_in: hosted.iter().filter_map(|h| Some((h.repo.clone(), h.rules.daily_tasks?))).collect(),
    })
}

/// The ways of all children of a repository that were ever dispatched.
fn ways(intents: &[Intent], journal: &[JournalEntry], picture: &Picture) -> BTreeMap<Number, Way> {
    let mut children: BTreeMap<Number, Number> =
        journal.iter().filter_map(|e| Some((e.pull?, e.child))).collect();
    let opened = picture.pulls.iter().filter(|pull| pull.of_epic.is_none());
    children.extend(opened.clone().filter_map(|pull| Some((pull.signals.number, pull.closes()?))));
    let mut ways: BTreeMap<Number, Way> = BTreeMap::new();
    let begin = |at| Way { dispatched_at: at, again: Vec::new(), end: None };
    for intent in intents {
        let IntentState::Done { at } = intent.state else { continue };
        match &intent.deed {
            Deed::Dispatch { child, .. } | Deed::DispatchDirect { issue: child, .. } => {
                ways.entry(*child).or_insert_with(|| begin(at));
            }
            Deed::OpenPull { child, .. } => {
                let made = intent.receipts.iter().find_map(|receipt| match receipt.made {
                    Made::Pull { number } => Some(number),
                    _ => None,
                });
                children.extend(made.map(|pull| (pull, *child)));
            }
            _ => {}
        }
    }
    for entry in journal {
        let begun = entry.dispatched_at.or(entry.opened_at).unwrap_or(entry.at);
        ways.entry(entry.child).or_insert_with(|| begin(begun));
    }
    for pull in opened {
        let Some(child) = pull.closes() else { continue };
        ways.entry(child).or_insert_with(|| begin(pull.signals.created_at));
    }
    for intent in intents {
        let IntentState::Done { at } = intent.state else { continue };
        match &intent.deed {
            Deed::RequestReviewFix { pull } | Deed::RequestConflictFix { pull } => {
                let way = children.get(pull).and_then(|child| ways.get_mut(child));
                way.into_iter().for_each(|way| way.again.push(at));
            }
            Deed::Escalate { subject, .. } => {
                let child = children.get(subject).unwrap_or(subject);
                ways.get_mut(child).into_iter().for_each(|way| way.end = Some((at, End::Skipped)));
            }
            _ => {}
        }
    }
    for job in &picture.work {
        let JobWork::Task { task: Task::FixChecks { pull, .. }, .. } = &job.work else { continue };
        let way = children.get(pull).and_then(|child| ways.get_mut(child));
        way.into_iter().for_each(|way| way.again.push(job.created_at));
    }
    for entry in journal {
        let Some(way) = ways.get_mut(&entry.child) else { continue };
        way.end = Some(match entry.merged_at {
            Some(at) => (at, End::Merged),
            None => (entry.at, End::Skipped),
        });
    }
    for way in ways.values_mut() {
        let end = way.end.map(|(at, _)| at);
        way.again.retain(|at| *at > way.dispatched_at && end.is_none_or(|end| *at < end));
        way.again.sort();
    }
    ways
}

/// A child of an open epic: what the forge says of it wins.
fn seen_as(way: Option<Way>, status: &ChildStatus, now: Timestamp) -> ChildPast {
    let settled = |way: Way, end| ChildPast::Given(Way { end: way.end.or(end), ..way });
    match (status, way) {
        (ChildStatus::Done | ChildStatus::Skipped, Some(way)) if way.end.is_some() => ChildPast::Given(way),
        (ChildStatus::Done | ChildStatus::Skipped, _) => ChildPast::Gone,
        (ChildStatus::Merged(_), Some(way)) => settled(way, Some((now, End::Merged))),
        (ChildStatus::Merged(_), None) => ChildPast::Gone,
        (ChildStatus::Dispatched | ChildStatus::InReview(_), Some(way)) => {
            // A person gave it back: it is under way again.
            ChildPast::Given(Way { end: None, ..way })
        }
        (ChildStatus::Dispatched | ChildStatus::InReview(_), None) => {
            ChildPast::Given(Way { dispatched_at: now, again: Vec::new(), end: None })
        }
        (
            ChildStatus::WaitsForPhase
            | ChildStatus::Blocked(_)
            | ChildStatus::NeedsApproval
            | ChildStatus::Ready,
            _,
        ) => ChildPast::Waiting,
    }
}

/// The children of an epic that ended: from the intents that made and extended it, and from the journal.
fn of_the_past(
    epic: Number,
    intents: &[Intent],
    journal: &[JournalEntry],
    ways: &mut BTreeMap<Number, Way>,
) -> Children {
    let mut phases: BTreeMap<Number, Phase> = BTreeMap::new();
    let mut add = |drafts: &[PhaseDraft]| {
        for draft in drafts {
            phases.extend(draft.children.iter().map(|child| (*child, draft.phase)));
        }
    };
    for intent in intents {
        match &intent.deed {
            Deed::CreateEpic { epic: draft }
                if intent.receipts.first().is_some_and(|r| r.made == Made::Issue { number: epic }) =>
            {
                add(&draft.phases);
            }
            Deed::ExtendEpic { epic: extended, phases } if *extended == epic => add(phases),
            _ => {}
        }
    }
    for entry in journal.iter().filter(|entry| entry.epic == Some(epic)) {
        phases.entry(entry.child).or_insert(Phase::Parallel);
    }
    let past = |child: Number, ways: &mut BTreeMap<Number, Way>| match ways.remove(&child) {
        Some(way) if way.end.is_some() => ChildPast::Given(way),
        Some(_) | None => ChildPast::Gone,
    };
    phases.into_iter().map(|(child, phase)| (phase, past(child, ways))).collect()
}
