//! Which issue a pull request is about where GitHub has no link: it links only those into the default branch, and children go into their
//! epic's. A mention that GitHub itself recorded stands in for it, of trusted authors only.

use super::{
    GithubForge,
    caller::lock,
    documents::References,
    fault::{Fault, No},
    governor::Effect,
    judge,
    look::{LIST_PAGES, ListVars, Read, next, parts},
    memory::PullMemory,
    settings::GithubRepo,
    transport::Transport,
    wire::{Life, actor_of},
};
use banksman_core::{
    id::{ActorId, Number},
    text::RepoName,
};
use std::collections::{BTreeMap, BTreeSet};

impl<T: Transport> GithubForge<T> {
    /// Looks for the issues of pull requests that GitHub does not link: it links only those into the default branch, and children go into
    /// their epic's. Trusted authors' only, and again only when one of them changed.
    pub(super) async fn link(
        &self,
        repo: &RepoName,
        read: &[Read],
        remembered: &mut [PullMemory],
        me: ActorId,
        rules: &GithubRepo,
    ) -> Result<(), Fault> {
        let trusted: Vec<ActorId> = self.accounts(&rules.agents).await?;
        let trusted = [trusted, self.accounts(&rules.allowed).await?].concat();
        let unlinked: Vec<usize> = read
            .iter()
            .enumerate()
            .filter(|(_, one)| {
                let linked =
                    one.pull.closing_issues_references.as_ref().is_some_and(|page| !page.nodes.is_empty());
                !linked
                    && trusted.contains(&actor_of(one.pull.author.as_ref()))
                    && judge::own_subject(&one.pull, me).is_none()
            })
            .map(|(index, _)| index)
            .collect();
        let stale = |index: &usize| {
            let one = &read[*index].pull;
            one.state == Life::Open
                && remembered[*index]
                    .about
                    .as_ref()
                    .is_none_or(|(seen, about)| about.is_empty() && *seen != one.updated_at)
        };
        if !unlinked.iter().any(stale) {
            return Ok(());
        }
        let mentions = self.mentions(repo).await?;
        for index in unlinked {
            let pull = &read[index].pull;
            let epic = pull.base_ref_name.as_ref().and_then(|base| judge::epic_of_branch(base.as_str()));
            let found = mentions.get(&Number(pull.number)).into_iter().flatten();
            let found: Vec<Number> = found.copied().filter(|issue| Some(*issue) != epic).collect();
            // Which of several it is about nobody can tell from structure.
            let about = if found.len() == 1 { found } else { Vec::new() };
            let known = Some((pull.updated_at, about));
            if let Some(memory) = lock(&self.memory).pull(repo, Number(pull.number)) {
                memory.about.clone_from(&known);
            }
            remembered[index].about = known;
        }
        Ok(())
    }

    /// Open issues that pull requests of the repository speak of, by pull request.
    async fn mentions(&self, repo: &RepoName) -> Result<BTreeMap<Number, BTreeSet<Number>>, Fault> {
        let canonical = self.canonical(repo);
        let (owner, name) = parts(&canonical);
        let (mut mentions, mut after) = (BTreeMap::<Number, BTreeSet<Number>>::new(), None);
        for _ in 0..LIST_PAGES {
            let vars = ListVars { owner, name, after };
            let data = self.caller.query(References, Some(repo), Effect::Read, &vars).await?;
            let issues = data.repository.ok_or(Fault::No(No::Missing))?.issues;
            after = next(&issues.page_info);
            for issue in issues.nodes {
                let events = issue.timeline_items.map(|page| page.nodes).unwrap_or_default();
                let from = events.iter().filter_map(|event| event.source.as_ref().or(event.subject.as_ref()));
                for pull in from.filter_map(|pull| pull.inside(&canonical)) {
                    mentions.entry(pull).or_default().insert(Number(issue.number));
                }
            }
            if after.is_none() {
                break;
            }
        }
        Ok(mentions)
    }
}
