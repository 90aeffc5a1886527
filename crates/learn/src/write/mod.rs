//! Writers of tables: JSON lines, CSV and Parquet. Each gives the same bytes for the same rows: no time of writing, no name of a host and no
//! order of a hash table is in them.

mod csv;
mod digest;
mod jsonl;
mod parquet;

pub use digest::{Digest, Digesting};
pub use parquet::CREATED_BY;

use crate::table::{Cell, Column};
use serde::Serialize;
use std::io::{self, Write};

/// Form of the files of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// RFC 4180, with a head.
    Csv,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// End of the files' names.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    /// Media type of the files.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jsonl => "application/jsonlines",
            Self::Csv => "text/csv",
            Self::Parquet => "application/x-parquet",
        }
    }
}

/// Writes one table.
pub(crate) enum TableWriter<W: Write> {
    Jsonl(jsonl::Jsonl<W>),
    Csv(csv::Csv<W>),
    Parquet(Box<parquet::Parquet<W>>),
}

impl<W: Write> TableWriter<W> {
    /// Begins a table.
    pub(crate) fn begin(format: Format, name: &str, columns: Vec<Column>, out: W) -> io::Result<Self> {
        Ok(match format {
            Format::Jsonl => Self::Jsonl(jsonl::Jsonl::new(columns, out)),
            Format::Csv => Self::Csv(csv::Csv::begin(&columns, out)?),
            Format::Parquet => Self::Parquet(Box::new(parquet::Parquet::begin(name, columns, out)?)),
        })
    }

    /// Writes a row: one cell for each column.
    pub(crate) fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        match self {
            Self::Jsonl(table) => table.row(cells),
            Self::Csv(table) => table.row(cells),
            Self::Parquet(table) => table.row(cells),
        }
    }

    /// Ends the table; gives back where it was written.
    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Self::Jsonl(table) => Ok(table.finish()),
            Self::Csv(table) => Ok(table.finish()),
            Self::Parquet(table) => table.finish(),
        }
    }
}

/// Writes a number with a fraction in the shortest form that reads back the same.
fn float(number: f64, out: &mut String) {
    use std::fmt::Write as _;
    // Finite by the types that fill it; JSON has no word for anything else.
    let number = if number.is_finite() { number } else { 0.0 };
    #[expect(clippy::expect_used, reason = "a string takes everything")]
    write!(out, "{number:?}").expect("a string takes everything");
}

/// Writes a time as RFC 3339 with nine digits of a second, so that text sorts as time does.
fn time(nanos: i64, out: &mut String) {
    use std::fmt::Write as _;
    let at = jiff::Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or_default();
    #[expect(clippy::expect_used, reason = "a string takes everything")]
    write!(out, "{at:.9}").expect("a string takes everything");
}
