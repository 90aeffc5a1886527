//! The thread of one process group: starts it, takes its output, presses it to end when it has to, reaps it.

use super::{
    Ended, Input, Launch, Launched, STOP, Spent,
    end::Family,
    exit::Exit,
    output::{Left, Output, Stream, Streams},
    ready::wait,
};
use crate::procs;
use banksman_core::work::SandboxLevel;
use rustix::process::Pid;
use std::{
    fs::File,
    io::{self, Read},
    os::unix::{
        net::UnixStream,
        process::{CommandExt, ExitStatusExt},
    },
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use wait4::Wait4;

/// Longest time limit that is kept: a larger one would not fit the clock.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// How long output may still come after the last process ended: a pipe that something unkillable holds open stops nobody.
const AFTERWARDS: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    TimedOut,
    OverBudget,
    Stopped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Runs,
    /// TERM was sent.
    Terminating(Why),
    /// KILL was sent.
    Killing(Why),
    /// The launcher of the sandbox was killed as well; nothing more can be done.
    Killed(Why),
}

/// Runs it to its end.
pub(super) fn supervise(launch: Launch, mut output: Output, told: &UnixStream) -> io::Result<Launched> {
    let Launch { timeout, grace, budget, level, .. } = launch;
    let record = launch.record.clone();
    let mut running = Running::start(launch)?;
    write_record(running.pid, &record)?;
    let exit = Exit::of(running.pid)?;
    let mut told = Some(told);
    let mut phase = Phase::Runs;
    let mut deadline = Instant::now() + timeout.min(LONGEST);
    loop {
        let streams = &running.streams;
        let ready = wait(Some(&exit), told, streams.out(), streams.err(), deadline)?;
        if ready.out {
            running.streams.take(Stream::Out, &mut output);
        }
        if ready.err {
            running.streams.take(Stream::Err, &mut output);
        }
        if ready.exit {
            break;
        }
        let mut pressed = None;
        if ready.told {
            match listen(&mut told) {
                Told::Stop => pressed = Some(Why::Stopped),
                Told::Gone => running.kill_at_once(),
                Told::Nothing => {}
            }
        }
        if ready.out && phase == Phase::Runs && output.within(&budget) == Left::None {
            pressed = pressed.or(Some(Why::OverBudget));
        }
        if Instant::now() >= deadline && !matches!(phase, Phase::Killed(_)) {
            pressed = pressed.or(Some(Why::TimedOut));
        } else if phase != Phase::Runs {
            pressed = None;
        }
        if let Some(why) = pressed {
            let pause;
            (phase, pause) = running.press(phase, why, grace);
            deadline = Instant::now() + pause;
        } else if matches!(phase, Phase::Killed(_)) && Instant::now() >= deadline {
            deadline = Instant::now() + grace.max(AFTERWARDS);
        }
    }
    let (mut streams, spent) = running.finish(level)?;
    take_rest(&mut streams, &mut output)?;
    let Output { log, mut usage, recent } = output;
    // The last line may lack its end.
    usage.feed(b"\n");
    let limited = usage.limited();
    Ok(Launched { ended: ended_how(phase, spent), spent, usage: usage.finish(), limited, log, recent })
}

/// What was left in the pipes.
fn take_rest(streams: &mut Streams, output: &mut Output) -> io::Result<()> {
    let until = Instant::now() + AFTERWARDS;
    while !streams.are_over() && Instant::now() < until {
        let ready = wait(None, None, streams.out(), streams.err(), until)?;
        if ready.out {
            streams.take(Stream::Out, output);
        }
        if ready.err {
            streams.take(Stream::Err, output);
        }
    }
    Ok(())
}

enum Told {
    Stop,
    Gone,
    Nothing,
}

fn listen(told: &mut Option<&UnixStream>) -> Told {
    let mut byte = [0];
    match told.map(|mut stream| stream.read(&mut byte)) {
        Some(Ok(1)) if byte == [STOP] => Told::Stop,
        Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => Told::Nothing,
        Some(_) => {
            *told = None;
            Told::Gone
        }
        None => Told::Nothing,
    }
}

