//! Points of training data. Rows are small: tags stand once in `training_series`, an observation is a row of small numbers, so that one
//! that shows nothing new is cheap (D2).

use super::Stop;
use crate::sqlite::{Json, Nanos, Tx, Word};
use banksman_core::{
    id::Number,
    port::training::{PointCounts, PointQuery},
    text::Login,
    training::{
        ActionTaken, Choice, Kind, Measured, Observation, Outcome, Point, Series, merge_state_number,
        merge_state_of,
    },
};
use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, types::Type};
use std::collections::HashMap;

/// Bits of the column `flags`.
const MERGEABLE: u8 = 1;
const DRAFT: u8 = 2;
const AUTO_MERGE: u8 = 4;

/// Writes points; one with the key of another overwrites it.
pub(crate) fn record(tx: &Tx<'_>, points: &[Point]) -> Result<(), Stop> {
    let mut observe = tx.prepare_cached(
        "INSERT OR REPLACE INTO pr_observation VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    )?;
    let mut known: HashMap<(&Series, &str), i64> = HashMap::new();
    for point in points {
        let author = match &point.measured {
            Measured::Observation(seen) => seen.author.as_str(),
            Measured::Action(_) | Measured::Outcome(_) => "",
        };
        let key = (&point.series, author);
        let series = match known.get(&key) {
            Some(id) => *id,
            None => *known.entry(key).or_insert(series(tx, &point.series, author)?),
        };
        match &point.measured {
            Measured::Observation(seen) => observe_one(&mut observe, series, point, seen)?,
            Measured::Action(taken) => act(tx, series, point, taken)?,
            Measured::Outcome(outcome) => end(tx, series, point, outcome)?,
        }
    }
    Ok(())
}

fn series(tx: &Tx<'_>, series: &Series, author: &str) -> Result<i64, Stop> {
    let key = (series.repo.as_str(), series.pull.0, author);
    let known = tx
        .prepare_cached("SELECT id FROM training_series WHERE repo = ?1 AND pull = ?2 AND author = ?3")?
        .query_row(key, |row| row.get(0))
        .optional()?;
    match known {
        Some(id) => Ok(id),
        None => Ok(tx
            .prepare_cached("INSERT INTO training_series (repo, pull, author) VALUES (?1, ?2, ?3)")?
            .insert(key)?),
    }
}

fn observe_one(
    insert: &mut CachedStatement<'_>,
    series: i64,
    point: &Point,
    seen: &Observation,
) -> Result<(), Stop> {
    let flags = [(seen.mergeable, MERGEABLE), (seen.is_draft, DRAFT), (seen.auto_merge_enabled, AUTO_MERGE)];
    let flags: u8 = flags.iter().filter(|(on, _)| *on).map(|(_, bit)| bit).sum();
    insert.execute((
        series,
        point.nanos(),
        merge_state_number(seen.merge_state),
        flags,
        seen.checks_total,
        seen.checks_passing,
        seen.checks_failing,
        seen.reviews_approved,
        seen.reviews_changes_requested,
        seen.threads_total,
        seen.threads_unresolved,
        seen.pr_age_hours,
        seen.last_push_hours,
        seen.last_activity_hours,
        seen.conflict_attempts,
        seen.review_fix_attempts,
    ))?;
    Ok(())
}

/// What was eligible stays known when the same action comes again without it (from a sink that has no such field).
fn act(tx: &Tx<'_>, series: i64, point: &Point, taken: &ActionTaken) -> Result<(), Stop> {
    let eligible = (!taken.eligible.is_empty()).then_some(Json(&taken.eligible));
    tx.prepare_cached(
        "INSERT INTO action_taken (series, at, action, reason, policy, propensity, eligible)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (series, at) DO UPDATE SET reason = excluded.reason, policy = excluded.policy,
            propensity = excluded.propensity,
            eligible = coalesce(excluded.eligible, CASE WHEN action = excluded.action THEN eligible END),
            action = excluded.action",
    )?
    .execute((
        series,
        point.nanos(),
        taken.action.as_str(),
        taken.reason.as_str(),
        taken.policy.as_str(),
        taken.propensity,
        eligible,
    ))?;
    Ok(())
}

fn end(tx: &Tx<'_>, series: i64, point: &Point, outcome: &Outcome) -> Result<(), Stop> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO outcome_point (series, at, result, detail, resolution_hours) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((
        series,
        point.nanos(),
        outcome.result.as_str(),
        outcome.detail.as_str(),
        outcome.resolution_hours,
    ))?;
    Ok(())
}

/// Bounds of a page, as both stores put them into their statements: the place behind which it begins, the series up to which it goes.
pub(crate) struct Bounds<'q> {
    pub(crate) repo: &'q str,
    pub(crate) pull: i64,
    pub(crate) author: &'q str,
    pub(crate) at: i64,
    pub(crate) last_repo: &'q str,
    pub(crate) last_pull: i64,
}

impl<'q> Bounds<'q> {
    pub(crate) fn of(query: &'q PointQuery) -> Self {
        let number = |pull: Number| i64::try_from(pull.0).unwrap_or(i64::MAX);
        let repo = query.repo.as_ref().map(|repo| repo.as_str());
        let pull = query.pull.filter(|_| repo.is_some()).map(number);
        let (last_repo, last_pull) = (repo.unwrap_or(PAST_ALL_TAGS), pull.unwrap_or(i64::MAX));
        match &query.after {
            Some(place) => Self {
                repo: place.series.repo.as_str(),
                pull: number(place.series.pull),
                author: place.author.as_ref().map_or("", Login::as_str),
                at: nanos(place.at),
                last_repo,
                last_pull,
            },
            None => Self {
                repo: repo.unwrap_or(""),
                pull: pull.unwrap_or(0),
                author: "",
                at: i64::MIN,
                last_repo,
                last_pull,
            },
        }
    }
}

