//! The thread that writes. All jobs that wait are carried out in one transaction, each inside a savepoint of its own; one
//! commit makes them durable together; only then are they answered.

use super::{DbError, bell::Hammer};
use rusqlite::Connection;
use std::{
    cell::Cell,
    ops::Deref,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
};
use tokio::sync::{oneshot, watch};

/// Jobs in one transaction at most, so that the first one does not wait for ever.
const GROUP: usize = 128;

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

/// A write with its type of answer forgotten.
pub(super) trait Write: Send {
    /// Runs the closure and keeps its result; whether its changes are to stay.
    fn run(&mut self, tx: &Tx<'_>) -> bool;
    /// Hands the result over, or the reason why the group was not committed.
    fn answer(self: Box<Self>, group: Result<(), DbError>);
}

/// A write that waits.
pub(super) struct Pending<F, T, E> {
    work: Option<F>,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Pending<F, T, E> {
    /// A write and where its answer goes.
    pub(super) fn new(work: F, reply: oneshot::Sender<Result<T, E>>) -> Self {
        Self { work: Some(work), result: None, reply }
    }
}

impl<F, T, E> Write for Pending<F, T, E>
where
    F: FnOnce(&Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<DbError> + Send,
{
    fn run(&mut self, tx: &Tx<'_>) -> bool {
        let Some(work) = self.work.take() else { return false };
        // A panic must not take the thread with it: the other writes of the group are innocent.
        self.result = catch_unwind(AssertUnwindSafe(|| work(tx))).ok();
        matches!(self.result, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, group: Result<(), DbError>) {
        let result = match (self.result, group) {
            (Some(Err(own)), _) => Err(own),
            (_, Err(group)) => Err(group.into()),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(DbError::Undone.into()),
        };
        // Nobody waits any more: the caller went away. The write stands all the same.
        let _ = self.reply.send(result);
    }
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
        while let Ok(first) = jobs.recv() {
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
        let mut ran = Vec::with_capacity(group.len());
        let mut waiting = group.into_iter().map(|(_, write)| write);
        let result = self.transact(durability, &mut waiting, &mut ran);
        if let Err(error) = &result {
            tracing::warn!(error = %error, source = ?std::error::Error::source(error), "a group of writes failed");
        }
        for write in ran.into_iter().chain(waiting) {
            write.answer(result.clone());
        }
    }

    /// Runs the writes in one transaction and commits; those that were run are moved to `ran`.
    fn transact(
        &mut self,
        durability: Durability,
        waiting: &mut dyn Iterator<Item = Box<dyn Write>>,
        ran: &mut Vec<Box<dyn Write>>,
    ) -> Result<(), DbError> {
        self.switch(durability)?;
        self.step("BEGIN IMMEDIATE")?;
        let mut loud = false;
        for mut write in waiting {
            let tx = Tx { db: &self.db, quiet: Cell::new(false) };
            let result = self.step("SAVEPOINT job").map(|()| write.run(&tx));
            ran.push(write);
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
        self.step("COMMIT").map_err(|error| self.undo(error))?;
        if loud {
            self.changed.send_modify(|count| *count += 1);
            self.hammer.ring();
        }
        Ok(())
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
