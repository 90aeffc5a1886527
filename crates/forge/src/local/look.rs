//! A look at pull requests: what the book knows and where the branches are, brought together. Whatever happened outside, or
//! half happened before a crash, is recorded on the way; an idle look reads files and the book and starts no process.

use super::{LocalError, LocalForge, home::Home};
use crate::git::{Heads, Relation};
use banksman_core::{
    port::{
        Book, Checker,
        book::{Commits, Ending, HeadOrigin, PullRecord, RunState, Select, Sighting, Size},
    },
    signals::PullState,
    text::Sha,
};

/// Times that one look goes round before it takes things as they are: each round records something, and what it recorded
/// has to be read again.
const ROUNDS: usize = 4;

/// A pull request as a look found it.
pub(super) struct Seen {
    /// What the book knows.
    pub(super) record: PullRecord,
    /// Where its branches are; `None` once it has ended.
    pub(super) now: Option<Now>,
}

/// Where the branches of an open pull request are.
pub(super) struct Now {
    /// The head commit.
    pub(super) head: Sha,
    /// The commit at the tip of its base.
    pub(super) base: Sha,
    /// How the two stand to each other.
    pub(super) relation: Relation,
}

/// What a look found to be recorded.
#[derive(Default)]
struct News {
    sightings: Vec<Sighting>,
    reruns: Vec<Sha>,
    changed: bool,
}

impl<B: Book, C: Checker> LocalForge<B, C> {
    /// Looks at pull requests, ascending by number.
    pub(super) async fn look(&self, home: &Home, which: &Select) -> Result<Vec<Seen>, LocalError> {
        self.tidy(home).await?;
        self.merge_armed(home).await?;
        let repo = &home.rules.name;
        let mut round = 0;
        loop {
            round += 1;
            // Branches after the book: a branch that the book speaks of was there when that was written.
            let records = self.book.pulls(repo, which).await?;
            let heads = home.git.heads().await?;
            let mut news = News::default();
            let mut seen = Vec::with_capacity(records.len());
            for record in records {
                let now = match record.state {
                    PullState::Open => self.consider(home, &record, &heads, &mut news).await?,
                    PullState::Merged { .. } | PullState::Closed { .. } => None,
                };
                seen.push(Seen { record, now });
            }
            if !news.sightings.is_empty() {
                news.changed = true;
                self.book.see(repo, news.sightings, home.checking(), self.now()).await?;
            }
            if !news.reruns.is_empty() {
                news.changed = true;
                self.book.rerun(repo, news.reruns, self.now()).await?;
            }
            if !news.changed || round == ROUNDS {
                return Ok(seen);
            }
            self.queued.notify_one();
        }
    }

    /// Looks at one pull request.
    pub(super) async fn look_at(
        &self,
        home: &Home,
        pull: banksman_core::id::Number,
    ) -> Result<Seen, LocalError> {
        let mut seen = self.look(home, &Select::Numbers(vec![pull])).await?;
        seen.pop().ok_or(LocalError::Refused(banksman_core::port::Refusal::NotFound))
    }

    /// Compares an open pull request with the branches.
    async fn consider(
        &self,
        home: &Home,
        record: &PullRecord,
        heads: &Heads,
        news: &mut News,
    ) -> Result<Option<Now>, LocalError> {
        let (repo, pull) = (&home.rules.name, record.number);
        let Some(base) = heads.get(&record.base) else {
            news.changed = true;
            self.book.retarget(repo, &record.base, &home.rules.default_branch, self.now()).await?;
            return Ok(None);
        };
        if let Some(plan) = &record.plan
            && plan.base == record.base
            && !home.git.relate(&plan.commit, base).await?.ahead
        {
            // The base moved as planned and the record was lost.
            let ending = Ending::Merged { head: plan.head.clone(), commit: plan.commit.clone() };
            news.changed = true;
            self.book.end_pull(repo, pull, &ending, plan.size, self.now()).await?;
            return Ok(None);
        }
        let last = &record.head;
        let known = home.git.relate(&last.sha, base).await;
        if let Ok(known) = &known
            && !known.ahead
            && last.commits == Commits::Some
        {
            // Somebody merged it with git.
            let ending = Ending::Merged { head: last.sha.clone(), commit: base.clone() };
            news.changed = true;
            self.book.end_pull(repo, pull, &ending, Size::default(), self.now()).await?;
            return Ok(None);
        }
        let Some(head) = heads.get(&record.head_branch) else {
            let size = known.map(|relation| relation.size).unwrap_or_default();
            news.changed = true;
            self.book.end_pull(repo, pull, &Ending::Closed, size, self.now()).await?;
            return Ok(None);
        };
        let relation = home.git.relate(head, base).await?;
        if *head != last.sha {
            let own = record.updates.iter().any(|update| update.commit == *head);
            news.sightings.push(Sighting {
                pull,
                after: last.sha.clone(),
                head: head.clone(),
                origin: if own { HeadOrigin::Updated } else { HeadOrigin::Pushed },
                commits: if relation.ahead { Commits::Some } else { Commits::None },
            });
        } else if needs_run(home, record) {
            news.reruns.push(head.clone());
        }
        Ok(Some(Now { head: head.clone(), base: base.clone(), relation }))
    }
}

/// Whether the head's checks were dropped, or others are configured than were run.
fn needs_run(home: &Home, record: &PullRecord) -> bool {
    let mut configured = home.rules.checks.iter().map(|(name, _)| name);
    match &record.run {
        None => configured.next().is_some(),
        Some(run) => {
            run.state == RunState::Done
                && configured.any(|name| !run.results.iter().any(|(ran, _)| ran == name))
        }
    }
}
