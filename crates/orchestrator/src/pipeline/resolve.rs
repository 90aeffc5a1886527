//! The end of a pull request: its child closed, its outcome and journal line written (X10, X11). The outcome comes last, so
//! that a crash anywhere before it makes the next look go on here.

use super::{
    Orchestrator, Picture, PullView, Turn,
    deeds::{Did, NoDrafts, REFUSALS, Wish, action_of, done_at},
    history::{is_about, own_heads},
};
use crate::{Trouble, bug};
use banksman_core::{
    event::What,
    id::Number,
    intent::{Deed, Intent},
    job::Job,
    journal::{self, Automation, CiRun, Cycle, HeadLine, JOURNAL_SCHEMA, JournalEntry},
    policy::EscalateReason,
    port::{Forge, HeadSeen, IssueQuery, OutcomeDetail, OutcomeRecord, OutcomeResult, Store, World},
    repo::RepoRules,
    signals::{CheckState, IssueFacts, PullState, Thread},
    text::Sha,
};
use jiff::Timestamp;

impl<W: World> Orchestrator<W> {
    /// Resolves every pull request that ended.
    pub(crate) async fn resolve_ended(
        &self,
        turn: &Turn,
        rules: &RepoRules,
        picture: &Picture,
    ) -> Result<bool, Trouble> {
        let mut acted = false;
        for pull in &picture.pulls {
            let (merged, at) = match &pull.signals.state {
                PullState::Open => continue,
                PullState::Merged { at, .. } => (true, *at),
                PullState::Closed { at } => (false, *at),
            };
            let child = match (pull.of_epic, pull.closes()) {
                (None, Some(child)) => self
                    .world
                    .forge()
                    .issues(&rules.repo, &IssueQuery::Numbers(vec![child]))
                    .await?
                    .into_iter()
                    .next(),
                _ => None,
            };
            if let Some(child) = &child {
                let wish = match merged {
                    true if child.open => {
                        Some(Wish::new(child.number, Deed::CloseChild { child: child.number }))
                    }
                    false if child.open => {
                        Some(self.call(&picture.work, child.number, EscalateReason::PullClosed).await?)
                    }
                    true | false => None,
                };
                if let Some(wish) = wish {
                    let did = self.fulfil(turn, &rules.repo, wish, &NoDrafts).await?;
                    acted |= self.call_if_refused(turn, picture, rules, child.number, &did).await?;
                    // Without an outcome the next look comes here again; a child that a person was called to is left to them.
                    match did {
                        Did::Unclear | Did::Pausing(_) | Did::Halted(_) => continue,
                        Did::Refused(_, tries) if tries < REFUSALS => continue,
                        Did::Done(_) | Did::Already(_) | Did::Refused(..) | Did::OverCap => {}
                    }
                }
            }
            let requests = pull.history.review.count + pull.history.conflict.count;
            let (result, detail) = match merged {
                true if requests == 0 && pull.heads.len() <= 1 => {
                    (OutcomeResult::Success, OutcomeDetail::MergedClean)
                }
                true => (OutcomeResult::Success, OutcomeDetail::MergedAfterFixes),
                false if pull.history.escalated.is_some() => {
                    (OutcomeResult::Escalated, OutcomeDetail::NeedsIntervention)
                }
                false => (OutcomeResult::Closed, OutcomeDetail::ClosedUnmerged),
            };
            if let Some(child) = child
                && !bug!(JournalMissing)
            {
                let entry = self.journal_entry(rules, picture, pull, &child, (result, detail), at).await?;
                let (epic, child) = (entry.epic, entry.child);
                self.world.store().write_journal(&self.lease(turn).await?, &entry).await?;
                self.show(&rules.repo, What::Journaled { epic, child });
            }
            let outcome = OutcomeRecord {
                repo: rules.repo.clone(),
                pull: pull.signals.number,
                result,
                detail,
                resolution_hours: at.duration_since(pull.signals.created_at).as_secs_f64() / 3600.0,
                at,
            };
            self.world.store().record_outcome(&self.lease(turn).await?, &outcome).await?;
            acted = true;
        }
        Ok(acted)
    }

