//! What holds the end back most: each limit is lifted in turn, in the same futures, and the one whose lifting brings the end nearest is
//! named. Where none does, it is the repository whose epics end last.

use super::{
    dice::Dice,
    due::quantile,
    learn::Learned,
    outlook::Options,
    record::{Capacity, Record},
    trial::Start,
};
use crate::text::RepoName;
use serde::Serialize;

/// Futures in which a lifted limit is tried.
const TRIALS: u32 = 1_000;
/// A limit is worth a word from this share of the time to the end on.
const SHARE: f64 = 0.10;

/// What holds the end back most.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Bottleneck {
    /// The quota of dispatches a day.
    DailyQuota {
        /// Tasks a day.
        limit: u32,
        /// Hours by which the P85 date would come earlier without it.
        hours: f64,
    },
    /// The number of children at once.
    AtOnce {
        /// Children.
        limit: u32,
        /// Hours by which the P85 date would come earlier without it.
        hours: f64,
    },
    /// One repository's own cap of daily tasks.
    RepositoryQuota {
        /// The repository.
        repo: RepoName,
        /// Tasks a day.
        limit: u32,
        /// Hours by which the P85 date would come earlier without it.
        hours: f64,
    },
    /// One repository's own limit of children at once.
    RepositoryAtOnce {
        /// The repository.
        repo: RepoName,
        /// Children.
        limit: u32,
        /// Hours by which the P85 date would come earlier without it.
        hours: f64,
    },
    /// No limit: the epics of this repository end last by themselves.
    Repository {
        /// The repository.
        repo: RepoName,
        /// In so many of 100 futures.
        percent: u32,
    },
}

/// Finds it. `all`: hours to the end of everything; `last`: in how many futures each repository was the last one.
pub(super) fn find(
    record: &Record,
    learned: &Learned,
    start: &Start,
    options: &Options,
    all: &[f64],
    last: &[u32],
) -> Option<Bottleneck> {
    if all.is_empty() {
        return None;
    }
    let trials = options.trials.clamp(1, TRIALS);
    let p85 = |start: &Start| {
        let mut ends: Vec<f64> = (0..trials)
            .map(|trial| {
                let future = start.play(learned, Dice::of_trial(options.seed, trial));
                future.ends.into_iter().fold(0.0, f64::max)
            })
            .collect();
        ends.sort_unstable_by(f64::total_cmp);
        quantile(&ends, 0.85)
    };
    let now = if candidates(&record.capacity).is_empty() { 0.0 } else { p85(start) };
    let mut best: Option<(f64, Bottleneck)> = None;
    for (lifted, name) in candidates(&record.capacity) {
        let hours = now - p85(&start.under(&lifted, learned));
        if hours > SHARE * now && best.as_ref().is_none_or(|(most, _)| hours > *most) {
            best = Some((hours, name(hours)));
        }
    }
    best.map(|(_, bottleneck)| bottleneck).or_else(|| {
        let (index, count) =
            last.iter().enumerate().max_by_key(|(index, count)| (**count, usize::MAX - index))?;
        let futures: u32 = last.iter().sum();
        let percent = (u64::from(*count) * 100 / u64::from(futures.max(1))) as u32;
        Some(Bottleneck::Repository { repo: learned.repos.get(index)?.clone(), percent })
    })
}

type Named = Box<dyn Fn(f64) -> Bottleneck>;

/// Each limit lifted, with how to name it.
fn candidates(capacity: &Capacity) -> Vec<(Capacity, Named)> {
    let mut all: Vec<(Capacity, Named)> = Vec::new();
    if let Some(limit) = capacity.daily {
        let lifted = Capacity { daily: None, ..capacity.clone() };
        all.push((lifted, Box::new(move |hours| Bottleneck::DailyQuota { limit, hours })));
    }
    if let Some(limit) = capacity.at_once {
        let lifted = Capacity { at_once: None, ..capacity.clone() };
        all.push((lifted, Box::new(move |hours| Bottleneck::AtOnce { limit, hours })));
    }
    for (repo, limit) in capacity.daily_in.clone() {
        let mut lifted = capacity.clone();
        lifted.daily_in.remove(&repo);
        all.push((
            lifted,
            Box::new(move |hours| Bottleneck::RepositoryQuota { repo: repo.clone(), limit, hours }),
        ));
    }
    for (repo, limit) in capacity.at_once_in.clone() {
        let mut lifted = capacity.clone();
        lifted.at_once_in.remove(&repo);
        all.push((
            lifted,
            Box::new(move |hours| Bottleneck::RepositoryAtOnce { repo: repo.clone(), limit, hours }),
        ));
    }
    all
}
