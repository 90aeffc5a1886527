//! What was seen of pull requests and what was decided. A look that shows nothing new costs one small row (D2).

use super::{Stop, leases::Held, training};
use crate::sqlite::{Json, Nanos, Tx, Word};
use banksman_core::{
    id::Number,
    port::{DecisionRecord, HeadSeen, Look as SeenLook},
    signals::Signals,
    text::RepoName,
    training::Point,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

/// One look at a pull request, with its parts as they stand in the tables.
pub(crate) struct Look {
    repo: RepoName,
    signals: Signals,
    signals_json: String,
    rule: u8,
    action: String,
    policy: &'static str,
    at: Timestamp,
    points: Vec<Point>,
}

impl Look {
    /// Writes the parts down once, outside the transaction.
    pub(crate) fn new(record: &DecisionRecord<'_>) -> Result<Self, serde_json::Error> {
        Ok(Self {
            repo: record.repo.clone(),
            signals: record.signals.clone(),
            signals_json: serde_json::to_string(record.signals)?,
            rule: record.decision.row,
            action: serde_json::to_string(&record.decision.action)?,
            policy: record.policy,
            at: record.at,
            points: record.points.to_vec(),
        })
    }
}

/// Records a look.
pub(crate) fn observe(tx: &Tx<'_>, held: &Held<'_>, look: &Look) -> Result<(), Stop> {
    held.covers(&look.repo)?;
    let pull = pull_row(tx, held, look.signals.number)?;
    let snapshot = match same_as_last(tx, pull, look)? {
        Some(snapshot) => snapshot,
        None => {
            see_head(tx, pull, look)?;
            training::record(tx, &look.points)?;
            add_snapshot(tx, pull, look)?
        }
    };
    tx.prepare_cached("INSERT OR IGNORE INTO observation (snapshot, at) VALUES (?1, ?2)")?
        .execute((snapshot, Nanos(look.at)))?;
    Ok(())
}

fn pull_row(tx: &Tx<'_>, held: &Held<'_>, number: Number) -> Result<i64, Stop> {
    let known = pull_id(tx, held.repo, number)?;
    match known {
        Some(id) => Ok(id),
        None => Ok(tx
            .prepare_cached("INSERT INTO pull (repo, number) VALUES (?1, ?2)")?
            .insert((held.repo.as_str(), number.0))?),
    }
}

fn pull_id(db: &Connection, repo: &RepoName, number: Number) -> Result<Option<i64>, Stop> {
    Ok(db
        .prepare_cached("SELECT id FROM pull WHERE repo = ?1 AND number = ?2")?
        .query_row((repo.as_str(), number.0), |row| row.get(0))
        .optional()?)
}

fn same_as_last(tx: &Tx<'_>, pull: i64, look: &Look) -> Result<Option<i64>, Stop> {
    let last = tx
        .prepare_cached(
            "SELECT id, signals = ?2 AND rule = ?3 AND action = ?4 AND policy = ?5 FROM snapshot
             WHERE pull = ?1 ORDER BY id DESC LIMIT 1",
        )?
        .query_row((pull, &look.signals_json, look.rule, &look.action, look.policy), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?))
        })
        .optional()?;
    Ok(last.and_then(|(id, same)| same.then_some(id)))
}

fn add_snapshot(tx: &Tx<'_>, pull: i64, look: &Look) -> Result<i64, Stop> {
    Ok(tx
        .prepare_cached(
            "INSERT INTO snapshot (pull, signals, rule, action, policy) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .insert((pull, &look.signals_json, look.rule, &look.action, look.policy))?)
}

/// The first time that a head was seen, green and red stays.
fn see_head(tx: &Tx<'_>, pull: i64, look: &Look) -> Result<(), Stop> {
    let green_at = look.signals.all_green().then_some(Nanos(look.at));
    let red_at = (look.signals.check_counts().failing > 0).then_some(Nanos(look.at));
    tx.prepare_cached(
        "INSERT INTO head (pull, sha, at, green_at, red_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (pull, sha) DO UPDATE SET
            green_at = coalesce(green_at, excluded.green_at), red_at = coalesce(red_at, excluded.red_at)",
    )?
    .execute((pull, look.signals.head.as_str(), Nanos(look.signals.head_at), green_at, red_at))?;
    Ok(())
}

/// The signals of the last look.
pub(crate) fn last_signals(
    db: &Connection,
    repo: &RepoName,
    number: Number,
) -> Result<Option<Signals>, Stop> {
    let Some(pull) = pull_id(db, repo, number)? else { return Ok(None) };
    Ok(db
        .prepare_cached("SELECT signals FROM snapshot WHERE pull = ?1 ORDER BY id DESC LIMIT 1")?
        .query_row([pull], |row| Ok(row.get::<_, Json<Signals>>(0)?.0))
        .optional()?)
}

/// The looks that showed something new, in their order.
pub(crate) fn looks(db: &Connection, repo: &RepoName, number: Number) -> Result<Vec<SeenLook>, Stop> {
    let Some(pull) = pull_id(db, repo, number)? else { return Ok(Vec::new()) };
    let mut query = db.prepare_cached(
        "SELECT (SELECT min(at) FROM observation o WHERE o.snapshot = s.id), s.signals
         FROM snapshot s WHERE s.pull = ?1 ORDER BY s.id",
    )?;
    let rows = query.query_map([pull], |row| {
        Ok(SeenLook { at: row.get::<_, Nanos>(0)?.0, signals: row.get::<_, Json<Signals>>(1)?.0 })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The heads in the order in which they were first seen.
pub(crate) fn heads(db: &Connection, repo: &RepoName, number: Number) -> Result<Vec<HeadSeen>, Stop> {
    let Some(pull) = pull_id(db, repo, number)? else { return Ok(Vec::new()) };
    let mut query =
        db.prepare_cached("SELECT sha, at, green_at, red_at FROM head WHERE pull = ?1 ORDER BY id")?;
    let rows = query.query_map([pull], |row| {
        Ok(HeadSeen {
            sha: row.get::<_, Word<_>>(0)?.0,
            at: row.get::<_, Nanos>(1)?.0,
            green_at: row.get::<_, Option<Nanos>>(2)?.map(|t| t.0),
            red_at: row.get::<_, Option<Nanos>>(3)?.map(|t| t.0),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Pull requests that were seen and have no outcome, ascending.
pub(crate) fn without_outcome(db: &Connection, repo: &RepoName) -> Result<Vec<Number>, Stop> {
    let mut query = db.prepare_cached(
        "SELECT number FROM pull WHERE repo = ?1
            AND NOT EXISTS (SELECT 1 FROM outcome WHERE outcome.repo = pull.repo AND outcome.pull = pull.number)
         ORDER BY number",
    )?;
    let rows = query.query_map([repo.as_str()], |row| Ok(Number(row.get(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
