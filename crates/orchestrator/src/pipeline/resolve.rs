//! The end of a pull request: its child closed, its outcome and journal line written (X10, X11). The outcome comes last, so
//! that a crash anywhere before it makes the next look go on here.

use super::{
    Orchestrator, Picture, Turn,
    deeds::{Did, NoDrafts, REFUSALS, Wish},
};
use crate::{Trouble, bug};
use banksman_core::{
    event::What,
    intent::Deed,
    policy::EscalateReason,
    port::{Forge, IssueQuery, OutcomeDetail, OutcomeRecord, OutcomeResult, Store, World},
    repo::RepoRules,
    signals::PullState,
    training::ended,
};

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
                        Did::Done(_) | Did::Already(_) | Did::Refused(..) | Did::OverCap(_) => {}
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
            self.outlet.recorded(&[ended(&outcome)]);
            acted = true;
        }
        Ok(acted)
    }
}
