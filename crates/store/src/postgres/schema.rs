//! Brings the schema up to date. Migrations only go forward; a newer schema is refused; many processes may come at once: the first
//! one migrates while the others wait.

use super::{
    address::Address,
    error::{PgError, Stop},
    link::{Durability, Link, Tx},
};

/// Embedded SQL, oldest first; each is applied once. Never edit one that was released.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/postgres/0001.sql"),
    include_str!("../../migrations/postgres/0003.sql"),
    include_str!("../../migrations/postgres/0004.sql"),
];

/// Number of the advisory lock under which a schema is migrated; the schema's name is the other half.
const MIGRATING: i32 = 0x626b_7331;

/// Migrates, in one transaction.
pub(super) async fn migrate(link: &Link, address: &Address) -> Result<(), PgError> {
    // Read first: whoever only uses the schema needs no right to change it.
    let migrated = async {
        if version(link, address.schema()).await? == known() {
            return Ok(known());
        }
        let tx = link.begin(Durability::Acknowledged).await?;
        let found = apply(&tx, address.schema()).await?;
        tx.commit().await?;
        Ok(found)
    };
    match migrated.await {
        Ok(found) if found > known() => {
            Err(PgError::Newer { schema: address.schema().to_owned(), found, known: known() })
        }
        Ok(_) => Ok(()),
        Err(Stop::Failed(what)) => Err(PgError::Sql(what)),
        Err(_) => Err(PgError::Unreachable {
            place: address.place(),
            reason: "the connection was lost while the schema was made".to_owned(),
        }),
    }
}

fn known() -> i32 {
    i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX)
}

/// The version that was found, or the newest one when it was older.
async fn apply(tx: &Tx<'_>, schema: &str) -> Result<i32, Stop> {
    tx.run("SELECT pg_advisory_xact_lock($1, hashtext($2))", &[&MIGRATING, &schema]).await?;
    let found = version(tx, schema).await?;
    if found >= known() {
        return Ok(found);
    }
    if found == 0 {
        if !exists(tx, schema).await? {
            // The name is a plain one: see `Address`.
            tx.batch(&format!("CREATE SCHEMA {schema}")).await?;
        }
        tx.batch("CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)").await?;
        tx.batch("INSERT INTO schema_version VALUES (0)").await?;
    }
    let done = usize::try_from(found).unwrap_or_default();
    for sql in MIGRATIONS.iter().skip(done) {
        tx.batch(sql).await?;
    }
    tx.run("UPDATE schema_version SET version = $1", &[&known()]).await?;
    Ok(known())
}

async fn exists(link: &Link, schema: &str) -> Result<bool, Stop> {
    let row = link.maybe("SELECT 1 FROM pg_namespace WHERE nspname = $1", &[&schema]).await?;
    Ok(row.is_some())
}

/// 0: the schema is not there yet.
async fn version(link: &Link, schema: &str) -> Result<i32, Stop> {
    let table = link
        .maybe(
            "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = $1 AND c.relname = 'schema_version'",
            &[&schema],
        )
        .await?;
    if table.is_none() {
        return Ok(0);
    }
    let row = link.maybe("SELECT version FROM schema_version", &[]).await?;
    Ok(match row {
        Some(row) => row.try_get(0)?,
        None => 0,
    })
}
