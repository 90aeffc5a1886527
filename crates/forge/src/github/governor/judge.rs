//! The governor itself: all limits put together.

use super::{
    budget::Budget,
    cost::{Cost, Effect, Resource},
    heard::{Answer, Heard},
    pause::Pause,
    steady::{Belief, Correction, Moment, Steady},
    view::{BudgetView, GovernorView, PauseView, PauseWhy, WindowView},
    window::{Serial, Window},
};
use banksman_core::text::RepoName;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A minute and a little, in milliseconds.
const MINUTE: i64 = 72_000;
/// An hour and a little, in milliseconds.
const HOUR: i64 = 3_612_000;
/// Requests at once; GitHub allows 100.
const AT_ONCE: usize = 60;
/// REST points a minute; GitHub allows 900.
const REST_MINUTE: u32 = 700;
/// GraphQL points a minute; GitHub allows 2,000.
const GRAPHQL_MINUTE: u32 = 1_500;
/// Content a minute; GitHub allows 80.
const CONTENT_MINUTE: u32 = 70;
/// Content an hour; GitHub allows 500.
const CONTENT_HOUR: u32 = 480;
/// Between the beginnings of two writes, in milliseconds; GitHub asks for a second.
const BETWEEN_WRITES: i64 = 1_050;
/// A request that was not answered in this time never will be, in milliseconds.
const GIVEN_UP: i64 = 120_000;
/// Who waits for a place, or for another's answer, asks again after this, in milliseconds.
const SHORTLY: i64 = 500;

/// Leave to send one request. [`Governor::told`] takes it back, whatever came of the request; one that never comes back counts as not
/// answered after two minutes.
#[derive(Debug)]
#[must_use = "a request that was let go has to be told of afterwards"]
pub struct Ticket(Serial);

/// The governor's answer to a request that wants to go.
#[derive(Debug)]
pub enum Turn {
    /// It may go now.
    Go(Ticket),
    /// Not before this time (of the clock that was passed in). Then ask again: others wait as well.
    Wait(Timestamp),
}

/// A request that is not answered yet.
#[derive(Debug)]
struct Flight {
    at: Moment,
    cost: Cost,
}

/// Whose secondary limits are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// GitHub's.
    #[default]
    Githubs,
    /// None: the server is one of our own on this host, such as the embedded forge's face. What its answers say is kept all the same.
    Own,
}

/// Keeps one credential's requests under all limits.
#[derive(Debug)]
pub struct Governor {
    clock: Steady,
    rest: Budget,
    graphql: Budget,
    rest_minute: Window,
    graphql_minute: Window,
    content_minute: Window,
    content_hour: Window,
    pace: Pace,
    last_write: Option<Moment>,
    /// Requests that went out while the time was in doubt, and the last of them.
    probes: Option<(u32, Moment)>,
    secondary: Pause,
    trouble: Pause,
    under_way: BTreeMap<Serial, Flight>,
    next: Serial,
}

impl Default for Governor {
    fn default() -> Self {
        Self::at(Pace::Githubs)
    }
}

impl Governor {
    /// A governor that keeps these limits.
    pub fn at(pace: Pace) -> Self {
        let limit = |limit| match pace {
            Pace::Githubs => limit,
            Pace::Own => u32::MAX / 2,
        };
        Self {
            pace,
            clock: Steady::default(),
            rest: Budget::default(),
            graphql: Budget::default(),
            rest_minute: Window::new(MINUTE, limit(REST_MINUTE)),
            graphql_minute: Window::new(MINUTE, limit(GRAPHQL_MINUTE)),
            content_minute: Window::new(MINUTE, limit(CONTENT_MINUTE)),
            content_hour: Window::new(HOUR, limit(CONTENT_HOUR)),
            last_write: None,
            probes: None,
            secondary: Pause::new(60_000, 3_600_000),
            trouble: Pause::new(1_000, 300_000),
            under_way: BTreeMap::new(),
            next: 0,
        }
    }

    /// Asks for leave to send one request for a repository (`None`: it is about none).
    pub fn ask(&mut self, now: Timestamp, repo: Option<&RepoName>, cost: Cost) -> Turn {
        let now = self.clock.read(now);
        self.give_up(now);
        let until = self.earliest(now, repo, cost);
        if until > now {
            if let Some(repo) = repo {
                self.windows(cost).into_iter().for_each(|window| window.wait(repo, until));
                self.budget(cost.resource()).wait(repo, until);
            }
            return Turn::Wait(self.clock.local(until));
        }
        let serial = self.next;
        self.next += 1;
        let (points, effect) = (cost.points(), cost.effect());
        self.budget(cost.resource()).spend(now, serial, repo, points);
        match cost.resource() {
            Resource::Rest => self.rest_minute.spend(now, serial, repo, effect.minute_points()),
            Resource::Graphql => self.graphql_minute.spend(now, serial, repo, effect.minute_points()),
        }
        if effect == Effect::Content {
            self.content_minute.spend(now, serial, repo, 1);
            self.content_hour.spend(now, serial, repo, 1);
        }
        if effect.writes() {
            self.last_write = Some(now);
        }
        self.probes = match self.clock.belief() {
            Belief::Sure => None,
            Belief::Doubt { .. } => Some((self.probes.map_or(1, |(count, _)| count.saturating_add(1)), now)),
        };
        self.under_way.insert(serial, Flight { at: now, cost });
        Turn::Go(Ticket(serial))
    }

