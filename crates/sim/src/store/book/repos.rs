//! What is kept of repositories: leases, intents, spends, observations, plans, epics, journal.

use super::{Answer, Book, budget::Line, end};
use banksman_core::{
    id::{Number, Token},
    intent::{Intent, IntentState, NewIntent, Receipt},
    journal::JournalEntry,
    port::{
        DecisionRecord, EpicRecord, HeadSeen, Intended, Lease, LedgerState, Look, OutcomeRecord, PlanRecord,
        Refusal, Spend, StoreError,
    },
    signals::{CheckState, Signals},
    text::{Holder, RepoName},
};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// All that is kept of one repository.
#[derive(Debug, Default, Serialize)]
pub(crate) struct RepoBook {
    lease: Option<(Holder, Timestamp)>,
    token: u64,
    pub(crate) intents: Vec<Intent>,
    tries: Vec<u32>,
    #[serde(skip)]
    by_key: HashMap<String, usize>,
    pub(crate) ledger: Vec<Line>,
    pub(crate) pulls: BTreeMap<Number, Observed>,
    pub(crate) outcomes: BTreeMap<Number, OutcomeRecord>,
    pub(crate) journal: Vec<JournalEntry>,
    plans: Vec<PlanRecord>,
    pub(crate) epics: BTreeMap<Number, EpicRecord>,
}

/// What was observed of one pull request.
#[derive(Debug, Serialize)]
pub(crate) struct Observed {
    last: Signals,
    // The book is searched for canaries through `last`, which each of them was once.
    #[serde(skip)]
    looks: Vec<Look>,
    heads: Vec<HeadSeen>,
    observations: u64,
}

impl RepoBook {
    fn at(&self, key: &str) -> Answer<usize> {
        self.by_key.get(key).copied().ok_or(StoreError::Missing("intent"))
    }

    /// One intent.
    pub(crate) fn intent(&self, key: &str) -> Option<&Intent> {
        self.at(key).ok().map(|at| &self.intents[at])
    }

    fn spent_since(&self, since: Timestamp) -> u32 {
        self.ledger
            .iter()
            .map(|line| &line.entry)
            .filter(|e| e.state != LedgerState::Released && e.at >= since)
            .map(|e| e.cost)
            .sum()
    }

    fn mark_spend(&mut self, key: &str, state: LedgerState) {
        let open = |line: &&mut Line| line.key == key && line.entry.state == LedgerState::Reserved;
        if let Some(line) = self.ledger.iter_mut().rfind(open) {
            line.entry.state = state;
        }
    }

    fn open(&mut self, key: &str) -> Answer<usize> {
        let at = self.at(key)?;
        if self.intents[at].state == IntentState::Open {
            Ok(at)
        } else {
            Err(StoreError::Missing("open intent"))
        }
    }
}

impl Book {
    /// The book of a repository.
    pub(crate) fn repo(&self, repo: &RepoName) -> Option<&RepoBook> {
        self.repos.get(repo)
    }

    /// The book of a repository, for a writer that may write about it.
    pub(super) fn about(&mut self, lease: &Lease, repo: &RepoName) -> Answer<&mut RepoBook> {
        if lease.repo == *repo { self.fenced(lease) } else { Err(StoreError::Fenced) }
    }

    pub(super) fn fenced(&mut self, lease: &Lease) -> Answer<&mut RepoBook> {
        let book = self.repos.entry(lease.repo.clone()).or_default();
        let held = book.lease.as_ref().is_some_and(|(holder, _)| *holder == lease.holder);
        if held && book.token == lease.token.0 { Ok(book) } else { Err(StoreError::Fenced) }
    }

    pub(crate) fn lease(
        &mut self,
        repo: &RepoName,
        holder: &Holder,
        now: Timestamp,
        ttl_ms: i64,
    ) -> Option<Lease> {
        let book = self.repos.entry(repo.clone()).or_default();
        match &book.lease {
            Some((other, until)) if other != holder && *until > now => return None,
            Some((same, _)) if same == holder => {}
            _ => book.token += 1,
        }
        let until = end(now, ttl_ms);
        book.lease = Some((holder.clone(), until));
        Some(Lease { repo: repo.clone(), holder: holder.clone(), token: Token(book.token), until })
    }

    pub(crate) fn break_leases(&mut self, gone: &dyn Fn(&Holder) -> bool) -> u64 {
        let mut broken = 0;
        for book in self.repos.values_mut() {
            if book.lease.as_ref().is_some_and(|(holder, _)| gone(holder)) {
                book.lease = None;
                broken += 1;
            }
        }
        broken
    }

    pub(crate) fn intend(
        &mut self,
        lease: &Lease,
        new: &NewIntent,
        spend: Option<&Spend>,
    ) -> Answer<Intended> {
        let book = self.about(lease, &new.repo)?;
        let known = book.by_key.get(&new.key).copied();
        if let Some(at) = known
            && !matches!(book.intents[at].state, IntentState::Refused { .. })
        {
            return Ok(Intended::Exists(book.intents[at].clone()));
        }
        if let Some(spend) = spend {
            if spend.cap.is_some_and(|cap| book.spent_since(spend.window_start) + spend.cost > cap) {
                return Ok(Intended::OverCap);
            }
            let line = match self.budget_line(new, spend)? {
                Ok(line) => line,
                Err(why) => return Ok(Intended::OverBudget(why)),
            };
            let book = self.fenced(lease)?;
            match book.ledger.iter_mut().find(|line| line.key == new.key) {
                Some(released) => *released = line,
                None => book.ledger.push(line),
            }
        }
        let book = self.fenced(lease)?;
        match known {
            Some(at) => {
                let intent = &mut book.intents[at];
                intent.state = IntentState::Open;
                if intent.receipts.is_empty() {
                    intent.deed = new.deed.clone();
                }
                Ok(Intended::Again(intent.clone()))
            }
            None => {
                let intent = Intent {
                    repo: new.repo.clone(),
                    key: new.key.clone(),
                    subject: new.subject,
                    deed: new.deed.clone(),
                    created_at: new.at,
                    receipts: Vec::new(),
                    state: IntentState::Open,
                };
                book.by_key.insert(new.key.clone(), book.intents.len());
                book.intents.push(intent.clone());
                book.tries.push(0);
                Ok(Intended::New(intent))
            }
        }
    }

