//! Port to the queue: the part of the store that holds jobs. The same conformance suite holds for every database behind it. Each
//! function says its durability class (S22).
//!
//! What a claim holds (the job, its lock) is let go in one of three ways: the claimant moves the job to a stage without a worker
//! ([`Queue::advance`]), or, when the job was cancelled under it, says that its processes are gone ([`Queue::let_go`]), or somebody
//! who knows that they are gone, or that the lease is over, says so for it ([`Queue::lose`]). A lock is never free while the
//! processes of its last holder may run on a host that can be asked (I2).

use super::StoreError;
use crate::{
    id::{AttemptId, JobId, Token},
    job::{Body, Job, JobEvent, Move, Stage},
    manifest::JobSpec,
    text::{Capability, ClassName, EngineName, Holder, JobKey, JobName, ProfileName, RepoName},
    work::{FailReason, SandboxLevel, Usage},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::future::Future;

/// A job to be added.
pub struct NewJob {
    /// Its name.
    pub name: JobName,
    /// Its idempotency key.
    pub key: Option<JobKey>,
    /// What its manifest says.
    pub spec: JobSpec,
    /// Its instructions.
    pub body: Body,
}

/// What became of a job that was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Added {
    /// It is new.
    New(JobId),
    /// A job with its idempotency key is there, in whatever stage (T6); the newest one.
    Exists(JobId),
}

impl Added {
    /// The job, new or old.
    pub fn id(self) -> JobId {
        match self {
            Self::New(id) | Self::Exists(id) => id,
        }
    }
}

/// A job that cannot be added. Nothing of its batch was added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    /// It depends on a job that does not exist.
    #[error("it depends on job {0}, which does not exist")]
    UnknownJob(JobId),
    /// It would wait for itself.
    #[error("it would wait for itself: a job that it depends on waits for the key {0}")]
    Cycle(JobKey),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a worker can take on now. Whatever has no room left is not in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Offer {
    /// Engines with a free slot and the class of each; for a class the first one of it is taken.
    pub engines: Vec<(EngineName, ClassName)>,
    /// Capabilities.
    pub capabilities: Vec<Capability>,
    /// Repositories whose tasks it may do.
    pub repos: Vec<RepoName>,
    /// Profiles that are at their limit.
    pub full_profiles: Vec<ProfileName>,
}

/// Right to one job.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The job as it is now, held by this claim.
    pub job: Job,
    /// The engine it runs on.
    pub engine: EngineName,
    /// The attempt.
    pub attempt: AttemptId,
    /// Who holds it.
    pub holder: Holder,
    /// Fencing token: grows by one at each claim of the job (Q12).
    pub token: Token,
    /// When the attempt began.
    pub since: Timestamp,
    /// End of the lease.
    pub until: Timestamp,
}

/// What a worker gets: the right to a job, and what there is to do.
pub struct Claimed {
    /// The right.
    pub claim: Claim,
    /// The job's instructions; empty for a task of the pipeline.
    pub body: Body,
}

/// An attempt that ended, and what its worker got instead.
pub struct Turned {
    /// The claim of the job that ended, as [`Queue::advance`] gives it.
    pub claim: Claim,
    /// The next job, if one fits.
    pub next: Result<Option<Claimed>, StoreError>,
}

/// What became of a wish to cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cancelled {
    /// It was waiting and is cancelled.
    Now,
    /// It is cancelled; its worker ends its processes.
    WhileRunning,
    /// It had ended before.
    Ended(Stage),
}

/// What became of a wish to repeat a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retried {
    /// A new job repeats it. Stages have no way back, so the old one stays as it is.
    As(JobId),
    /// It was repeated before, as this one.
    Already(JobId),
    /// It has not failed and is not cancelled.
    NotEnded(Stage),
}

/// What is kept of one attempt (Q22). Times of stages are in the job's moves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptRecord {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its job.
    pub job: JobId,
    /// The engine it ran on.
    pub engine: EngineName,
    /// Who ran it.
    pub holder: Holder,
    /// When it was claimed.
    pub started_at: Timestamp,
    /// When it ended; `None` while it runs and when it was lost.
    pub ended_at: Option<Timestamp>,
    /// Why it failed, if it did.
    pub failure: Option<FailReason>,
    /// The rest.
    pub measured: Measured,
}

/// What was measured of an attempt's processes, all stages added up.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Measured {
    /// How it was kept in its place; `None` when no process was started.
    pub sandbox: Option<SandboxLevel>,
    /// Exit code of the engine's process, where it ended by itself.
    pub exit_code: Option<i32>,
    /// Signal that ended it.
    pub signal: Option<i32>,
    /// Milliseconds of CPU time, user and system, of its processes.
    pub cpu_ms: Option<u64>,
    /// Largest resident memory of one of its processes, in KiB.
    pub peak_kib: Option<u64>,
    /// Files that its work changes.
    pub files: Option<u32>,
    /// Lines that its work adds.
    pub added: Option<u32>,
    /// Lines that its work removes.
    pub removed: Option<u32>,
    /// What the engine says it used.
    pub usage: Usage,
}

