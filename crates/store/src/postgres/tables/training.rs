//! Points of training data, as on SQLite. Rows of a batch go in one statement a measurement, in the order of their keys, so that two batches
//! never wait for each other in a circle.

use crate::{
    postgres::{
        columns::{Columns, int, json},
        error::Stop,
        link::{Link, Tx},
    },
    tables::training::Bounds,
};
use banksman_core::{
    id::Number,
    port::training::{PointCounts, PointQuery},
    training::{
        ActionTaken, Choice, Kind, Measured, Observation, Outcome, Point, Series, merge_state_number,
        merge_state_of,
    },
};
use std::collections::BTreeMap;
use tokio_postgres::Row;

/// Bits of the column `flags`.
const MERGEABLE: i16 = 1;
const DRAFT: i16 = 2;
const AUTO_MERGE: i16 = 4;

/// Series, author, time.
type Key<'p> = (&'p Series, &'p str, i64);

/// Points by their keys; of two with one key the later one.
#[derive(Default)]
pub(in crate::postgres) struct Batch<'p> {
    observations: BTreeMap<Key<'p>, &'p Observation>,
    actions: BTreeMap<Key<'p>, &'p ActionTaken>,
    outcomes: BTreeMap<Key<'p>, &'p Outcome>,
}

impl<'p> Batch<'p> {
    pub(in crate::postgres) fn of(points: &'p [Point]) -> Self {
        let mut batch = Self::default();
        for point in points {
            let key = |author| (&point.series, author, point.nanos());
            match &point.measured {
                Measured::Observation(seen) => {
                    batch.observations.insert(key(seen.author.as_str()), seen);
                }
                Measured::Action(taken) => {
                    batch.actions.insert(key(""), taken);
                }
                Measured::Outcome(outcome) => {
                    batch.outcomes.insert(key(""), outcome);
                }
            }
        }
        batch
    }
}

/// Columns of the keys, for `unnest`.
struct Keys<'p> {
    repos: Vec<&'p str>,
    pulls: Vec<i64>,
    authors: Vec<&'p str>,
    times: Vec<i64>,
}

impl<'p> Keys<'p> {
    fn of<'k>(keys: impl Iterator<Item = &'k Key<'p>>) -> Self
    where
        'p: 'k,
    {
        let mut all = Self { repos: Vec::new(), pulls: Vec::new(), authors: Vec::new(), times: Vec::new() };
        for (series, author, at) in keys {
            all.repos.push(series.repo.as_str());
            all.pulls.push(int(series.pull.0));
            all.authors.push(author);
            all.times.push(*at);
        }
        all
    }
}

/// Writes a batch; a point with the key of another overwrites it.
pub(in crate::postgres) async fn record(tx: &Tx<'_>, batch: &Batch<'_>) -> Result<(), Stop> {
    if !batch.observations.is_empty() {
        let keys = Keys::of(batch.observations.keys());
        add_series(tx, &keys).await?;
        observe(tx, &keys, batch.observations.values().copied()).await?;
    }
    if !batch.actions.is_empty() {
        let keys = Keys::of(batch.actions.keys());
        add_series(tx, &keys).await?;
        act(tx, &keys, batch.actions.values().copied()).await?;
    }
    if !batch.outcomes.is_empty() {
        let keys = Keys::of(batch.outcomes.keys());
        add_series(tx, &keys).await?;
        end(tx, &keys, batch.outcomes.values().copied()).await?;
    }
    Ok(())
}

async fn add_series(tx: &Tx<'_>, keys: &Keys<'_>) -> Result<(), Stop> {
    tx.run(
        "INSERT INTO training_series (repo, pull, author)
         SELECT DISTINCT k.repo, k.pull, k.author FROM unnest($1::text[], $2::bigint[], $3::text[]) AS k (repo, pull, author)
         WHERE NOT EXISTS (SELECT 1 FROM training_series s WHERE s.repo = k.repo AND s.pull = k.pull AND s.author = k.author)
         ORDER BY 1, 2, 3
         ON CONFLICT DO NOTHING",
        &[&keys.repos, &keys.pulls, &keys.authors],
    )
    .await?;
    Ok(())
}

