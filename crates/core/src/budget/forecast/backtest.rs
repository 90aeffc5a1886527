//! How well forecasts held: each epic of the past is forecast from what was known when it began, and the truth is put beside it.

use super::{
    due::{date, quantile},
    outlook::{ENOUGH_CHILDREN, ENOUGH_DAYS, Options, spreads},
    record::{EpicPast, Record},
};
use crate::{id::Number, text::RepoName};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// Chances at which dates are compared with the truth, in percent.
const LEVELS: [u32; 11] = [10, 20, 30, 40, 50, 60, 70, 80, 85, 90, 95];
/// A forecast is made this long after the epic began: its first children are dispatched by then.
const AFTER: SignedDuration = SignedDuration::from_secs(1);

/// All forecasts of the past.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Backtest {
    /// One per ended epic with enough history before it.
    pub cases: Vec<Case>,
    /// Epics that began before there was enough history.
    pub too_early: u32,
    /// How often dates of each chance held.
    pub levels: Vec<Level>,
}

/// One epic of the past.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Case {
    /// Its repository.
    pub repo: RepoName,
    /// Its number.
    pub epic: Number,
    /// When it began.
    pub began_at: Timestamp,
    /// The dates that a forecast gave then.
    #[serde(flatten)]
    pub dates: super::Dates,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Share of futures that ended no later than the truth.
    pub share_before: f64,
}

/// How often the dates of one chance held.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Level {
    /// The chance, in percent.
    pub percent: u32,
    /// Cases in which the date held.
    pub held: u32,
    /// All cases.
    pub of: u32,
}

impl Backtest {
    /// Puts cases together.
    pub fn of(cases: Vec<Case>, too_early: u32) -> Self {
        let of = u32::try_from(cases.len()).unwrap_or(u32::MAX);
        let levels = LEVELS.map(|percent| {
            let held = cases.iter().filter(|c| c.share_before <= f64::from(percent) / 100.0).count();
            Level { percent, held: u32::try_from(held).unwrap_or(u32::MAX), of }
        });
        Self { levels: levels.to_vec(), cases, too_early }
    }
}

/// Replays a record: the epics that ended, each forecast as of its beginning.
pub fn backtest(record: &Record, options: &Options) -> Backtest {
    let (mut cases, mut too_early) = (Vec::new(), 0);
    for epic in &record.epics {
        let Some(ended_at) = epic.ended_at else { continue };
        match case(record, epic, ended_at, options) {
            Some(case) => cases.push(case),
            None => too_early += 1,
        }
    }
    Backtest::of(cases, too_early)
}

/// Replays one epic; `None` when it has not ended, is not in the record, or began before there was enough history.
pub fn backtest_one(record: &Record, epic: Number, options: &Options) -> Option<Case> {
    let epic = record.epics.iter().find(|past| past.number == epic)?;
    case(record, epic, epic.ended_at?, options)
}

fn case(record: &Record, epic: &EpicPast, ended_at: Timestamp, options: &Options) -> Option<Case> {
    let at = epic.started_at.checked_add(AFTER).ok()?;
    let then = record.cut(at);
    let settled = then.ways().filter(|(_, way)| way.end.is_some()).count();
    let days = at.duration_since(record.since).as_hours() / 24;
    if days < i64::from(ENOUGH_DAYS) || settled < ENOUGH_CHILDREN as usize {
        return None;
    }
    let all = spreads(&then, options);
    let (_, _, hours) = all.iter().find(|(repo, number, _)| *repo == epic.repo && *number == epic.number)?;
    let truth = ended_at.duration_since(at).as_secs_f64() / 3600.0;
    let due = |share| date(quantile(hours, share), at);
    Some(Case {
        repo: epic.repo.clone(),
        epic: epic.number,
        began_at: at,
        dates: super::Dates { p50: due(0.50), p85: due(0.85), p95: due(0.95) },
        ended_at,
        share_before: hours.partition_point(|h| *h < truth) as f64 / hours.len().max(1) as f64,
    })
}