/// An attempt with what it was about, for totals and medians.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptFacts {
    /// The attempt.
    pub record: AttemptRecord,
    /// Profile of its job.
    pub profile: Option<ProfileName>,
    /// What it worked on: the pipeline's repository, or the folder of the manifest.
    pub place: String,
    /// Where its job is.
    pub stage: Stage,
}

/// Which jobs to read. Newest first, but [`JobFilter::Waiting`] in the order of claiming.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobFilter {
    /// All that are not final, of the pipeline and of manifests, ascending by id.
    Unfinished,
    /// Those in these stages, at most so many.
    Stages(Vec<Stage>, u32),
    /// Those that wait, in the order in which they would be claimed, at most so many.
    Waiting(u32),
    /// Linked to a tracker item.
    Item(crate::text::ItemId),
}

/// Where a job is, for whoever keeps its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobPlace {
    /// The job.
    pub job: JobId,
    /// Its name.
    pub name: JobName,
    /// Its stage.
    pub stage: Stage,
    /// When it was added.
    pub added_at: Timestamp,
}

/// Numbers of jobs by stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "one number a stage")]
pub struct StageCounts {
    pub inbox: u64,
    pub building: u64,
    pub review: u64,
    pub testing: u64,
    pub shipped: u64,
    pub failed: u64,
    pub cancelled: u64,
}

/// What a tracker was told about a job (T12, T13). One row a job, made when an echo is first wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EchoRecord {
    /// The job.
    pub job: JobId,
    /// Stage for which the item's status was sent and acknowledged last.
    pub patched: Option<Stage>,
    /// Stage for whose outcome a comment was begun: never a second one, even if the answer was lost.
    pub comment_begun: Option<Stage>,
    /// Stage for whose outcome a comment was acknowledged.
    pub commented: Option<Stage>,
    /// Failed tries since the last success.
    pub tries: u32,
    /// When the next echo is due; `None`: nothing is left to be told.
    pub due: Option<Timestamp>,
    /// Counts the wishes, so that one that comes while an echo is on its way is not lost.
    pub wished: u64,
}

