//! The loop over looks: again at once while something was changed, else when woken or when something is due.

use crate::{Look, Orchestrator, Outlook, Trouble};
use banksman_core::{
    port::{Clock, World},
    repo::RepoRules,
};
use jiff::{SignedDuration, Timestamp};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// A wish to stop, shared by everybody who loops: no new looks or claims, what runs is finished.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Wishes to stop.
    pub fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether somebody wished to.
    pub fn wished(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

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

/// How one repository stands in the loop.
struct Course<'a> {
    rules: &'a RepoRules,
    /// The last look, unless it ended in trouble.
    look: Option<Look>,
    /// When it is looked at again.
    due: Timestamp,
    /// Troubles in a row. While there are any only time helps: waking would spin.
    troubles: u32,
}

impl Course<'_> {
    fn settled(&self) -> bool {
        self.look.as_ref().is_some_and(|l| !l.acted && l.outlook != Outlook::Moving)
    }
}

impl<W: World> Orchestrator<W> {
    /// Looks at these repositories again and again, each when it is due. Comes back with the outlook of each: at the end for
    /// [`Until::Settled`], else when stopped. Trouble that passes is waited out; any other ends the loop.
    pub async fn run(&self, rules: &[RepoRules], until: Until, stop: &Stop) -> Result<Vec<Outlook>, Trouble> {
        let begin = self.now();
        let mut courses: Vec<Course<'_>> =
            rules.iter().map(|rules| Course { rules, look: None, due: begin, troubles: 0 }).collect();
        loop {
            for course in &mut courses {
                if course.due <= self.now() {
                    self.follow(course).await?;
                }
            }
            if stop.wished() || (until == Until::Settled && courses.iter().all(Course::settled)) {
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
                course.due = if look.acted { self.now() } else { look.next };
                course.look = Some(look);
            }
            Err(trouble) if trouble.passes() => {
                tracing::info!(repo = %course.rules.repo, %trouble, "look again later");
                course.troubles += 1;
                let wait = SignedDuration::from_millis(500) * (1i32 << course.troubles.min(6));
                course.due = self.now() + wait.min(PAUSE);
                course.look = None;
            }
            Err(trouble) => return Err(trouble),
        }
        Ok(())
    }
}
