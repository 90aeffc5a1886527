//! Wake-ups of single repositories. A repository on GitHub is looked at when somebody rings its bell, a webhook or a worker of this process,
//! and not at every commit of the store: each look costs requests.

use banksman_core::text::RepoName;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tokio::sync::Notify;

/// The bells of all repositories. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bells(Arc<Mutex<BTreeMap<String, Bell>>>);

/// The bell of one repository.
#[derive(Debug, Default)]
struct Bell {
    notify: Arc<Notify>,
    rung: Option<Instant>,
}

impl Bells {
    /// Rings for a repository, known or not. Rings that come while nobody waits are one ring for the next who does.
    pub(crate) fn ring(&self, repo: &RepoName) {
        self.with(repo, |bell| {
            bell.rung = Some(Instant::now());
            bell.notify.notify_one();
        });
    }

    /// Rings unless somebody did since then: what is told in two ways is one ring.
    pub(super) fn ring_unless_since(&self, repo: &RepoName, since: Instant) {
        self.with(repo, |bell| {
            if bell.rung.is_none_or(|rung| rung < since) {
                bell.rung = Some(Instant::now());
                bell.notify.notify_one();
            }
        });
    }

    /// The bell of a repository.
    pub(super) fn of(&self, repo: &RepoName) -> Arc<Notify> {
        self.with(repo, |bell| Arc::clone(&bell.notify))
    }

    /// Names on GitHub are the same in any case.
    fn with<R>(&self, repo: &RepoName, work: impl FnOnce(&mut Bell) -> R) -> R {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(all.entry(repo.as_str().to_ascii_lowercase()).or_default())
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