/// The queue.
pub trait Queue: Send + Sync {
    /// Adds jobs, all or none; their order is their age. Where its key is there already, nothing else is looked at. A job waits
    /// until `not_before` of its manifest, else from `now`. A dependency, by id or by key, means the newest repetition of that
    /// job; a key that no job has yet is waited for, and means the first job that is added with it. A job that depends on a failed
    /// or cancelled one fails at once. `waits_for` counts the different dependencies that are not shipped; it is 0 for a job that
    /// has ended. Acknowledged.
    fn add(
        &self,
        jobs: Vec<NewJob>,
        who: &Holder,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Added>, AddError>> + Send;

    /// Claims the next job that fits the offer (Q11): the most urgent, then the oldest one, with its dependencies shipped, its time
    /// come, its lock free, its capabilities offered and its engine not cooling down. For a class the first engine of it in the
    /// offer that is not cooling down is taken. Leases that are over are left alone: see [`Queue::lose`]. Restartable.
    fn claim(
        &self,
        holder: &Holder,
        offer: &Offer,
        now: Timestamp,
        ttl_ms: i64,
    ) -> impl Future<Output = Result<Option<Claimed>, StoreError>> + Send;

    /// The first moment after `now` at which the time of a waiting job comes that waits for no other job, or at which an engine has
    /// cooled down: for a worker that found nothing to claim. `None`: there is none.
    fn next_due(&self, now: Timestamp) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;

    /// Renews a claim; fenced when it is lost or the job was cancelled. Restartable.
    fn renew(
        &self,
        claim: &Claim,
        now: Timestamp,
        ttl_ms: i64,
    ) -> impl Future<Output = Result<Timestamp, StoreError>> + Send;

    /// Moves the job by these events, one recorded move each, with the old stage and the token as preconditions (Q6). The claim
    /// comes back with the job as it is now; when no worker holds it any more, the lock is free, and the job's dependents are woken
    /// or failed. `end` is given with events that end the attempt. A failure counts when the last event is
    /// [`JobEvent::Again`] or [`JobEvent::Failed`] and `end` has a failure. Fenced when the job is not held by this claim, or not in
    /// the stage in which the claim has it; `Missing` when the graph does not have the events, or a [`JobEvent::Claimed`] or
    /// [`JobEvent::Cancelled`] is among them (they have functions of their own). Restartable.
    fn advance(
        &self,
        claim: &Claim,
        events: Vec<JobEvent>,
        end: Option<&AttemptRecord>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Claim, StoreError>> + Send;

    /// Ends an attempt and claims the next job for the same holder: [`Queue::advance`], then [`Queue::claim`], which a store may write
    /// together. After an error it is not known whether the first half was written, unless it is one of [`Queue::advance`] that says so.
    /// Restartable.
    fn advance_and_claim(
        &self,
        claim: &Claim,
        events: Vec<JobEvent>,
        end: &AttemptRecord,
        offer: &Offer,
        now: Timestamp,
        ttl_ms: i64,
    ) -> impl Future<Output = Result<Turned, StoreError>> + Send {
        async move {
            let ended = self.advance(claim, events, Some(end), now).await?;
            Ok(Turned { claim: ended, next: self.claim(&claim.holder, offer, now, ttl_ms).await })
        }
    }

    /// Says that the processes of a claim whose job was cancelled are gone: its lock is free. Of a claim that is lost already, or
    /// whose job was not cancelled, it changes nothing. Restartable.
    fn let_go(
        &self,
        claim: &Claim,
        end: Option<&AttemptRecord>,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// All claims that hold something, those of cancelled jobs included; oldest first.
    fn claims(&self) -> impl Future<Output = Result<Vec<Claim>, StoreError>> + Send;

    /// Ends the claim of a worker that is gone or whose lease is over: its job waits for another attempt, a loss is counted,
    /// its lock is free; of a cancelled job only the lock. `false`, and nothing is changed, when it was not the current claim any
    /// more, or when it was renewed since it was read (`until` is another one): its worker lives, and its processes may still run
    /// under the lock (I2). Restartable.
    fn lose(
        &self,
        claim: &Claim,
        who: &Holder,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Cancels a job that has not ended; what depends on it fails. Acknowledged.
    fn cancel(
        &self,
        job: JobId,
        who: &Holder,
        now: Timestamp,
    ) -> impl Future<Output = Result<Cancelled, StoreError>> + Send;

    /// Adds a job that repeats a failed or cancelled one, with a fresh allowance of attempts. It takes over the idempotency key: whoever asks
    /// for the key finds the newest. Its dependencies are looked at anew, as when it is added: those that were repeated mean their
    /// newest repetition. A job is repeated once; what repeats it may be repeated in its turn. Acknowledged.
    fn retry(
        &self,
        job: JobId,
        who: &Holder,
        now: Timestamp,
    ) -> impl Future<Output = Result<Retried, StoreError>> + Send;

    /// Where jobs are, in the order asked for; one that does not exist is left out.
    fn places(&self, jobs: &[JobId]) -> impl Future<Output = Result<Vec<JobPlace>, StoreError>> + Send;

    /// One job.
    fn job(&self, job: JobId) -> impl Future<Output = Result<Option<Job>, StoreError>> + Send;

    /// The newest job with an idempotency key.
    fn job_by_key(&self, key: &JobKey) -> impl Future<Output = Result<Option<Job>, StoreError>> + Send;

    /// The instructions of a job; empty for a task of the pipeline.
    fn body(&self, job: JobId) -> impl Future<Output = Result<Body, StoreError>> + Send;

    /// Jobs.
    fn jobs(&self, filter: &JobFilter) -> impl Future<Output = Result<Vec<Job>, StoreError>> + Send;

    /// Numbers by stage.
    fn counts(&self) -> impl Future<Output = Result<StageCounts, StoreError>> + Send;

    /// The dependencies of a job that are not shipped, in the order of its manifest, with the stage of each; a key that no job has
    /// yet has none. For a job that failed because of one they tell which.
    fn blockers(
        &self,
        job: JobId,
    ) -> impl Future<Output = Result<Vec<(crate::manifest::Dependency, Option<Stage>)>, StoreError>> + Send;

    /// A job's way, oldest first.
    fn moves(&self, job: JobId) -> impl Future<Output = Result<Vec<Move>, StoreError>> + Send;

    /// The attempts at a job, ascending.
    fn attempts(&self, job: JobId) -> impl Future<Output = Result<Vec<AttemptRecord>, StoreError>> + Send;

    /// Attempts that began in a period, ascending; for `insights`.
    fn attempts_between(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> impl Future<Output = Result<Vec<AttemptFacts>, StoreError>> + Send;

    /// Lets an engine rest until then, on every host (Q21); of two times the later one holds. Restartable.
    fn cool_down(
        &self,
        engine: &EngineName,
        until: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Engines that rest after `now`, and until when; ascending by name.
    fn cooling(
        &self,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<(EngineName, Timestamp)>, StoreError>> + Send;

    /// Asks for an echo of a job's stage to its tracker item. Every change of the stage of a job with `auto_echo` does the same in
    /// its own transaction, its adding included; `due` is the earlier of what it was and `at`. `Missing` for a job without an item.
    /// Acknowledged.
    fn want_echo(&self, job: JobId, at: Timestamp) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Takes the echo that is due longest, as it stands; nobody else gets it for `ttl_ms` or until it is put back, whoever wishes for
    /// it meanwhile. Restartable.
    fn take_echo(
        &self,
        now: Timestamp,
        ttl_ms: i64,
    ) -> impl Future<Output = Result<Option<EchoRecord>, StoreError>> + Send;

    /// Writes what became of an echo. When `wished` has grown since it was taken, it stays due as it is; `wished` itself is only
    /// changed by wishes. Acknowledged.
    fn put_echo(&self, echo: &EchoRecord) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Writes how far an echo that was taken has come, but for `due` and `wished`: it stays taken. After a crash the rest is taken when
    /// the hold is over. Acknowledged.
    fn note_echo(&self, echo: &EchoRecord) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What a job's item was told.
    fn echo(&self, job: JobId) -> impl Future<Output = Result<Option<EchoRecord>, StoreError>> + Send;
}