    async fn journal_entry(
        &self,
        rules: &RepoRules,
        picture: &Picture,
        pull: &PullView,
        child: &IssueFacts,
        (result, detail): (OutcomeResult, OutcomeDetail),
        ended_at: Timestamp,
    ) -> Result<JournalEntry, Trouble> {
        let about_child = self.world.store().intents_about(&rules.repo, child.number).await?;
        let dispatched_at = about_child.iter().filter(|i| hands_out(&i.deed)).find_map(done_at);
        let signals = &pull.signals;
        let begun = dispatched_at.unwrap_or(signals.created_at);
        let work: Vec<&Job> = picture.work.iter().filter(|job| is_about(job, signals.number)).collect();
        let own = own_heads(&pull.intents, &work);
        Ok(JournalEntry {
            schema: JOURNAL_SCHEMA,
            repo: rules.repo.clone(),
            epic: epic_of(picture, child),
            child: child.number,
            pull: Some(signals.number),
            dispatched_at,
            opened_at: Some(signals.created_at),
            first_green_at: pull.heads.iter().find_map(|h| h.green_at),
            merged_at: match &signals.state {
                PullState::Merged { at, .. } => Some(*at),
                PullState::Open | PullState::Closed { .. } => None,
            },
            heads: pull.heads.iter().map(|h| HeadLine { sha: h.sha.clone(), at: h.at }).collect(),
            review_cycles: cycles(pull, &own, |d| matches!(d, Deed::RequestReviewFix { .. })),
            conflict_cycles: cycles(pull, &own, |d| matches!(d, Deed::RequestConflictFix { .. })),
            ci_failures: pull.heads.iter().filter(|h| h.red_at.is_some()).map(|h| ci_run(pull, h)).collect(),
            automations: automations(about_child.iter().chain(&pull.intents)),
            implementer: pull.engine.clone(),
            login: Some(signals.author_login.clone()),
            additions: signals.additions,
            deletions: signals.deletions,
            changed_files: signals.changed_files,
            labels: journal::origin(&child.labels),
            result,
            detail,
            duration_seconds: ended_at.duration_since(begun).as_secs(),
            at: self.now(),
        })
    }
}

/// The epic whose checklist has the child, or the one the forge links it to.
fn epic_of(picture: &Picture, child: &IssueFacts) -> Option<Number> {
    picture
        .epics
        .iter()
        .find(|e| e.facts.checklist.entry(child.number).is_some())
        .map(|e| e.record.number)
        .or(child.parent)
}

fn hands_out(deed: &Deed) -> bool {
    matches!(deed, Deed::Dispatch { .. } | Deed::DispatchDirect { .. })
}

/// Requests of one kind with the first head that answered each; heads of our `own` are no answer.
fn cycles(pull: &PullView, own: &[&Sha], kind: fn(&Deed) -> bool) -> Vec<Cycle> {
    pull.intents
        .iter()
        .filter(|i| kind(&i.deed))
        .filter_map(|i| Some((&i.deed, done_at(i)?)))
        .map(|(deed, sent_at)| {
            let answer = pull.heads.iter().find(|h| h.at > sent_at && !own.contains(&&h.sha));
            let asked =
                |t: &&Thread| matches!(deed, Deed::RequestReviewFix { .. }) && t.created_at <= sent_at;
            let threads = pull.signals.threads.iter().filter(asked).map(|t| t.id).collect();
            Cycle {
                threads,
                sent_at,
                response: answer.map(|h| h.sha.clone()),
                responded_at: answer.map(|h| h.at),
            }
        })
        .collect()
}

/// Names are known for the present head only; of older heads that a check was red.
fn ci_run(pull: &PullView, head: &HeadSeen) -> CiRun {
    let failed = if head.sha == pull.signals.head {
        let red = pull.signals.checks.iter().filter(|c| c.state == CheckState::Failing);
        red.map(|c| c.name.clone()).collect()
    } else {
        Vec::new()
    };
    CiRun { sha: head.sha.clone(), failed }
}

fn automations<'a>(intents: impl Iterator<Item = &'a Intent>) -> Vec<Automation> {
    let mut all: Vec<Automation> = Vec::new();
    for intent in intents {
        let (Some(action), Some(at)) = (action_of(&intent.deed), done_at(intent)) else { continue };
        match all.iter_mut().find(|a| a.action == action) {
            Some(known) => {
                known.count += 1;
                known.at = known.at.max(at);
            }
            None => all.push(Automation { action, at, count: 1 }),
        }
    }
    all.sort_by_key(|a| a.action);
    all
}
