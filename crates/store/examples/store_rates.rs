//! How fast intents with their records are written, beside a bare loop over SQLite with the same durability in the same run.
//!
//!     cargo run --release -p banksman-store --features conformance --example store_rates [FOLDER]
#![expect(clippy::unwrap_used, reason = "a measurement ends with the first failure")]

use banksman_core::port::{Lease, Store};
use banksman_store::{STORE, SqliteStore, conformance::samples::*};
use rusqlite::Connection;
use std::{
    env,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Repetitions of each measurement.
const RUNS: usize = 7;
/// Intents in one repetition.
const INTENTS: u64 = 240;
/// Intents that one child costs.
const PER_CHILD: f64 = 7.0;

fn main() {
    let folder = env::args_os().nth(1).map_or_else(env::temp_dir, PathBuf::from);
    let dir = tempfile::Builder::new().prefix("store-rates").tempdir_in(folder).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!("intend + record(done), both acknowledged; {INTENTS} intents, {RUNS} runs");
    println!("{:<28} {:>9} {:>19} {:>11} {:>11}", "", "median/s", "spread/s", "ms/intent", "ms/child");

    let bare = measure(|run| bare_loop(&dir.path().join(format!("bare-{run}.db"))));
    print_row("bare loop, 1 caller", &bare);
    for callers in [1, 8, 32] {
        let rates = measure(|run| {
            let store = SqliteStore::open(&dir.path().join(format!("store-{callers}-{run}.db"))).unwrap();
            runtime.block_on(through_the_store(&store, callers))
        });
        print_row(&format!("store, {callers} callers at once"), &rates);
    }
    let looks = measure(|run| {
        let store = SqliteStore::open(&dir.path().join(format!("looks-{run}.db"))).unwrap();
        runtime.block_on(looks(&store))
    });
    print_row("observe a repetition", &looks);
    let reads = measure(|run| {
        let store = SqliteStore::open(&dir.path().join(format!("reads-{run}.db"))).unwrap();
        runtime.block_on(reads(&store))
    });
    print_row("read the intents of a child", &reads);
}

/// Runs in a row, as intents per second, ascending.
fn measure(mut run: impl FnMut(usize) -> Duration) -> Vec<f64> {
    let mut rates: Vec<f64> = (0..RUNS).map(|n| INTENTS as f64 / run(n).as_secs_f64()).collect();
    rates.sort_by(f64::total_cmp);
    rates
}

fn print_row(what: &str, rates: &[f64]) {
    let (median, low, high) = (rates[rates.len() / 2], rates[0], rates[rates.len() - 1]);
    let spread = format!("{low:.0} to {high:.0}");
    let ms = 1000.0 / median;
    println!("{what:<28} {median:>9.0} {spread:>19} {ms:>11.3} {:>11.2}", ms * PER_CHILD);
}

/// What SQLite itself needs for the same two rows, each in a transaction of its own.
fn bare_loop(path: &Path) -> Duration {
    let db = Connection::open(path).unwrap();
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;").unwrap();
    for migration in STORE.migrations {
        db.execute_batch(migration).unwrap();
    }
    db.execute("INSERT INTO lease VALUES ('local/shop', 'host:1:1', 1, 0)", []).unwrap();
    let deed = serde_json::to_string(&dispatch(1).deed).unwrap();
    let receipt = serde_json::to_string(&receipt(1)).unwrap();
    let mut insert = db
        .prepare(
            "INSERT INTO intent (repo, key, subject, deed, created_at) VALUES ('local/shop', ?1, ?2, ?3, 0)",
        )
        .unwrap();
    let mut update = db
        .prepare("UPDATE intent SET receipts = '[' || ?2 || ']', state = 'done', ended_at = 1 WHERE id = ?1")
        .unwrap();
    let start = Instant::now();
    for n in 0..INTENTS {
        let id = insert.insert((format!("dispatch:{n}"), n, &deed)).unwrap();
        update.execute((id, &receipt)).unwrap();
    }
    start.elapsed()
}

async fn through_the_store(store: &SqliteStore, callers: u64) -> Duration {
    let held = lease(store).await;
    let start = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| tokio::spawn(write(store.clone(), held.clone(), caller, callers)))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    start.elapsed()
}

async fn write(store: SqliteStore, held: Lease, caller: u64, callers: u64) {
    for child in (1..=INTENTS).skip(caller as usize).step_by(callers as usize) {
        let intent = dispatch(child);
        store.intend(&held, &intent, None).await.unwrap();
        store.record(&held, &intent.key, &receipt(1), true).await.unwrap();
    }
}

async fn looks(store: &SqliteStore) -> Duration {
    let held = lease(store).await;
    let seen = signals(7, 1, banksman_core::signals::CheckState::Pending);
    let start = Instant::now();
    for second in 0..INTENTS {
        observe(store, &held, &seen, at(second as i64)).await;
    }
    start.elapsed()
}

async fn reads(store: &SqliteStore) -> Duration {
    let held = lease(store).await;
    for child in 1..=INTENTS {
        store.intend(&held, &dispatch(child), None).await.unwrap();
    }
    let start = Instant::now();
    for child in 1..=INTENTS {
        assert_eq!(store.intents_about(&repo(), banksman_core::id::Number(child)).await.unwrap().len(), 1);
    }
    start.elapsed()
}
