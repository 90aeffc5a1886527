//! What the store's file survives: an older schema, a newer one, damage, a full disk, two processes at once.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use banksman_core::{
    id::{AttemptId, JobId, Number, Token},
    intent::IntentState,
    job::{Held, JobState, Outcome},
    policy::{Action, Decision},
    port::{DecisionRecord, Intended, Queue, Refusal, Store, StoreError, TaskFilter},
    signals::{CheckState, Signals},
    text::Holder,
    work::{FailReason, SandboxLevel},
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
    path::{Path, PathBuf},
};
use tempfile::TempDir;

fn file() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.db");
    (dir, path)
}

/// Makes the file that the first version of the program left behind.
fn version_1(path: &Path) {
    let old = Connection::open(path).unwrap();
    old.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = OFF").unwrap();
    old.execute_batch(STORE.migrations[0]).unwrap();
    old.execute_batch(include_str!("data/store_version_1.sql")).unwrap();
    old.pragma_update(None, "application_id", STORE.id).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
}

#[tokio::test]
async fn a_file_of_version_1_opens_with_all_its_rows() {
    let (_dir, path) = file();
    version_1(&path);
    let store = SqliteStore::open(&path).unwrap();
    let repo = repo();
    assert_eq!(store.repos().await.unwrap(), std::slice::from_ref(&repo));
    let intents = store.intents(&repo).await.unwrap();
    assert_eq!(intents.len(), 3);
    assert_eq!((intents[0].receipts.len(), &intents[0].state), (1, &IntentState::Done { at: at(2) }));
    let refused = IntentState::Refused { reason: Refusal::NotAllowed, at: at(4), tries: 2 };
    assert_eq!((&intents[1].state, &intents[2].state), (&refused, &IntentState::Open));
    assert_eq!(store.ledger(&repo).await.unwrap().len(), 1);
    let seen = Signals { head_at: at(0), ..signals(7, 1, CheckState::Passing) };
    assert_eq!(store.last_signals(&repo, Number(7)).await.unwrap(), Some(seen));
    assert_eq!(store.heads(&repo, Number(7)).await.unwrap()[0].green_at, Some(at(10)));
    assert_eq!(store.pulls_without_outcome(&repo).await.unwrap(), [Number(7)]);
    assert_eq!(store.outcomes(&repo).await.unwrap()[0].resolution_hours, 2.5);
    assert_eq!(store.journal(&repo).await.unwrap()[0].child, Number(4));
    assert_eq!(store.plans(&repo).await.unwrap()[0].key, "audit:1");
    assert_eq!(store.epics(&repo).await.unwrap()[0].number, Number(1));
    let lease = store.lease(&repo, &holder(2), at(60), TTL).await.unwrap().unwrap();
    assert_eq!(lease.token.0, 4);
    assert!(matches!(store.intend(&lease, &dispatch(1), None).await, Ok(Intended::New(_))));
}

