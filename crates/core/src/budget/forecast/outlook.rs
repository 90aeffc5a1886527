//! The forecast itself: many futures and what they have in common.

use super::{
    bottleneck::{self, Bottleneck},
    dice::Dice,
    due::{Dates, quantile},
    learn::learn,
    prior::Priors,
    record::Record,
    trial::Start,
};
use crate::{id::Number, text::RepoName};
use jiff::{Timestamp, civil::Date};
use serde::Serialize;

/// Fewest days of history that a forecast calls enough.
pub const ENOUGH_DAYS: u32 = 7;
/// Fewest settled children that a forecast calls enough.
pub const ENOUGH_CHILDREN: u32 = 15;

/// How to forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Futures; at least 1.
    pub trials: u32,
    /// Where chance begins.
    pub seed: u64,
    /// Days of the burn-up, today included.
    pub days: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { trials: 10_000, seed: 1, days: 14 }
    }
}

/// When everything will be done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// When it was made.
    pub at: Timestamp,
    /// Futures.
    pub trials: u32,
    /// Where chance began.
    pub seed: u64,
    /// What it is made from.
    pub history: History,
    /// Each open epic, in the order of the record.
    pub epics: Vec<EpicForecast>,
    /// All of them; `None` where none is open.
    pub all: Option<Dates>,
    /// What holds the end back most; `None` where nothing is open.
    pub bottleneck: Option<Bottleneck>,
    /// Settled children from today on, by day.
    pub burn_up: Vec<BurnDay>,
}

/// What a forecast is made from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct History {
    /// Days of the record.
    pub days: u32,
    /// Days on which no child was settled.
    pub idle_days: u32,
    /// Children that were settled in it.
    pub settled: u32,
    /// Whether that is enough to go by; otherwise the stated priors speak.
    pub enough: bool,
    /// What was assumed before anything was observed, where it is not enough.
    pub priors: Option<Priors>,
}

/// One epic's forecast.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EpicForecast {
    /// Its repository.
    pub repo: RepoName,
    /// Its number.
    pub epic: Number,
    /// Children that are not settled.
    pub left: u32,
    /// How many of them are to be expected to end with a person; the epic goes on without them.
    pub with_a_person: f64,
    /// When it will be done.
    #[serde(flatten)]
    pub dates: Dates,
}

/// Settled children at the end of a day, from the moment of the forecast on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BurnDay {
    /// The day.
    pub date: Date,
    /// In 15 of 100 futures it is less.
    pub p15: u32,
    /// In half of them.
    pub p50: u32,
    /// In 85 of 100 it is at most so many.
    pub p85: u32,
}

/// Forecasts from what is known at the record's moment.
pub fn forecast(record: &Record, options: &Options) -> Forecast {
    let priors = Priors::STATED;
    let learned = learn(record, &priors);
    let start = Start::new(record, &learned, &priors);
    let futures = options.trials.max(1);
    let now = record.hour(record.until);
    let mut epics: Vec<Vec<f64>> = vec![Vec::with_capacity(futures as usize); start.epics.len()];
    let mut all = Vec::with_capacity(futures as usize);
    let mut last = vec![0u32; learned.repos.len()];
    // Hours from now to the end of each day, today included.
    let midnights: Vec<f64> =
        (0..options.days).map(|d| (f64::from(d) + 1.0) * 24.0 - now.rem_euclid(24.0)).collect();
    let mut burnt: Vec<Vec<u32>> = vec![Vec::with_capacity(futures as usize); midnights.len()];
    for trial in 0..futures {
        let future = start.play(&learned, Dice::of_trial(options.seed, trial));
        let mut end = (0.0, None);
        for (index, hours) in future.ends.iter().enumerate() {
            epics[index].push(*hours);
            if *hours >= end.0 {
                end = (*hours, Some(start.epics[index].repo));
            }
        }
        if let (hours, Some(repo)) = end {
            all.push(hours);
            last[repo] += 1;
        }
        let mut children = future.children;
        children.sort_unstable_by(f64::total_cmp);
        for (day, midnight) in burnt.iter_mut().zip(&midnights) {
            day.push(u32::try_from(children.partition_point(|h| h <= midnight)).unwrap_or(u32::MAX));
        }
    }
    let open = record.epics.iter().filter(|e| e.ended_at.is_none());
    let epics = open.zip(&start.epics).zip(epics).map(|((past, begun), mut hours)| EpicForecast {
        repo: past.repo.clone(),
        epic: past.number,
        left: begun.left(),
        with_a_person: f64::from(begun.left()) * learned.skipped.mean(),
        dates: Dates::of(&mut hours, record.until),
    });
    let today = record.until.to_zoned(record.zone.clone()).date();
    let days = burnt.into_iter().zip(today.series(jiff::Span::new().days(1)));
    let burn_up = days.map(|(mut counts, date)| {
        counts.sort_unstable();
        let counts: Vec<f64> = counts.into_iter().map(f64::from).collect();
        let at = |share| quantile(&counts, share) as u32;
        BurnDay { date, p15: at(0.15), p50: at(0.50), p85: at(0.85) }
    });
    Forecast {
        at: record.until,
        trials: futures,
        seed: options.seed,
        history: history(record, learned.settled, priors),
        epics: epics.collect(),
        burn_up: if all.is_empty() { Vec::new() } else { burn_up.collect() },
        bottleneck: bottleneck::find(record, &learned, &start, options, &all, &last),
        all: (!all.is_empty()).then(|| Dates::of(&mut all, record.until)),
    }
}

/// How the hours to the end of each open epic are spread: the bare futures, for a backtest.
pub(super) fn spreads(record: &Record, options: &Options) -> Vec<(RepoName, Number, Vec<f64>)> {
    let priors = Priors::STATED;
    let learned = learn(record, &priors);
    let start = Start::new(record, &learned, &priors);
    let mut epics: Vec<Vec<f64>> = vec![Vec::with_capacity(options.trials as usize); start.epics.len()];
    for trial in 0..options.trials.max(1) {
        let future = start.play(&learned, Dice::of_trial(options.seed, trial));
        epics.iter_mut().zip(future.ends).for_each(|(all, hours)| all.push(hours));
    }
    let open = record.epics.iter().filter(|e| e.ended_at.is_none());
    open.zip(epics)
        .map(|(past, mut hours)| {
            hours.sort_unstable_by(f64::total_cmp);
            (past.repo.clone(), past.number, hours)
        })
        .collect()
}

fn history(record: &Record, settled: u32, priors: Priors) -> History {
    let whole = super::ages::day(record.hour(record.until));
    let mut busy: Vec<usize> = record
        .ways()
        .filter_map(|(_, way)| way.end)
        .map(|(at, _)| super::ages::day(record.hour(at)))
        .filter(|day| *day < whole)
        .collect();
    busy.sort_unstable();
    busy.dedup();
    let days = u32::try_from(whole).unwrap_or(u32::MAX);
    let idle_days = u32::try_from(whole - busy.len().min(whole)).unwrap_or(0);
    let enough = days >= ENOUGH_DAYS && settled >= ENOUGH_CHILDREN;
    History { days, idle_days, settled, enough, priors: (!enough).then_some(priors) }
}
