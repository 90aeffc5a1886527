//! One simulated future: what the posteriors happen to be, and then the phases, child by child.

use super::{
    ages::{AGES, DAY, day, step},
    dice::Dice,
    due::HORIZON_DAYS,
    learn::{Learned, ROUNDS},
    prior::Priors,
    record::{Capacity, ChildPast, Record},
};
use crate::intent::Phase;
use std::{cmp::Reverse, collections::BinaryHeap};

/// Phases of an epic.
const PHASES: usize = Phase::ALL.len();
/// Most rounds of one child; the policy's limits end it before.
const MOST_ROUNDS: usize = 8;
/// Chance that a day is followed by the one that followed it in the history.
const NEXT_DAY: f64 = 0.6;
/// A day on which fewer ends were to be expected tells nothing of days.
const TELLING: f64 = 0.25;

/// Where all futures begin.
#[derive(Debug, Clone)]
pub(super) struct Start {
    /// Hours since midnight of the first day.
    now: f64,
    /// Whether each day of a week, counted from the first, is on a weekend.
    weekend: [bool; 7],
    /// Open epics.
    pub(super) epics: Vec<EpicStart>,
    limits: Limits,
    /// Squared spread between epics.
    epic_spread: f64,
}

/// An open epic.
#[derive(Debug, Clone)]
pub(super) struct EpicStart {
    /// Its place among the learned repositories.
    pub(super) repo: usize,
    waiting: [u32; PHASES],
    in_hand: Vec<InHand>,
}

impl EpicStart {
    /// Children that are not settled.
    pub(super) fn left(&self) -> u32 {
        self.waiting.iter().sum::<u32>() + u32::try_from(self.in_hand.len()).unwrap_or(u32::MAX)
    }
}

#[derive(Debug, Clone, Copy)]
struct InHand {
    phase: usize,
    round: usize,
    age: f64,
}

/// Limits of the pace, by the learned repositories.
#[derive(Debug, Clone)]
struct Limits {
    at_once: u32,
    at_once_in: Vec<u32>,
    daily: u32,
    used_today: u32,
    daily_in: Vec<u32>,
}

/// How a future went.
#[derive(Debug, Clone, Default)]
pub(super) struct Future {
    /// Hours from now to the end of each epic, in their order.
    pub(super) ends: Vec<f64>,
    /// Hours from now to the end of each child, in any order.
    pub(super) children: Vec<f64>,
}

impl Start {
    pub(super) fn new(record: &Record, learned: &Learned, priors: &Priors) -> Self {
        let now = record.hour(record.until);
        let epics = record.epics.iter().filter(|e| e.ended_at.is_none()).filter_map(|epic| {
            let repo = learned.repos.binary_search(&epic.repo).ok()?;
            let mut start = EpicStart { repo, waiting: [0; PHASES], in_hand: Vec::new() };
            for (phase, child) in &epic.children {
                let phase = *phase as usize;
                match child {
                    ChildPast::Waiting => start.waiting[phase] += 1,
                    ChildPast::Given(way) if way.end.is_none() => {
                        let since = way.again.last().copied().unwrap_or(way.dispatched_at);
                        let age = (now - record.hour(since)).max(0.0);
                        start.in_hand.push(InHand { phase, round: way.again.len(), age });
                    }
                    ChildPast::Given(_) | ChildPast::Gone => {}
                }
            }
            Some(start)
        });
        Self {
            now,
            weekend: std::array::from_fn(|day| record.is_weekend(day)),
            epics: epics.collect(),
            limits: Limits::new(&record.capacity, learned),
            epic_spread: priors.epics,
        }
    }

    /// The same start with other limits.
    pub(super) fn under(&self, capacity: &Capacity, learned: &Learned) -> Self {
        Self { limits: Limits::new(capacity, learned), ..self.clone() }
    }

    /// Plays one future.
    pub(super) fn play(&self, learned: &Learned, dice: Dice) -> Future {
        Play::new(self, learned, dice).run()
    }
}

impl Limits {
    fn new(capacity: &Capacity, learned: &Learned) -> Self {
        let of = |limits: &std::collections::BTreeMap<_, u32>| {
            learned.repos.iter().map(|repo| limits.get(repo).copied().unwrap_or(u32::MAX)).collect()
        };
        Self {
            at_once: capacity.at_once.unwrap_or(u32::MAX),
            at_once_in: of(&capacity.at_once_in),
            daily: capacity.daily.unwrap_or(u32::MAX),
            used_today: capacity.used_today,
            daily_in: of(&capacity.daily_in),
        }
    }
}