#[tokio::test]
async fn work_items_of_version_1_are_jobs_with_the_same_ids() {
    let (_dir, path) = file();
    version_1(&path);
    let store = SqliteStore::open(&path).unwrap();
    let jobs = store.tasks(&TaskFilter::Repo(repo())).await.unwrap();
    assert_eq!(jobs.iter().map(|j| j.id.0).collect::<Vec<_>>(), [1, 3, 4, 5, 6, 7]);
    assert_eq!((jobs[0].failures, jobs[0].losses, jobs[0].name.as_str()), (1, 2, "implement-4"));
    let held = Held { attempt: AttemptId(2), holder: holder(1), token: Token(1), until: at(90) };
    let states = [
        JobState::Waiting { not_before: at(5) },
        JobState::Inbox { not_before: at(0) },
        JobState::Building(held),
        JobState::Shipped {
            at: at(40),
            outcome: Outcome::Published { branch: branch("agent/child-6"), sha: sha(9) },
        },
        JobState::Failed { at: at(41), reason: FailReason::NoCommit },
        JobState::Cancelled { at: at(42) },
    ];
    assert_eq!(jobs.iter().map(|j| j.state.clone()).collect::<Vec<_>>(), states);
    for job in &jobs {
        // The way of each is one that a job can go.
        let moves = store.moves(job.id).await.unwrap();
        assert!(moves.windows(2).all(|pair| pair[1].from == Some(pair[0].to)), "{moves:?}");
        assert_eq!(moves.last().unwrap().to, job.state.stage());
    }
    let attempt = &store.attempts(jobs[0].id).await.unwrap()[0];
    assert_eq!((attempt.attempt, attempt.failure), (AttemptId(1), Some(FailReason::NoCommit)));
    assert_eq!(attempt.measured.sandbox, Some(SandboxLevel::Bubblewrap));
    assert_eq!((attempt.measured.usage.tokens_in, &attempt.engine), (Some(12), &engine("claude")));
    assert_eq!(store.attempts(jobs[4].id).await.unwrap().len(), 2);

    // What ran goes on with its old claim, what waited is claimed, the same task is not made twice.
    let claim = store.claims().await.unwrap().remove(0);
    assert_eq!((claim.job.id, &claim.engine, claim.since), (JobId(4), &engine("codex"), at(3)));
    store.renew(&claim, at(60), TTL).await.unwrap();
    ship(&store, &claim, at(61)).await;
    assert_eq!(claim_id(&store, 2, &offer(), at(62)).await, Some(JobId(1)));
    assert_eq!(claim_id(&store, 2, &offer(), at(62)).await, Some(JobId(3)));
    assert_eq!(claim_id(&store, 2, &offer(), at(62)).await, None);
    let lease = store.lease(&repo(), &holder(2), at(60), TTL).await.unwrap().unwrap();
    assert_eq!(store.enqueue(&lease, &implement(4, "claude")).await.unwrap(), JobId(1));
    assert_eq!(store.enqueue_again(&lease, JobId(6), at(63)).await.unwrap(), JobId(8));
    let broken: Vec<String> = foreign_key_check(&path);
    assert!(broken.is_empty(), "{broken:?}");
}

/// Rows whose reference leads nowhere.
fn foreign_key_check(path: &Path) -> Vec<String> {
    let db = Connection::open(path).unwrap();
    let mut query = db.prepare("PRAGMA foreign_key_check").unwrap();
    query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
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
    let record =
        DecisionRecord { repo: &repo(), signals: &seen, decision: &decision, policy: "rules", at: at(6) };
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
                let claim = store.claim(&holder, &offer(), at(20), TTL).await.unwrap().unwrap();
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

#[test]
fn the_tables_refuse_what_the_states_do_not_have() {
    let (_dir, path) = file();
    version_1(&path);
    drop(SqliteStore::open(&path).unwrap());
    let db = Connection::open(&path).unwrap();
    for bad in [
        "UPDATE job SET stage = 'review', not_before = NULL WHERE id = 1",
        "UPDATE job SET stage = 'shipped', not_before = NULL WHERE id = 1",
        "UPDATE job SET stage = 'lost'",
        "UPDATE job SET attempt = 2 WHERE id = 1",
        "UPDATE job SET attempt = NULL WHERE id = 4",
        "UPDATE job SET not_before = 1 WHERE id = 4",
        "UPDATE job SET outcome = NULL WHERE id = 5",
        "UPDATE job SET reason = NULL WHERE id = 6",
        "UPDATE job SET reason = 'no_commit' WHERE id = 5",
        "UPDATE job SET ended_at = NULL WHERE id = 7",
        "UPDATE job SET waits_for = 1 WHERE id = 4",
        "UPDATE job SET priority = 4",
        "UPDATE job SET key = 'k'",
        "UPDATE job SET auto_echo = 1",
        "UPDATE lane SET class = 'shell'",
        "UPDATE move SET why = 'bored'",
        "UPDATE move SET why = 'failed' WHERE job = 5",
        "UPDATE move SET from_stage = NULL WHERE n = 2",
        "UPDATE claim SET lock = ''",
        "UPDATE intent SET state = 'done' WHERE id = 3",
        "UPDATE intent SET state = 'open' WHERE id = 1",
        "UPDATE intent SET refusal = 'conflict' WHERE id = 3",
        "UPDATE intent SET receipts = '{}'",
        "UPDATE ledger SET state = 'spent'",
        "UPDATE ledger SET cost = -1",
        "UPDATE outcome SET detail = 'fine'",
        "UPDATE attempt SET sandbox = 'none'",
        "UPDATE lease SET token = 0",
        "UPDATE plan SET plan = 'no json'",
        "UPDATE epic SET branch = NULL",
    ] {
        assert!(db.execute(bad, []).is_err(), "{bad}");
    }
}
