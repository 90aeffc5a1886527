//! The last commits of a pull request: which of them are merges of its base that Banksman made. An approval outlives those (S10).

use super::{
    GithubForge,
    documents::Lineage,
    fault::{Fault, No},
    governor::Effect,
    look::{OneVars, parts},
    transport::Transport,
    wire::NOBODY,
};
use banksman_core::{
    id::{ActorId, Number},
    text::{RepoName, Sha},
};

/// A commit of a pull request.
pub(super) struct Ancestor {
    pub(super) sha: Sha,
    /// The account that GitHub knows as its author.
    pub(super) by: ActorId,
    pub(super) parents: Vec<Sha>,
    pub(super) at: jiff::Timestamp,
}

impl<T: Transport> GithubForge<T> {
    /// The head and the commits before it as far as only merges of the base by Banksman lie between.
    pub(super) async fn own_updates(
        &self,
        repo: &RepoName,
        pull: Number,
        head: &Sha,
        me: ActorId,
    ) -> Result<Vec<Sha>, Fault> {
        let commits = self.lineage(repo, pull, Effect::Read).await?;
        let mut fresh = vec![head.clone()];
        let mut at = head.clone();
        while let Some(own) = commits.iter().find(|commit| commit.sha == at)
            && own.by == me
            && me != NOBODY
            && own.parents.len() == 2
        {
            at = own.parents[0].clone();
            if fresh.contains(&at) {
                break;
            }
            fresh.push(at.clone());
        }
        Ok(fresh)
    }

    /// The last commits of a pull request.
    pub(super) async fn lineage(
        &self,
        repo: &RepoName,
        pull: Number,
        effect: Effect,
    ) -> Result<Vec<Ancestor>, Fault> {
        let canonical = self.canonical(repo);
        let (owner, name) = parts(&canonical);
        let vars = OneVars { owner, name, number: pull.0, after: None };
        let data = self.caller.query(Lineage, Some(repo), effect, &vars).await?;
        let pull =
            data.repository.and_then(|repository| repository.pull_request).ok_or(Fault::No(No::Missing))?;
        Ok(pull.commits.nodes.into_iter().filter_map(|node| node.commit.ancestor()).collect())
    }
}
