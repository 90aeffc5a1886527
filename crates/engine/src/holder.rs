//! Who holds a claim, as text: `<host>/<pid>/<start>/<part>`, of a home with `@<home>` behind it. Made and read here alone, so that any process of a host can tell whether
//! another one of it still lives (Q13).
//!
//! The start names the clock ticks since boot, the boot and the PID namespace: a reused pid, another machine of the same name and
//! another container on this one are never taken for the process that was meant. Of those only the lease tells, and so it is with
//! processes of another home: what they left running cannot be found from here.

use crate::procs::{self, Record};
use banksman_core::{
    port::{Hosts, Life},
    text::Holder,
};
use sha2::{Digest, Sha256};
use std::{fs, os::unix::ffi::OsStrExt, path::Path, sync::OnceLock};

/// Longest name of a host that is kept.
const MAX_HOST: usize = 64;

/// Longest name of a part that is kept.
const MAX_PART: usize = 40;

/// The host that this process runs on, seen from a home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThisHost {
    home: String,
}

impl ThisHost {
    /// Seen from this home.
    pub fn of(home: &Path) -> Self {
        Self { home: fingerprint(home) }
    }
}

/// The holder text of a part of this process that works in a home: what it leaves running lies there.
pub fn holder_in(home: &Path, part: &str) -> Holder {
    let text = format!("{}@{}", holder(part), fingerprint(home));
    // Its parts are bounded and printable.
    #[expect(clippy::expect_used, reason = "every part of it was made plain")]
    Holder::new(&text).expect("a holder text is valid")
}

/// A word that tells the homes of all hosts apart, as good as surely.
pub(crate) fn fingerprint(home: &Path) -> String {
    let home = home.canonicalize().unwrap_or_else(|_| home.to_owned());
    let digest = Sha256::digest(home.as_os_str().as_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The holder text of a part of this process, such as `worker`. Of the part at most 40 letters, digits, `-`, `_` and `.` are kept.
pub fn holder(part: &str) -> Holder {
    let me = Record::of_this_process();
    let text = format!("{}/{}/{}/{}", host(), me.pid, start(me.start), plain(part, MAX_PART));
    // Its parts are bounded and printable.
    #[expect(clippy::expect_used, reason = "every part of it was made plain")]
    Holder::new(&text).expect("a holder text is valid")
}

impl Hosts for ThisHost {
    fn life(&self, holder: &Holder) -> Life {
        let mut parts = holder.as_str().split('/');
        let (Some(name), Some(Ok(pid)), Some(started)) =
            (parts.next(), parts.next().map(str::parse::<i32>), parts.next())
        else {
            return Life::Elsewhere;
        };
        let another_home = holder.as_str().rsplit_once('@').is_some_and(|(_, home)| home != self.home);
        if name != host() || pid <= 0 || another_home {
            return Life::Elsewhere;
        }
        match started.split_once('-') {
            Some((ticks, place)) if place == self::place() => life(pid, ticks),
            _ => Life::Elsewhere,
        }
    }
}

fn life(pid: i32, ticks: &str) -> Life {
    if Record::of_this_process().start == 0 {
        // Without `/proc` a reused pid cannot be told; it is taken for the process, and the lease decides.
        let found = rustix::process::Pid::from_raw(pid).map(rustix::process::test_kill_process);
        return if found == Some(Err(rustix::io::Errno::SRCH)) { Life::Gone } else { Life::Alive };
    }
    match procs::process(pid) {
        Some(found) if found.life == procs::Life::Alive && found.start.to_string() == ticks => Life::Alive,
        _ => Life::Gone,
    }
}

fn start(ticks: u64) -> String {
    format!("{ticks}-{}", place())
}

/// The name of this host, made plain.
fn host() -> &'static str {
    static HOST: OnceLock<String> = OnceLock::new();
    HOST.get_or_init(|| {
        let uname = rustix::system::uname();
        plain(&uname.nodename().to_string_lossy(), MAX_HOST)
    })
}

/// Where pids mean the same as here: this boot and this PID namespace.
fn place() -> &'static str {
    static PLACE: OnceLock<String> = OnceLock::new();
    PLACE.get_or_init(|| {
        let boot: String = procs::boot().chars().filter(char::is_ascii_alphanumeric).take(12).collect();
        let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        let namespace: String = namespace.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
        format!("{boot}.{namespace}")
    })
}

fn plain(text: &str, max: usize) -> String {
    let kept = text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let kept: String = kept.take(max).collect();
    if kept.is_empty() { "unnamed".into() } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_its_reused_pid_does_not() {
        let here = ThisHost::of(Path::new("/home/one"));
        let me = holder("worker/../ 1");
        assert!(me.as_str().ends_with("/worker..1"));
        assert_eq!(here.life(&me), Life::Alive);
        let Record { pid, start: ticks, .. } = Record::of_this_process();
        let other = |host: &str, ticks: u64, place: &str| {
            here.life(&Holder::new(&format!("{host}/{pid}/{ticks}-{place}/worker")).unwrap())
        };
        assert_eq!(other(host(), ticks + 1, place()), Life::Gone);
        assert_eq!(other(host(), *ticks, "another.1"), Life::Elsewhere);
        assert_eq!(here.life(&holder_in(Path::new("/home/one"), "worker")), Life::Alive);
        assert_eq!(here.life(&holder_in(Path::new("/home/two"), "worker")), Life::Elsewhere);
        assert_eq!(other("elsewhere", *ticks, place()), Life::Elsewhere);
        assert_eq!(here.life(&Holder::new("simulated").unwrap()), Life::Elsewhere);
    }

    #[test]
    fn a_process_that_ended_is_gone() {
        let here = ThisHost::of(Path::new("/home/one"));
        let mut child = std::process::Command::new("/bin/true").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let ticks = procs::process(pid).unwrap().start;
        let text = format!("{}/{pid}/{}/worker", host(), start(ticks));
        // Ended but not reaped is ended too.
        while procs::process(pid).is_some_and(|p| p.life == procs::Life::Alive) {
            std::thread::yield_now();
        }
        assert_eq!(here.life(&Holder::new(&text).unwrap()), Life::Gone);
        child.wait().unwrap();
        assert_eq!(here.life(&Holder::new(&text).unwrap()), Life::Gone);
    }
}
