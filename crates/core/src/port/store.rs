//! Port to the store: facts, intents, tasks of the pipeline, journal; the jobs themselves are in [`super::Queue`]. One conformance suite holds for every database behind it. Each function
//! says its durability class (S22): *acknowledged* survives power loss, *restartable* survives the death of every process.

use crate::{
    budget::{Charge, Held, PlanDay},
    id::{JobId, Number, Token},
    intent::{Intent, NewIntent, Receipt},
    job::Job,
    journal::JournalEntry,
    policy::Decision,
    signals::Signals,
    text::{BranchName, EngineName, Holder, MemberName, ProviderName, RepoName, Sha},
    training::Point,
    work::Task,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::future::Future;

use super::Refusal;

/// The store could not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The caller's lease is not the current one: somebody else goes on. Nothing was written (I8).
    #[error("the lease is held by somebody else")]
    Fenced,
    /// There is no such thing, or it is not in the state that the call needs.
    #[error("no such {0}")]
    Missing(&'static str),
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The database cannot be reached just now (a server that restarts, a network that is down); it comes back by itself, so whoever
    /// can wait tries again later. Whether a write that was under way happened is not known; each has a key or a token, so that
    /// repeating it is safe: what happened already is found, or is fenced.
    #[error("the store cannot be reached")]
    Away,
    /// The database failed; the chain is in the log.
    #[error("the store failed: {0}")]
    Failed(String),
}

/// Right to act on one repository. A value, so that code that must hold it cannot be called without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The repository.
    pub repo: RepoName,
    /// Who holds it.
    pub holder: Holder,
    /// Grows by one at each claim by another holder.
    pub token: Token,
    /// When it ends unless renewed.
    pub until: Timestamp,
}

/// What became of a wish to write an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intended {
    /// It was written; carry it out.
    New(Intent),
    /// The same key was refused before and is open again; carry it out.
    Again(Intent),
    /// It is there already, open or done.
    Exists(Intent),
    /// The cap does not allow it; nothing was written.
    OverCap,
    /// The budget does not allow it: a quota, or the plan of the day; nothing was written.
    OverBudget(Held),
}

/// What a dispatch spends, reserved in the same transaction as its intent (X4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spend {
    /// Who works.
    pub implementer: EngineName,
    /// For which epic.
    pub epic: Number,
    /// Tasks.
    pub cost: u32,
    /// Most that may be reserved and spent since `window_start`; `None`: no cap.
    pub cap: Option<u32>,
    /// Start of the window that the cap counts.
    pub window_start: Timestamp,
    /// Whose quotas it may use (B4); `None`: nobody limits the implementer.
    pub charge: Option<Charge>,
    /// The day whose plan it has to keep to (B7); `None`: it keeps to none.
    pub day: Option<PlanDay>,
}

/// One line of the ledger (B3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// When.
    pub at: Timestamp,
    /// The repository.
    pub repo: RepoName,
    /// The child.
    pub issue: Number,
    /// Who works.
    pub implementer: EngineName,
    /// The epic; `None`: a line that was written by hand without one.
    pub epic: Option<Number>,
    /// Tasks.
    pub cost: u32,
    /// Money in minor units, where the provider counts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<u64>,
    /// Tokens, where the provider counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Whose pool it counts in.
    pub provider: ProviderName,
    /// Whose quota it used; `None`: nobody's in particular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberName>,
    /// Whether the dispatch happened; a released entry costs nothing.
    pub state: LedgerState,
}

/// Where a ledger entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerState {
    /// The dispatch is intended.
    Reserved,
    /// The dispatch happened.
    Settled,
    /// The dispatch was refused.
    Released,
}

/// An epic that the orchestrator runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpicRecord {
    /// The repository.
    pub repo: RepoName,
    /// The epic's issue.
    pub number: Number,
    /// Its branch.
    pub branch: BranchName,
    /// Who implements its children.
    pub implementer: EngineName,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// A plan, stored before its first write (E10).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRecord {
    /// Stable name inside the repository.
    pub key: String,
    /// The plan as JSON: numbers, closed words and fingerprints, no text.
    pub plan: serde_json::Value,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When its last step was done.
    pub done_at: Option<Timestamp>,
}

