//! How fast points of training data are written in durable batches of 5,000, beside a bare loop of the same INSERTs with the same
//! durability in the same run. Prints JSON.
//!
//!     cargo run --release -p banksman-store --features conformance --example training_rates [BATCHES [FOLDER]]
#![expect(clippy::unwrap_used, reason = "a measurement ends with the first failure")]

use banksman_core::{port::Training, training::Point};
use banksman_store::{
    STORE, SqliteStore,
    conformance::{
        samples::{at, repo},
        training::observation,
    },
};
use rusqlite::Connection;
use std::{
    env,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Points in a batch.
const TOGETHER: u64 = 5_000;
/// Pull requests that they are about.
const PULLS: u64 = 100;

fn main() {
    let mut args = env::args().skip(1);
    let batches: u64 = args.next().map_or(20, |number| number.parse().unwrap());
    let folder = args.next().map_or_else(env::temp_dir, PathBuf::from);
    let dir = tempfile::Builder::new().prefix("training-rates").tempdir_in(folder).unwrap();
    let all: Vec<Vec<Point>> = (0..batches).map(batch).collect();
    let bare = bare_loop(&dir.path().join("bare.db"), &all);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let store = SqliteStore::open(&dir.path().join("store.db")).unwrap();
    let begun = Instant::now();
    runtime.block_on(async {
        for batch in all {
            store.record_points(batch).await.unwrap();
        }
    });
    let rate = |took: Duration| (batches * TOGETHER) as f64 / took.as_secs_f64();
    println!("{{\"bare\": {:.0}, \"store\": {:.0}}}", rate(bare), rate(begun.elapsed()));
}

fn batch(number: u64) -> Vec<Point> {
    (0..TOGETHER)
        .map(|n| {
            let second = (number * TOGETHER + n) / PULLS;
            observation(&repo(), n % PULLS, "app/copilot", at(second as i64), (n % 7) as u32)
        })
        .collect()
}

/// What SQLite itself needs for the same rows.
fn bare_loop(path: &Path, all: &[Vec<Point>]) -> Duration {
    let mut db = Connection::open(path).unwrap();
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;").unwrap();
    for migration in STORE.migrations {
        db.execute_batch(migration).unwrap();
    }
    for pull in 0..PULLS {
        db.execute(
            "INSERT INTO training_series (repo, pull, author) VALUES ('local_shop', ?1, 'app/copilot')",
            [pull],
        )
        .unwrap();
    }
    let begun = Instant::now();
    for batch in all {
        let tx = db.transaction().unwrap();
        {
            let mut insert = tx
                .prepare_cached(
                    "INSERT OR REPLACE INTO pr_observation VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
                )
                .unwrap();
            for point in batch {
                let n = point.series.pull.0 % 7;
                insert
                    .execute((
                        point.series.pull.0 + 1,
                        point.nanos(),
                        5,
                        5,
                        n,
                        n + 1,
                        n + 2,
                        n + 3,
                        n + 4,
                        n + 5,
                        n + 6,
                        n + 7,
                        n + 8,
                        u32::MAX,
                        n + 10,
                        n + 11,
                    ))
                    .unwrap();
            }
        }
        tx.commit().unwrap();
    }
    begun.elapsed()
}
