//! Column types: how times, closed words and structured values stand in a table.

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Serialize, de::DeserializeOwned};

/// A time as an `INTEGER`: nanoseconds since 1970. Times before 1677 or after 2262 become the nearest time inside, so that
/// comparisons stay right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nanos(pub Timestamp);

impl ToSql for Nanos {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let nanos = self.0.as_nanosecond().clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        #[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i64")]
        Ok(ToSqlOutput::from(nanos as i64))
    }
}

impl FromSql for Nanos {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let nanos = i64::column_result(value)?;
        Timestamp::from_nanosecond(i128::from(nanos)).map(Self).map_err(|e| FromSqlError::Other(e.into()))
    }
}

/// A closed word or a validated name as `TEXT`: whatever serialises to one string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<T>(pub T);

impl<T: Serialize> ToSql for Word<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match serde_json::to_value(&self.0) {
            Ok(serde_json::Value::String(word)) => Ok(ToSqlOutput::from(word)),
            Ok(_) => Err(rusqlite::Error::ToSqlConversionFailure("not one word".into())),
            Err(e) => Err(rusqlite::Error::ToSqlConversionFailure(e.into())),
        }
    }
}

impl<T: DeserializeOwned> FromSql for Word<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word = value.as_str()?.to_owned();
        serde_json::from_value(serde_json::Value::String(word))
            .map(Self)
            .map_err(|e| FromSqlError::Other(e.into()))
    }
}

/// A value with structure as `TEXT` holding JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        serde_json::to_string(&self.0)
            .map(ToSqlOutput::from)
            .map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(|e| FromSqlError::Other(e.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use banksman_core::port::LedgerState;
    use rusqlite::Connection;

    #[test]
    fn columns_come_back_as_they_went_in() {
        let db = Connection::open_in_memory().unwrap();
        let time: Timestamp = "2026-01-02T03:04:05.123456789Z".parse().unwrap();
        let row: (Nanos, Word<LedgerState>, Json<Vec<u32>>) = db
            .query_row(
                "SELECT ?1, ?2, ?3",
                (Nanos(time), Word(LedgerState::Settled), Json(vec![1, 2])),
                |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
            )
            .unwrap();
        assert_eq!(row, (Nanos(time), Word(LedgerState::Settled), Json(vec![1, 2])));
    }

    #[test]
    fn far_times_keep_their_order() {
        let db = Connection::open_in_memory().unwrap();
        let later: bool = db
            .query_row("SELECT ?1 > ?2", (Nanos(Timestamp::MAX), Nanos(Timestamp::UNIX_EPOCH)), |r| r.get(0))
            .unwrap();
        assert!(later);
    }
}
