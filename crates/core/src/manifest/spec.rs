//! A manifest with every default and its profile filled in: what the queue schedules and a worker carries out.

use crate::{
    id::JobId,
    text::{
        BranchName, Capability, ClassName, EngineName, ItemId, JobKey, LockName, ProfileName, Revision,
        VarName,
    },
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, path::PathBuf};

/// How urgent a job is; the more urgent one is claimed first, then the older one (Q11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of the manifest, most urgent first")]
pub enum Priority {
    Critical,
    High,
    #[default]
    Normal,
    Low,
}

/// Who may run a job.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// This engine and no other.
    Engine(EngineName),
    /// Any engine of this class with a free slot.
    Class(ClassName),
}

/// A job that has to be shipped first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dependency {
    /// By its id.
    Id(JobId),
    /// By its idempotency key; a job with that key may be added later.
    Key(JobKey),
}

/// Instructions of a profile that go in front of a job's own when the engine is prompted. They cannot be logged: they are part of a
/// prompt.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Preamble(String);

impl Preamble {
    /// Wraps the text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// For the engine.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Preamble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Preamble({} bytes)", self.0.len())
    }
}

/// What a job of a manifest is: complete, so that a worker asks nobody else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobSpec {
    /// Who runs it.
    pub engine: Choice,
    /// The profile that filled it; its limits hold while the job runs.
    pub profile: Option<ProfileName>,
    /// Where it runs; absolute.
    pub cwd: PathBuf,
    /// Whether each attempt gets a clone of its own where `cwd` is inside a git repository.
    pub worktree: bool,
    /// Whether the engine may act without asking.
    pub yolo: bool,
    /// Mutual exclusion across the fleet.
    pub lock: Option<LockName>,
    /// Time limit of an attempt, all stages together; positive.
    pub timeout: SignedDuration,
    /// How urgent.
    pub priority: Priority,
    /// What the worker has to offer.
    pub capabilities: Vec<Capability>,
    /// Jobs that have to be shipped first.
    pub depends_on: Vec<Dependency>,
    /// The tracker item it is linked to.
    pub tracker_item: Option<ItemId>,
    /// Whether each change of its stage is echoed to the tracker (T14).
    pub auto_echo: bool,
    /// Further attempts after a failed one, 0 to 20.
    pub retries: u32,
    /// Earliest start.
    pub not_before: Option<Timestamp>,
    /// Engine or class that looks at the diff before testing.
    pub review: Option<EngineName>,
    /// Commands that all must exit 0 before it ships.
    pub verify: Vec<String>,
    /// Times that it may go back to building from review or testing (Q8).
    pub fix_rounds: u32,
    /// Where the work starts; `None`: what is checked out in `cwd`.
    pub base: Option<Revision>,
    /// Where it lands; `None`: `job/<id>-<name>`.
    pub branch: Option<BranchName>,
    /// The attempt is stopped when its cost passes this, in US dollars.
    pub max_cost: Option<f64>,
    /// The attempt is stopped when its tokens, in and out, pass this.
    pub max_tokens: Option<u64>,
    /// Variables that are passed to the engine beside the allow-list.
    pub env: Vec<VarName>,
    /// What the profile says in front of the instructions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preamble: Option<Preamble>,
    /// Keys that start with `x-`: kept and ignored.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, serde_json::Value>,
}