/// Nanoseconds since 1970, cut off at the ends of the range.
fn nanos(at: Timestamp) -> i64 {
    let nanos = at.as_nanosecond().clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    #[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i64")]
    let nanos = nanos as i64;
    nanos
}

/// Comes behind every tag of a repository.
const PAST_ALL_TAGS: &str = "~";

/// A page of points.
pub(crate) fn page(db: &Connection, query: &PointQuery) -> Result<Vec<Point>, Stop> {
    let sql = match query.kind {
        Kind::PrObservation => OBSERVATIONS,
        Kind::ActionTaken => ACTIONS,
        Kind::Outcome => OUTCOMES,
    };
    let bounds = Bounds::of(query);
    let mut statement = db.prepare_cached(sql)?;
    let values =
        (bounds.repo, bounds.pull, bounds.author, bounds.at, bounds.last_repo, bounds.last_pull, query.limit);
    let kind = query.kind;
    let rows = statement.query_map(values, |row| read(row, kind))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Which series, in which order: the same for each measurement. The join is written down in its order: by series first.
macro_rules! page_of {
    ($columns:literal, $table:literal) => {
        concat!(
            "SELECT s.repo, s.pull, s.author, p.at, ",
            $columns,
            " FROM training_series s CROSS JOIN ",
            $table,
            " p ON p.series = s.id
             WHERE (s.repo, s.pull, s.author) >= (?1, ?2, ?3) AND (s.repo, s.pull) <= (?5, ?6)
                AND ((s.repo, s.pull, s.author) > (?1, ?2, ?3) OR p.at > ?4)
             ORDER BY s.repo, s.pull, s.author, p.at LIMIT ?7"
        )
    };
}

const OBSERVATIONS: &str = page_of!(
    "p.merge_state, p.flags, p.checks_total, p.checks_passing, p.checks_failing, p.reviews_approved,
     p.reviews_changes_requested, p.threads_total, p.threads_unresolved, p.pr_age_hours, p.last_push_hours,
     p.last_activity_hours, p.conflict_attempts, p.review_fix_attempts",
    "pr_observation"
);
const ACTIONS: &str = page_of!("p.action, p.reason, p.policy, p.propensity, p.eligible", "action_taken");
const OUTCOMES: &str = page_of!("p.result, p.detail, p.resolution_hours", "outcome_point");

fn read(row: &Row<'_>, kind: Kind) -> rusqlite::Result<Point> {
    let series = Series { repo: row.get::<_, Word<_>>(0)?.0, pull: Number(row.get(1)?) };
    let measured = match kind {
        Kind::PrObservation => Measured::Observation(read_observation(row)?),
        Kind::ActionTaken => Measured::Action(ActionTaken {
            action: row.get::<_, Word<_>>(4)?.0,
            reason: row.get::<_, Word<_>>(5)?.0,
            policy: row.get::<_, Word<_>>(6)?.0,
            propensity: row.get(7)?,
            eligible: row.get::<_, Option<Json<Vec<Choice>>>>(8)?.map(|json| json.0).unwrap_or_default(),
        }),
        Kind::Outcome => Measured::Outcome(Outcome {
            result: row.get::<_, Word<_>>(4)?.0,
            detail: row.get::<_, Word<_>>(5)?.0,
            resolution_hours: row.get(6)?,
        }),
    };
    Ok(Point { series, at: row.get::<_, Nanos>(3)?.0, measured })
}

fn read_observation(row: &Row<'_>) -> rusqlite::Result<Observation> {
    let flags: u8 = row.get(5)?;
    let merge_state = merge_state_of(row.get(4)?).ok_or(rusqlite::Error::InvalidColumnType(
        4,
        "merge_state".into(),
        Type::Integer,
    ))?;
    Ok(Observation {
        author: row.get::<_, Word<_>>(2)?.0,
        merge_state,
        mergeable: flags & MERGEABLE != 0,
        is_draft: flags & DRAFT != 0,
        auto_merge_enabled: flags & AUTO_MERGE != 0,
        checks_total: row.get(6)?,
        checks_passing: row.get(7)?,
        checks_failing: row.get(8)?,
        reviews_approved: row.get(9)?,
        reviews_changes_requested: row.get(10)?,
        threads_total: row.get(11)?,
        threads_unresolved: row.get(12)?,
        pr_age_hours: row.get(13)?,
        last_push_hours: row.get(14)?,
        last_activity_hours: row.get(15)?,
        conflict_attempts: row.get(16)?,
        review_fix_attempts: row.get(17)?,
    })
}

/// How many points there are of each measurement.
pub(crate) fn counts(db: &Connection) -> Result<PointCounts, Stop> {
    let mut query = db.prepare_cached(
        "SELECT (SELECT count(*) FROM pr_observation), (SELECT count(*) FROM action_taken), (SELECT count(*) FROM outcome_point)",
    )?;
    Ok(query.query_row([], |row| {
        Ok(PointCounts { observations: row.get(0)?, actions: row.get(1)?, outcomes: row.get(2)? })
    })?)
}
