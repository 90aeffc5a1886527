//! Wake-ups of single repositories. A repository on GitHub is looked at when somebody rings its bell, a webhook or a worker of this process,
//! and not at every commit of the store: each look costs requests.

use banksman_core::text::RepoName;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Notify;

/// The bells of all repositories. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bells(Arc<Mutex<BTreeMap<String, Arc<Notify>>>>);

impl Bells {
    /// Rings for a repository, known or not. Rings that come while nobody waits are one ring for the next who does.
    pub(crate) fn ring(&self, repo: &RepoName) {
        self.of(repo).notify_one();
    }

    /// The bell of a repository; names on GitHub are the same in any case.
    pub(super) fn of(&self, repo: &RepoName) -> Arc<Notify> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(repo.as_str().to_ascii_lowercase()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_ring_before_anybody_waits_is_heard_and_others_hear_nothing() {
        let bells = Bells::default();
        let name = |text: &str| RepoName::new(text).unwrap();
        bells.ring(&name("Acme/Shop"));
        bells.ring(&name("acme/shop"));
        bells.of(&name("acme/shop")).notified().await;
        let other = bells.of(&name("acme/blog"));
        tokio::select! {
            biased;
            () = other.notified() => panic!("nobody rang for it"),
            () = std::future::ready(()) => {}
        }
    }
}
