//! A simulated team: hidden parameters drawn from a seed, weeks of work, and a new epic at the end. Time goes in steps of a quarter of an
//! hour.

use banksman_core::{
    budget::forecast::{Capacity, ChildPast, Dice, End, EpicPast, Record, Way},
    id::Number,
    intent::Phase,
    text::RepoName,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use std::collections::BTreeMap;

/// Hours of a step.
const STEP: f64 = 0.25;
/// Steps after which a team is given up: 400 days.
const MOST_STEPS: u32 = 400 * 96;

/// How a repository's children go. Nothing of it is told.
struct Repository {
    quick_share: f64,
    quick: (f64, f64),
    reviewed: (f64, f64),
    fix: (f64, f64),
    red: f64,
    changes: f64,
    given_up: f64,
    landing: (f64, f64),
}

/// A team with everything that is hidden of it.
pub(crate) struct Team {
    dice: Dice,
    repos: Vec<Repository>,
    at_once: u32,
    daily: u32,
    night: f64,
    weekend: f64,
    outage: (f64, f64, f64),
    difficulty: f64,
    history_days: f64,
}

/// A child in somebody's hands.
struct Hand {
    epic: usize,
    child: usize,
    /// Hours of work left, and whether people do it.
    left: f64,
    people: bool,
    rounds: u32,
}

struct Epic {
    repo: usize,
    difficulty: f64,
    began: f64,
    lands: Option<f64>,
    ended: Option<f64>,
    children: Vec<Child>,
}

struct Child {
    phase: Phase,
    dispatched: Option<f64>,
    again: Vec<f64>,
    end: Option<(f64, End)>,
}

impl Team {
    /// The team of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x7ea3_0000_0000_0001);
        let count = 1 + dice.below(4);
        let mut between = |from: f64, to: f64| from + (to - from) * dice.unit();
        let repos = (0..count)
            .map(|_| Repository {
                quick_share: between(0.25, 0.85),
                quick: (between(-1.9, 0.7), between(0.5, 1.0)),
                reviewed: (between(1.1, 3.2), between(0.6, 1.1)),
                fix: (between(-2.3, 0.4), between(0.4, 0.9)),
                red: between(0.03, 0.30),
                changes: between(0.05, 0.30),
                given_up: between(0.0, 0.15),
                landing: (between(-0.7, 2.3), between(0.5, 1.0)),
            })
            .collect();
        let night = between(0.1, 0.6);
        let weekend = between(0.05, 0.6);
        let outage = (between(0.01, 0.10), between(0.3, 0.8), between(0.0, 0.3));
        let difficulty = between(0.1, 0.4);
        let history_days = between(14.0, 28.0);
        let at_once = 2 + dice.below(6) as u32;
        let daily = 4 + dice.below(27) as u32;
        Self { dice, repos, at_once, daily, night, weekend, outage, difficulty, history_days }
    }

    /// Plays until the epic that begins after the history has ended: the whole record, and the epic's number. `None` when it never
    /// ends.
    pub(crate) fn play(mut self) -> Option<(Record, Number)> {
        let mut epics: Vec<Epic> = Vec::new();
        let mut hands: Vec<Hand> = Vec::new();
        let mut next_epic: Vec<f64> = self.repos.iter().map(|_| 24.0 * self.dice.unit()).collect();
        let first_weekday = self.dice.below(7);
        let (mut down, mut spent, mut asked) = (false, 0, None);
        for step in 0..MOST_STEPS {
            let now = f64::from(step) * STEP;
            let (day, hour) = ((now / 24.0) as usize, now % 24.0);
            if hour == 0.0 {
                spent = 0;
                down = self.dice.chance(if down { 1.0 - self.outage.1 } else { self.outage.0 });
            }
            let speed = if down { self.outage.2 } else { 1.0 };
            let weekend = (day + first_weekday) % 7 >= 5;
            let awake = if (8.0..18.0).contains(&hour) { 1.0 } else { self.night };
            let people = speed * awake * if weekend { self.weekend } else { 1.0 };

            for hand in &mut hands {
                hand.left -= STEP * if hand.people { people } else { speed };
            }
            let (done, going): (Vec<Hand>, Vec<Hand>) = hands.into_iter().partition(|hand| hand.left <= 0.0);
            hands = going;
            for hand in done {
                hands.extend(self.after(&mut epics, hand, now));
            }
            for epic in epics.iter_mut().filter(|epic| epic.ended.is_none()) {
                if epic.lands.is_none() && epic.children.iter().all(|child| child.end.is_some()) {
                    let (mean, spread) = self.repos[epic.repo].landing;
                    epic.lands = Some(now + (mean + spread * self.dice.normal()).exp());
                }
                epic.ended = epic.lands.filter(|lands| *lands <= now);
            }
            if asked.is_none() && now >= self.history_days * 24.0 {
                let repo = self.dice.below(self.repos.len());
                asked = Some(epics.len());
                let epic = self.epic(repo, now);
                epics.push(epic);
            }
            for (repo, next) in next_epic.iter_mut().enumerate() {
                let running = epics.iter().filter(|epic| epic.repo == repo && epic.ended.is_none()).count();
                if asked.is_none() && now >= *next && running < 2 {
                    *next = now + 60.0 * self.dice.unit();
                    let epic = self.epic(repo, now);
                    epics.push(epic);
                }
            }
            if let Some(asked) = asked
                && epics[asked].ended.is_some()
            {
                return Some((self.record(&epics, first_weekday, now), Number(asked as u64 + 1)));
            }
            self.dispatch(&mut epics, &mut hands, &mut spent, now);
        }
        None
    }

    /// What follows the end of a round: another one, or the end of the child.
    fn after(&mut self, epics: &mut [Epic], hand: Hand, now: f64) -> Option<Hand> {
        let epic = &mut epics[hand.epic];
        let repo = &self.repos[epic.repo];
        let red = self.dice.chance(repo.red);
        let changes = hand.rounds == 0 && self.dice.chance(repo.changes);
        let child = &mut epic.children[hand.child];
        if hand.rounds < 4 && (red || changes) {
            child.again.push(now);
            let mut left = (repo.fix.0 + repo.fix.1 * self.dice.normal()).exp();
            // A change that was asked for is looked at again by whoever asked.
            let people = changes;
            if people {
                left += 0.5 * (repo.reviewed.0 + repo.reviewed.1 * self.dice.normal()).exp();
            }
            return Some(Hand { left: left * epic.difficulty, people, rounds: hand.rounds + 1, ..hand });
        }
        let end = if self.dice.chance(repo.given_up) { End::Skipped } else { End::Merged };
        child.end = Some((now, end));
        None
    }

    fn dispatch(&mut self, epics: &mut [Epic], hands: &mut Vec<Hand>, spent: &mut u32, now: f64) {
        for (index, epic) in epics.iter_mut().enumerate() {
            let Some(phase) = epic.children.iter().filter(|c| c.end.is_none()).map(|c| c.phase).min() else {
                continue;
            };
            let ready = epic.children.iter_mut().enumerate();
            for (at, child) in ready.filter(|(_, c)| c.phase == phase && c.dispatched.is_none()) {
                if hands.len() >= self.at_once as usize || *spent >= self.daily {
                    return;
                }
                child.dispatched = Some(now);
                *spent += 1;
                let repo = &self.repos[epic.repo];
                let people = !self.dice.chance(repo.quick_share);
                let (mean, spread) = if people { repo.reviewed } else { repo.quick };
                let left = (mean + spread * self.dice.normal()).exp() * epic.difficulty;
                hands.push(Hand { epic: index, child: at, left, people, rounds: 0 });
            }
        }
    }

    fn epic(&mut self, repo: usize, began: f64) -> Epic {
        let count = 3 + self.dice.below(8);
        let (blockers, cleanup) = (self.dice.below(3), self.dice.below(3));
        let mut children: Vec<Child> = (0..count)
            .map(|index| {
                let phase = match index {
                    i if i < blockers => Phase::Blockers,
                    i if i + cleanup >= count => Phase::Cleanup,
                    _ => Phase::Parallel,
                };
                Child { phase, dispatched: None, again: Vec::new(), end: None }
            })
            .collect();
        children.sort_by_key(|child| child.phase);
        let difficulty = (self.difficulty * self.dice.normal()).exp();
        Epic { repo, difficulty, began, lands: None, ended: None, children }
    }

    fn record(&self, epics: &[Epic], first_weekday: usize, now: f64) -> Record {
        // 2026-01-05 is a Monday.
        let monday = Timestamp::from_second(1_767_571_200).unwrap_or(Timestamp::UNIX_EPOCH);
        let since = monday + SignedDuration::from_hours(24 * first_weekday as i64);
        let at = |hour: f64| since + SignedDuration::from_secs((hour * 3600.0) as i64);
        let past = |(index, epic): (usize, &Epic)| EpicPast {
            repo: name(epic.repo),
            number: Number(index as u64 + 1),
            started_at: at(epic.began),
            ended_at: epic.ended.map(at),
            children: epic
                .children
                .iter()
                .map(|child| {
                    let way = child.dispatched.map(|dispatched| Way {
                        dispatched_at: at(dispatched),
                        again: child.again.iter().map(|hour| at(*hour)).collect(),
                        end: child.end.map(|(hour, end)| (at(hour), end)),
                    });
                    (child.phase, way.map_or(ChildPast::Waiting, ChildPast::Given))
                })
                .collect(),
        };
        Record {
            zone: TimeZone::UTC,
            since,
            until: at(now),
            epics: epics.iter().enumerate().map(past).collect(),
            others: Vec::new(),
            capacity: Capacity {
                at_once: Some(self.at_once),
                at_once_in: BTreeMap::new(),
                daily: Some(self.daily),
                used_today: 0,
                daily_in: BTreeMap::new(),
            },
        }
    }
}

fn name(repo: usize) -> RepoName {
    #[expect(clippy::expect_used, reason = "a name of the right shape")]
    RepoName::new(&format!("acme/r{repo}")).expect("a name")
}