    /// Takes in how a request ended.
    pub fn told(&mut self, now: Timestamp, ticket: Ticket, heard: &Heard) {
        let now = self.clock.read(now);
        // Given up already: what it says about limits is old, and its cost is in the books.
        let Some(flight) = self.under_way.remove(&ticket.0) else { return };
        let correction = match heard.answer {
            Answer::Nothing | Answer::NotSent => None,
            Answer::Answered
            | Answer::Unchanged
            | Answer::Exhausted
            | Answer::Secondary { .. }
            | Answer::ServerError { .. } => self.clock.answered(now, flight.at, heard.date),
        };
        if let Some(correction) = &correction {
            self.correct_time(correction);
        }
        let now = correction.map_or(now, |correction| correction.present);
        let asked = correction.map_or(flight.at, |correction| correction.latest(flight.at));
        let thought = flight.cost.points();
        let told = heard.rate.and_then(|rate| rate.cost);
        let real = match heard.answer {
            Answer::NotSent => 0,
            // Only REST has conditional requests.
            Answer::Unchanged => 0,
            Answer::Answered => told.unwrap_or(thought),
            Answer::Exhausted | Answer::Secondary { .. } | Answer::ServerError { .. } | Answer::Nothing => {
                thought
            }
        };
        let resource = flight.cost.resource();
        let rate = heard.rate.filter(|rate| rate.resource == resource);
        self.budget(resource).answered(ticket.0, thought, real, rate.as_ref(), now);
        match heard.answer {
            Answer::Answered | Answer::Unchanged => {
                self.secondary.passed(asked);
                self.trouble.passed(asked);
            }
            Answer::Exhausted => {
                let reset = rate.map_or(now.plus(60_000), |rate| Moment::of(rate.reset_at));
                let reset = reset.max(now.plus(1_000)).min(now.plus(super::pause::LONGEST));
                self.budget(resource).exhausted(reset);
            }
            Answer::Secondary { retry_after } => {
                self.secondary.hit(now, asked, retry_after.map_or(0, |pause| millis(pause.as_secs())));
            }
            Answer::ServerError { retry_after } => {
                self.trouble.hit(now, asked, retry_after.map_or(0, |pause| millis(pause.as_secs())));
            }
            Answer::Nothing => self.trouble.hit(now, asked, 0),
            Answer::NotSent => self.probes = None,
        }
        if self.clock.belief() == Belief::Sure {
            self.probes = None;
        }
        self.forget(now);
    }

    /// When content was made in the last hour, by the clock of the host: for whoever asks with the same credential after this process.
    pub fn written(&self, now: Timestamp) -> Vec<Timestamp> {
        let begin = self.clock.peek(now).plus(-HOUR);
        self.content_hour.moments().filter(|at| *at > begin).map(|at| self.clock.local(at)).collect()
    }

    /// What a process before this one wrote, as it was told by [`Self::written`]. GitHub still counts it.
    pub fn remember_written(&mut self, now: Timestamp, written: &[Timestamp]) {
        let now = self.clock.read(now);
        let known = |at: &Timestamp| Moment::of(*at).min(now);
        let lately = |span: i64| written.iter().map(known).filter(move |at| *at > now.plus(-span));
        // More than that GitHub would not have taken.
        let most = usize::try_from(CONTENT_HOUR).unwrap_or(usize::MAX);
        let skipped = lately(HOUR).count().saturating_sub(most);
        self.content_hour.remember(lately(HOUR).skip(skipped));
        self.content_minute.remember(lately(MINUTE));
        self.last_write = self.last_write.max(lately(HOUR).max());
    }

    /// How things stand.
    pub fn view(&self, now: Timestamp) -> GovernorView {
        let now = self.clock.peek(now);
        let budget = |budget: &Budget| {
            let (limit, left, reset) = budget.state(now);
            BudgetView { limit, left, reset_at: reset.map(|reset| self.clock.local(reset)) }
        };
        let window = |window: &Window| WindowView { limit: window.limit(), used: window.used(now) };
        let all = [&self.rest_minute, &self.graphql_minute, &self.content_minute, &self.content_hour];
        let mut waiting: Vec<RepoName> = all.into_iter().flat_map(|w| w.waiting(now)).cloned().collect();
        waiting.sort();
        waiting.dedup();
        let pauses = [(&self.secondary, PauseWhy::SecondaryLimit), (&self.trouble, PauseWhy::Trouble)];
        let pause = pauses.into_iter().filter_map(|(pause, why)| Some((pause.until(now)?, why)));
        GovernorView {
            rest: budget(&self.rest),
            graphql: budget(&self.graphql),
            rest_minute: window(&self.rest_minute),
            graphql_minute: window(&self.graphql_minute),
            content_minute: window(&self.content_minute),
            content_hour: window(&self.content_hour),
            under_way: self.under_way.len(),
            waiting,
            pause: pause
                .max_by_key(|(until, _)| *until)
                .map(|(until, why)| PauseView { until: self.clock.local(until), why }),
        }
    }

