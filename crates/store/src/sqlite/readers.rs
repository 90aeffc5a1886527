//! The few connections that read beside the writer. Each read sees one snapshot and disturbs nobody.

use super::{DbError, schema};
use rusqlite::Connection;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{sync::Semaphore, task};

/// Reads at one time; more wait. A connection costs a few hundred kilobytes.
const AT_ONCE: usize = 4;

/// Idle read-only connections.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    room: Semaphore,
}

impl Readers {
    /// Opens nothing yet.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::default(), room: Semaphore::new(AT_ONCE) }
    }

    /// Runs a closure over one snapshot, on a thread that may block.
    pub(super) async fn read<T, E>(
        self: &Arc<Self>,
        query: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        // The semaphore is never closed; without a permit there would only be one connection more.
        let _permit = self.room.acquire().await.ok();
        let readers = Arc::clone(self);
        let task = task::spawn_blocking(move || {
            let db = readers.take()?;
            let result = {
                let _snapshot = db.unchecked_transaction().map_err(DbError::from)?;
                query(&db)
            };
            readers.put(db);
            result
        });
        match task.await {
            Ok(result) => result,
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(DbError::Undone.into()),
            },
        }
    }

    /// Closes the idle connections, so that the writer is the last one and leaves a file without a log behind.
    pub(super) fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn take(&self) -> Result<Connection, DbError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| schema::open_reader(&self.path), Ok)
    }

    fn put(&self, db: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(db);
    }
}
