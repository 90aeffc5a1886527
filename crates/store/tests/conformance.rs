//! SQLite passes the suite that every store passes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use banksman_store::SqliteStore;
use std::ops::Deref;
use tempfile::TempDir;

/// A store in a folder that goes with it.
struct Fresh {
    store: SqliteStore,
    _dir: TempDir,
}

impl Deref for Fresh {
    type Target = SqliteStore;
    fn deref(&self) -> &SqliteStore {
        &self.store
    }
}

async fn open() -> Fresh {
    let dir = tempfile::tempdir().unwrap();
    Fresh { store: SqliteStore::open(&dir.path().join("store.db")).unwrap(), _dir: dir }
}

fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

banksman_store::store_conformance!(open, block_on);
banksman_store::training_conformance!(open, block_on);
