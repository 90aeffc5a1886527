//! How long it takes until a commit of another process wakes the one who waits: from the word to the other process over its commit
//! to the wake-up, so more than what is asked for.

use banksman_core::port::Queue;
use banksman_store::{
    SqliteStore,
    conformance::{job_samples::*, samples::*},
};
use std::{
    env,
    io::{BufRead, BufReader, Write, stdin},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

/// Wake-ups that are measured.
const TIMES: usize = 200;

/// The other process: one restartable commit for each line.
pub(crate) async fn commit_at_each_line(file: &Path) {
    let store = SqliteStore::open(file).unwrap();
    for (n, line) in (1..).zip(stdin().lines()) {
        line.unwrap();
        store.cool_down(&engine("resting"), at(n)).await.unwrap();
        println!("done");
    }
}

/// Milliseconds to each wake-up.
pub(crate) async fn wake_ups(file: &Path) -> Vec<f64> {
    let store = SqliteStore::open(file).unwrap();
    store.add(vec![new_job("job", spec())], &holder(1), at(10)).await.unwrap();
    let mut other = Command::new(env::current_exe().unwrap())
        .arg("--commit-at-each-line")
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut word, answers) = (other.stdin.take().unwrap(), BufReader::new(other.stdout.take().unwrap()));
    let (mut answers, mut changes, mut waited) = (answers.lines(), store.changes(), Vec::new());
    for _ in 0..TIMES {
        // What was before is over once this is quiet.
        while tokio::time::timeout(std::time::Duration::from_millis(5), changes.next()).await.is_ok() {}
        let start = Instant::now();
        word.write_all(b"\n").unwrap();
        changes.next().await;
        waited.push(start.elapsed().as_secs_f64() * 1_000.0);
        answers.next().unwrap().unwrap();
    }
    drop(word);
    other.wait().unwrap();
    waited
}
