//! Jobs to put into a queue, offers and what attempts leave behind: small, valid, told apart by their names.

use super::samples::*;
use banksman_core::{
    id::{JobId, Token},
    job::{Body, Job, JobEvent, Outcome, Stage, Why},
    manifest::{Choice, Dependency, JobSpec, Priority},
    port::{Added, AttemptRecord, Claim, Measured, NewJob, Offer, Queue},
    text::{Capability, ClassName, ItemId, JobKey, JobName, LockName, Login, ProfileName},
    work::{FailReason, SandboxLevel, Usage},
};
use jiff::{SignedDuration, Timestamp};

/// A key by name.
pub fn key(name: &str) -> JobKey {
    JobKey::new(name).unwrap()
}

/// A lock by name.
pub fn lock(name: &str) -> LockName {
    LockName::new(name).unwrap()
}

/// A class by name.
pub fn class(name: &str) -> ClassName {
    ClassName::new(name).unwrap()
}

/// A profile by name.
pub fn profile(name: &str) -> ProfileName {
    ProfileName::new(name).unwrap()
}

/// A capability by name.
pub fn capability(name: &str) -> Capability {
    Capability::new(name).unwrap()
}

/// What a manifest without keys says: run by `claude`.
pub fn spec() -> JobSpec {
    JobSpec {
        engine: Choice::Engine(engine("claude")),
        profile: None,
        cwd: "/home/me/shop".into(),
        worktree: true,
        yolo: false,
        lock: None,
        timeout: SignedDuration::from_hours(1),
        priority: Priority::Normal,
        capabilities: Vec::new(),
        depends_on: Vec::new(),
        tracker_item: None,
        auto_echo: false,
        retries: 1,
        not_before: None,
        review: None,
        verify: Vec::new(),
        fix_rounds: 2,
        base: None,
        branch: None,
        max_cost: None,
        max_tokens: None,
        env: Vec::new(),
        preamble: None,
        extra: std::collections::BTreeMap::new(),
    }
}

/// A job to be added.
pub fn new_job(name: &str, spec: JobSpec) -> NewJob {
    NewJob {
        name: JobName::new(name).unwrap(),
        key: None,
        spec,
        body: Body::new(format!("Do what {name} is about.\n")),
    }
}

/// A job with an idempotency key.
pub fn keyed(name: &str, spec: JobSpec) -> NewJob {
    NewJob { key: Some(key(name)), ..new_job(name, spec) }
}

/// A manifest that depends on these jobs.
pub fn after(dependencies: &[JobId]) -> JobSpec {
    JobSpec { depends_on: dependencies.iter().map(|id| Dependency::Id(*id)).collect(), ..spec() }
}

/// A manifest that depends on jobs with these keys.
pub fn after_keys(names: &[&str]) -> JobSpec {
    JobSpec { depends_on: names.iter().map(|name| Dependency::Key(key(name))).collect(), ..spec() }
}

/// A manifest that needs a lock.
pub fn locked(name: &str) -> JobSpec {
    JobSpec { lock: Some(lock(name)), ..spec() }
}

/// A manifest whose stages are echoed.
pub fn echoed() -> JobSpec {
    JobSpec { tracker_item: Some(ItemId::new("T-1").unwrap()), auto_echo: true, ..spec() }
}

/// Adds one job at the second 10, by holder 1; its id.
pub async fn add(queue: &impl Queue, name: &str, spec: JobSpec) -> JobId {
    add_job(queue, new_job(name, spec)).await
}

/// The same for a job that is made already.
pub async fn add_job(queue: &impl Queue, job: NewJob) -> JobId {
    let added = queue.add(vec![job], &holder(1), at(10)).await.unwrap();
    assert!(matches!(added[..], [Added::New(_)]), "{added:?}");
    added[0].id()
}

/// One job, which has to be there.
pub async fn job(queue: &impl Queue, id: JobId) -> Job {
    queue.job(id).await.unwrap().unwrap()
}

/// The stage of a job.
pub async fn stage(queue: &impl Queue, id: JobId) -> Stage {
    job(queue, id).await.state.stage()
}

/// What moved a job, from the beginning.
pub async fn reasons(queue: &impl Queue, id: JobId) -> Vec<Why> {
    queue.moves(id).await.unwrap().into_iter().map(|m| m.why).collect()
}

/// An offer of two engines of one class, for tasks of [`repo`].
pub fn offer() -> Offer {
    offer_of(&["claude", "codex"])
}

/// An offer of these engines, all of the class `agentic-coder`.
pub fn offer_of(engines: &[&str]) -> Offer {
    Offer {
        engines: engines.iter().map(|name| (engine(name), class("agentic-coder"))).collect(),
        repos: vec![repo()],
        ..Offer::default()
    }
}

/// Claims with [`offer`].
pub async fn claim(queue: &impl Queue, by: u32, now: Timestamp) -> Option<Claim> {
    queue.claim(&holder(by), &offer(), now, TTL).await.unwrap().map(|claimed| claimed.claim)
}

/// The id of what is claimed with an offer.
pub async fn claim_id(queue: &impl Queue, by: u32, offer: &Offer, now: Timestamp) -> Option<JobId> {
    queue.claim(&holder(by), offer, now, TTL).await.unwrap().map(|claimed| claimed.claim.job.id)
}

/// The work is on a branch.
pub fn published() -> Outcome {
    Outcome::Published { branch: branch("agent/child-1"), sha: sha(9) }
}

/// All that a job without review and tests goes through after building.
pub fn ships(at: Timestamp) -> Vec<JobEvent> {
    vec![JobEvent::Built, JobEvent::Approved, JobEvent::Proved { outcome: published(), at }]
}

/// The attempt failed and another one follows.
pub fn again(not_before: Timestamp, reason: FailReason) -> Vec<JobEvent> {
    vec![JobEvent::Again { not_before, why: Why::Retried(reason) }]
}

/// The job failed for good.
pub fn fails(at: Timestamp, reason: FailReason) -> Vec<JobEvent> {
    vec![JobEvent::Failed { reason, at }]
}

/// Ships a claimed job.
pub async fn ship(queue: &impl Queue, claim: &Claim, now: Timestamp) -> Claim {
    queue.advance(claim, ships(now), Some(&record(claim, None)), now).await.unwrap()
}

/// Fails a claimed job for good.
pub async fn fail(queue: &impl Queue, claim: &Claim, now: Timestamp) -> Claim {
    let failed = Some(FailReason::NoCommit);
    queue.advance(claim, fails(now, FailReason::NoCommit), Some(&record(claim, failed)), now).await.unwrap()
}

/// What an attempt leaves behind that ended at the second 50.
pub fn record(claim: &Claim, failure: Option<FailReason>) -> AttemptRecord {
    AttemptRecord {
        attempt: claim.attempt,
        job: claim.job.id,
        engine: claim.engine.clone(),
        holder: claim.holder.clone(),
        started_at: claim.since,
        ended_at: Some(at(50)),
        failure,
        measured: Measured {
            sandbox: Some(SandboxLevel::Bubblewrap),
            exit_code: Some(if failure.is_some() { 1 } else { 0 }),
            signal: None,
            cpu_ms: Some(1_500),
            peak_kib: Some(20_480),
            files: Some(2),
            added: Some(30),
            removed: Some(4),
            usage: Usage {
                tokens_in: Some(1200),
                cost_usd: Some(0.25),
                model: Login::new("model-1").ok(),
                ..Usage::default()
            },
        },
    }
}

/// The same claim as one that is older.
pub fn older(claim: &Claim) -> Claim {
    Claim { token: Token(claim.token.0 - 1), ..claim.clone() }
}
