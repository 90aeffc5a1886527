//! Links between issues: sub-issues and dependencies, where the host has them. Elsewhere the epic's checklist says the same, so that a host
//! without them is remembered and not asked again.

use super::{
    GithubForge,
    caller::lock,
    fault::{Fault, No},
    governor::Effect,
    rest::Ignored,
    transport::{Transport, Verb},
};
use banksman_core::{id::Number, intent::Receipt, text::RepoName};
use serde::Serialize;

#[derive(Serialize)]
struct SubIssue {
    sub_issue_id: u64,
}

#[derive(Serialize)]
struct Blocker {
    issue_id: u64,
}

impl<T: Transport> GithubForge<T> {
    /// Makes a child a sub-issue of its epic.
    pub(super) async fn link_child(
        &self,
        repo: &RepoName,
        parent: Number,
        child: Number,
    ) -> Result<Receipt, Fault> {
        if lock(&self.memory).repo(repo).no_sub_issues {
            return Ok(self.change());
        }
        let found = self.issues_by_number(repo, &[parent, child], Effect::Settle).await?;
        let Some(sub_issue) = found.iter().find(|issue| issue.number == child.0) else {
            return Err(Fault::No(No::Missing));
        };
        if !found.iter().any(|issue| issue.number == parent.0) {
            return Err(Fault::No(No::Missing));
        }
        let here = self.canonical(repo);
        let has = sub_issue.parent.as_ref().and_then(|parent| parent.inside(&here));
        let Some(id) = sub_issue.full_database_id.filter(|_| has.is_none()) else { return Ok(self.change()) };
        let path = format!("issues/{parent}/sub_issues");
        let made: Result<Ignored, Fault> = self
            .send(repo, Verb::Post, &path, Effect::Write, "add_sub_issue", &SubIssue { sub_issue_id: id })
            .await;
        match made {
            Ok(_) => Ok(self.change()),
            // Both issues are there: it is the link that the host does not know.
            Err(Fault::No(No::Missing | No::Gone)) => {
                lock(&self.memory).repo(repo).no_sub_issues = true;
                tracing::info!(%repo, "there are no sub-issues here: checklists alone say what belongs to an epic");
                Ok(self.change())
            }
            // Linked meanwhile, or nested too deeply: the checklist has it.
            Err(Fault::No(No::Invalid | No::Conflict)) => Ok(self.change()),
            Err(fault) => Err(fault),
        }
    }

    /// Records that an issue waits for another one.
    pub(super) async fn link_blocker(
        &self,
        repo: &RepoName,
        blocker: Number,
        blocked: Number,
    ) -> Result<Receipt, Fault> {
        if lock(&self.memory).repo(repo).no_dependencies {
            return Ok(self.change());
        }
        let found = self.issues_by_number(repo, &[blocker, blocked], Effect::Settle).await?;
        let both = [blocker, blocked].iter().all(|number| found.iter().any(|issue| issue.number == number.0));
        let id =
            found.iter().find(|issue| issue.number == blocker.0).and_then(|issue| issue.full_database_id);
        let Some(issue_id) = id.filter(|_| both) else { return Err(Fault::No(No::Missing)) };
        let path = format!("issues/{blocked}/dependencies/blocked_by");
        let made: Result<Ignored, Fault> =
            self.send(repo, Verb::Post, &path, Effect::Write, "add_blocked_by", &Blocker { issue_id }).await;
        let end = match made {
            Ok(_) | Err(Fault::No(No::Invalid | No::Conflict)) => Ok(self.change()),
            Err(Fault::No(No::Missing | No::Gone)) => {
                lock(&self.memory).repo(repo).no_dependencies = true;
                tracing::info!(%repo, "issues cannot wait for each other here: phases alone give the order");
                Ok(self.change())
            }
            Err(fault) => Err(fault),
        };
        lock(&self.memory).repo(repo).blocked = None;
        end
    }
}
