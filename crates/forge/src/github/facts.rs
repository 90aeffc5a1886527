//! What a repository is and offers, and who accounts are. Read now and then; what a look needs to be new (heads, pull requests, issues) is
//! read by others.

use super::{
    GithubForge,
    caller::lock,
    documents::RepositoryFacts,
    fault::{Fault, No, Scopes},
    governor::Effect,
    look::parts,
    resource::Rest,
    rest::encoded,
    transport::Transport,
    wire::{Actor, FactsIn, NOBODY, actor_of},
};
use banksman_core::{
    id::ActorId,
    port::{Audience, Offered, Offers, Refusal, RepoFacts, Scope},
    text::{Login, RepoName},
};
use jiff::SignedDuration;
use serde::Serialize;

/// How long facts are taken for true. The heads among them are read anew where a step depends on them.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(5);

/// How long an account that is not there is not asked for again: somebody may make it.
const MISSING_FOR: SignedDuration = SignedDuration::from_mins(60);

#[derive(Serialize)]
struct Vars<'a> {
    owner: &'a str,
    name: &'a str,
}

impl<T: Transport> GithubForge<T> {
    /// The facts, read again when they are older than some minutes.
    pub(super) async fn facts(&self, repo: &RepoName) -> Result<RepoFacts, Fault> {
        let known = lock(&self.memory).repo(repo).facts.clone();
        match known {
            Some((at, facts)) if self.caller.now().duration_since(at).abs() < GOOD_FOR => Ok(facts),
            Some(_) | None => self.fresh_facts(repo).await,
        }
    }

    /// The facts as they are now. A repository that can only be read is refused as a whole.
    pub(super) async fn fresh_facts(&self, repo: &RepoName) -> Result<RepoFacts, Fault> {
        let canonical = self.canonical(repo);
        let (owner, name) = parts(&canonical);
        let data =
            self.caller.query(RepositoryFacts, Some(repo), Effect::Read, &Vars { owner, name }).await?;
        match data.repository {
            Some(found) => self.note_facts(repo, data.viewer.as_ref(), found).await,
            None => self.no_repository(repo),
        }
    }

    /// There is no such repository, as far as the credential may see.
    pub(super) fn no_repository<D>(&self, repo: &RepoName) -> Result<D, Fault> {
        // It may have been renamed back.
        lock(&self.memory).repo(repo).canonical = None;
        Err(match self.caller.scopes() {
            // It may be there for a token that may see private ones.
            Some(Scopes::PublicRepo | Scopes::Neither) => Refusal::NoScope(Scope::Repo).into(),
            Some(Scopes::Repo) | None => Fault::No(No::Missing),
        })
    }

    /// Takes note of facts that were read.
    pub(super) async fn note_facts(
        &self,
        repo: &RepoName,
        viewer: Option<&Actor>,
        found: FactsIn,
    ) -> Result<RepoFacts, Fault> {
        let me = actor_of(viewer);
        if me == NOBODY {
            return Err(Refusal::BadCredential.into());
        }
        if self.caller.scopes() == Some(Scopes::Neither) {
            return Err(Refusal::NoScope(Scope::Repo).into());
        }
        self.note_name(repo, found.name_with_owner.as_ref());
        if found.is_archived || found.is_disabled || found.is_locked {
            return Err(Refusal::Archived.into());
        }
        let default = found.default_branch_ref.ok_or(Fault::No(No::Missing))?;
        let head = default.target.and_then(|target| target.oid);
        let rules = self.settings.repo(repo);
        let (no_sub_issues, no_dependencies) = {
            let mut memory = lock(&self.memory);
            let known = memory.repo(repo);
            known.node = Some(found.id);
            known.deletes_heads = Some(Offered::of(found.delete_branch_on_merge));
            (known.no_sub_issues, known.no_dependencies)
        };
        let facts = RepoFacts {
            default_branch: default.name.ok_or(Fault::No(No::Missing))?,
            default_head: head.ok_or(Fault::No(No::Missing))?,
            me,
            allowed: self.accounts(&rules.allowed).await?,
            agents: self.accounts(&rules.agents).await?,
            offers: Offers {
                auto_merge: Offered::of(found.auto_merge_allowed),
                merge_queue: Offered::of(found.merge_queue.is_some()),
                sub_issues: Offered::of(!no_sub_issues),
                dependencies: Offered::of(!no_dependencies),
                squash: Offered::of(found.squash_merge_allowed),
                merge_commit: Offered::of(found.merge_commit_allowed),
                audience: if found.is_private { Audience::Private } else { Audience::Public },
            },
        };
        lock(&self.memory).repo(repo).facts = Some((self.caller.now(), facts.clone()));
        Ok(facts)
    }

    /// Banksman's own account.
    pub(super) async fn me(&self, repo: &RepoName) -> Result<ActorId, Fault> {
        let known = lock(&self.memory).repo(repo).facts.as_ref().map(|(_, facts)| facts.me);
        match known {
            Some(me) => Ok(me),
            None => Ok(self.fresh_facts(repo).await?.me),
        }
    }

    /// The numbers of configured accounts; one that does not exist is left out and said once.
    pub(super) async fn accounts(&self, logins: &[Login]) -> Result<Vec<ActorId>, Fault> {
        let mut accounts = Vec::with_capacity(logins.len());
        for login in logins {
            let known = lock(&self.memory).accounts.get(login).copied();
            let now = self.caller.now();
            let account = match known {
                Some((at, account)) if account.is_some() || now.duration_since(at).abs() < MISSING_FOR => {
                    account
                }
                Some(_) | None => {
                    let path = format!("/users/{}", encoded(login.as_str()));
                    let call = Rest {
                        repo: None,
                        verb: super::transport::Verb::Get,
                        path,
                        effect: Effect::Read,
                        operation: "account",
                    };
                    let account = match self.caller.read::<Actor>(call).await {
                        Ok(found) => Some(found.actor()).filter(|account| *account != NOBODY),
                        Err(Fault::No(No::Missing)) => None,
                        Err(fault) => return Err(fault),
                    };
                    if account.is_none() {
                        tracing::warn!(%login, "GitHub has no such account; the configuration names it");
                    }
                    lock(&self.memory).accounts.insert(login.clone(), (now, account));
                    account
                }
            };
            accounts.extend(account);
        }
        Ok(accounts)
    }
}
