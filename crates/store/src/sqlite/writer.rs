//! The thread that writes. All jobs that wait are carried out in one transaction; one commit makes them durable together; only
//! then are they answered. One that fails undoes itself and not its neighbours: each has a savepoint of its own, or, where all may
//! be run twice, they are first run without.

use super::{DbError, bell::Hammer, pending::Write};
use rusqlite::Connection;
use std::{
    cell::Cell,
    ops::Deref,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};
use tokio::sync::{oneshot, watch};

/// Jobs in one transaction at most, so that the first one does not wait for ever.
const GROUP: usize = 128;

/// How long the thread stays awake after a group.
const AWAKE: Duration = Duration::from_micros(50);

/// What a write survives (S22).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Loss of power. Costs a flush of the disk, shared with everything that waits.
    Acknowledged,
    /// Death of every process; after a loss of power it may have to be done again.
    Restartable,
}

/// Proof of being inside a write transaction; reads and writes like the connection that it is.
pub struct Tx<'c> {
    db: &'c Connection,
    quiet: Cell<bool>,
}

impl<'c> Tx<'c> {
    /// Over a connection of a test.
    #[cfg(test)]
    pub(crate) fn over(db: &'c Connection) -> Self {
        Self { db, quiet: Cell::new(false) }
    }

    /// Says that nobody waits for this write (a heartbeat, an observation): it wakes no [`super::Changes`] in this process.
    pub fn quiet(&self) {
        self.quiet.set(true);
    }
}

impl Deref for Tx<'_> {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        self.db
    }
}

/// What the thread is asked for.
pub(super) enum Job {
    /// To write.
    Write(Durability, Box<dyn Write>),
    /// To look whether another process wrote.
    Look(oneshot::Sender<()>),
}

/// The next job; `None` when nobody can send any more. Whoever was just answered often asks again at once: staying awake for a
/// moment is cheaper for both than sleeping and being woken.
fn next(jobs: &mpsc::Receiver<Job>) -> Option<Job> {
    let until = Instant::now() + AWAKE;
    loop {
        match jobs.try_recv() {
            Ok(job) => return Some(job),
            Err(mpsc::TryRecvError::Disconnected) => return None,
            Err(mpsc::TryRecvError::Empty) if Instant::now() >= until => return jobs.recv().ok(),
            Err(mpsc::TryRecvError::Empty) => thread::yield_now(),
        }
    }
}

/// What became of writes that were run without savepoints.
enum Ran {
    /// All are there; whether somebody is to be told.
    All { loud: bool },
    /// One failed, and nothing of any is there.
    Undone,
}

/// The thread's own state.
pub(super) struct Writer {
    db: Connection,
    durability: Option<Durability>,
    data_version: Option<i64>,
    changed: watch::Sender<u64>,
    hammer: Hammer,
}

impl Writer {
    /// A writer over an open connection; `changed` counts the commits that somebody may wait for, `hammer` tells other processes
    /// of them.
    pub(super) fn new(db: Connection, changed: watch::Sender<u64>, hammer: Hammer) -> Self {
        let mut writer = Self { db, durability: None, data_version: None, changed, hammer };
        writer.look();
        writer
    }

    /// Works until nobody can send any more.
    pub(super) fn run(mut self, jobs: &mpsc::Receiver<Job>) {
        while let Some(first) = next(jobs) {
            let mut group = Vec::new();
            let mut next = Some(first);
            while let Some(job) = next {
                match job {
                    Job::Write(durability, write) => group.push((durability, write)),
                    Job::Look(done) => {
                        self.look();
                        let _ = done.send(());
                    }
                }
                next = if group.len() < GROUP { jobs.try_recv().ok() } else { None };
            }
            if !group.is_empty() {
                self.write(group);
            }
        }
    }

    fn write(&mut self, group: Vec<(Durability, Box<dyn Write>)>) {
        let durability = if group.iter().any(|(d, _)| *d == Durability::Acknowledged) {
            Durability::Acknowledged
        } else {
            Durability::Restartable
        };
        let mut writes: Vec<_> = group.into_iter().map(|(_, write)| write).collect();
        let result = self.transact(durability, &mut writes);
        if let Err(error) = &result {
            tracing::warn!(error = %error, source = ?std::error::Error::source(error), "a group of writes failed");
        }
        for write in writes {
            write.answer(result.clone());
        }
    }

