//! Repositories that GitHub keeps waiting or refuses, with the reason in closed words: each stands still alone, and `status` says why.

use banksman_core::{
    port::{ForgeError, Refusal},
    text::RepoName,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Why a repository stands still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trouble {
    /// In a few words, none of them the forge's own.
    pub(crate) why: String,
    /// Until when it is left alone; `None`: until somebody mends it, or the forge answers again.
    pub(crate) until: Option<Timestamp>,
}

/// What kind of call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// About the repository as a whole.
    Repository,
    /// An effect.
    Effect,
    /// A look at a part of it.
    Look,
}

/// What is known of all repositories. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Troubles(Arc<Mutex<BTreeMap<RepoName, Trouble>>>);

impl Troubles {
    /// Notes how a call ended. What is about one effect alone says nothing about the repository.
    pub(super) fn note(&self, repo: &RepoName, call: Call, error: Option<&ForgeError>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let trouble = match error {
            // An archived repository can be read all the same.
            None if call == Call::Look && all.get(repo).is_some_and(|known| known.until.is_none()) => return,
            None => None,
            Some(ForgeError::Later(until)) => {
                Some(Trouble { why: "waits for the limits of GitHub".to_owned(), until: Some(*until) })
            }
            Some(ForgeError::Unclear(what)) => Some(Trouble { why: (*what).to_owned(), until: None }),
            Some(ForgeError::Refused(refusal)) if refusal.is_of_repository() => {
                Some(Trouble { why: refusal.describe().to_owned(), until: None })
            }
            Some(ForgeError::Refused(Refusal::NotFound)) if call == Call::Repository => Some(Trouble {
                why: "the token cannot see it, or it has another name now".to_owned(),
                until: None,
            }),
            Some(ForgeError::Refused(_)) => return,
        };
        match trouble {
            Some(trouble) => drop(all.insert(repo.clone(), trouble)),
            None => drop(all.remove(repo)),
        }
    }

    /// All of them now.
    pub(super) fn all(&self) -> BTreeMap<RepoName, Trouble> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_in_trouble_until_the_forge_answers() {
        let troubles = Troubles::default();
        let repo = RepoName::new("acme/shop").unwrap();
        let until = Timestamp::UNIX_EPOCH;
        let note = |call, error: Option<ForgeError>| troubles.note(&repo, call, error.as_ref());
        note(Call::Look, Some(ForgeError::Later(until)));
        assert_eq!(troubles.all()[&repo].until, Some(until));
        note(Call::Look, None);
        assert!(troubles.all().is_empty());
        note(Call::Effect, Some(ForgeError::Refused(Refusal::Archived)));
        note(Call::Look, None);
        assert_eq!(troubles.all()[&repo].why, Refusal::Archived.describe());
        note(Call::Effect, Some(ForgeError::Refused(Refusal::HeadMoved)));
        assert!(!troubles.all().is_empty(), "a refused effect says nothing about the repository");
        note(Call::Repository, None);
        assert!(troubles.all().is_empty());
    }
}
