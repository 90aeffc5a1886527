//! The watch over claims: what processes that are gone, or hosts that fell silent, still hold is let go, and an attempt of ours whose
//! job somebody cancelled or took is ended.

use super::{Worker, board::Ending};
use crate::bug;
use banksman_core::{
    id::AttemptId,
    job::{Stage, Why},
    port::{Claim, Engine, Life, Queue, StoreError, World},
    text::Holder,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// So long after the end of its lease a claim is taken away: clocks of two hosts are never quite the same.
const SLACK: SignedDuration = SignedDuration::from_secs(2);

/// One look at the claims.
pub(super) struct Look {
    /// What ran here when it began.
    pub(super) began_with: BTreeSet<AttemptId>,
    /// How many claims this worker had begun then; `None` while one was under way.
    pub(super) claims_begun: Option<u64>,
    /// What was seen.
    pub(super) seen: Result<Vec<Claim>, StoreError>,
}

/// What has to be done about a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing before then, as far as is known.
    Nothing(Timestamp),
    /// Look again soon: it can be gone at any time.
    LookAgain,
    /// It is lost; whatever is left of it is out of reach.
    Lose,
    /// What is left of it on this host is ended, then it is lost.
    Reap,
}

/// What has to be done about a claim that does not run here. `orphan`: it is this worker's, but nobody here knows of it.
pub(super) fn due(claim: &Claim, mine: &Holder, orphan: bool, life: Life, now: Timestamp) -> Due {
    let end = claim.until + SLACK;
    let over = end <= now;
    match life {
        _ if claim.holder == *mine && (over || orphan) => Due::Reap,
        _ if claim.holder == *mine => Due::Nothing(end),
        Life::Gone => Due::Reap,
        Life::Alive if over => Due::Reap,
        Life::Alive => Due::LookAgain,
        Life::Elsewhere if over => Due::Lose,
        Life::Elsewhere => Due::Nothing(end),
    }
}

impl<W: World> Worker<W> {
    /// Reads the claims.
    pub(super) async fn look(&self, began_with: BTreeSet<AttemptId>, claims_begun: Option<u64>) -> Look {
        Look { began_with, claims_begun, seen: self.world.store().claims().await }
    }

    /// Ends what runs here but is not ours any more: it was there when the look began, and the look did not see it, or saw that its job
    /// was cancelled.
    pub(super) fn end_what_is_not_ours(&self, began_with: &BTreeSet<AttemptId>, seen: &[Claim]) {
        for attempt in began_with.iter().filter(|attempt| self.board.has(**attempt)) {
            let ours = seen.iter().any(|claim| {
                claim.attempt == *attempt
                    && claim.holder == self.setup.holder
                    && claim.job.state.stage() != Stage::Cancelled
            });
            if !ours {
                self.end(*attempt, Ending::Lost);
            }
        }
    }

    /// Lets go of a claim that nobody will let go otherwise.
    pub(super) async fn free(&self, claim: Claim, due: Due) {
        if due == Due::Reap && !bug!(ReapForgotten) {
            self.world.engine().reap(claim.attempt).await;
        }
        match self.world.store().lose(&claim, &self.setup.holder, self.now()).await {
            Ok(true) => {
                tracing::info!(job.id = %claim.job.id, attempt.id = %claim.attempt, "an attempt was lost with its worker");
                if claim.job.state.stage() != Stage::Cancelled {
                    self.show_move(&claim.job, Some(&claim), Stage::Building, Why::Lost);
                }
            }
            Ok(false) => {}
            // The next look finds it again.
            Err(error) => tracing::info!(job.id = %claim.job.id, %error, "a lost attempt is seen to later"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use banksman_core::{
        id::{JobId, Number, Token},
        job::{Held, Job, JobState, JobWork},
        text::{BranchName, EngineName, JobName, RepoName},
        work::Task,
    };

    fn claim(holder: &str, until: Timestamp) -> Claim {
        let (holder, attempt, token) = (Holder::new(holder).unwrap(), AttemptId(1), Token(1));
        let held = Held { attempt, holder: holder.clone(), token, until };
        let engine = EngineName::new("sh").unwrap();
        let job = Job {
            id: JobId(1),
            name: JobName::new("job").unwrap(),
            key: None,
            work: JobWork::Task {
                repo: RepoName::new("a/b").unwrap(),
                task: Task::Implement { child: Number(1), base: BranchName::new("main").unwrap() },
                engine: engine.clone(),
            },
            created_at: Timestamp::UNIX_EPOCH,
            failures: 0,
            losses: 0,
            waits_for: 0,
            retry_of: None,
            state: JobState::Building(held),
        };
        Claim { job, engine, attempt, holder, token, since: Timestamp::UNIX_EPOCH, until }
    }

    #[test]
    fn a_claim_is_taken_away_only_from_who_is_gone_or_silent() {
        let mine = Holder::new("me").unwrap();
        let now = Timestamp::from_second(1_000).unwrap();
        let (running, over) = (now + SignedDuration::from_secs(30), now - SLACK);
        let just_over = now - SignedDuration::from_secs(1);
        for (holder, orphan, life, until, expected) in [
            ("other", false, Life::Gone, running, Due::Reap),
            ("other", false, Life::Gone, over, Due::Reap),
            ("other", false, Life::Alive, running, Due::LookAgain),
            // It stands still: nothing of it may run beside the next attempt.
            ("other", false, Life::Alive, over, Due::Reap),
            ("other", false, Life::Elsewhere, running, Due::Nothing(running + SLACK)),
            ("other", false, Life::Elsewhere, just_over, Due::Nothing(just_over + SLACK)),
            ("other", false, Life::Elsewhere, over, Due::Lose),
            ("me", false, Life::Alive, running, Due::Nothing(running + SLACK)),
            ("me", false, Life::Alive, over, Due::Reap),
            ("me", true, Life::Alive, running, Due::Reap),
            ("me", false, Life::Elsewhere, running, Due::Nothing(running + SLACK)),
        ] {
            let found = due(&claim(holder, until), &mine, orphan, life, now);
            assert_eq!(found, expected, "{holder} {orphan} {life:?} {until}");
        }
    }
}
