//! The handle to one database file.

use super::{
    Changes, DbError, Durability, Schema, Tx,
    bell::Bell,
    pending::Pending,
    readers::Readers,
    schema,
    writer::{Job, Writer},
};
use rusqlite::Connection;
use std::{
    path::Path,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
};
use tokio::sync::{oneshot, watch};

/// An open database. Cheap to clone; the last clone that is dropped waits for the writes under way and closes the file.
#[derive(Clone)]
pub struct Database(Arc<Open>);

struct Open {
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    readers: Arc<Readers>,
    bell: Arc<Bell>,
    changed: watch::Receiver<u64>,
}

impl Database {
    /// Opens or makes the file and brings its schema up to date. Blocks for some milliseconds. Other processes may have the
    /// same file open or open it at the same time.
    pub fn open(path: &Path, schema: &Schema) -> Result<Self, DbError> {
        let writer = schema::open_writer(path, schema)?;
        let (jobs, waiting) = mpsc::channel();
        let (changed, seen) = watch::channel(0);
        let bell = Bell::new(path);
        let writer = Writer::new(writer, changed, bell.hammer());
        let thread = thread::Builder::new()
            .name(format!("{}-db", schema.name))
            .spawn(move || writer.run(&waiting))
            .map_err(|e| DbError::Sql(Arc::new(rusqlite::Error::ToSqlConversionFailure(e.into()))))?;
        Ok(Self(Arc::new(Open {
            jobs: Some(jobs),
            writer: Some(thread),
            readers: Arc::new(Readers::new(path.to_owned())),
            bell: Arc::new(bell),
            changed: seen,
        })))
    }

    /// Runs a closure inside a write transaction and answers after its commit. An error undoes what the closure wrote and
    /// nothing else. Once this future was polled the write is carried out, even if the future is dropped.
    pub async fn write<T, E>(
        &self,
        durability: Durability,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Write(durability, Box::new(Pending::once(work, reply))));
        answer.await.unwrap_or_else(|_| Err(DbError::Undone.into()))
    }

    /// The same for a closure that may be run twice, the second time as if the first had not been: it needs no savepoint, which
    /// makes it cheaper.
    pub async fn write_repeatable<T, E>(
        &self,
        durability: Durability,
        work: impl Fn(&Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Write(durability, Box::new(Pending::repeatable(work, reply))));
        answer.await.unwrap_or_else(|_| Err(DbError::Undone.into()))
    }

    /// Runs a closure over one snapshot of the database, beside the writer. Sees every write that was answered before.
    pub async fn read<T, E>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.0.readers.read(query).await
    }

    /// A stream of wake-ups that begins now.
    pub fn changes(&self) -> Changes {
        let mut seen = self.0.changed.clone();
        seen.mark_unchanged();
        Changes::new(self.clone(), Arc::clone(&self.0.bell), seen)
    }

    /// Lets the writer look whether another process committed.
    pub(super) async fn look(&self) {
        let (done, looked) = oneshot::channel();
        self.send(Job::Look(done));
        let _ = looked.await;
    }

    fn send(&self, job: Job) {
        // The thread ends only after the last handle is gone; should it have died, the dropped job answers by itself.
        if let Some(jobs) = &self.0.jobs {
            let _ = jobs.send(job);
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.readers.close();
        drop(self.jobs.take());
        if let Some(thread) = self.writer.take()
            // The last handle may have been inside a write's closure.
            && thread.thread().id() != thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the writer of the database panicked");
        }
    }
}
