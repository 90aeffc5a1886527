//! The end of a world: faults are over, people have nothing more in mind, an orchestrator says that nothing moves. Then everything
//! has to be finished (I9), accounted for (I1), ticked (I5) and free of strangers' words (I10).

use crate::{
    forge::{State, Town},
    judge::{excused, trusted},
    plan::RepoPlan,
    universe::Universe,
    violation::Invariant,
};
use banksman_core::{
    id::Number,
    intent::{APPROVED, Deed, IntentState, NEEDS_APPROVAL, NEEDS_INTERVENTION},
    port::LedgerState,
    signals::TitleKind,
};

impl Universe {
    /// Looks at everything once more.
    pub(crate) fn check_end(&mut self, plans: &[RepoPlan]) {
        let store = std::mem::take(&mut self.store);
        self.check_text("store", &store);
        self.store = store;
        let unfinished: Vec<String> = self
            .store
            .rows()
            .iter()
            .filter(|row| !row.job.state.is_final())
            .map(|row| format!("job {} {:?} is not finished", row.job.id, row.job.work.task()))
            .collect();
        unfinished.into_iter().for_each(|what| self.violated(Invariant::Ends, what));
        self.check_jobs_end();
        for plan in plans {
            let found = self.in_town(&plan.name, |town, u| u.unfinished(plan, town)).unwrap_or_default();
            for (invariant, what) in found {
                self.violated(invariant, format!("{}: {what}", plan.name));
            }
        }
    }

    /// A canary may not be in the store at any moment; called now and then.
    pub(crate) fn check_store_text(&mut self) {
        let store = std::mem::take(&mut self.store);
        self.check_text("store", &store);
        self.store = store;
    }

    fn unfinished(&self, plan: &RepoPlan, town: &Town) -> Vec<(Invariant, String)> {
        let mut found = Vec::new();
        let Some(book) = self.store.repo(&plan.name) else {
            return vec![(Invariant::Ends, "nothing was begun".to_owned())];
        };
        for intent in book.intents.iter().filter(|i| i.state == IntentState::Open) {
            found.push((Invariant::Ends, format!("the intent {} is still open", intent.key)));
        }
        // Refused deeds may be replaced by others; those of intake may not.
        let count = |is: fn(&Deed) -> bool| book.intents.iter().filter(|i| is(&i.deed)).count();
        if count(|d| matches!(d, Deed::CreateIssue { .. })) != plan.orders.len() {
            found.push((Invariant::NothingLost, "not every finding became an issue".to_owned()));
        }
        let own = town.issues.values().filter(|i| i.author == crate::forge::town::ME).count();
        if own != plan.orders.len() + book.epics.len() {
            found.push((
                Invariant::OneEffect,
                format!("{own} issues of ours, expected {} + {}", plan.orders.len(), book.epics.len()),
            ));
        }
        for record in book.epics.values() {
            self.unfinished_epic(plan, town, record.number, &mut found);
        }
        for (number, pull) in town.pulls.iter().filter(|(_, p)| trusted(p.author)) {
            let ended = pull.state != State::Open;
            if ended && book.pulls.contains_key(number) && !book.outcomes.contains_key(number) {
                found.push((Invariant::NothingLost, format!("#{number} ended without an outcome")));
            }
            let child = pull
                .closes
                .first()
                .filter(|c| town.facts(**c).is_some_and(|f| f.title.kind != Some(TitleKind::Epic)));
            if let (State::Merged { .. }, Some(child)) = (&pull.state, child)
                && book.pulls.contains_key(number)
                && !book.journal.iter().any(|e| e.child == *child)
            {
                found.push((Invariant::NothingLost, format!("#{child} was merged and has no journal line")));
            }
        }
        for line in &book.ledger {
            if line.entry.state == LedgerState::Reserved {
                found.push((Invariant::Cap, format!("the spend of {} is still reserved", line.key)));
            }
        }
        for (repo, child) in &self.notes.dispatched {
            let settled = book
                .ledger
                .iter()
                .map(|l| &l.entry)
                .any(|e| e.issue == *child && e.state == LedgerState::Settled);
            if *repo == plan.name && !settled {
                found
                    .push((Invariant::NothingLost, format!("the dispatch of #{child} is not in the ledger")));
            }
        }
        found
    }

    fn unfinished_epic(
        &self,
        plan: &RepoPlan,
        town: &Town,
        epic: Number,
        found: &mut Vec<(Invariant, String)>,
    ) {
        let list = town.checklist(epic).unwrap_or_default();
        let book = self.store.repo(&plan.name);
        let mut waits_for_approval = false;
        let mut open = Vec::new();
        for entry in &list.entries {
            let Some(facts) = town.facts(entry.child) else { continue };
            if !facts.open {
                if !entry.ticked && town.issues.get(&epic).is_some_and(|i| i.open) {
                    found.push((
                        Invariant::Checklist,
                        format!("#{} is done and not ticked on #{epic}", entry.child),
                    ));
                }
            } else if facts.has_label(NEEDS_APPROVAL) && !facts.has_label(APPROVED) {
                waits_for_approval = true;
            } else if !excused(town, entry.child) {
                open.push(entry.child);
            }
        }
        if waits_for_approval {
            return;
        }
        // What an epic left behind when it was closed was judged then.
        let closed = town.issues.get(&epic).is_some_and(|i| !i.open);
        if !open.is_empty() && !closed {
            found.push((
                Invariant::Ends,
                format!("children {open:?} of #{epic} are neither done nor with a person"),
            ));
            return;
        }
        let record = book.and_then(|b| b.epics.get(&epic));
        let ended = town.issues.get(&epic).is_some_and(|i| !i.open);
        let own_pull = record.and_then(|r| town.pulls.iter().rfind(|(_, p)| p.head_branch == r.branch));
        let called = town.has_label(epic, NEEDS_INTERVENTION)
            || own_pull.is_some_and(|(n, _)| town.has_label(*n, NEEDS_INTERVENTION));
        match (ended, called) {
            (false, false) => {
                found.push((Invariant::Ends, format!("#{epic} is neither closed nor with a person")))
            }
            (true, _) => {
                if record.is_some_and(|r| r.ended_at.is_none()) {
                    found.push((Invariant::NothingLost, format!("#{epic} is closed and its record is not")));
                }
                if record.is_some_and(|r| town.branches.contains_key(&r.branch)) {
                    found.push((Invariant::Ends, format!("#{epic} is closed and its branch is still there")));
                }
            }
            (false, true) => {}
        }
    }
}