async fn observe<'p>(
    tx: &Tx<'_>,
    keys: &Keys<'_>,
    seen: impl Iterator<Item = &'p Observation>,
) -> Result<(), Stop> {
    let (mut states, mut flags) = (Vec::new(), Vec::new());
    let mut counts: [Vec<i64>; 12] = Default::default();
    for seen in seen {
        states.push(i16::from(merge_state_number(seen.merge_state)));
        let all =
            [(seen.mergeable, MERGEABLE), (seen.is_draft, DRAFT), (seen.auto_merge_enabled, AUTO_MERGE)];
        flags.push(all.iter().filter(|(on, _)| *on).map(|(_, bit)| bit).sum::<i16>());
        for (column, (_, count)) in counts.iter_mut().zip(seen.counts()) {
            column.push(i64::from(count));
        }
    }
    let [a, b, c, d, e, f, g, h, i, j, k, l] = &counts;
    tx.run(
        "INSERT INTO pr_observation
         SELECT s.id, k.at, k.merge_state, k.flags, k.a, k.b, k.c, k.d, k.e, k.f, k.g, k.h, k.i, k.j, k.k, k.l
         FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::smallint[], $6::smallint[], $7::bigint[], $8::bigint[],
                $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[],
                $17::bigint[], $18::bigint[])
            AS k (repo, pull, author, at, merge_state, flags, a, b, c, d, e, f, g, h, i, j, k, l)
         JOIN training_series s ON s.repo = k.repo AND s.pull = k.pull AND s.author = k.author
         ORDER BY 1, 2
         ON CONFLICT (series, at) DO UPDATE SET merge_state = excluded.merge_state, flags = excluded.flags,
            checks_total = excluded.checks_total, checks_passing = excluded.checks_passing,
            checks_failing = excluded.checks_failing, reviews_approved = excluded.reviews_approved,
            reviews_changes_requested = excluded.reviews_changes_requested, threads_total = excluded.threads_total,
            threads_unresolved = excluded.threads_unresolved, pr_age_hours = excluded.pr_age_hours,
            last_push_hours = excluded.last_push_hours, last_activity_hours = excluded.last_activity_hours,
            conflict_attempts = excluded.conflict_attempts, review_fix_attempts = excluded.review_fix_attempts",
        &[
            &keys.repos, &keys.pulls, &keys.authors, &keys.times, &states, &flags, a, b, c, d, e, f, g, h, i, j, k, l,
        ],
    )
    .await?;
    Ok(())
}

/// What was eligible stays known when the same action comes again without it.
async fn act<'p>(
    tx: &Tx<'_>,
    keys: &Keys<'_>,
    taken: impl Iterator<Item = &'p ActionTaken>,
) -> Result<(), Stop> {
    let (mut actions, mut reasons, mut policies) = (Vec::new(), Vec::new(), Vec::new());
    let (mut propensities, mut eligible) = (Vec::new(), Vec::new());
    for taken in taken {
        actions.push(taken.action.as_str());
        reasons.push(taken.reason.as_str());
        policies.push(taken.policy.as_str());
        propensities.push(taken.propensity);
        eligible.push(if taken.eligible.is_empty() { None } else { Some(json(&taken.eligible)?) });
    }
    tx.run(
        "INSERT INTO action_taken AS t (series, at, action, reason, policy, propensity, eligible)
         SELECT s.id, k.at, k.action, k.reason, k.policy, k.propensity, k.eligible::json
         FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::double precision[],
                $9::text[])
            AS k (repo, pull, author, at, action, reason, policy, propensity, eligible)
         JOIN training_series s ON s.repo = k.repo AND s.pull = k.pull AND s.author = k.author
         ORDER BY 1, 2
         ON CONFLICT (series, at) DO UPDATE SET action = excluded.action, reason = excluded.reason, policy = excluded.policy,
            propensity = excluded.propensity,
            eligible = coalesce(excluded.eligible, CASE WHEN t.action = excluded.action THEN t.eligible END)",
        &[
            &keys.repos,
            &keys.pulls,
            &keys.authors,
            &keys.times,
            &actions,
            &reasons,
            &policies,
            &propensities,
            &eligible,
        ],
    )
    .await?;
    Ok(())
}

async fn end<'p>(
    tx: &Tx<'_>,
    keys: &Keys<'_>,
    outcomes: impl Iterator<Item = &'p Outcome>,
) -> Result<(), Stop> {
    let (mut results, mut details, mut hours) = (Vec::new(), Vec::new(), Vec::new());
    for outcome in outcomes {
        results.push(outcome.result.as_str());
        details.push(outcome.detail.as_str());
        hours.push(outcome.resolution_hours);
    }
    tx.run(
        "INSERT INTO outcome_point
         SELECT s.id, k.at, k.result, k.detail, k.hours
         FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::double precision[])
            AS k (repo, pull, author, at, result, detail, hours)
         JOIN training_series s ON s.repo = k.repo AND s.pull = k.pull AND s.author = k.author
         ORDER BY 1, 2
         ON CONFLICT (series, at) DO UPDATE SET result = excluded.result, detail = excluded.detail,
            resolution_hours = excluded.resolution_hours",
        &[&keys.repos, &keys.pulls, &keys.authors, &keys.times, &results, &details, &hours],
    )
    .await?;
    Ok(())
}

