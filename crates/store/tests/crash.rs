//! `kill -9` of a process that writes: every row that was acknowledged is there afterwards.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use banksman_core::{
    intent::IntentState,
    port::{LedgerState, Store},
};
use banksman_store::{SqliteStore, conformance::samples::*};
use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

/// Names the file to the child. The child is this same test, started again with this variable.
const FILE: &str = "BANKSMAN_TEST_CRASH_FILE";
/// Kills in one run.
const ROUNDS: u64 = 30;
/// Writers at once, so that the kill falls into groups.
const WRITERS: u64 = 8;

#[test]
fn every_acknowledged_row_survives_kill_9() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Some(file) = env::var_os(FILE) {
        runtime.block_on(write_for_ever(Path::new(&file)));
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("store.db");
    let (mut acknowledged, mut done) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "every_acknowledged_row_survives_kill_9", "--nocapture"])
            .env(FILE, &file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        while seen <= round * 3 {
            seen += u64::from(note(&lines.next().unwrap().unwrap(), &mut acknowledged, &mut done));
        }
        child.kill().unwrap();
        // What is still in the pipe was said before the kill.
        lines.map_while(Result::ok).for_each(|line| {
            note(&line, &mut acknowledged, &mut done);
        });
        child.wait().unwrap();

        runtime.block_on(async {
            let store = SqliteStore::open(&file).unwrap();
            for key in &acknowledged {
                let intent = store.intent(&repo(), key).await.unwrap();
                assert!(intent.is_some(), "round {round}: {key} was acknowledged and is gone");
            }
            for key in &done {
                let intent = store.intent(&repo(), key).await.unwrap().unwrap();
                assert!(matches!(intent.state, IntentState::Done { .. }), "round {round}: {key} was done");
            }
            // Intent and spend are one, whatever the moment of the kill (X4).
            let intents = store.intents(&repo()).await.unwrap();
            let ledger = store.ledger(&repo()).await.unwrap();
            assert_eq!(intents.len(), ledger.len());
            let open = intents.iter().filter(|i| i.state == IntentState::Open).count();
            assert_eq!(open, ledger.iter().filter(|e| e.state == LedgerState::Reserved).count());
        });
    }
    assert!(!done.is_empty());
}

/// Whether the line is an acknowledgement. A line that the kill cut off is none.
fn note(line: &str, acknowledged: &mut Vec<String>, done: &mut Vec<String>) -> bool {
    // The test harness of the child writes to the same stream, without an end of line.
    let Some(whole) = line.strip_suffix(';') else { return false };
    if let Some((_, key)) = whole.split_once("ack ") {
        acknowledged.push(key.to_owned());
    } else if let Some((_, key)) = whole.split_once("done ") {
        done.push(key.to_owned());
    }
    true
}

async fn write_for_ever(file: &Path) {
    let store = SqliteStore::open(file).unwrap();
    store.break_leases(&|_| true, at(0)).await.unwrap();
    let held = lease(&store).await;
    let intents = store.intents(&repo()).await.unwrap();
    let begun = intents.iter().map(|intent| intent.subject.0 + 1).max().unwrap_or(1);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (store, held) = (store.clone(), held.clone());
            tokio::spawn(async move {
                for child in (begun + writer..).step_by(WRITERS as usize) {
                    let intent = dispatch(child);
                    store.intend(&held, &intent, Some(&spend(None))).await.unwrap();
                    say("ack", &intent.key);
                    store.record(&held, &intent.key, &receipt(1), false).await.unwrap();
                    store.record(&held, &intent.key, &receipt(2), true).await.unwrap();
                    say("done", &intent.key);
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

/// One line in one write, marked with its end.
fn say(what: &str, key: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{what} {key};\n").as_bytes()).unwrap();
    out.flush().unwrap();
}