/// Something that happens, by its time in microseconds from the first midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happens {
    Settled { epic: usize, phase: usize },
    Midnight,
}

struct Play<'a> {
    start: &'a Start,
    learned: &'a Learned,
    dice: Dice,
    rates: [[f64; AGES]; ROUNDS],
    again: [f64; ROUNDS],
    landing: f64,
    factors: Vec<f64>,
    of_epics: Vec<f64>,
    days: Days,
    queue: BinaryHeap<Reverse<(u64, Happens)>>,
    /// Children that wait, by epic and phase.
    waiting: Vec<[u32; PHASES]>,
    /// Children that are not settled, by epic and phase.
    open: Vec<[u32; PHASES]>,
    in_hand: u32,
    in_hand_of: Vec<u32>,
    today: usize,
    spent: u32,
    spent_in: Vec<u32>,
    wakes: bool,
    future: Future,
}

impl<'a> Play<'a> {
    fn new(start: &'a Start, learned: &'a Learned, mut dice: Dice) -> Self {
        let rates = learned.rates.map(|round| round.map(|rate| rate.draw(&mut dice)));
        let again = learned.again.map(|share| dice.beta(share.yes, share.no));
        let landing = learned.landing.draw(&mut dice);
        let factors: Vec<f64> = learned.factors.iter().map(|factor| factor.draw(&mut dice)).collect();
        let shape = 1.0 / start.epic_spread;
        let of_epics = start.epics.iter().map(|_| dice.gamma(shape) / shape).collect();
        let days = Days::new(start, learned, &mut dice);
        let repos = learned.repos.len();
        let mut in_hand_of = vec![0; repos];
        let mut open = Vec::with_capacity(start.epics.len());
        for epic in &start.epics {
            let mut left = epic.waiting;
            epic.in_hand.iter().for_each(|child| left[child.phase] += 1);
            in_hand_of[epic.repo] += u32::try_from(epic.in_hand.len()).unwrap_or(0);
            open.push(left);
        }
        Self {
            start,
            learned,
            dice,
            rates,
            again,
            landing,
            factors,
            of_epics,
            days,
            queue: BinaryHeap::new(),
            waiting: start.epics.iter().map(|e| e.waiting).collect(),
            open,
            in_hand: in_hand_of.iter().sum(),
            in_hand_of,
            today: day(start.now),
            spent: start.limits.used_today,
            spent_in: vec![0; repos],
            wakes: false,
            future: Future { ends: vec![0.0; start.epics.len()], children: Vec::new() },
        }
    }

    fn run(mut self) -> Future {
        let start = self.start;
        for (epic, facts) in start.epics.iter().enumerate() {
            for child in &facts.in_hand {
                self.settle(epic, child.phase, child.round, child.age, start.now);
            }
            if facts.left() == 0 {
                self.land(epic, start.now);
            }
        }
        self.dispatch(start.now);
        while let Some(Reverse((micros, what))) = self.queue.pop() {
            let at = micros as f64 / 3.6e9;
            if day(at) != self.today {
                self.today = day(at);
                self.spent = 0;
                self.spent_in.fill(0);
            }
            match what {
                Happens::Midnight => self.wakes = false,
                Happens::Settled { epic, phase } => {
                    self.open[epic][phase] -= 1;
                    self.in_hand -= 1;
                    self.in_hand_of[start.epics[epic].repo] -= 1;
                    self.future.children.push(at - start.now);
                    if self.open[epic].iter().sum::<u32>() == 0 {
                        self.land(epic, at);
                    }
                }
            }
            self.dispatch(at);
        }
        self.future
    }

    /// Draws when a child that is in hand will be settled.
    fn settle(&mut self, epic: usize, phase: usize, mut round: usize, mut age: f64, mut at: f64) {
        let horizon = self.start.now + HORIZON_DAYS as f64 * DAY;
        let factor = self.factors[self.start.epics[epic].repo] * self.of_epics[epic];
        loop {
            let mut left = self.dice.exponential();
            loop {
                let (step, end) = step(age);
                let today = day(at);
                let rate = self.rates[round.min(1)][step]
                    * factor
                    * self.days.factor(today, self.learned, &mut self.dice);
                let stretch = (end - age).min((today + 1) as f64 * DAY - at).max(1e-6);
                if rate * stretch >= left {
                    at += left / rate;
                    break;
                }
                left -= rate * stretch;
                at += stretch;
                age += stretch;
                if at >= horizon {
                    break;
                }
            }
            if at >= horizon || round >= MOST_ROUNDS || !self.dice.chance(self.again[round.min(1)]) {
                break;
            }
            (round, age) = (round + 1, 0.0);
        }
        self.queue.push(Reverse((micros(at.min(horizon)), Happens::Settled { epic, phase })));
    }

