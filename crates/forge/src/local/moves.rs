//! Wakes those who wait for a push: branches are moved by people and agents with git, which tells nobody.

use super::{LocalForge, home::Home};
use banksman_core::port::{Book, Checker};
use std::time::Duration;

/// How often the files that hold the branches are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Waits for branches to move. Waking is a hint.
pub struct Moves<'a> {
    homes: Vec<(&'a Home, u64)>,
}

impl<B: Book, C: Checker> LocalForge<B, C> {
    /// A stream of wake-ups by moving branches that begins now.
    pub async fn moves(&self) -> Moves<'_> {
        let mut homes = Vec::with_capacity(self.homes.len());
        for home in self.homes.values() {
            homes.push((home, home.git.stamp().await));
        }
        Moves { homes }
    }
}

impl Moves<'_> {
    /// Returns when a branch moved since the last call, within a second or so. Can be dropped at any time without losing a move.
    pub async fn next(&mut self) {
        loop {
            let mut moved = false;
            for (home, last) in &mut self.homes {
                let now = home.git.stamp().await;
                moved |= std::mem::replace(last, now) != now;
            }
            if moved {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}
