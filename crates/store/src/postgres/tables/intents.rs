//! Intents: written before the first effect, with a receipt for each step done, until they are done or refused.

use super::{
    leases::Held,
    ledger::{self, Room},
};
use crate::postgres::{
    columns::{Columns, Json, int, json, nanos, word},
    error::Stop,
    link::{Link, Tx},
    trial::Try,
};
use banksman_core::{
    id::Number,
    intent::{Intent, IntentState, NewIntent, Receipt},
    port::{Intended, LedgerState, Refusal, Spend, StoreError},
    text::RepoName,
};
use jiff::Timestamp;
use tokio_postgres::Row;

/// What every query of intents selects, in the order that [`read`] expects.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, key, subject, deed, created_at, receipts::json, state, ended_at, refusal, tries FROM intent ",
            $rest
        )
    };
}

/// Writes an intent, opens a refused one again, or says why not. With a spend the cap is asked and the cost reserved here. When an
/// answer was lost, an intent that stands there as this call would have written it is taken for its own.
pub(in crate::postgres) async fn intend(
    tx: &Tx<'_>,
    held: &Held<'_>,
    intent: &NewIntent,
    spend: Option<&Spend>,
    which: Try,
) -> Result<Intended, Stop> {
    held.covers(&intent.repo)?;
    let before = find(tx, held.repo, &intent.key).await?;
    if let Some((_, stored)) = &before
        && !matches!(stored.state, IntentState::Refused { .. })
    {
        let own = which == Try::Again && *stored == fresh(intent);
        return Ok(if own { Intended::New(stored.clone()) } else { Intended::Exists(stored.clone()) });
    }
    let place = match spend {
        None => None,
        Some(spend) => match ledger::room(tx, held, spend, intent.at).await? {
            Room::Yes(place) => Some(place),
            Room::OverCap => return Ok(Intended::OverCap),
            Room::OverBudget(why) => return Ok(Intended::OverBudget(why)),
        },
    };
    let (id, intended) = match before {
        Some((id, stored)) => {
            let open = reopen(tx, id, stored, intent).await?;
            (id, Intended::Again(open))
        }
        None => (insert(tx, held, intent).await?, Intended::New(fresh(intent))),
    };
    if let (Some(spend), Some(place)) = (spend, place) {
        ledger::reserve(tx, held, id, intent, spend, &place).await?;
    }
    Ok(intended)
}

fn fresh(intent: &NewIntent) -> Intent {
    Intent {
        repo: intent.repo.clone(),
        key: intent.key.clone(),
        subject: intent.subject,
        deed: intent.deed.clone(),
        created_at: intent.at,
        receipts: Vec::new(),
        state: IntentState::Open,
    }
}

async fn insert(tx: &Tx<'_>, held: &Held<'_>, intent: &NewIntent) -> Result<i64, Stop> {
    tx.one(
        "INSERT INTO intent (repo, key, subject, deed, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING id",
        &[&held.repo.as_str(), &intent.key, &int(intent.subject.0), &Json(&intent.deed), &nanos(intent.at)],
    )
    .await?
    .col(0)
}

/// Its receipts stay, so that no step is done twice, and so does its time, from which the forge is searched for effects whose
/// answer was lost. The deed is the newer one unless steps of the older one were done.
async fn reopen(tx: &Tx<'_>, id: i64, stored: Intent, intent: &NewIntent) -> Result<Intent, Stop> {
    let deed = if stored.receipts.is_empty() { intent.deed.clone() } else { stored.deed };
    tx.run(
        "UPDATE intent SET state = 'open', ended_at = NULL, refusal = NULL, deed = $2 WHERE id = $1",
        &[&id, &Json(&deed)],
    )
    .await?;
    Ok(Intent { deed, state: IntentState::Open, ..stored })
}

/// Appends a receipt; `done_at` ends the intent and settles its spend. When an answer was lost, an intent whose last receipt is
/// this one, done if it was to be, needs nothing more: two steps never have equal receipts in a row but where the second one
/// changes nothing.
pub(in crate::postgres) async fn record(
    tx: &Tx<'_>,
    held: &Held<'_>,
    key: &str,
    receipt: &Receipt,
    done_at: Option<Timestamp>,
    which: Try,
) -> Result<(), Stop> {
    if which == Try::Again
        && let Some((_, stored)) = find(tx, held.repo, key).await?
        && stored.receipts.last() == Some(receipt)
        && stored.state == done_at.map_or(IntentState::Open, |at| IntentState::Done { at })
    {
        return Ok(());
    }
    let id = open_id(tx, held, key).await?;
    tx.run(
        "UPDATE intent SET receipts = receipts || jsonb_build_array($2::text::jsonb) WHERE id = $1",
        &[&id, &json(receipt)?],
    )
    .await?;
    match done_at {
        Some(at) => finish(tx, id, at).await,
        None => Ok(()),
    }
}