    pub(crate) fn record(&mut self, lease: &Lease, key: &str, receipt: &Receipt, done: bool) -> Answer<()> {
        let book = self.fenced(lease)?;
        let at = book.open(key)?;
        book.intents[at].receipts.push(receipt.clone());
        if done {
            book.intents[at].state = IntentState::Done { at: receipt.at };
            book.mark_spend(key, LedgerState::Settled);
        }
        Ok(())
    }

    pub(crate) fn settle(
        &mut self,
        lease: &Lease,
        key: &str,
        refusal: Option<Refusal>,
        now: Timestamp,
    ) -> Answer<()> {
        let book = self.fenced(lease)?;
        let at = book.open(key)?;
        book.intents[at].state = match refusal {
            None => IntentState::Done { at: now },
            Some(reason) => {
                book.tries[at] += 1;
                IntentState::Refused { reason, at: now, tries: book.tries[at] }
            }
        };
        book.mark_spend(key, if refusal.is_none() { LedgerState::Settled } else { LedgerState::Released });
        Ok(())
    }

    pub(crate) fn observe(&mut self, lease: &Lease, record: &DecisionRecord<'_>) -> Answer<()> {
        let book = self.about(lease, record.repo)?;
        let signals = record.signals;
        let seen = book.pulls.entry(signals.number).or_insert_with(|| Observed {
            last: signals.clone(),
            looks: vec![Look { at: record.at, signals: signals.clone() }],
            heads: Vec::new(),
            observations: 0,
        });
        seen.observations += 1;
        if !seen.heads.iter().any(|h| h.sha == signals.head) {
            seen.heads.push(HeadSeen {
                sha: signals.head.clone(),
                at: signals.head_at,
                green_at: None,
                red_at: None,
            });
        }
        if let Some(head) = seen.heads.iter_mut().find(|h| h.sha == signals.head) {
            if signals.all_green() {
                head.green_at.get_or_insert(record.at);
            }
            if signals.checks.iter().any(|c| c.state == CheckState::Failing) {
                head.red_at.get_or_insert(record.at);
            }
        }
        if seen.last != *signals {
            seen.last = signals.clone();
            seen.looks.push(Look { at: record.at, signals: signals.clone() });
        }
        Ok(())
    }

    pub(crate) fn record_outcome(&mut self, lease: &Lease, outcome: &OutcomeRecord) -> Answer<()> {
        self.about(lease, &outcome.repo)?.outcomes.entry(outcome.pull).or_insert_with(|| outcome.clone());
        Ok(())
    }

    pub(crate) fn write_journal(&mut self, lease: &Lease, entry: &JournalEntry) -> Answer<()> {
        let book = self.about(lease, &entry.repo)?;
        if !book.journal.iter().any(|e| e.child == entry.child) {
            book.journal.push(entry.clone());
        }
        Ok(())
    }

    pub(crate) fn plan(&mut self, lease: &Lease, plan: &PlanRecord) -> Answer<PlanRecord> {
        let book = self.fenced(lease)?;
        if let Some(known) = book.plans.iter().find(|p| p.key == plan.key) {
            return Ok(known.clone());
        }
        book.plans.push(plan.clone());
        Ok(plan.clone())
    }

    pub(crate) fn plan_done(&mut self, lease: &Lease, key: &str, now: Timestamp) -> Answer<()> {
        let book = self.fenced(lease)?;
        let plan = book.plans.iter_mut().find(|p| p.key == key).ok_or(StoreError::Missing("plan"))?;
        plan.done_at.get_or_insert(now);
        Ok(())
    }

    pub(crate) fn plans(&self, repo: &RepoName) -> Vec<PlanRecord> {
        self.repo(repo).map(|b| b.plans.clone()).unwrap_or_default()
    }

    pub(crate) fn add_epic(&mut self, lease: &Lease, epic: &EpicRecord) -> Answer<()> {
        self.about(lease, &epic.repo)?.epics.entry(epic.number).or_insert_with(|| epic.clone());
        Ok(())
    }

    pub(crate) fn end_epic(&mut self, lease: &Lease, epic: Number, now: Timestamp) -> Answer<()> {
        let epic = self.fenced(lease)?.epics.get_mut(&epic).ok_or(StoreError::Missing("epic"))?;
        epic.ended_at.get_or_insert(now);
        Ok(())
    }

    pub(crate) fn last_signals(&self, repo: &RepoName, pull: Number) -> Option<Signals> {
        Some(self.repo(repo)?.pulls.get(&pull)?.last.clone())
    }

    pub(crate) fn looks(&self, repo: &RepoName, pull: Number) -> Vec<Look> {
        self.repo(repo).and_then(|b| b.pulls.get(&pull)).map(|p| p.looks.clone()).unwrap_or_default()
    }

    pub(crate) fn heads(&self, repo: &RepoName, pull: Number) -> Vec<HeadSeen> {
        self.repo(repo).and_then(|b| b.pulls.get(&pull)).map(|p| p.heads.clone()).unwrap_or_default()
    }
}
