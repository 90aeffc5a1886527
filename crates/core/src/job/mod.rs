//! Jobs: units of agent work, whether they came as a Markdown file or from the pipeline. One queue for all of them.

mod moves;
mod name;
mod state;

pub use moves::{Move, Why};
pub use state::{Held, IllegalMove, JobEvent, JobState, Outcome, Stage};

use crate::{
    id::JobId,
    manifest::{Choice, JobSpec, Priority},
    text::{BranchName, Capability, EngineName, JobKey, JobName, LockName, ProfileName, RepoName},
    work::Task,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Its id in the store.
    pub id: JobId,
    /// Its name for people and files.
    pub name: JobName,
    /// Its idempotency key.
    pub key: Option<JobKey>,
    /// What is to be done.
    pub work: JobWork,
    /// When it was added.
    pub created_at: Timestamp,
    /// Attempts that ended in failure.
    pub failures: u32,
    /// Attempts that were lost with their worker; they are not counted as failures.
    pub losses: u32,
    /// Jobs that have to be shipped first and are not yet.
    pub waits_for: u32,
    /// The failed or cancelled job that this one repeats.
    pub retry_of: Option<JobId>,
    /// Where it is.
    pub state: JobState,
}

/// What a job is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "work")]
pub enum JobWork {
    /// A task of the pipeline.
    Task {
        /// The repository.
        repo: RepoName,
        /// What to do.
        task: Task,
        /// Who does it.
        engine: EngineName,
    },
    /// What a manifest says.
    Manifest(Box<JobSpec>),
}

impl JobWork {
    /// Who may run it.
    pub fn choice(&self) -> Choice {
        match self {
            Self::Task { engine, .. } => Choice::Engine(engine.clone()),
            Self::Manifest(spec) => spec.engine.clone(),
        }
    }

    /// How urgent it is.
    pub fn priority(&self) -> Priority {
        match self {
            Self::Task { .. } => Priority::Normal,
            Self::Manifest(spec) => spec.priority,
        }
    }

    /// The repository, for a task of the pipeline: only a worker that looks after it may claim the job.
    pub fn repo(&self) -> Option<&RepoName> {
        match self {
            Self::Task { repo, .. } => Some(repo),
            Self::Manifest(_) => None,
        }
    }

    /// The task, for a job of the pipeline.
    pub fn task(&self) -> Option<&Task> {
        match self {
            Self::Task { task, .. } => Some(task),
            Self::Manifest(_) => None,
        }
    }

    /// The manifest, for a job that came as one.
    pub fn spec(&self) -> Option<&JobSpec> {
        match self {
            Self::Task { .. } => None,
            Self::Manifest(spec) => Some(spec),
        }
    }

    /// The lock that it needs.
    pub fn lock(&self) -> Option<&LockName> {
        self.spec()?.lock.as_ref()
    }

    /// The profile whose limits hold for it.
    pub fn profile(&self) -> Option<&ProfileName> {
        self.spec()?.profile.as_ref()
    }

    /// What its worker has to offer.
    pub fn capabilities(&self) -> &[Capability] {
        self.spec().map_or(&[], |spec| &spec.capabilities)
    }
}

impl Job {
    /// The branch on which the work of a manifest lands: the one it names, else `job/<id>-<name>`.
    pub fn branch(&self) -> BranchName {
        if let Some(branch) = self.work.spec().and_then(|spec| spec.branch.clone()) {
            return branch;
        }
        let plain = format!("job/{}", self.id);
        // A name may hold what a branch may not, such as two dots in a row.
        #[expect(clippy::expect_used, reason = "`job/` and a number are a valid branch name")]
        BranchName::new(&format!("{plain}-{}", self.name))
            .or_else(|_| BranchName::new(&plain))
            .expect("the branch of a job is valid")
    }
}

/// The instructions of a job: its owner's own words, verbatim. They go to the engine and to the job's own file, and nowhere else;
/// so the type cannot be printed, logged or compared.
#[derive(Clone, Default)]
pub struct Body(String);

impl Body {
    /// Wraps the instructions.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// For the engine, the store and the job's own file.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
