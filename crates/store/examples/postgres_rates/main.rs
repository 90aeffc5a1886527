//! How fast jobs are added, claimed and completed on a PostgreSQL server with 100,000 of them in the queue, beside a bare loop of the
//! same statements over tokio-postgres, with the same durability and as many connections as callers, in the same run. One line of
//! JSON a measurement, for measure/queue_postgres.py.
//!
//!     cargo run --release -p banksman-store --features conformance --example postgres_rates -- --url URL [--runs N]
//!         [--queue JOBS] [--callers N]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement ends with the first failure")]

mod bare;

use banksman_core::port::Queue;
use banksman_store::{
    conformance::{job_samples::*, samples::*},
    postgres::{Address, PostgresStore},
};
use std::{
    env,
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

/// Jobs in the queue while it is measured.
const QUEUE: u64 = 100_000;
/// Callers at once, with the jobs that are added and that are claimed and completed in one run.
const ROWS: [(u64, u64, u64); 3] = [(1, 200, 200), (8, 1_600, 1_600), (32, 6_400, 12_800)];

fn main() {
    let mut args = env::args().skip(1);
    let (mut url, mut runs, mut queue, mut only) = (String::new(), 5, QUEUE, None);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--url" => url = args.next().unwrap(),
            "--runs" => runs = args.next().unwrap().parse().unwrap(),
            "--queue" => queue = args.next().unwrap().parse().unwrap(),
            "--callers" => only = args.next().map(|number| number.parse().unwrap()),
            other => panic!("unknown option {other}"),
        }
    }
    let runtime = Runtime::new().unwrap();
    runtime.block_on(measure(&url, runs, queue, only));
}

async fn measure(url: &str, runs: usize, queue: u64, only: Option<u64>) {
    let schema = format!("rates{}", std::process::id());
    let store =
        PostgresStore::open(&Address::parse(&format!("{url}?schema={schema}")).unwrap()).await.unwrap();
    // The bare loop works on a copy of its own, with the same tables and indexes.
    let own = format!("{schema}_bare");
    let copy = PostgresStore::open(&Address::parse(&format!("{url}?schema={own}")).unwrap()).await.unwrap();
    for (callers, adds, claims) in ROWS.into_iter().filter(|row| only.is_none_or(|only| row.0 == only)) {
        let (mut added, mut claimed) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for _ in 0..runs {
            refill(&store, queue).await;
            refill(&copy, queue).await;
            added.0.push(rate(adds, add_at_once(&store, callers, adds)).await);
            added.1.push(rate(adds, bare::add_at_once(url, &own, callers, adds)).await);
            claimed.0.push(rate(claims, work_at_once(&store, callers, claims)).await);
            claimed.1.push(rate(claims, bare::work_at_once(url, &own, callers, claims)).await);
        }
        print("add", callers, &added);
        print("claim and complete", callers, &claimed);
    }
}

async fn refill(store: &PostgresStore, queue: u64) {
    while store.counts().await.unwrap().inbox < queue {
        let batch = (0..2_000).map(|_| new_job("job", spec())).collect();
        store.add(batch, &holder(1), at(10)).await.unwrap();
    }
}

async fn rate(count: u64, run: impl Future<Output = Duration>) -> f64 {
    count as f64 / run.await.max(Duration::from_nanos(1)).as_secs_f64()
}

async fn add_at_once(store: &PostgresStore, callers: u64, count: u64) -> Duration {
    at_once(callers, |_| {
        let store = store.clone();
        async move {
            for _ in 0..count / callers {
                store.add(vec![new_job("job", spec())], &holder(1), at(10)).await.unwrap();
            }
        }
    })
    .await
}

async fn work_at_once(store: &PostgresStore, callers: u64, count: u64) -> Duration {
    at_once(callers, |caller| {
        let store = store.clone();
        async move {
            let (who, offer) = (holder(u32::try_from(caller).unwrap()), offer());
            for _ in 0..count / callers {
                let claim = store.claim(&who, &offer, at(20), TTL).await.unwrap().unwrap().claim;
                store.advance(&claim, ships(at(30)), Some(&record(&claim, None)), at(30)).await.unwrap();
            }
        }
    })
    .await
}

/// Wall time of tasks that run at once.
async fn at_once<F: Future<Output = ()> + Send + 'static>(callers: u64, task: impl Fn(u64) -> F) -> Duration {
    let start = Instant::now();
    let tasks: Vec<_> = (0..callers).map(|caller| tokio::spawn(task(caller))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    start.elapsed()
}

fn print(what: &str, callers: u64, (ours, bare): &(Vec<f64>, Vec<f64>)) {
    let row = serde_json::json!({ "store": "postgres", "what": what, "callers": callers, "rates": ours, "bare": bare });
    println!("{row}");
}
