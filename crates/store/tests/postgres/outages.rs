//! A server that is killed under load again and again: no job is lost, none runs twice at once, none beside another one under its
//! lock; workers come back by themselves.
//!
//! `BANKSMAN_TEST_RESTARTS` says how often the server is killed; the measure `postgres-restart` says 50.

use crate::server::{Own, block_on};
use banksman_core::{
    id::JobId,
    job::{JobEvent, Outcome, Stage},
    port::{AddError, Claim, JobFilter, Queue, StoreError},
    text::Holder,
};
use banksman_store::{
    conformance::{job_samples::*, samples::*},
    postgres::{Address, PostgresStore},
};
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::{HashMap, HashSet},
    env,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{task, time::timeout};

/// Workers, each with connections of its own, as if it were another host.
const WORKERS: u32 = 4;
/// Names of locks that two jobs of three share.
const LOCKS: u64 = 3;
/// Milliseconds of a lease: longer than the server is ever away.
const LEASE: i64 = 12_000;
/// A worker ends its processes so long before its lease is over.
const MARGIN: SignedDuration = SignedDuration::from_secs(3);

/// What runs, as the workers' own processes would know it, and what ran.
#[derive(Default)]
struct Site {
    jobs: HashSet<JobId>,
    locks: HashSet<String>,
    runs: HashMap<JobId, u32>,
}

impl Site {
    fn begin(&mut self, claim: &Claim) {
        assert!(self.jobs.insert(claim.job.id), "job {} runs twice at once", claim.job.id);
        if let Some(lock) = claim.job.work.lock() {
            assert!(self.locks.insert(lock.to_string()), "two jobs run under the lock {lock}");
        }
        *self.runs.entry(claim.job.id).or_default() += 1;
    }

    fn end(&mut self, claim: &Claim) {
        self.jobs.remove(&claim.job.id);
        if let Some(lock) = claim.job.work.lock() {
            self.locks.remove(lock.as_str());
        }
    }
}

#[test]
fn a_server_that_is_killed_under_load_loses_no_job() {
    let Some(server) = Own::start() else { return };
    let restarts = env::var("BANKSMAN_TEST_RESTARTS").map_or(3, |number| number.parse().unwrap());
    block_on(async {
        let address = Address::parse(&server.url).unwrap();
        let server = Arc::new(server);
        let (site, over) = (Arc::new(Mutex::new(Site::default())), Arc::new(AtomicBool::new(false)));
        let mut workers = Vec::new();
        for number in 0..WORKERS {
            let store = PostgresStore::open(&address).await.unwrap();
            let (site, over) = (Arc::clone(&site), Arc::clone(&over));
            workers.push(tokio::spawn(async move { work(&store, &holder(number + 10), &site, &over).await }));
        }
        let store = PostgresStore::open(&address).await.unwrap();
        let adding = Arc::new(AtomicBool::new(true));
        let adder = tokio::spawn({
            let (store, adding) = (store.clone(), Arc::clone(&adding));
            async move { add_until(&store, &adding).await }
        });
        for _ in 0..restarts {
            let running = Arc::clone(&server);
            task::spawn_blocking(move || running.restart()).await.unwrap();
            // It has to be under load before it is killed again.
            let begun = store.counts().await.unwrap().shipped;
            while store.counts().await.unwrap().shipped < begun + 40 {
                task::yield_now().await;
            }
        }
        adding.store(false, Ordering::Relaxed);
        let acknowledged = adder.await.unwrap();
        drain(&store).await;
        over.store(true, Ordering::Relaxed);
        for worker in workers {
            worker.await.unwrap();
        }
        let runs = site.lock().unwrap().runs.clone();
        for id in &acknowledged {
            assert_eq!(stage(&store, *id).await, Stage::Shipped, "job {id}");
            assert!(runs.contains_key(id), "job {id} never ran");
        }
        assert_eq!(
            store.counts().await.unwrap().shipped,
            acknowledged.len() as u64,
            "no job was added twice"
        );
        let again = runs.values().filter(|count| **count > 1).count();
        println!(
            "{{\"restarts\": {restarts}, \"jobs\": {}, \"run_again\": {again}, \"lost\": 0, \"overlaps\": 0}}",
            acknowledged.len()
        );
    });
}

/// Adds one job after the other; the ids of those that were acknowledged. One whose fate the store does not know in time is asked
/// for by its key.
async fn add_until(store: &PostgresStore, adding: &AtomicBool) -> Vec<JobId> {
    let mut added = Vec::new();
    for number in 0_u64.. {
        if !adding.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("job-{number}");
        let spec = match number % LOCKS {
            0 => spec(),
            lock => locked(&format!("lock-{lock}")),
        };
        loop {
            // Every other job has no key: what keeps it from being added twice is the store alone.
            let job = if number % 2 == 0 { keyed(&name, spec.clone()) } else { new_job(&name, spec.clone()) };
            match store.add(vec![job], &holder(1), Timestamp::now()).await {
                Ok(answer) => {
                    added.push(answer[0].id());
                    break;
                }
                Err(AddError::Store(StoreError::Away)) if number % 2 == 0 => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
    added
}

/// What a worker does: claims, runs, advances, again and again; it gives nothing up because the server is away.
async fn work(store: &PostgresStore, who: &Holder, site: &Mutex<Site>, over: &AtomicBool) {
    let mut changes = store.changes();
    while !over.load(Ordering::Relaxed) {
        match store.claim(who, &offer(), Timestamp::now(), LEASE).await {
            Ok(Some(claimed)) => attempt(store, &claimed.claim, site).await,
            Ok(None) => {
                let _ = timeout(Duration::from_millis(100), changes.next()).await;
                watch(store, who).await;
            }
            Err(StoreError::Away) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// One attempt. Its processes run from `begin` to `end`, and never longer than the lease lasts for certain.
async fn attempt(store: &PostgresStore, claim: &Claim, site: &Mutex<Site>) {
    let left = claim.until.duration_since(Timestamp::now()) - MARGIN;
    let Ok(left) = Duration::try_from(left) else { return };
    site.lock().unwrap().begin(claim);
    // What takes time in an attempt: here two looks at the store, one of which writes.
    let ran = timeout(left, async {
        store.renew(claim, Timestamp::now(), LEASE).await?;
        store.job(claim.job.id).await
    });
    let ran = ran.await;
    site.lock().unwrap().end(claim);
    if !matches!(ran, Ok(Ok(_))) {
        return;
    }
    loop {
        let now = Timestamp::now();
        let events =
            vec![JobEvent::Built, JobEvent::Approved, JobEvent::Proved { outcome: Outcome::Ran, at: now }];
        match store.advance(claim, events, None, now).await {
            // Fenced: it was lost meanwhile, or an earlier try that was given up on was carried out.
            Ok(_) | Err(StoreError::Fenced) => return,
            Err(StoreError::Away) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Ends claims whose lease is over.
async fn watch(store: &PostgresStore, who: &Holder) {
    let Ok(claims) = store.claims().await else { return };
    let now = Timestamp::now();
    for claim in claims.iter().filter(|claim| claim.until < now) {
        let _ = store.lose(claim, who, now).await;
    }
}

async fn drain(store: &PostgresStore) {
    loop {
        match store.jobs(&JobFilter::Unfinished).await {
            Ok(jobs) if jobs.is_empty() => return,
            Ok(_) => {
                let _ = timeout(Duration::from_millis(100), store.changes().next()).await;
            }
            Err(StoreError::Away) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
