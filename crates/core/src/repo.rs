//! How one repository is run: the part of the configuration that the orchestrator needs.

use crate::{
    budget::Team,
    intent::MergeMethod,
    journal::KnownModels,
    policy::Limits,
    text::{CheckName, EngineName, Label, RepoName},
};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// An agent that somebody else hosts: its label hands it an issue, it opens the pull request by itself and reads the fixed sentences there.
/// No work of ours is ever queued for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostedAgent {
    /// Its name among the implementers.
    pub name: EngineName,
    /// The label that it listens to.
    pub label: Label,
}

/// How often a repository is looked at when nothing wakes anybody (X14). A look costs requests where the forge is somebody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweeps {
    /// While something moves, in case a wake-up gets lost.
    pub moving: SignedDuration,
    /// While nothing does; longer than a lease, so that a quiet repository is free for another process in between.
    pub idle: SignedDuration,
}

impl Sweeps {
    /// Those of a forge that is somebody else's, where each look costs some of the hour's requests.
    pub const AWAY: Self = Self { moving: SignedDuration::from_mins(1), idle: SignedDuration::from_mins(10) };
    /// The same where webhooks say that something happened: a safety net alone.
    pub const HEARD: Self =
        Self { moving: SignedDuration::from_mins(10), idle: SignedDuration::from_mins(10) };
}

impl Default for Sweeps {
    /// Those of a forge on the same host, where a look costs nothing.
    fn default() -> Self {
        Self { moving: SignedDuration::from_secs(5), idle: SignedDuration::from_secs(90) }
    }
}

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
    /// Agents among the implementers that somebody else hosts.
    #[serde(default)]
    pub hosted: Vec<HostedAgent>,
    /// How often it is looked at.
    #[serde(default)]
    pub sweeps: Sweeps,
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
    /// Whose quotas its dispatches use (B4).
    #[serde(default, skip_serializing_if = "Team::is_empty")]
    pub team: Team,
    /// Pause before a failed attempt is repeated.
    pub retry_pause: SignedDuration,
    /// Checks by the names that the configuration has for them: only those go into a journal.
    #[serde(default)]
    pub checks: Vec<CheckName>,
    /// The models behind implementers.
    #[serde(default)]
    pub models: KnownModels,
}

impl RepoRules {
    /// Rules with the documented defaults.
    pub fn new(repo: RepoName, implementer: EngineName) -> Self {
        Self {
            repo,
            implementer,
            reviewers: Vec::new(),
            engines: Vec::new(),
            hosted: Vec::new(),
            sweeps: Sweeps::default(),
            limits: Limits::default(),
            child_merge: MergeMethod::Squash,
            epic_merge: MergeMethod::Merge,
            attempts: 2,
            check_fix_rounds: 2,
            daily_tasks: None,
            team: Team::default(),
            retry_pause: SignedDuration::from_secs(5),
            checks: Vec::new(),
            models: KnownModels::default(),
        }
    }

    /// The label that hands an issue to an engine (X1).
    pub fn agent_label(engine: &EngineName) -> Label {
        #[expect(clippy::expect_used, reason = "an engine name is at most 40 characters of [A-Za-z0-9._-]")]
        Label::new(&format!("agent:{engine}")).expect("the label of an engine is valid")
    }

    /// The label that hands an issue to an implementer: a hosted agent's own, an engine's `agent:<engine>` (X1).
    pub fn trigger(&self, implementer: &EngineName) -> Label {
        match self.hosted.iter().find(|agent| agent.name == *implementer) {
            Some(agent) => agent.label.clone(),
            None => Self::agent_label(implementer),
        }
    }

    /// The implementer of this repository that a label hands an issue to, if it is such a label.
    pub fn triggered(&self, label: &Label) -> Option<EngineName> {
        match self.hosted.iter().find(|agent| agent.label == *label) {
            Some(agent) => Some(agent.name.clone()),
            None => Self::labelled_engine(label),
        }
    }

    /// Whether an implementer is hosted by somebody else.
    pub fn is_hosted(&self, implementer: &EngineName) -> bool {
        self.hosted.iter().any(|agent| agent.name == *implementer)
    }

    /// Whether an engine is one of ours that works for this repository. A hosted agent never is.
    pub fn knows(&self, engine: &EngineName) -> bool {
        !self.is_hosted(engine)
            && (self.implementer == *engine
                || self.reviewers.contains(engine)
                || self.engines.contains(engine))
    }

    /// The engine of ours for what Banksman does itself, such as its own attempt at a conflict; `None`: all the work is done elsewhere.
    pub fn own_engine(&self) -> Option<&EngineName> {
        [&self.implementer]
            .into_iter()
            .chain(&self.engines)
            .chain(&self.reviewers)
            .find(|engine| self.knows(engine))
    }

    /// The engine that a label names, if it is the trigger label.
    pub fn labelled_engine(label: &Label) -> Option<EngineName> {
        EngineName::new(label.as_str().strip_prefix("agent:")?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> EngineName {
        EngineName::new(text).unwrap()
    }

    #[test]
    fn a_hosted_agent_has_a_label_of_its_own_and_never_counts_as_an_engine_of_ours() {
        let mut rules = RepoRules::new(RepoName::new("acme/shop").unwrap(), name("jules"));
        assert_eq!(rules.own_engine(), Some(&name("jules")));
        let label = Label::new("jules").unwrap();
        rules.hosted.push(HostedAgent { name: name("jules"), label: label.clone() });
        assert_eq!(rules.trigger(&name("jules")), label);
        assert_eq!(rules.triggered(&label), Some(name("jules")));
        assert!(!rules.knows(&name("jules")));
        assert_eq!(rules.own_engine(), None);
        rules.engines.push(name("claude"));
        assert_eq!(rules.trigger(&name("claude")).as_str(), "agent:claude");
        assert_eq!(rules.triggered(&Label::new("agent:claude").unwrap()), Some(name("claude")));
        assert_eq!(rules.own_engine(), Some(&name("claude")));
    }
}
