//! Wake-up: tells that somebody committed, in this process at once, in another one as soon as its bell is heard.

use super::{
    Database,
    bell::{Bell, Ear},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    select,
    sync::watch,
    time::{self, Instant},
};

/// How often other processes' commits are looked for beside listening. One look takes some microseconds.
const LOOK: Duration = Duration::from_secs(1);
/// The same where listening is not possible (a path that is too long for a socket's address).
const LOOK_DEAF: Duration = Duration::from_millis(250);

/// A place in the stream of commits. Waking is a hint: it may come for a commit that does not matter to the waiter.
pub struct Changes {
    db: Database,
    bell: Arc<Bell>,
    seen: watch::Receiver<u64>,
    ear: Listening,
    next_look: Instant,
}

/// Whether the bell is heard.
enum Listening {
    /// Nobody has waited yet.
    NotYet,
    /// It is.
    To(Ear),
    /// It cannot be.
    Deaf,
}

impl Changes {
    pub(super) fn new(db: Database, bell: Arc<Bell>, seen: watch::Receiver<u64>) -> Self {
        Self { db, bell, seen, ear: Listening::NotYet, next_look: Instant::now() }
    }

    /// Returns when something was committed since the last call (or since [`Database::changes`]). Can be dropped at any time
    /// without losing a change, so a deadline is a `select!` beside it.
    pub async fn next(&mut self) {
        if let Listening::NotYet = self.ear {
            self.ear = match self.bell.listen() {
                Ok(ear) => Listening::To(ear),
                Err(error) => {
                    tracing::warn!(error = %error, "other processes are not heard at once, but within 250 ms");
                    Listening::Deaf
                }
            };
            // What was rung before is found by looking.
            self.next_look = Instant::now();
        }
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
                () = heard(&self.ear) => return,
                () = time::sleep_until(self.next_look) => {
                    self.db.look().await;
                    self.next_look = Instant::now() + match self.ear {
                        Listening::To(_) => LOOK,
                        Listening::NotYet | Listening::Deaf => LOOK_DEAF,
                    };
                }
            }
        }
    }
}

async fn heard(ear: &Listening) {
    match ear {
        Listening::To(ear) => ear.heard().await,
        Listening::NotYet | Listening::Deaf => std::future::pending().await,
    }
}