/// A head commit of a pull request as first observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadSeen {
    /// The commit.
    pub sha: Sha,
    /// Server time of its push.
    pub at: Timestamp,
    /// Its checks ended all green at this time.
    pub green_at: Option<Timestamp>,
    /// A check of it was red at this time.
    pub red_at: Option<Timestamp>,
}

/// A decision as recorded for learning: complete, so that nothing has to be guessed later.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionRecord<'a> {
    /// The repository.
    pub repo: &'a RepoName,
    /// What was seen.
    pub signals: &'a Signals,
    /// What was decided.
    pub decision: &'a Decision,
    /// Which policy decided.
    pub policy: &'static str,
    /// When.
    pub at: Timestamp,
    /// The same as training data; written with it, unless it repeats the last one about this pull request.
    pub points: &'a [Point],
}

/// How a pull request ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomeRecord {
    /// The repository.
    pub repo: RepoName,
    /// The pull request.
    pub pull: Number,
    /// In one word.
    pub result: OutcomeResult,
    /// In another.
    pub detail: OutcomeDetail,
    /// Hours from opening to the end.
    pub resolution_hours: f64,
    /// When.
    pub at: Timestamp,
}

/// Result of a pull request (70-training.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the closed list of 70-training.md")]
pub enum OutcomeResult {
    Success,
    Closed,
    Escalated,
}

impl OutcomeResult {
    /// The word of the closed list.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Closed => "closed",
            Self::Escalated => "escalated",
        }
    }
}

/// Detail of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeDetail {
    /// Merged without any request.
    MergedClean,
    /// Merged after requests or fixes.
    MergedAfterFixes,
    /// Closed by somebody.
    ClosedUnmerged,
    /// A person was called.
    NeedsIntervention,
}

impl OutcomeDetail {
    /// The word of the closed list.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MergedClean => "merged_clean",
            Self::MergedAfterFixes => "merged_after_fixes",
            Self::ClosedUnmerged => "closed_unmerged",
            Self::NeedsIntervention => "needs_intervention",
        }
    }
}

/// A task of the pipeline to be enqueued as a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    /// The repository.
    pub repo: RepoName,
    /// What to do.
    pub task: Task,
    /// Who does it. The pair of task key and engine is unique inside the repository.
    pub engine: EngineName,
    /// Now.
    pub at: Timestamp,
}

/// Which jobs of the pipeline to read; ascending by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskFilter {
    /// All of one repository.
    Repo(RepoName),
    /// All about one issue or pull request.
    Subject(RepoName, Number),
}

/// The store.
pub trait Store: super::Queue {
    /// Takes or renews the right to act on a repository for `ttl_ms`; `None` while another holder's lease lasts. Restartable.
    fn lease(
        &self,
        repo: &RepoName,
        holder: &Holder,
        now: Timestamp,
        ttl_ms: i64,
    ) -> impl Future<Output = Result<Option<Lease>, StoreError>> + Send;

