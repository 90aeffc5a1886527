//! Looks at the host's processes: who descends from whom, who carries an attempt's mark, and whether a pid still is the process that
//! it was (Q13). Where there is no `/proc` it sees nothing, and the process group is all that is ended.

use crate::workspace::rewrite;
use rustix::process::{Pid, Signal};
use std::{collections::HashSet, fs, io::Read, path::Path, sync::OnceLock};

/// Name of the variable that marks every process of an attempt.
pub(crate) const MARK: &str = "BANKSMAN_ATTEMPT";

/// One process as `/proc/<pid>/stat` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    pub(crate) session: i32,
    /// Start in clock ticks since boot: with the pid it names one process for ever, until the next boot.
    pub(crate) start: u64,
    pub(crate) life: Life,
}

/// Whether a process still runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// It runs or sleeps.
    Alive,
    /// It has ended and waits for its parent.
    Zombie,
}

/// The process with this pid.
pub(crate) fn process(pid: i32) -> Option<Process> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// All processes of the host that can be seen.
pub(crate) fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter_map(process)
        .collect()
}

/// The name of the program may hold anything, brackets and spaces too; the fields stand after its last bracket.
fn parse(stat: &str) -> Option<Process> {
    let (pid, _) = stat.split_once(' ')?;
    let fields: Vec<&str> = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace().collect();
    Some(Process {
        pid: pid.parse().ok()?,
        life: if matches!(*fields.first()?, "Z" | "X") { Life::Zombie } else { Life::Alive },
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        session: fields.get(3)?.parse().ok()?,
        start: fields.get(19)?.parse().ok()?,
    })
}

/// Those of `all` that descend from `root`, without it.
pub(crate) fn descendants(all: &[Process], root: i32) -> Vec<Process> {
    let mut found = HashSet::from([root]);
    let mut out = Vec::new();
    loop {
        let before = out.len();
        for process in all {
            if found.contains(&process.parent) && found.insert(process.pid) {
                out.push(*process);
            }
        }
        if out.len() == before {
            return out;
        }
    }
}

/// Whether a process was started with this mark. A mark ends with a slash, so that the first attempt's is not the beginning of
/// the tenth's.
pub(crate) fn carries(process: &Process, mark: &str) -> Marked {
    if mark_of(process, mark).is_some() { Marked::Yes } else { Marked::No }
}

/// What stands between `prefix` and the next slash in the mark of a process, if its mark begins so.
pub(crate) fn mark_of(process: &Process, prefix: &str) -> Option<String> {
    let file = fs::File::open(format!("/proc/{}/environ", process.pid)).ok()?;
    let mut environment = Vec::new();
    file.take(1 << 20).read_to_end(&mut environment).ok()?;
    let wanted = format!("{MARK}={prefix}");
    let rest =
        environment.split(|b| *b == 0).find_map(|variable| variable.strip_prefix(wanted.as_bytes()))?;
    let name = rest.split(|b| *b == b'/').next().unwrap_or_default();
    Some(String::from_utf8_lossy(name).into_owned())
}

/// Whether a process carries a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marked {
    Yes,
    No,
}

/// Names this boot of the host; pids and start times of another one mean nothing.
pub(crate) fn boot() -> &'static str {
    static BOOT: OnceLock<String> = OnceLock::new();
    BOOT.get_or_init(|| {
        let id = fs::read_to_string("/proc/sys/kernel/random/boot_id");
        id.map(|id| id.trim().to_owned()).unwrap_or_default()
    })
}

/// Sends a signal to one process, if it still is the one that was looked at.
pub(crate) fn signal(seen: &Process, signal: Signal) {
    if process(seen.pid).is_some_and(|now| now.start == seen.start)
        && let Some(pid) = Pid::from_raw(seen.pid)
    {
        // It may have ended meanwhile.
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// What is written beside an attempt, so that a later start can end what an earlier one left behind.
#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Record {
    pub(crate) pid: i32,
    pub(crate) start: u64,
    pub(crate) boot: String,
}

impl Record {
    /// The record of a running process.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        Some(Self { pid, start: process(pid)?.start, boot: boot().to_owned() })
    }

    /// The record of this process; where there is no `/proc` it has no start.
    pub(crate) fn of_this_process() -> &'static Self {
        static ME: OnceLock<Record> = OnceLock::new();
        ME.get_or_init(|| {
            let pid = i32::try_from(std::process::id()).unwrap_or(0);
            Self::of(pid).unwrap_or_else(|| Self { pid, start: 0, boot: boot().to_owned() })
        })
    }

    /// Whether the recorded process runs still: same boot, same pid, same start.
    pub(crate) fn still_runs(&self) -> Option<Process> {
        process(self.pid)
            .filter(|now| now.start == self.start && now.life == Life::Alive && self.boot == boot())
    }

    /// Whether the recorded process, one of ours, is gone.
    pub(crate) fn is_of_the_dead(&self) -> bool {
        if self == Self::of_this_process() {
            return false;
        }
        if self.start == 0 {
            // Without `/proc` only a free pid tells.
            let found = Pid::from_raw(self.pid).map(rustix::process::test_kill_process);
            return found == Some(Err(rustix::io::Errno::SRCH));
        }
        self.still_runs().is_none()
    }

    /// Writes it to a file, never through a link.
    pub(crate) fn write(&self, path: &Path) -> std::io::Result<()> {
        rewrite(path, &serde_json::to_vec(self)?)
    }

    pub(crate) fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_brackets_and_spaces_is_read() {
        let stat = "42 (a) R (b c) S 7 42 40 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 999 1 1";
        let process = parse(stat).unwrap();
        assert_eq!((process.pid, process.parent, process.group, process.session), (42, 7, 42, 40));
        assert_eq!((process.start, process.life), (999, Life::Alive));
    }

    #[test]
    fn a_reused_pid_is_not_the_recorded_process() {
        let me = i32::try_from(std::process::id()).unwrap();
        let mut record = Record::of(me).unwrap();
        assert!(record.still_runs().is_some());
        record.start += 1;
        assert!(record.still_runs().is_none());
    }
}
