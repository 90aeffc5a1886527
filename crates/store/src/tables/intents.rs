//! Intents: written before the first effect, with a receipt for each step done, until they are done or refused.

use super::{
    Stop,
    leases::Held,
    ledger::{self, Room},
};
use crate::sqlite::{Json, Nanos, Tx, Word};
use banksman_core::{
    id::Number,
    intent::{Intent, IntentState, NewIntent, Receipt},
    port::{Intended, LedgerState, Refusal, Spend, StoreError},
    text::RepoName,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, types::Type};

/// What every query of intents selects, in the order that [`read`] expects.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, key, subject, deed, created_at, receipts, state, ended_at, refusal, tries FROM intent ",
            $rest
        )
    };
}

/// Writes an intent, opens a refused one again, or says why not. With a spend the cap is asked and the cost reserved here.
pub(crate) fn intend(
    tx: &Tx<'_>,
    held: &Held<'_>,
    intent: &NewIntent,
    spend: Option<&Spend>,
) -> Result<Intended, Stop> {
    held.covers(&intent.repo)?;
    let before = find(tx, held.repo, &intent.key)?;
    if let Some((_, stored)) = &before
        && !matches!(stored.state, IntentState::Refused { .. })
    {
        return Ok(Intended::Exists(stored.clone()));
    }
    let place = match spend.map(|spend| ledger::room(tx, held, spend, intent.at)).transpose()? {
        None => None,
        Some(Room::Yes(place)) => Some(place),
        Some(Room::OverCap) => return Ok(Intended::OverCap),
        Some(Room::OverBudget(why)) => return Ok(Intended::OverBudget(why)),
    };
    let (id, intended) = match before {
        Some((id, stored)) => {
            let open = reopen(tx, id, stored, intent)?;
            (id, Intended::Again(open))
        }
        None => (insert(tx, held, intent)?, Intended::New(fresh(intent))),
    };
    if let (Some(spend), Some(place)) = (spend, place) {
        ledger::reserve(tx, held, id, intent, spend, &place)?;
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

fn insert(tx: &Tx<'_>, held: &Held<'_>, intent: &NewIntent) -> Result<i64, Stop> {
    Ok(tx
        .prepare_cached(
            "INSERT INTO intent (repo, key, subject, deed, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .insert((held.repo.as_str(), &intent.key, intent.subject.0, Json(&intent.deed), Nanos(intent.at)))?)
}

/// Its receipts stay, so that no step is done twice, and so does its time, from which the forge is searched for effects whose
/// answer was lost. The deed is the newer one unless steps of the older one were done.
fn reopen(tx: &Tx<'_>, id: i64, stored: Intent, intent: &NewIntent) -> Result<Intent, Stop> {
    let deed = if stored.receipts.is_empty() { intent.deed.clone() } else { stored.deed };
    tx.prepare_cached(
        "UPDATE intent SET state = 'open', ended_at = NULL, refusal = NULL, deed = ?2 WHERE id = ?1",
    )?
    .execute((id, Json(&deed)))?;
    Ok(Intent { deed, state: IntentState::Open, ..stored })
}

/// Appends a receipt; `done_at` ends the intent and settles its spend.
pub(crate) fn record(
    tx: &Tx<'_>,
    held: &Held<'_>,
    key: &str,
    receipt: &Receipt,
    done_at: Option<Timestamp>,
) -> Result<(), Stop> {
    let id = open_id(tx, held, key)?;
    tx.prepare_cached("UPDATE intent SET receipts = json_insert(receipts, '$[#]', json(?2)) WHERE id = ?1")?
        .execute((id, Json(receipt)))?;
    match done_at {
        Some(at) => finish(tx, id, at),
        None => Ok(()),
    }
}

/// Ends an intent without another receipt: done, or refused and its spend released.
pub(crate) fn settle(
    tx: &Tx<'_>,
    held: &Held<'_>,
    key: &str,
    refusal: Option<Refusal>,
    now: Timestamp,
) -> Result<(), Stop> {
    let id = open_id(tx, held, key)?;
    let Some(reason) = refusal else { return finish(tx, id, now) };
    tx.prepare_cached(
        "UPDATE intent SET state = 'refused', ended_at = ?2, refusal = ?3, tries = tries + 1 WHERE id = ?1",
    )?
    .execute((id, Nanos(now), Word(reason)))?;
    ledger::end(tx, id, LedgerState::Released)
}

fn finish(tx: &Tx<'_>, id: i64, at: Timestamp) -> Result<(), Stop> {
    tx.prepare_cached("UPDATE intent SET state = 'done', ended_at = ?2 WHERE id = ?1")?
        .execute((id, Nanos(at)))?;
    ledger::end(tx, id, LedgerState::Settled)
}

fn open_id(tx: &Tx<'_>, held: &Held<'_>, key: &str) -> Result<i64, Stop> {
    tx.prepare_cached("SELECT id FROM intent WHERE repo = ?1 AND key = ?2 AND state = 'open'")?
        .query_row((held.repo.as_str(), key), |row| row.get(0))
        .optional()?
        .ok_or_else(|| StoreError::Missing("open intent").into())
}

fn find(db: &Connection, repo: &RepoName, key: &str) -> Result<Option<(i64, Intent)>, Stop> {
    Ok(db
        .prepare_cached(select!("WHERE repo = ?1 AND key = ?2"))?
        .query_row((repo.as_str(), key), |row| Ok((row.get(0)?, read(row, repo)?)))
        .optional()?)
}

/// One intent.
pub(crate) fn by_key(db: &Connection, repo: &RepoName, key: &str) -> Result<Option<Intent>, Stop> {
    Ok(find(db, repo, key)?.map(|(_, intent)| intent))
}

/// Open ones, oldest first.
pub(crate) fn open(db: &Connection, repo: &RepoName) -> Result<Vec<Intent>, Stop> {
    let mut query = db.prepare_cached(select!("WHERE repo = ?1 AND state = 'open' ORDER BY id"))?;
    let rows = query.query_map([repo.as_str()], |row| read(row, repo))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Those about one issue or pull request, oldest first.
pub(crate) fn about(db: &Connection, repo: &RepoName, subject: Number) -> Result<Vec<Intent>, Stop> {
    let mut query = db.prepare_cached(select!("WHERE repo = ?1 AND subject = ?2 ORDER BY id"))?;
    let rows = query.query_map((repo.as_str(), subject.0), |row| read(row, repo))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// All of a repository, oldest first.
pub(crate) fn of(db: &Connection, repo: &RepoName) -> Result<Vec<Intent>, Stop> {
    let mut query = db.prepare_cached(select!("WHERE repo = ?1 ORDER BY id"))?;
    let rows = query.query_map([repo.as_str()], |row| read(row, repo))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>, repo: &RepoName) -> rusqlite::Result<Intent> {
    let ended_at: Option<Nanos> = row.get(7)?;
    let refusal: Option<Word<Refusal>> = row.get(8)?;
    let state = match (row.get_ref(6)?.as_str()?, ended_at, refusal) {
        ("open", None, None) => IntentState::Open,
        ("done", Some(Nanos(at)), None) => IntentState::Done { at },
        ("refused", Some(Nanos(at)), Some(Word(reason))) => {
            IntentState::Refused { reason, at, tries: row.get(9)? }
        }
        // The table's CHECK constraints leave nothing else.
        _ => return Err(rusqlite::Error::InvalidColumnType(6, "state".to_owned(), Type::Text)),
    };
    Ok(Intent {
        repo: repo.clone(),
        key: row.get(1)?,
        subject: Number(row.get(2)?),
        deed: row.get::<_, Json<_>>(3)?.0,
        created_at: row.get::<_, Nanos>(4)?.0,
        receipts: row.get::<_, Json<_>>(5)?.0,
        state,
    })
}
