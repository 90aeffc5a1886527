//! What the store's file survives: a newer schema, damage, a full disk, two processes at once. (An older one: version_1.rs.)
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use banksman_core::{
    policy::{Action, Decision},
    port::{DecisionRecord, Intended, Queue, Store, StoreError},
    signals::CheckState,
    text::Holder,
};
use banksman_store::{
    STORE, SqliteStore,
    conformance::{job_samples::*, samples::*},
    sqlite::{Database, DbError, Durability},
};
use rusqlite::Connection;
use std::{
    fs::{self, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::PathBuf,
};
use tempfile::TempDir;

fn file() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.db");
    (dir, path)
}

#[test]
fn a_file_of_a_later_version_is_refused() {
    let (_dir, path) = file();
    drop(SqliteStore::open(&path).unwrap());
    let later = STORE.migrations.len() as u32 + 1;
    Connection::open(&path).unwrap().pragma_update(None, "user_version", later).unwrap();
    let error = SqliteStore::open(&path).err().unwrap();
    assert!(matches!(error, DbError::Newer { .. }));
    assert_eq!(
        error.to_string(),
        format!(
            "the store database has schema version {later}, this program knows {}: install a newer version",
            later - 1
        )
    );
}

#[test]
fn a_file_without_its_head_is_refused() {
    let (_dir, path) = file();
    drop(SqliteStore::open(&path).unwrap());
    let mut bytes = fs::read(&path).unwrap();
    bytes[..16].copy_from_slice(b"something else!!");
    fs::write(&path, bytes).unwrap();
    let error = SqliteStore::open(&path).err().unwrap();
    assert!(matches!(error, DbError::Damaged(_)), "{error}");
    assert!(error.to_string().contains("restore it from a copy"), "{error}");
}

#[tokio::test]
async fn a_damaged_page_is_an_error_and_not_a_wrong_answer() {
    let (_dir, path) = file();
    let store = SqliteStore::open(&path).unwrap();
    let held = lease(&store).await;
    for child in 1..=50 {
        store.intend(&held, &dispatch(child), None).await.unwrap();
    }
    drop(store);
    let root: u64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'intent'", [], |row| row.get(0))
        .unwrap();
    let mut bytes = OpenOptions::new().write(true).open(&path).unwrap();
    bytes.seek(SeekFrom::Start((root - 1) * 4096)).unwrap();
    bytes.write_all(&[0xa5; 512]).unwrap();
    drop(bytes);
    let store = SqliteStore::open(&path).unwrap();
    let error = store.intents(&repo()).await.unwrap_err();
    let StoreError::Failed(message) = &error else { panic!("{error:?}") };
    assert!(message.contains("damaged"), "{message}");
    let error = store.intend(&held, &dispatch(99), None).await.unwrap_err();
    assert!(matches!(error, StoreError::Failed(_)), "{error:?}");
}

#[tokio::test]
async fn a_full_disk_refuses_and_leaves_nothing_half_written() {
    let (_dir, path) = file();
    let db = Database::open(&path, &STORE).unwrap();
    let store = SqliteStore::over(db.clone());
    let held = lease(&store).await;
    room(&db, 40).await;
    let (mut written, mut full) = (Vec::new(), 0);
    for child in 1..=400 {
        match store.intend(&held, &dispatch(child), Some(&spend(None))).await {
            Ok(_) => written.push(child),
            Err(error) => {
                assert_eq!(error, StoreError::Full);
                full += 1;
            }
        }
    }
    assert!(written.len() > 10 && full > 10, "{} written, {full} refused", written.len());
    // A write that fails in a group does not take its neighbours with it, nor half of itself into the file.
    let intents: Vec<u64> = store.intents(&repo()).await.unwrap().iter().map(|i| i.subject.0).collect();
    let ledger: Vec<u64> = store.ledger(&repo()).await.unwrap().iter().map(|e| e.issue.0).collect();
    assert_eq!(intents, written);
    assert_eq!(ledger, written);
    room(&db, 100_000).await;
    assert!(matches!(store.intend(&held, &dispatch(1_000), None).await, Ok(Intended::New(_))));
    drop((store, db));
    let check: String =
        Connection::open(&path).unwrap().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

/// Sets the number of pages that the file may have, on the writer's own connection.
async fn room(db: &Database, pages: i64) {
    db.write(Durability::Restartable, move |tx| {
        Ok::<_, DbError>(tx.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?)
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_repetition_costs_one_small_row_and_decisions_are_complete() {
    let (_dir, path) = file();
    let store = SqliteStore::open(&path).unwrap();
    let held = lease(&store).await;
    let seen = signals(7, 1, CheckState::Pending);
    for second in 1..=5 {
        observe(&store, &held, &seen, at(second)).await;
    }
    let decision = Decision { row: 15, action: Action::Merge { head: sha(1) } };
    let record = DecisionRecord {
        repo: &repo(),
        signals: &seen,
        decision: &decision,
        policy: "rules",
        at: at(6),
        points: &[],
    };
    store.observe(&held, &record).await.unwrap();

    let db = Connection::open(&path).unwrap();
    let count = |table: &str| -> i64 {
        db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("snapshot"), count("observation")), (2, 6));
    let decisions: Vec<(i64, String, String)> = db
        .prepare("SELECT rule, action, policy FROM snapshot ORDER BY id")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(
        decisions[0],
        (14, r#"{"action":"wait","reason":"checks_pending"}"#.to_owned(), "rules".to_owned())
    );
    assert_eq!(serde_json::from_str::<Action>(&decisions[1].1).unwrap(), decision.action);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_file_do_not_pass_the_cap_nor_share_a_job() {
    let (_dir, path) = file();
    // Two databases share nothing but the file, as two processes do.
    let stores = [SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap()];
    let held = lease(&stores[0]).await;
    for child in 1..=20 {
        stores[0].enqueue(&held, &implement(child, "claude")).await.unwrap();
    }
    let tasks: Vec<_> = (0..16)
        .map(|n: u64| {
            let (store, held) = (stores[n as usize % 2].clone(), held.clone());
            tokio::spawn(async move {
                let spent = store.intend(&held, &dispatch(n + 1), Some(&spend(Some(5)))).await.unwrap();
                let holder = Holder::new(&format!("host:{n}:1")).unwrap();
                let claim = store.claim(&holder, &offer(), at(20), TTL).await.unwrap().unwrap().claim;
                (matches!(spent, Intended::New(_)), claim.job.id)
            })
        })
        .collect();
    let (mut spent, mut claimed) = (0, Vec::new());
    for task in tasks {
        let (new, id) = task.await.unwrap();
        spent += u32::from(new);
        claimed.push(id);
    }
    assert_eq!(spent, 5);
    claimed.sort_unstable();
    claimed.dedup();
    assert_eq!(claimed.len(), 16);
}
