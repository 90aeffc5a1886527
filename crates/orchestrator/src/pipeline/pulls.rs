//! Decisions about pull requests, recorded and carried out.

use super::{
    Orchestrator, Picture, PullView, Turn,
    deeds::{Did, REFUSALS, Wish, done_at},
};
use crate::{Trouble, bug};
use banksman_core::{
    event::What,
    intent::{Deed, Intent, IntentState},
    policy::{Action, Decision, EscalateReason, RULES, WaitReason, eligible},
    port::{DecisionRecord, Lease, Refusal, Store, StoreError, World},
    repo::RepoRules,
    signals::PullState,
    text::BranchName,
    training::{Attempts, points_of_decision},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// How long it may take until the forge shows what was done.
const SHOWS: SignedDuration = SignedDuration::from_mins(2);

impl<W: World> Orchestrator<W> {
    /// Records every open pull request and carries out what was decided. Merges into one base come one after the other until one is
    /// refused; at most one head is updated per base and look.
    pub(crate) async fn act_on_pulls(
        &self,
        turn: &Turn,
        rules: &RepoRules,
        picture: &Picture,
    ) -> Result<bool, Trouble> {
        let lease = self.lease(turn).await?;
        stream::iter(&picture.pulls)
            .map(|pull| {
                let (lease, decision) = (&lease, effective(rules, picture, pull));
                async move { self.record_decision(lease, rules, pull, &decision, picture.at).await }
            })
            .buffered(super::AT_ONCE)
            .try_collect::<Vec<()>>()
            .await?;
        let mut wishes = Vec::new();
        // What moves a base is done one after the other: each changes what the next was evaluated against.
        let mut merges: BTreeMap<&BranchName, Vec<Wish>> = BTreeMap::new();
        let mut updates: BTreeMap<&BranchName, Wish> = BTreeMap::new();
        let mut open: Vec<&PullView> =
            picture.pulls.iter().filter(|p| p.signals.state == PullState::Open).collect();
        // Whoever is refused again and again must not keep the base from the others.
        open.sort_by_key(|pull| was_refused(rules, pull));
        for pull in open {
            self.show_decision(rules, pull);
            let call =
                || unreviewed(rules, picture, pull).then(|| escalation(pull, EscalateReason::ReviewLimit));
            let Some(wish) = wish(rules, pull).or_else(call) else { continue };
            match wish.deed {
                Deed::Merge { .. } => merges.entry(&pull.signals.base).or_default().push(wish),
                Deed::UpdateBranch { .. } => drop(updates.entry(&pull.signals.base).or_insert(wish)),
                _ => wishes.push(wish),
            }
        }
        // A head that is updated while its base moves is behind again at once.
        wishes.extend(
            updates.into_iter().filter(|(base, _)| !merges.contains_key(*base)).map(|(_, wish)| wish),
        );
        let mut done = self.fulfil_all(turn, &rules.repo, wishes).await?;
        for chain in merges.into_values() {
            for wish in chain {
                let number = wish.subject;
                let did = self.fulfil(turn, &rules.repo, wish, &super::deeds::NoDrafts).await?;
                let merged = matches!(did, Did::Done(_));
                done.push((number, did));
                if !merged {
                    break;
                }
            }
        }
        let mut acted = false;
        for (number, did) in done {
            match did {
                Did::Done(_) => acted = true,
                Did::Refused(reason, tries) if tries >= REFUSALS && reason != Refusal::WorkTreeDirty => {
                    let Some(pull) = picture.pulls.iter().find(|p| p.signals.number == number) else {
                        continue;
                    };
                    let call = escalation(pull, EscalateReason::Refused);
                    self.fulfil(turn, &rules.repo, call, &super::deeds::NoDrafts).await?;
                    acted = true;
                }
                // The state that was evaluated is gone: look again at once.
                Did::Refused(Refusal::HeadMoved | Refusal::Ended, _) => acted = true,
                Did::Already(intent) if came_to_nothing(&intent, self.now()) => {
                    let Some(pull) = picture.pulls.iter().find(|p| p.signals.number == number) else {
                        continue;
                    };
                    let call = escalation(pull, EscalateReason::Refused);
                    let did = self.fulfil(turn, &rules.repo, call, &super::deeds::NoDrafts).await?;
                    acted |= matches!(did, Did::Done(_));
                }
                Did::Already(_)
                | Did::Refused(..)
                | Did::Pausing(_)
                | Did::OverCap(_)
                | Did::Unclear
                | Did::Halted(_) => {}
            }
        }
        Ok(acted)
    }

    /// Records what was seen and decided, for the next look and for learning.
    pub(super) async fn record_decision(
        &self,
        lease: &Lease,
        rules: &RepoRules,
        pull: &PullView,
        decision: &Decision,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (signals, history) = (&pull.signals, &pull.history);
        let attempts = Attempts { conflict: history.conflict.count, review_fix: history.review.count };
        let eligible = eligible(signals, history, &rules.limits, at);
        // The name of the rules has the shape of one.
        let points = points_of_decision(&rules.repo, signals, attempts, decision, &eligible, RULES, at)
            .unwrap_or_default();
        let record =
            DecisionRecord { repo: &rules.repo, signals, decision, policy: "rules", at, points: &points };
        self.world.store().observe(lease, &record).await?;
        let key = (rules.repo.clone(), signals.number);
        let told = (signals.clone(), decision.clone());
        let before = {
            let mut all = self.told.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            all.insert(key, told.clone())
        };
        if before.as_ref() != Some(&told) {
            self.outlet.recorded(&points);
        }
        Ok(())
    }

    fn show_decision(&self, rules: &RepoRules, pull: &PullView) {
        let shown = (pull.decision.row, pull.decision.action.clone());
        let key = (rules.repo.clone(), pull.signals.number);
        {
            let mut all = self.shown.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            if all.get(&key) == Some(&shown) {
                return;
            }
            all.insert(key, shown);
        }
        let wait = match pull.decision.action {
            Action::Wait { reason } => Some(reason),
            _ => None,
        };
        let what = What::Decided {
            pull: pull.signals.number,
            row: pull.decision.row,
            action: pull.decision.action.kind(),
            wait,
        };
        self.show(&rules.repo, what);
    }
}

/// What is done in the end: a person is called where the table alone would wait for what never comes.
fn effective(rules: &RepoRules, picture: &Picture, view: &PullView) -> Decision {
    let open = view.signals.state == PullState::Open;
    let reason = match wish(rules, view) {
        Some(Wish { deed: Deed::Escalate { reason, .. }, .. }) if open => Some(reason),
        None if open && unreviewed(rules, picture, view) => Some(EscalateReason::ReviewLimit),
        Some(_) | None => None,
    };
    match reason {
        Some(reason) => Decision { row: view.decision.row, action: Action::Escalate { reason } },
        None => view.decision.clone(),
    }
}

/// The deed of a decision; waiting and resolving have none.
pub(crate) fn wish(rules: &RepoRules, view: &PullView) -> Option<Wish> {
    let pull = view.signals.number;
    let (deed, round) = match &view.decision.action {
        Action::Resolve | Action::Wait { .. } => return None,
        Action::RequestReviewFix => (Deed::RequestReviewFix { pull }, view.history.review.count + 1),
        Action::RequestConflictFix => (Deed::RequestConflictFix { pull }, view.history.conflict.count + 1),
        Action::ResolveThreads { threads } => (Deed::ResolveThreads { pull, threads: threads.clone() }, 1),
        Action::UpdateBranch { head } => {
            let head = head.clone();
            (Deed::UpdateBranch { pull, head }, 1)
        }
        Action::EnableAutoMerge { head } => (Deed::EnableAutoMerge { pull, head: head.clone() }, 1),
        Action::Merge { head } => {
            let method = if view.of_epic.is_some() { rules.epic_merge } else { rules.child_merge };
            let head = match view.heads.first() {
                Some(first) if bug!(StaleMergeSha) => first.sha.clone(),
                _ => head.clone(),
            };
            (Deed::Merge { pull, head, method }, 1)
        }
        // Where all the work is done elsewhere nobody here could.
        Action::ResolveConflict if view.engine.is_none() && rules.own_engine().is_none() => {
            return Some(escalation(view, EscalateReason::ConflictUnresolved));
        }
        Action::ResolveConflict => (Deed::ResolveConflict { pull }, 1),
        Action::Escalate { reason } => return Some(escalation(view, *reason)),
    };
    Some(Wish { subject: pull, deed, round, spend: None })
}

/// What was done is due again some time later for the same head: the merge queue threw it out, or somebody switched auto-merge off or set the
/// branch back. Whoever undid it knows why, and doing it again would only be undone again.
fn came_to_nothing(intent: &Intent, now: Timestamp) -> bool {
    let undone =
        matches!(intent.deed, Deed::Merge { .. } | Deed::EnableAutoMerge { .. } | Deed::UpdateBranch { .. });
    undone && done_at(intent).is_some_and(|at| now.duration_since(at) > SHOWS)
}

/// The forge refused before what is due now.
fn was_refused(rules: &RepoRules, view: &PullView) -> bool {
    wish(rules, view).is_some_and(|wish| {
        let key = wish.deed.key(wish.round);
        view.intents.iter().any(|i| i.key == key && matches!(i.state, IntentState::Refused { .. }))
    })
}

/// Approval is missing and none of our reviewers has anything more to say about this head: their attempts failed, or they want
/// changes without saying which. Nothing would ever change that by itself.
fn unreviewed(rules: &RepoRules, picture: &Picture, view: &PullView) -> bool {
    let reviews = view.signals.reviews;
    let waits = matches!(
        view.decision.action,
        Action::Wait { reason: WaitReason::ReviewRequired | WaitReason::AutoMergeArmed }
    );
    let missing = reviews.approved < reviews.required || reviews.changes_requested > 0;
    let due = super::enqueue::reviews(rules, view);
    waits
        && missing
        && !due.is_empty()
        && due.iter().all(|(task, engine)| {
            let job = picture.work.iter().find(|job| super::enqueue::is_same(job, task, engine));
            job.is_some_and(|job| job.state.is_final())
        })
}

/// Calls a person to a pull request. Each call of one state of it is a deed of its own.
pub(crate) fn escalation(view: &PullView, reason: EscalateReason) -> Wish {
    let mark = view.signals.mark();
    let earlier = view
        .intents
        .iter()
        .filter(|i| matches!(&i.deed, Deed::Escalate { mark: m, .. } if bug!(EscalationForgotten) || m.as_ref() != Some(&mark)))
        .count() as u32;
    let subject = view.signals.number;
    Wish {
        subject,
        deed: Deed::Escalate { subject, reason, mark: Some(mark) },
        round: earlier + 1,
        spend: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use banksman_core::{
        id::Number,
        intent::MergeMethod,
        text::{RepoName, Sha},
    };

    #[test]
    fn what_was_done_and_is_due_again_is_noticed() {
        let (pull, head) = (Number(7), Sha::new(&"a".repeat(40)).unwrap());
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let intent = |deed: Deed, state| Intent {
            repo: RepoName::new("a/b").unwrap(),
            key: deed.key(1),
            subject: pull,
            deed,
            created_at: at(0),
            receipts: Vec::new(),
            state,
        };
        let merge = || Deed::Merge { pull, head: head.clone(), method: MergeMethod::Squash };
        let done = IntentState::Done { at: at(100) };
        assert!(came_to_nothing(&intent(merge(), done.clone()), at(1000)));
        assert!(came_to_nothing(
            &intent(Deed::EnableAutoMerge { pull, head: head.clone() }, done.clone()),
            at(1000)
        ));
        let update = Deed::UpdateBranch { pull, head: head.clone() };
        assert!(came_to_nothing(&intent(update, done.clone()), at(1000)), "somebody set the branch back");
        assert!(!came_to_nothing(&intent(merge(), done.clone()), at(160)), "the forge may not show it yet");
        assert!(!came_to_nothing(&intent(merge(), IntentState::Open), at(1000)));
        assert!(!came_to_nothing(&intent(Deed::RequestReviewFix { pull }, done), at(1000)));
    }
}
