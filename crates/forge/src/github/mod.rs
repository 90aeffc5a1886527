//! The GitHub client: the port over GraphQL and REST, by structure alone (S1 to S10). Reads are documents of closed fields; writes are sent
//! once and, when no clear answer came, looked for; everything goes through one governor per credential.
//!
//! **What it does not read.** No title (but its first word), body, comment, review text or commit message decides anything; the checklist of
//! an epic is read by pattern. **What it does not trust.** Checks of apps that are not pinned, threads that the author resolved, names that
//! look like others, dates that a commit's author wrote (see `judge`).

mod api;
mod branches;
mod brief;
mod caller;
mod credential;
mod documents;
mod epics;
mod facts;
mod fault;
mod find;
mod glance;
pub mod governor;
mod graphql;
mod http;
mod issues;
mod judge;
mod lineage;
mod links;
mod look;
mod memory;
mod mentions;
mod merging;
mod port;
mod resource;
mod rest;
mod reviews;
mod secret;
mod settings;
mod steps;
mod threads;
pub mod transport;
pub mod webhook;
mod wire;

pub use api::{Api, BadApi};
pub use credential::Credential;
pub use http::{HttpTransport, OpenError};
pub use secret::{AppKey, BadKey, Secret};
pub use settings::{AppId, GITHUB_ACTIONS, GithubRepo, GithubSettings};

use crate::local::Now;
use banksman_core::text::RepoName;
use caller::{Caller, lock};
use fault::Fault;
use governor::GovernorView;
use jiff::Timestamp;
use memory::Memory;
use std::sync::Mutex;
use transport::Transport;

/// The repositories that one credential may see.
pub struct GithubForge<T> {
    caller: Caller<T>,
    settings: GithubSettings,
    memory: Mutex<Memory>,
    /// One change of a body at a time: each reads, changes a line and writes all of it.
    bodies: tokio::sync::Mutex<()>,
}

impl<T: Transport> GithubForge<T> {
    /// A client over this way to the API. Nothing is sent. `now` tells this host's time.
    pub fn new(transport: T, settings: GithubSettings, now: Now) -> Self {
        let caller = Caller::new(transport, now, settings.pace);
        Self { caller, settings, memory: Mutex::default(), bodies: tokio::sync::Mutex::default() }
    }

    /// How things stand with GitHub's limits.
    pub fn limits(&self) -> GovernorView {
        self.caller.view()
    }

    /// When issues, comments and the like were written in the last hour, by this host's clock.
    pub fn written(&self) -> Vec<Timestamp> {
        self.caller.written()
    }

    /// What a process before this one wrote with the same credential, as it was told by [`Self::written`]: GitHub still counts it.
    pub fn remember_written(&self, written: &[Timestamp]) {
        self.caller.remember_written(written);
    }

    /// The name that a repository has now, if it is another one than the configured: it was renamed or moved.
    pub fn renamed(&self, repo: &RepoName) -> Option<RepoName> {
        lock(&self.memory).repo(repo).canonical.clone()
    }

    /// The name to be used in calls.
    fn canonical(&self, repo: &RepoName) -> RepoName {
        self.renamed(repo).unwrap_or_else(|| repo.clone())
    }

    /// Takes note of the name in an answer.
    fn note_name(&self, repo: &RepoName, name: Option<&RepoName>) {
        let Some(name) = name else { return };
        // Letter case does not tell two repositories apart.
        let other = !name.as_str().eq_ignore_ascii_case(repo.as_str());
        let mut memory = lock(&self.memory);
        let known = &mut memory.repo(repo).canonical;
        let now = (other || name != repo).then(|| name.clone());
        if *known != now {
            if other {
                tracing::warn!(%repo, "the repository has another name now");
            }
            *known = now;
        }
    }

    /// Passes on how a change ended: what was seen before it is old. One without a clear end is remembered, for it may still be under way.
    fn changed<D>(&self, repo: &RepoName, end: Result<D, Fault>) -> Result<D, Fault> {
        let mut memory = lock(&self.memory);
        let known = memory.repo(repo);
        known.seen = None;
        if matches!(end, Err(Fault::Unclear(_))) {
            known.unclear_at = Some(self.caller.server_now());
        }
        end
    }
}
