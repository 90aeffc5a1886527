//! The forge of a simulated process: the port over the towns themselves, or the genuine client of GitHub over the simulated wire.

use super::{
    wire::{Steps, Wire},
    writes::Doing,
};
use crate::{
    executor::held,
    forge::{SimForge, town::login},
    violation::Invariant,
    world::{Me, SimClock},
};
use banksman_core::{
    epic::Checklist,
    id::Number,
    intent::{Receipt, Step},
    port::{
        Accounted, BriefFor, Clock as _, Forge, ForgeError, IssueQuery, IssueText, PullQuery, RepoFacts,
        ReviewDraft,
    },
    signals::{IssueFacts, Signals},
    tainted::Tainted,
    text::{BranchName, EngineName, RepoName, Sha},
    work::Verdict,
};
use banksman_forge::github::{GithubForge, GithubRepo, GithubSettings};
use jiff::Timestamp;
use std::{collections::BTreeMap, sync::Arc};

/// One process's connection to the forge.
#[derive(Clone)]
pub(crate) enum TownForge {
    /// Straight to the towns.
    Port(SimForge),
    /// Through the client of GitHub.
    Github(Arc<Client>),
}

/// The client with what it is used for at the moment.
pub(crate) struct Client {
    forge: GithubForge<Wire>,
    doing: Steps,
    me: Me,
}

impl Client {
    /// A client of its own for a process.
    pub(crate) fn new(me: &Me, clock: &SimClock) -> Self {
        let doing = Steps::default();
        let repo = GithubRepo { allowed: vec![login("owner")], ..GithubRepo::default() };
        let repos: BTreeMap<RepoName, GithubRepo> =
            me.shared.plan.repos.iter().map(|plan| (plan.name.clone(), repo.clone())).collect();
        let settings = GithubSettings { repos, ..GithubSettings::default() };
        let wire = Wire { me: me.clone(), doing: Arc::clone(&doing) };
        let clock = clock.clone();
        Self { forge: GithubForge::new(wire, settings, Arc::new(move || clock.now())), doing, me: me.clone() }
    }

    async fn perform(
        &self,
        repo: &RepoName,
        step: &Step,
        text: Option<IssueText>,
    ) -> Result<Receipt, ForgeError> {
        let serial = {
            let mut doing = held(&self.doing);
            let doing = doing.entry(repo.clone()).or_default();
            let serial = doing.last().map_or(0, |last| last.serial + 1);
            doing.push(Doing { serial, step: step.clone(), edits: 0 });
            serial
        };
        let answer = self.forge.perform(repo, step, text).await;
        if let Some(doing) = held(&self.doing).get_mut(repo) {
            doing.retain(|doing| doing.serial != serial);
        }
        self.me.shared.note(self.me.process, "perform", answer.is_ok().into(), || {
            format!("{repo} {step:?} -> {:?}", answer.as_ref().map(|receipt| &receipt.made))
        });
        if answer.is_ok() {
            self.check_lines(repo, step);
        }
        answer
    }

    /// I5: after a body was changed, what people wrote into it is there.
    fn check_lines(&self, repo: &RepoName, step: &Step) {
        let (Step::Tick { epic, .. } | Step::ExtendChecklist { epic, .. }) = step else { return };
        self.me.shared.with(|u| {
            let body =
                u.towns.get(repo).and_then(|town| town.issues.get(epic)).map(|issue| issue.body.clone());
            let Some(body) = body else { return };
            let gone =
                u.notes.lines.iter().any(|(r, e, line)| r == repo && e == epic && !body.contains(line));
            if gone {
                u.violated(Invariant::Checklist, format!("{repo}: a foreign edit of #{epic} was lost"));
            }
        });
    }
}

/// Calls whichever it is.
macro_rules! through {
    ($self:ident, $forge:ident => $call:expr) => {
        match $self {
            TownForge::Port($forge) => $call.await,
            TownForge::Github(client) => {
                let $forge = &client.forge;
                $call.await
            }
        }
    };
}

impl Forge for TownForge {
    async fn repo(&self, repo: &RepoName) -> Result<RepoFacts, ForgeError> {
        through!(self, forge => forge.repo(repo))
    }

    async fn issues(&self, repo: &RepoName, query: &IssueQuery) -> Result<Vec<IssueFacts>, ForgeError> {
        through!(self, forge => forge.issues(repo, query))
    }

    async fn checklist(&self, repo: &RepoName, epic: Number) -> Result<Checklist, ForgeError> {
        through!(self, forge => forge.checklist(repo, epic))
    }

    async fn pulls(&self, repo: &RepoName, query: &PullQuery) -> Result<Vec<Signals>, ForgeError> {
        match self {
            Self::Port(forge) => forge.pulls(repo, query).await,
            Self::Github(client) => {
                let signals = client.forge.pulls(repo, query).await?;
                client.me.shared.with(|u| u.in_town(repo, |town, u| u.answered(repo, town, &signals)));
                Ok(signals)
            }
        }
    }

    async fn branch(&self, repo: &RepoName, branch: &BranchName) -> Result<Option<Sha>, ForgeError> {
        through!(self, forge => forge.branch(repo, branch))
    }

    async fn brief(&self, repo: &RepoName, about: &BriefFor) -> Result<Tainted, ForgeError> {
        through!(self, forge => forge.brief(repo, about))
    }

    async fn audit(&self, repo: &RepoName, issue: Number) -> Result<Tainted, ForgeError> {
        through!(self, forge => forge.audit(repo, issue))
    }

    async fn reviewed(
        &self,
        repo: &RepoName,
        pull: Number,
        head: &Sha,
        reviewer: &EngineName,
    ) -> Result<Option<Verdict>, ForgeError> {
        through!(self, forge => forge.reviewed(repo, pull, head, reviewer))
    }

    async fn review(&self, repo: &RepoName, draft: ReviewDraft) -> Result<(), ForgeError> {
        through!(self, forge => forge.review(repo, draft))
    }

    async fn perform(
        &self,
        repo: &RepoName,
        step: &Step,
        text: Option<IssueText>,
    ) -> Result<Receipt, ForgeError> {
        match self {
            Self::Port(forge) => forge.perform(repo, step, text).await,
            Self::Github(client) => client.perform(repo, step, text).await,
        }
    }

    async fn find(
        &self,
        repo: &RepoName,
        step: &Step,
        since: Timestamp,
        accounted: &Accounted,
    ) -> Result<Option<Receipt>, ForgeError> {
        through!(self, forge => forge.find(repo, step, since, accounted))
    }
}
