//! What a forecast is made from: what became of children so far, the epics with their phases, and what limits the pace.

use crate::{id::Number, intent::Phase, text::RepoName};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use std::collections::BTreeMap;

/// Everything that is known at one moment.
#[derive(Debug, Clone)]
pub struct Record {
    /// Days are those of this zone.
    pub zone: TimeZone,
    /// From when on the record is complete.
    pub since: Timestamp,
    /// The moment.
    pub until: Timestamp,
    /// Epics, ended ones as well, in the order in which they are served.
    pub epics: Vec<EpicPast>,
    /// Children without an epic; they are learned from.
    pub others: Vec<(RepoName, Way)>,
    /// What limits the pace.
    pub capacity: Capacity,
}

/// One epic.
#[derive(Debug, Clone, PartialEq)]
pub struct EpicPast {
    /// Its repository.
    pub repo: RepoName,
    /// Its number.
    pub number: Number,
    /// When it was made.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Its children by phase.
    pub children: Children,
}

/// Children with their phases.
pub type Children = Vec<(Phase, ChildPast)>;

/// What became of a child.
#[derive(Debug, Clone, PartialEq)]
pub enum ChildPast {
    /// Nobody has it yet.
    Waiting,
    /// It was dispatched.
    Given(Way),
    /// It ended in a way that nothing was written down of.
    Gone,
}

/// The way of a dispatched child.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    /// When it was dispatched.
    pub dispatched_at: Timestamp,
    /// When each further round began (a request to fix reviews, a conflict or red checks), ascending.
    pub again: Vec<Timestamp>,
    /// How and when it was settled; `None`: it is in somebody's hands.
    pub end: Option<(Timestamp, End)>,
}

/// How a child was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Merged.
    Merged,
    /// Closed, or left to a person: the epic goes on without it.
    Skipped,
}

/// What limits the pace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capacity {
    /// Children that may be in hand at the same time; `None`: any number.
    pub at_once: Option<u32>,
    /// The same inside one repository.
    pub at_once_in: BTreeMap<RepoName, u32>,
    /// Dispatches a day; `None`: any number.
    pub daily: Option<u32>,
    /// Dispatches today so far.
    pub used_today: u32,
    /// Dispatches a day inside one repository.
    pub daily_in: BTreeMap<RepoName, u32>,
}

impl Record {
    /// The record as it was at an earlier moment: nothing of it is known that came later. The limits are taken as they are now.
    pub fn cut(&self, at: Timestamp) -> Self {
        let seen = |way: &Way| {
            (way.dispatched_at < at).then(|| Way {
                dispatched_at: way.dispatched_at,
                again: way.again.iter().copied().filter(|t| *t < at).collect(),
                end: way.end.filter(|(ended, _)| *ended < at),
            })
        };
        let epics = self.epics.iter().filter(|epic| epic.started_at <= at).map(|epic| EpicPast {
            ended_at: epic.ended_at.filter(|ended| *ended < at),
            children: epic
                .children
                .iter()
                .map(|(phase, child)| {
                    let child = match child {
                        ChildPast::Given(way) => seen(way).map_or(ChildPast::Waiting, ChildPast::Given),
                        ChildPast::Waiting => ChildPast::Waiting,
                        ChildPast::Gone => ChildPast::Gone,
                    };
                    (*phase, child)
                })
                .collect(),
            ..epic.clone()
        });
        let others = self.others.iter().filter_map(|(repo, way)| Some((repo.clone(), seen(way)?)));
        let midnight = self.midnight(at);
        let epics: Vec<EpicPast> = epics.collect();
        let others: Vec<(RepoName, Way)> = others.collect();
        let used_today = epics
            .iter()
            .flat_map(EpicPast::ways)
            .chain(others.iter().map(|(_, way)| way))
            .filter(|way| way.dispatched_at >= midnight)
            .count();
        Self {
            zone: self.zone.clone(),
            since: self.since,
            until: at,
            epics,
            others,
            capacity: Capacity {
                used_today: u32::try_from(used_today).unwrap_or(u32::MAX),
                ..self.capacity.clone()
            },
        }
    }

    /// Midnight before a moment.
    pub(super) fn midnight(&self, at: Timestamp) -> Timestamp {
        at.to_zoned(self.zone.clone()).start_of_day().map_or(at, |day| day.timestamp())
    }

    /// Hours since midnight of the first day.
    pub(super) fn hour(&self, at: Timestamp) -> f64 {
        at.duration_since(self.midnight(self.since)).as_secs_f64() / 3600.0
    }

    /// Whether a day, counted from the first, is Saturday or Sunday.
    pub(super) fn is_weekend(&self, day: usize) -> bool {
        let first = self.since.to_zoned(self.zone.clone()).date();
        let weekday =
            first.checked_add(i64::try_from(day % 7).unwrap_or(0).days()).unwrap_or(first).weekday();
        weekday.to_monday_zero_offset() >= 5
    }

    /// The ways of all children, with their repositories.
    pub(super) fn ways(&self) -> impl Iterator<Item = (&RepoName, &Way)> {
        let of_epics = self.epics.iter().flat_map(|epic| epic.ways().map(|way| (&epic.repo, way)));
        of_epics.chain(self.others.iter().map(|(repo, way)| (repo, way)))
    }
}

impl EpicPast {
    /// The ways of its dispatched children.
    pub(super) fn ways(&self) -> impl Iterator<Item = &Way> {
        self.children.iter().filter_map(|(_, child)| match child {
            ChildPast::Given(way) => Some(way),
            ChildPast::Waiting | ChildPast::Gone => None,
        })
    }

    /// When its last child was settled; `None` while one is not.
    pub(super) fn settled_at(&self) -> Option<Timestamp> {
        let mut last = None;
        for (_, child) in &self.children {
            match child {
                ChildPast::Given(Way { end: Some((at, _)), .. }) => last = last.max(Some(*at)),
                ChildPast::Gone => {}
                ChildPast::Given(_) | ChildPast::Waiting => return None,
            }
        }
        last
    }
}
