//! What the database thread promises: groups, undoing, durability, readers, wake-up, migrations, damage.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use banksman_store::sqlite::{Changes, Database, DbError, Durability, Schema, Tx};
use rusqlite::Connection;
use std::{os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};
use tokio::time::timeout;

const SCHEMA: Schema = Schema {
    name: "test",
    id: 77,
    migrations: &["CREATE TABLE thing (id INTEGER PRIMARY KEY, n INTEGER CHECK (n >= 0)) STRICT;"],
};

async fn add(db: &Database, n: i64) -> Result<i64, DbError> {
    db.write(Durability::Acknowledged, move |tx| {
        Ok(tx.prepare_cached("INSERT INTO thing (n) VALUES (?1)")?.insert([n])?)
    })
    .await
}

async fn count(db: &Database) -> i64 {
    db.read(|db| Ok::<_, DbError>(db.query_row("SELECT count(*) FROM thing", [], |r| r.get(0))?))
        .await
        .unwrap()
}

/// Writes two rows for most numbers; panics for some and fails after the first row for others.
fn two_rows(n: i64) -> impl Fn(&Tx<'_>) -> Result<(), DbError> + Send + 'static {
    move |tx| {
        tx.execute("INSERT INTO thing (n) VALUES (?1)", [n])?;
        assert!(n % 5 != 0, "a panic of one closure");
        tx.execute("INSERT INTO thing (n) VALUES (?1)", [if n % 4 == 0 { -1 } else { n }])?;
        Ok(())
    }
}

#[tokio::test]
async fn a_failed_write_undoes_itself_and_not_its_neighbours() {
    let dir = tempfile::tempdir().unwrap();
    let db = Database::open(&dir.path().join("a.db"), &SCHEMA).unwrap();
    for round in 1..=2 {
        let writes: Vec<_> = (0..40)
            .map(|n| {
                let db = db.clone();
                tokio::spawn(async move {
                    if round == 1 {
                        db.write(Durability::Acknowledged, two_rows(n)).await
                    } else {
                        db.write_repeatable(Durability::Acknowledged, two_rows(n)).await
                    }
                })
            })
            .collect();
        let mut good = 0;
        for write in writes {
            good += i64::from(write.await.unwrap().is_ok());
        }
        assert_eq!(good, 24);
        assert_eq!(count(&db).await, round * 2 * good);
    }
    // Alone, too.
    assert!(db.write(Durability::Acknowledged, two_rows(4)).await.is_err());
    assert!(db.write_repeatable(Durability::Acknowledged, two_rows(4)).await.is_err());
    assert!(db.write_repeatable(Durability::Acknowledged, two_rows(5)).await.is_err());
    assert_eq!(count(&db).await, 96);
}

#[tokio::test]
async fn a_read_sees_every_write_that_was_answered() {
    let dir = tempfile::tempdir().unwrap();
    let db = Database::open(&dir.path().join("a.db"), &SCHEMA).unwrap();
    for n in 1..=50 {
        add(&db, n).await.unwrap();
        assert_eq!(count(&db).await, n);
    }
}

#[tokio::test]
async fn a_write_is_carried_out_although_its_caller_went_away() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let db = Database::open(&path, &SCHEMA).unwrap();
    {
        let write = add(&db, 1);
        tokio::pin!(write);
        // One poll hands it over; then the caller is gone.
        let _ = poll_once(write).await;
    }
    drop(db);
    let db = Database::open(&path, &SCHEMA).unwrap();
    assert_eq!(count(&db).await, 1);
    assert!(!dir.path().join("a.db-wal").metadata().is_ok_and(|m| m.len() > 1 << 20));
}

/// Polls a future once.
async fn poll_once<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
    std::future::poll_fn(|cx| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut future).poll(cx) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn a_commit_wakes_the_waiter_and_a_quiet_one_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let db = Database::open(&dir.path().join("a.db"), &SCHEMA).unwrap();
    add(&db, 1).await.unwrap();
    let mut changes = db.changes();
    assert!(poll_once(Box::pin(changes.next())).await.is_none(), "that was before");
    add(&db, 1).await.unwrap();
    timeout(Duration::from_secs(5), changes.next()).await.unwrap();
    db.write(Durability::Restartable, |tx| {
        tx.quiet();
        tx.execute("INSERT INTO thing (n) VALUES (1)", [])?;
        Ok::<_, DbError>(())
    })
    .await
    .unwrap();
    assert!(poll_once(Box::pin(changes.next())).await.is_none());
}

#[tokio::test]
async fn a_commit_of_another_process_wakes_the_waiter() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let db = Database::open(&path, &SCHEMA).unwrap();
    let mut changes = db.changes();
    // To the writer another connection is as good as another process.
    let other = Database::open(&path, &SCHEMA).unwrap();
    add(&other, 1).await.unwrap();
    timeout(Duration::from_secs(5), changes.next()).await.unwrap();
    assert_eq!(count(&db).await, 1);
}

