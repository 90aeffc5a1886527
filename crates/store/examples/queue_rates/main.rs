//! How fast jobs are added, claimed and completed with 100,000 of them in the queue, beside a bare loop of the same statements
//! with the same durability in the same run. One line of JSON a measurement, for measure/queue_store.py.
//!
//!     cargo run --release -p banksman-store --features conformance --example queue_rates [--folder DIR] [--runs N]
#![expect(clippy::unwrap_used, reason = "a measurement ends with the first failure")]

mod bare;
mod statements;
mod wake;

use banksman_core::{job::JobEvent, port::Queue};
use banksman_store::{
    SqliteStore,
    conformance::{job_samples::*, samples::*},
};
use bare::Bare;
use std::{
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

/// Jobs in the queue while it is measured.
const QUEUE: u64 = 100_000;
/// Callers at once, with the jobs that are added and that are claimed and completed in one run.
const ROWS: [(u64, u64, u64); 3] = [(1, 250, 4_000), (8, 2_000, 8_000), (32, 6_000, 16_000)];

fn main() {
    let mut args = env::args().skip(1);
    let (mut folder, mut runs) = (env::temp_dir(), 5);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--folder" => folder = PathBuf::from(args.next().unwrap()),
            "--runs" => runs = args.next().unwrap().parse().unwrap(),
            "--commit-at-each-line" => {
                let file = PathBuf::from(args.next().unwrap());
                return Runtime::new().unwrap().block_on(wake::commit_at_each_line(&file));
            }
            other => panic!("unknown option {other}"),
        }
    }
    let dir = tempfile::Builder::new().prefix("queue-rates").tempdir_in(folder).unwrap();
    let runtime = Runtime::new().unwrap();
    let waited = runtime.block_on(wake::wake_ups(&dir.path().join("wake.db")));
    println!("{}", serde_json::json!({ "store": "sqlite", "what": "wake", "ms": waited }));
    let (ours, theirs) = (dir.path().join("store.db"), dir.path().join("bare.db"));
    runtime.block_on(fill(&ours));
    fs::copy(&ours, &theirs).unwrap();
    let store = SqliteStore::open(&ours).unwrap();
    let bare = Bare::open(&theirs);
    for (callers, adds, claims) in ROWS {
        let (mut added, mut claimed) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for _ in 0..runs {
            added.0.push(rate(adds, || runtime.block_on(add_at_once(&store, callers, adds))));
            added.1.push(rate(adds.min(500), || bare.add(adds.min(500))));
            claimed.0.push(rate(claims, || runtime.block_on(work_at_once(&store, callers, claims))));
            claimed.1.push(rate(claims, || bare.work(claims)));
            runtime.block_on(refill(&store));
            bare.refill(QUEUE);
        }
        print("add", callers, &added);
        print("claim and complete", callers, &claimed);
    }
}

/// A file with a long queue, closed.
async fn fill(path: &Path) {
    let store = SqliteStore::open(path).unwrap();
    refill(&store).await;
}

async fn refill(store: &SqliteStore) {
    while store.counts().await.unwrap().inbox < QUEUE {
        let batch = (0..1_000).map(|_| new_job("job", spec())).collect();
        store.add(batch, &holder(1), at(10)).await.unwrap();
    }
}

fn rate(count: u64, run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    count as f64 / start.elapsed().max(Duration::from_nanos(1)).as_secs_f64()
}

async fn add_at_once(store: &SqliteStore, callers: u64, count: u64) {
    at_once(callers, |_| {
        let store = store.clone();
        async move {
            for _ in 0..count / callers {
                store.add(vec![new_job("job", spec())], &holder(1), at(10)).await.unwrap();
            }
        }
    })
    .await;
}

async fn work_at_once(store: &SqliteStore, callers: u64, count: u64) {
    at_once(callers, |caller| {
        let store = store.clone();
        async move {
            let (who, offer) = (holder(u32::try_from(caller).unwrap()), offer());
            for _ in 0..count / callers {
                let claim = store.claim(&who, &offer, at(20), TTL).await.unwrap().unwrap().claim;
                let events: Vec<JobEvent> = ships(at(30));
                store.advance(&claim, events, Some(&record(&claim, None)), at(30)).await.unwrap();
            }
        }
    })
    .await;
}

async fn at_once<F: Future<Output = ()> + Send + 'static>(callers: u64, task: impl Fn(u64) -> F) {
    let tasks: Vec<_> = (0..callers).map(|caller| tokio::spawn(task(caller))).collect();
    for task in tasks {
        task.await.unwrap();
    }
}

fn print(what: &str, callers: u64, (ours, bare): &(Vec<f64>, Vec<f64>)) {
    let row = serde_json::json!({ "store": "sqlite", "what": what, "callers": callers, "rates": ours, "bare": bare });
    println!("{row}");
}
