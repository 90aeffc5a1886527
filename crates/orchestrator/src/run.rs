//! The loop over looks: again at once while something was changed, else when woken or when something is due.

use crate::{Look, Orchestrator, Outlook, Stop, Trouble};
use banksman_core::{
    port::{Clock, ForgeError, World},
    repo::RepoRules,
};
use jiff::{SignedDuration, Timestamp};

/// How long to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Until nothing moves any more.
    Settled,
    /// Until stopped.
    Stopped,
}

/// Longest pause after trouble.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// Refusals in a row after which a repository is no longer waited for.
const STUCK: u32 = 3;

/// How one repository stands in the loop.
struct Course<'a> {
    rules: &'a RepoRules,
    /// The last look, unless it ended in trouble.
    look: Option<Look>,
    /// When it is looked at again.
    due: Timestamp,
    /// Troubles in a row. While there are any only time helps: waking would spin.
    troubles: u32,
    /// What the forge refuses for the repository as a whole, again and again: it moved, or the account lost its rights. That is its own
    /// trouble and no other repository's.
    stuck: Option<Trouble>,
}

impl Course<'_> {
    fn settled(&self) -> bool {
        self.look.as_ref().is_some_and(|l| !l.acted && l.outlook != Outlook::Moving)
    }
}

impl<W: World> Orchestrator<W> {
    /// Looks at these repositories again and again, each when it is due. Comes back with the outlook of each: at the end for
    /// [`Until::Settled`], else when stopped. Trouble that passes is waited out. What the forge refuses for one repository does not keep
    /// the others from going on: it is tried again, slowly, and comes back as the error when all others are settled. A store that
    /// failed ends the loop.
    pub async fn run(&self, rules: &[RepoRules], until: Until, stop: &Stop) -> Result<Vec<Outlook>, Trouble> {
        let begin = self.now();
        let mut courses: Vec<Course<'_>> = rules
            .iter()
            .map(|rules| Course { rules, look: None, due: begin, troubles: 0, stuck: None })
            .collect();
        loop {
            for course in &mut courses {
                if course.due <= self.now() {
                    self.follow(course).await?;
                }
            }
            let through = |course: &Course<'_>| course.settled() || course.stuck.is_some();
            if stop.wished() || (until == Until::Settled && courses.iter().all(through)) {
                if let Some(trouble) =
                    courses.iter_mut().find_map(|c| c.stuck.take()).filter(|_| !stop.wished())
                {
                    return Err(trouble);
                }
                return Ok(courses.into_iter().filter_map(|c| c.look).map(|l| l.outlook).collect());
            }
            let now = self.now();
            let next = courses.iter().map(|c| c.due).min().unwrap_or(now + PAUSE);
            if next <= now {
                continue;
            }
            if courses.iter().all(|c| c.troubles > 0) {
                self.world.clock().sleep_until(next).await;
                continue;
            }
            self.world.clock().changed(next).await;
            let now = self.now();
            if now < next {
                courses.iter_mut().filter(|c| c.troubles == 0).for_each(|c| c.due = now);
            }
        }
    }

    /// One look, and when the next one is due.
    async fn follow(&self, course: &mut Course<'_>) -> Result<(), Trouble> {
        match self.sweep(course.rules).await {
            Ok(look) => {
                course.troubles = 0;
                course.stuck = None;
                course.due = if look.acted { self.now() } else { look.next };
                course.look = Some(look);
            }
            Err(trouble) if trouble.passes() || matches!(trouble, Trouble::Forge(ForgeError::Refused(_))) => {
                tracing::info!(repo = %course.rules.repo, trouble = %because(&trouble), "look again later");
                course.troubles += 1;
                let wait = SignedDuration::from_millis(500) * (1i32 << course.troubles.min(6));
                course.due = match &trouble {
                    // The forge said when.
                    Trouble::Forge(ForgeError::Later(until)) => (*until).max(self.now() + wait.min(PAUSE)),
                    _ => self.now() + wait.min(PAUSE),
                };
                if course.troubles >= STUCK && !trouble.passes() {
                    let why = because(&trouble);
                    tracing::warn!(repo = %course.rules.repo, trouble = %why, "the forge refuses this repository");
                    course.stuck = Some(trouble);
                }
                course.look = None;
            }
            Err(trouble) => return Err(trouble),
        }
        Ok(())
    }
}

/// The trouble in closed words, its cause included.
fn because(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Forge(error) => error.to_string(),
        Trouble::Elsewhere | Trouble::Store(_) => trouble.to_string(),
    }
}
