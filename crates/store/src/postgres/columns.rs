//! Column types: how times, numbers, closed words and structured values stand in a table, as on SQLite.

use super::error::Stop;
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use std::error::Error;
use tokio_postgres::{
    Row,
    types::{FromSql, FromSqlOwned, IsNull, ToSql, Type, accepts, private::BytesMut, to_sql_checked},
};

/// A time as a `bigint`: nanoseconds since 1970, cut off at the ends of its range so that comparisons stay right.
pub(super) fn nanos(time: Timestamp) -> i64 {
    let nanos = time.as_nanosecond().clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    #[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i64")]
    let nanos = nanos as i64;
    nanos
}

/// A time from its column.
pub(super) fn time(nanos: i64) -> Timestamp {
    // Every i64 of nanoseconds is inside the range of the type.
    Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A number as a `bigint`; ids and tokens never come near its end.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number from its column; CHECK constraints keep them positive.
pub(super) fn uint(number: i64) -> u64 {
    number.unsigned_abs()
}

/// A closed word or a validated name as text: whatever serialises to one string.
pub(super) fn word<T: Serialize>(value: &T) -> Result<String, Stop> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(Stop::Shape("not one word")),
    }
}

/// The value that a word stands for.
pub(super) fn from_word<T: DeserializeOwned>(word: &str, column: &'static str) -> Result<T, Stop> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).map_err(|_| Stop::Shape(column))
}

/// A value as JSON text.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String, Stop> {
    serde_json::to_string(value).map_err(|_| Stop::Shape("no JSON"))
}

/// A value with structure in a column of type `json`, which keeps its text as it is.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize + std::fmt::Debug> ToSql for Json<T> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&serde_json::to_vec(&self.0)?);
        Ok(IsNull::No)
    }

    accepts!(JSON);
    to_sql_checked!();
}

impl<'r, T: DeserializeOwned> FromSql<'r> for Json<T> {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(serde_json::from_slice(raw)?))
    }

    accepts!(JSON);
}

/// Reads columns of a row by number, in domain types.
pub(super) trait Columns {
    /// Whatever the driver knows.
    fn col<T: FromSqlOwned>(&self, column: usize) -> Result<T, Stop>;

    /// A closed word or a validated name.
    fn word<T: DeserializeOwned>(&self, column: usize, name: &'static str) -> Result<T, Stop> {
        from_word(&self.col::<String>(column)?, name)
    }

    /// The same, or nothing.
    fn maybe_word<T: DeserializeOwned>(&self, column: usize, name: &'static str) -> Result<Option<T>, Stop> {
        self.col::<Option<String>>(column)?.map(|word| from_word(&word, name)).transpose()
    }

    /// A value with structure.
    fn json<T: DeserializeOwned>(&self, column: usize) -> Result<T, Stop> {
        Ok(self.col::<Json<T>>(column)?.0)
    }

    /// A time.
    fn time(&self, column: usize) -> Result<Timestamp, Stop> {
        Ok(time(self.col(column)?))
    }

    /// A time, or nothing.
    fn maybe_time(&self, column: usize) -> Result<Option<Timestamp>, Stop> {
        Ok(self.col::<Option<i64>>(column)?.map(time))
    }

    /// An id or a count.
    fn uint(&self, column: usize) -> Result<u64, Stop> {
        Ok(uint(self.col(column)?))
    }

    /// A small count, in a column of type `integer`.
    fn count(&self, column: usize) -> Result<u32, Stop> {
        Ok(self.col::<i32>(column)?.unsigned_abs())
    }
}

impl Columns for Row {
    fn col<T: FromSqlOwned>(&self, column: usize) -> Result<T, Stop> {
        Ok(self.try_get(column)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back_as_they_went_in() {
        let at: Timestamp = "2026-01-02T03:04:05.123456789Z".parse().unwrap();
        assert_eq!(time(nanos(at)), at);
        assert!(nanos(Timestamp::MAX) > nanos(at) && nanos(Timestamp::MIN) < nanos(at));
    }
}
