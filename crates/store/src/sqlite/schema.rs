//! Opens a file and brings its schema up to date. Migrations only go forward; a file from the future is refused; several
//! processes may come at once.

use super::DbError;
use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};
use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt, path::Path, thread, time::Duration};

/// How often a connection tries again while another process writes before it gives up: for about ten seconds.
const TRIES: i32 = 6_400;
/// How often the switch to the write-ahead log is tried, 5 ms apart: SQLite does not wait there by itself.
const LOG_TRIES: u32 = 400;

/// A schema: its name, its number and its history.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// What the database is called in error messages.
    pub name: &'static str,
    /// SQLite's `application_id`; not 0. A file with another one is refused.
    pub id: i32,
    /// Embedded SQL, oldest first; each is applied once, in a transaction of its own. Never edit one that was released.
    pub migrations: &'static [&'static str],
}

/// Opens the one connection that writes, with the schema up to date.
pub(super) fn open_writer(path: &Path, schema: &Schema) -> Result<Connection, DbError> {
    keep_private(path);
    let mut db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    be_patient(&mut db)?;
    refuse_foreign(&db, schema)?;
    use_log(&db)?;
    db.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;")?;
    migrate(&mut db, schema)?;
    keep_plans(&db)?;
    db.execute_batch(
        "PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;
         PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -8000;",
    )?;
    db.set_prepared_statement_cache_capacity(256);
    Ok(db)
}

/// Makes a new file readable by its owner alone, whatever folder it is in: jobs are private. SQLite gives the files beside it the same
/// mode, and says itself what is wrong where this fails.
fn keep_private(path: &Path) {
    let _ = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
}

/// Opens a connection that can only read.
pub(super) fn open_reader(path: &Path) -> Result<Connection, DbError> {
    let mut db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    be_patient(&mut db)?;
    keep_plans(&db)?;
    db.execute_batch("PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;")?;
    db.set_prepared_statement_cache_capacity(128);
    Ok(db)
}

/// Waits for another process: a little while at first, because its writes last less than a millisecond unless they are flushed.
/// (SQLite's own way begins with a millisecond and soon sleeps for a tenth of a second.)
fn be_patient(db: &mut Connection) -> rusqlite::Result<()> {
    db.busy_handler(Some(|tries: i32| {
        thread::sleep(Duration::from_micros(50 << tries.clamp(0, 5)));
        tries < TRIES
    }))
}

/// Without this a statement on a table with a partial index is planned anew each time that other values are bound to it, which
/// costs more than running it.
fn keep_plans(db: &Connection) -> rusqlite::Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(|_| ())
}

/// Looks before anything is written: a file of somebody else must stay as it is.
fn refuse_foreign(db: &Connection, schema: &Schema) -> Result<(), DbError> {
    // One snapshot: another process may be making the tables between the two looks.
    let snapshot = db.unchecked_transaction()?;
    let id: i32 = snapshot.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: u32 = snapshot.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if id == schema.id || (id == 0 && tables == 0) { Ok(()) } else { Err(DbError::Foreign(schema.name)) }
}

fn use_log(db: &Connection) -> Result<(), DbError> {
    for _ in 0..LOG_TRIES {
        match db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0)) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => return Err(DbError::NoLog),
            // Two processes that create the same file at once: one of them is turned away without waiting.
            Err(e) if e.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                thread::sleep(Duration::from_millis(5));
            }
            Err(e) => return Err(e.into()),
        }
    }
    Err(DbError::NoLog)
}

fn migrate(db: &mut Connection, schema: &Schema) -> Result<(), DbError> {
    let known = u32::try_from(schema.migrations.len()).unwrap_or(u32::MAX);
    loop {
        let found = version(db)?;
        if found > known {
            return Err(DbError::Newer { name: schema.name, found, known });
        }
        if found == known {
            return Ok(());
        }
        let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        // Another process may have done it while this one waited for the lock.
        if version(&tx)? == found {
            if let Some(sql) = schema.migrations.get(found as usize) {
                tx.execute_batch(sql)?;
            }
            tx.pragma_update(None, "application_id", schema.id)?;
            tx.pragma_update(None, "user_version", found + 1)?;
            tx.commit()?;
        }
    }
}

fn version(db: &Connection) -> Result<u32, DbError> {
    Ok(db.pragma_query_value(None, "user_version", |row| row.get(0))?)
}
