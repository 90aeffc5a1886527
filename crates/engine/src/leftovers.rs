//! Cleans up after processes of ours that died: ends what they left running, by pid and start time so that a reused pid is never hit
//! (Q13), and by the mark in the environment; then removes the workspaces. Several processes work in one home, so each workspace says
//! whose it is, and what belongs to one that lives is left alone.

use crate::{
    launch::rejoin,
    procs::{self, Life, Process, Record},
    spares::remove_orphans,
    workspace::{OWNER, PROCESS_RECORDS, remove_tree},
};
use banksman_core::id::AttemptId;
use rustix::process::{Pid, Signal};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// What was cleaned up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reaped {
    /// Processes that were ended.
    pub processes: usize,
    /// Workspaces that were removed.
    pub workspaces: usize,
}

/// How old a folder has to be that was never finished, so that nobody is about to.
const UNFINISHED: Duration = Duration::from_secs(3600);

/// The mark of the processes of an attempt or a check run.
pub(crate) fn mark(home: &Path, name: &str) -> String {
    format!("{}{name}/", marks(home))
}

/// What all marks of a home begin with.
fn marks(home: &Path) -> String {
    format!("{}#", home.display())
}

/// Cleans the home up after processes that are gone.
pub(crate) async fn reap_leftovers(home: &Path) -> Reaped {
    let home = home.to_owned();
    let reaped = tokio::task::spawn_blocking(move || {
        remove_orphans(&home);
        reap(&home, &|name| is_orphaned(&home, name))
    });
    reaped.await.unwrap_or_default()
}

/// Ends what is left of one attempt, whoever began it, and removes its workspaces.
pub(crate) async fn reap_attempt(home: &Path, attempt: AttemptId) -> Reaped {
    let home = home.to_owned();
    let reaped = tokio::task::spawn_blocking(move || {
        let reaped = reap(&home, &|name| belongs_to(name, attempt));
        if let Err(error) = rejoin(&log_path(&home, attempt)) {
            tracing::warn!(%attempt, %error, "the log of an attempt stays in parts");
        }
        reaped
    });
    reaped.await.unwrap_or_default()
}

/// Where the log of an attempt is.
pub(crate) fn log_path(home: &Path, attempt: AttemptId) -> PathBuf {
    home.join("logs").join(format!("attempt-{attempt}.log"))
}

/// An attempt has the folder of its number, and others with a word behind it.
fn belongs_to(name: &str, attempt: AttemptId) -> bool {
    let number = attempt.to_string();
    name.strip_prefix(&number).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Whether the process that made a workspace is gone. A workspace that is not there belongs to nobody.
fn is_orphaned(home: &Path, name: &str) -> bool {
    let folder = home.join("work").join(name);
    if name.starts_with('.') {
        let old = fs::metadata(&folder).and_then(|found| found.modified()).ok();
        return old.is_some_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > UNFINISHED));
    }
    Record::read(&folder.join(OWNER)).is_none_or(|owner| owner.is_of_the_dead())
}

fn reap(home: &Path, chosen: &dyn Fn(&str) -> bool) -> Reaped {
    let mut reaped = Reaped::default();
    let Ok(entries) = fs::read_dir(home.join("work")) else { return reaped };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let folders: Vec<PathBuf> =
        names.filter(|name| chosen(name)).map(|name| home.join("work").join(name)).collect();
    for record in folders.iter().flat_map(|folder| PROCESS_RECORDS.map(|name| folder.join(name))) {
        if let Some(leader) = Record::read(&record).and_then(|record| record.still_runs()) {
            let family = procs::descendants(&procs::all(), leader.pid);
            if let Some(group) = Pid::from_raw(leader.pid) {
                // The leader was just seen alive, so the group is still its own.
                let _ = rustix::process::kill_process_group(group, Signal::KILL);
            }
            family.iter().for_each(|process| procs::signal(process, Signal::KILL));
            reaped.processes += 1 + family.len();
        }
    }
    reaped.processes += end_marked(home, chosen);
    for folder in folders {
        match remove_tree(&folder) {
            Ok(()) => reaped.workspaces += 1,
            Err(error) => tracing::warn!(%error, "a workspace of an earlier run could not be removed"),
        }
    }
    reaped
}

/// Kills processes that carry the mark of a chosen workspace of this home, for at most five seconds.
fn end_marked(home: &Path, chosen: &dyn Fn(&str) -> bool) -> usize {
    let prefix = marks(home);
    let mut ended = 0;
    for round in 0..500 {
        // The mark is read first: whoever carries one has a workspace from before.
        let marked = |p: &Process| {
            p.life == Life::Alive && procs::mark_of(p, &prefix).is_some_and(|name| chosen(&name))
        };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_attempt_is_not_the_tenth() {
        assert!(belongs_to("1", AttemptId(1)) && belongs_to("1-review", AttemptId(1)));
        assert!(!belongs_to("10", AttemptId(1)) && !belongs_to("check-1", AttemptId(1)));
    }
}
