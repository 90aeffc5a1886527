//! Cleans up after a process of ours that died: ends what it left running, by pid and start time so that a reused pid is never hit
//! (Q13), and by the mark in the environment; then removes the workspaces.

use crate::{
    procs::{self, Life, Process, Record},
    workspace::remove_tree,
};
use rustix::process::{Pid, Signal};
use std::{fs, path::Path, time::Duration};

/// What was cleaned up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reaped {
    /// Processes that were ended.
    pub processes: usize,
    /// Workspaces that were removed.
    pub workspaces: usize,
}

/// The mark of the processes of an attempt or a check run.
pub(crate) fn mark(home: &Path, name: &str) -> String {
    format!("{}{name}/", marks(home))
}

/// What all marks of a home begin with.
fn marks(home: &Path) -> String {
    format!("{}#", home.display())
}

/// Cleans the home up.
pub(crate) async fn reap_leftovers(home: &Path) -> Reaped {
    let home = home.to_owned();
    tokio::task::spawn_blocking(move || reap(&home)).await.unwrap_or_default()
}

fn reap(home: &Path) -> Reaped {
    let mut reaped = Reaped::default();
    let Ok(entries) = fs::read_dir(home.join("work")) else { return reaped };
    let folders: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    for folder in &folders {
        if let Some(leader) = Record::read(&folder.join("process")).and_then(|record| record.still_runs()) {
            let family = procs::descendants(&procs::all(), leader.pid);
            if let Some(group) = Pid::from_raw(leader.pid) {
                // The leader was just seen alive, so the group is still its own.
                let _ = rustix::process::kill_process_group(group, Signal::KILL);
            }
            family.iter().for_each(|process| procs::signal(process, Signal::KILL));
            reaped.processes += 1 + family.len();
        }
    }
    reaped.processes += end_marked(home);
    for folder in folders {
        match remove_tree(&folder) {
            Ok(()) => reaped.workspaces += 1,
            Err(error) => tracing::warn!(%error, "a workspace of an earlier run could not be removed"),
        }
    }
    reaped
}

/// Kills processes that carry a mark of this home, for at most five seconds.
fn end_marked(home: &Path) -> usize {
    let prefix = marks(home);
    let mut ended = 0;
    for round in 0..500 {
        let marked = |p: &Process| p.life == Life::Alive && procs::carries(p, &prefix) == procs::Marked::Yes;
        let found: Vec<Process> = procs::all().into_iter().filter(marked).collect();
        if found.is_empty() {
            break;
        }
        if round == 0 {
            ended = found.len();
        }
        found.iter().for_each(|process| procs::signal(process, Signal::KILL));
        std::thread::sleep(Duration::from_millis(10));
    }
    ended
}
