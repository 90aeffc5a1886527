//! Races of processes that are killed: four of them with four dispatchers each, every one begun anew where it was.

use super::dispatcher::{DISPATCHERS, Dispatcher, happened, mixed};
use banksman_core::{
    port::{Budget, Refusal, Store},
    text::RepoName,
};
use banksman_store::{Chosen, conformance::samples::at};
use futures_util::future::join_all;
use std::{env, fs, path::PathBuf, time::Duration};
use tokio::{
    process::{Child, Command},
    time,
};

/// Processes at a time.
const PROCESSES: u64 = 4;

/// Where a process says how far it is; a hint: what is done again is found done.
fn progress(id: u64) -> PathBuf {
    env::temp_dir().join(format!("budget-races-{}-{id}", parent()))
}

/// The process that began it all, for names.
fn parent() -> String {
    env::var("BUDGET_RACES").unwrap_or_else(|_| std::process::id().to_string())
}

/// A process's part: looks after what its earlier life left open, then goes on.
pub(super) async fn child(store: &Chosen, id: u64, life: u64, from: u64, to: u64) {
    let part = format!("p{id}");
    let mine = |holder: &str| holder.starts_with(&format!("{part}/"));
    for open in store.open_spends().await.unwrap().into_iter().filter(|open| mine(open.holder.as_str())) {
        if happened(&open.key) {
            store.settle_spend(&open.key, None).await.unwrap();
        } else {
            store.release_spend(&open.key).await.unwrap();
        }
    }
    store.break_leases(&|holder| mine(holder.as_str()), at(10)).await.unwrap();
    let each = DISPATCHERS / PROCESSES;
    let dispatchers: Vec<Dispatcher> =
        (0..each).map(|n| Dispatcher::new(store.clone(), &part, life, id * each + n)).collect();
    for number in (0..each).map(|n| id * each + n).filter(|n| n % 2 == 0) {
        let repo = RepoName::new(&format!("races/{part}-{number}")).unwrap();
        let holder = banksman_core::text::Holder::new(&format!("{part}/{number}/{life}")).unwrap();
        let lease = store.lease(&repo, &holder, at(10), 3_600_000).await.unwrap().unwrap();
        for intent in store.open_intents(&repo).await.unwrap() {
            let refusal = (!happened(&intent.key)).then_some(Refusal::NotFound);
            store.settle(&lease, &intent.key, refusal, at(11)).await.unwrap();
        }
    }
    for race in from..to {
        fs::write(progress(id), race.to_string()).unwrap();
        join_all(dispatchers.iter().map(|dispatcher| dispatcher.race(race))).await;
    }
    fs::write(progress(id), to.to_string()).unwrap();
}

/// Runs races `from..to` in processes that are killed; how often one was.
pub(super) async fn run(place: &str, store: &Chosen, from: u64, to: u64) -> u64 {
    if from >= to {
        return 0;
    }
    let kills: Vec<u64> = join_all((0..PROCESSES).map(|id| keep_alive(place, id, from, to))).await;
    super::look(store, from).await;
    kills.iter().sum()
}

async fn keep_alive(place: &str, id: u64, from: u64, to: u64) -> u64 {
    let (mut at, mut life, mut kills) = (from, 1, 0);
    loop {
        let mut process = begin(place, id, life, at, to);
        let patience = Duration::from_millis(40 + mixed(id, life) % 460);
        match time::timeout(patience, process.wait()).await {
            Ok(ended) => {
                assert!(ended.unwrap().success(), "process {id} failed");
                drop(fs::remove_file(progress(id)));
                return kills;
            }
            Err(_) => {
                process.kill().await.unwrap();
                kills += 1;
            }
        }
        let told = fs::read_to_string(progress(id)).ok().and_then(|text| text.parse().ok());
        at = told.unwrap_or(at);
        life += 1;
    }
}

fn begin(place: &str, id: u64, life: u64, from: u64, to: u64) -> Child {
    let numbers = [id, life, from, to].map(|n| n.to_string());
    Command::new(env::current_exe().unwrap())
        .args(["--store", place, "--child"])
        .args(numbers)
        .env("BUDGET_RACES", parent())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}