#[tokio::test]
async fn the_commits_of_another_process_are_heard_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let db = Database::open(&path, &SCHEMA).unwrap();
    let other = Database::open(&path, &SCHEMA).unwrap();
    let mut waiters = [db.changes(), db.changes()];
    // Looking alone would take a second a round.
    timeout(Duration::from_secs(20), async {
        for n in 0..100 {
            let heard = async |changes: &mut Changes| changes.next().await;
            let [first, second] = &mut waiters;
            let (_, (), ()) = tokio::join!(add(&other, n), heard(first), heard(second));
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn only_the_living_and_the_owner_are_rung_at() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let bell = dir.path().join("a.db-bell");
    let db = Database::open(&path, &SCHEMA).unwrap();
    add(&db, 1).await.unwrap();
    assert!(!bell.exists(), "nobody waits");
    let mut changes = db.changes();
    assert!(poll_once(Box::pin(changes.next())).await.is_none());
    assert_eq!(std::fs::metadata(&bell).unwrap().permissions().mode() & 0o777, 0o700);
    // What a killed process leaves behind.
    let stale = bell.join("12345678-0");
    drop(std::os::unix::net::UnixDatagram::bind(&stale).unwrap());
    let other = Database::open(&path, &SCHEMA).unwrap();
    add(&other, 1).await.unwrap();
    assert!(!stale.exists());
    assert_eq!(std::fs::read_dir(&bell).unwrap().count(), 1);
    drop(changes);
    assert_eq!(std::fs::read_dir(&bell).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_may_open_the_same_new_file_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path: Arc<Path> = dir.path().join("a.db").into();
    let opened: Vec<_> = (0..8)
        .map(|_| {
            let path = Arc::clone(&path);
            tokio::task::spawn_blocking(move || Database::open(&path, &SCHEMA).unwrap())
        })
        .collect();
    let mut all = Vec::new();
    for db in opened {
        all.push(db.await.unwrap());
    }
    let writes: Vec<_> = all
        .iter()
        .cloned()
        .map(|db| {
            tokio::spawn(async move {
                for n in 0..10 {
                    add(&db, n).await.unwrap();
                }
            })
        })
        .collect();
    for write in writes {
        write.await.unwrap();
    }
    assert_eq!(count(&all[0]).await, 80);
}

#[test]
fn a_file_of_a_later_version_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    drop(Database::open(&path, &SCHEMA).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 9).unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = Database::open(&path, &SCHEMA).err().unwrap();
    assert!(matches!(error, DbError::Newer { found: 9, known: 1, .. }), "{error}");
    assert!(error.to_string().contains("install a newer version"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_of_somebody_else_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x);").unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(Database::open(&path, &SCHEMA), Err(DbError::Foreign("test"))));
    assert_eq!(std::fs::read(&path).unwrap(), before);

    let path = dir.path().join("text");
    std::fs::write(&path, "this is not a database at all, but long enough to have been one".repeat(100))
        .unwrap();
    let error = Database::open(&path, &SCHEMA).err().unwrap();
    assert!(matches!(error, DbError::Damaged(_)), "{error}");
}

#[tokio::test]
async fn a_later_migration_keeps_the_rows_of_an_earlier_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let db = Database::open(&path, &SCHEMA).unwrap();
    add(&db, 5).await.unwrap();
    drop(db);
    const TWO: Schema = Schema {
        migrations: &[SCHEMA.migrations[0], "ALTER TABLE thing ADD COLUMN more INTEGER NOT NULL DEFAULT 3;"],
        ..SCHEMA
    };
    let db = Database::open(&path, &TWO).unwrap();
    let row: (i64, i64) = db
        .read(|db| {
            Ok::<_, DbError>(db.query_row("SELECT n, more FROM thing", [], |r| Ok((r.get(0)?, r.get(1)?)))?)
        })
        .await
        .unwrap();
    assert_eq!(row, (5, 3));
}

#[tokio::test]
async fn a_migration_that_fails_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    drop(Database::open(&path, &SCHEMA).unwrap());
    const BAD: Schema = Schema {
        migrations: &[
            SCHEMA.migrations[0],
            "ALTER TABLE thing ADD COLUMN more INTEGER; SELECT nothing FROM nowhere;",
        ],
        ..SCHEMA
    };
    assert!(Database::open(&path, &BAD).is_err());
    let db = Database::open(&path, &SCHEMA).unwrap();
    add(&db, 1).await.unwrap();
}

#[tokio::test]
async fn an_acknowledged_write_is_flushed_and_a_restartable_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let db = Database::open(&dir.path().join("a.db"), &SCHEMA).unwrap();
    // FULL is 2, NORMAL is 1.
    for (durability, expected) in
        [(Durability::Restartable, 1), (Durability::Acknowledged, 2), (Durability::Restartable, 1)]
    {
        let synchronous: i64 = db
            .write(durability, |tx| {
                Ok::<_, DbError>(tx.pragma_query_value(None, "synchronous", |row| row.get(0))?)
            })
            .await
            .unwrap();
        assert_eq!(synchronous, expected, "{durability:?}");
    }
}
