//! Virtual time: askers, answers under way, a host's clock that may be wrong.

use super::model::Github;
use banksman_core::text::RepoName;
use banksman_forge::github::governor::{Answer, Cost, Governor, Heard, Ticket, Turn};
use jiff::Timestamp;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

/// What a request met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Answered after so many milliseconds.
    Answered(i64),
    /// Received, and the answer lost; the client notices after so many milliseconds.
    Lost(i64),
    /// Received, and answered with an error of the server after so many.
    Broken(i64),
    /// Received, and nobody ever tells the governor.
    Forgotten,
}

/// The world.
pub(crate) struct World {
    /// True time in milliseconds.
    pub(crate) now: i64,
    /// What the host's clock is wrong by.
    pub(crate) skew: i64,
    pub(crate) governor: Governor,
    pub(crate) github: Github,
    answers: BinaryHeap<Reverse<(i64, u64)>>,
    under_way: BTreeMap<u64, (Ticket, Heard)>,
    next: u64,
}

/// Some moment of 2026.
pub(crate) const BEGIN: i64 = 1_795_000_000_000;

impl World {
    pub(crate) fn new() -> Self {
        Self {
            now: BEGIN,
            skew: 0,
            governor: Governor::default(),
            github: Github::default(),
            answers: BinaryHeap::new(),
            under_way: BTreeMap::new(),
            next: 0,
        }
    }

    /// The host's time.
    pub(crate) fn local(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now + self.skew).unwrap()
    }

    /// Time passes until then; what arrives on the way is told.
    pub(crate) fn pass(&mut self, until: i64) {
        while let Some(Reverse((at, id))) = self.answers.peek().copied()
            && at <= until
        {
            self.answers.pop();
            self.now = at.max(self.now);
            self.github.concurrent -= 1;
            let (ticket, heard) = self.under_way.remove(&id).unwrap();
            let local = self.local();
            self.governor.told(local, ticket, &heard);
        }
        self.now = until.max(self.now);
    }

    /// Asks once; sends if it may. Otherwise how many milliseconds to wait.
    pub(crate) fn attempt(&mut self, repo: Option<&RepoName>, cost: Cost, fate: Fate) -> Result<(), i64> {
        let local = self.local();
        match self.governor.ask(local, repo, cost) {
            Turn::Wait(until) => {
                assert!(until > local, "a wait that is over");
                Err((until.as_millisecond() - local.as_millisecond()).max(1))
            }
            Turn::Go(ticket) => {
                let heard = self.github.receive(self.now, cost);
                let (after, heard) = match fate {
                    Fate::Answered(after) => (after, heard),
                    Fate::Lost(after) => (after, Heard::nothing()),
                    Fate::Broken(after) => {
                        (after, Heard { answer: Answer::ServerError { retry_after: None }, ..heard })
                    }
                    Fate::Forgotten => {
                        // The connection is gone for GitHub too.
                        self.github.concurrent -= 1;
                        return Ok(());
                    }
                };
                self.answers.push(Reverse((self.now + after, self.next)));
                self.under_way.insert(self.next, (ticket, heard));
                self.next += 1;
                Ok(())
            }
        }
    }
}

/// A repository of that number.
pub(crate) fn repo(number: usize) -> RepoName {
    RepoName::new(&format!("acme/r{number}")).unwrap()
}
