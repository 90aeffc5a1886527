//! The items of the embedded tracker in a SQLite file of their own (`tracker.db`). `rows` holds the statements, one function each.

mod rows;

use crate::sqlite::{Database, DbError, Durability::Acknowledged, Schema, Tx};
use banksman_core::{
    port::tracker::{Change, ItemBook, ItemBookError, ItemRecord, ItemSelect, NewItem},
    tainted::Tainted,
    text::ItemId,
};
use jiff::Timestamp;
use rusqlite::Connection;
use std::path::Path;

const SCHEMA: Schema = Schema { name: "tracker", id: 0x0062_6b74, migrations: &[include_str!("schema.sql")] };

/// The items. Cheap to clone.
#[derive(Clone)]
pub struct SqliteItems {
    db: Database,
}

impl SqliteItems {
    /// Opens or makes the file. Blocks for some milliseconds.
    pub fn open(path: &Path) -> Result<Self, DbError> {
        Ok(Self { db: Database::open(path, &SCHEMA)? })
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, ItemBookError> {
        self.db.write(Acknowledged, work).await.map_err(Trouble::into_port)
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, ItemBookError> {
        self.db.read(query).await.map_err(Trouble::into_port)
    }
}

impl ItemBook for SqliteItems {
    async fn make(&self, item: NewItem) -> Result<ItemId, ItemBookError> {
        self.write(move |tx| rows::make(tx, item)).await
    }

    async fn item(&self, id: &ItemId) -> Result<ItemRecord, ItemBookError> {
        let id = id.clone();
        self.read(move |db| rows::item(db, &id)).await
    }

    async fn items(&self, which: &ItemSelect) -> Result<(Vec<ItemRecord>, Option<u64>), ItemBookError> {
        let which = which.clone();
        self.read(move |db| rows::items(db, &which)).await
    }

    async fn change(&self, id: &ItemId, change: Change) -> Result<ItemRecord, ItemBookError> {
        let id = id.clone();
        self.write(move |tx| rows::change(tx, &id, change)).await
    }

    async fn comment(&self, id: &ItemId, body: Tainted, at: Timestamp) -> Result<u64, ItemBookError> {
        let id = id.clone();
        self.write(move |tx| rows::comment(tx, &id, body, at)).await
    }

    async fn comments(&self, id: &ItemId) -> Result<Vec<(Timestamp, Tainted)>, ItemBookError> {
        let id = id.clone();
        self.read(move |db| rows::comments(db, &id)).await
    }
}

/// Why a transaction was undone.
#[derive(Debug)]
enum Trouble {
    /// The database.
    Db(DbError),
    /// The book's own rules.
    Refused(ItemBookError),
}

impl Trouble {
    fn into_port(self) -> ItemBookError {
        match self {
            Self::Refused(why) => why,
            Self::Db(DbError::Full) => ItemBookError::Full,
            Self::Db(error) => {
                tracing::warn!(error = %error, "the tracker's database failed");
                ItemBookError::Failed(error.to_string())
            }
        }
    }
}

impl From<DbError> for Trouble {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Db(error.into())
    }
}