/// Which series, in which order: the same for each measurement.
macro_rules! page_of {
    ($columns:literal, $table:literal) => {
        concat!(
            "SELECT s.repo, s.pull, s.author, p.at, ",
            $columns,
            " FROM training_series s JOIN ",
            $table,
            " p ON p.series = s.id
             WHERE (s.repo, s.pull, s.author) >= ($1, $2, $3) AND (s.repo, s.pull) <= ($5, $6)
                AND ((s.repo, s.pull, s.author) > ($1, $2, $3) OR p.at > $4)
             ORDER BY s.repo, s.pull, s.author, p.at LIMIT $7"
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

/// A page of points.
pub(in crate::postgres) async fn page(db: &Link, query: &PointQuery) -> Result<Vec<Point>, Stop> {
    let sql = match query.kind {
        Kind::PrObservation => OBSERVATIONS,
        Kind::ActionTaken => ACTIONS,
        Kind::Outcome => OUTCOMES,
    };
    let bounds = Bounds::of(query);
    let limit = i64::from(query.limit);
    let rows = db
        .rows(
            sql,
            &[
                &bounds.repo,
                &bounds.pull,
                &bounds.author,
                &bounds.at,
                &bounds.last_repo,
                &bounds.last_pull,
                &limit,
            ],
        )
        .await?;
    rows.iter().map(|row| read(row, query.kind)).collect()
}

fn read(row: &Row, kind: Kind) -> Result<Point, Stop> {
    let series = Series { repo: row.word(0, "training_series.repo")?, pull: Number(row.uint(1)?) };
    let measured = match kind {
        Kind::PrObservation => Measured::Observation(read_observation(row)?),
        Kind::ActionTaken => Measured::Action(ActionTaken {
            action: row.word(4, "action_taken.action")?,
            reason: row.word(5, "action_taken.reason")?,
            policy: row.word(6, "action_taken.policy")?,
            propensity: row.col(7)?,
            eligible: row
                .col::<Option<crate::postgres::columns::Json<Vec<Choice>>>>(8)?
                .map(|json| json.0)
                .unwrap_or_default(),
        }),
        Kind::Outcome => Measured::Outcome(Outcome {
            result: row.word(4, "outcome_point.result")?,
            detail: row.word(5, "outcome_point.detail")?,
            resolution_hours: row.col(6)?,
        }),
    };
    Ok(Point { series, at: row.time(3)?, measured })
}

fn read_observation(row: &Row) -> Result<Observation, Stop> {
    let flags: i16 = row.col(5)?;
    let count = |column| u32::try_from(row.col::<i64>(column)?).map_err(|_| Stop::Shape("a count"));
    let state = u8::try_from(row.col::<i16>(4)?).ok().and_then(merge_state_of);
    Ok(Observation {
        author: row.word(2, "training_series.author")?,
        merge_state: state.ok_or(Stop::Shape("pr_observation.merge_state"))?,
        mergeable: flags & MERGEABLE != 0,
        is_draft: flags & DRAFT != 0,
        auto_merge_enabled: flags & AUTO_MERGE != 0,
        checks_total: count(6)?,
        checks_passing: count(7)?,
        checks_failing: count(8)?,
        reviews_approved: count(9)?,
        reviews_changes_requested: count(10)?,
        threads_total: count(11)?,
        threads_unresolved: count(12)?,
        pr_age_hours: count(13)?,
        last_push_hours: count(14)?,
        last_activity_hours: count(15)?,
        conflict_attempts: count(16)?,
        review_fix_attempts: count(17)?,
    })
}

/// How many points there are of each measurement.
pub(in crate::postgres) async fn counts(db: &Link) -> Result<PointCounts, Stop> {
    let row = db
        .one(
            "SELECT (SELECT count(*) FROM pr_observation), (SELECT count(*) FROM action_taken), (SELECT count(*) FROM outcome_point)",
            &[],
        )
        .await?;
    Ok(PointCounts { observations: row.uint(0)?, actions: row.uint(1)?, outcomes: row.uint(2)? })
}