/// Ends an intent without another receipt: done, or refused and its spend released. When an answer was lost, one that ended so at
/// this very time needs nothing more.
pub(in crate::postgres) async fn settle(
    tx: &Tx<'_>,
    held: &Held<'_>,
    key: &str,
    refusal: Option<Refusal>,
    now: Timestamp,
    which: Try,
) -> Result<(), Stop> {
    if which == Try::Again
        && let Some((_, stored)) = find(tx, held.repo, key).await?
    {
        match stored.state {
            IntentState::Done { at } if at == now && refusal.is_none() => return Ok(()),
            IntentState::Refused { reason, at, .. } if at == now && Some(reason) == refusal => return Ok(()),
            IntentState::Open | IntentState::Done { .. } | IntentState::Refused { .. } => {}
        }
    }
    let id = open_id(tx, held, key).await?;
    let Some(reason) = refusal else { return finish(tx, id, now).await };
    tx.run(
        "UPDATE intent SET state = 'refused', ended_at = $2, refusal = $3, tries = tries + 1 WHERE id = $1",
        &[&id, &nanos(now), &word(&reason)?],
    )
    .await?;
    ledger::end(tx, id, LedgerState::Released).await
}

async fn finish(tx: &Tx<'_>, id: i64, at: Timestamp) -> Result<(), Stop> {
    tx.run("UPDATE intent SET state = 'done', ended_at = $2 WHERE id = $1", &[&id, &nanos(at)]).await?;
    ledger::end(tx, id, LedgerState::Settled).await
}

async fn open_id(tx: &Tx<'_>, held: &Held<'_>, key: &str) -> Result<i64, Stop> {
    tx.maybe(
        "SELECT id FROM intent WHERE repo = $1 AND key = $2 AND state = 'open'",
        &[&held.repo.as_str(), &key],
    )
    .await?
    .ok_or(StoreError::Missing("open intent"))?
    .col(0)
}

async fn find(db: &Link, repo: &RepoName, key: &str) -> Result<Option<(i64, Intent)>, Stop> {
    let row = db.maybe(select!("WHERE repo = $1 AND key = $2"), &[&repo.as_str(), &key]).await?;
    row.map(|row| Ok((row.col(0)?, read(&row, repo)?))).transpose()
}

/// One intent.
pub(in crate::postgres) async fn by_key(
    db: &Link,
    repo: &RepoName,
    key: &str,
) -> Result<Option<Intent>, Stop> {
    Ok(find(db, repo, key).await?.map(|(_, intent)| intent))
}

/// Open ones, oldest first.
pub(in crate::postgres) async fn open(db: &Link, repo: &RepoName) -> Result<Vec<Intent>, Stop> {
    all(db.rows(select!("WHERE repo = $1 AND state = 'open' ORDER BY id"), &[&repo.as_str()]).await?, repo)
}

/// Those about one issue or pull request, oldest first.
pub(in crate::postgres) async fn about(
    db: &Link,
    repo: &RepoName,
    subject: Number,
) -> Result<Vec<Intent>, Stop> {
    let rows = db
        .rows(select!("WHERE repo = $1 AND subject = $2 ORDER BY id"), &[&repo.as_str(), &int(subject.0)])
        .await?;
    all(rows, repo)
}

/// All of a repository, oldest first.
pub(in crate::postgres) async fn of(db: &Link, repo: &RepoName) -> Result<Vec<Intent>, Stop> {
    all(db.rows(select!("WHERE repo = $1 ORDER BY id"), &[&repo.as_str()]).await?, repo)
}

fn all(rows: Vec<Row>, repo: &RepoName) -> Result<Vec<Intent>, Stop> {
    rows.iter().map(|row| read(row, repo)).collect()
}

fn read(row: &Row, repo: &RepoName) -> Result<Intent, Stop> {
    let (ended_at, refusal) = (row.maybe_time(7)?, row.maybe_word::<Refusal>(8, "intent.refusal")?);
    let state = match (row.col::<String>(6)?.as_str(), ended_at, refusal) {
        ("open", None, None) => IntentState::Open,
        ("done", Some(at), None) => IntentState::Done { at },
        ("refused", Some(at), Some(reason)) => IntentState::Refused { reason, at, tries: row.count(9)? },
        // The table's CHECK constraints leave nothing else.
        _ => return Err(Stop::Shape("intent.state")),
    };
    Ok(Intent {
        repo: repo.clone(),
        key: row.col(1)?,
        subject: Number(row.uint(2)?),
        deed: row.json(3)?,
        created_at: row.time(4)?,
        receipts: row.json(5)?,
        state,
    })
}
