//! Wake-up: tells that somebody committed, in this process at once, in another one within a quarter of a second.

use super::Database;
use std::time::Duration;
use tokio::{select, sync::watch, time};

/// How often other processes' commits are looked for while somebody waits. One look takes some microseconds.
const LOOK: Duration = Duration::from_millis(250);

/// A place in the stream of commits. Waking is a hint: it may come for a commit that does not matter to the waiter.
pub struct Changes {
    db: Database,
    seen: watch::Receiver<u64>,
}

impl Changes {
    pub(super) fn new(db: Database, seen: watch::Receiver<u64>) -> Self {
        Self { db, seen }
    }

    /// Returns when something was committed since the last call (or since [`Database::changes`]). Can be dropped at any time
    /// without losing a change, so a deadline is a `select!` beside it.
    pub async fn next(&mut self) {
        loop {
            select! {
                result = self.seen.changed() => {
                    // The sender lives in the database that this value keeps open; if its thread died, waiting is all
                    // that is left to do.
                    if result.is_err() {
                        std::future::pending::<()>().await;
                    }
                    return;
                }
                () = time::sleep(LOOK) => self.db.look().await,
            }
        }
    }
}
