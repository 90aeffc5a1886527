//! The simulated forge: the port over the towns, with GitHub's nastier sides. Answers get lost after the effect, errors pass, mergeability
//! is computed when asked, nothing is deduplicated.

mod graph;
mod perform;
pub(crate) mod town;

pub(crate) use graph::Commit;
pub(crate) use town::{Customs, State, Town};

use crate::{canary, gate::Port, nature, universe::Universe, world::Me};
use banksman_core::{
    epic::Checklist,
    id::Number,
    intent::{Receipt, Step},
    port::{
        Accounted, BriefFor, Forge, ForgeError, IssueQuery, IssueText, Offers, PullQuery, Refusal, RepoFacts,
        ReviewDraft,
    },
    signals::{IssueFacts, Signals},
    tainted::Tainted,
    text::{BranchName, EngineName, RepoName, Sha},
    work::Verdict,
};
use jiff::Timestamp;
use town::{ME, OWNER, ReviewRow, Reviewer};

/// One process's connection to the forge.
#[derive(Clone)]
pub(crate) struct SimForge(pub(crate) Me);

const UNCLEAR: ForgeError = ForgeError::Unclear("simulated");

impl SimForge {
    async fn read<T>(
        &self,
        call: &'static str,
        repo: &RepoName,
        read: impl FnOnce(&mut Town, &mut Universe) -> Result<T, ForgeError>,
    ) -> Result<T, ForgeError> {
        self.0.before(Port::Forge, call).await.map_err(|_| UNCLEAR)?;
        let answer = self.0.shared.with(|u| u.in_town(repo, read).unwrap_or(Err(gone())));
        self.0.after(Port::Forge, call).await.map_err(|_| UNCLEAR)?;
        answer
    }
}

fn gone() -> ForgeError {
    ForgeError::Refused(Refusal::NotFound)
}

impl Forge for SimForge {
    async fn repo(&self, repo: &RepoName) -> Result<RepoFacts, ForgeError> {
        self.read("repo", repo, |town, _| {
            let default_head = town.graph.sha(town.branches[&town.default_branch]).clone();
            let default_branch = town.default_branch.clone();
            Ok(RepoFacts {
                default_branch,
                default_head,
                me: ME,
                allowed: vec![OWNER],
                agents: Vec::new(),
                offers: Offers::default(),
            })
        })
        .await
    }

    async fn issues(&self, repo: &RepoName, query: &IssueQuery) -> Result<Vec<IssueFacts>, ForgeError> {
        self.read("issues", repo, |town, _| {
            Ok(match query {
                IssueQuery::Open => {
                    let open = town.issues.iter().filter(|(_, i)| i.open);
                    open.filter_map(|(n, _)| town.facts(*n)).collect()
                }
                IssueQuery::Numbers(numbers) => {
                    let mut sorted = numbers.clone();
                    sorted.sort();
                    sorted.dedup();
                    sorted.into_iter().filter_map(|n| town.facts(n)).collect()
                }
            })
        })
        .await
    }

    async fn checklist(&self, repo: &RepoName, epic: Number) -> Result<Checklist, ForgeError> {
        self.read("checklist", repo, |town, _| town.checklist(epic).ok_or(gone())).await
    }

    async fn pulls(&self, repo: &RepoName, query: &PullQuery) -> Result<Vec<Signals>, ForgeError> {
        self.read("pulls", repo, |town, u| {
            let numbers: Vec<Number> = match query {
                PullQuery::Open => {
                    town.pulls.iter().filter(|(_, p)| p.state == State::Open).map(|(n, _)| *n).collect()
                }
                PullQuery::Numbers(numbers) => {
                    let mut sorted = numbers.clone();
                    sorted.sort();
                    sorted.dedup();
                    sorted
                }
            };
            let signals: Vec<Signals> = numbers.into_iter().filter_map(|n| town.signals(u.now, n)).collect();
            u.answered(repo, town, &signals);
            Ok(signals)
        })
        .await
    }

