//! Races of 16 dispatchers on one pool, with crashes: half reserve with the intent of a dispatch in a repository of their own, half under keys.
//! Most are tasks over four openings of the store, and some of them are dropped in the middle; the rest are four processes of four dispatchers
//! each, which are killed (-9) again and again, begin anew and look after what they left open. Afterwards no pool may have more than its quota,
//! and nothing may be reserved. One line of JSON, for measure/budget.py.
//!
//!     cargo run --release -p banksman-store --features conformance --example budget_races -- --store PATH|URL [--races N] [--killed N]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement ends with the first failure")]

mod dispatcher;
mod kill;

use banksman_core::{
    budget::Charge,
    port::{Budget, LedgerState, Refusal, Store},
    text::ProviderName,
};
use banksman_store::{Chosen, conformance::samples::at};
use dispatcher::{DISPATCHERS, Dispatcher, QUOTA, charge, hour, pool};
use futures_util::future::join_all;
use jiff::Timestamp;
use std::{env, time::Instant};

/// Races that are run at the same time, so that the disk is flushed for several.
const AT_ONCE: u64 = 8;
/// Openings of the store that the tasks share.
const OPENINGS: u64 = 4;

#[tokio::main]
async fn main() {
    let mut args = env::args().skip(1);
    let (mut place, mut races, mut killed, mut child) = (String::new(), 10_000, 1_000, None);
    while let Some(arg) = args.next() {
        let mut number = || args.next().unwrap().parse::<u64>().unwrap();
        match arg.as_str() {
            "--races" => races = number(),
            "--killed" => killed = number(),
            "--child" => child = Some((number(), number(), number(), number())),
            "--store" => place = args.next().unwrap(),
            other => panic!("unknown option {other}"),
        }
    }
    if let Some((id, life, from, to)) = child {
        return kill::child(&open(&place).await, id, life, from, to).await;
    }
    let begin = Instant::now();
    let tasks = races.saturating_sub(killed);
    let mut stores = Vec::new();
    for _ in 0..OPENINGS {
        stores.push(open(&place).await);
    }
    let mut dropped = 0;
    let mut samples = 0;
    for first in (0..tasks).step_by(AT_ONCE as usize) {
        let all = join_all((first..tasks.min(first + AT_ONCE)).map(|race| in_tasks(&stores, race))).await;
        dropped += all.iter().sum::<u64>();
        samples += look(&stores[0], first).await;
    }
    let kills = kill::run(&place, &stores[0], tasks, races).await;
    let open_before = recover(&stores[0], races).await;
    let (over, leaked, settled) = count(&stores[0], races).await;
    println!(
        "{{\"races\": {races}, \"dispatchers\": {DISPATCHERS}, \"dropped\": {dropped}, \"kills\": {kills}, \"samples\": {samples}, \
         \"open_before_recovery\": {open_before}, \"overspent\": {over}, \"leaked\": {leaked}, \"settled\": {settled}, \"seconds\": {:.1}}}",
        begin.elapsed().as_secs_f64()
    );
}

async fn open(place: &str) -> Chosen {
    if place.starts_with("postgres") {
        Chosen::postgres(place).await.unwrap()
    } else {
        Chosen::sqlite(place.as_ref()).unwrap()
    }
}

/// One race of tasks; how many were dropped in the middle.
async fn in_tasks(stores: &[Chosen], race: u64) -> u64 {
    let mut running = Vec::new();
    for number in 0..DISPATCHERS {
        let store = stores[(number % OPENINGS) as usize].clone();
        let slot = race % AT_ONCE;
        let task = tokio::spawn(async move {
            let dispatcher = Dispatcher::new(store, &format!("t{slot}"), 0, number);
            dispatcher.race(race).await;
        });
        running.push((task, dispatcher::mixed(race, number)));
    }
    let mut dropped = 0;
    for (task, chance) in running {
        // Wherever it is by then: before, in or behind its transaction.
        if chance % 8 == 0 {
            for _ in 0..chance / 8 % 40 {
                tokio::task::yield_now().await;
            }
            task.abort();
            dropped += 1;
        }
        drop(task.await);
    }
    dropped
}

/// Looks at pools in the middle of it all: at no moment is there more than the quota.
async fn look(store: &Chosen, race: u64) -> u64 {
    assert!(total(store, &charge(race)).await <= QUOTA, "race {race} is overspent");
    1
}

async fn total(store: &Chosen, charge: &Charge) -> u64 {
    store.usage(charge).await.unwrap().used.iter().flatten().sum()
}

/// Settles or releases what crashes left open, as whoever finds it would; how much that was.
async fn recover(store: &Chosen, races: u64) -> u64 {
    let mut left = 0;
    for open in store.open_spends().await.unwrap() {
        left += 1;
        if dispatcher::happened(&open.key) {
            store.settle_spend(&open.key, None).await.unwrap();
        } else {
            store.release_spend(&open.key).await.unwrap();
        }
    }
    let now = at(i64::try_from(races).unwrap());
    store.break_leases(&|_| true, now).await.unwrap();
    let holder = banksman_core::text::Holder::new("the/last").unwrap();
    for repo in store.repos().await.unwrap() {
        let lease = store.lease(&repo, &holder, now, 3_600_000).await.unwrap().unwrap();
        for intent in store.open_intents(&repo).await.unwrap() {
            left += 1;
            let refusal = (!dispatcher::happened(&intent.key)).then_some(Refusal::NotFound);
            store.settle(&lease, &intent.key, refusal, now).await.unwrap();
        }
    }
    left
}

/// Pools with more than their quota, lines that are still reserved, and lines that are settled.
async fn count(store: &Chosen, races: u64) -> (u64, u64, u64) {
    let entries = store.ledger_between(Timestamp::UNIX_EPOCH, Timestamp::MAX).await.unwrap();
    let reserved = entries.iter().filter(|e| e.state == LedgerState::Reserved).count() as u64;
    let mut over = 0;
    for race in 0..races {
        let used = store.used(&ProviderName::new(&pool(race)).unwrap(), hour()).await.unwrap();
        let sum: u64 = used.iter().map(|u| u64::from(u.settled.tasks) + u64::from(u.reserved.tasks)).sum();
        over += sum.saturating_sub(QUOTA);
    }
    (over, reserved, entries.len() as u64 - reserved)
}
