//! How one repository is run: the part of the configuration that the orchestrator needs.

use crate::{
    intent::MergeMethod,
    policy::Limits,
    text::{EngineName, Label, RepoName},
};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// How one repository is run. Comes from the host's configuration, never from the repository (S16).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepoRules {
    /// The repository.
    pub repo: RepoName,
    /// Who implements children by default.
    pub implementer: EngineName,
    /// Engines that review every new head; empty: people do, if anybody.
    pub reviewers: Vec<EngineName>,
    /// Further engines of ours, to which a person may hand an issue by their label. A label that names neither one of these nor an
    /// implementer or reviewer of the repository makes no work.
    #[serde(default)]
    pub engines: Vec<EngineName>,
    /// Limits of the policy.
    pub limits: Limits,
    /// How children are merged into their epic.
    pub child_merge: MergeMethod,
    /// How an epic is merged into the default branch.
    pub epic_merge: MergeMethod,
    /// Attempts at one work item before it has failed.
    pub attempts: u32,
    /// Rounds in which an engine of ours may mend the red checks of one pull request.
    pub check_fix_rounds: u32,
    /// Most tasks that may be dispatched in 24 hours; `None`: no cap.
    pub daily_tasks: Option<u32>,
    /// Pause before a failed attempt is repeated.
    pub retry_pause: SignedDuration,
}

impl RepoRules {
    /// Rules with the documented defaults.
    pub fn new(repo: RepoName, implementer: EngineName) -> Self {
        Self {
            repo,
            implementer,
            reviewers: Vec::new(),
            engines: Vec::new(),
            limits: Limits::default(),
            child_merge: MergeMethod::Squash,
            epic_merge: MergeMethod::Merge,
            attempts: 2,
            check_fix_rounds: 2,
            daily_tasks: None,
            retry_pause: SignedDuration::from_secs(5),
        }
    }

    /// The label that hands an issue to an engine (X1).
    pub fn agent_label(engine: &EngineName) -> Label {
        #[expect(clippy::expect_used, reason = "an engine name is at most 40 characters of [A-Za-z0-9._-]")]
        Label::new(&format!("agent:{engine}")).expect("the label of an engine is valid")
    }

    /// Whether an engine is one of ours that works for this repository.
    pub fn knows(&self, engine: &EngineName) -> bool {
        self.implementer == *engine || self.reviewers.contains(engine) || self.engines.contains(engine)
    }

    /// The engine that a label names, if it is the trigger label.
    pub fn labelled_engine(label: &Label) -> Option<EngineName> {
        EngineName::new(label.as_str().strip_prefix("agent:")?).ok()
    }
}