    async fn branch(&self, repo: &RepoName, branch: &BranchName) -> Result<Option<Sha>, ForgeError> {
        self.read("branch", repo, |town, _| {
            Ok(town.branches.get(branch).map(|head| town.graph.sha(*head).clone()))
        })
        .await
    }

    async fn brief(&self, repo: &RepoName, _about: &BriefFor) -> Result<Tainted, ForgeError> {
        self.read("brief", repo, |_, _| Ok(Tainted::new(canary::text("brief")))).await
    }

    async fn audit(&self, repo: &RepoName, _issue: Number) -> Result<Tainted, ForgeError> {
        self.read("audit", repo, |_, _| Ok(Tainted::new(canary::text("audit")))).await
    }

    async fn reviewed(
        &self,
        repo: &RepoName,
        pull: Number,
        head: &Sha,
        reviewer: &EngineName,
    ) -> Result<Option<Verdict>, ForgeError> {
        self.read("reviewed", repo, |town, _| {
            let reviewer = Reviewer::Engine(reviewer.clone());
            let rows = town.pulls.get(&pull).map(|p| p.reviews.as_slice()).unwrap_or_default();
            Ok(rows
                .iter()
                .find(|r| r.reviewer == reviewer && town.graph.sha(r.head) == head)
                .map(|r| r.verdict))
        })
        .await
    }

    async fn review(&self, repo: &RepoName, draft: ReviewDraft) -> Result<(), ForgeError> {
        self.0.before(Port::Forge, "review").await.map_err(|_| UNCLEAR)?;
        let answer = self.0.shared.with(|u| {
            let now = u.now;
            u.in_town(repo, |town, _| {
                let head = town.commit(&draft.head).ok_or(gone())?;
                let reviewer = Reviewer::Engine(draft.reviewer.clone());
                let pull = town.pulls.get_mut(&draft.pull).ok_or(gone())?;
                if pull.state != State::Open {
                    return Err(ForgeError::Refused(Refusal::Ended));
                }
                if pull.reviews.iter().any(|r| r.reviewer == reviewer && r.head == head) {
                    return Ok(());
                }
                pull.updated = now;
                pull.reviews.push(ReviewRow { reviewer, head, verdict: draft.verdict });
                draft.threads.iter().for_each(|_| town.open_thread(now, draft.pull));
                Ok(())
            })
            .unwrap_or(Err(gone()))
        });
        self.0.changed();
        nature::stir(&self.0.shared, repo);
        self.0.after(Port::Forge, "review").await.map_err(|_| UNCLEAR)?;
        answer
    }

    async fn perform(
        &self,
        repo: &RepoName,
        step: &Step,
        text: Option<IssueText>,
    ) -> Result<Receipt, ForgeError> {
        self.0.before(Port::Forge, "perform").await.map_err(|_| UNCLEAR)?;
        let answer = self.0.shared.with(|u| u.perform(repo, step, text));
        self.0.shared.note(self.0.process, "perform", answer.is_ok().into(), || {
            format!("{repo} {step:?} -> {:?}", answer.as_ref().map(|r| &r.made))
        });
        self.0.changed();
        nature::stir(&self.0.shared, repo);
        self.0.after(Port::Forge, "perform").await.map_err(|_| UNCLEAR)?;
        answer.map_err(ForgeError::Refused)
    }

    async fn find(
        &self,
        repo: &RepoName,
        step: &Step,
        since: Timestamp,
        accounted: &Accounted,
    ) -> Result<Option<Receipt>, ForgeError> {
        let found = self.read("find", repo, |town, u| Ok(town.find(u.now, step, since, accounted))).await?;
        self.0.shared.note(self.0.process, "find", found.is_some().into(), || {
            format!("{repo} {step:?} -> {:?}", found.as_ref().map(|r| &r.made))
        });
        Ok(found)
    }
}
