//! What a run came to: read back from store and forge at the end, for the summary of `demo` and `onboard`.

use super::Host;
use crate::home::{Entry, short};
use anyhow::Context as _;
use banksman_core::{
    epic::ChildStatus,
    id::Number,
    intent::{Deed, IntentState},
    journal::JournalEntry,
    port::{AttemptRecord, EpicRecord, OutcomeResult, Queue, Store as _, TaskFilter},
    text::RepoName,
};
use jiff::Timestamp;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What one repository's run came to.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Summary {
    /// The repository.
    pub(crate) repo: RepoName,
    /// Its folder, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<PathBuf>,
    /// Where it lives, for people: its folder, or its name on GitHub.
    #[serde(skip)]
    pub(crate) place: String,
    /// Merged children.
    pub(crate) merged: Vec<Done>,
    /// Children and epics that need a person.
    pub(crate) needs_people: Vec<Needs>,
    /// Epics that ended, with their pull request.
    pub(crate) epics_merged: Vec<Number>,
    /// Hours from the first dispatch to the last end.
    pub(crate) hours: f64,
    /// Requests about reviews.
    pub(crate) review_requests: usize,
    /// Requests about conflicts.
    pub(crate) conflict_requests: usize,
    /// Heads with red checks.
    pub(crate) red_heads: usize,
    /// Attempts in all, and lost or failed ones among them.
    pub(crate) attempts: usize,
    /// Attempts that failed or were lost.
    pub(crate) failed_attempts: usize,
    /// Tokens in and out, as far as engines said.
    pub(crate) tokens: u64,
    /// Cost in US dollars, as far as engines said.
    pub(crate) cost_usd: f64,
    /// Where the journals are.
    pub(crate) journals: PathBuf,
}

/// A merged child.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Done {
    /// The child.
    pub(crate) child: Number,
    /// Its pull request.
    pub(crate) pull: Option<Number>,
    /// Rounds of reviews and conflicts.
    pub(crate) cycles: usize,
}

/// Something that needs a person.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Needs {
    /// The child, pull request or epic.
    pub(crate) number: Number,
    /// Why.
    pub(crate) why: &'static str,
}

impl Host {
    /// Epics of the first repository, ended ones included.
    pub(crate) async fn epics(&self) -> anyhow::Result<Vec<EpicRecord>> {
        self.shared.store.epics(&self.hosted[0].repo).await.context("cannot read the epics")
    }

    /// Whether an epic of the first repository has ended.
    pub(crate) async fn epic_ended(&self, epic: Number) -> anyhow::Result<bool> {
        Ok(self.epics().await?.iter().any(|e| e.number == epic && e.ended_at.is_some()))
    }

    /// Sums up each repository.
    pub(crate) async fn summaries(&self) -> anyhow::Result<Vec<Summary>> {
        let mut all = Vec::new();
        for hosted in &self.hosted {
            all.push(self.summary(&hosted.repo, &hosted.entry).await.context("cannot sum up")?);
        }
        Ok(all)
    }

    async fn summary(&self, repo: &RepoName, entry: &Entry) -> anyhow::Result<Summary> {
        let store = &self.shared.store;
        let journal = store.journal(repo).await?;
        let attempts = self.attempts(repo).await?;
        let intents = store.intents(repo).await?;
        let merged: Vec<Done> = journal
            .iter()
            .filter(|j| j.result == OutcomeResult::Success)
            .map(|j| Done {
                child: j.child,
                pull: j.pull,
                cycles: j.review_cycles.len() + j.conflict_cycles.len(),
            })
            .collect();
        let closed: Vec<Number> = journal.iter().flat_map(|j| [Some(j.child), j.pull]).flatten().collect();
        let mut needs_people: Vec<Needs> = Vec::new();
        for intent in &intents {
            if let (Deed::Escalate { subject, reason, .. }, IntentState::Done { .. }) =
                (&intent.deed, &intent.state)
                && !closed.contains(subject)
            {
                needs_people.retain(|n| n.number != *subject);
                needs_people.push(Needs { number: *subject, why: reason.describe() });
            }
        }
        let epics = store.epics(repo).await?;
        let (review, conflict) = journal_cycles(&journal);
        Ok(Summary {
            repo: repo.clone(),
            path: entry.folder().map(Path::to_owned),
            place: entry.place_words(),
            hours: hours(&journal),
            merged,
            needs_people,
            epics_merged: epics.iter().filter(|e| e.ended_at.is_some()).map(|e| e.number).collect(),
            review_requests: review,
            conflict_requests: conflict,
            red_heads: journal.iter().map(|j| j.ci_failures()).sum(),
            attempts: attempts.len(),
            failed_attempts: attempts.iter().filter(|a| a.failure.is_some() || a.ended_at.is_none()).count(),
            tokens: attempts
                .iter()
                .map(|a| a.measured.usage.tokens_in.unwrap_or(0) + a.measured.usage.tokens_out.unwrap_or(0))
                .sum(),
            cost_usd: attempts
                .iter()
                .filter_map(|a| a.measured.usage.cost_usd)
                .fold(0.0, |sum, cost| sum + cost),
            journals: self.home.journals(short(repo)),
        })
    }
}

impl Host {
    /// All attempts at tasks of a repository, those at jobs that were repeated included.
    async fn attempts(&self, repo: &RepoName) -> anyhow::Result<Vec<AttemptRecord>> {
        let store = &self.shared.store;
        let mut all = Vec::new();
        for job in store.tasks(&TaskFilter::Repo(repo.clone())).await? {
            let mut next = Some(job);
            while let Some(job) = next {
                all.extend(Queue::attempts(store, job.id).await?);
                next = match job.retry_of {
                    Some(old) => store.job(old).await?,
                    None => None,
                };
            }
        }
        Ok(all)
    }
}

fn journal_cycles(journal: &[JournalEntry]) -> (usize, usize) {
    journal.iter().fold((0, 0), |(r, c), j| (r + j.review_cycles.len(), c + j.conflict_cycles.len()))
}

fn hours(journal: &[JournalEntry]) -> f64 {
    let start: Option<Timestamp> = journal.iter().filter_map(|j| j.dispatched_at.or(j.opened_at)).min();
    let end: Option<Timestamp> = journal.iter().map(|j| j.at).max();
    match (start, end) {
        (Some(start), Some(end)) => end.duration_since(start).as_secs_f64() / 3600.0,
        _ => 0.0,
    }
}

/// The state of a child in a few words.
pub(crate) fn describe(status: &ChildStatus) -> String {
    match status {
        ChildStatus::WaitsForPhase => "waits for its phase".to_owned(),
        ChildStatus::Blocked(by) => {
            format!("blocked by {}", by.iter().map(|n| format!("#{n}")).collect::<Vec<_>>().join(" "))
        }
        ChildStatus::NeedsApproval => "needs approval (label `approved`)".to_owned(),
        ChildStatus::Ready => "ready".to_owned(),
        ChildStatus::Dispatched => "an implementer has it".to_owned(),
        ChildStatus::InReview(pull) => format!("pull request #{pull}"),
        ChildStatus::Merged(pull) => format!("merged by #{pull}"),
        ChildStatus::Done => "done".to_owned(),
        ChildStatus::Skipped => "skipped: needs a person".to_owned(),
    }
}
