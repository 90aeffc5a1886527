//! Columns of the book as values of the domain.

use crate::sqlite::{Nanos, Word};
use banksman_core::{
    id::{ActorId, Number},
    intent::Step,
    port::book::Account,
    tainted::Tainted,
};
use jiff::Timestamp;
use rusqlite::{Row, RowIndex, types::FromSql};
use serde::de::DeserializeOwned;

/// Reading a column as what it means.
pub(super) trait Columns {
    /// An id.
    fn id<I: RowIndex>(&self, at: I) -> rusqlite::Result<u64>;
    /// A number.
    fn number<I: RowIndex>(&self, at: I) -> rusqlite::Result<Number> {
        self.id(at).map(Number)
    }
    /// A time.
    fn time<I: RowIndex>(&self, at: I) -> rusqlite::Result<Timestamp>;
    /// A name or closed word.
    fn word<I: RowIndex, T: DeserializeOwned>(&self, at: I) -> rusqlite::Result<T>;
    /// Text from outside.
    fn tainted<I: RowIndex>(&self, at: I) -> rusqlite::Result<Tainted>;
    /// An account out of two columns.
    fn account(&self, id: usize, login: usize) -> rusqlite::Result<Account> {
        Ok(Account { id: ActorId(self.id(id)?), login: self.word(login)? })
    }
    /// A column that may be empty.
    fn maybe<I: RowIndex, T: FromSql>(&self, at: I) -> rusqlite::Result<Option<T>>;
}

impl Columns for Row<'_> {
    fn id<I: RowIndex>(&self, at: I) -> rusqlite::Result<u64> {
        self.get(at)
    }
    fn time<I: RowIndex>(&self, at: I) -> rusqlite::Result<Timestamp> {
        self.get(at).map(|Nanos(time)| time)
    }
    fn word<I: RowIndex, T: DeserializeOwned>(&self, at: I) -> rusqlite::Result<T> {
        self.get(at).map(|Word(word)| word)
    }
    fn tainted<I: RowIndex>(&self, at: I) -> rusqlite::Result<Tainted> {
        self.get(at).map(Tainted::new)
    }
    fn maybe<I: RowIndex, T: FromSql>(&self, at: I) -> rusqlite::Result<Option<T>> {
        self.get(at)
    }
}

/// The step that made a row, as it stands in `made_by`.
pub(super) fn made_by(step: &Step) -> Result<String, super::Trouble> {
    serde_json::to_string(step).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)).into())
}