    /// The first moment at which no limit stands in the way.
    fn earliest(&self, now: Moment, repo: Option<&RepoName>, cost: Cost) -> Moment {
        let (points, effect) = (cost.points(), cost.effect());
        let mut until = now;
        let mut not_before = |moment: Option<Moment>| until = until.max(moment.unwrap_or(now));
        not_before(self.secondary.until(now));
        not_before(self.trouble.until(now));
        // In doubt one more may go, so that an answer comes.
        if self.under_way.len() >= AT_ONCE && self.clock.belief() == Belief::Sure {
            not_before(Some(now.plus(SHORTLY)));
        }
        if let Belief::Doubt { since } = self.clock.belief() {
            if self.under_way.values().any(|flight| flight.at >= since) {
                not_before(Some(now.plus(SHORTLY)));
            } else {
                // Each one that is not answered is followed by a longer silence: the books may be fuller than they look.
                not_before(self.probes.map(|(count, last)| last.plus(silence(count))));
            }
        }
        let never = now.plus(HOUR);
        let (budget, minute) = match cost.resource() {
            Resource::Rest => (&self.rest, &self.rest_minute),
            Resource::Graphql => (&self.graphql, &self.graphql_minute),
        };
        not_before(Some(budget.fits(now, repo, points, effect)));
        not_before(Some(minute.fits(now, repo, effect.minute_points(), 0).unwrap_or(never)));
        if effect == Effect::Content {
            not_before(Some(self.content_minute.fits(now, repo, 1, 0).unwrap_or(never)));
            not_before(Some(self.content_hour.fits(now, repo, 1, 0).unwrap_or(never)));
        }
        if effect.writes() && self.pace == Pace::Githubs {
            not_before(self.last_write.map(|last| last.plus(BETWEEN_WRITES)));
        }
        until
    }

    fn budget(&mut self, resource: Resource) -> &mut Budget {
        match resource {
            Resource::Rest => &mut self.rest,
            Resource::Graphql => &mut self.graphql,
        }
    }

    /// The windows that a request goes through.
    fn windows(&mut self, cost: Cost) -> Vec<&mut Window> {
        let mut windows = vec![match cost.resource() {
            Resource::Rest => &mut self.rest_minute,
            Resource::Graphql => &mut self.graphql_minute,
        }];
        if cost.effect() == Effect::Content {
            windows.extend([&mut self.content_minute, &mut self.content_hour]);
        }
        windows
    }

    /// Requests that were never told of do not hold their places for ever. While the time is in doubt, those from before may be young.
    fn give_up(&mut self, now: Moment) {
        let belief = self.clock.belief();
        let known = |at: Moment| match belief {
            Belief::Sure => true,
            Belief::Doubt { since } => at >= since,
        };
        let old = |flight: &Flight| known(flight.at) && now.since(flight.at) > GIVEN_UP;
        let lost: Vec<Serial> =
            self.under_way.iter().filter(|(_, flight)| old(flight)).map(|(serial, _)| *serial).collect();
        for serial in lost {
            if let Some(flight) = self.under_way.remove(&serial) {
                let points = flight.cost.points();
                self.budget(flight.cost.resource()).answered(serial, points, points, None, now);
            }
        }
    }

    /// Drops what no window needs any more.
    fn forget(&mut self, now: Moment) {
        let sure = self.clock.confirmed().map_or(now, |confirmed| confirmed.min(now));
        self.rest.forget(sure);
        self.graphql.forget(sure);
        self.rest_minute.forget(sure);
        self.graphql_minute.forget(sure);
        self.content_minute.forget(sure);
        self.content_hour.forget(sure);
    }

    /// The present turned out to be another one than was thought.
    fn correct_time(&mut self, correction: &Correction) {
        self.rest.correct_time(correction);
        self.graphql.correct_time(correction);
        self.rest_minute.correct_time(correction);
        self.graphql_minute.correct_time(correction);
        self.content_minute.correct_time(correction);
        self.content_hour.correct_time(correction);
        self.secondary.correct_time(correction);
        self.trouble.correct_time(correction);
        self.last_write = self.last_write.map(|last| correction.latest(last));
        self.probes = self.probes.map(|(count, last)| (count, correction.latest(last)));
        self.under_way.values_mut().for_each(|flight| flight.at = correction.latest(flight.at));
    }
}

/// Milliseconds after so many requests in doubt that were not answered: half a minute, two, eight, half an hour.
fn silence(count: u32) -> i64 {
    30_000_i64.saturating_mul(1 << count.saturating_sub(1).saturating_mul(2).min(6))
}

fn millis(seconds: i64) -> i64 {
    seconds.saturating_mul(1_000)
}
