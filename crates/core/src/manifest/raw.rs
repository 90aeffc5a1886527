//! A manifest as written: what the job leaves out is `None` here and filled in by [`Manifest::resolve`].

use super::{Choice, Dependency, Priority};
use crate::text::{
    BranchName, Capability, EngineName, ItemId, JobKey, LockName, ProfileName, Revision, VarName,
};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeMap, path::PathBuf};

/// The keys of a job's front matter, each as written. [`super::parse`] keeps the bounds that are told here; whoever fills one by hand
/// keeps them himself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Manifest {
    /// `engine` or `engine-class`: who runs it.
    pub engine: Option<Choice>,
    /// `profile`: fills what is left out.
    pub profile: Option<ProfileName>,
    /// `cwd`: where it runs; not empty, without control characters and without `~` in front.
    pub cwd: Option<PathBuf>,
    /// `worktree`: whether each attempt gets a clone of its own.
    pub worktree: Option<bool>,
    /// `yolo`: whether the engine may act without asking.
    pub yolo: Option<bool>,
    /// `lock`: mutual exclusion across the fleet.
    pub lock: Option<LockName>,
    /// `timeout`: limit of an attempt; whole seconds, one second to 30 days.
    pub timeout: Option<SignedDuration>,
    /// `priority`.
    pub priority: Option<Priority>,
    /// `capabilities`: what the worker has to offer.
    pub capabilities: Option<Vec<Capability>>,
    /// `depends-on`: what has to be shipped first.
    pub depends_on: Option<Vec<Dependency>>,
    /// `idempotency-key`: unique over all stages, for ever.
    pub idempotency_key: Option<JobKey>,
    /// `tracker-item`: the item it is linked to.
    pub tracker_item: Option<ItemId>,
    /// `retries`: 0 to 20.
    pub retries: Option<u32>,
    /// `not-before`: earliest start.
    pub not_before: Option<NotBefore>,
    /// `review`: engine or class that looks at the diff.
    pub review: Option<EngineName>,
    /// `verify`: commands; none of them empty or with a NUL character.
    pub verify: Option<Vec<String>>,
    /// `base`: where the work starts.
    pub base: Option<Revision>,
    /// `branch`: where it lands.
    pub branch: Option<BranchName>,
    /// `max-cost`: US dollars; over 0, at most a million.
    pub max_cost: Option<f64>,
    /// `max-tokens`: at least 1, at most 10^15.
    pub max_tokens: Option<u64>,
    /// `env`: variables that are passed through.
    pub env: Option<Vec<VarName>>,
    /// Keys that start with `x-`: kept and ignored (Q1).
    pub extra: BTreeMap<String, serde_json::Value>,
}

/// Earliest start of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotBefore {
    /// At a time.
    At(Timestamp),
    /// So long after the job was added; whole seconds, at most 10 years.
    After(SignedDuration),
}
