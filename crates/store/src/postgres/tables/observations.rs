//! What was seen of pull requests and what was decided. A look that shows nothing new costs one small row (D2).

use super::{leases::Held, training};
use crate::postgres::{
    columns::{Columns, int, nanos},
    error::Stop,
    link::{Link, Tx},
};
use banksman_core::{
    id::Number,
    port::{DecisionRecord, HeadSeen, Look as SeenLook},
    signals::Signals,
    text::RepoName,
    training::Point,
};
use jiff::Timestamp;

/// One look at a pull request, with its parts as they stand in the tables.
pub(in crate::postgres) struct Look<'d> {
    repo: &'d RepoName,
    signals: &'d Signals,
    signals_json: String,
    rule: i32,
    action: String,
    policy: &'static str,
    at: Timestamp,
    points: &'d [Point],
}

impl<'d> Look<'d> {
    /// Writes the parts down once, outside the transaction.
    pub(in crate::postgres) fn new(record: &DecisionRecord<'d>) -> Result<Self, serde_json::Error> {
        Ok(Self {
            repo: record.repo,
            signals: record.signals,
            signals_json: serde_json::to_string(record.signals)?,
            rule: i32::from(record.decision.row),
            action: serde_json::to_string(&record.decision.action)?,
            policy: record.policy,
            at: record.at,
            points: record.points,
        })
    }
}

/// Records a look. The same when it is done twice.
pub(in crate::postgres) async fn observe(tx: &Tx<'_>, held: &Held<'_>, look: &Look<'_>) -> Result<(), Stop> {
    held.covers(look.repo)?;
    let pull = pull_row(tx, held, look.signals.number).await?;
    let snapshot = match same_as_last(tx, pull, look).await? {
        Some(snapshot) => snapshot,
        None => {
            see_head(tx, pull, look).await?;
            training::record(tx, &training::Batch::of(look.points)).await?;
            add_snapshot(tx, pull, look).await?
        }
    };
    tx.run(
        "INSERT INTO observation (snapshot, at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        &[&snapshot, &nanos(look.at)],
    )
    .await?;
    Ok(())
}

async fn pull_row(tx: &Tx<'_>, held: &Held<'_>, number: Number) -> Result<i64, Stop> {
    let known = tx
        .maybe("SELECT id FROM pull WHERE repo = $1 AND number = $2", &[&held.repo.as_str(), &int(number.0)])
        .await?;
    match known {
        Some(row) => row.col(0),
        None => tx
            .one(
                "INSERT INTO pull (repo, number) VALUES ($1, $2) RETURNING id",
                &[&held.repo.as_str(), &int(number.0)],
            )
            .await?
            .col(0),
    }
}

async fn same_as_last(tx: &Tx<'_>, pull: i64, look: &Look<'_>) -> Result<Option<i64>, Stop> {
    let last = tx
        .maybe(
            "SELECT id, signals::text = $2 AND rule = $3 AND action::text = $4 AND policy = $5 FROM snapshot
             WHERE pull = $1 ORDER BY id DESC LIMIT 1",
            &[&pull, &look.signals_json, &look.rule, &look.action, &look.policy],
        )
        .await?;
    let Some(last) = last else { return Ok(None) };
    Ok(if last.col(1)? { Some(last.col(0)?) } else { None })
}

async fn add_snapshot(tx: &Tx<'_>, pull: i64, look: &Look<'_>) -> Result<i64, Stop> {
    tx.one(
        "INSERT INTO snapshot (pull, signals, rule, action, policy)
         VALUES ($1, $2::text::json, $3, $4::text::json, $5) RETURNING id",
        &[&pull, &look.signals_json, &look.rule, &look.action, &look.policy],
    )
    .await?
    .col(0)
}

/// The first time that a head was seen, green and red stays.
async fn see_head(tx: &Tx<'_>, pull: i64, look: &Look<'_>) -> Result<(), Stop> {
    let green_at = look.signals.all_green().then(|| nanos(look.at));
    let red_at = (look.signals.check_counts().failing > 0).then(|| nanos(look.at));
    tx.run(
        "INSERT INTO head (pull, sha, at, green_at, red_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (pull, sha) DO UPDATE SET green_at = coalesce(head.green_at, excluded.green_at),
            red_at = coalesce(head.red_at, excluded.red_at)",
        &[&pull, &look.signals.head.as_str(), &nanos(look.signals.head_at), &green_at, &red_at],
    )
    .await?;
    Ok(())
}

/// The signals of the last look.
pub(in crate::postgres) async fn last_signals(
    db: &Link,
    repo: &RepoName,
    number: Number,
) -> Result<Option<Signals>, Stop> {
    let row = db
        .maybe(
            "SELECT signals FROM snapshot WHERE pull = (SELECT id FROM pull WHERE repo = $1 AND number = $2)
             ORDER BY id DESC LIMIT 1",
            &[&repo.as_str(), &int(number.0)],
        )
        .await?;
    row.map(|row| row.json(0)).transpose()
}

/// The looks that showed something new, in their order.
pub(in crate::postgres) async fn looks(
    db: &Link,
    repo: &RepoName,
    number: Number,
) -> Result<Vec<SeenLook>, Stop> {
    let rows = db
        .rows(
            "SELECT (SELECT min(at) FROM observation o WHERE o.snapshot = s.id), s.signals
             FROM snapshot s JOIN pull p ON p.id = s.pull WHERE p.repo = $1 AND p.number = $2 ORDER BY s.id",
            &[&repo.as_str(), &int(number.0)],
        )
        .await?;
    rows.iter().map(|row| Ok(SeenLook { at: row.time(0)?, signals: row.json(1)? })).collect()
}

/// The heads in the order in which they were first seen.
pub(in crate::postgres) async fn heads(
    db: &Link,
    repo: &RepoName,
    number: Number,
) -> Result<Vec<HeadSeen>, Stop> {
    let rows = db
        .rows(
            "SELECT h.sha, h.at, h.green_at, h.red_at FROM head h JOIN pull p ON p.id = h.pull
             WHERE p.repo = $1 AND p.number = $2 ORDER BY h.id",
            &[&repo.as_str(), &int(number.0)],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(HeadSeen {
                sha: row.word(0, "head.sha")?,
                at: row.time(1)?,
                green_at: row.maybe_time(2)?,
                red_at: row.maybe_time(3)?,
            })
        })
        .collect()
}

/// Pull requests that were seen and have no outcome, ascending.
pub(in crate::postgres) async fn without_outcome(db: &Link, repo: &RepoName) -> Result<Vec<Number>, Stop> {
    let rows = db
        .rows(
            "SELECT number FROM pull WHERE repo = $1
                AND NOT EXISTS (SELECT 1 FROM outcome o WHERE o.repo = pull.repo AND o.pull = pull.number)
             ORDER BY number",
            &[&repo.as_str()],
        )
        .await?;
    rows.iter().map(|row| Ok(Number(row.uint(0)?))).collect()
}
