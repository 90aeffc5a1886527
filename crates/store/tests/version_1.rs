//! The file that the first version of the program left behind: it opens with all its rows, its work items are jobs, and its tables
//! refuse what the states do not have.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use banksman_core::{
    id::{AttemptId, JobId, Number, Token},
    intent::IntentState,
    job::{Held, JobState, Outcome},
    port::{Intended, Queue, Refusal, Store, TaskFilter, Training, training::PointQuery},
    signals::{CheckState, Signals},
    training::{Kind, ended},
    work::{FailReason, SandboxLevel},
};
use banksman_store::{
    STORE, SqliteStore,
    conformance::{job_samples::*, samples::*},
};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
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
    let ended = store.outcomes(&repo).await.unwrap().iter().map(ended).collect::<Vec<_>>();
    assert_eq!(store.points(&PointQuery::all(Kind::Outcome, 10)).await.unwrap(), ended);
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
        "UPDATE outcome_point SET detail = 'fine'",
        "UPDATE training_series SET repo = ''",
    ] {
        assert!(db.execute(bad, []).is_err(), "{bad}");
    }
}