fn ended_how(phase: Phase, spent: Spent) -> Ended {
    match (phase, spent.signal, spent.exit_code) {
        (Phase::Runs, Some(signal), _) => Ended::Signalled(signal),
        (Phase::Runs, None, code) => Ended::Exited(code.unwrap_or(-1)),
        (Phase::Terminating(why) | Phase::Killing(why) | Phase::Killed(why), ..) => match why {
            Why::TimedOut => Ended::TimedOut,
            Why::OverBudget => Ended::OverBudget,
            Why::Stopped => Ended::Stopped,
        },
    }
}

/// A started process group. Dropping it kills all of it.
struct Running {
    child: Child,
    pid: Pid,
    family: Option<Family>,
    streams: Streams,
}

impl Running {
    fn start(launch: Launch) -> io::Result<Self> {
        let mut command = Command::new(&launch.argv.program);
        command.args(&launch.argv.args).env_clear().envs(launch.env.iter().map(|(n, v)| (n, v)));
        command.env(procs::MARK, &launch.mark).current_dir(&launch.cwd).process_group(0);
        let stdin = match &launch.input {
            Input::File(path) => Stdio::from(File::open(path)?),
            Input::Empty => Stdio::null(),
            Input::Talk(_) => Stdio::piped(),
        };
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let pid = Pid::from_child(&child);
        let family = Family::new(pid, launch.mark, launch.level);
        let mut listener = None;
        if let (Input::Talk(talk), Some(stdin)) = (launch.input, child.stdin.take()) {
            // Whoever does not want it any more lets the process see the end of its input.
            let _ = talk.input.send(stdin);
            listener = Some(talk.output);
        }
        let streams = Streams::new(child.stdout.take(), child.stderr.take(), listener);
        Ok(Self { child, pid, family: Some(family), streams })
    }

    /// The next degree of force, and how long to wait for its effect.
    fn press(&self, phase: Phase, why: Why, grace: Duration) -> (Phase, Duration) {
        let Some(family) = &self.family else { return (phase, grace) };
        match phase {
            Phase::Runs => {
                family.terminate();
                (Phase::Terminating(why), grace)
            }
            Phase::Terminating(why) => {
                family.kill();
                (Phase::Killing(why), Duration::from_secs(1))
            }
            Phase::Killing(why) | Phase::Killed(why) => {
                family.kill();
                family.kill_group();
                (Phase::Killed(why), grace)
            }
        }
    }

    fn kill_at_once(&self) {
        if let Some(family) = &self.family {
            family.kill();
            family.kill_group();
        }
    }

    /// After the leader ended: kills the rest of its group while its id is still taken, reaps it, ends runaways.
    fn finish(mut self, level: SandboxLevel) -> io::Result<(Streams, Spent)> {
        let Some(family) = self.family.take() else { return Err(io::Error::other("finished twice")) };
        family.kill_group();
        let waited = self.child.wait4()?;
        let survivors = family.extinguish();
        if survivors > 0 {
            tracing::error!(survivors, "processes of an attempt could not be ended");
        }
        // The shell in front of a confined engine tells of a signal by its code.
        let told_by_shell =
            waited.status.code().filter(|code| *code > 128 && level == SandboxLevel::Bubblewrap);
        let signal = waited.status.signal().or(told_by_shell.map(|code| code - 128));
        let cpu = waited.rusage.utime + waited.rusage.stime;
        let spent = Spent {
            exit_code: waited.status.code().filter(|_| signal.is_none()),
            signal,
            cpu_ms: u64::try_from(cpu.as_millis()).unwrap_or(u64::MAX),
            peak_kib: waited.rusage.maxrss >> 10,
        };
        let empty = Streams::new(None, None, None);
        Ok((std::mem::replace(&mut self.streams, empty), spent))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(family) = self.family.take() {
            family.kill();
            family.kill_group();
            let _ = self.child.wait();
            family.extinguish();
        }
    }
}

fn write_record(pid: Pid, path: &Path) -> io::Result<()> {
    match procs::Record::of(pid.as_raw_nonzero().get()) {
        Some(record) => record.write(path),
        None => Ok(()),
    }
}
