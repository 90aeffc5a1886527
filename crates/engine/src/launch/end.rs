//! Ends the processes of an attempt: TERM to those that run, KILL to what is left, and whatever ran away from its group (Q14, S14).
//!
//! In a bubblewrap sandbox the PID namespace does it: when its first process dies, the kernel kills all others before the
//! launcher sees it. Without a sandbox runaways are found by descent, by the mark in their environment, and, since Banksman is
//! their subreaper, as children of its own that belong to a foreign session. What escapes that: a process that clears its environment and makes
//! a session of its own while two attempts run unconfined at once; it ends with the last of them.

use super::children::{Adopted, adopted};
use crate::procs::{self, Life, Marked, Process};
use banksman_core::work::SandboxLevel;
use rustix::process::{Pid, Signal, WaitOptions};
use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The processes of one attempt.
#[derive(Debug)]
pub(crate) struct Family {
    /// Leader of the group; it is not reaped before the group has been killed, so its id is not reused meanwhile.
    leader: Pid,
    /// Mark in the environment.
    mark: String,
    /// How it is kept.
    level: SandboxLevel,
}

/// Leaders that run without a sandbox in this process: a runaway without a mark is theirs when there is just one.
static UNCONFINED: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// Whether orphans become children of this process.
static ADOPTS: AtomicBool = AtomicBool::new(false);

/// Makes this process inherit runaways. It stays so: it is harmless, and other attempts may need it.
pub(crate) fn adopt_runaways() {
    #[cfg(target_os = "linux")]
    match rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
        Ok(()) => ADOPTS.store(true, Ordering::Relaxed),
        Err(error) => tracing::warn!(%error, "runaway processes cannot be adopted on this host"),
    }
}

impl Family {
    pub(crate) fn new(leader: Pid, mark: String, level: SandboxLevel) -> Self {
        let family = Self { leader, mark, level };
        if level == SandboxLevel::Off {
            unconfined(|all| all.insert(family.id()));
        }
        family
    }

    fn id(&self) -> i32 {
        self.leader.as_raw_nonzero().get()
    }

    fn offspring(&self) -> Vec<Process> {
        procs::descendants(&procs::all(), self.id())
    }

    /// Asks them to end. In a sandbox the launcher and the first process of the namespace are spared: with either of them all
    /// the others would be killed at once, without time to tidy up.
    pub(crate) fn terminate(&self) {
        let offspring = self.offspring();
        match self.level {
            SandboxLevel::Bubblewrap => {
                let first = |p: &Process| p.parent == self.id();
                for process in offspring.iter().filter(|p| !first(p)) {
                    procs::signal(process, Signal::TERM);
                }
            }
            SandboxLevel::Off | SandboxLevel::Landlock => {
                let _ = rustix::process::kill_process_group(self.leader, Signal::TERM);
                for process in offspring.iter().filter(|p| p.group != self.id()) {
                    procs::signal(process, Signal::TERM);
                }
            }
        }
    }

    /// Kills them all. In a sandbox the launcher is spared, which goes by itself when the namespace is empty.
    pub(crate) fn kill(&self) {
        let offspring = self.offspring();
        if offspring.is_empty() || self.level != SandboxLevel::Bubblewrap {
            self.kill_group();
        }
        offspring.iter().for_each(|process| procs::signal(process, Signal::KILL));
    }

    /// Kills the group, the launcher too.
    pub(crate) fn kill_group(&self) {
        let _ = rustix::process::kill_process_group(self.leader, Signal::KILL);
    }

    /// Kills what ran away until nothing is left, for at most five seconds, and takes the ended ones off the process table. To be called
    /// when the leader has been reaped; blocks. Gives how many could not be ended.
    pub(crate) fn extinguish(&self) -> usize {
        if self.level == SandboxLevel::Bubblewrap {
            return 0;
        }
        for _ in 0..500 {
            while let Ok(Some(_)) = rustix::process::waitpgid(self.leader, WaitOptions::NOHANG) {}
            if ADOPTS.load(Ordering::Relaxed) && adopted() == Adopted::Nobody {
                return 0;
            }
            let strays = self.strays();
            let alive = strays.iter().filter(|p| p.life == Life::Alive).count();
            for stray in &strays {
                match stray.life {
                    Life::Alive => procs::signal(stray, Signal::KILL),
                    Life::Zombie => reap(stray),
                }
            }
            if alive == 0 {
                return 0;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.strays().iter().filter(|p| p.life == Life::Alive).count()
    }

    fn strays(&self) -> Vec<Process> {
        let all = procs::all();
        let mut found = procs::descendants(&all, self.id());
        let me = i32::try_from(std::process::id()).unwrap_or(0);
        let session = procs::process(me).map_or(0, |p| p.session);
        let alone = unconfined(|leaders| leaders.iter().all(|leader| *leader == self.id()));
        for process in all {
            let known = process.pid == me || found.iter().any(|p| p.pid == process.pid);
            let adopted = alone && process.parent == me && process.session != session;
            if !known && (adopted || procs::carries(&process, &self.mark) == Marked::Yes) {
                found.push(process);
            }
        }
        found
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        if self.level == SandboxLevel::Off {
            unconfined(|all| all.remove(&self.id()));
        }
    }
}

fn reap(stray: &Process) {
    if let Some(pid) = Pid::from_raw(stray.pid) {
        // Only ever an orphan: children that Banksman started itself are in its own session and not here.
        let _ = rustix::process::waitpid(Some(pid), WaitOptions::NOHANG);
    }
}

fn unconfined<T>(look: impl FnOnce(&mut BTreeSet<i32>) -> T) -> T {
    // A panic elsewhere cannot leave the set half changed.
    look(&mut UNCONFINED.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}
