//! Engines that rest until their quota is there again (Q21).

use super::Stop;
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::text::EngineName;
use jiff::Timestamp;
use rusqlite::{Connection, params};

/// Lets an engine rest; of two times the later one holds.
pub(crate) fn set(tx: &Tx<'_>, engine: &EngineName, until: Timestamp) -> Result<(), Stop> {
    tx.prepare_cached(
        "INSERT INTO cooldown (engine, until) VALUES (?1, ?2)
         ON CONFLICT (engine) DO UPDATE SET until = max(until, excluded.until)",
    )?
    .execute(params![engine.as_str(), Nanos(until)])?;
    Ok(())
}

/// Those that rest after a moment, by name.
pub(crate) fn of(db: &Connection, now: Timestamp) -> Result<Vec<(EngineName, Timestamp)>, Stop> {
    let mut query =
        db.prepare_cached("SELECT engine, until FROM cooldown WHERE until > ?1 ORDER BY engine")?;
    let rows =
        query.query_map([Nanos(now)], |row| Ok((row.get::<_, Word<_>>(0)?.0, row.get::<_, Nanos>(1)?.0)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
