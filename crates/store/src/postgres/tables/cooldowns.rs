//! Engines that rest because their quota is used up (Q21).

use crate::postgres::{
    columns::{Columns, nanos},
    error::Stop,
    link::{Link, Tx},
};
use banksman_core::text::EngineName;
use jiff::Timestamp;

/// Lets an engine rest; of two times the later one holds, so that twice is the same as once.
pub(in crate::postgres) async fn rest(
    tx: &Tx<'_>,
    engine: &EngineName,
    until: Timestamp,
) -> Result<(), Stop> {
    tx.run(
        "INSERT INTO cooldown (engine, until) VALUES ($1, $2)
         ON CONFLICT (engine) DO UPDATE SET until = greatest(cooldown.until, excluded.until)",
        &[&engine.as_str(), &nanos(until)],
    )
    .await?;
    Ok(())
}

/// Engines that rest after `now`, ascending by name.
pub(in crate::postgres) async fn after(
    db: &Link,
    now: Timestamp,
) -> Result<Vec<(EngineName, Timestamp)>, Stop> {
    let rows = db
        .rows("SELECT engine, until FROM cooldown WHERE until > $1 ORDER BY engine", &[&nanos(now)])
        .await?;
    rows.iter().map(|row| Ok((row.word(0, "cooldown.engine")?, row.time(1)?))).collect()
}