    /// Draws when an epic ends whose children are settled.
    fn land(&mut self, epic: usize, at: f64) {
        let took = self.dice.exponential() / self.landing.max(1e-9);
        self.future.ends[epic] = at + took - self.start.now;
    }

    /// Hands out what the phases and the limits allow.
    fn dispatch(&mut self, at: f64) {
        let limits = &self.start.limits;
        let mut held_by_the_day = false;
        for (epic, facts) in self.start.epics.iter().enumerate() {
            // The first phase that is not settled; later ones wait for it.
            while let Some(phase) = self.open[epic].iter().position(|open| *open > 0) {
                let repo = facts.repo;
                if self.waiting[epic][phase] == 0
                    || self.in_hand >= limits.at_once
                    || self.in_hand_of[repo] >= limits.at_once_in[repo]
                {
                    break;
                }
                if self.spent >= limits.daily || self.spent_in[repo] >= limits.daily_in[repo] {
                    held_by_the_day |= limits.daily > 0 && limits.daily_in[repo] > 0;
                    break;
                }
                self.waiting[epic][phase] -= 1;
                self.in_hand += 1;
                self.in_hand_of[repo] += 1;
                self.spent += 1;
                self.spent_in[repo] += 1;
                self.settle(epic, phase, 0, 0.0, at);
            }
        }
        if held_by_the_day && !self.wakes {
            self.wakes = true;
            let midnight = (day(at) + 1) as f64 * DAY;
            self.queue.push(Reverse((micros(midnight) + 1, Happens::Midnight)));
        }
        // What no limit ever lets through stays undone.
        if self.queue.is_empty() {
            let never = HORIZON_DAYS as f64 * DAY;
            for (epic, open) in self.open.iter().enumerate() {
                if open.iter().sum::<u32>() > 0 {
                    self.future.ends[epic] = never;
                }
            }
        }
    }
}

fn micros(hours: f64) -> u64 {
    (hours * 3.6e9) as u64
}

/// Factors of the days to come, drawn as they are needed.
struct Days {
    /// The telling days of the history of each kind (working day, weekend) with their running weights.
    kinds: [Vec<(usize, f64)>; 2],
    weekend: [bool; 7],
    first: usize,
    drawn: Vec<f64>,
    last: Option<usize>,
}

impl Days {
    fn new(start: &Start, learned: &Learned, dice: &mut Dice) -> Self {
        let mut kinds = [Vec::new(), Vec::new()];
        let mut sums = [0.0, 0.0];
        for (index, past) in learned.days.iter().enumerate().filter(|(_, past)| past.expected >= TELLING) {
            let kind = usize::from(past.weekend);
            sums[kind] += dice.exponential();
            kinds[kind].push((index, sums[kind]));
        }
        Self { kinds, weekend: start.weekend, first: day(start.now), drawn: Vec::new(), last: None }
    }

    fn factor(&mut self, day: usize, learned: &Learned, dice: &mut Dice) -> f64 {
        let index = day.saturating_sub(self.first);
        while self.drawn.len() <= index {
            let next = self.draw(self.first + self.drawn.len(), learned, dice);
            self.drawn.push(next);
        }
        self.drawn[index]
    }

    fn draw(&mut self, day: usize, learned: &Learned, dice: &mut Dice) -> f64 {
        let weekend = self.weekend[day % 7];
        let follows = self.last.map(|last| last + 1).filter(|next| {
            learned.days.get(*next).is_some_and(|past| past.weekend == weekend && past.expected >= TELLING)
        });
        self.last = match follows {
            Some(next) if dice.chance(NEXT_DAY) => Some(next),
            _ => self.any(weekend, dice),
        };
        match self.last {
            Some(past) => learned.days[past].factor.draw(dice),
            None => dice.gamma(learned.day_shape) / learned.day_shape,
        }
    }

    fn any(&self, weekend: bool, dice: &mut Dice) -> Option<usize> {
        let kind = &self.kinds[usize::from(weekend)];
        let total = kind.last()?.1;
        let at = dice.unit() * total;
        let index = kind.partition_point(|(_, sum)| *sum < at);
        kind.get(index.min(kind.len() - 1)).map(|(day, _)| *day)
    }
}