    /// Ends every lease on a repository of a holder for which `gone` is true (its process is known to be dead). Restartable.
    fn break_leases(
        &self,
        gone: &(dyn Fn(&Holder) -> bool + Sync),
        now: Timestamp,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Writes an intent unless its key is there; with a spend the ledger entry and the intent are one. Acknowledged.
    fn intend(
        &self,
        lease: &Lease,
        intent: &NewIntent,
        spend: Option<&Spend>,
    ) -> impl Future<Output = Result<Intended, StoreError>> + Send;

    /// Appends the receipt of the next step. `done`: it was the last one, the intent is done and its spend settled.
    /// Acknowledged when `done`, else restartable: recovery finds the step on the forge.
    fn record(
        &self,
        lease: &Lease,
        key: &str,
        receipt: &Receipt,
        done: bool,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Ends an intent without another step: done when `refusal` is `None`, else refused with its spend released. Acknowledged.
    fn settle(
        &self,
        lease: &Lease,
        key: &str,
        refusal: Option<Refusal>,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Open intents of a repository, oldest first.
    fn open_intents(&self, repo: &RepoName) -> impl Future<Output = Result<Vec<Intent>, StoreError>> + Send;

    /// All intents about one issue or pull request, oldest first.
    fn intents_about(
        &self,
        repo: &RepoName,
        subject: Number,
    ) -> impl Future<Output = Result<Vec<Intent>, StoreError>> + Send;

    /// One intent by its key.
    fn intent(
        &self,
        repo: &RepoName,
        key: &str,
    ) -> impl Future<Output = Result<Option<Intent>, StoreError>> + Send;

    /// All intents of a repository, oldest first.
    fn intents(&self, repo: &RepoName) -> impl Future<Output = Result<Vec<Intent>, StoreError>> + Send;

    /// The ledger of a repository, oldest first.
    fn ledger(&self, repo: &RepoName) -> impl Future<Output = Result<Vec<LedgerEntry>, StoreError>> + Send;

    /// Records what was seen of a pull request and what was decided about it. A repetition of the last observation costs one
    /// small row. Restartable.
    fn observe(
        &self,
        lease: &Lease,
        record: &DecisionRecord<'_>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The last recorded signals of a pull request.
    fn last_signals(
        &self,
        repo: &RepoName,
        pull: Number,
    ) -> impl Future<Output = Result<Option<Signals>, StoreError>> + Send;

    /// The heads a pull request had, oldest first, from its observations.
    fn heads(
        &self,
        repo: &RepoName,
        pull: Number,
    ) -> impl Future<Output = Result<Vec<HeadSeen>, StoreError>> + Send;

    /// Pull requests that were observed and have no outcome yet, ascending.
    fn pulls_without_outcome(
        &self,
        repo: &RepoName,
    ) -> impl Future<Output = Result<Vec<Number>, StoreError>> + Send;

    /// Records an outcome; a second one of the same pull request changes nothing. Acknowledged.
    fn record_outcome(
        &self,
        lease: &Lease,
        outcome: &OutcomeRecord,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The recorded outcomes of a repository, ascending by pull request.
    fn outcomes(
        &self,
        repo: &RepoName,
    ) -> impl Future<Output = Result<Vec<OutcomeRecord>, StoreError>> + Send;

    /// Writes the journal line of a child; a second one of the same child changes nothing. Acknowledged.
    fn write_journal(
        &self,
        lease: &Lease,
        entry: &JournalEntry,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The journal of a repository, in the order of writing.
    fn journal(&self, repo: &RepoName) -> impl Future<Output = Result<Vec<JournalEntry>, StoreError>> + Send;

    /// Stores a plan unless its key is there; the stored one comes back. Acknowledged.
    fn plan(
        &self,
        lease: &Lease,
        plan: &PlanRecord,
    ) -> impl Future<Output = Result<PlanRecord, StoreError>> + Send;

    /// Marks a plan as carried out. Acknowledged.
    fn plan_done(
        &self,
        lease: &Lease,
        key: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Plans of a repository, oldest first.
    fn plans(&self, repo: &RepoName) -> impl Future<Output = Result<Vec<PlanRecord>, StoreError>> + Send;

    /// Takes an epic under its wing; a second time changes nothing. Acknowledged.
    fn add_epic(
        &self,
        lease: &Lease,
        epic: &EpicRecord,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Marks an epic as ended. Acknowledged.
    fn end_epic(
        &self,
        lease: &Lease,
        epic: Number,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Epics of a repository, ascending.
    fn epics(&self, repo: &RepoName) -> impl Future<Output = Result<Vec<EpicRecord>, StoreError>> + Send;

    /// Repositories that the store knows (by lease, epic or intent), ascending.
    fn repos(&self) -> impl Future<Output = Result<Vec<RepoName>, StoreError>> + Send;

    /// Enqueues a task as a job unless the same task is there for the engine; the id of the old or new job. Acknowledged.
    fn enqueue(
        &self,
        lease: &Lease,
        task: &NewTask,
    ) -> impl Future<Output = Result<JobId, StoreError>> + Send;

    /// Repeats a failed or cancelled job of the pipeline with a fresh allowance of attempts; the id of the new job, or of the one that
    /// repeats it already. Acknowledged.
    fn enqueue_again(
        &self,
        lease: &Lease,
        job: JobId,
        now: Timestamp,
    ) -> impl Future<Output = Result<JobId, StoreError>> + Send;

    /// Cancels a waiting job of the pipeline that is not needed any more; a running or ended one is left alone. Restartable.
    fn withdraw(
        &self,
        lease: &Lease,
        job: JobId,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Jobs of the pipeline; of those that were repeated the newest only.
    fn tasks(&self, filter: &TaskFilter) -> impl Future<Output = Result<Vec<Job>, StoreError>> + Send;
}