    /// Runs the writes in one transaction and commits.
    fn transact(&mut self, durability: Durability, writes: &mut [Box<dyn Write>]) -> Result<(), DbError> {
        self.switch(durability)?;
        let loud = if writes.len() == 1 {
            match self.run_lightly(writes)? {
                Ran::All { loud } => loud,
                Ran::Undone => return Ok(()),
            }
        } else if writes.iter().all(|write| write.is_repeatable()) {
            match self.run_lightly(writes)? {
                Ran::All { loud } => loud,
                Ran::Undone => self.run_carefully(writes)?,
            }
        } else {
            self.run_carefully(writes)?
        };
        self.step("COMMIT").map_err(|error| self.undo(error))?;
        if loud {
            self.changed.send_modify(|count| *count += 1);
            self.hammer.ring();
        }
        Ok(())
    }

    /// Runs the writes without a way to undo one of them alone: when one fails after it changed something, all are undone.
    fn run_lightly(&mut self, writes: &mut [Box<dyn Write>]) -> Result<Ran, DbError> {
        self.step("BEGIN IMMEDIATE")?;
        let (mut loud, alone) = (false, writes.len() == 1);
        for write in writes {
            let tx = Tx { db: &self.db, quiet: Cell::new(false) };
            let before = self.db.total_changes();
            let keep = write.run(&tx);
            // Some failures (I/O, no memory) make SQLite undo the whole transaction at once.
            if self.db.is_autocommit() {
                return if keep && alone { Err(DbError::Undone) } else { Ok(Ran::Undone) };
            }
            if !keep && self.db.total_changes() != before {
                self.step("ROLLBACK")?;
                return Ok(Ran::Undone);
            }
            loud |= keep && !tx.quiet.get();
        }
        Ok(Ran::All { loud })
    }

    /// Runs each write in a savepoint of its own; whether one that stays is loud.
    fn run_carefully(&mut self, writes: &mut [Box<dyn Write>]) -> Result<bool, DbError> {
        self.step("BEGIN IMMEDIATE")?;
        let mut loud = false;
        for write in writes {
            let tx = Tx { db: &self.db, quiet: Cell::new(false) };
            let result = self.step("SAVEPOINT job").map(|()| write.run(&tx));
            // Some failures (I/O, no memory) make SQLite undo the whole transaction at once.
            if self.db.is_autocommit() {
                return Err(DbError::Undone);
            }
            let kept = result.and_then(|keep| {
                if !keep {
                    self.step("ROLLBACK TO job")?;
                }
                self.step("RELEASE job").map(|()| keep)
            });
            match kept {
                Ok(keep) => loud |= keep && !tx.quiet.get(),
                Err(error) => return Err(self.undo(error)),
            }
        }
        Ok(loud)
    }

    fn undo(&self, error: DbError) -> DbError {
        if !self.db.is_autocommit()
            && let Err(e) = self.step("ROLLBACK")
        {
            tracing::error!(error = %e, "cannot roll back");
        }
        error
    }

    fn step(&self, sql: &str) -> Result<(), DbError> {
        Ok(self.db.prepare_cached(sql)?.execute([]).map(|_| ())?)
    }

    /// `synchronous` cannot change inside a transaction, so it is chosen for the group before it begins.
    fn switch(&mut self, durability: Durability) -> Result<(), DbError> {
        if self.durability != Some(durability) {
            self.db.execute_batch(match durability {
                Durability::Acknowledged => "PRAGMA synchronous = FULL",
                Durability::Restartable => "PRAGMA synchronous = NORMAL",
            })?;
            self.durability = Some(durability);
        }
        Ok(())
    }

    /// On this connection the version changes only when somebody else commits.
    fn look(&mut self) {
        match self.db.pragma_query_value(None, "data_version", |row| row.get(0)) {
            Ok(version) => {
                if self.data_version.replace(version).is_some_and(|before| before != version) {
                    self.changed.send_modify(|count| *count += 1);
                }
            }
            Err(error) => tracing::warn!(error = %error, "cannot look for changes"),
        }
    }
}
